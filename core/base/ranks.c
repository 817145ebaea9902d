/* Finding out whether there are other ranks, and the door to them. */
#include "core/base/ranks_door.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the starters of parallel jobs leave in the environment: how many there are. srun sets the last one for every
 * program, so it counts only where it also prepared PMIx. */
static bool is_rank(void) {
    const char *open_mpi = getenv("OMPI_COMM_WORLD_SIZE"), *hydra = getenv("PMI_SIZE");
    const char *slurm = getenv("PMIX_RANK") ? getenv("SLURM_STEP_NUM_TASKS") : NULL;
    const char *size = open_mpi ? open_mpi : hydra ? hydra : slurm;
    return size && atoi(size) > 1;
}

#ifdef INFOPLANE_MPI_LIBRARY
/* The module stands where the program's installation has it, or beside the program. MPI is loaded first and by hand: its
 * own plug-ins look for its names, and nothing but a run of several ranks has to have it installed. */
static const ip_ranks_door *open_door(ip_error *error) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 128);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) : 0;
    static const char *const places[] = {"/" INFOPLANE_MODULES "/infoplane-mpi.so", "/infoplane-mpi.so"};
    if (!dlopen(INFOPLANE_MPI_LIBRARY, RTLD_NOW | RTLD_GLOBAL)) {
        ip_fail(error, IP_USAGE,
                "started as one of several ranks, but MPI cannot be loaded (%s): install Open MPI here", dlerror());
        return NULL;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path + folder, sizeof path - folder, "%s", places[i]);
        if (access(path, R_OK) != 0) continue;
        void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        const ip_ranks_door *door = module ? dlsym(module, "ip_ranks_door_of_mpi") : NULL;
        if (door && door->version == IP_RANKS_DOOR) return door;
        ip_fail(error, IP_USAGE, "%s: is not this program's: install both from one build", path);
        return NULL;
    }
    ip_fail(error, IP_USAGE, "started as one of several ranks, but infoplane-mpi.so is not installed with the program");
    return NULL;
}
#else
static const ip_ranks_door *open_door(ip_error *error) {
    ip_fail(error, IP_USAGE,
            "started as one of several ranks, but this program was built without MPI: use --shard and merge, or build "
            "it where Open MPI is installed");
    return NULL;
}
#endif

ip_status ip_ranks_join(ip_ranks **out, ip_error *error) {
    *out = NULL;
    if (!is_rank()) return IP_OK;
    ip_ranks *ranks = calloc(1, sizeof *ranks);
    if (!ranks) return ip_fail(error, IP_FAILED, "out of memory");
    ranks->door = open_door(error);
    if (!ranks->door) {
        free(ranks);
        return IP_USAGE;
    }
    if (!ranks->door->join(&ranks->rank, &ranks->of, &ranks->local, ranks->machine, sizeof ranks->machine)) {
        free(ranks);
        return ip_fail(error, IP_FAILED, "MPI cannot be started");
    }
    if (ranks->of < 2) { /* whatever the environment says */
        ip_ranks_leave(ranks);
        return IP_OK;
    }
    *out = ranks;
    return IP_OK;
}

void ip_ranks_leave(ip_ranks *ranks) {
    if (!ranks) return;
    ranks->door->leave();
    free(ranks);
}

void ip_ranks_stop(const ip_ranks *ranks, ip_status status) {
    if (ranks) ranks->door->stop((int)status);
}

unsigned ip_ranks_number(const ip_ranks *ranks) { return ranks ? ranks->rank : 0; }
unsigned ip_ranks_count(const ip_ranks *ranks) { return ranks ? ranks->of : 1; }
unsigned ip_ranks_local(const ip_ranks *ranks) { return ranks ? ranks->local : 1; }

unsigned ip_ranks_threads(const ip_ranks *ranks, unsigned processors) {
    long machine = ranks ? sysconf(_SC_NPROCESSORS_ONLN) : 0;
    unsigned share = machine > 0 ? (unsigned)machine / ranks->local : processors;
    if (share == 0) share = 1;
    return share < processors ? share : processors;
}

void ip_ranks_name(const ip_ranks *ranks, char *out, size_t room) {
    snprintf(out, room, "rank %u of %u on %s", ip_ranks_number(ranks), ip_ranks_count(ranks),
             ranks ? ranks->machine : "this machine");
}

void ip_ranks_sum(const ip_ranks *ranks, uint64_t *numbers, size_t n) {
    if (ranks && n > 0) ranks->door->sum(numbers, n, false);
}

void ip_ranks_sum_wide(const ip_ranks *ranks, void *pairs, size_t n) {
    if (ranks && n > 0) ranks->door->sum(pairs, n, true);
}

void ip_ranks_swap(const ip_ranks *ranks, const ip_parcel *out, size_t out_count, const ip_parcel *in,
                   size_t in_count) {
    if (ranks) ranks->door->swap(out, out_count, in, in_count);
}

void ip_ranks_spread(const ip_ranks *ranks, void *data, const uint64_t *borders) {
    if (ranks) ranks->door->spread(data, borders);
}

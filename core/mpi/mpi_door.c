/* The door of core/base/ranks.h in MPI. A module of its own: the program loads it when it is started by mpirun, and needs
 * no MPI otherwise. Counts of MPI are ints, so what is long goes in pieces. */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ranks_door.h"

extern const ip_ranks_door ip_ranks_door_of_mpi;

enum { PIECE = 1 << 30 };

static MPI_Datatype wide_type;
static MPI_Op wide_add;

static void out_of_memory(void) { MPI_Abort(MPI_COMM_WORLD, IP_FAILED); }

/* MPI calls it with pairs of words, low word first. */
static void add_pairs(void *in, void *inout, int *n, MPI_Datatype *type) {
    (void)type;
    const uint64_t *x = in;
    uint64_t *w = inout;
    for (int i = 0; i < 2 * *n; i += 2) {
        w[i] += x[i];
        w[i + 1] += x[i + 1] + (w[i] < x[i]);
    }
}

static bool join(unsigned *rank, unsigned *of, unsigned *local, char *machine, size_t room) {
    int thread, number, count, near, length;
    char name[MPI_MAX_PROCESSOR_NAME];
    MPI_Comm here;
    /* The pool's threads never call MPI. */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &thread) != MPI_SUCCESS) return false;
    MPI_Comm_rank(MPI_COMM_WORLD, &number);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, number, MPI_INFO_NULL, &here);
    MPI_Comm_size(here, &near);
    MPI_Comm_free(&here);
    MPI_Get_processor_name(name, &length);
    name[length < MPI_MAX_PROCESSOR_NAME ? length : MPI_MAX_PROCESSOR_NAME - 1] = '\0';
    strncpy(machine, name, room - 1);
    machine[room - 1] = '\0';
    MPI_Type_contiguous(2, MPI_UINT64_T, &wide_type);
    MPI_Type_commit(&wide_type);
    MPI_Op_create(add_pairs, 1, &wide_add);
    *rank = (unsigned)number;
    *of = (unsigned)count;
    *local = (unsigned)near;
    return true;
}

static void leave(void) {
    MPI_Op_free(&wide_add);
    MPI_Type_free(&wide_type);
    MPI_Finalize();
}

static void stop(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

static void sum(uint64_t *numbers, size_t n, bool wide) {
    enum { AT_ONCE = PIECE / 16 };
    for (size_t i = 0; i < n; i += AT_ONCE) {
        int count = (int)(n - i < AT_ONCE ? n - i : AT_ONCE);
        MPI_Allreduce(MPI_IN_PLACE, numbers + (wide ? 2 : 1) * i, count, wide ? wide_type : MPI_UINT64_T,
                      wide ? wide_add : MPI_SUM, MPI_COMM_WORLD);
    }
}

static size_t pieces_of(const ip_parcel *parcels, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += (size_t)((parcels[i].bytes + PIECE - 1) / PIECE);
    return count;
}

/* Between two ranks messages arrive in the order in which they were sent. */
static MPI_Request *post(MPI_Request *at, const ip_parcel *parcels, size_t n, bool receive) {
    for (size_t i = 0; i < n; i++) {
        for (uint64_t done = 0; done < parcels[i].bytes; done += PIECE) {
            uint64_t left = parcels[i].bytes - done;
            char *data = (char *)parcels[i].data + done;
            int bytes = (int)(left < PIECE ? left : PIECE), rank = (int)parcels[i].rank;
            if (receive)
                MPI_Irecv(data, bytes, MPI_BYTE, rank, 0, MPI_COMM_WORLD, at++);
            else
                MPI_Isend(data, bytes, MPI_BYTE, rank, 0, MPI_COMM_WORLD, at++);
        }
    }
    return at;
}

static void swap(const ip_parcel *out, size_t out_count, const ip_parcel *in, size_t in_count) {
    size_t count = pieces_of(out, out_count) + pieces_of(in, in_count);
    MPI_Request *requests = malloc((count + 1) * sizeof *requests);
    if (!requests) out_of_memory();
    MPI_Request *end = post(requests, in, in_count, true);
    end = post(end, out, out_count, false);
    MPI_Waitall((int)(end - requests), requests, MPI_STATUSES_IGNORE);
    free(requests);
}

static void spread(void *data, const uint64_t *borders) {
    int of;
    MPI_Comm_size(MPI_COMM_WORLD, &of);
    size_t count = 0;
    for (int r = 0; r < of; r++) count += (size_t)((borders[r + 1] - borders[r] + PIECE - 1) / PIECE);
    MPI_Request *requests = malloc((count + 1) * sizeof *requests), *at = requests;
    if (!requests) out_of_memory();
    for (int r = 0; r < of; r++) {
        for (uint64_t i = borders[r]; i < borders[r + 1]; i += PIECE) {
            uint64_t left = borders[r + 1] - i;
            MPI_Ibcast((char *)data + i, (int)(left < PIECE ? left : PIECE), MPI_BYTE, r, MPI_COMM_WORLD, at++);
        }
    }
    MPI_Waitall((int)(at - requests), requests, MPI_STATUSES_IGNORE);
    free(requests);
}

const ip_ranks_door ip_ranks_door_of_mpi = {IP_RANKS_DOOR, join, leave, stop, sum, swap, spread};

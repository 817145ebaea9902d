/* The result folder: run.json, layers.csv, groups.npy, resamples.npy, token-loss.npy with token-loss.offsets.npy. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/map_guard.h"
#include "core/base/number.h"
#include "core/infoplane.h"
#include "core/output/folder_write.h"
#include "core/run/resume.h"

/* A number of a table's row; what was not computed is empty. */
static void cell(FILE *file, double x) {
    char text[IP_NUMBER_ROOM];
    fprintf(file, ",%s", isfinite(x) ? ip_number_text(x, text) : "");
}

/* What stands behind the figures of a side: permuted labels, and what the groups of documents say. */
static void resampled_cells(FILE *file, const ip_estimate *e) {
    cell(file, e->null);
    cell(file, e->corrected);
    cell(file, e->low);
    cell(file, e->high);
}

/* One row per layer and order, nats. */
static void write_csv(const void *result, FILE *file) {
    const ip_run *run = result;
    fputs("layer,order,H,context,I_X,I_Y,optimality,distinct_X,distinct_Y,lens,lens_entropy,null_X,corrected_X,low_X,"
          "high_X,null_Y,"
          "corrected_Y,low_Y,high_Y\n",
          file);
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        for (unsigned k = 0; k < run->orders; k++) {
            fprintf(file, "%zu,%u", l, k + 1);
            cell(file, r->H);
            cell(file, r->context);
            cell(file, r->x[k].I);
            cell(file, r->y[k].I);
            cell(file, r->x[k].I != 0.0 ? r->y[k].I / r->x[k].I : NAN);
            fprintf(file, ",%llu,%llu", (unsigned long long)r->x[k].distinct, (unsigned long long)r->y[k].distinct);
            cell(file, run->has_lens ? r->lens : NAN);
            cell(file, run->has_lens ? r->lens_entropy : NAN);
            resampled_cells(file, &r->x[k]);
            resampled_cells(file, &r->y[k]);
            fputc('\n', file);
        }
    }
}

static void write_json(const void *result, FILE *file) { ip_run_write_json(result, file); }

ip_status ip_run_write_folder(const ip_run *run, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK && run->has_loss)
        status = ip_folder_write_array(folder, "token-loss.npy", "<f4", 1, &run->loss.tokens, run->token_loss, error);
    const uint64_t borders = run->documents + 1;
    if (status == IP_OK && run->has_loss && run->loss_offsets)
        status = ip_folder_write_array(folder, "token-loss.offsets.npy", "<i8", 1, &borders, run->loss_offsets, error);
    const uint64_t groups[3] = {run->layers + 1, ip_run_quantities(run), run->groups};
    if (status == IP_OK && run->without)
        status = ip_folder_write_array(folder, "groups.npy", "<f8", 3, groups, run->without, error);
    const uint64_t resamples[3] = {run->layers + 1, ip_run_quantities(run), run->bootstrap};
    if (status == IP_OK && run->resampled)
        status = ip_folder_write_array(folder, "resamples.npy", "<f8", 3, resamples, run->resampled, error);
    if (status == IP_OK) status = ip_folder_write(folder, "layers.csv", write_csv, run, error);
    /* run.json last: where it stands, the folder is whole. */
    if (status == IP_OK) status = ip_folder_write(folder, "run.json", write_json, run, error);
    if (status == IP_OK) ip_resume_forget(folder);
    return status;
}

void ip_emergency_cleanup(void) { ip_out_unlink_all(); }

void ip_guard_maps(void) { ip_map_guard(); }

/* What a killed process has left: nobody else writes here once the folder is claimed. */
static void sweep(const char *folder) {
    DIR *entries = opendir(folder);
    for (const struct dirent *e; entries && (e = readdir(entries)) != NULL;) {
        const char *part = strstr(e->d_name, ".part-");
        if (!part || part[6] == '\0' || part[6 + strspn(part + 6, "0123456789")] != '\0') continue;
        char *path = ip_join_path(folder, e->d_name);
        if (path) unlink(path);
        free(path);
    }
    if (entries) closedir(entries);
}

/* The lock is on the folder itself: nothing is left behind, and it ends with the process. */
ip_status ip_folder_claim(int *claim, const char *folder, ip_error *error) {
    *claim = -1;
    ip_status status = ip_make_folder(folder, error);
    if (status != IP_OK) return status;
    *claim = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*claim < 0) return ip_fail(error, IP_FAILED, "%s: cannot open the folder: %s", folder, strerror(errno));
    /* A process that has just been killed may take a moment to let go. */
    const struct timespec moment = {0, 50000000};
    for (int i = 0; i < 20; i++) {
        if (flock(*claim, LOCK_EX | LOCK_NB) == 0) {
            sweep(folder);
            return IP_OK;
        }
        if (errno != EWOULDBLOCK) return IP_OK; /* a system without locks */
        nanosleep(&moment, NULL);
    }
    ip_folder_release(*claim);
    *claim = -1;
    return ip_fail(error, IP_FAILED, "%s: another run is writing here: wait for it, or name another folder", folder);
}

void ip_folder_release(int claim) {
    if (claim >= 0) close(claim);
}

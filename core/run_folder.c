/* The result folder: run.json, layers.csv, token-loss.npy with token-loss.offsets.npy. */
#include <math.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/npy.h"
#include "core/base/number.h"
#include "core/infoplane.h"

/* One row per layer and order, nats. */
static void write_csv(const ip_run *run, FILE *file) {
    char a[IP_NUMBER_ROOM], b[IP_NUMBER_ROOM], c[IP_NUMBER_ROOM], d[IP_NUMBER_ROOM], e[IP_NUMBER_ROOM];
    fputs("layer,order,H,context,I_X,I_Y,optimality,distinct_X,distinct_Y\n", file);
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        for (unsigned k = 0; k < run->orders; k++) {
            double ratio = r->x[k].I != 0.0 ? r->y[k].I / r->x[k].I : NAN;
            fprintf(file, "%zu,%u,%s,%s,%s,%s,%s,%llu,%llu\n", l, k + 1, ip_number_text(r->H, a),
                    ip_number_text(r->context, b), ip_number_text(r->x[k].I, c), ip_number_text(r->y[k].I, d),
                    isfinite(ratio) ? ip_number_text(ratio, e) : "", (unsigned long long)r->x[k].distinct,
                    (unsigned long long)r->y[k].distinct);
        }
    }
}

typedef void (*text_writer)(const ip_run *run, FILE *file);

static ip_status write_text(const ip_run *run, const char *folder, const char *name, text_writer writer,
                            ip_error *error) {
    char *path = ip_join_path(folder, name);
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_out out;
    ip_status status = ip_out_open(&out, path, error);
    if (status == IP_OK) {
        writer(run, out.file);
        status = ip_out_commit(&out, error);
    }
    free(path);
    return status;
}

static ip_status write_losses(const ip_run *run, const char *folder, ip_error *error) {
    char *path = ip_join_path(folder, "token-loss.npy");
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_out out;
    ip_status status = ip_out_open(&out, path, error);
    if (status == IP_OK) {
        status = ip_npy_header(out.file, "<f4", 1, &run->loss.tokens);
        if (status == IP_OK) fwrite(run->token_loss, sizeof(float), (size_t)run->loss.tokens, out.file);
        if (status == IP_OK) {
            status = ip_out_commit(&out, error);
        } else {
            ip_out_abandon(&out);
        }
    }
    free(path);
    return status;
}

/* Borders of the documents in token-loss.npy, as a corpus of ids has them. */
static ip_status write_loss_offsets(const ip_run *run, const char *folder, ip_error *error) {
    char *path = ip_join_path(folder, "token-loss.offsets.npy");
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_out out;
    uint64_t count = run->documents + 1;
    ip_status status = ip_out_open(&out, path, error);
    if (status == IP_OK) {
        status = ip_npy_header(out.file, "<i8", 1, &count);
        for (uint64_t d = 0; status == IP_OK && d < count; d++) {
            unsigned char bytes[8];
            for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(run->loss_offsets[d] >> (8 * i));
            fwrite(bytes, 1, sizeof bytes, out.file);
        }
        if (status == IP_OK) {
            status = ip_out_commit(&out, error);
        } else {
            ip_out_abandon(&out);
        }
    }
    free(path);
    return status;
}

ip_status ip_run_write_folder(const ip_run *run, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK && run->has_loss) status = write_losses(run, folder, error);
    if (status == IP_OK && run->loss_offsets) status = write_loss_offsets(run, folder, error);
    if (status == IP_OK) status = write_text(run, folder, "layers.csv", write_csv, error);
    /* run.json last: where it stands, the folder is whole. */
    if (status == IP_OK) status = write_text(run, folder, "run.json", ip_run_write_json, error);
    return status;
}

void ip_emergency_cleanup(void) { ip_out_unlink_all(); }

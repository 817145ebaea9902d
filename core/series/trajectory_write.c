/* Trajectories as JSON and CSV. */
#include <math.h>

#include "arch/scalar_math.h"
#include "core/base/file.h"
#include "core/base/number.h"
#include "core/output/folder_write.h"
#include "core/output/json_write.h"
#include "core/run/run.h"
#include "core/series/paired.h"
#include "core/series/trajectory.h"

static void write_step(ip_json *j, const ip_stop *stop) {
    if (stop->has_step) {
        ip_json_uint(j, "step", stop->step);
    } else {
        ip_json_null(j, "step");
    }
}

static void write_row(ip_json *j, const ip_layer_result *r, const double *optimality, unsigned orders) {
    const ip_estimate *lists[] = {r->x, r->y};
    ip_json_double(j, "H", r->H);
    ip_json_double(j, "context", r->context);
    for (int i = 0; i < 2; i++) {
        ip_json_open(j, i == 0 ? "X" : "Y", '[', true);
        for (unsigned k = 0; k < orders; k++) {
            ip_json_open(j, NULL, '{', true);
            ip_json_estimate(j, &lists[i][k]);
            ip_json_close(j, '}');
        }
        ip_json_close(j, ']');
    }
    ip_json_open(j, "optimality", '[', true);
    for (unsigned k = 0; k < orders; k++) ip_json_double(j, NULL, optimality[k]);
    ip_json_close(j, ']');
}

static void write_stop(ip_json *j, const ip_stop *stop) {
    const ip_run *run = stop->run;
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    ip_json_open(j, NULL, '{', false);
    write_step(j, stop);
    ip_json_string(j, "name", stop->name);
    ip_json_string(j, "path", stop->path);
    ip_json_string(j, "fingerprint", run->model_fingerprint[0] ? run->model_fingerprint : NULL);
    ip_json_string(j, "compute", run->compute);
    ip_json_double(j, "loss", run->has_loss ? run->loss.nats_per_token : NAN);
    ip_run_mean(run, &mean, optimality);
    ip_json_open(j, "mean", '{', true);
    write_row(j, &mean, optimality, run->orders);
    ip_json_close(j, '}');
    ip_json_open(j, "layers", '[', false);
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        for (unsigned k = 0; k < run->orders; k++) optimality[k] = r->x[k].I != 0.0 ? r->y[k].I / r->x[k].I : NAN;
        ip_json_open(j, NULL, '{', true);
        ip_json_uint(j, "layer", l);
        write_row(j, r, optimality, run->orders);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
}

static void write_change(ip_json *j, const char *key, double value, ip_range range, ip_range boot) {
    ip_json_open(j, key, '{', true);
    ip_json_double(j, "difference", value);
    ip_json_double(j, "low", range.low);
    ip_json_double(j, "high", range.high);
    ip_json_double(j, "boot_low", boot.low);
    ip_json_double(j, "boot_high", boot.high);
    ip_json_close(j, '}');
}

static void write_phases(ip_json *j, const ip_trajectory *t, const ip_phases *phases) {
    ip_json_open(j, NULL, '[', true);
    for (unsigned k = 0; k < t->orders; k++) {
        const ip_phases *p = &phases[k];
        ip_json_open(j, NULL, '{', true);
        if (p->peak < t->stops) {
            ip_json_uint(j, "peak", p->peak);
            write_step(j, &t->stop[p->peak]);
            ip_json_string(j, "name", t->stop[p->peak].name);
        } else {
            ip_json_null(j, "peak");
        }
        write_change(j, "fall", p->fall, p->fall_range, p->fall_boot);
        write_change(j, "expressivity_change", p->change, p->change_range, p->change_boot);
        ip_json_bool(j, "compression", p->compression);
        ip_json_bool(j, "expressivity_holds", p->holds);
        ip_json_string(j, "verdict", ip_phases_verdict(p));
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

static void write_json(const void *result, FILE *file) {
    const ip_trajectory *t = result;
    const ip_run *first = t->stop[0].run;
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.trajectory/1");
    ip_json_open(j, "infoplane", '{', true);
    ip_json_string(j, "version", INFOPLANE_VERSION);
    ip_json_close(j, '}');
    ip_json_open(j, "corpus", '{', true);
    ip_json_uint(j, "documents", first->documents);
    ip_json_uint(j, "positions", first->positions);
    ip_json_string(j, "text_fingerprint", first->text_fingerprint[0] ? first->text_fingerprint : NULL);
    ip_json_close(j, '}');
    ip_json_open(j, "estimator", '{', true);
    ip_json_uint(j, "bins", first->bins);
    ip_json_double(j, "log_bins", ip_log((double)first->bins));
    ip_json_string(j, "calibration", first->calibration);
    ip_json_uint(j, "orders", first->orders);
    ip_json_string(j, "labels", first->backoff ? "backoff" : "exact");
    ip_json_uint(j, "groups", first->groups);
    ip_json_uint(j, "bootstrap", t->resamples);
    ip_json_close(j, '}');
    ip_json_open(j, "checkpoints", '[', false);
    for (size_t i = 0; i < t->stops; i++) write_stop(j, &t->stop[i]);
    ip_json_close(j, ']');
    ip_json_open(j, "phases", '{', false);
    ip_json_open(j, "loss_levelled", '{', true);
    if (t->levelled < t->stops) {
        ip_json_uint(j, "checkpoint", t->levelled);
        write_step(j, &t->stop[t->levelled]);
    } else {
        ip_json_null(j, "checkpoint");
        ip_json_null(j, "step");
    }
    ip_json_close(j, '}');
    /* lists over orders; layers: null where the checkpoints differ in their number */
    ip_json_open(j, "mean_and_layers", '[', false);
    for (size_t r = 0; r < t->rows; r++) write_phases(j, t, t->phases + r * t->orders);
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_close(j, '}');
    ip_json_end(j);
}

static void put(FILE *file, double value) {
    char room[IP_NUMBER_ROOM];
    fprintf(file, ",%s", isfinite(value) ? ip_number_text(value, room) : "");
}

/* A row per checkpoint, layer and order; "mean" in the place of the layer for the mean over layers 1..L. */
static void write_csv(const void *result, FILE *file) {
    const ip_trajectory *t = result;
    fputs("checkpoint,step,loss,layer,order,H,context,I_X,X_corrected,X_low,X_high,I_Y,Y_corrected,Y_low,Y_high,"
          "optimality,X_boot_low,X_boot_high,Y_boot_low,Y_boot_high\n",
          file);
    for (size_t i = 0; i < t->stops; i++) {
        const ip_run *run = t->stop[i].run;
        ip_layer_result mean;
        double optimality[IP_MAX_ORDERS];
        ip_run_mean(run, &mean, optimality);
        for (size_t l = 0; l <= run->layers + 1; l++) {
            const ip_layer_result *r = l == 0 ? &mean : &run->layer[l - 1];
            for (unsigned k = 0; k < run->orders; k++) {
                fprintf(file, "%zu,", i);
                if (t->stop[i].has_step) fprintf(file, "%llu", (unsigned long long)t->stop[i].step);
                put(file, run->has_loss ? run->loss.nats_per_token : NAN);
                if (l == 0) {
                    fputs(",mean", file);
                } else {
                    fprintf(file, ",%zu", l - 1);
                }
                fprintf(file, ",%u", k + 1);
                const double values[] = {r->H,
                                         r->context,
                                         r->x[k].I,
                                         r->x[k].corrected,
                                         r->x[k].low,
                                         r->x[k].high,
                                         r->y[k].I,
                                         r->y[k].corrected,
                                         r->y[k].low,
                                         r->y[k].high,
                                         l == 0 ? optimality[k] : r->y[k].I / r->x[k].I,
                                         r->x[k].boot_low,
                                         r->x[k].boot_high,
                                         r->y[k].boot_low,
                                         r->y[k].boot_high};
                for (size_t v = 0; v < sizeof values / sizeof *values; v++) put(file, values[v]);
                fputc('\n', file);
            }
        }
    }
}

void ip_trajectory_write(const ip_trajectory *trajectory, bool json, FILE *file) {
    if (json) {
        write_json(trajectory, file);
    } else {
        ip_trajectory_write_table(trajectory, file);
    }
}

ip_status ip_trajectory_write_folder(const ip_trajectory *trajectory, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK) status = ip_folder_write(folder, "trajectory.csv", write_csv, trajectory, error);
    if (status == IP_OK) status = ip_folder_write(folder, "trajectory.json", write_json, trajectory, error);
    return status;
}

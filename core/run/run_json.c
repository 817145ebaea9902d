/* run.json, schema infoplane.run/1: nats throughout, orders from 1, what was not computed is null. */
#include <math.h>

#include "arch/scalar_math.h"
#include "core/bound/bound_report.h"
#include "core/estimators/method.h"
#include "core/infoplane.h"
#include "core/run/run.h"

static void write_loss(ip_json *j, const ip_loss_result *loss) {
    ip_json_double(j, "nats_per_token", loss->nats_per_token);
    ip_json_double(j, "perplexity", loss->tokens > 0 ? ip_exp(loss->nats_per_token) : NAN);
    ip_json_uint(j, "tokens", loss->tokens);
}

void ip_json_estimate(ip_json *j, const ip_estimate *e) {
    ip_json_double(j, "I", e->I);
    ip_json_double(j, "null", e->null);
    ip_json_double(j, "bias", e->bias);
    ip_json_double(j, "corrected", e->corrected);
    ip_json_double(j, "se", e->se);
    ip_json_double(j, "low", e->low);
    ip_json_double(j, "high", e->high);
    ip_json_double(j, "boot_low", e->boot_low);
    ip_json_double(j, "boot_high", e->boot_high);
    ip_json_uint(j, "distinct", e->distinct);
}

static void write_estimates(ip_json *j, const char *key, const ip_estimate *e, unsigned orders, double H) {
    ip_json_open(j, key, '[', true);
    for (unsigned k = 0; k < orders; k++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_estimate(j, &e[k]);
        ip_json_double(j, "regularity", H > 0.0 ? e[k].I / H : NAN);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

static void write_numbers(ip_json *j, const char *key, const double *values, unsigned n) {
    ip_json_open(j, key, '[', true);
    for (unsigned i = 0; i < n; i++) ip_json_double(j, NULL, values[i]);
    ip_json_close(j, ']');
}

static void write_optimality_intervals(ip_json *j, const ip_run *run, size_t layer) {
    ip_json_open(j, "optimality_intervals", '[', true);
    for (unsigned k = 0; k < run->orders; k++) {
        ip_estimate e = ip_run_optimality(run, layer, k);
        ip_json_open(j, NULL, '{', true);
        ip_json_double(j, "bias", e.bias);
        ip_json_double(j, "corrected", e.corrected);
        ip_json_double(j, "se", e.se);
        ip_json_double(j, "low", e.low);
        ip_json_double(j, "high", e.high);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

/* layer: its number, or IP_MEAN_LAYER. */
static void write_layer(ip_json *j, const ip_run *run, const ip_layer_result *r, const double *optimality,
                        size_t layer) {
    ip_json_double(j, "H", r->H);
    ip_json_double(j, "context", r->context);
    ip_json_double(j, "effective_rank", r->effective_rank);
    write_estimates(j, "X", r->x, run->orders, r->H);
    write_estimates(j, "Y", r->y, run->orders, r->H);
    write_numbers(j, "optimality", optimality, run->orders);
    write_optimality_intervals(j, run, layer);
}

/* What lies between a layer, or the mean, and the bound. */
static void write_gaps(ip_json *j, const ip_run *run, const ip_layer_result *r) {
    if (!run->bound[0]) {
        ip_json_null(j, "bound");
        return;
    }
    ip_json_open(j, "bound", '[', true);
    for (unsigned k = 0; k < run->orders; k++) {
        ip_bound_gap gap = ip_bound_gap_of(run->bound[k], r);
        ip_json_open(j, NULL, '{', true);
        ip_json_double(j, "curve", gap.curve);
        ip_json_double(j, "gap", gap.gap);
        ip_json_double(j, "ratio", gap.ratio);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

/* The curves themselves, order by order, as bound.json has them. */
static void write_bound(ip_json *j, const ip_run *run) {
    if (!run->bound[0]) {
        ip_json_null(j, "bound");
        return;
    }
    ip_json_open(j, "bound", '[', false);
    for (unsigned k = 0; k < run->orders; k++) {
        ip_json_open(j, NULL, '{', true);
        ip_bound_curve_json(j, run->bound[k]);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

static void write_lens(ip_json *j, const ip_run *run, const ip_layer_result *r) {
    if (!run->has_lens) {
        ip_json_null(j, "lens");
        return;
    }
    ip_json_open(j, "lens", '{', true);
    ip_json_double(j, "nats", r->lens);
    ip_json_double(j, "entropy", r->lens_entropy);
    ip_json_close(j, '}');
}

static void ratios(const ip_run *run, const ip_layer_result *r, double out[IP_MAX_ORDERS]) {
    for (unsigned k = 0; k < run->orders; k++) out[k] = r->x[k].I != 0.0 ? r->y[k].I / r->x[k].I : NAN;
}

void ip_run_write_head(ip_json *j, const ip_run *run) {
    ip_json_open(j, "infoplane", '{', true);
    ip_json_string(j, "version", INFOPLANE_VERSION);
    ip_json_string(j, "isa", run->isa);
    ip_json_string(j, "compute", run->compute);
    ip_json_uint(j, "threads", run->threads);
    if (run->ranks > 1) ip_json_uint(j, "ranks", run->ranks);
    ip_json_string(j, "sleef", ip_sleef_version());
    ip_json_close(j, '}');
    ip_json_open(j, "run", '{', true);
    ip_json_double(j, "seconds", run->seconds);
    ip_json_open(j, "memory", '{', true);
    ip_json_uint(j, "bound", run->memory);
    ip_json_uint(j, "peak", run->peak_memory);
    ip_json_close(j, '}');
    ip_json_open(j, "stages", '{', true);
    for (size_t i = 0; i < run->stage_count; i++) ip_json_double(j, run->stages[i].name, run->stages[i].seconds);
    ip_json_close(j, '}');
    ip_json_string(j, "started", run->started);
    ip_json_close(j, '}');
}

void ip_run_write_model(ip_json *j, const ip_run *run) {
    ip_json_open(j, "model", '{', true);
    ip_json_string(j, "path", run->model_path);
    ip_json_string(j, "name", run->model_name);
    ip_json_string(j, "fingerprint", run->model_fingerprint);
    ip_json_string(j, "family", run->family);
    ip_json_uint(j, "parameters", run->parameters);
    ip_json_uint(j, "layers", run->layers);
    ip_json_uint(j, "width", run->width);
    ip_json_uint(j, "vocabulary", run->vocabulary);
    ip_json_string(j, "weights", run->weights);
    ip_json_string(j, "weights_stored", run->weights_stored);
    ip_json_close(j, '}');
}

static void write_inputs(ip_json *j, const ip_run *run) {
    ip_run_write_model(j, run);
    ip_json_open(j, "corpus", '{', false);
    ip_json_files(j, run->files, run->file_count, false);
    ip_json_uint(j, "documents", run->documents);
    ip_json_uint(j, "tokens", run->tokens);
    ip_json_uint(j, "positions", run->positions);
    ip_json_uint(j, "max_tokens", run->max_tokens);
    ip_json_uint(j, "replaced", run->replaced);
    ip_json_text(j, "text_fingerprint", run->text_fingerprint);
    ip_json_text(j, "ids_fingerprint", run->ids_fingerprint);
    ip_json_close(j, '}');
    ip_json_open(j, "estimator", '{', true);
    ip_json_string(j, "name", run->estimator);
    ip_json_uint(j, "bins", run->bins);
    ip_json_double(j, "log_bins", ip_method_log_bins(run->estimator, run->bins));
    ip_json_text(j, "calibration", run->calibration);
    ip_json_double(j, "temperature", run->temperature);
    ip_json_uint(j, "seed", run->seed);
    ip_json_text(j, "anchors", run->anchors_fingerprint);
    ip_json_uint(j, "orders", run->orders);
    ip_json_string(j, "labels", run->backoff ? "backoff" : "exact");
    ip_json_uint(j, "min_count", run->min_count);
    ip_json_string(j, "count_at", run->count_at_positions ? "positions" : "corpus");
    ip_json_uint(j, "groups", run->groups);
    ip_json_uint(j, "null", run->null);
    ip_json_uint(j, "bootstrap", run->bootstrap);
    ip_json_open(j, "quantities", '[', true);
    for (unsigned q = 0; q < ip_run_quantities(run); q++) {
        char name[IP_QUANTITY_ROOM];
        ip_run_quantity_name(run, q, name);
        ip_json_string(j, NULL, name);
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
}

void ip_run_write_description(ip_json *j, const ip_run *run) {
    ip_run_write_head(j, run);
    write_inputs(j, run);
}

/* Per order a list, largest first. */
static void write_top_side(ip_json *j, const char *key, const ip_top_list_of *lists, unsigned orders) {
    ip_json_open(j, key, '[', false);
    for (unsigned k = 0; k < orders; k++) {
        ip_json_open(j, NULL, '[', true);
        for (size_t i = 0; i < lists[k].count; i++) {
            const ip_top_ngram *row = &lists[k].rows[i];
            ip_json_open(j, NULL, '{', true);
            ip_json_open(j, "ids", '[', true);
            for (unsigned t = 0; t < row->length; t++) ip_json_uint(j, NULL, (uint64_t)row->ids[t]);
            ip_json_close(j, ']');
            ip_json_string(j, "text", row->text);
            ip_json_uint(j, "count", row->count);
            ip_json_double(j, "nats", row->nats);
            ip_json_close(j, '}');
        }
        ip_json_close(j, ']');
    }
    ip_json_close(j, ']');
}

static void write_top(ip_json *j, const ip_run *run) {
    if (run->top == 0) {
        ip_json_null(j, "top");
        return;
    }
    ip_json_open(j, "top", '{', false);
    ip_json_uint(j, "of", run->top);
    write_top_side(j, "X", run->top_x, run->orders);
    write_top_side(j, "Y", run->top_y, run->orders);
    ip_json_close(j, '}');
}

void ip_run_write_json(const ip_run *run, FILE *file) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.run/1");
    ip_run_write_description(j, run);
    if (run->has_loss) {
        ip_json_open(j, "loss", '{', true);
        write_loss(j, &run->loss);
        if (run->has_end) {
            ip_json_open(j, "with_end", '{', true);
            write_loss(j, &run->loss_end);
            ip_json_close(j, '}');
        } else {
            ip_json_null(j, "with_end");
        }
        ip_json_close(j, '}');
    } else {
        ip_json_null(j, "loss");
    }
    double optimality[IP_MAX_ORDERS];
    ip_json_open(j, "layers", '[', false);
    for (size_t l = 0; l <= run->layers; l++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_uint(j, "layer", l);
        ratios(run, &run->layer[l], optimality);
        write_layer(j, run, &run->layer[l], optimality, l);
        write_lens(j, run, &run->layer[l]);
        write_gaps(j, run, &run->layer[l]);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_layer_result mean;
    ip_run_mean(run, &mean, optimality);
    ip_json_open(j, "mean", '{', true);
    write_layer(j, run, &mean, optimality, IP_MEAN_LAYER);
    ratios(run, &mean, optimality);
    write_numbers(j, "optimality_of_means", optimality, run->orders);
    write_gaps(j, run, &mean);
    ip_json_close(j, '}');
    write_bound(j, run);
    write_top(j, run);
    ip_json_close(j, '}');
    ip_json_end(j);
}

/* The description of a run. */
#include "core/run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/estimators/method.h"
#include "core/numbers/jackknife.h"
#include "core/numbers/statistics.h"

void ip_settings_default(ip_settings *settings) {
    *settings = (ip_settings){
        .max_tokens = 512,
        .split = "chunk",
        .add_special = true,
        .parse_special = true,
        .orders = 3,
        .min_count = 2,
        .estimator = "soft",
        .bins = 100,
        .calibration = "vmf-bound",
        .null = 4,
        .groups = 20,
        .loss_end = -1,
        .positions = "completion",
        .compute = "auto",
        .checkpoint_seconds = 60,
        .bound_effort = "normal",
    };
}

void ip_run_start(ip_run *run, const ip_settings *settings) {
    run->orders = settings->orders;
    run->estimator = ip_method_known(settings->estimator);
    run->backoff = settings->backoff;
    run->min_count = settings->min_count;
    run->count_at_positions = settings->count_at_positions;
    run->seed = settings->seed;
    run->null = settings->null;
    run->max_tokens = settings->max_tokens;
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(run->started, sizeof run->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

ip_status ip_run_describe_corpus(ip_run *run, const ip_corpus *corpus, ip_error *error) {
    if (ip_corpus_name_files(&run->files, &run->file_count, corpus) != IP_OK)
        return ip_fail(error, IP_FAILED, "out of memory");
    run->documents = corpus->documents;
    run->tokens = corpus->tokens;
    run->replaced = corpus->replaced;
    run->positions = ip_corpus_positions(corpus, run->orders);
    memcpy(run->text_fingerprint, corpus->text_fingerprint, sizeof run->text_fingerprint);
    memcpy(run->ids_fingerprint, corpus->ids_fingerprint, sizeof run->ids_fingerprint);
    return IP_OK;
}

/* A document of n tokens has n - 1 losses. */
ip_status ip_run_note_losses(ip_run *run, const ip_corpus *corpus) {
    run->loss_offsets = calloc(corpus->documents + 1, sizeof *run->loss_offsets);
    if (!run->loss_offsets) return IP_FAILED;
    for (size_t d = 0; d < corpus->documents; d++) {
        uint64_t n = corpus->offsets[d + 1] - corpus->offsets[d];
        run->loss_offsets[d + 1] = run->loss_offsets[d] + (n > 0 ? n - 1 : 0);
    }
    return IP_OK;
}

void ip_run_describe_machine(ip_run *run, const ip_session *session) {
    snprintf(run->isa, sizeof run->isa, "%s", session->kernels->name);
    run->threads = ip_pool_threads(session->pool);
    run->ranks = ip_ranks_count(session->host->ranks);
    run->memory = session->memory_bound;
    run->peak_memory = session->peak_memory;
    memcpy(run->stages, session->times, sizeof run->stages);
    run->stage_count = session->time_count;
    run->seconds = ip_seconds() - session->started;
}

ip_status ip_run_describe(ip_run *run, ip_session *session, const ip_anchors *anchors, ip_calibration calibration,
                          const char *model, ip_error *error) {
    const ip_plan *plan = ip_model_plan(session->model);
    const char *name = session->settings->name ? session->settings->name : ip_model_name(session->model);
    run->model_path = strdup(model);
    run->model_name = strdup(name);
    run->family = strdup(ip_model_family(session->model));
    run->weights = ip_weights_describe(session, false);
    run->weights_stored = ip_weights_describe(session, true);
    if (!run->model_path || !run->model_name || !run->family || !run->weights || !run->weights_stored ||
        (run->token_loss && ip_run_note_losses(run, session->whole) != IP_OK))
        return ip_fail(error, IP_FAILED, "out of memory");
    if (!run->files && ip_run_describe_corpus(run, session->whole, error) != IP_OK) return error->status;
    ip_session_stage(session, "fingerprint", 0, "");
    ip_status status = ip_model_fingerprint(session->model, run->model_fingerprint, error);
    ip_session_end(session);
    if (status != IP_OK) return status;
    run->parameters = plan->parameters;
    run->layers = plan->layers;
    run->width = plan->width;
    run->vocabulary = plan->vocabulary;
    run->bins = anchors->m;
    memcpy(run->anchors_fingerprint, anchors->fingerprint, sizeof run->anchors_fingerprint);
    run->calibration = ip_calibration_name(calibration);
    run->temperature = anchors->temperature;
    ip_compute_describe(session, run->compute, sizeof run->compute);
    ip_run_describe_machine(run, session);
    return IP_OK;
}

static void free_top(ip_top_list_of *list) {
    for (size_t i = 0; i < list->count; i++) free(list->rows[i].text);
    free(list->rows);
}

void ip_run_free(ip_run *run) {
    if (!run) return;
    for (unsigned k = 0; k < IP_MAX_ORDERS; k++) {
        free_top(&run->top_x[k]);
        free_top(&run->top_y[k]);
    }
    for (size_t i = 0; i < run->file_count; i++) free(run->files[i].path);
    free(run->files);
    free(run->model_path);
    free(run->model_name);
    free(run->family);
    free(run->weights);
    free(run->weights_stored);
    for (unsigned k = 0; k < IP_MAX_ORDERS; k++) ip_bound_curve_free(run->bound[k]);
    free(run->layer);
    free(run->without);
    free(run->resampled);
    free(run->token_loss);
    free(run->loss_offsets);
    free(run);
}

unsigned ip_run_quantities(const ip_run *run) { return 2 + 2 * run->orders; }

void ip_run_quantity_name(const ip_run *run, unsigned quantity, char out[IP_QUANTITY_ROOM]) {
    if (quantity < 2) {
        snprintf(out, IP_QUANTITY_ROOM, "%s", quantity == 0 ? "H" : "context");
    } else {
        unsigned k = quantity - 2;
        snprintf(out, IP_QUANTITY_ROOM, "%c%u", k < run->orders ? 'X' : 'Y', k % run->orders + 1);
    }
}

/* The interval of a mean over layers 1..L comes from the means without each group. */
static void mean_interval(const ip_run *run, ip_estimate *estimate, unsigned quantity) {
    unsigned quantities = ip_run_quantities(run), groups = run->groups;
    double without[IP_MAX_GROUPS];
    for (unsigned g = 0; run->without && g < groups; g++) {
        without[g] = 0.0;
        for (size_t l = 1; l <= run->layers; l++)
            without[g] += run->without[(l * quantities + quantity) * groups + g] / (double)run->layers;
    }
    ip_estimate_set_interval(estimate, run->without ? without : NULL, groups);
}

/* The percentiles of a mean over layers 1..L come from the means of each resample. */
static void mean_percentiles(const ip_run *run, ip_estimate *estimate, unsigned quantity, double *room) {
    size_t quantities = ip_run_quantities(run), resamples = run->bootstrap;
    estimate->boot_low = estimate->boot_high = NAN;
    if (!run->resampled || !room) return;
    for (size_t b = 0; b < resamples; b++) {
        room[b] = 0.0;
        for (size_t l = 1; l <= run->layers; l++)
            room[b] += run->resampled[(l * quantities + quantity) * resamples + b] / (double)run->layers;
    }
    ip_range range = ip_percentiles(room, resamples);
    estimate->boot_low = range.low;
    estimate->boot_high = range.high;
}

static double ratio_without(const ip_run *run, size_t layer, unsigned order, unsigned group) {
    size_t quantities = ip_run_quantities(run), row = layer * quantities + 2 + order;
    double x = run->without[row * run->groups + group];
    double y = run->without[(row + run->orders) * run->groups + group];
    return x != 0.0 ? y / x : NAN;
}

ip_estimate ip_run_optimality(const ip_run *run, size_t layer, unsigned order) {
    size_t first = layer == IP_MEAN_LAYER ? 1 : layer, last = layer == IP_MEAN_LAYER ? run->layers : layer;
    double n = (double)(last - first + 1), without[IP_MAX_GROUPS] = {0};
    ip_estimate out = ip_estimate_plain(0.0, 0);
    for (size_t l = first; l <= last; l++) {
        double x = run->layer[l].x[order].I;
        out.I += (x != 0.0 ? run->layer[l].y[order].I / x : NAN) / n;
        for (unsigned g = 0; run->without && g < run->groups; g++) without[g] += ratio_without(run, l, order, g) / n;
    }
    ip_estimate_set_interval(&out, run->without ? without : NULL, run->groups);
    return out;
}

void ip_run_mean(const ip_run *run, ip_layer_result *mean, double optimality[IP_MAX_ORDERS]) {
    memset(mean, 0, sizeof *mean);
    for (unsigned k = 0; k < IP_MAX_ORDERS; k++) optimality[k] = 0.0;
    double n = (double)run->layers;
    for (size_t l = 1; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        mean->H += r->H / n;
        mean->context += r->context / n;
        mean->effective_rank += r->effective_rank / n;
        for (unsigned k = 0; k < run->orders; k++) {
            mean->x[k].I += r->x[k].I / n;
            mean->y[k].I += r->y[k].I / n;
            optimality[k] += r->x[k].I != 0.0 ? r->y[k].I / r->x[k].I / n : NAN;
            mean->x[k].null += r->x[k].null / n;
            mean->y[k].null += r->y[k].null / n;
            mean->x[k].distinct = r->x[k].distinct;
            mean->y[k].distinct = r->y[k].distinct;
        }
    }
    double *room = run->resampled ? malloc(run->bootstrap * sizeof *room) : NULL;
    for (unsigned k = 0; k < run->orders; k++) {
        mean_interval(run, &mean->x[k], 2 + k);
        mean_interval(run, &mean->y[k], 2 + run->orders + k);
        mean_percentiles(run, &mean->x[k], 2 + k, room);
        mean_percentiles(run, &mean->y[k], 2 + run->orders + k, room);
    }
    free(room);
}

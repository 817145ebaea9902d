/* The main job: tokens, label sets, then layer by layer soft assignments and their entropies, then the loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/scalar_math.h"
#include "core/anchors.h"
#include "core/base/memory.h"
#include "core/budget.h"
#include "core/estimate.h"
#include "core/infoplane.h"
#include "core/layers.h"
#include "core/loss.h"
#include "core/ngrams.h"
#include "core/run.h"
#include "core/soft.h"

typedef struct analysis {
    ip_session *session;
    ip_run *run;
    ip_tiling tiling;
    ip_budget budget;
    const char *scratch;
    ip_calibration calibration;
    uint64_t *position_base; /* [documents + 1]: counted positions before each document */
    ip_partition whole, x[IP_ORDERS_MAX], y[IP_ORDERS_MAX];
    ip_resampling resampling;
    ip_soft_figures *figures; /* of a layer: whole, X of orders 1..K, Y, singles */
    ip_anchors anchors;
    ip_soft soft;
    ip_forward forward;
    ip_store store;
    float *buffers;
    size_t buffer_bytes;
    char *assign; /* per worker: scratch of ip_anchors_assign, then rows of p */
    size_t assign_bytes, p_offset;
} analysis;

/* ---- per tile: counted positions are assigned, the others only looked at ---- */

static ip_status bad_state(const analysis *a, size_t layer, const ip_segment *s, size_t row, int kind,
                           ip_error *error) {
    (void)a;
    return ip_fail(error, IP_FAILED, "layer %zu, document %u, position %zu: the hidden state is %s", layer, s->document,
                   s->position + row, kind == 1 ? "all zero: it has no direction" : "not finite");
}

static ip_status assign_segment(analysis *a, size_t layer, unsigned worker, const ip_segment *s, const float *h,
                                ip_error *error) {
    const ip_corpus *corpus = &a->session->corpus;
    const ip_kernels *kernels = a->session->kernels;
    size_t width = a->forward.plan->width,
           n = (size_t)(corpus->offsets[s->document + 1] - corpus->offsets[s->document]);
    unsigned orders = a->run->orders;
    char *work = a->assign + worker * a->assign_bytes;
    float *p = (float *)(void *)(work + a->p_offset);
    /* counted rows of the segment: positions first .. last-1 of the document */
    size_t counted_end = orders - 1 + ip_counted(n, orders), end = s->position + s->rows;
    size_t first = s->position < orders - 1 ? orders - 1 : s->position;
    size_t last = end < counted_end ? end : counted_end;
    if (first > last) first = last = end;
    for (size_t t = s->position; t < end; t++) {
        if (t >= first && t < last) continue;
        if (kernels->unit((float *)(void *)work, h + (t - s->position) * width, width) == 2)
            return bad_state(a, layer, s, t - s->position, 2, error);
    }
    if (first >= last) return IP_OK;
    size_t bad_row;
    int bad_kind;
    if (!ip_anchors_assign(&a->anchors, kernels, h + (first - s->position) * width, last - first, p, work, &bad_row,
                           &bad_kind))
        return bad_state(a, layer, s, first - s->position + bad_row, bad_kind, error);
    uint64_t position = a->position_base[s->document] + first - (orders - 1);
    return ip_soft_put(&a->soft, kernels, (size_t)position, p, last - first, error);
}

static ip_status assign_tile(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                             ip_error *error) {
    analysis *a = context;
    const ip_segment *segments = a->tiling.segments + tile->first_segment;
    ip_status status = IP_OK;
    for (uint32_t i = 0; status == IP_OK && i < tile->segments; i++) {
        status = assign_segment(a, layer, worker, &segments[i], h, error);
        h += (size_t)segments[i].rows * a->forward.plan->width;
    }
    return status;
}

/* ---- per layer ---- */

/* Figures of the layer into its row of the run: set 0 is the whole, then X of orders 1..K, then Y. */
static ip_status fill_layer(analysis *a, size_t layer, ip_error *error) {
    ip_run *run = a->run;
    unsigned orders = run->orders, groups = run->groups;
    const ip_soft_figures *f = a->figures, *singles = f + 2 * orders + 1;
    double *without = run->without ? run->without + layer * ip_run_quantities(run) * groups : NULL;
    ip_layer_result *result = &run->layer[layer];
    result->H = f[0].plain;
    result->context = result->H - singles->plain;
    for (unsigned g = 0; g < groups; g++) {
        without[g] = f[0].without[g];
        without[groups + g] = f[0].without[g] - singles->without[g];
    }
    ip_status status = IP_OK;
    for (unsigned k = 0; status == IP_OK && k < 2 * orders; k++) {
        const ip_partition *labels = k < orders ? &a->x[k] : &a->y[k - orders];
        ip_estimate *out = k < orders ? &result->x[k] : &result->y[k - orders];
        status = ip_estimate_make(out, &f[0], &f[1 + k], labels->labels, &a->resampling,
                                  without ? without + (size_t)(2 + k) * groups : NULL, error);
    }
    return status;
}

static ip_status estimate_layer(void *context, size_t layer, ip_error *error) {
    analysis *a = context;
    unsigned orders = a->run->orders;
    ip_session_stage(a->session, "estimate", 0, "");
    const ip_partition *sets[2 * IP_ORDERS_MAX + 1] = {&a->whole};
    for (unsigned k = 0; k < orders; k++) {
        sets[1 + k] = &a->x[k];
        sets[1 + orders + k] = &a->y[k];
    }
    ip_status status = ip_soft_estimate(&a->soft, a->session->kernels, a->session->pool, sets, 2 * orders + 1,
                                        &a->resampling, a->figures, error);
    return status == IP_OK ? fill_layer(a, layer, error) : status;
}

/* ---- preparing ---- */

static ip_status check_settings(analysis *a, ip_error *error) {
    const ip_settings *s = a->session->settings;
    if (!ip_calibration_by_name(&a->calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    if (s->orders < 1 || s->orders > IP_ORDERS_MAX)
        return ip_fail(error, IP_USAGE, "--orders %u: 1 to %d can be counted", s->orders, IP_ORDERS_MAX);
    if (s->bins < 2 || s->bins > 65536) return ip_fail(error, IP_USAGE, "--bins: 2 to 65536");
    return ip_resampling_check(s, error);
}

/* Groups go by the document's number in the corpus, whether it has counted positions or not. */
static ip_status prepare_resampling(analysis *a, size_t positions, ip_error *error) {
    ip_run *run = a->run;
    size_t documents = a->session->corpus.documents, layers = ip_model_plan(a->session->model)->layers;
    ip_status status = ip_resampling_open(&a->resampling, a->session->settings, positions, documents, error);
    if (status != IP_OK) return status;
    for (size_t d = 0; d < documents; d++) {
        for (uint64_t t = a->position_base[d]; t < a->position_base[d + 1]; t++)
            ip_resampling_set(&a->resampling, (size_t)t, d);
    }
    run->groups = a->resampling.groups;
    run->bootstrap = a->resampling.bootstrap;
    if (run->groups > 0) {
        run->without = calloc((layers + 1) * ip_run_quantities(run) * run->groups, sizeof *run->without);
        if (!run->without) return ip_fail(error, IP_FAILED, "out of memory for the figures of %u groups", run->groups);
    }
    return ip_soft_figures_open(&a->figures, 2 * run->orders + 1, &a->resampling, error);
}

static ip_status count_labels(analysis *a, ip_error *error) {
    const ip_settings *s = a->session->settings;
    const ip_corpus *corpus = &a->session->corpus;
    ip_session_stage(a->session, "labels", 0, "");
    uint64_t positions = ip_corpus_positions(corpus, s->orders);
    if (positions == 0)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: no document is longer than the %u tokens that orders 1..%u need: nothing can be counted",
                       corpus->file_count > 0 ? corpus->files[0].path : "corpus", 2 * s->orders - 1, s->orders);
    if (positions > UINT32_MAX)
        return ip_fail(error, IP_FAILED, "%llu positions are more than one run counts: use --documents",
                       (unsigned long long)positions);
    a->position_base = malloc((corpus->documents + 1) * sizeof *a->position_base);
    if (!a->position_base) return ip_fail(error, IP_FAILED, "out of memory");
    a->position_base[0] = 0;
    for (size_t d = 0; d < corpus->documents; d++)
        a->position_base[d + 1] =
            a->position_base[d] + ip_counted((size_t)(corpus->offsets[d + 1] - corpus->offsets[d]), s->orders);
    ip_label_rule rule = ip_label_rule_of(s);
    ip_status status = ip_ngram_partitions(a->x, a->y, corpus, &rule, a->session->pool, error);
    if (status == IP_OK) status = ip_partition_whole(&a->whole, (size_t)positions, error);
    return status == IP_OK ? prepare_resampling(a, (size_t)positions, error) : status;
}

static ip_status allocate(analysis *a, ip_error *error) {
    ip_session *session = a->session;
    const ip_plan *plan = ip_model_plan(session->model);
    unsigned threads = ip_pool_threads(session->pool);
    size_t stride = (a->anchors.m + IP_LANES - 1) / IP_LANES * IP_LANES;
    a->p_offset = (ip_assign_bytes(session->kernels, &a->anchors, IP_TILE_ROWS) + 63) & ~(size_t)63;
    a->assign_bytes = a->p_offset + (IP_TILE_ROWS + IP_TILE_MAX) * stride * sizeof(float);
    a->assign = ip_big_alloc(a->assign_bytes * threads);
    if (!a->assign) return ip_fail(error, IP_FAILED, "out of memory for the assignments");
    ip_status status = ip_soft_open(&a->soft, (size_t)a->position_base[session->corpus.documents], a->anchors.m,
                                    a->budget.soft_spilled ? a->scratch : NULL, error);
    if (status != IP_OK) return status;
    status = ip_forward_open(&a->forward, session->model, session->kernels, session->compute, &a->tiling,
                             a->budget.ahead, session->pool, error);
    if (status != IP_OK) return status;
    status = ip_store_open(&a->store, session->corpus.tokens, plan->width, a->budget.resident_rows, a->scratch, error);
    if (status != IP_OK) return status;
    if (a->budget.resident_rows < session->corpus.tokens) {
        a->buffer_bytes = (size_t)threads * IP_TILE_ROWS * plan->width * sizeof(float);
        a->buffers = ip_big_alloc(a->buffer_bytes);
        if (!a->buffers) return ip_fail(error, IP_FAILED, "out of memory for the buffers of the scratch file");
    }
    if (a->store.scratch.ram_disk || a->soft.scratch.ram_disk)
        ip_session_warn(session, "%s is kept in memory: scratch files there save nothing (see --scratch)", a->scratch);
    return IP_OK;
}

static void release(analysis *a) {
    ip_resampling_close(&a->resampling, a->whole.positions);
    free(a->figures);
    ip_partition_free(&a->whole);
    for (unsigned k = 0; k < IP_ORDERS_MAX; k++) {
        ip_partition_free(&a->x[k]);
        ip_partition_free(&a->y[k]);
    }
    free(a->position_base);
    ip_anchors_free(&a->anchors);
    ip_soft_close(&a->soft);
    ip_forward_close(&a->forward);
    ip_store_close(&a->store);
    ip_big_free(a->buffers, a->buffer_bytes);
    ip_big_free(a->assign, a->assign_bytes * (a->session->pool ? ip_pool_threads(a->session->pool) : 0));
    ip_tiling_free(&a->tiling);
}

static ip_status run_analysis(analysis *a, const char *model, const char *const *corpora, size_t count,
                              ip_error *error) {
    ip_session *session = a->session;
    const ip_settings *s = session->settings;
    ip_status status = ip_session_model(session, model, error);
    if (status != IP_OK) return status;
    const ip_plan *plan = ip_model_plan(session->model);
    if (s->loss && !plan->head_weight.tensor)
        return ip_fail(error, IP_BAD_INPUT, "%s: has no output head: no loss can be computed", model);
    if (s->loss_end >= (int64_t)plan->vocabulary)
        return ip_fail(error, IP_USAGE, "--loss-end %lld: the vocabulary has %zu tokens", (long long)s->loss_end,
                       plan->vocabulary);
    a->run->layer = calloc(plan->layers + 1, sizeof *a->run->layer);
    if (!a->run->layer) return ip_fail(error, IP_FAILED, "out of memory");
    status = ip_anchors_make(&a->anchors, plan->width, (size_t)s->bins, s->seed, s->anchors, a->calibration,
                             session->kernels, error);
    if (status == IP_OK) status = ip_session_corpus(session, corpora, count, error);
    if (status == IP_OK) status = ip_tiling_make(&a->tiling, &session->corpus, error);
    if (status == IP_OK) status = ip_budget_make(&a->budget, session, &a->tiling, true, a->anchors.m, s->loss, error);
    if (status == IP_OK) status = count_labels(a, error);
    if (status == IP_OK) status = allocate(a, error);
    if (status != IP_OK) return status;
    if (a->tiling.longest > plan->context_length)
        ip_session_warn(session, "documents reach %zu tokens, the model was trained for %zu", a->tiling.longest,
                        plan->context_length);
    ip_layers layers = {session, &a->tiling, &a->forward, &a->store, a->buffers};
    ip_visitor visitor = {a, assign_tile, estimate_layer};
    status = ip_layers_run(&layers, &visitor, error);
    if (status == IP_OK && s->loss) {
        a->run->has_loss = true;
        a->run->has_end = s->loss_end >= 0;
        status = ip_loss_run(&layers, s->loss_end, &a->run->token_loss, &a->run->loss, &a->run->loss_end, error);
    }
    if (status == IP_OK) status = ip_run_describe(a->run, session, &a->anchors, a->calibration, model, error);
    return status;
}

ip_status ip_analyze(ip_run **out, const char *model, const char *const *corpora, size_t corpus_count,
                     const ip_settings *settings, const char *scratch_default, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    ip_run *run = calloc(1, sizeof *run);
    if (!run) return ip_fail(error, IP_FAILED, "out of memory");
    ip_run_start(run, settings);
    analysis a = {.session = &session,
                  .run = run,
                  .scratch = ip_scratch_folder(settings, scratch_default),
                  .soft = {.scratch = {.fd = -1}},
                  .store = {.scratch = {.fd = -1}}};
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = check_settings(&a, error);
    if (status == IP_OK) status = run_analysis(&a, model, corpora, corpus_count, error);
    release(&a);
    ip_session_close(&session);
    if (status == IP_OK) {
        *out = run;
    } else {
        ip_run_free(run);
    }
    return status;
}

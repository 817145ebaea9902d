/* Timing parts of a run. */
#include "core/plan_time.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/estimators/anchors.h"
#include "core/estimators/estimator.h"
#include "core/estimators/state_rows.h"
#include "core/forward/forward.h"
#include "core/forward/layers.h"
#include "core/ngrams/ngrams.h"
#include "core/run/run.h"

/* Block 0 on the embeddings of the first tile. Their values do not matter for the time. */
ip_status ip_time_block(double *seconds, const ip_session *session, const ip_tiling *tiling, ip_error *error) {
    const ip_plan *plan = ip_model_plan(session->model);
    ip_forward forward = {0};
    bool is_long = tiling->item_count == 0;
    const ip_tile *tile = &tiling->tiles[(is_long ? tiling->long_items : tiling->items)[0].first_tile];
    size_t bytes = (size_t)tile->rows * plan->width * sizeof(float), bad;
    float *h = ip_big_alloc(bytes);
    ip_status status = h ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK)
        status = ip_forward_open(&forward, session->model, session->kernels, session->compute, tiling, false,
                                 session->pool, error);
    if (status == IP_OK) {
        ip_forward_prepare(&forward, 0);
        status = ip_pack_run(&forward.packing, session->pool, error);
    }
    if (status == IP_OK) status = ip_forward_embed(&forward, tiling, tile, h, error);
    if (status == IP_OK) {
        double best = 1e30;
        for (int i = 0; status == IP_OK && i < 3; i++) {
            double start = ip_seconds();
            if (is_long) status = ip_forward_keys(&forward, 0, 0, tiling, tile, h, &bad, error);
            if (status == IP_OK)
                status = ip_forward_tile(&forward, 0, 0, is_long ? IP_TILE_REST : IP_TILE_WHOLE, tiling, tile, h, false,
                                         &bad, error);
            double spent = (ip_seconds() - start) / tile->rows;
            if (spent < best) best = spent;
        }
        *seconds = best;
    }
    ip_forward_close(&forward);
    ip_big_free(h, bytes);
    return status;
}

/* ---- estimates ---- */

/* An estimator over the first documents, and states of noise for it. */
typedef struct trial {
    ip_session *session;
    ip_run *run;
    ip_estimator estimator;
    ip_store store;
    ip_forward forward; /* nothing but its plan */
    ip_layers layers;
    size_t positions, width;
} trial;

/* Rows between -1/2 and 1/2 that are like no other row. */
static void fill_noise(float *rows, size_t n) {
    for (size_t i = 0; i < n; i++) rows[i] = (float)((uint32_t)i * 2654435761u >> 16 & 0xFFFF) / 65536.0f - 0.5f;
}

/* Assigns the noise as a tile is assigned, and puts it where the estimate takes it from; *spent: of one thread. */
static ip_status assign(trial *t, size_t bins, double *spent, ip_error *error) {
    const ip_settings *s = t->session->settings;
    const ip_kernels *kernels = t->session->kernels;
    ip_anchors anchors = {0};
    ip_calibration calibration;
    if (!ip_calibration_by_name(&calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    ip_status status = ip_anchors_make(&anchors, t->width, bins, s->seed, s->anchors, calibration, kernels, error);
    if (status != IP_OK) return status;
    size_t stride = (anchors.m + IP_LANES - 1) / IP_LANES * IP_LANES,
           row_bytes = IP_TILE_ROWS * t->width * sizeof(float);
    size_t work_bytes = (ip_assign_bytes(kernels, &anchors, IP_TILE_ROWS) + 63) & ~(size_t)63;
    size_t p_bytes = (IP_TILE_ROWS + IP_TILE_MAX) * stride * sizeof(float);
    float *rows = ip_big_alloc(row_bytes), *p = ip_big_alloc(p_bytes);
    void *work = ip_big_alloc(work_bytes);
    if (!rows || !p || !work) status = ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) status = ip_soft_open(&t->estimator.soft, t->positions, anchors.m, NULL, error);
    if (status == IP_OK) fill_noise(rows, IP_TILE_ROWS * t->width);
    double start = ip_seconds();
    for (size_t at = 0; status == IP_OK && at < t->positions; at += IP_TILE_ROWS) {
        size_t n = t->positions - at < IP_TILE_ROWS ? t->positions - at : IP_TILE_ROWS, bad_row;
        int bad_kind;
        if (!ip_anchors_assign(&anchors, kernels, rows, n, p, work, &bad_row, &bad_kind))
            status = ip_fail(error, IP_FAILED, "noise without a direction");
        if (status == IP_OK) status = ip_soft_put(&t->estimator.soft, kernels, at, p, n, error);
    }
    *spent = ip_seconds() - start;
    ip_big_free(rows, row_bytes);
    ip_big_free(p, p_bytes);
    ip_big_free(work, work_bytes);
    ip_anchors_free(&anchors);
    return status;
}

/* What an estimator other than soft reads. */
static ip_status open_states(trial *t, ip_error *error) {
    const ip_session *session = t->session;
    ip_method_kind kind = ip_method_of(session->settings);
    const ip_input file = {.path = session->settings->anchors};
    uint64_t tokens = session->corpus.tokens;
    ip_status status = ip_store_open(&t->store, tokens, t->width, tokens, NULL, error);
    if (status != IP_OK) return status;
    fill_noise(t->store.memory, (size_t)tokens * t->width);
    t->layers = (ip_layers){.session = t->session, .forward = &t->forward, .store = &t->store};
    t->estimator.layers = &t->layers;
    return ip_method_open(&t->estimator.method, kind, session->settings, file.path ? &file : NULL, t->positions,
                          t->width, session->kernels, session->pool, error);
}

/* One layer's estimates of the corpus as it is. */
static ip_status try_estimate(double *seconds, ip_session *session, size_t bins, ip_error *error) {
    trial t = {.session = session,
               .run = calloc(1, sizeof *t.run),
               .store = {.scratch = {.fd = -1}},
               .forward = {.plan = ip_model_plan(session->model)}};
    double assigned = 0.0;
    if (!t.run) return ip_fail(error, IP_FAILED, "out of memory");
    ip_run_start(t.run, session->settings);
    t.width = t.forward.plan->width;
    t.positions = (size_t)ip_corpus_positions(&session->corpus, session->settings->orders);
    ip_status status = ip_estimator_open(&t.estimator, session, t.run, 0, error);
    if (status == IP_OK)
        status = ip_method_of(session->settings) == IP_METHOD_SOFT ? assign(&t, bins, &assigned, error)
                                                                   : open_states(&t, error);
    double best = 1e30; /* of three: what else the machine does only adds */
    for (int i = 0; status == IP_OK && i < 3; i++) {
        double start = ip_seconds();
        status = ip_estimator_layer(&t.estimator, 0, error);
        if (ip_seconds() - start < best) best = ip_seconds() - start;
    }
    *seconds = best + assigned / ip_pool_threads(session->pool);
    ip_estimator_close(&t.estimator);
    ip_store_close(&t.store);
    ip_run_free(t.run);
    return status;
}

enum { FEW = 1024, MANY = 4096 }; /* positions of the two trials */

/* Of the corpus as few documents as have so many positions. */
static void narrow(ip_corpus *corpus, unsigned orders, uint64_t positions) {
    uint64_t seen = 0;
    size_t d = 0;
    while (d < corpus->documents && (seen < positions || d < 2)) {
        seen += ip_counted((size_t)(corpus->offsets[d + 1] - corpus->offsets[d]), orders);
        d++;
    }
    corpus->documents = d;
    corpus->tokens = corpus->offsets[d];
}

/* Two trials tell what does not grow with the positions (eigenvalues, say) from what does. */
ip_status ip_time_estimate(double *seconds, ip_session *session, size_t bins, ip_error *error) {
    unsigned orders = session->settings->orders;
    const ip_corpus kept = session->corpus, whole = *session->whole, *kept_whole = session->whole;
    const ip_host *host = session->host;
    ip_host alone = *host; /* ranks try it each by itself */
    uint64_t *deal = session->deal;
    alone.ranks = NULL;
    session->host = &alone;
    session->deal = NULL;
    session->whole = &session->corpus;
    double all = (double)ip_corpus_positions(&whole, orders), n[2], spent[2] = {0.0, 0.0};
    ip_status status = IP_OK;
    for (int i = 0; status == IP_OK && i < 2; i++) {
        session->corpus = whole;
        narrow(&session->corpus, orders, i == 0 ? FEW : MANY);
        n[i] = (double)ip_corpus_positions(&session->corpus, orders);
        status = try_estimate(&spent[i], session, bins, error);
    }
    session->corpus = kept;
    session->whole = kept_whole;
    session->host = host;
    session->deal = deal;
    if (status != IP_OK) return status;
    double each = n[1] > n[0] ? (spent[1] - spent[0]) / (n[1] - n[0]) : spent[1] / n[1];
    if (!(each > 0.0)) each = spent[1] / n[1];
    *seconds = (spent[1] + each * (all - n[1])) / ip_ranks_count(host->ranks);
    return IP_OK;
}

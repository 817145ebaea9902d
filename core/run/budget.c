/* Adding up a run's memory; spilling hidden states first (they stream), then the soft assignments. */
#include "core/run/budget.h"

#include <stdlib.h>

#include "core/base/resident.h"
#include "core/estimators/anchors.h"
#include "core/estimators/estimator.h"
#include "core/estimators/soft.h"
#include "core/forward/forward.h"
#include "core/forward/head.h"

/* Left free below the bound for what is not counted: thread stacks, the allocator's slack, the C library. */
static uint64_t slack(uint64_t bound) {
    uint64_t part = bound / 50, most = (uint64_t)12 << 20;
    return ((uint64_t)4 << 20) + (part < most ? part : most);
}

static uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

const char *ip_scratch_folder(const ip_settings *settings, const char *fallback) {
    if (settings->scratch) return settings->scratch;
    if (fallback) return fallback;
    const char *temporary = getenv("TMPDIR");
    return temporary && *temporary ? temporary : "/tmp";
}

/* Rows up to the last tile border that fits. */
static uint64_t resident_rows(const ip_tiling *tiling, uint64_t rows) {
    uint64_t resident = 0;
    for (size_t i = 0; i < tiling->tile_count && tiling->tiles[i].row + tiling->tiles[i].rows <= rows; i++)
        resident = tiling->tiles[i].row + tiling->tiles[i].rows;
    return resident;
}

static void start(ip_budget *out, const ip_session *session, const ip_tiling *tiling) {
    *out = (ip_budget){.held = ip_resident_anonymous()};
    out->fixed =
        ip_forward_bytes(session->model, session->kernels, session->compute, tiling, ip_pool_threads(session->pool));
}

/* Anchors, the threads' work on them, and the soft assignments of so many positions. */
static void add_soft(ip_budget *out, const ip_session *session, uint64_t positions, size_t bins) {
    uint64_t width = ip_model_plan(session->model)->width, m = round_up(bins, IP_LANES);
    uint64_t tile_bytes = IP_TILE_ROWS * width * sizeof(float);
    out->fixed += m * width * sizeof(float);
    out->fixed += ip_pool_threads(session->pool) * (2 * tile_bytes + (IP_TILE_ROWS + IP_TILE_MAX) * m * sizeof(float));
    out->soft = m * positions * sizeof(float);
}

/* Of the soft assignments, what a rank holds. */
static void share_soft(ip_budget *out, const ip_session *session, size_t bins) {
    unsigned orders = session->settings->orders;
    out->soft =
        ip_soft_rank_bytes(session->host->ranks, (size_t)ip_corpus_positions(session->whole, orders),
                           (size_t)ip_corpus_positions(&session->corpus, orders), bins, session->settings->top > 0);
}

/* What spills, from what everything takes. */
static ip_status settle(ip_budget *out, const ip_session *session, const ip_tiling *tiling, ip_error *error) {
    const ip_plan *plan = ip_model_plan(session->model);
    uint64_t tokens = session->corpus.tokens, tile_bytes = (uint64_t)IP_TILE_ROWS * plan->width * sizeof(float);
    unsigned threads = ip_pool_threads(session->pool);
    out->hidden = tokens * plan->width * sizeof(float);
    uint64_t bound = session->memory_bound, spill_buffers = threads * tile_bytes;
    out->slack = slack(bound);
    uint64_t base = out->held + out->slack;
    uint64_t fixed = out->fixed > out->counting ? out->fixed : out->counting;
    out->least = base + fixed + spill_buffers;
    if (out->least > bound)
        return ip_fail(error, IP_FAILED,
                       "--memory %.1fM is too small: this run needs %.1fM with everything else in scratch files (fewer "
                       "--threads or --documents need less)",
                       (double)bound / 0x1p20, (double)out->least / 0x1p20);
    uint64_t room = bound - base - fixed;
    uint64_t layer = ip_forward_layer_bytes(session->model, session->kernels, session->compute);
    out->ahead = room > spill_buffers && layer <= (room - spill_buffers) / 2;
    if (out->ahead) {
        room -= layer;
        fixed += layer;
    }
    if (out->hidden + out->soft <= room) {
        out->resident_rows = tokens;
        out->peak = base + fixed + out->hidden + out->soft;
        return IP_OK;
    }
    room -= spill_buffers;
    out->soft_spilled = out->soft > room;
    if (!out->soft_spilled) room -= out->soft;
    out->resident_rows = resident_rows(tiling, room / (plan->width * sizeof(float)));
    uint64_t kept = out->resident_rows * plan->width * sizeof(float);
    out->scratch = out->hidden - kept + (out->soft_spilled ? out->soft : 0);
    out->peak = base + fixed + spill_buffers + kept + (out->soft_spilled ? 0 : out->soft);
    return IP_OK;
}

ip_status ip_budget_make(ip_budget *out, const ip_session *session, const ip_tiling *tiling, bool estimates,
                         size_t bins, bool head, ip_error *error) {
    const ip_corpus *corpus = &session->corpus;
    start(out, session, tiling);
    if (head) out->fixed += ip_head_bytes(session, corpus->tokens, session->settings->lens);
    if (estimates) {
        uint64_t estimator;
        size_t layers = ip_model_plan(session->model)->layers;
        ip_status status = ip_estimator_bytes(&estimator, &out->counting, session, bins,
                                              ip_model_plan(session->model)->width, layers, error);
        if (status != IP_OK) return status;
        out->fixed += estimator;
        if (ip_method_of(session->settings) == IP_METHOD_SOFT) {
            add_soft(out, session, ip_corpus_positions(session->whole, session->settings->orders), bins);
            if (ip_ranks_count(session->host->ranks) > 1) share_soft(out, session, bins);
        } else { /* a row per thread, to see that states are finite */
            out->fixed += ip_pool_threads(session->pool) * (uint64_t)IP_TILE_ROWS *
                          ip_model_plan(session->model)->width * sizeof(float);
        }
    }
    return settle(out, session, tiling, error);
}

ip_status ip_budget_make_labelled(ip_budget *out, const ip_session *session, const ip_tiling *tiling,
                                  uint64_t positions, size_t bins, uint64_t label_bytes, ip_error *error) {
    start(out, session, tiling);
    out->fixed += label_bytes + positions * sizeof(int64_t);
    add_soft(out, session, positions, bins);
    return settle(out, session, tiling, error);
}

/* Tile by tile the states become soft assignments; behind each layer come its estimates, its lens, or its part of a shard. */
#include "core/analyze_internal.h"
#include "core/base/ranks_door.h"
#include "core/forward/loss.h"

/* ---- per tile: counted positions are assigned, the others only looked at ---- */

static ip_status bad_state(const analysis *a, size_t layer, const ip_segment *s, size_t row, int kind,
                           ip_error *error) {
    return ip_fail(error, IP_FAILED, "layer %zu, document %zu, position %zu: the hidden state is %s", layer,
                   a->first_document + s->document, s->position + row,
                   kind == 1 ? "all zero: it has no direction" : "not finite");
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
    size_t document = a->first_document + s->document;
    uint64_t position = a->estimator.position_base[document] + first - (orders - 1);
    return ip_soft_put(&a->estimator.soft, kernels, (size_t)position, p, last - first, error);
}

/* Estimators other than soft come once the layer is done: its states are only checked. */
static ip_status check_segment(analysis *a, size_t layer, unsigned worker, const ip_segment *s, const float *h,
                               ip_error *error) {
    float *work = (float *)(void *)(a->assign + worker * a->assign_bytes);
    size_t width = a->forward.plan->width;
    for (size_t r = 0; r < s->rows; r++)
        if (a->session->kernels->unit(work, h + r * width, width) == 2) return bad_state(a, layer, s, r, 2, error);
    return IP_OK;
}

static ip_status look_at_tile(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                              ip_error *error) {
    analysis *a = context;
    const ip_segment *segments = a->tiling.segments + tile->first_segment;
    ip_status status = IP_OK;
    for (uint32_t i = 0; status == IP_OK && i < tile->segments; i++) {
        status = (a->kind == IP_METHOD_SOFT ? assign_segment : check_segment)(a, layer, worker, &segments[i], h, error);
        h += (size_t)segments[i].rows * a->forward.plan->width;
    }
    return status;
}

/* ---- per layer ---- */

static ip_status lens_sums(analysis *a, size_t layer, ip_lens_sums *sums, ip_error *error) {
    ip_status status = ip_head_run(&a->head, "lens", layer < a->forward.plan->layers, error);
    return status == IP_OK ? ip_lens_collect(&a->head, sums, error) : status;
}

/* What a shard leaves of a layer. */
static ip_status write_layer(analysis *a, size_t layer, ip_error *error) {
    const ip_soft *soft = &a->estimator.soft;
    ip_session_stage(a->session, "state", 0, "");
    ip_status status = ip_shard_write(&a->writer, IP_SECTION_LAYER, (uint32_t)layer, soft->rows,
                                      soft->blocks * soft->positions * IP_LANES * sizeof(float), error);
    if (status != IP_OK || !a->run->has_lens) return status;
    ip_lens_sums sums;
    status = lens_sums(a, layer, &sums, error);
    return status == IP_OK ? ip_shard_write(&a->writer, IP_SECTION_LENS, (uint32_t)layer, &sums, sizeof sums, error)
                           : status;
}

/* The lens of a layer; at the last one it is the loss. */
static ip_status lens_layer(analysis *a, size_t layer, ip_error *error) {
    ip_layer_result *result = &a->run->layer[layer];
    ip_lens_sums sums;
    ip_status status = lens_sums(a, layer, &sums, error);
    if (status != IP_OK) return status;
    ip_ranks_sum_wide(a->session->host->ranks, sums.of, IP_LENS_SUMS);
    ip_lens_means(&sums, &result->lens, &result->lens_entropy);
    return IP_OK;
}

/* Behind the last layer nothing is kept: the loss goes on from what its lens has left. */
static ip_status layer_done(void *context, size_t layer, ip_error *error) {
    analysis *a = context;
    if (a->part.of > 0) return write_layer(a, layer, error);
    ip_status status = ip_estimator_layer(&a->estimator, layer, error);
    if (status == IP_OK && a->run->has_lens) status = lens_layer(a, layer, error);
    if (status == IP_OK && layer < a->forward.plan->layers) ip_resume_keep(&a->resume, a->session, &a->store, layer);
    return status;
}

ip_visitor ip_analysis_visitor(analysis *a) { return (ip_visitor){a, look_at_tile, layer_done}; }

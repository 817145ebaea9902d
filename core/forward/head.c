/* The head: blocks of the vocabulary are packed one after another; for each, every tile is multiplied panel by panel and
 * folded into the running log-sum-exp of its rows, and the logit of each row's target is caught as it comes by. For the
 * lens the states get the final norm first, into a buffer: what is in the store stays what the next layer reads.
 */
#include "core/forward/head.h"

#include <math.h>
#include <string.h>

#include "core/base/memory.h"

static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

static size_t act_bytes_of(const ip_session *session, const ip_weight *head) {
    ip_arith arith = ip_weight_arith(session->compute, head->tensor);
    return up64(ip_act_bytes(session->kernels, arith, IP_TILE_ROWS, head->inputs));
}

/* A worker's part: activations, logits of a panel, and for the lens normed states. */
static size_t logits_bytes(void) { return (IP_TILE_ROWS + IP_TILE_MAX) * IP_VOCABULARY_PANEL * sizeof(float); }

static size_t work_bytes_of(const ip_session *session, const ip_weight *head, bool lens) {
    size_t normed = lens ? up64(IP_TILE_ROWS * head->inputs * sizeof(float)) : 0;
    return act_bytes_of(session, head) + logits_bytes() + normed;
}

static size_t block_rows(const ip_weight *head) {
    return head->outputs < IP_VOCABULARY_BLOCK ? head->outputs : IP_VOCABULARY_BLOCK;
}

uint64_t ip_head_bytes(const ip_session *session, uint64_t tokens, bool lens) {
    const ip_weight *head = &ip_model_plan(session->model)->head_weight;
    return tokens * (sizeof(ip_head_row) + (lens ? sizeof(double) : 0)) +
           ip_weight_bytes(session->kernels, session->compute, head, block_rows(head)) +
           (uint64_t)ip_pool_threads(session->pool) * work_bytes_of(session, head, lens);
}

ip_status ip_head_open(ip_head *out, const ip_layers *layers, int64_t end, bool lens, ip_error *error) {
    const ip_session *session = layers->session;
    const ip_weight *head = &layers->forward->plan->head_weight;
    *out = (ip_head){.layers = layers, .end = end, .tokens = session->corpus.tokens};
    out->act_bytes = act_bytes_of(session, head);
    out->work_bytes = work_bytes_of(session, head, lens);
    out->all_work_bytes = out->work_bytes * ip_pool_threads(session->pool);
    out->packed_bytes = ip_weight_bytes(session->kernels, session->compute, head, block_rows(head));
    out->packed = ip_big_alloc(out->packed_bytes);
    out->work = ip_big_alloc(out->all_work_bytes);
    out->rows = ip_big_alloc((size_t)out->tokens * sizeof *out->rows);
    if (lens) out->weighted = ip_big_alloc((size_t)out->tokens * sizeof *out->weighted);
    if (out->packed && out->work && out->rows && (out->weighted || !lens)) return IP_OK;
    ip_head_close(out);
    return ip_fail(error, IP_FAILED, "out of memory for the head");
}

void ip_head_close(ip_head *head) {
    ip_big_free(head->packed, head->packed_bytes);
    ip_big_free(head->work, head->all_work_bytes);
    ip_big_free(head->rows, (size_t)head->tokens * sizeof *head->rows);
    ip_big_free(head->weighted, (size_t)head->tokens * sizeof *head->weighted);
    memset(head, 0, sizeof *head);
}

/* The id that row `row` of the corpus predicts, or -1: the last row of a document predicts its end, if anything. */
static int64_t target_of(const ip_head *head, const ip_segment *segment, uint32_t i) {
    const ip_corpus *corpus = &head->layers->session->corpus;
    uint64_t next = corpus->offsets[segment->document] + segment->position + i + 1;
    return next < corpus->offsets[segment->document + 1] ? corpus->ids[next] : head->end;
}

static void catch_targets(const ip_head *head, const ip_tile *tile, const float *logits, size_t from, size_t n) {
    const ip_segment *segments = head->layers->tiling->segments + tile->first_segment;
    size_t row = 0;
    for (uint32_t s = 0; s < tile->segments; s++) {
        for (uint32_t i = 0; i < segments[s].rows; i++, row++) {
            int64_t target = target_of(head, &segments[s], i);
            if (target >= (int64_t)from && target < (int64_t)(from + n))
                head->rows[tile->row + row].target = logits[row * IP_VOCABULARY_PANEL + (size_t)target - from];
        }
    }
}

/* Bias, scale and cap of the head, on n logits per row of the tokens from first + at on. */
static void finish_logits(const ip_head *head, size_t rows, size_t at, size_t n, float *logits) {
    const ip_plan *plan = head->layers->forward->plan;
    const ip_kernels *kernels = head->layers->session->kernels;
    const float *bias = plan->head_weight.bias;
    const bool plain = plan->logit_scale == 1.0f && plan->logit_softcap == 0.0f;
    for (size_t r = 0; r < rows; r++) {
        float *row = logits + r * IP_VOCABULARY_PANEL;
        if (bias) kernels->add(row, bias + head->first + at, n);
        if (!plain) kernels->soft_cap(row, n, plan->logit_scale, plan->logit_softcap);
    }
}

static void fold_logits(const ip_head *head, const ip_tile *tile, const float *logits, size_t n) {
    const ip_kernels *kernels = head->layers->session->kernels;
    for (size_t r = 0; r < tile->rows; r++, logits += IP_VOCABULARY_PANEL) {
        ip_lse *lse = &head->rows[tile->row + r].lse;
        if (head->weighted) {
            kernels->lse_entropy(lse, &head->weighted[tile->row + r], logits, n);
        } else {
            kernels->log_sum_exp(lse, logits, n);
        }
    }
}

static ip_status not_finite(const ip_head *head, const ip_tile *tile, size_t row, ip_error *error) {
    uint32_t document, position;
    ip_tile_locate(head->layers->tiling, tile, row, &document, &position);
    return ip_fail(
        error, IP_FAILED,
        "the head's input near document %u, position %u is not finite: the model overflows in this arithmetic "
        "(try --compute f32)",
        document, position);
}

/* The rows of a tile, packed for the head's product. */
static ip_status head_input(const ip_head *head, const ip_tile *tile, unsigned worker, ip_act *act, ip_error *error) {
    const ip_layers *l = head->layers;
    size_t width = l->forward->plan->width, bad = 0;
    char *work = head->work + worker * head->work_bytes;
    float *buffer = l->buffers ? l->buffers + (size_t)worker * IP_TILE_ROWS * width : NULL;
    const float *h = ip_store_take(l->store, tile->row, tile->rows, buffer, false, error);
    if (!h) return error->status;
    if (head->norm) {
        float *normed = (float *)(void *)(work + head->act_bytes + logits_bytes());
        h = ip_forward_final_norm(l->forward, tile->rows, h, normed, &bad);
        if (!h) return not_finite(head, tile, bad, error);
    }
    ip_act_layout(act, work, l->session->kernels, head->matrix.arith, tile->rows, width);
    return ip_act_fill(act, l->session->kernels, h, width) == 0 ? IP_OK : not_finite(head, tile, 0, error);
}

static ip_status head_tile(void *context, size_t task, unsigned worker, ip_error *error) {
    const ip_head *head = context;
    const ip_tile *tile = &head->layers->tiling->tiles[task];
    float *logits = (float *)(void *)(head->work + worker * head->work_bytes + head->act_bytes);
    ip_act act;
    ip_status status = head_input(head, tile, worker, &act, error);
    if (status != IP_OK) return status;
    for (size_t at = 0; at < head->matrix.n; at += IP_VOCABULARY_PANEL) {
        size_t left = head->matrix.n - at, n = left < IP_VOCABULARY_PANEL ? left : IP_VOCABULARY_PANEL;
        ip_gemm(head->layers->session->kernels, logits, IP_VOCABULARY_PANEL, &head->matrix, at / IP_LANES,
                (n + IP_LANES - 1) / IP_LANES, &act);
        finish_logits(head, tile->rows, at, n, logits);
        fold_logits(head, tile, logits, n);
        catch_targets(head, tile, logits, head->first + at, n);
    }
    return ip_session_advance(head->layers->session, tile->rows, error);
}

static void begin_rows(const ip_head *head) {
    for (uint64_t i = 0; i < head->tokens; i++) head->rows[i] = (ip_head_row){{-INFINITY, 0.0}, 0.0f};
    if (head->weighted) memset(head->weighted, 0, (size_t)head->tokens * sizeof *head->weighted);
}

ip_status ip_head_run(ip_head *head, const char *stage, bool norm, ip_error *error) {
    const ip_layers *l = head->layers;
    ip_session *session = l->session;
    const ip_weight *weight = &l->forward->plan->head_weight;
    size_t block = block_rows(weight), blocks = (weight->outputs + block - 1) / block;
    const bool alone = session->steps == 0; /* not between two layers, which are then the steps that are told */
    head->norm = norm;
    begin_rows(head);
    if (alone) {
        session->step_name = "block";
        session->steps = (unsigned)blocks - 1;
    }
    ip_status status = IP_OK;
    for (size_t first = 0; status == IP_OK && first < weight->outputs; first += block) {
        size_t left = weight->outputs - first;
        if (alone) session->step = (unsigned)(first / block);
        ip_session_stage(session, stage, head->tokens, "tokens");
        head->first = first;
        ip_pack pack = {weight, first, left < block ? left : block, head->packed, &head->matrix};
        ip_pack_job packing;
        ip_pack_begin(&packing, &pack, 1, first > 0 || head->checked, session->model, session->kernels,
                      session->compute);
        status = ip_pack_run(&packing, session->pool, error);
        if (status == IP_OK) status = ip_pool_run(session->pool, l->tiling->tile_count, head_tile, head, error);
    }
    head->checked = true;
    ip_session_end(session);
    if (alone) session->step = session->steps = 0;
    return status;
}

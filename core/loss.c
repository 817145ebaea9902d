/* The head: blocks of the vocabulary are packed one after another; for each, every tile is multiplied panel by panel and
 * folded into the running log-sum-exp of its rows, and the logit of each row's target is caught as it comes by.
 * Sums over tokens are fixed-point (units of 2^-32 nats), so nothing depends on the order of documents or threads.
 */
#include "core/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/memory.h"
#include "core/wide.h"

typedef struct row_state {
    ip_lse lse;
    float target; /* logit of the token that follows */
} row_state;

typedef struct loss_job {
    const ip_layers *layers;
    int64_t end;
    ip_matrix head; /* of the block at hand */
    size_t first;   /* its first token */
    row_state *rows;
    char *work; /* per worker: activations, logits of a panel */
    size_t work_bytes, act_bytes;
} loss_job;

static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

static size_t act_bytes_of(const ip_session *session, const ip_weight *head) {
    ip_arith arith = ip_weight_arith(session->compute, head->tensor);
    return up64(ip_act_bytes(session->kernels, arith, IP_TILE_ROWS, head->inputs));
}

static size_t work_bytes_of(const ip_session *session, const ip_weight *head) {
    return act_bytes_of(session, head) + (IP_TILE_ROWS + IP_TILE_MAX) * IP_VOCABULARY_PANEL * sizeof(float);
}

static size_t block_rows(const ip_weight *head) {
    return head->outputs < IP_VOCABULARY_BLOCK ? head->outputs : IP_VOCABULARY_BLOCK;
}

uint64_t ip_loss_bytes(const ip_session *session, uint64_t tokens) {
    const ip_weight *head = &ip_model_plan(session->model)->head_weight;
    return tokens * (sizeof(row_state) + sizeof(float)) +
           ip_weight_bytes(session->kernels, session->compute, head, block_rows(head)) +
           (uint64_t)ip_pool_threads(session->pool) * work_bytes_of(session, head);
}

/* The id that row `row` of the corpus predicts, or -1: the last row of a document predicts its end, if anything. */
static int64_t target_of(const loss_job *job, const ip_segment *segment, uint32_t i) {
    const ip_corpus *corpus = &job->layers->session->corpus;
    uint64_t next = corpus->offsets[segment->document] + segment->position + i + 1;
    return next < corpus->offsets[segment->document + 1] ? corpus->ids[next] : job->end;
}

static void catch_targets(const loss_job *job, const ip_tile *tile, const float *logits, size_t stride, size_t from,
                          size_t n) {
    const ip_segment *segments = job->layers->tiling->segments + tile->first_segment;
    size_t row = 0;
    for (uint32_t s = 0; s < tile->segments; s++) {
        for (uint32_t i = 0; i < segments[s].rows; i++, row++) {
            int64_t target = target_of(job, &segments[s], i);
            if (target >= (int64_t)from && target < (int64_t)(from + n))
                job->rows[tile->row + row].target = logits[row * stride + (size_t)(target - (int64_t)from)];
        }
    }
}

/* Bias, scale and cap of the head, on n logits per row of the tokens from first + at on. */
static void finish_logits(const loss_job *job, size_t rows, size_t at, size_t n, float *logits) {
    const ip_plan *plan = job->layers->forward->plan;
    const ip_kernels *kernels = job->layers->session->kernels;
    const float *bias = plan->head_weight.bias;
    const bool plain = plan->logit_scale == 1.0f && plan->logit_softcap == 0.0f;
    for (size_t r = 0; r < rows; r++) {
        float *row = logits + r * IP_VOCABULARY_PANEL;
        if (bias) kernels->add(row, bias + job->first + at, n);
        if (!plain) kernels->soft_cap(row, n, plan->logit_scale, plan->logit_softcap);
    }
}

static ip_status loss_tile(void *context, size_t task, unsigned worker, ip_error *error) {
    loss_job *job = context;
    const ip_layers *l = job->layers;
    const ip_kernels *kernels = l->session->kernels;
    const ip_tile *tile = &l->tiling->tiles[task];
    size_t width = l->forward->plan->width;
    float *buffer = l->buffers ? l->buffers + (size_t)worker * IP_TILE_ROWS * width : NULL;
    const float *h = ip_store_take(l->store, tile->row, tile->rows, buffer, false, error);
    if (!h) return error->status;
    char *work = job->work + worker * job->work_bytes;
    float *logits = (float *)(void *)(work + job->act_bytes);
    ip_act act;
    ip_act_layout(&act, work, kernels, job->head.arith, tile->rows, width);
    ip_act_fill(&act, kernels, h, width); /* finite: every layer's states were checked */
    for (size_t at = 0; at < job->head.n; at += IP_VOCABULARY_PANEL) {
        size_t left = job->head.n - at, n = left < IP_VOCABULARY_PANEL ? left : IP_VOCABULARY_PANEL;
        ip_gemm(kernels, logits, IP_VOCABULARY_PANEL, &job->head, at / IP_LANES, (n + IP_LANES - 1) / IP_LANES, &act);
        finish_logits(job, tile->rows, at, n, logits);
        for (size_t r = 0; r < tile->rows; r++)
            kernels->log_sum_exp(&job->rows[tile->row + r].lse, logits + r * IP_VOCABULARY_PANEL, n);
        catch_targets(job, tile, logits, IP_VOCABULARY_PANEL, job->first + at, n);
    }
    return ip_session_advance(l->session, tile->rows, error);
}

static ip_status run_blocks(loss_job *job, void *memory, ip_error *error) {
    const ip_layers *l = job->layers;
    ip_session *session = l->session;
    const ip_weight *head = &l->forward->plan->head_weight;
    size_t block = block_rows(head), blocks = (head->outputs + block - 1) / block;
    session->step_name = "block";
    session->steps = (unsigned)blocks - 1;
    ip_status status = IP_OK;
    for (size_t first = 0; status == IP_OK && first < head->outputs; first += block) {
        size_t left = head->outputs - first;
        session->step = (unsigned)(first / block);
        ip_session_stage(session, "loss", session->corpus.tokens, "tokens");
        job->first = first;
        ip_pack pack = {head, first, left < block ? left : block, memory, &job->head};
        ip_pack_job packing;
        ip_pack_begin(&packing, &pack, 1, first > 0, session->model, session->kernels, session->compute);
        status = ip_pack_run(&packing, session->pool, error);
        if (status == IP_OK) status = ip_pool_run(session->pool, l->tiling->tile_count, loss_tile, job, error);
    }
    ip_session_end(session);
    session->step = session->steps = 0;
    return status;
}

/* -log p of one row, in nats; fixed-point for the sums. */
static double row_loss(const row_state *row) {
    return (double)row->lse.max + ip_log(row->lse.sum) - (double)row->target;
}

static void add_fixed(ip_wide *plus, ip_wide *minus, double x) {
    int64_t fixed = (int64_t)nearbyint(x * 0x1p32);
    /* A loss below zero is rounding only, but must not wrap. */
    if (fixed >= 0) {
        ip_wide_add_product(plus, 1, (uint64_t)fixed);
    } else {
        ip_wide_add_product(minus, 1, (uint64_t)-fixed);
    }
}

static ip_loss_result mean_of(ip_wide plus, ip_wide minus, uint64_t tokens) {
    double total = (ip_wide_double(plus) - ip_wide_double(minus)) * 0x1p-32;
    return (ip_loss_result){tokens > 0 ? total / (double)tokens : 0.0, tokens};
}

static ip_status collect(const loss_job *job, float **token_loss, ip_loss_result *loss, ip_loss_result *with_end,
                         ip_error *error) {
    const ip_corpus *corpus = &job->layers->session->corpus;
    *token_loss = malloc((corpus->tokens + 1) * sizeof **token_loss);
    if (!*token_loss) return ip_fail(error, IP_FAILED, "out of memory for the losses");
    ip_wide plus = {0, 0}, minus = {0, 0}, end_plus = {0, 0}, end_minus = {0, 0};
    uint64_t tokens = 0, ends = 0;
    for (size_t d = 0; d < corpus->documents; d++) {
        uint64_t begin = corpus->offsets[d], end = corpus->offsets[d + 1];
        for (uint64_t i = begin; i < end; i++) {
            if (i + 1 == end && job->end < 0) break;
            double x = row_loss(&job->rows[i]);
            if (!isfinite(x))
                return ip_fail(error, IP_FAILED, "the loss of document %zu, token %llu is not finite", d,
                               (unsigned long long)(i - begin + 1));
            if (i + 1 < end) {
                (*token_loss)[tokens++] = (float)x;
                add_fixed(&plus, &minus, x);
            } else {
                ends++;
                add_fixed(&end_plus, &end_minus, x);
            }
        }
    }
    *loss = mean_of(plus, minus, tokens);
    ip_wide_add(&end_plus, plus);
    ip_wide_add(&end_minus, minus);
    *with_end = mean_of(end_plus, end_minus, tokens + ends);
    return IP_OK;
}

ip_status ip_loss_run(const ip_layers *layers, int64_t end, float **token_loss, ip_loss_result *loss,
                      ip_loss_result *with_end, ip_error *error) {
    ip_session *session = layers->session;
    const ip_weight *head = &layers->forward->plan->head_weight;
    unsigned threads = ip_pool_threads(session->pool);
    uint64_t tokens = session->corpus.tokens;
    loss_job job = {.layers = layers, .end = end};
    job.act_bytes = act_bytes_of(session, head);
    job.work_bytes = work_bytes_of(session, head);
    size_t head_bytes = ip_weight_bytes(session->kernels, session->compute, head, block_rows(head));
    size_t row_bytes = (size_t)tokens * sizeof *job.rows;
    void *memory = ip_big_alloc(head_bytes);
    job.work = ip_big_alloc(job.work_bytes * threads);
    job.rows = ip_big_alloc(row_bytes);
    ip_status status = IP_OK;
    if (!memory || !job.work || !job.rows) {
        status = ip_fail(error, IP_FAILED, "out of memory for the loss");
    } else {
        for (uint64_t i = 0; i < tokens; i++) job.rows[i].lse.max = -INFINITY;
        status = run_blocks(&job, memory, error);
    }
    if (status == IP_OK) status = collect(&job, token_loss, loss, with_end, error);
    ip_big_free(memory, head_bytes);
    ip_big_free(job.work, job.work_bytes * threads);
    ip_big_free(job.rows, row_bytes);
    return status;
}

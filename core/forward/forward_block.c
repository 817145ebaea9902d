/* One tile through one block: attention, and the order of the branches.
 *
 * Buffers of a worker, R = IP_TILE_ROWS rows and 16 more that whole groups of rows may write:
 *
 *   norm      [R][width]          normalised input of a branch, then what the branch adds to the residual stream
 *   q         [R][heads * head]   k, v [R][kv heads * head]   (widths rounded up to 16)
 *   mixed     [R][heads * head]   what attention gives
 *   part[2]   [R][PART]           some outputs of gate and up, which are activated and packed for the next product
 *   branch    [R][width]          parallel blocks: what attention adds
 *   logits    [R][experts]        of the router; gathered, given [R][width]: what an expert reads and gives; sum of it
 *   side[2]   [R][side]           per-layer inputs
 *   act[2]                        packed inputs of the products at hand; two, for matrices of different arithmetics
 *   hidden                        packed activations inside the MLP
 *
 * and its cache of keys and values: the document at hand, all tiles. None of the buffers is as wide as the feed-forward
 * layer but the packed one: what a product leaves is used while the private cache still has it.
 */
#include <math.h>
#include <string.h>

#include "core/forward/forward_internal.h"

/* ---- steps that both branches take ---- */

ip_status ip_tile_not_finite(const ip_tile_work *w, size_t row) {
    *w->bad_row = row;
    return ip_fail(w->error, IP_FAILED, "a value is not finite");
}

ip_status ip_tile_normalise(const ip_tile_work *w, const ip_norm *norm, size_t count, float *y, size_t y_stride,
                            const float *x, size_t x_stride) {
    const ip_kernels *kernels = w->f->kernels;
    const float eps = w->f->plan->norm_eps;
    const size_t n = norm->n;
    if (norm->kind == IP_NORM_NONE) return IP_OK;
    for (size_t r = 0; r < w->rows; r++) {
        for (size_t i = 0; i < count; i++) {
            const size_t at = i % norm->rows * n;
            const float *from = x + r * x_stride + i * n;
            float *to = y + r * y_stride + i * n;
            int bad = norm->kind == IP_NORM_RMS
                          ? kernels->rms_norm(to, from, norm->gain + at, n, eps)
                          : kernels->layer_norm(to, from, norm->gain + at, norm->bias ? norm->bias + at : NULL, n, eps);
            if (bad != 0) return ip_tile_not_finite(w, r);
        }
    }
    return IP_OK;
}

ip_status ip_tile_pack(const ip_tile_work *w, ip_act *act, void *memory, const ip_matrix *m, const float *x,
                       size_t inputs) {
    ip_act_layout(act, memory, w->f->kernels, m->arith, w->rows, inputs);
    return ip_act_fill(act, w->f->kernels, x, inputs) == 0 ? IP_OK : ip_tile_not_finite(w, 0);
}

ip_status ip_tile_pack_all(const ip_tile_work *w, ip_act *acts, const ip_matrix *const *matrices, size_t count,
                           const float *x, size_t inputs) {
    size_t packed = 0;
    for (size_t j = 0; j < count; j++) {
        size_t same = 0;
        while (same < j && matrices[same]->arith != matrices[j]->arith) same++;
        if (same < j) {
            acts[j] = acts[same];
            continue;
        }
        ip_status status = ip_tile_pack(w, &acts[j], w->bench->act[packed++], matrices[j], x, inputs);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

void ip_tile_multiply(const ip_tile_work *w, float *y, size_t stride, const ip_matrix *m, const ip_weight *weight,
                      size_t panel, size_t panels, const ip_act *act) {
    const ip_kernels *kernels = w->f->kernels;
    ip_gemm(kernels, y, stride, m, panel, panels, act);
    if (!weight->bias) return;
    size_t first = panel * IP_LANES, left = m->n - first, n = left < panels * IP_LANES ? left : panels * IP_LANES;
    for (size_t r = 0; r < w->rows; r++) kernels->add(y + r * stride, weight->bias + first, n);
}

void ip_tile_product(const ip_tile_work *w, float *y, const ip_matrix *m, const ip_weight *weight, const ip_act *act) {
    const size_t stride = ip_up16(m->n);
    ip_tile_multiply(w, y, stride, m, weight, 0, stride / IP_LANES, act);
}

ip_status ip_tile_add(const ip_tile_work *w, const ip_norm *norm, float scale, float *branch, float *h) {
    const size_t width = w->f->plan->width, stride = ip_up16(width);
    ip_status status = ip_tile_normalise(w, norm, 1, branch, stride, branch, stride);
    if (status != IP_OK) return status;
    for (size_t r = 0; r < w->rows; r++) {
        float *row = branch + r * stride;
        for (size_t i = 0; scale != 1.0f && i < width; i++) row[i] *= scale;
        w->f->kernels->add(h + r * width, row, width);
    }
    return IP_OK;
}

/* The input of a branch: h through its norm into the bench, or h itself. */
static ip_status branch_input(const ip_tile_work *w, const ip_norm *norm, const float *h, const float **x) {
    const size_t width = w->f->plan->width;
    *x = norm->kind == IP_NORM_NONE ? h : w->bench->norm;
    return ip_tile_normalise(w, norm, 1, w->bench->norm, width, h, width);
}

/* ---- attention ---- */

/* Keys and values of one segment, which begin at row `row` of the tile, into the document's cache. */
static void keep(const ip_tile_work *w, const ip_segment *segment, size_t row) {
    const ip_block *b = w->block;
    size_t head = b->head, kv_width = b->kv_heads * head, stride = ip_up16(kv_width);
    for (size_t r = 0; r < segment->rows; r++)
        memcpy(w->cache->values + (segment->position + r) * kv_width, w->bench->v + (row + r) * stride,
               kv_width * sizeof(float));
    for (size_t g = 0; g < b->kv_heads; g++)
        w->f->kernels->pack_keys(w->cache->keys + g * w->cache->room * head, w->bench->k + row * stride + g * head,
                                 stride, segment->position, segment->rows, head);
}

static void keep_all(const ip_tile_work *w) {
    for (size_t s = 0, row = 0; s < w->segment_count; row += w->segments[s++].rows) keep(w, &w->segments[s], row);
}

/* Attention of every head over the rows of one segment. */
static void attend(const ip_tile_work *w, const ip_segment *segment, size_t row) {
    const ip_block *b = w->block;
    size_t head = b->head, q_stride = ip_up16(b->heads * head), sharing = b->heads / b->kv_heads;
    for (size_t i = 0; i < b->heads; i++) {
        ip_attention job = {
            .out = w->bench->mixed + row * b->heads * head + i * head,
            .q = w->bench->q + row * q_stride + i * head,
            .kt = w->cache->keys + i / sharing * w->cache->room * head,
            .v = w->cache->values + i / sharing * head,
            .out_stride = b->heads * head,
            .q_stride = q_stride,
            .v_stride = b->kv_heads * head,
            .position = segment->position,
            .rows = segment->rows,
            .head = head,
            .scale = b->attention_scale,
            .softcap = b->softcap,
            .window = b->window,
            .key_bias = b->slopes ? w->f->key_bias + i * w->f->longest : NULL,
            .sink = b->sinks ? &b->sinks[i] : NULL,
            .bf16 = w->f->compute.name == IP_COMPUTE_BF16,
        };
        w->f->kernels->attention(&job);
    }
}

/* Queries, keys or values after their product. */
typedef struct heads_kind {
    float *x;
    size_t heads;
    const ip_norm *norm;
    bool rotated;
} heads_kind;

static void clip(const ip_tile_work *w, float *x, size_t width) {
    const float c = w->block->clip;
    for (size_t i = 0; i < w->rows * ip_up16(width); i++) x[i] = x[i] < -c ? -c : x[i] > c ? c : x[i];
}

static ip_status finish_heads(const ip_tile_work *w, const heads_kind *kind) {
    const ip_block *b = w->block;
    const size_t width = kind->heads * b->head, stride = ip_up16(width);
    const size_t count = kind->norm->kind == IP_NORM_NONE ? 0 : width / kind->norm->n;
    const bool late = kind->rotated && b->norm_rotated;
    ip_status status = IP_OK;
    if (!late) status = ip_tile_normalise(w, kind->norm, count, kind->x, stride, kind->x, stride);
    if (status != IP_OK) return status;
    if (b->clip > 0) clip(w, kind->x, width);
    if (kind->rotated && b->rope != IP_NO_ROPE) ip_turns_rotate(w, kind->x, kind->heads);
    if (late) status = ip_tile_normalise(w, kind->norm, count, kind->x, stride, kind->x, stride);
    if (status == IP_OK && w->f->compute.name == IP_COMPUTE_BF16) w->f->kernels->round_bf16(kind->x, w->rows * stride);
    return status;
}

/* Keys and values that later blocks read: [token][k, v], moved between the bench and the shared rows. */
static void move_shared(const ip_tile_work *w, size_t from, bool save) {
    const size_t width = w->block->kv_heads * w->block->head, stride = ip_up16(width);
    float *rows = w->f->shared[from] + (size_t)w->tile->row * 2 * width;
    float *const parts[2] = {w->bench->k, w->bench->v};
    for (size_t r = 0; r < w->rows; r++) {
        for (size_t m = 0; m < 2; m++) {
            float *shared = rows + (2 * r + m) * width, *bench = parts[m] + r * stride;
            memcpy(save ? shared : bench, save ? bench : shared, width * sizeof(float));
        }
    }
}

/* Queries, or keys and values, or all of them (in which case the input is packed once for all three), normed, rotated and
 * in the precision of the arithmetic. */
static ip_status project(const ip_tile_work *w, const float *h, bool queries, bool keys) {
    const ip_block *b = w->block;
    ip_bench *bench = w->bench;
    const ip_layer *layer = w->layer;
    const bool own = b->kv_from == w->index;
    const float *x;
    ip_status status = branch_input(w, &b->attention_norm, h, &x);
    if (status != IP_OK) return status;
    const ip_matrix *const matrices[] = {&layer->q, &layer->k, &layer->v};
    const ip_weight *const weights[] = {&b->q, &b->k, &b->v};
    const heads_kind kinds[] = {{bench->q, b->heads, &b->q_norm, true},
                                {bench->k, b->kv_heads, &b->k_norm, true},
                                {bench->v, b->kv_heads, &b->v_norm, false}};
    const size_t first = queries ? 0 : 1, count = (queries ? 1 : 0) + (keys && own ? 2 : 0);
    ip_act acts[3];
    status = ip_tile_pack_all(w, acts, matrices + first, count, x, w->f->plan->width);
    for (size_t j = 0; status == IP_OK && j < count; j++) {
        ip_tile_product(w, kinds[first + j].x, matrices[first + j], weights[first + j], &acts[j]);
        status = finish_heads(w, &kinds[first + j]);
    }
    if (status != IP_OK) return status;
    if (queries && w->f->temperature) ip_turns_warm(w, bench->q);
    if (keys && !own) move_shared(w, b->kv_from, false);
    if (keys && own && w->f->shared[w->index]) move_shared(w, w->index, true);
    return IP_OK;
}

/* A of h to out, rows up16(width) apart. */
static ip_status attention_branch(const ip_tile_work *w, ip_tile_part part, const float *h, float *out) {
    ip_status status = project(w, h, true, part == IP_TILE_WHOLE);
    if (status != IP_OK) return status;
    for (size_t s = 0, row = 0; s < w->segment_count; row += w->segments[s++].rows) {
        if (part == IP_TILE_WHOLE) keep(w, &w->segments[s], row);
        attend(w, &w->segments[s], row);
    }
    ip_act act;
    status = ip_tile_pack(w, &act, w->bench->act[0], &w->layer->o, w->bench->mixed, w->block->o.inputs);
    if (status == IP_OK) ip_tile_product(w, out, &w->layer->o, &w->block->o, &act);
    return status;
}

/* ---- the block ---- */

static ip_tile_work begin(const ip_forward *f, unsigned worker, size_t block, const ip_tiling *tiling,
                          const ip_tile *tile, size_t *bad_row, ip_error *error) {
    return (ip_tile_work){
        .f = f,
        .bench = &f->benches[worker],
        .cache = &f->caches[worker],
        .tiling = tiling,
        .tile = tile,
        .index = block,
        .block = &f->plan->blocks[block],
        .layer = &f->layers[block % 2],
        .segments = tiling->segments + tile->first_segment,
        .segment_count = tile->segments,
        .rows = tile->rows,
        .bad_row = bad_row,
        .error = error,
    };
}

ip_status ip_forward_keys(const ip_forward *f, unsigned worker, size_t block, const ip_tiling *tiling,
                          const ip_tile *tile, const float *h, size_t *bad_row, ip_error *error) {
    ip_tile_work w = begin(f, worker, block, tiling, tile, bad_row, error);
    ip_cache shared = f->long_cache; /* threads write different positions */
    w.cache = &shared;
    ip_status status = project(&w, h, false, true);
    if (status == IP_OK) keep_all(&w);
    return status;
}

/* Attention, then the MLP: of h as attention left it, or, in parallel, both of the same h. */
static ip_status run_branches(const ip_tile_work *w, ip_tile_part part, float *h) {
    const ip_block *b = w->block;
    float *out = b->parallel ? w->bench->branch : w->bench->norm;
    const float *x;
    ip_status status = attention_branch(w, part, h, out);
    if (status == IP_OK && !b->parallel) status = ip_tile_add(w, &b->attention_out_norm, b->branch_scale, out, h);
    if (status == IP_OK) status = branch_input(w, &b->mlp_norm, h, &x);
    if (status == IP_OK) status = ip_tile_mlp(w, x, w->bench->norm);
    if (status == IP_OK && b->parallel) status = ip_tile_add(w, &b->attention_out_norm, b->branch_scale, out, h);
    return status == IP_OK ? ip_tile_add(w, &b->mlp_out_norm, b->branch_scale, w->bench->norm, h) : status;
}

ip_status ip_forward_tile(const ip_forward *f, unsigned worker, size_t block, ip_tile_part part,
                          const ip_tiling *tiling, const ip_tile *tile, float *h, bool final_norm, size_t *bad_row,
                          ip_error *error) {
    ip_tile_work w = begin(f, worker, block, tiling, tile, bad_row, error);
    ip_cache shared = f->long_cache;
    const size_t width = f->plan->width;
    if (part == IP_TILE_REST) w.cache = &shared;
    ip_status status = run_branches(&w, part, h);
    if (status == IP_OK && w.block->side.width > 0) status = ip_tile_side(&w, h);
    if (status != IP_OK) return status;
    if (w.block->output_scale != 1.0f)
        for (size_t i = 0; i < w.rows * width; i++) h[i] *= w.block->output_scale;
    return final_norm ? ip_tile_normalise(&w, &f->plan->final_norm, 1, h, width, h, width) : IP_OK;
}

const float *ip_forward_final_norm(const ip_forward *f, size_t rows, const float *h, float *buffer, size_t *bad_row) {
    const size_t width = f->plan->width;
    ip_error error = {0};
    ip_tile_work w = {.f = f, .rows = rows, .bad_row = bad_row, .error = &error};
    if (f->plan->final_norm.kind == IP_NORM_NONE) return h;
    return ip_tile_normalise(&w, &f->plan->final_norm, 1, buffer, width, h, width) == IP_OK ? buffer : NULL;
}

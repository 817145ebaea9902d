/* Embedding and decoder blocks over tiles.
 *
 * Buffers of a worker, R = IP_TILE_ROWS rows and 16 more that whole groups of rows may write:
 *
 *   norm     [R][width]          normalised input of a branch, then what the branch adds to the residual stream
 *   q        [R][heads * head]   k, v [R][kv heads * head]   (widths rounded up to 16)
 *   mixed    [R][heads * head]   what attention gives
 *   part[2]  [R][PART]           some outputs of gate and up: silu(gate) * up is made and packed for the next product
 *   act[2]                       packed inputs of the products at hand; two, for matrices of different arithmetics
 *   hidden                       packed activations inside the MLP
 *
 * and its cache of keys and values: the document at hand, all tiles. None of the buffers is as wide as the feed-forward
 * layer but the packed one: what a product leaves is used while the private cache still has it.
 */
#include "core/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/memory.h"

/* Outputs of a product that are finished together: as many panels as a product takes at once. */
enum { PART_PANELS = 8, PART = PART_PANELS * IP_LANES };

static size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }
static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

/* ---- sizes ---- */

typedef struct widths {
    size_t q, kv, ff;
} widths;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* The widest of every kind over the blocks (heads and feed-forward may differ from block to block). */
static widths widest(const ip_plan *plan) {
    widths w = {0, 0, 0};
    for (size_t i = 0; i < plan->layers; i++) {
        const ip_block *b = &plan->blocks[i];
        w.q = larger(w.q, b->q.outputs);
        w.kv = larger(w.kv, b->k.outputs);
        w.ff = larger(w.ff, b->gate.outputs);
    }
    return w;
}

static size_t act_room(const ip_kernels *kernels, size_t rows, size_t inputs) {
    size_t most = 0;
    for (int a = 0; a < IP_ARITHS; a++) most = larger(most, ip_act_bytes(kernels, (ip_arith)a, rows, inputs));
    return up64(most);
}

/* Lays a cache for documents of n tokens over memory (NULL: only measures). Returns the bytes it takes. */
static size_t lay_cache(ip_cache *cache, char *memory, const ip_plan *plan, size_t n) {
    cache->room = (n + IP_KEY_BLOCK - 1) / IP_KEY_BLOCK * IP_KEY_BLOCK;
    size_t bytes = up64(cache->room * widest(plan).kv * sizeof(float));
    if (memory) {
        cache->keys = (float *)(void *)memory;
        cache->values = (float *)(void *)(memory + bytes);
    }
    return 2 * bytes;
}

/* Lays a worker's buffers over memory (NULL: only measures). Returns the bytes they take. */
static size_t lay_bench(ip_bench *bench, ip_cache *cache, char *memory, const ip_plan *plan, const ip_kernels *kernels,
                        size_t longest) {
    widths w = widest(plan);
    size_t rows = IP_TILE_ROWS + IP_TILE_MAX, at = 0;
    struct {
        float **pointer;
        size_t floats;
    } parts[] = {
        {&bench->norm, rows * up16(plan->width)}, {&bench->q, rows * up16(w.q)}, {&bench->k, rows * up16(w.kv)},
        {&bench->v, rows * up16(w.kv)},           {&bench->mixed, rows * w.q},   {&bench->part[0], rows * PART},
        {&bench->part[1], rows * PART},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (memory) *parts[i].pointer = (float *)(void *)(memory + at);
        at += up64(parts[i].floats * sizeof(float));
    }
    at += lay_cache(cache, memory ? memory + at : NULL, plan, longest);
    const size_t inputs = larger(plan->width, w.q);
    struct {
        void **pointer;
        size_t inputs;
    } acts[] = {{&bench->act[0], inputs}, {&bench->act[1], inputs}, {&bench->hidden, w.ff}};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (memory) *acts[i].pointer = memory + at;
        at += act_room(kernels, IP_TILE_ROWS, acts[i].inputs);
    }
    return at;
}

/* The matrices of a block in the order in which they are packed. */
static void list_matrices(const ip_block *b, ip_layer *layer, const ip_weight *weights[IP_BLOCK_MATRICES],
                          ip_matrix *matrices[IP_BLOCK_MATRICES]) {
    const ip_weight *w[IP_BLOCK_MATRICES] = {&b->q, &b->k, &b->v, &b->o, &b->gate, &b->up, &b->down};
    ip_matrix *m[IP_BLOCK_MATRICES] = {&layer->q,    &layer->k,  &layer->v,   &layer->o,
                                       &layer->gate, &layer->up, &layer->down};
    memcpy(weights, w, sizeof w);
    memcpy(matrices, m, sizeof m);
}

static size_t layer_room(const ip_plan *plan, const ip_kernels *kernels, ip_compute compute) {
    size_t most = 0;
    for (size_t i = 0; i < plan->layers; i++) {
        ip_layer unused;
        const ip_weight *weights[IP_BLOCK_MATRICES];
        ip_matrix *matrices[IP_BLOCK_MATRICES];
        size_t bytes = 0;
        list_matrices(&plan->blocks[i], &unused, weights, matrices);
        for (int j = 0; j < IP_BLOCK_MATRICES; j++)
            bytes += up64(ip_weight_bytes(kernels, compute, weights[j], weights[j]->outputs));
        most = larger(most, bytes);
    }
    return most;
}

static size_t rope_room(const ip_plan *plan, size_t longest) { return up16(longest * (plan->rotary / 2)); }

/* A long document's cache is one for all threads. */
static size_t long_room(const ip_tiling *tiling) { return tiling->long_count > 0 ? tiling->longest : 0; }

uint64_t ip_forward_layer_bytes(const ip_model *model, const ip_kernels *kernels, ip_compute compute) {
    return layer_room(ip_model_plan(model), kernels, compute);
}

uint64_t ip_forward_bytes(const ip_model *model, const ip_kernels *kernels, ip_compute compute, const ip_tiling *tiling,
                          unsigned threads) {
    const ip_plan *plan = ip_model_plan(model);
    ip_bench bench;
    ip_cache cache;
    return layer_room(plan, kernels, compute) +
           (uint64_t)threads * lay_bench(&bench, &cache, NULL, plan, kernels, tiling->longest_short) +
           lay_cache(&cache, NULL, plan, long_room(tiling)) + 2 * rope_room(plan, tiling->longest) * sizeof(float);
}

/* ---- opening ---- */

enum { ROPE_ROWS = 256 };

/* cos and sin of ROPE_ROWS positions: angles as Hugging Face forms them, float position times float frequency. */
static ip_status rope_rows(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    ip_forward *f = context;
    size_t half = f->plan->rotary / 2;
    for (size_t p = task * ROPE_ROWS; p < f->longest && p < (task + 1) * ROPE_ROWS; p++) {
        for (size_t j = 0; j < half; j++) {
            float angle = (float)p * f->plan->inverse_frequency[j];
            f->cosine[p * half + j] = (float)ip_cos(angle) * f->plan->rotary_magnitude;
            f->sine[p * half + j] = (float)ip_sin(angle) * f->plan->rotary_magnitude;
        }
    }
    return IP_OK;
}

ip_status ip_forward_open(ip_forward *f, const ip_model *model, const ip_kernels *kernels, ip_compute compute,
                          const ip_tiling *tiling, bool ahead, ip_pool *pool, ip_error *error) {
    memset(f, 0, sizeof *f);
    f->ahead = ahead;
    f->model = model;
    f->plan = ip_model_plan(model);
    f->kernels = kernels;
    f->compute = compute;
    f->longest = tiling->longest;
    f->threads = ip_pool_threads(pool);
    f->layer_bytes = layer_room(f->plan, kernels, compute);
    ip_bench bench;
    ip_cache cache;
    f->bench_bytes = lay_bench(&bench, &cache, NULL, f->plan, kernels, tiling->longest_short);
    f->long_bytes = lay_cache(&f->long_cache, NULL, f->plan, long_room(tiling));
    f->layer_memory[0] = ip_big_alloc(f->layer_bytes);
    f->layer_memory[1] = ahead ? ip_big_alloc(f->layer_bytes) : f->layer_memory[0];
    f->bench_memory = ip_big_alloc(f->bench_bytes * f->threads);
    f->long_memory = ip_big_alloc(f->long_bytes);
    f->benches = calloc(f->threads, sizeof *f->benches);
    f->caches = calloc(f->threads, sizeof *f->caches);
    size_t rope = rope_room(f->plan, f->longest);
    f->cosine = ip_big_alloc(rope * sizeof(float));
    f->sine = ip_big_alloc(rope * sizeof(float));
    if (!f->layer_memory[0] || !f->layer_memory[1] || !f->bench_memory || !f->long_memory || !f->benches ||
        !f->caches || !f->cosine || !f->sine) {
        ip_forward_close(f);
        return ip_fail(error, IP_FAILED, "out of memory for the forward pass (see --plan for what it needs)");
    }
    for (unsigned t = 0; t < f->threads; t++)
        lay_bench(&f->benches[t], &f->caches[t], (char *)f->bench_memory + t * f->bench_bytes, f->plan, kernels,
                  tiling->longest_short);
    lay_cache(&f->long_cache, f->long_memory, f->plan, long_room(tiling));
    return ip_pool_run(pool, (f->longest + ROPE_ROWS - 1) / ROPE_ROWS, rope_rows, f, error);
}

void ip_forward_close(ip_forward *f) {
    size_t rope = f->plan ? rope_room(f->plan, f->longest) * sizeof(float) : 0;
    ip_big_free(f->layer_memory[0], f->layer_bytes);
    if (f->ahead) ip_big_free(f->layer_memory[1], f->layer_bytes);
    ip_big_free(f->bench_memory, f->bench_bytes * f->threads);
    ip_big_free(f->long_memory, f->long_bytes);
    ip_big_free(f->cosine, rope);
    ip_big_free(f->sine, rope);
    free(f->benches);
    free(f->caches);
    memset(f, 0, sizeof *f);
}

void ip_forward_prepare(ip_forward *f, size_t block) {
    const ip_weight *weights[IP_BLOCK_MATRICES];
    ip_matrix *matrices[IP_BLOCK_MATRICES];
    list_matrices(&f->plan->blocks[block], &f->layers[block % 2], weights, matrices);
    char *memory = f->layer_memory[block % 2];
    for (int j = 0; j < IP_BLOCK_MATRICES; j++) {
        f->packs[j] = (ip_pack){weights[j], 0, weights[j]->outputs, memory, matrices[j]};
        memory += up64(ip_weight_bytes(f->kernels, f->compute, weights[j], weights[j]->outputs));
    }
    ip_pack_begin(&f->packing, f->packs, IP_BLOCK_MATRICES, false, f->model, f->kernels, f->compute);
    if (block + 1 < f->plan->layers) {
        ip_layer unused;
        list_matrices(&f->plan->blocks[block + 1], &unused, weights, matrices);
        ip_pack_read_ahead(weights, IP_BLOCK_MATRICES);
    }
}

ip_status ip_forward_embed(const ip_forward *f, const int32_t *ids, size_t rows, float *h, ip_error *error) {
    const ip_tensor *e = f->plan->embedding;
    for (size_t r = 0; r < rows; r++) {
        float *to = h + r * f->plan->width;
        if (!ip_weight_floats(f->compute, e, (size_t)ids[r], to))
            return ip_weight_too_large(f->compute, f->model, e, error);
        if (f->plan->embedding_scale != 1.0f)
            for (size_t i = 0; i < f->plan->width; i++) to[i] *= f->plan->embedding_scale;
    }
    return IP_OK;
}

/* ---- one tile through one block ---- */

/* Where a tile's work stands. */
typedef struct tile_work {
    const ip_forward *f;
    ip_bench *bench;
    ip_cache *cache;
    const ip_block *block;
    const ip_layer *layer;
    const ip_segment *segments;
    size_t segment_count, rows;
    const float *h;
    size_t *bad_row;
    ip_error *error;
} tile_work;

static ip_status not_finite(const tile_work *w, size_t row) {
    *w->bad_row = row;
    return ip_fail(w->error, IP_FAILED, "a value is not finite");
}

static ip_status normalise(const tile_work *w, const ip_norm *norm, float *to) {
    size_t width = w->f->plan->width;
    for (size_t r = 0; r < w->rows; r++)
        if (w->f->kernels->rms_norm(to + r * width, w->h + r * width, norm->gain, width, w->f->plan->norm_eps) != 0)
            return not_finite(w, r);
    return IP_OK;
}

/* Packs x [rows][inputs], whose rows are `inputs` apart, into memory for products with m. */
static ip_status pack_input(const tile_work *w, ip_act *act, void *memory, const ip_matrix *m, const float *x,
                            size_t inputs) {
    ip_act_layout(act, memory, w->f->kernels, m->arith, w->rows, inputs);
    return ip_act_fill(act, w->f->kernels, x, inputs) == 0 ? IP_OK : not_finite(w, 0);
}

/* Packs x for each of `count` matrices, once per arithmetic: acts[j] is the input of matrices[j]. At most two
 * arithmetics occur: integers, and floats where a type has no codes. */
static ip_status pack_inputs(const tile_work *w, ip_act *acts, const ip_matrix *const *matrices, size_t count,
                             const float *x, size_t inputs) {
    size_t packed = 0;
    for (size_t j = 0; j < count; j++) {
        size_t same = 0;
        while (same < j && matrices[same]->arith != matrices[j]->arith) same++;
        if (same < j) {
            acts[j] = acts[same];
            continue;
        }
        ip_status status = pack_input(w, &acts[j], w->bench->act[packed++], matrices[j], x, inputs);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

/* Panels of a product with its bias: y has `stride` floats per row and begins at the first of these outputs. */
static void multiply(const tile_work *w, float *y, size_t stride, const ip_matrix *m, const ip_weight *weight,
                     size_t panel, size_t panels, const ip_act *act) {
    const ip_kernels *kernels = w->f->kernels;
    ip_gemm(kernels, y, stride, m, panel, panels, act);
    if (!weight->bias) return;
    size_t first = panel * IP_LANES, left = m->n - first, n = left < panels * IP_LANES ? left : panels * IP_LANES;
    for (size_t r = 0; r < w->rows; r++) kernels->add(y + r * stride, weight->bias + first, n);
}

/* Runs of at most PART outputs of a matrix. */
typedef struct output_run {
    size_t panel, panels; /* of this run */
    size_t first, count;  /* outputs */
} output_run;

static bool next_run(output_run *p, const ip_matrix *m) {
    p->panel += p->panels;
    p->first = p->panel * IP_LANES;
    if (p->first >= m->n) return false;
    size_t left = m->n - p->first;
    p->count = left < PART ? left : PART;
    p->panels = (p->count + IP_LANES - 1) / IP_LANES;
    return true;
}

/* h += x W^T (+ bias), x packed. The product waits in norm, which is not needed any more: one pass over whole rows of h
 * is cheaper than several over parts of them. */
static void multiply_add(const tile_work *w, float *h, const ip_matrix *m, const ip_weight *weight, const ip_act *act) {
    const size_t width = w->f->plan->width, stride = up16(width);
    multiply(w, w->bench->norm, stride, m, weight, 0, stride / IP_LANES, act);
    for (size_t r = 0; r < w->rows; r++) w->f->kernels->add(h + r * width, w->bench->norm + r * stride, width);
}

static void rotate(const tile_work *w, float *x, size_t heads) {
    const ip_plan *plan = w->f->plan;
    size_t half = plan->rotary / 2, stride = up16(heads * plan->head), r = 0;
    for (size_t s = 0; s < w->segment_count; s++) {
        for (size_t i = 0; i < w->segments[s].rows; i++, r++) {
            size_t position = w->segments[s].position + i;
            for (size_t head = 0; head < heads; head++)
                w->f->kernels->rope(x + r * stride + head * plan->head, w->f->cosine + position * half,
                                    w->f->sine + position * half, half);
        }
    }
}

/* Keys and values of one segment, which begin at row `row` of the tile, into the document's cache. */
static void keep(const tile_work *w, const ip_segment *segment, size_t row) {
    const ip_block *b = w->block;
    size_t head = w->f->plan->head, kv_width = b->kv_heads * head, stride = up16(kv_width);
    for (size_t r = 0; r < segment->rows; r++)
        memcpy(w->cache->values + (segment->position + r) * kv_width, w->bench->v + (row + r) * stride,
               kv_width * sizeof(float));
    for (size_t g = 0; g < b->kv_heads; g++)
        w->f->kernels->pack_keys(w->cache->keys + g * w->cache->room * head, w->bench->k + row * stride + g * head,
                                 stride, segment->position, segment->rows, head);
}

/* Attention of every head over the rows of one segment. */
static void attend(const tile_work *w, const ip_segment *segment, size_t row) {
    const ip_plan *plan = w->f->plan;
    const ip_block *b = w->block;
    size_t head = plan->head, q_stride = up16(b->heads * head), sharing = b->heads / b->kv_heads;
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
            .scale = plan->attention_scale,
            .window = b->window,
            .bf16 = w->f->compute.name == IP_COMPUTE_BF16,
        };
        w->f->kernels->attention(&job);
    }
}

/* Queries, or keys and values, or all of them (in which case the input is packed once for all three), rotated and in
 * the precision of the arithmetic. */
static ip_status project(const tile_work *w, bool queries, bool keys) {
    const ip_plan *plan = w->f->plan;
    const ip_block *b = w->block;
    ip_bench *bench = w->bench;
    const ip_layer *layer = w->layer;
    ip_status status = normalise(w, &b->attention_norm, bench->norm);
    if (status != IP_OK) return status;
    const struct {
        const ip_matrix *matrix;
        const ip_weight *weight;
        float *y;
    } all[] = {{&layer->q, &b->q, bench->q}, {&layer->k, &b->k, bench->k}, {&layer->v, &b->v, bench->v}};
    const size_t first = queries ? 0 : 1, count = (queries ? 1 : 0) + (keys ? 2 : 0);
    const ip_matrix *const matrices[] = {&layer->q, &layer->k, &layer->v};
    ip_act acts[3];
    status = pack_inputs(w, acts, matrices + first, count, bench->norm, plan->width);
    if (status != IP_OK) return status;
    for (size_t j = 0; j < count; j++) {
        const ip_matrix *m = all[first + j].matrix;
        const size_t stride = up16(m->n);
        multiply(w, all[first + j].y, stride, m, all[first + j].weight, 0, stride / IP_LANES, &acts[j]);
    }
    if (b->rotate && plan->rotary > 0) {
        if (queries) rotate(w, bench->q, b->heads);
        if (keys) rotate(w, bench->k, b->kv_heads);
    }
    if (w->f->compute.name == IP_COMPUTE_BF16) {
        if (queries) w->f->kernels->round_bf16(bench->q, w->rows * up16(b->q.outputs));
        if (keys) w->f->kernels->round_bf16(bench->k, w->rows * up16(b->k.outputs));
        if (keys) w->f->kernels->round_bf16(bench->v, w->rows * up16(b->v.outputs));
    }
    return IP_OK;
}

static ip_status attention_branch(const tile_work *w, ip_tile_part part, float *h) {
    ip_status status = project(w, true, part == IP_TILE_WHOLE);
    if (status != IP_OK) return status;
    for (size_t s = 0, row = 0; s < w->segment_count; row += w->segments[s++].rows) {
        if (part == IP_TILE_WHOLE) keep(w, &w->segments[s], row);
        attend(w, &w->segments[s], row);
    }
    ip_act act;
    status = pack_input(w, &act, w->bench->act[0], &w->layer->o, w->bench->mixed, w->block->o.inputs);
    if (status == IP_OK) multiply_add(w, h, &w->layer->o, &w->block->o, &act);
    return status;
}

static ip_status mlp_branch(const tile_work *w, float *h) {
    const ip_kernels *kernels = w->f->kernels;
    const ip_block *b = w->block;
    const ip_layer *layer = w->layer;
    float *gate = w->bench->part[0], *up = w->bench->part[1];
    ip_status status = normalise(w, &b->mlp_norm, w->bench->norm);
    if (status != IP_OK) return status;
    const ip_matrix *const matrices[] = {&layer->gate, &layer->up};
    ip_act in[2], hidden;
    status = pack_inputs(w, in, matrices, 2, w->bench->norm, w->f->plan->width);
    if (status != IP_OK) return status;
    ip_act_layout(&hidden, w->bench->hidden, kernels, layer->down.arith, w->rows, b->down.inputs);
    for (output_run p = {0}; next_run(&p, &layer->gate);) {
        multiply(w, gate, PART, &layer->gate, &b->gate, p.panel, p.panels, &in[0]);
        multiply(w, up, PART, &layer->up, &b->up, p.panel, p.panels, &in[1]);
        for (size_t r = 0; r < w->rows; r++)
            kernels->silu_mul(gate + r * PART, gate + r * PART, up + r * PART, p.count);
        if (ip_act_fill_part(&hidden, kernels, gate, PART, p.first, p.count) != 0) return not_finite(w, 0);
    }
    multiply_add(w, h, &layer->down, &b->down, &hidden);
    return IP_OK;
}

static tile_work begin(const ip_forward *f, unsigned worker, size_t block, const ip_tiling *tiling, const ip_tile *tile,
                       const float *h, size_t *bad_row, ip_error *error) {
    return (tile_work){
        .f = f,
        .bench = &f->benches[worker],
        .cache = &f->caches[worker],
        .block = &f->plan->blocks[block],
        .layer = &f->layers[block % 2],
        .segments = tiling->segments + tile->first_segment,
        .segment_count = tile->segments,
        .rows = tile->rows,
        .h = h,
        .bad_row = bad_row,
        .error = error,
    };
}

ip_status ip_forward_keys(const ip_forward *f, unsigned worker, size_t block, const ip_tiling *tiling,
                          const ip_tile *tile, const float *h, size_t *bad_row, ip_error *error) {
    tile_work w = begin(f, worker, block, tiling, tile, h, bad_row, error);
    ip_cache shared = f->long_cache; /* threads write different positions */
    w.cache = &shared;
    ip_status status = project(&w, false, true);
    for (size_t s = 0, row = 0; status == IP_OK && s < w.segment_count; row += w.segments[s++].rows)
        keep(&w, &w.segments[s], row);
    return status;
}

ip_status ip_forward_tile(const ip_forward *f, unsigned worker, size_t block, ip_tile_part part,
                          const ip_tiling *tiling, const ip_tile *tile, float *h, bool final_norm, size_t *bad_row,
                          ip_error *error) {
    tile_work w = begin(f, worker, block, tiling, tile, h, bad_row, error);
    ip_cache shared = f->long_cache;
    if (part == IP_TILE_REST) w.cache = &shared;
    ip_status status = attention_branch(&w, part, h);
    if (status == IP_OK) status = mlp_branch(&w, h);
    if (status == IP_OK && final_norm) status = normalise(&w, &f->plan->final_norm, h);
    return status;
}

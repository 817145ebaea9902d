/* The forward pass: sizes, memory, packing of blocks, embedding. Everything is laid out here before the run. */
#include "core/forward/forward.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/forward/forward_internal.h"

/* ---- sizes ---- */

typedef struct widths {
    size_t q, kv, ff, out, routers, used, side;
    bool parallel, experts;
} widths;

/* The widest of every kind over the blocks (heads and feed-forward may differ from block to block). */
static widths widest(const ip_plan *plan) {
    widths w = {.out = plan->width};
    for (size_t i = 0; i < plan->layers; i++) {
        const ip_block *b = &plan->blocks[i];
        w.q = ip_larger(w.q, b->q.outputs);
        w.kv = ip_larger(w.kv, b->kv_heads * b->head);
        w.ff = ip_larger(w.ff, b->up.outputs);
        if (b->experts.count > 0) w.ff = ip_larger(w.ff, b->experts.up[0].outputs);
        w.routers = ip_larger(w.routers, b->experts.count);
        w.used = ip_larger(w.used, b->experts.used);
        w.side = ip_larger(w.side, b->side.width);
        w.parallel = w.parallel || b->parallel;
        w.experts = w.experts || b->experts.count > 0;
    }
    return w;
}

static size_t act_room(const ip_kernels *kernels, size_t rows, size_t inputs) {
    size_t most = 0;
    for (int a = 0; a < IP_ARITHS; a++) most = ip_larger(most, ip_act_bytes(kernels, (ip_arith)a, rows, inputs));
    return ip_up64(most);
}

/* Lays a cache for documents of n tokens over memory (NULL: only measures). Returns the bytes it takes. */
static size_t lay_cache(ip_cache *cache, char *memory, const ip_plan *plan, size_t n) {
    cache->room = (n + IP_KEY_BLOCK - 1) / IP_KEY_BLOCK * IP_KEY_BLOCK;
    size_t bytes = ip_up64(cache->room * widest(plan).kv * sizeof(float));
    if (memory) {
        cache->keys = (float *)(void *)memory;
        cache->values = (float *)(void *)(memory + bytes);
    }
    return 2 * bytes;
}

/* Lays a worker's buffers over memory (NULL: only measures). Returns the bytes they take. */
static size_t lay_bench(ip_bench *bench, ip_cache *cache, char *memory, const ip_plan *plan, const ip_kernels *kernels,
                        size_t longest) {
    const widths w = widest(plan);
    const size_t rows = IP_TILE_ROWS + IP_TILE_MAX, row = rows * ip_up16(plan->width);
    size_t at = 0;
    const struct {
        float **pointer;
        size_t floats;
    } parts[] = {
        {&bench->norm, row},
        {&bench->q, rows * ip_up16(w.q)},
        {&bench->k, rows * ip_up16(w.kv)},
        {&bench->v, rows * ip_up16(w.kv)},
        {&bench->mixed, rows * w.q},
        {&bench->part[0], rows * IP_PART},
        {&bench->part[1], rows * IP_PART},
        {&bench->branch, w.parallel ? row : 0},
        {&bench->logits, rows * ip_up16(w.routers)},
        {&bench->gathered, w.experts ? row : 0},
        {&bench->given, w.experts ? row : 0},
        {&bench->sum, w.experts ? row : 0},
        {&bench->side[0], rows * ip_up16(w.side)},
        {&bench->side[1], rows * ip_up16(w.side)},
        {&bench->turn, ip_turns_scratch(plan)},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (memory) *parts[i].pointer = (float *)(void *)(memory + at);
        at += ip_up64(parts[i].floats * sizeof(float));
    }
    for (int i = 0; i < 2; i++) {
        if (memory) bench->routed[i] = (ip_routed *)(void *)(memory + at);
        at += ip_up64(IP_TILE_ROWS * w.used * sizeof(ip_routed));
    }
    at += lay_cache(cache, memory ? memory + at : NULL, plan, longest);
    const size_t inputs = ip_larger(plan->width, w.q);
    const struct {
        void **pointer;
        size_t inputs;
    } acts[] = {{&bench->act[0], inputs}, {&bench->act[1], inputs}, {&bench->hidden, ip_larger(w.ff, w.side)}};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (memory) *acts[i].pointer = memory + at;
        at += act_room(kernels, IP_TILE_ROWS, acts[i].inputs);
    }
    return at;
}

/* The matrices of a block in the order in which they are packed; returns how many. layer NULL: only counts. */
static size_t list_matrices(const ip_block *b, ip_layer *layer, ip_pack *packs) {
    ip_layer none, *l = layer ? layer : &none;
    const struct {
        const ip_weight *weight;
        ip_matrix *matrix;
    } all[] = {{&b->q, &l->q},
               {&b->k, &l->k},
               {&b->v, &l->v},
               {&b->o, &l->o},
               {&b->experts.router, &l->router},
               {&b->shared_gate, &l->shared_gate},
               {&b->gate, &l->gate},
               {&b->up, &l->up},
               {&b->down, &l->down},
               {&b->side.model, &l->side_model},
               {&b->side.gate, &l->side_gate},
               {&b->side.out, &l->side_out}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].weight->tensor) continue;
        if (layer) packs[n] = (ip_pack){.weight = all[i].weight, .matrix = all[i].matrix};
        n++;
    }
    for (size_t e = 0; e < b->experts.count; e++) {
        const ip_weight *w[3] = {&b->experts.gate[e], &b->experts.up[e], &b->experts.down[e]};
        for (size_t m = 0; layer && m < 3; m++)
            packs[n + m] = (ip_pack){.weight = w[m], .matrix = &l->experts[3 * e + m]};
        n += 3;
    }
    return n;
}

typedef struct measure {
    const ip_kernels *kernels;
    ip_compute compute;
    size_t bytes;
} measure;

static void add_bytes(void *context, const ip_weight *weight) {
    measure *m = context;
    m->bytes += ip_up64(ip_weight_bytes(m->kernels, m->compute, weight, weight->outputs));
}

static size_t layer_room(const ip_plan *plan, const ip_kernels *kernels, ip_compute compute) {
    size_t most = 0;
    for (size_t i = 0; i < plan->layers; i++) {
        measure m = {kernels, compute, 0};
        ip_block_each(&plan->blocks[i], add_bytes, &m);
        most = ip_larger(most, m.bytes);
    }
    return most;
}

/* A long document's cache is one for all threads. */
static size_t long_room(const ip_tiling *tiling) { return tiling->long_count > 0 ? tiling->longest : 0; }

static bool read_later(const ip_plan *plan, size_t block) {
    for (size_t i = block + 1; i < plan->layers; i++)
        if (plan->blocks[i].kv_from == block) return true;
    return false;
}

/* Lays what later blocks read of earlier ones over memory (NULL: only measures). Returns the bytes it takes. */
static size_t lay_shared(float **shared, char *memory, const ip_plan *plan, const ip_tiling *tiling) {
    size_t at = 0;
    for (size_t i = 0; i < plan->layers; i++) {
        if (!read_later(plan, i)) continue;
        if (memory) shared[i] = (float *)(void *)(memory + at);
        const ip_block *b = &plan->blocks[i];
        at += ip_up64((size_t)tiling->corpus->tokens * 2 * b->kv_heads * b->head * sizeof(float));
    }
    return at;
}

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
           lay_cache(&cache, NULL, plan, long_room(tiling)) + ip_turns_lay(NULL, NULL, plan, tiling) +
           lay_shared(NULL, NULL, plan, tiling);
}

/* ---- opening ---- */

static ip_status check_positions(const ip_forward *f, ip_error *error) {
    const ip_plan *plan = f->plan;
    if (!plan->positions) return IP_OK;
    size_t most = (size_t)plan->positions->ne[1] - plan->position0;
    if (f->longest <= most) return IP_OK;
    return ip_fail(error, IP_USAGE,
                   "a document has %zu tokens, but %s has learned positions for %zu: use --max-tokens %zu or less",
                   f->longest, ip_model_name(f->model), most, most);
}

static bool allocate(ip_forward *f, const ip_tiling *tiling) {
    const ip_plan *plan = f->plan;
    size_t packs = 0, experts = 0;
    for (size_t i = 0; i < plan->layers; i++) {
        packs = ip_larger(packs, list_matrices(&plan->blocks[i], NULL, NULL));
        experts = ip_larger(experts, plan->blocks[i].experts.count);
    }
    ip_bench bench;
    ip_cache cache;
    f->bench_bytes = lay_bench(&bench, &cache, NULL, plan, f->kernels, tiling->longest_short);
    f->long_bytes = lay_cache(&f->long_cache, NULL, plan, long_room(tiling));
    f->table_bytes = ip_turns_lay(f, NULL, plan, tiling);
    f->shared_bytes = lay_shared(NULL, NULL, plan, tiling);
    f->layer_memory[0] = ip_big_alloc(f->layer_bytes);
    f->layer_memory[1] = f->ahead ? ip_big_alloc(f->layer_bytes) : f->layer_memory[0];
    f->bench_memory = ip_big_alloc(f->bench_bytes * f->threads);
    f->long_memory = ip_big_alloc(f->long_bytes);
    f->table_memory = ip_big_alloc(f->table_bytes);
    f->shared_memory = ip_big_alloc(f->shared_bytes);
    f->benches = calloc(f->threads, sizeof *f->benches);
    f->caches = calloc(f->threads, sizeof *f->caches);
    f->packs = calloc(packs, sizeof *f->packs);
    f->expert_matrices = calloc(6 * experts + 1, sizeof *f->expert_matrices);
    f->shared = calloc(plan->layers, sizeof *f->shared);
    f->layers[0].experts = f->expert_matrices;
    f->layers[1].experts = f->expert_matrices ? f->expert_matrices + 3 * experts : NULL;
    return f->layer_memory[0] && f->layer_memory[1] && f->bench_memory && f->long_memory && f->table_memory &&
           f->shared_memory && f->benches && f->caches && f->packs && f->expert_matrices && f->shared;
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
    ip_status status = check_positions(f, error);
    if (status == IP_OK && !allocate(f, tiling))
        status = ip_fail(error, IP_FAILED, "out of memory for the forward pass (see --plan for what it needs)");
    if (status != IP_OK) {
        ip_forward_close(f);
        return status;
    }
    for (unsigned t = 0; t < f->threads; t++)
        lay_bench(&f->benches[t], &f->caches[t], (char *)f->bench_memory + t * f->bench_bytes, f->plan, kernels,
                  tiling->longest_short);
    lay_cache(&f->long_cache, f->long_memory, f->plan, long_room(tiling));
    lay_shared(f->shared, f->shared_memory, f->plan, tiling);
    ip_turns_lay(f, f->table_memory, f->plan, tiling);
    return ip_turns_fill(f, pool, error);
}

void ip_forward_close(ip_forward *f) {
    ip_big_free(f->layer_memory[0], f->layer_bytes);
    if (f->ahead) ip_big_free(f->layer_memory[1], f->layer_bytes);
    ip_big_free(f->bench_memory, f->bench_bytes * f->threads);
    ip_big_free(f->long_memory, f->long_bytes);
    ip_big_free(f->table_memory, f->table_bytes);
    ip_big_free(f->shared_memory, f->shared_bytes);
    free(f->benches);
    free(f->caches);
    free(f->packs);
    free(f->expert_matrices);
    free(f->shared);
    memset(f, 0, sizeof *f);
}

static void read_ahead(void *context, const ip_weight *weight) {
    (void)context;
    ip_pack_read_ahead(&weight, 1);
}

void ip_forward_prepare(ip_forward *f, size_t block) {
    size_t count = list_matrices(&f->plan->blocks[block], &f->layers[block % 2], f->packs);
    char *memory = f->layer_memory[block % 2];
    for (size_t j = 0; j < count; j++) {
        f->packs[j].outputs = f->packs[j].weight->outputs;
        f->packs[j].memory = memory;
        memory += ip_up64(ip_weight_bytes(f->kernels, f->compute, f->packs[j].weight, f->packs[j].outputs));
    }
    ip_pack_begin(&f->packing, f->packs, count, false, f->model, f->kernels, f->compute);
    if (block + 1 < f->plan->layers) ip_block_each(&f->plan->blocks[block + 1], read_ahead, NULL);
}

/* ---- layer 0 ---- */

ip_status ip_forward_rows(const ip_forward *f, const int32_t *ids, size_t rows, float *h, ip_error *error) {
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

static void add_positions(const ip_forward *f, const ip_segment *segments, size_t count, float *h) {
    const ip_tensor *p = f->plan->positions;
    size_t width = f->plan->width, r = 0;
    float value[256];
    for (size_t s = 0; s < count; s++) {
        for (uint32_t i = 0; i < segments[s].rows; i++, r++) {
            const unsigned char *row = ip_tensor_row(p, f->plan->position0 + segments[s].position + i);
            for (size_t at = 0; at < width; at += 256) {
                size_t n = width - at < 256 ? width - at : 256;
                p->type->to_float(value, row + at / p->type->block * p->type->bytes, n);
                f->kernels->add(h + r * width + at, value, n);
            }
        }
    }
}

ip_status ip_forward_embed(const ip_forward *f, const ip_tiling *tiling, const ip_tile *tile, float *h,
                           ip_error *error) {
    const ip_plan *plan = f->plan;
    ip_status status = ip_forward_rows(f, tiling->corpus->ids + tile->row, tile->rows, h, error);
    if (status != IP_OK) return status;
    if (plan->positions) add_positions(f, tiling->segments + tile->first_segment, tile->segments, h);
    const ip_norm *norm = &plan->embedding_norm;
    for (size_t r = 0; norm->kind != IP_NORM_NONE && r < tile->rows; r++) {
        float *row = h + r * plan->width;
        if (norm->kind == IP_NORM_RMS)
            f->kernels->rms_norm(row, row, norm->gain, norm->n, plan->norm_eps);
        else
            f->kernels->layer_norm(row, row, norm->gain, norm->bias, norm->n, plan->norm_eps);
    }
    return IP_OK;
}

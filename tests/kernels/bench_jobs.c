/* What the bench times: every kernel of kernels.def on shapes of a 135M and an 8B model, and the peak loops.
 *
 * The number of outputs of a product is small, so that scalar is timed in reasonable time: panels are worked off one by
 * one, and what decides is k and the number of rows. Operands lie in cache as far as they fit: this is the speed of
 * the kernel, not of the memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/bench.h"
#include "tests/kernels/check.h"
#include "tests/kernels/peak.h"

enum { ROWS = 240, POSITIONS = 512, WIDE = 4096 };

static const char *const arith_names[IP_ARITHS] = {"f32", "bf16", "int16", "int8"};

struct bench_arena {
    float *x, *y, *z;
    void *weights, *act;
    int8_t *codes;
    uint64_t *sums;
    uint32_t *positions;
    double *wide, *more, *shift;
    ip_matrix w;
    ip_act a;
};

/* ---- which kernels there are, and which are the same code ---- */

static const struct {
    const char *name;
    size_t offset;
} kernels_list[] = {
#define IP_KERNEL(type, kernel, arguments) {#kernel, offsetof(ip_kernels, kernel)},
#include "arch/kernels.def"
#undef IP_KERNEL
};
enum { KERNELS = sizeof kernels_list / sizeof *kernels_list };

/* The arithmetic whose product a kernel (or a peak) belongs to; IP_ARITHS: none. */
static ip_arith arith_of(const char *kernel) {
    bool product = strncmp(kernel, "gemm_", 5) == 0 || strncmp(kernel, "act_", 4) == 0 || bench_is_peak(kernel) ||
                   (strncmp(kernel, "pack_", 5) == 0 && strcmp(kernel, "pack_keys") != 0);
    for (ip_arith a = 0; product && a < IP_ARITHS; a++)
        if (strcmp(strchr(kernel, '_') + 1, arith_names[a]) == 0) return a;
    return IP_ARITHS;
}

/* Kernels of one product share their packing: they are the same only together. */
static bool same_code(const ip_kernels *a, const ip_kernels *b, const char *kernel) {
    ip_arith arith = arith_of(kernel);
    for (size_t i = 0; i < KERNELS; i++) {
        bool counts =
            arith < IP_ARITHS ? arith_of(kernels_list[i].name) == arith : strcmp(kernels_list[i].name, kernel) == 0;
        if (counts && memcmp((const char *)a + kernels_list[i].offset, (const char *)b + kernels_list[i].offset,
                             sizeof(void (*)(void))) != 0)
            return false;
    }
    return true;
}

/* ---- the list ---- */

typedef struct job_list {
    bench_job *jobs;
    size_t count, room;
    const ip_kernels *const *tables;
    size_t table;
} job_list;

static void add_job(job_list *l, bench_job job) {
    job.kernels = l->tables[l->table];
    for (size_t i = 0; i < l->table; i++)
        if (same_code(l->tables[i], job.kernels, job.kernel)) return;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 256;
        bench_job *more = realloc(l->jobs, room * sizeof *more);
        if (!more) return;
        l->jobs = more;
        l->room = room;
    }
    l->jobs[l->count++] = job;
}

static void add_gemm(job_list *l, ip_arith arith, size_t n, size_t k, unsigned group, bool has_min, unsigned bits) {
    static const char *const names[IP_ARITHS] = {"gemm_f32", "gemm_bf16", "gemm_int16", "gemm_int8"};
    bench_job job = {.kernel = names[arith], .elements = (double)ROWS * (double)n * (double)k, .has_peak = true};
    job.arith = arith, job.n = n, job.k = k, job.group = group, job.bits = bits, job.has_min = has_min;
    if (arith >= IP_ARITH_INT16)
        snprintf(job.what, sizeof job.what, "k %zu, %u bits, groups %u%s", k, bits, group, has_min ? "+min" : "");
    else
        snprintf(job.what, sizeof job.what, "k %zu", k);
    add_job(l, job);
}

static void add_products(job_list *l, size_t n, size_t k, bool more) {
    static const char *const packs[IP_ARITHS] = {"pack_f32", "pack_bf16", "pack_int16", "pack_int8"},
                             *const acts[IP_ARITHS] = {"act_f32", "act_bf16", "act_int16", "act_int8"};
    for (ip_arith a = 0; a < IP_ARITHS; a++) {
        bench_job job = {.kernel = packs[a], .elements = (double)n * (double)k, .arith = a, .n = n, .k = k};
        job.group = IP_GROUP, job.bits = 8;
        snprintf(job.what, sizeof job.what, "k %zu", k);
        add_job(l, job);
        job.kernel = acts[a], job.elements = (double)ROWS * (double)k;
        add_job(l, job);
        add_gemm(l, a, n, k, 32, false, 8);
        if (a == IP_ARITH_INT8) add_gemm(l, a, n, k, 32, false, 4);
        for (unsigned v = 1; more && a >= IP_ARITH_INT16 && v < 4; v++) {
            add_gemm(l, a, n, k, v & 2 ? 16 : 32, v & 1, 8);
            if (a == IP_ARITH_INT8) add_gemm(l, a, n, k, v & 2 ? 16 : 32, v & 1, v & 2 ? 6 : 4);
        }
    }
}

static void add_attention(job_list *l, size_t head) {
    bench_job job = {.kernel = "attention", .has_peak = true, .arith = IP_ARITH_F32, .k = head};
    job.elements = (double)POSITIONS * (POSITIONS + 1) * (double)head; /* causal: scores and values together */
    snprintf(job.what, sizeof job.what, "head %zu, %d positions", head, POSITIONS);
    add_job(l, job);
    job.kernel = "pack_keys", job.has_peak = false, job.elements = (double)(POSITIONS * head);
    add_job(l, job);
}

/* What is neither a product nor attention runs along a row. */
static void add_rows(job_list *l, size_t n) {
    for (size_t i = 0; i < KERNELS; i++) {
        const char *kernel = kernels_list[i].name;
        if (arith_of(kernel) < IP_ARITHS || strcmp(kernel, "attention") == 0 || strcmp(kernel, "pack_keys") == 0)
            continue;
        bench_job job = {.kernel = kernel, .n = n, .elements = (double)n};
        snprintf(job.what, sizeof job.what, "n %zu", n);
        add_job(l, job);
    }
}

static void add_peaks(job_list *l) {
    static const char *const names[IP_ARITHS] = {"peak_f32", "peak_bf16", "peak_int16", "peak_int8"};
    for (ip_arith a = 0; a < IP_ARITHS; a++) {
        bench_job job = {.kernel = names[a], .arith = a, .what = "in registers"};
        job.elements = peak_macs(l->tables[l->table], a);
        if (job.elements > 0) add_job(l, job);
    }
}

bench_job *bench_jobs(const ip_kernels *const *tables, size_t n, bool quick, size_t *count) {
    static const size_t shapes[][2] = {{192, 576}, {64, 1536}, {32, 4096}, {16, 14336}};
    job_list l = {.tables = tables};
    for (l.table = 0; l.table < n; l.table++) {
        add_peaks(&l);
        for (size_t i = 0; i < (quick ? 1 : sizeof shapes / sizeof *shapes); i++)
            add_products(&l, shapes[i][0], shapes[i][1], i == 0 && !quick);
        add_attention(&l, 64);
        if (!quick) add_attention(&l, 128);
        add_rows(&l, 576);
        if (!quick) add_rows(&l, WIDE);
    }
    *count = l.count;
    return l.jobs;
}

/* ---- buffers ---- */

static void *zeros(size_t bytes) {
    bytes = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

bench_arena *bench_arena_create(const bench_job *jobs, size_t count) {
    size_t x = POSITIONS * 128 > WIDE ? POSITIONS * 128 : WIDE, rest = x, weights = 0, act = 0, codes = 1;
    for (size_t i = 0; i < count; i++) {
        const bench_job *j = &jobs[i];
        if (arith_of(j->kernel) == IP_ARITHS || bench_is_peak(j->kernel)) continue;
        size_t w = ip_matrix_bytes(j->kernels, j->arith, j->n, j->k, j->group, j->has_min),
               a = ip_act_bytes(j->kernels, j->arith, ROWS, j->k), c = (ROWS + IP_TILE_MAX) * j->n;
        weights = w > weights ? w : weights;
        act = a > act ? a : act;
        codes = j->n * j->k > codes ? j->n * j->k : codes;
        rest = c > rest ? c : rest;
        x = ROWS * j->k > x ? ROWS * j->k : x;
    }
    bench_arena *arena = calloc(1, sizeof *arena);
    if (!arena) return NULL;
    *arena = (bench_arena){.x = zeros(x * sizeof(float)),
                           .y = zeros(rest * sizeof(float)),
                           .z = zeros(rest * sizeof(float)),
                           .weights = zeros(weights + 64),
                           .act = zeros(act + 64),
                           .codes = zeros(codes),
                           .sums = zeros(WIDE * sizeof(uint64_t)),
                           .positions = zeros(WIDE * sizeof(uint32_t)),
                           .wide = zeros(WIDE * sizeof(double)),
                           .more = zeros(WIDE * sizeof(double)),
                           .shift = zeros(WIDE * sizeof(double))};
    if (!arena->x || !arena->y || !arena->z || !arena->weights || !arena->act || !arena->codes || !arena->sums ||
        !arena->positions || !arena->wide || !arena->more || !arena->shift) {
        bench_arena_free(arena);
        return NULL;
    }
    check c = {.state = 1};
    fill_floats(&c, KIND_NORMAL, arena->x, x); /* no kernel writes x */
    return arena;
}

void bench_arena_free(bench_arena *arena) {
    if (!arena) return;
    free(arena->x);
    free(arena->y);
    free(arena->z);
    free(arena->weights);
    free(arena->act);
    free(arena->codes);
    free(arena->sums);
    free(arena->positions);
    free(arena->wide);
    free(arena->more);
    free(arena->shift);
    free(arena);
}

/* ---- products ---- */

static void pack_all(bench_arena *b, const bench_job *j) {
    const ip_kernels *kernels = j->kernels;
    size_t k = j->k;
    for (size_t p = 0; p < j->n / IP_LANES; p++) {
        void *panel = b->w.codes + p * b->w.panel_bytes;
        const float *rows = b->x + p * IP_LANES * k;
        const int8_t *codes = b->codes + p * IP_LANES * k;
        if (j->arith == IP_ARITH_F32) kernels->pack_f32(panel, rows, k, IP_LANES, k);
        if (j->arith == IP_ARITH_BF16) kernels->pack_bf16(panel, rows, k, IP_LANES, k);
        if (j->arith == IP_ARITH_INT16) kernels->pack_int16(panel, codes, k, IP_LANES, k);
        if (j->arith == IP_ARITH_INT8) kernels->pack_int8(panel, codes, k, IP_LANES, k);
    }
}

static void prepare_product(bench_arena *b, const bench_job *j) {
    ip_matrix_layout(&b->w, b->weights, j->kernels, j->arith, j->n, j->k, j->group, j->has_min);
    ip_act_layout(&b->a, b->act, j->kernels, j->arith, ROWS, j->k);
    for (size_t i = 0; i < j->n * j->k; i++)
        b->codes[i] = (int8_t)((int)(i * 37 % (1u << j->bits)) - (1 << (j->bits - 1)));
    for (size_t i = 0; b->w.scale && i < j->n * j->k / j->group; i++) {
        b->w.scale[i] = 0.01f;
        if (j->has_min) b->w.min[i] = 0.1f;
    }
    pack_all(b, j);
    ip_act_fill(&b->a, j->kernels, b->x, j->k);
}

static void call_product(bench_arena *b, const bench_job *j) {
    if (strncmp(j->kernel, "gemm", 4) == 0)
        ip_gemm(j->kernels, b->z, j->n, &b->w, 0, j->n / IP_LANES, &b->a);
    else if (strncmp(j->kernel, "act", 3) == 0)
        ip_act_fill(&b->a, j->kernels, b->x, j->k);
    else
        pack_all(b, j);
}

/* ---- attention and rows ---- */

static void prepare_rows(bench_arena *b, const bench_job *j) {
    size_t n = j->n;
    memcpy(b->z, b->x, n * sizeof *b->z);
    memcpy(b->y, b->x, n * sizeof *b->y);
    if (strcmp(j->kernel, "rope") == 0) { /* a turn: values stay of one size however often it is made */
        for (size_t i = 0; i < n; i++) b->y[i] = i < n / 2 ? 0.6f : 0.8f;
    } else if (strncmp(j->kernel, "entropy", 7) == 0 || strcmp(j->kernel, "sum_gather") == 0) {
        j->kernels->soft_assign(b->y, b->x, n, 1.0f); /* probabilities */
    }
    for (size_t i = 0; i < n; i++) {
        b->sums[i] = (uint64_t)(0x1p32 / (double)n);
        b->positions[i] = (uint32_t)(i * 7 % (n / IP_LANES));
        b->wide[i] = 1.0 / (double)(i + 1);
        b->shift[i] = 0.5;
    }
}

static void prepare_attention(bench_arena *b, const bench_job *j) {
    memcpy(b->y, b->x, POSITIONS * j->k * sizeof *b->y);
    j->kernels->pack_keys(b->z, b->x, j->k, 0, POSITIONS, j->k);
}

static void call_attention(bench_arena *b, const bench_job *j) {
    if (strcmp(j->kernel, "pack_keys") == 0) {
        j->kernels->pack_keys(b->z, b->x, j->k, 0, POSITIONS, j->k);
        return;
    }
    ip_attention job = {.out = b->y, .q = b->x, .kt = b->z, .v = b->x, .out_stride = j->k, .q_stride = j->k};
    job.v_stride = j->k, job.rows = POSITIONS, job.head = j->k, job.scale = 0.1f;
    j->kernels->attention(&job);
}

#define ROW(name, call)                                                                                                \
    static void call_##name(bench_arena *b, const bench_job *j) { j->kernels->call; }
ROW(rms_norm, rms_norm(b->z, b->x, b->y, j->n, 1e-5f))
ROW(layer_norm, layer_norm(b->z, b->x, b->y, b->y, j->n, 1e-5f))
ROW(activate, activate(b->z, b->x, b->y, j->n, IP_ACT_SILU, NULL))
ROW(soft_cap, soft_cap(b->z, j->n, 1.0f, 30.0f))
ROW(rope, rope(b->z, b->y, b->y + j->n / 2, j->n / 2))
ROW(add, add(b->z, b->x, j->n))
ROW(round_bf16, round_bf16(b->z, j->n))
ROW(unit, unit(b->z, b->x, j->n))
ROW(soft_assign, soft_assign(b->y, b->x, j->n, 1.0f))
ROW(entropy_row, entropy_row(b->y, j->n))
ROW(entropy_sums, entropy_sums(b->sums, 1, j->n))
ROW(log_f64, log_f64(b->more, b->wide, b->shift, j->n))
ROW(encode_f64, encode_f64(b->wide, b->shift, 0.5, j->n))
ROW(log_sum_exp, log_sum_exp(&(ip_lse){-INFINITY, 0.0}, b->x, j->n))

static void call_sum_gather(bench_arena *b, const bench_job *j) {
    uint64_t sums[IP_LANES] = {0};
    j->kernels->sum_gather(sums, b->y, b->positions, j->n / IP_LANES);
}

static void call_lse_entropy(bench_arena *b, const bench_job *j) {
    double weighted = 0.0;
    j->kernels->lse_entropy(&(ip_lse){-INFINITY, 0.0}, &weighted, b->x, j->n);
}

/* Rows of 16, the n elements of the job in all. */
static void call_mix_f64(bench_arena *b, const bench_job *j) {
    j->kernels->mix_f64(b->more, b->wide, IP_LANES, b->positions, b->shift, j->n / IP_LANES);
}

/* One per kernel of kernels.def, as the checker has it: a new kernel does not build without being timed. */
#define call_pack_f32   call_product
#define call_act_f32    call_product
#define call_gemm_f32   call_product
#define call_pack_bf16  call_product
#define call_act_bf16   call_product
#define call_gemm_bf16  call_product
#define call_pack_int16 call_product
#define call_act_int16  call_product
#define call_gemm_int16 call_product
#define call_pack_int8  call_product
#define call_act_int8   call_product
#define call_gemm_int8  call_product
#define call_pack_keys  call_attention

static void (*const calls[])(bench_arena *, const bench_job *) = {
#define IP_KERNEL(type, kernel, arguments) call_##kernel,
#include "arch/kernels.def"
#undef IP_KERNEL
};

void bench_prepare(bench_arena *arena, const bench_job *job) {
    if (bench_is_peak(job->kernel)) return;
    if (arith_of(job->kernel) < IP_ARITHS)
        prepare_product(arena, job);
    else if (strcmp(job->kernel, "attention") == 0 || strcmp(job->kernel, "pack_keys") == 0)
        prepare_attention(arena, job);
    else
        prepare_rows(arena, job);
}

void bench_call(bench_arena *arena, const bench_job *job) {
    if (bench_is_peak(job->kernel)) {
        peak_run(job->kernels, job->arith);
        return;
    }
    for (size_t i = 0; i < KERNELS; i++) {
        if (strcmp(kernels_list[i].name, job->kernel) == 0) {
            calls[i](arena, job);
            return;
        }
    }
}

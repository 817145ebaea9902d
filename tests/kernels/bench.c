/* Times of what was just verified: products in GMAC/s and as a share of what the instruction they rest on can do
 * (peak.c, measured in the same run), the others in ns per element. Shapes of a 135M and an 8B model. */
#define _DEFAULT_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/kernels/check.h"
#include "tests/kernels/peak.h"

enum { ROWS = 480, REPEATS = 5, POSITIONS = 512 };

/* Processor time of this one-threaded program: other work on the machine disturbs it least. */
double bench_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The best of some runs, each long enough to be timed. */
static double best_of(void (*run)(void *), void *context) {
    double best = INFINITY;
    run(context);
    for (int i = 0; i < REPEATS; i++) {
        size_t times = 0;
        double start = bench_seconds(), spent;
        do {
            run(context);
            times++;
            spent = bench_seconds() - start;
        } while (spent < 0.01);
        best = spent / (double)times < best ? spent / (double)times : best;
    }
    return best;
}

static void *need(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) {
        fprintf(stderr, "check-kernels: no memory for a bench buffer of %zu bytes\n", bytes);
        exit(1);
    }
    memset(p, 0, (bytes + 63) / 64 * 64);
    return p;
}

static float *need_floats(size_t n) {
    check c = {.state = 1};
    float *p = need(n * sizeof *p);
    fill_floats(&c, KIND_NORMAL, p, n);
    return p;
}

typedef struct product {
    const ip_kernels *kernels;
    ip_matrix w;
    ip_act a;
    float *c, *x, *weights;
    int8_t *codes;
    ip_arith arith;
} product;

static void run_gemm(void *context) {
    product *p = context;
    ip_gemm(p->kernels, p->c, p->w.n, &p->w, 0, p->w.n / IP_LANES, &p->a);
}

static void run_act(void *context) {
    product *p = context;
    ip_act_fill(&p->a, p->kernels, p->x, p->a.k);
}

static void run_pack(void *context) {
    product *p = context;
    size_t k = p->w.k;
    for (size_t j = 0; j < p->w.n / IP_LANES; j++) {
        void *panel = p->w.codes + j * p->w.panel_bytes;
        const float *rows = p->weights + j * IP_LANES * k;
        const int8_t *codes = p->codes + j * IP_LANES * k;
        if (p->arith == IP_ARITH_F32) p->kernels->pack_f32(panel, rows, k, IP_LANES, k);
        if (p->arith == IP_ARITH_BF16) p->kernels->pack_bf16(panel, rows, k, IP_LANES, k);
        if (p->arith == IP_ARITH_INT16) p->kernels->pack_int16(panel, codes, k, IP_LANES, k);
        if (p->arith == IP_ARITH_INT8) p->kernels->pack_int8(panel, codes, k, IP_LANES, k);
    }
}

static void bench_product(const ip_kernels *kernels, ip_arith arith, size_t n, size_t k, unsigned group, bool has_min,
                          unsigned bits) {
    static const char *const names[IP_ARITHS] = {"f32", "bf16", "int16", "int8"};
    product p = {.kernels = kernels, .arith = arith};
    ip_matrix_layout(&p.w, need(ip_matrix_bytes(kernels, arith, n, k, group, has_min)), kernels, arith, n, k, group,
                     has_min);
    ip_act_layout(&p.a, need(ip_act_bytes(kernels, arith, ROWS, k)), kernels, arith, ROWS, k);
    p.c = need((ROWS + IP_TILE_MAX) * n * sizeof(float));
    p.x = need_floats(ROWS * k);
    p.weights = need_floats(n * k);
    p.codes = need(n * k);
    for (size_t i = 0; i < n * k; i++) p.codes[i] = (int8_t)((int)(i * 37 % (1u << bits)) - (1 << (bits - 1)));
    for (size_t i = 0; p.w.scale && i < n * k / group; i++) {
        p.w.scale[i] = 0.01f;
        if (has_min) p.w.min[i] = 0.1f;
    }
    double pack = best_of(run_pack, &p) / (double)(n * k), act = best_of(run_act, &p) / (double)(ROWS * k);
    double rate = (double)(ROWS * n) * (double)k / best_of(run_gemm, &p) * 1e-9,
           peak = peak_rate(kernels, arith) * 1e-9;
    printf("  gemm_%-6s k %-5zu n %-5zu", names[arith], k, n);
    if (p.w.group)
        printf(" %u bits, group %u%s", bits, group, has_min ? "+min" : "    ");
    else
        printf("                     ");
    printf(" %7.1f GMAC/s", rate);
    if (peak > 0) printf(" %5.1f %% of %.1f", 100 * rate / peak, peak);
    printf("   act %.2f, pack %.2f ns/element\n", act * 1e9, pack * 1e9);
    free(p.w.codes);
    free(p.a.codes);
    free(p.c);
    free(p.x);
    free(p.weights);
    free(p.codes);
}

typedef struct row_job {
    const ip_kernels *kernels;
    float *x, *y, *z;
    uint64_t *sums;
    uint32_t *positions;
    size_t n;
    ip_attention attention;
} row_job;

static void run_rms_norm(void *j) {
    row_job *b = j;
    b->kernels->rms_norm(b->z, b->x, b->y, b->n, 1e-5f);
}
static void run_rope(void *j) {
    row_job *b = j;
    b->kernels->rope(b->z, b->y, b->y + b->n / 2, b->n / 2);
}
static void run_activate(void *j) {
    row_job *b = j;
    b->kernels->activate(b->z, b->x, b->y, b->n, IP_ACT_SILU, NULL);
}
static void run_add(void *j) {
    row_job *b = j;
    b->kernels->add(b->z, b->x, b->n);
}
static void run_round_bf16(void *j) {
    row_job *b = j;
    b->kernels->round_bf16(b->z, b->n);
}
static void run_unit(void *j) {
    row_job *b = j;
    b->kernels->unit(b->z, b->x, b->n);
}
static void run_soft_assign(void *j) {
    row_job *b = j;
    b->kernels->soft_assign(b->y, b->x, b->n, 1.0f);
}
static void run_entropy_row(void *j) {
    row_job *b = j;
    b->kernels->entropy_row(b->y, b->n);
}
static void run_entropy_sums(void *j) {
    row_job *b = j;
    b->kernels->entropy_sums(b->sums, 1, b->n);
}
static void run_sum_gather(void *j) {
    row_job *b = j;
    uint64_t sums[IP_LANES] = {0};
    b->kernels->sum_gather(sums, b->y, b->positions, b->n / IP_LANES);
}
static void run_log_sum_exp(void *j) {
    row_job *b = j;
    b->kernels->log_sum_exp(&(ip_lse){-INFINITY, 0.0}, b->x, b->n);
}
static void run_lse_entropy(void *j) {
    row_job *b = j;
    double weighted = 0.0;
    b->kernels->lse_entropy(&(ip_lse){-INFINITY, 0.0}, &weighted, b->x, b->n);
}
static void run_attention(void *j) {
    row_job *b = j;
    b->kernels->attention(&b->attention);
}
static void run_pack_keys(void *j) {
    row_job *b = j;
    b->kernels->pack_keys(b->z, b->x, b->attention.head, 0, POSITIONS, b->attention.head);
}

static void bench_attention(const ip_kernels *kernels, size_t head, const char *only) {
    size_t all = POSITIONS * head;
    row_job job = {.kernels = kernels, .x = need_floats(all), .y = need_floats(all), .z = need_floats(all)};
    float *out = need(all * sizeof(float));
    job.attention = (ip_attention){.out = out,
                                   .q = job.x,
                                   .kt = job.z,
                                   .v = job.y,
                                   .out_stride = head,
                                   .q_stride = head,
                                   .v_stride = head,
                                   .rows = POSITIONS,
                                   .head = head,
                                   .scale = 0.1f};
    double pack = best_of(run_pack_keys, &job), time = best_of(run_attention, &job);
    double macs = (double)POSITIONS * (POSITIONS + 1) * (double)head, peak = peak_rate(kernels, IP_ARITH_F32);
    if (!only || strcmp(only, "attention") == 0) {
        printf("  attention   head %-4zu 512 positions      %7.1f GMAC/s", head, macs / time * 1e-9);
        if (peak > 0) printf(" %5.1f %% of %.1f", 100 * macs / time / peak, peak * 1e-9);
        printf("\n");
    }
    if (!only || strcmp(only, "pack_keys") == 0) {
        printf("  pack_keys   head %-4zu %31.2f ns/element\n", head, pack / (double)all * 1e9);
    }
    free(job.x);
    free(job.y);
    free(job.z);
    free(out);
}

static void bench_rows(const ip_kernels *kernels, size_t n, const char *only) {
    static const struct {
        const char *name;
        void (*run)(void *);
    } list[] = {{"rms_norm", run_rms_norm},       {"rope", run_rope},
                {"activate", run_activate},       {"add", run_add},
                {"round_bf16", run_round_bf16},   {"unit", run_unit},
                {"soft_assign", run_soft_assign}, {"entropy_row", run_entropy_row},
                {"sum_gather", run_sum_gather},   {"entropy_sums", run_entropy_sums},
                {"log_sum_exp", run_log_sum_exp}, {"lse_entropy", run_lse_entropy}};
    row_job job = {.kernels = kernels, .n = n, .x = need_floats(n), .y = need_floats(n), .z = need_floats(n)};
    job.sums = need(n * sizeof(uint64_t));
    job.positions = need(n * sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        job.sums[i] = (uint64_t)(0x1p32 / (double)n);
        job.positions[i] = (uint32_t)(i * 7 % (n / IP_LANES));
    }
    kernels->soft_assign(job.y, job.x, n, 1.0f); /* probabilities, for the kernels that read y as such */
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (only && strcmp(only, list[i].name) != 0) continue;
        printf("  %-12s n %-4zu %34.3f ns/element\n", list[i].name, n, best_of(list[i].run, &job) / (double)n * 1e9);
    }
    free(job.x);
    free(job.y);
    free(job.z);
    free(job.sums);
    free(job.positions);
}

/* Whether --kernel asks for a product of this arithmetic: any of its three kernels. */
static bool wanted(const char *only, const char *arith) {
    const char *tail = only ? strrchr(only, '_') : NULL;
    return !only || (tail && strcmp(tail + 1, arith) == 0 && strcmp(only, "round_bf16") != 0);
}

void bench(const ip_kernels *kernels, const char *only) {
    static const size_t shapes[][2] = {{1536, 576}, {576, 1536}, {1024, 4096}, {512, 14336}};
    printf("%s\n", kernels->name);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t n = shapes[i][0], k = shapes[i][1];
        if (wanted(only, "f32")) bench_product(kernels, IP_ARITH_F32, n, k, 32, false, 8);
        if (wanted(only, "bf16")) bench_product(kernels, IP_ARITH_BF16, n, k, 32, false, 8);
        for (unsigned v = 0; v < 4; v += i == 0 ? 1 : 4) {
            if (wanted(only, "int16")) bench_product(kernels, IP_ARITH_INT16, n, k, v & 2 ? 16 : 32, v & 1, 8);
            if (wanted(only, "int8")) bench_product(kernels, IP_ARITH_INT8, n, k, v & 2 ? 16 : 32, v & 1, 8);
            if (wanted(only, "int8"))
                bench_product(kernels, IP_ARITH_INT8, n, k, v & 2 ? 16 : 32, v & 1, v & 2 ? 6 : 4);
        }
    }
    bench_attention(kernels, 64, only);
    bench_attention(kernels, 128, only);
    bench_rows(kernels, 576, only);
    bench_rows(kernels, 4096, only);
}

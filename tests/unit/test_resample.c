/* Resampled estimates against what they stand for: the plain estimate of the positions that are left, of permuted
 * labels, of repeated positions, equal to the bit; and against the golden jackknife, null and bootstrap. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dispatch.h"
#include "core/base/npy.h"
#include "core/estimators/anchors.h"
#include "core/estimators/estimate.h"
#include "core/estimators/resample.h"
#include "core/numbers/jackknife.h"
#include "core/numbers/permutation.h"
#include "core/numbers/philox.h"
#include "tests/unit/shared_data.h"

/* ---- the permutation ---- */

Test(permutation, is_one) {
    static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 16, 17, 63, 64, 65, 255, 1000, 4097, 70001};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t size = sizes[s];
        ip_permutation p;
        ip_error error;
        cr_assert_eq(ip_permutation_open(&p, size, &error), IP_OK);
        char *seen = malloc(size);
        for (uint32_t number = 0; number < 3; number++) {
            ip_permutation_key(&p, 5, number);
            memset(seen, 0, size);
            for (uint32_t i = 0; i < size; i++) {
                uint32_t at = ip_permutation_at(&p, i);
                cr_assert_lt(at, size);
                cr_assert_eq(seen[at], 0, "size %u, number %u: %u twice", size, number, at);
                seen[at] = 1;
            }
        }
        free(seen);
        ip_permutation_close(&p);
    }
}

/* The network as docs/arithmetic.md has it, without tables. */
static uint32_t permuted(uint32_t size, unsigned half, uint64_t seed, uint32_t number, uint32_t index) {
    uint32_t mask = (1u << half) - 1;
    do {
        uint32_t left = index >> half, right = index & mask;
        for (uint32_t round = 0; round < 8; round++) {
            uint32_t words[4];
            ip_philox((uint32_t[4]){right / 4, number, round, 2}, seed, words);
            uint32_t next = left ^ (words[right % 4] & mask);
            left = right;
            right = next;
        }
        index = left << half | right;
    } while (index >= size);
    return index;
}

Test(permutation, is_the_documented_one) {
    static const struct {
        uint32_t size;
        unsigned half;
    } cases[] = {{5, 2}, {3000, 6}, {4096, 6}, {4097, 7}, {1000003, 10}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        ip_permutation p;
        ip_error error;
        cr_assert_eq(ip_permutation_open(&p, cases[c].size, &error), IP_OK);
        ip_permutation_key(&p, 0x123456789abcdefu, 7);
        for (uint32_t i = 0; i < cases[c].size; i += 1 + cases[c].size / 50)
            cr_assert_eq(ip_permutation_at(&p, i), permuted(cases[c].size, cases[c].half, 0x123456789abcdefu, 7, i));
        ip_permutation_close(&p);
    }
}

/* Every place is as likely as any other, and neighbours go their own ways. */
Test(permutation, is_even) {
    enum { SIZE = 10, DRAWS = 4000 };
    unsigned counts[SIZE][SIZE] = {{0}}, neighbours = 0;
    ip_permutation p;
    ip_error error;
    cr_assert_eq(ip_permutation_open(&p, SIZE, &error), IP_OK);
    for (uint32_t number = 0; number < DRAWS; number++) {
        ip_permutation_key(&p, 1, number);
        for (uint32_t i = 0; i < SIZE; i++) counts[i][ip_permutation_at(&p, i)]++;
        neighbours += ip_permutation_at(&p, 1) == (ip_permutation_at(&p, 0) + 1) % SIZE;
    }
    double chi2 = 0.0, expected = (double)DRAWS / SIZE;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) chi2 += (counts[i][j] - expected) * (counts[i][j] - expected) / expected;
    cr_assert_lt(chi2, 81 + 5 * sqrt(2.0 * 81), "chi2 %f of 81 degrees of freedom", chi2);
    cr_assert(fabs(neighbours - DRAWS / 9.0) < 5 * sqrt(DRAWS / 9.0), "%u of %d", neighbours, DRAWS);
    ip_permutation_close(&p);
}

/* ---- resamples are estimates of other positions ---- */

enum { N = 700, M = 37, STRIDE = 48, SETS = 4, GROUPS = 6, NULLS = 3, DRAWN = 5, DOCUMENTS = 23 };

typedef struct world {
    const ip_kernels *kernels;
    float *p;                /* [N][STRIDE] */
    int64_t labels[SETS][N]; /* one value, few, many and rare, each its own */
    uint16_t group[N];
    uint32_t document[N];
} world;

static uint32_t word(uint32_t i, uint32_t row) {
    uint32_t words[4];
    ip_philox((uint32_t[4]){i / 4, row, 0, 99}, 3, words);
    return words[i % 4];
}

static world *make_world(void) {
    world *w = calloc(1, sizeof *w);
    ip_error error;
    cr_assert_eq(ip_arch_select(&w->kernels, NULL, &error), IP_OK);
    w->p = calloc(N * STRIDE, sizeof *w->p);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t row = i % 11 == 0 ? 0 : i; /* some positions are equal */
        float dots[STRIDE];
        for (uint32_t j = 0; j < M; j++) dots[j] = (float)(word(j, row + 10) >> 8) * 0x1p-24f;
        w->kernels->soft_assign(w->p + i * STRIDE, dots, M, 9.0f);
        w->labels[1][i] = word(i, 1) % 5;
        uint32_t rare = word(i, 2) % 1000;
        w->labels[2][i] = rare * rare / 2500; /* 0 .. 399, the low ones often */
        w->labels[3][i] = i;
        w->document[i] = i * DOCUMENTS / N;
        w->group[i] = (uint16_t)(w->document[i] % GROUPS);
    }
    return w;
}

static void free_world(world *w) {
    free(w->p);
    free(w);
}

/* Figures of n positions, position i being the world's position[i] with the labels of label[i]. */
static ip_soft_figures *figures_of(const world *w, const uint32_t *position, const uint32_t *label, size_t n,
                                   const ip_resampling *resampling, unsigned threads) {
    ip_error error = {0};
    ip_soft soft;
    ip_partition sets[SETS];
    const ip_partition *pointers[SETS];
    cr_assert_eq(ip_soft_open(&soft, n, M, NULL, &error), IP_OK);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(ip_soft_put(&soft, w->kernels, i, w->p + position[i] * STRIDE, 1, &error), IP_OK);
    int64_t *values = malloc(n * sizeof *values);
    for (int v = 0; v < SETS; v++) {
        for (size_t i = 0; i < n; i++) values[i] = w->labels[v][label[i]];
        cr_assert_eq(ip_partition_from_values(&sets[v], values, n, &error), IP_OK);
        pointers[v] = &sets[v];
    }
    free(values);
    ip_soft_figures *figures;
    ip_pool *pool = ip_pool_create(threads);
    cr_assert_eq(ip_soft_figures_open(&figures, SETS, resampling, &error), IP_OK);
    cr_assert_eq(ip_soft_estimate(&soft, w->kernels, pool, pointers, SETS, resampling, figures, &error), IP_OK);
    ip_pool_destroy(pool);
    for (int v = 0; v < SETS; v++) ip_partition_free(&sets[v]);
    ip_soft_close(&soft);
    return figures;
}

static ip_resampling everything(const world *w) {
    return (ip_resampling){.groups = GROUPS,
                           .group = w->group,
                           .nulls = NULLS,
                           .bootstrap = DRAWN,
                           .document = w->document,
                           .documents = DOCUMENTS,
                           .seed = 11};
}

Test(resample, without_a_group_is_the_estimate_of_the_rest) {
    world *w = make_world();
    ip_resampling r = everything(w);
    uint32_t all[N], kept[N];
    for (uint32_t i = 0; i < N; i++) all[i] = i;
    ip_soft_figures *figures = figures_of(w, all, all, N, &r, 2);
    for (unsigned g = 0; g < GROUPS; g++) {
        size_t n = 0;
        for (uint32_t i = 0; i < N; i++)
            if (w->group[i] != g) kept[n++] = i;
        ip_soft_figures *rest = figures_of(w, kept, kept, n, NULL, 1);
        for (int v = 0; v <= SETS; v++) cr_assert_eq(figures[v].without[g], rest[v].plain, "set %d, group %u", v, g);
        cr_assert_eq(figures[3].without[g], figures[SETS].without[g], "each its own label: the mean of H(p_t)");
        free(rest);
    }
    free(figures);
    free_world(w);
}

/* Labels in the order of their partition take pi(0), pi(1) ...: the position pi(j) gets the label of order[j]. */
Test(resample, a_null_is_the_estimate_with_permuted_labels) {
    world *w = make_world();
    ip_resampling r = everything(w);
    uint32_t all[N], label[N];
    for (uint32_t i = 0; i < N; i++) all[i] = i;
    ip_soft_figures *figures = figures_of(w, all, all, N, &r, 2);
    ip_error error;
    ip_permutation p;
    cr_assert_eq(ip_permutation_open(&p, N, &error), IP_OK);
    for (int v = 0; v < SETS; v++) {
        ip_partition labels;
        cr_assert_eq(ip_partition_from_values(&labels, w->labels[v], N, &error), IP_OK);
        for (unsigned d = 0; d < NULLS; d++) {
            ip_permutation_key(&p, r.seed, d);
            for (uint32_t j = 0; j < N; j++) label[ip_permutation_at(&p, j)] = labels.order[j];
            ip_soft_figures *same = figures_of(w, all, label, N, NULL, 1);
            cr_assert_eq(figures[v].null[d], same[v].plain, "set %d, permutation %u", v, d);
            free(same);
        }
        ip_partition_free(&labels);
    }
    ip_permutation_close(&p);
    free(figures);
    free_world(w);
}

Test(resample, a_bootstrap_is_the_estimate_of_repeated_positions) {
    world *w = make_world();
    ip_resampling r = everything(w);
    uint32_t all[N], repeated[4 * N];
    for (uint32_t i = 0; i < N; i++) all[i] = i;
    ip_soft_figures *figures = figures_of(w, all, all, N, &r, 2);
    for (uint32_t b = 0; b < DRAWN; b++) {
        size_t n = 0;
        for (uint32_t i = 0; i < DOCUMENTS; i++) {
            uint32_t words[4];
            ip_philox((uint32_t[4]){i / 2, b, 0, 3}, r.seed, words);
            long double u = (long double)words[2 * (i % 2) + 1] * 0x1p-32L + words[2 * (i % 2)] * 0x1p-64L;
            uint32_t document = (uint32_t)(u * DOCUMENTS);
            for (uint32_t t = 0; t < N; t++)
                if (w->document[t] == document) repeated[n++] = t;
        }
        ip_soft_figures *same = figures_of(w, repeated, repeated, n, NULL, 1);
        for (int v = 0; v <= SETS; v++)
            cr_assert_eq(figures[v].resampled[b], same[v].plain, "set %d, resample %u", v, b);
        free(same);
    }
    free(figures);
    free_world(w);
}

Test(resample, threads_do_not_show) {
    world *w = make_world();
    ip_resampling r = everything(w);
    uint32_t all[N];
    for (uint32_t i = 0; i < N; i++) all[i] = i;
    ip_soft_figures *one = figures_of(w, all, all, N, &r, 1), *five = figures_of(w, all, all, N, &r, 5);
    for (int v = 0; v <= SETS; v++) {
        cr_assert_eq(one[v].plain, five[v].plain);
        for (int g = 0; g < GROUPS; g++) cr_assert_eq(one[v].without[g], five[v].without[g]);
        for (int d = 0; d < NULLS; d++) cr_assert_eq(one[v].null[d], five[v].null[d]);
        for (int b = 0; b < DRAWN; b++) cr_assert_eq(one[v].resampled[b], five[v].resampled[b]);
    }
    free(one);
    free(five);
    free_world(w);
}

/* A group that holds every counted position leaves nothing: no figure without it, no interval. */
Test(resample, nothing_left_is_not_a_number) {
    world *w = make_world();
    uint16_t same[N] = {0};
    ip_resampling r = {.groups = 2, .group = same};
    uint32_t all[N];
    for (uint32_t i = 0; i < N; i++) all[i] = i;
    ip_soft_figures *figures = figures_of(w, all, all, N, &r, 2);
    cr_assert(isnan(figures[1].without[0]));
    cr_assert_eq(figures[1].without[1], figures[1].plain, "the other group is empty");
    ip_estimate e;
    ip_error error;
    cr_assert_eq(ip_estimate_make(&e, &figures[0], &figures[1], 5, &r, NULL, NULL, &error), IP_OK);
    cr_assert(isnan(e.low) && isnan(e.high) && isnan(e.corrected) && isfinite(e.I));
    free(figures);
    free_world(w);
}

/* ---- golden ---- */

typedef struct golden {
    ip_soft soft;
    ip_partition sets[3]; /* whole, few, zipf */
    ip_resampling resampling;
    ip_soft_figures *figures;
} golden;

static void read_partition(ip_partition *out, const char *path) {
    ip_npy npy;
    ip_error error;
    cr_assert_eq(ip_npy_open(&npy, path, &error), IP_OK);
    int64_t *values = malloc(npy.count * sizeof *values);
    for (uint64_t i = 0; i < npy.count; i++) values[i] = ip_npy_int(&npy, i);
    cr_assert_eq(ip_partition_from_values(out, values, npy.count, &error), IP_OK);
    free(values);
    ip_npy_close(&npy);
}

/* Set a of the golden vectors, m = 100, vmf-bound, resampled as settings say. */
static void run_golden(golden *g, const ip_settings *settings) {
    const ip_kernels *kernels;
    ip_error error = {0};
    ip_anchors anchors;
    ip_npy z, doc;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
    cr_assert_eq(ip_npy_open(&z, shared_path("golden/estimator/a/z.npy"), &error), IP_OK);
    cr_assert_eq(ip_npy_open(&doc, shared_path("golden/estimator/a/doc.npy"), &error), IP_OK);
    cr_assert_eq(ip_anchors_make(&anchors, 64, 0, 0, shared_path("golden/estimator/a/anchors_m100.npy"), IP_VMF_BOUND,
                                 kernels, &error),
                 IP_OK);
    size_t n = z.shape[0];
    float x[64], *p = malloc(32 * 112 * sizeof *p);
    void *work = aligned_alloc(64, (ip_assign_bytes(kernels, &anchors, 16) + 63) & ~(size_t)63);
    cr_assert_eq(ip_soft_open(&g->soft, n, 100, NULL, &error), IP_OK);
    cr_assert_eq(ip_resampling_open(&g->resampling, settings, n, 60, &error), IP_OK);
    for (size_t i = 0; i < n; i++) {
        size_t bad_row;
        int bad_kind;
        ip_npy_row_f32(&z, i, x);
        cr_assert(ip_anchors_assign(&anchors, kernels, x, 1, p, work, &bad_row, &bad_kind));
        cr_assert_eq(ip_soft_put(&g->soft, kernels, i, p, 1, &error), IP_OK);
        ip_resampling_set(&g->resampling, i, (size_t)ip_npy_int(&doc, i));
    }
    cr_assert_eq(ip_partition_whole(&g->sets[0], n, &error), IP_OK);
    read_partition(&g->sets[1], shared_path("golden/estimator/a/labels_few.npy"));
    read_partition(&g->sets[2], shared_path("golden/estimator/a/labels_zipf.npy"));
    const ip_partition *sets[3] = {&g->sets[0], &g->sets[1], &g->sets[2]};
    ip_pool *pool = ip_pool_create(2);
    cr_assert_eq(ip_soft_figures_open(&g->figures, 3, &g->resampling, &error), IP_OK);
    cr_assert_eq(ip_soft_estimate(&g->soft, kernels, pool, sets, 3, &g->resampling, g->figures, &error), IP_OK);
    ip_pool_destroy(pool);
    free(p);
    free(work);
    ip_anchors_free(&anchors);
    ip_npy_close(&z);
    ip_npy_close(&doc);
}

static void free_golden(golden *g) {
    free(g->figures);
    ip_resampling_close(&g->resampling, g->soft.positions);
    ip_soft_close(&g->soft);
    for (int v = 0; v < 3; v++) ip_partition_free(&g->sets[v]);
}

static double at(json_t *object, const char *key) {
    json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "%s", key);
    return json_number_value(value);
}

static void compare_jackknife(json_t *figures, const char *name, double theta, const double *without) {
    json_t *expected = json_object_get(figures, name), *parts = json_object_get(expected, "without_group");
    ip_interval i = ip_jackknife(theta, without, 20);
    const double got[] = {theta, i.se, i.bias, i.corrected, i.low, i.high};
    static const char *const keys[] = {"value", "standard_error", "bias", "corrected", "low", "high"};
    for (int k = 0; k < 6; k++)
        cr_assert(fabs(got[k] - at(expected, keys[k])) <= 1e-7, "%s %s: %.10f, golden %.10f", name, keys[k], got[k],
                  at(expected, keys[k]));
    for (size_t g = 0; g < 20; g++)
        cr_assert(fabs(without[g] - json_number_value(json_array_get(parts, g))) <= 1e-7, "%s without %zu", name, g);
}

Test(resample, golden_jackknife) {
    const char *path = shared_path("golden/estimator/jackknife.json");
    if (shared_missing(path)) return;
    json_t *root = json_load_file(path, 0, NULL), *expected = json_object_get(root, "figures");
    cr_assert(expected != NULL);
    ip_settings settings;
    ip_settings_default(&settings);
    cr_assert_eq(settings.groups, 20);
    golden g;
    run_golden(&g, &settings);
    const ip_soft_figures *f = g.figures;
    double context[20], few[20], zipf[20], difference[20];
    for (int i = 0; i < 20; i++) {
        context[i] = f[0].without[i] - f[3].without[i];
        few[i] = f[0].without[i] - f[1].without[i];
        zipf[i] = f[0].without[i] - f[2].without[i];
        difference[i] = few[i] - zipf[i];
    }
    compare_jackknife(expected, "H_Z", f[0].plain, f[0].without);
    compare_jackknife(expected, "context", f[0].plain - f[3].plain, context);
    compare_jackknife(expected, "I_few", f[0].plain - f[1].plain, few);
    compare_jackknife(expected, "I_zipf", f[0].plain - f[2].plain, zipf);
    compare_jackknife(expected, "I_few_minus_I_zipf", f[2].plain - f[1].plain, difference);
    free_golden(&g);
    json_decref(root);
}

Test(resample, golden_null_and_bootstrap) {
    const char *path = shared_path("golden/estimator/resampling.json");
    if (shared_missing(path)) return;
    json_t *root = json_load_file(path, 0, NULL);
    json_t *null = json_object_get(root, "null"), *bootstrap = json_object_get(root, "bootstrap");
    cr_assert(null && bootstrap);
    ip_settings settings;
    ip_settings_default(&settings);
    cr_assert_eq(settings.null, 4);
    settings.bootstrap = 1000;
    golden g;
    run_golden(&g, &settings);
    static const char *const names[] = {"few", "zipf"};
    for (int v = 0; v < 2; v++) {
        ip_estimate e;
        ip_error error;
        cr_assert_eq(ip_estimate_make(&e, &g.figures[0], &g.figures[1 + v], 0, &g.resampling, NULL, NULL, &error),
                     IP_OK);
        json_t *expected = json_object_get(null, names[v]);
        cr_assert(fabs(e.null - at(expected, "mean")) <= 5 * at(expected, "sd_of_the_mean_of_4"),
                  "%s: null %.6f, golden %.6f", names[v], e.null, at(expected, "mean"));
        json_t *drawn = json_object_get(bootstrap, v == 0 ? "I_few" : "I_zipf");
        json_t *quantiles = json_object_get(drawn, "quantiles"),
               *spread = json_object_get(drawn, "quantile_sd_at_1000_resamples");
        cr_assert(fabs(e.boot_low - at(quantiles, "0.025")) <= 5 * at(spread, "0.025"), "%s: %f", names[v], e.boot_low);
        cr_assert(fabs(e.boot_high - at(quantiles, "0.975")) <= 5 * at(spread, "0.975"), "%s: %f", names[v],
                  e.boot_high);
    }
    free_golden(&g);
    json_decref(root);
}

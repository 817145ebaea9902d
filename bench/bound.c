/* The bound, timed: a joint from triplets (.npy of integers x, y, counts), or a synthetic one as large as a corpus gives,
 * or both in turn with other programs (versus_embo.py). Prints each beta's point and the processor time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/npy.h"
#include "core/infoplane.h"
#include "core/numbers/philox.h"

static const char usage[] =
    "bench-bound X.npy Y.npy C.npy [options], or bench-bound --synthetic XS PAIRS [options]\n"
    "    [--bins 100] [--beta 1.01:100:40] [--effort normal] [--seed 0] [--threads N] [--isa NAME]";

typedef struct joint {
    uint32_t *x, *y;
    uint64_t *counts;
    size_t pairs;
} joint;

static uint64_t *read_integers(const char *path, size_t *n) {
    ip_npy npy;
    ip_error error;
    if (ip_npy_open(&npy, path, &error) != IP_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(IP_BAD_INPUT);
    }
    *n = npy.count;
    uint64_t *values = malloc(*n * sizeof *values);
    for (size_t i = 0; values && i < *n; i++) values[i] = (uint64_t)ip_npy_int(&npy, i);
    ip_npy_close(&npy);
    return values;
}

static joint read_joint(char **paths) {
    joint j = {0};
    size_t n[3];
    uint64_t *x = read_integers(paths[0], &n[0]), *y = read_integers(paths[1], &n[1]);
    j.counts = read_integers(paths[2], &n[2]);
    j.pairs = n[0];
    j.x = malloc(j.pairs * sizeof *j.x);
    j.y = malloc(j.pairs * sizeof *j.y);
    if (n[1] != n[0] || n[2] != n[0] || !x || !y || !j.counts || !j.x || !j.y) exit(IP_BAD_INPUT);
    for (size_t i = 0; i < j.pairs; i++) {
        j.x[i] = (uint32_t)x[i];
        j.y[i] = (uint32_t)y[i];
    }
    free(x);
    free(y);
    return j;
}

static uint64_t words_at(uint32_t i) {
    uint32_t words[4];
    ip_philox((uint32_t[4]){i, 0, 0, 99}, 1, words);
    return (uint64_t)words[0] << 32 | words[1];
}

static int by_pair(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* As text is: inputs of falling frequency (about 1/rank), topics that share their outputs in part; so many distinct
 * pairs, and every x in one of them at least. Most pairs occur once. */
static joint make_joint(size_t xs, size_t pairs) {
    joint j = {malloc(pairs * sizeof(uint32_t)), malloc(pairs * sizeof(uint32_t)), malloc(pairs * sizeof(uint64_t)), 0};
    uint64_t *keys = malloc(pairs * sizeof *keys);
    if (!j.x || !j.y || !j.counts || !keys) exit(IP_FAILED);
    size_t have = 0;
    for (uint32_t i = 0; have < pairs; i++) {
        uint64_t a = words_at(2 * i), b = words_at(2 * i + 1);
        double u = (double)(a >> 11) * 0x1p-53, v = (double)(b >> 11) * 0x1p-53;
        uint64_t x = i < xs ? i : (uint64_t)(exp(u * log((double)xs)) - 1),
                 y = (uint64_t)(exp(v * log((double)xs)) - 1);
        if (b & 3) y = (y / 300 * 300 + x % 300) % xs;
        keys[have++] = x << 32 | y;
        if (have < pairs) continue;
        qsort(keys, have, sizeof *keys, by_pair);
        size_t kept = 0;
        for (size_t k = 0; k < have; k++)
            if (k == 0 || keys[k] != keys[kept - 1]) keys[kept++] = keys[k];
        have = kept;
    }
    for (size_t k = 0; k < pairs; k++) {
        uint64_t draw = words_at(0x80000000u + (uint32_t)k);
        j.x[k] = (uint32_t)(keys[k] >> 32);
        j.y[k] = (uint32_t)keys[k];
        j.counts[k] = 1 + (draw & 3 ? 0 : (draw >> 3) % 7);
    }
    j.pairs = pairs;
    free(keys);
    return j;
}

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void print(const ip_bound_curve *c, double processor) {
    const double bit = 0.6931471805599453;
    printf("%llu x, %llu y, %llu pairs; merged %llu, %llu, %llu; %llu components\n", (unsigned long long)c->x,
           (unsigned long long)c->y, (unsigned long long)c->pairs, (unsigned long long)c->merged_x,
           (unsigned long long)c->merged_y, (unsigned long long)c->merged_pairs, (unsigned long long)c->components);
    printf("%14s %10s %10s %18s %10s %10s  kind\n", "beta", "I(X;Z)", "I(Y;Z)", "functional, nats", "tolerance",
           "spread");
    for (size_t i = 0; i < c->point_count; i++) {
        const ip_bound_point *p = &c->points[i];
        printf("%14.9g %10.6f %10.6f %18.12g %10.2g %10.2g  %s\n", p->beta, p->I_X / bit, p->I_Y / bit, p->functional,
               p->tolerance, p->spread, p->kind);
    }
    printf("%.2f s, processor %.2f s\n", c->seconds, processor);
}

int main(int argc, char **argv) {
    ip_settings settings;
    ip_settings_default(&settings);
    if (argc < 4) {
        fprintf(stderr, "%s\n", usage);
        return IP_USAGE;
    }
    bool synthetic = strcmp(argv[1], "--synthetic") == 0;
    for (int i = 4; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--bins") == 0) settings.bins = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--beta") == 0) settings.bound_betas = argv[i + 1];
        if (strcmp(argv[i], "--effort") == 0) settings.bound_effort = argv[i + 1];
        if (strcmp(argv[i], "--seed") == 0) settings.seed = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--threads") == 0) settings.threads = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--isa") == 0) settings.isa = argv[i + 1];
    }
    joint j = synthetic ? make_joint(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10)) : read_joint(argv + 1);
    ip_bound_curve *curve;
    ip_error error;
    double start = processor_seconds();
    ip_status status = ip_bound_joint(&curve, j.x, j.y, j.counts, NULL, j.pairs, NULL, 0, &settings, NULL, &error);
    if (status == IP_OK) {
        print(curve, processor_seconds() - start);
        ip_bound_curve_free(curve);
    } else {
        fprintf(stderr, "%s\n", error.message);
    }
    free(j.x);
    free(j.y);
    free(j.counts);
    return status;
}

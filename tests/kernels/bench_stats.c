/* Medians, order statistics, exact rank tests, resamples. */
#include "tests/kernels/bench_stats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/bench.h"

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sorted(double *out, const double *x, size_t n) {
    memcpy(out, x, n * sizeof *x);
    qsort(out, n, sizeof *out, ascending);
}

double bench_median(const double *x, size_t n) {
    double s[BENCH_SAMPLES];
    sorted(s, x, n);
    return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

void bench_median_interval(const double *x, size_t n, double *low, double *high) {
    double s[BENCH_SAMPLES];
    sorted(s, x, n);
    /* Below the median lie i of n samples with the chance C(n, i) / 2^n: what both ends leave out may be 5 %. */
    double chance = 1, left = 0;
    for (size_t i = 0; i < n; i++) chance /= 2;
    size_t rank = 0;
    for (; rank < n / 2; rank++) {
        left += chance;
        if (2 * left > 0.05) break;
        chance = chance * (double)(n - rank) / (double)(rank + 1);
    }
    rank = rank > 0 ? rank - 1 : 0;
    *low = s[rank];
    *high = s[n - 1 - rank];
}

double bench_above(const double *a, size_t na, const double *b, size_t nb) {
    double wins = 0;
    for (size_t i = 0; i < na; i++)
        for (size_t j = 0; j < nb; j++) wins += a[i] > b[j] ? 1 : a[i] == b[j] ? 0.5 : 0;
    /* Orders of the samples by how many pairs b wins: the coefficients of the product over i of
     * (1 - q^(nb + i)) / (1 - q^i), of which the low ones are needed (and are exact: whole numbers below 2^53, or too
     * large a share of the total for the last bit to matter). */
    size_t pairs = na * nb, lost = (size_t)((double)pairs - wins + 0.5);
    double ways[BENCH_SAMPLES * BENCH_SAMPLES + 1] = {1};
    for (size_t i = 1; i <= na; i++) {
        for (size_t u = pairs + 1; u-- > nb + i;) ways[u] -= ways[u - nb - i];
        for (size_t u = i; u <= pairs; u++) ways[u] += ways[u - i];
    }
    double all = 0, some = 0;
    for (size_t u = 0; u <= pairs; u++) {
        /* Symmetric: the upper half is read from the lower, where no differences of large numbers entered. */
        double w = ways[u < pairs - u ? u : pairs - u];
        all += w;
        if (u <= lost) some += w;
    }
    return some / all;
}

static uint64_t next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double resampled(const double *x, size_t n, uint64_t *state) {
    double s[BENCH_SAMPLES];
    for (size_t i = 0; i < n; i++) s[i] = x[next(state) % n];
    return bench_median(s, n);
}

void bench_ratio_interval(const double *a, size_t na, const double *b, size_t nb, double *low, double *high) {
    enum { RESAMPLES = 1000 };
    double ratios[RESAMPLES];
    uint64_t state = 1;
    for (size_t i = 0; i < RESAMPLES; i++) {
        double above = resampled(a, na, &state);
        ratios[i] = above / resampled(b, nb, &state);
    }
    qsort(ratios, RESAMPLES, sizeof *ratios, ascending);
    *low = ratios[RESAMPLES / 40 - 1];
    *high = ratios[RESAMPLES - RESAMPLES / 40];
}

void bench_adjust(double *p, size_t n) {
    double *s = malloc((n + 1) * sizeof *s);
    if (!s) abort(); /* a few kilobytes */
    sorted(s, p, n);
    /* q of the k-th smallest: the least of p[j] * n / j over j >= k. */
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n && s[k] < p[i]) k++;
        double q = 1;
        for (size_t j = k; j < n; j++) {
            double at = s[j] * (double)n / (double)(j + 1);
            q = at < q ? at : q;
        }
        p[i] = q;
    }
    free(s);
}

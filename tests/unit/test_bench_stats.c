/* The statistics of the kernel bench, against scipy and numpy on the same samples. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/kernels/bench_stats.h"

static const double a[] = {3.1, 4.7, 2.2, 5.9, 6.4, 3.8, 7.7}, b[] = {1.1, 2.9, 3.3, 0.4, 2.5, 4.1};

static void near(double got, double wanted) {
    cr_assert(fabs(got - wanted) <= 1e-12 * fabs(wanted), "%.17g %.17g", got, wanted);
}

Test(bench_stats, medians) {
    near(bench_median(a, 7), 4.7);
    near(bench_median(b, 6), 2.7);
    near(bench_median(b, 1), 1.1);
}

/* Ranks of the binomial law: 15 samples leave out three at each end (96.5 %), 9 leave out one, 6 none. */
Test(bench_stats, intervals_are_order_statistics) {
    double x[15], low, high;
    for (int i = 0; i < 15; i++) x[i] = (i * 7) % 15;
    bench_median_interval(x, 15, &low, &high);
    near(low, 3);
    near(high, 11);
    for (int i = 0; i < 9; i++) x[i] = (i * 5) % 9 + 1;
    bench_median_interval(x, 9, &low, &high);
    near(low, 2);
    near(high, 8);
    bench_median_interval(b, 6, &low, &high);
    near(low, 0.4);
    near(high, 4.1);
}

Test(bench_stats, mann_whitney_is_exact) {
    near(bench_above(a, 7, b, 6), 0.02564102564102564);
    near(bench_above(b, 6, a, 7), 0.9825174825174825);
    double high[15], low[15];
    for (int i = 0; i < 15; i++) high[i] = 100 + i, low[i] = i;
    near(bench_above(high, 15, low, 15), 6.44672503789385e-09); /* 1 of C(30, 15) orders */
    near(bench_above(low, 15, high, 15), 1);
    double many[30], more[30];
    for (int i = 0; i < 30; i++) many[i] = (i * 11) % 30, more[i] = (i * 7) % 30 - 5.5;
    near(bench_above(many, 30, more, 30), 0.013165980151289586);
}

/* Equal samples are no evidence either way. */
Test(bench_stats, ties_count_half) {
    double p = bench_above(a, 7, a, 7);
    cr_assert(p >= 0.5 && p < 0.6, "%g", p);
}

Test(bench_stats, benjamini_hochberg) {
    double p[] = {0.01, 0.04, 0.03, 0.005, 0.8};
    const double wanted[] = {0.025, 0.05, 0.05, 0.025, 0.8};
    bench_adjust(p, 5);
    for (int i = 0; i < 5; i++) near(p[i], wanted[i]);
}

Test(bench_stats, ratio_intervals) {
    double low, high, twice[7], same[3] = {2, 2, 2};
    for (int i = 0; i < 7; i++) twice[i] = 2 * a[i];
    bench_ratio_interval(same, 3, same, 3, &low, &high);
    near(low, 1);
    near(high, 1);
    bench_ratio_interval(twice, 7, a, 7, &low, &high);
    cr_assert(low < 2 && 2 < high && low > 0.8 && high < 5, "%g %g", low, high);
}

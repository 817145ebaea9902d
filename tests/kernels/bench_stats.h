/* Statistics of few samples: nothing is assumed about how times are distributed. */
#ifndef IP_TESTS_KERNELS_BENCH_STATS_H
#define IP_TESTS_KERNELS_BENCH_STATS_H

#include <stddef.h>

/* Samples are at most BENCH_SAMPLES, at least one. */
double bench_median(const double *x, size_t n);

/* The interval between two order statistics that holds the median with at least 95 % (the binomial law of how many
 * samples fall below it); the whole range where so few samples cannot promise that. */
void bench_median_interval(const double *x, size_t n, double *low, double *high);

/* Mann-Whitney, one-sided and exact: the chance that samples of one law give a at least so much above b. Ties count
 * half, rounded to the side of the larger chance. */
double bench_above(const double *a, size_t na, const double *b, size_t nb);

/* The 95 % percentile interval of median(a) / median(b) over resamples (1,000, a fixed seed). */
void bench_ratio_interval(const double *a, size_t na, const double *b, size_t nb, double *low, double *high);

/* Benjamini and Hochberg: p becomes the smallest rate of false discoveries at which it would be one. */
void bench_adjust(double *p, size_t n);

#endif

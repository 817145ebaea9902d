/* Statistics across models and runs: correlations, their p-values and intervals, pairs, multiple testing.
 *
 * Everything takes weights: how often each row counts (1 everywhere, a resample's multiplicities, 0 for rows left out).
 * So one formula serves the estimate, the bootstrap, the jackknife and the subsets. Deterministic: plain order of sums,
 * draws from Philox, no transcendental of libm.
 */
#ifndef IP_CORE_STATISTICS_H
#define IP_CORE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP_COVARIATES_MAX = 8, IP_EXACT_MAX = 9 /* rows up to which all n! orders are tried */ };

/* Two columns and what is held constant, with the room that the statistics need. Columns are borrowed. */
typedef struct ip_sample {
    size_t n;
    unsigned covariates;
    const double *column[2 + IP_COVARIATES_MAX]; /* x, y, covariates */
    uint32_t *order[2 + IP_COVARIATES_MAX];      /* rows by rising value, for ranks */
    double *work[2 + IP_COVARIATES_MAX];
    void *memory;
} ip_sample;

/* False: out of memory. Freed by ip_sample_free; safe on a zeroed one. */
bool ip_sample_open(ip_sample *sample, const double *x, const double *y, const double *const *covariates,
                    unsigned covariate_count, size_t n);
void ip_sample_free(ip_sample *sample);

/* Correlation of x and y, of what is left of them after least squares on [1, covariates]; ranked: of average ranks,
 * taken within the weighted rows. weights NULL: 1 each. NaN where a column (or what is left of it) is constant. */
double ip_sample_r(ip_sample *sample, bool ranked, const double *weights);

/* An interval. */
typedef struct ip_range {
    double low, high;
} ip_range;

/* Kendall's tau-b. */
double ip_kendall(const double *x, const double *y, size_t n);

/* 95 % interval of r by Fisher's z: atanh r -+ 1.96 / sqrt(n - covariates - 3); NaN where that is no number. */
ip_range ip_fisher_interval(double r, size_t n, unsigned covariates);

/* Two-sided permutation p of the plain correlation (no covariates). Up to IP_EXACT_MAX rows every order of y is tried:
 * p = hits / permutations. Above: p = (hits + 1) / (permutations + 1) over so many drawn ones. */
typedef struct ip_permutation {
    bool exact;
    uint64_t hits, permutations;
    double p;
} ip_permutation;
ip_permutation ip_permutation_p(ip_sample *sample, bool ranked, uint64_t draws, uint64_t seed);

/* Quantile q of sorted values, linear between order statistics (Hyndman and Fan's type 7). NaN without values. */
double ip_quantile(const double *sorted, size_t n, double q);
/* Quantiles 0.025 and 0.975 of what is finite among values, which are moved and sorted. */
ip_range ip_percentiles(double *values, size_t n);
/* Sorts in place, smallest first. */
void ip_sort_doubles(double *values, size_t n);

typedef struct ip_bootstrap {
    uint64_t resamples, degenerate; /* asked for; those without a value, left out */
    double mean, sd, z0, acceleration;
    double levels[2]; /* of the BCa interval */
    ip_range percentile, bca;
} ip_bootstrap;

/* Intervals from the values of resamples (sorted in place) and of the estimate without each row. */
ip_bootstrap ip_bootstrap_of(double theta, double *values, size_t count, const double *without, size_t n);
/* The same for ip_sample_r, resamples drawn by seed. False: out of memory. */
bool ip_sample_bootstrap(ip_bootstrap *out, ip_sample *sample, bool ranked, uint64_t resamples, uint64_t seed);

/* Benjamini and Hochberg: p[i] becomes the smallest rate of false discoveries at which i is one. NaN stay and do not
 * count. False: out of memory. */
bool ip_benjamini_hochberg(double *adjusted, const double *p, size_t n);

/* Two-sided sign test: P of a split at least as uneven as successes : failures, at one half each. */
double ip_sign_test(uint64_t successes, uint64_t failures);

/* Pairs of rows (i < j) of different families whose sizes differ by a factor of at most `ratio`. */
typedef struct ip_pair {
    uint32_t i, j;
} ip_pair;
/* All such pairs in row order, then which of them make the one-to-one list: sorted by (|log10 size_i - log10 size_j|,
 * i, j) and taken greedily, no row twice. Rows whose size is no positive number make none. *pairs and *matched are
 * malloc'ed; false: out of memory. */
bool ip_size_matched(const double *sizes, const uint32_t *family, size_t n, double ratio, ip_pair **pairs,
                     size_t *pair_count, ip_pair **matched, size_t *matched_count);

typedef struct ip_pair_figures {
    uint64_t pairs, concordant, discordant;
    double share;    /* concordant of those that are not tied */
    double r_origin; /* correlation of the differences through the origin */
} ip_pair_figures;
/* Pairs with a value that is NaN are left out. */
ip_pair_figures ip_pair_agreement(const ip_pair *pairs, size_t count, const double *x, const double *y);

#endif

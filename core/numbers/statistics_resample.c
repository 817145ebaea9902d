/* Permutations and resamples of rows: exact p-values for few rows, drawn ones for many, bootstrap intervals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/numbers/philox.h"
#include "core/numbers/special.h"
#include "core/numbers/statistics.h"

/* Whole numbers below a bound from the words of one row of draws. */
typedef struct draws {
    uint64_t seed;
    uint32_t row, purpose, block, left, words[4];
} draws;

static uint32_t draw_below(draws *d, uint32_t bound) {
    if (d->left == 0) {
        ip_philox((uint32_t[4]){d->block++, d->row, 0, d->purpose}, d->seed, d->words);
        d->left = 4;
    }
    return (uint32_t)((uint64_t)d->words[4 - d->left--] * bound >> 32);
}

/* ---- permutations ---- */

/* What one order of y is judged by: |sum x y[order]| against the observed one, rounding forgiven. */
typedef struct judge {
    const double *x;
    size_t n;
    double least;
} judge;

static bool hit(const judge *j, const double *y) {
    double sum = 0.0;
    for (size_t i = 0; i < j->n; i++) sum += j->x[i] * y[i];
    return fabs(sum) >= j->least;
}

/* Every order of y by Heap's method, which swaps two places from one to the next. */
static void every_order(const judge *j, double *y, ip_permutation *out) {
    size_t counter[IP_EXACT_MAX] = {0}, i = 1;
    out->permutations = 1;
    out->hits = hit(j, y);
    while (i < j->n) {
        if (counter[i] >= i) {
            counter[i++] = 0;
            continue;
        }
        size_t other = i % 2 == 0 ? 0 : counter[i];
        double kept = y[i];
        y[i] = y[other];
        y[other] = kept;
        out->permutations++;
        out->hits += hit(j, y);
        counter[i]++;
        i = 1;
    }
}

static void drawn_orders(const judge *j, double *y, uint64_t count, uint64_t seed, ip_permutation *out) {
    for (uint64_t k = 0; k < count; k++) {
        draws d = {.seed = seed, .row = (uint32_t)k, .purpose = IP_DRAW_ROW_ORDER};
        for (size_t i = j->n - 1; i > 0; i--) {
            size_t other = draw_below(&d, (uint32_t)(i + 1));
            double kept = y[i];
            y[i] = y[other];
            y[other] = kept;
        }
        out->hits += hit(j, y);
    }
    out->permutations = count;
}

ip_permutation ip_permutation_p(ip_sample *sample, bool ranked, uint64_t count, uint64_t seed) {
    ip_permutation out = {.exact = sample->n <= IP_EXACT_MAX, .p = NAN};
    double r = ip_sample_r(sample, ranked, NULL);
    if (isnan(r) || sample->n < 3) return out;
    /* ip_sample_r left both columns centred; y is put in order after order. */
    double *x = sample->work[0], *y = sample->work[1], xx = 0.0, yy = 0.0;
    for (size_t i = 0; i < sample->n; i++) {
        xx += x[i] * x[i];
        yy += y[i] * y[i];
    }
    judge j = {x, sample->n, (fabs(r) - 1e-12) * sqrt(xx * yy)};
    if (out.exact) {
        every_order(&j, y, &out);
        out.p = (double)out.hits / (double)out.permutations;
    } else if (count > 0) {
        drawn_orders(&j, y, count, seed, &out);
        out.p = ((double)out.hits + 1.0) / ((double)out.permutations + 1.0);
    }
    return out;
}

/* ---- bootstrap ---- */

/* From the jackknife: sum u^3 / (6 (sum u^2)^1.5), u = mean - value. */
static double acceleration_of(const double *without, size_t n) {
    double mean = 0.0, squares = 0.0, cubes = 0.0;
    for (size_t i = 0; i < n; i++) mean += without[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        double u = mean - without[i];
        squares += u * u;
        cubes += u * u * u;
    }
    return cubes / (6.0 * squares * sqrt(squares));
}

ip_range ip_percentiles(double *values, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i])) values[kept++] = values[i];
    ip_sort_doubles(values, kept);
    return (ip_range){ip_quantile(values, kept, 0.025), ip_quantile(values, kept, 0.975)};
}

ip_bootstrap ip_bootstrap_of(double theta, double *values, size_t count, const double *without, size_t n) {
    ip_bootstrap out = {.resamples = count, .z0 = NAN, .acceleration = NAN, .levels = {NAN, NAN}};
    out.bca = out.percentile = (ip_range){NAN, NAN};
    size_t below = 0, equal = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) values[kept++] = values[i];
    out.degenerate = count - kept;
    ip_sort_doubles(values, kept);
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < kept; i++) {
        sum += values[i];
        below += values[i] < theta;
        equal += values[i] == theta;
    }
    out.mean = kept > 0 ? sum / (double)kept : NAN;
    for (size_t i = 0; i < kept; i++) squares += (values[i] - out.mean) * (values[i] - out.mean);
    out.sd = kept > 0 ? sqrt(squares / (double)kept) : NAN;
    out.percentile = (ip_range){ip_quantile(values, kept, 0.025), ip_quantile(values, kept, 0.975)};
    out.z0 = kept > 0 ? ip_normal_quantile(((double)below + 0.5 * (double)equal) / (double)kept) : NAN;
    out.acceleration = acceleration_of(without, n);
    for (int side = 0; side < 2; side++) {
        double z = out.z0 + ip_normal_quantile(side == 0 ? 0.025 : 0.975);
        double level = ip_normal_cdf(out.z0 + z / (1.0 - out.acceleration * z));
        out.levels[side] = isfinite(out.z0) && isfinite(out.acceleration) ? level : NAN;
    }
    out.bca = (ip_range){ip_quantile(values, kept, out.levels[0]), ip_quantile(values, kept, out.levels[1])};
    return out;
}

bool ip_sample_bootstrap(ip_bootstrap *out, ip_sample *sample, bool ranked, uint64_t resamples, uint64_t seed) {
    size_t n = sample->n;
    double *values = malloc((resamples + n + n + 1) * sizeof *values);
    if (!values) return false;
    double *without = values + resamples, *weights = without + n;
    double theta = ip_sample_r(sample, ranked, NULL);
    for (size_t i = 0; i < n; i++) weights[i] = 1.0;
    for (size_t i = 0; i < n; i++) {
        weights[i] = 0.0;
        without[i] = ip_sample_r(sample, ranked, weights);
        weights[i] = 1.0;
    }
    for (uint64_t b = 0; b < resamples; b++) {
        draws d = {.seed = seed, .row = (uint32_t)b, .purpose = IP_DRAW_ROW_RESAMPLE};
        memset(weights, 0, n * sizeof *weights);
        for (size_t i = 0; i < n; i++) weights[draw_below(&d, (uint32_t)n)] += 1.0;
        values[b] = ip_sample_r(sample, ranked, weights);
    }
    *out = ip_bootstrap_of(theta, values, (size_t)resamples, without, n);
    free(values);
    return true;
}

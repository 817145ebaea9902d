/* Correlations of weighted rows, plain, of ranks and partial; Fisher's interval; quantiles. */
#include "core/numbers/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/numbers/special.h"

/* ---- sorting ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void ip_sort_doubles(double *values, size_t n) { qsort(values, n, sizeof *values, by_value); }

typedef struct keyed {
    double value;
    uint32_t row;
} keyed;

static int by_key(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* ---- samples ---- */

bool ip_sample_open(ip_sample *sample, const double *x, const double *y, const double *const *covariates,
                    unsigned covariate_count, size_t n) {
    memset(sample, 0, sizeof *sample);
    size_t columns = 2 + covariate_count;
    sample->n = n;
    sample->covariates = covariate_count;
    /* keys, then work columns, then orders */
    char *memory = malloc((n + 1) * (sizeof(keyed) + columns * (sizeof(double) + sizeof(uint32_t))));
    if (!memory) return false;
    sample->memory = memory;
    keyed *keys = (keyed *)(void *)memory;
    double *work = (double *)(void *)(keys + n);
    uint32_t *order = (uint32_t *)(void *)(work + columns * n);
    for (size_t c = 0; c < columns; c++) {
        sample->column[c] = c == 0 ? x : c == 1 ? y : covariates[c - 2];
        sample->work[c] = work + c * n;
        sample->order[c] = order + c * n;
        for (size_t i = 0; i < n; i++) keys[i] = (keyed){sample->column[c][i], (uint32_t)i};
        qsort(keys, n, sizeof *keys, by_key);
        for (size_t i = 0; i < n; i++) sample->order[c][i] = keys[i].row;
    }
    return true;
}

void ip_sample_free(ip_sample *sample) {
    free(sample->memory);
    memset(sample, 0, sizeof *sample);
}

/* Average ranks among the weighted rows, from 1: rows of equal value share the middle of the places they take. */
static void ranks(double *out, const double *values, const uint32_t *order, const double *weights, size_t n) {
    double below = 0.0;
    for (size_t i = 0, j; i < n; i = j) {
        double here = 0.0;
        for (j = i; j < n && values[order[j]] == values[order[i]]; j++) here += weights ? weights[order[j]] : 1.0;
        for (size_t k = i; k < j; k++) out[order[k]] = below + 0.5 * (here + 1.0);
        below += here;
    }
}

static double product(const double *a, const double *b, const double *weights, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (weights ? weights[i] : 1.0) * a[i] * b[i];
    return sum;
}

/* Takes the mean off in two passes, the second for what rounding left of it. False where nothing but rounding is left. */
static bool centre(double *a, const double *weights, size_t n) {
    double whole = product(a, a, weights, n), all = 0.0;
    for (size_t i = 0; i < n; i++) all += weights ? weights[i] : 1.0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) sum += (weights ? weights[i] : 1.0) * a[i];
        for (size_t i = 0; i < n; i++) a[i] -= sum / all;
    }
    return product(a, a, weights, n) > 1e-28 * whole;
}

/* Projects what covariate c spans out of a column; twice, as one pass leaves rounding of the part removed. */
static void project_out(double *a, const double *covariate, double norm, const double *weights, size_t n) {
    for (int pass = 0; pass < 2; pass++) {
        double share = product(a, covariate, weights, n) / norm;
        for (size_t i = 0; i < n; i++) a[i] -= share * covariate[i];
    }
}

/* Fills the work columns of x and y with their centred values, covariates taken out. False: one is constant. */
static bool residuals(ip_sample *s, bool ranked, const double *weights) {
    size_t n = s->n;
    unsigned columns = 2 + s->covariates;
    double before[2];
    for (unsigned c = 0; c < columns; c++) {
        if (ranked) {
            ranks(s->work[c], s->column[c], s->order[c], weights, n);
        } else {
            memcpy(s->work[c], s->column[c], n * sizeof(double));
        }
        bool varies = centre(s->work[c], weights, n);
        if (!varies && c < 2) return false;
        if (c < 2) before[c] = product(s->work[c], s->work[c], weights, n);
    }
    /* Gram-Schmidt over the covariates; one that the others already span adds nothing. */
    for (unsigned c = 2; c < columns; c++) {
        double whole = product(s->work[c], s->work[c], weights, n);
        for (unsigned d = 2; d < c; d++) {
            double norm = product(s->work[d], s->work[d], weights, n);
            if (norm > 0.0) project_out(s->work[c], s->work[d], norm, weights, n);
        }
        double norm = product(s->work[c], s->work[c], weights, n);
        if (!(norm > 1e-24 * whole)) memset(s->work[c], 0, n * sizeof(double));
    }
    for (unsigned c = 2; c < columns; c++) {
        double norm = product(s->work[c], s->work[c], weights, n);
        for (unsigned v = 0; v < 2 && norm > 0.0; v++) project_out(s->work[v], s->work[c], norm, weights, n);
    }
    for (unsigned v = 0; v < 2; v++)
        if (!(product(s->work[v], s->work[v], weights, n) > 1e-24 * before[v])) return false;
    return true;
}

double ip_sample_r(ip_sample *sample, bool ranked, const double *weights) {
    if (!residuals(sample, ranked, weights)) return NAN;
    const double *x = sample->work[0], *y = sample->work[1];
    size_t n = sample->n;
    return product(x, y, weights, n) / sqrt(product(x, x, weights, n) * product(y, y, weights, n));
}

/* ---- further figures ---- */

double ip_kendall(const double *x, const double *y, size_t n) {
    uint64_t same = 0, opposite = 0, tied_x = 0, tied_y = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            int a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
            same += a * b > 0;
            opposite += a * b < 0;
            tied_x += a == 0 && b != 0;
            tied_y += b == 0 && a != 0;
        }
    }
    double c = (double)same, d = (double)opposite;
    double places = (c + d + (double)tied_x) * (c + d + (double)tied_y);
    return places > 0.0 ? (c - d) / sqrt(places) : NAN;
}

ip_range ip_fisher_interval(double r, size_t n, unsigned covariates) {
    double free_rows = (double)n - (double)covariates - 3.0;
    if (!(free_rows > 0.0) || !(fabs(r) < 1.0)) return (ip_range){NAN, NAN};
    double z = ip_atanh(r), reach = ip_normal_quantile(0.975) / sqrt(free_rows);
    return (ip_range){ip_tanh(z - reach), ip_tanh(z + reach)};
}

double ip_quantile(const double *sorted, size_t n, double q) {
    if (n == 0 || !(q >= 0.0 && q <= 1.0)) return NAN;
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n) return sorted[n - 1];
    double step = sorted[below + 1] - sorted[below], share = at - (double)below;
    /* from the nearer end, as numpy does */
    return share < 0.5 ? sorted[below] + step * share : sorted[below + 1] - step * (1.0 - share);
}

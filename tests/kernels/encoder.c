/* The kernels of Blahut-Arimoto (double), compared with scalar. */
#include <math.h>
#include <string.h>

#include "tests/kernels/check.h"

enum { SLOT_A, SLOT_B, SLOT_C, SLOT_D, SLOT_GOT, SLOT_WANT, WIDTHS = 12 };

/* Codewords side by side: every multiple of 16 up to 160, then wider ones. */
static size_t width_of(size_t i) { return i < 10 ? 16 * (i + 1) : i == 10 ? 512 : 1008; }

/* Doubles of a size from 2^-range to 2^range, of both signs if `both`; some are zero. */
static void fill_doubles(check *c, double *out, size_t n, unsigned range, bool both) {
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = random_bits(c);
        double u = (double)(bits >> 11) * 0x1p-53;
        int exponent = (int)random_below(c, 2 * range + 1) - (int)range;
        out[i] = random_below(c, 16) == 0 ? 0.0 : ldexp(both && bits & 1 ? -u : u, exponent);
    }
}

static void case_mix(check *c, size_t width, size_t n, bool at_end) {
    size_t rows = 1 + random_below(c, 40);
    double *table = slot(SLOT_A, rows * width * sizeof(double), at_end);
    double *weights = slot(SLOT_B, n * sizeof(double), at_end);
    uint32_t *index = slot(SLOT_C, n * sizeof(uint32_t), at_end);
    double *got = slot(SLOT_GOT, width * sizeof(double), at_end),
           *want = slot(SLOT_WANT, width * sizeof(double), at_end);
    fill_doubles(c, table, rows * width, 300, true);
    fill_doubles(c, weights, n, 60, false);
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)random_below(c, rows);
    c->law->mix_f64(want, table, width, index, weights, n);
    c->kernels->mix_f64(got, table, width, index, weights, n);
    check_words(c, got, want, 2 * width);
}

void check_mix_f64(check *c) {
    for (size_t i = 0; i < WIDTHS; i++) {
        for (size_t n = 0; n < 20; n++) {
            check_case(c, "width %zu, %zu rows", width_of(i), n);
            case_mix(c, width_of(i), n, n % 2);
            slots_check(c);
        }
    }
}

void check_log_f64(check *c) {
    for (size_t i = 0; i < 8 * WIDTHS; i++) {
        size_t n = width_of(i % WIDTHS);
        check_case(c, "case %zu, n %zu", i, n);
        double *x = slot(SLOT_A, n * sizeof(double), i % 2), *shift = slot(SLOT_B, n * sizeof(double), i % 2);
        double *got = slot(SLOT_GOT, n * sizeof(double), i % 2), *want = slot(SLOT_WANT, n * sizeof(double), i % 2);
        fill_doubles(c, x, n, i % 3 ? 40 : 1020, false);
        fill_doubles(c, shift, n, 8, true);
        c->law->log_f64(want, x, shift, n);
        c->kernels->log_f64(got, x, shift, n);
        check_words(c, got, want, 2 * n);
        c->kernels->log_f64(x, x, shift, n);
        check_words(c, x, want, 2 * n);
        slots_check(c);
    }
}

void check_encode_f64(check *c) {
    for (size_t i = 0; i < 8 * WIDTHS; i++) {
        size_t n = width_of(i % WIDTHS);
        check_case(c, "case %zu, n %zu", i, n);
        double *q = slot(SLOT_A, n * sizeof(double), i % 2), *bias = slot(SLOT_B, n * sizeof(double), i % 2);
        double *got = slot(SLOT_GOT, n * sizeof(double), i % 2), *want = slot(SLOT_WANT, n * sizeof(double), i % 2);
        fill_doubles(c, q, n, i % 4 == 0 ? 12 : 3, true);
        fill_doubles(c, bias, n, 6, true);
        for (size_t j = n - random_below(c, 16); j < n; j++) bias[j] = -1e300;
        double factor = 1.0 + (double)random_below(c, 400) * 0.25;
        memcpy(got, q, n * sizeof(double));
        memcpy(want, q, n * sizeof(double));
        double a = c->law->encode_f64(want, bias, factor, n), b = c->kernels->encode_f64(got, bias, factor, n);
        check_words(c, got, want, 2 * n);
        check_words(c, &b, &a, 2);
        slots_check(c);
    }
}

/* Kernels along rows, compared with scalar. */
#include <math.h>
#include <string.h>

#include "arch/bits.h"
#include "tests/kernels/check.h"

enum { SLOT_A, SLOT_B, SLOT_C, SLOT_GOT, SLOT_WANT, SHORT = 100 };

/* Lengths: every one up to SHORT, then widths of real models. */
static size_t length(size_t i) {
    static const size_t models[] = {576, 896, 1536, 4096, 4099};
    return i < SHORT ? i + 1 : models[i - SHORT];
}

enum { LENGTHS = SHORT + 5 };

static float *floats(check *c, unsigned index, size_t n, bool at_end, kind k) {
    float *p = slot(index, n * sizeof(float), at_end);
    fill_floats(c, k, p, n);
    return p;
}

static float *copy_of(unsigned index, const float *p, size_t n, bool at_end) {
    float *copy = slot(index, n * sizeof(float), at_end);
    memcpy(copy, p, n * sizeof(float));
    return copy;
}

/* One case of a kernel: n elements of a kind; i counts the cases. */
typedef void (*row_case)(check *c, size_t n, kind k, bool at_end, size_t i);

static void each_case(check *c, row_case body) {
    for (size_t i = 0; i < LENGTHS * KINDS; i++) {
        size_t n = length(i / KINDS);
        kind k = (kind)(i % KINDS);
        check_case(c, "n %zu, %s", n, kind_name(k));
        body(c, n, k, i % 2, i);
        slots_check(c);
    }
}

static void case_rms_norm(check *c, size_t n, kind k, bool at_end, size_t i) {
    float *x = floats(c, SLOT_A, n, at_end, k), *gain = floats(c, SLOT_B, n, at_end, KIND_NORMAL);
    float *got = slot(SLOT_GOT, n * sizeof(float), at_end), *want = slot(SLOT_WANT, n * sizeof(float), at_end);
    float eps = i % 3 ? 1e-5f : 0.0f;
    if (i % 11 == 0) x[random_below(c, n)] = i % 2 ? INFINITY : NAN;
    int flag = c->law->rms_norm(want, x, gain, n, eps);
    check_that(c, c->kernels->rms_norm(got, x, gain, n, eps) == flag, "the flag differs");
    if (flag == 0 && (eps > 0.0f || k != KIND_TINY)) {
        check_words(c, got, want, n);
        c->kernels->rms_norm(x, x, gain, n, eps);
        check_words(c, x, want, n);
    }
}

void check_rms_norm(check *c) { each_case(c, case_rms_norm); }

static void case_layer_norm(check *c, size_t n, kind k, bool at_end, size_t i) {
    float *x = floats(c, SLOT_A, n, at_end, k), *gain = floats(c, SLOT_B, n, at_end, KIND_NORMAL);
    float *bias = i % 2 ? floats(c, SLOT_C, n, at_end, KIND_NORMAL) : NULL;
    float *got = slot(SLOT_GOT, n * sizeof(float), at_end), *want = slot(SLOT_WANT, n * sizeof(float), at_end);
    if (i % 11 == 0) x[random_below(c, n)] = i % 2 ? INFINITY : NAN;
    int flag = c->law->layer_norm(want, x, gain, bias, n, 1e-5f);
    check_that(c, c->kernels->layer_norm(got, x, gain, bias, n, 1e-5f) == flag, "the flag differs");
    if (flag != 0) return;
    check_words(c, got, want, n);
    c->kernels->layer_norm(x, x, gain, bias, n, 1e-5f);
    check_words(c, x, want, n);
}

void check_layer_norm(check *c) { each_case(c, case_layer_norm); }

static const float xielu_numbers[4] = {0.8f, 1.1f, 0.5f, -1e-6f};

static void case_activate(check *c, size_t n, kind k, bool at_end, size_t i) {
    float *gate = floats(c, SLOT_A, n, at_end, k), *up = floats(c, SLOT_B, n, at_end, k);
    float *got = slot(SLOT_GOT, n * sizeof(float), at_end), *want = slot(SLOT_WANT, n * sizeof(float), at_end);
    size_t shift = 1 + i % 40;
    for (ip_activation a = IP_ACT_SILU; a <= IP_ACT_CLAMPED; a++) {
        const float *second = i % 2 || a == IP_ACT_CLAMPED ? up : NULL;
        c->law->activate(want, gate, second, n, a, xielu_numbers);
        c->kernels->activate(got, gate, second, n, a, xielu_numbers);
        check_words(c, got, want, n);
        /* In front of its gates, by any number of elements, as rows that close up. */
        float *both = slot(SLOT_C, (n + shift) * sizeof(float), at_end);
        memcpy(both + shift, gate, n * sizeof(float));
        c->kernels->activate(both, both + shift, second, n, a, xielu_numbers);
        check_words(c, both, want, n);
        float *same = copy_of(SLOT_C, gate, n, at_end);
        c->kernels->activate(same, same, second, n, a, xielu_numbers);
        check_words(c, same, want, n);
    }
}

void check_activate(check *c) {
    each_case(c, case_activate);
    size_t n = c->quick ? 1 << 12 : 1 << 18;
    check_case(c, "sweep of %zu gates", n);
    float *gate = slot(SLOT_A, n * sizeof(float), true), *up = slot(SLOT_B, n * sizeof(float), true);
    float *got = slot(SLOT_GOT, n * sizeof(float), true), *want = slot(SLOT_WANT, n * sizeof(float), true);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)random_bits(c);
        gate[i] = i % 2 ? random_normal(c) * 40.0f : ip_f32_from_bits((bits & 0x7f800000u) == 0x7f800000u ? i : bits);
        up[i] = 1.0f;
    }
    c->law->activate(want, gate, up, n, IP_ACT_SILU, NULL);
    c->kernels->activate(got, gate, up, n, IP_ACT_SILU, NULL);
    check_words(c, got, want, n);
    slots_check(c);
}

static void case_soft_cap(check *c, size_t n, kind k, bool at_end, size_t i) {
    float *x = floats(c, SLOT_A, n, at_end, k);
    float *got = copy_of(SLOT_GOT, x, n, at_end), *want = copy_of(SLOT_WANT, x, n, at_end);
    float cap = i % 2 ? 30.0f : 0.0f;
    c->law->soft_cap(want, n, 0.0625f, cap);
    c->kernels->soft_cap(got, n, 0.0625f, cap);
    check_words(c, got, want, n);
}

void check_soft_cap(check *c) { each_case(c, case_soft_cap); }

static void case_rope(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    float *x = floats(c, SLOT_A, 2 * n, at_end, k);
    float *cosine = floats(c, SLOT_B, n, at_end, KIND_NORMAL), *sine = floats(c, SLOT_C, n, at_end, KIND_NORMAL);
    float *got = copy_of(SLOT_GOT, x, 2 * n, at_end), *want = copy_of(SLOT_WANT, x, 2 * n, at_end);
    c->law->rope(want, cosine, sine, n);
    c->kernels->rope(got, cosine, sine, n);
    check_words(c, got, want, 2 * n);
}

void check_rope(check *c) { each_case(c, case_rope); }

static void case_add(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    float *x = floats(c, SLOT_A, n, at_end, k), *y = floats(c, SLOT_B, n, at_end, k);
    float *got = copy_of(SLOT_GOT, x, n, at_end), *want = copy_of(SLOT_WANT, x, n, at_end);
    c->law->add(want, y, n);
    c->kernels->add(got, y, n);
    check_words(c, got, want, n);
}

void check_add(check *c) { each_case(c, case_add); }

static void case_round_bf16(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    float *x = floats(c, SLOT_A, n, at_end, k);
    for (size_t e = 0; e < n; e += 3) {
        uint32_t bits = (uint32_t)random_bits(c); /* any bits: NaN and infinity too; some on the tie */
        x[e] = ip_f32_from_bits(e % 2 ? bits : (bits & 0xffff0000u) | 0x8000u);
    }
    float *got = copy_of(SLOT_GOT, x, n, at_end), *want = copy_of(SLOT_WANT, x, n, at_end);
    c->law->round_bf16(want, n);
    c->kernels->round_bf16(got, n);
    check_words(c, got, want, n);
}

void check_round_bf16(check *c) { each_case(c, case_round_bf16); }

static void case_unit(check *c, size_t n, kind k, bool at_end, size_t i) {
    float *z = floats(c, SLOT_A, n, at_end, k);
    if (i % 13 == 0) z[random_below(c, n)] = i % 2 ? INFINITY : NAN;
    if (i % 17 == 0) memset(z, 0, n * sizeof(float));
    float *got = slot(SLOT_GOT, n * sizeof(float), at_end), *want = slot(SLOT_WANT, n * sizeof(float), at_end);
    int status = c->law->unit(want, z, n);
    check_that(c, c->kernels->unit(got, z, n) == status, "the status differs");
    check_words(c, got, want, n);
}

void check_unit(check *c) { each_case(c, case_unit); }

static size_t lanes_up(size_t n) { return (n + IP_LANES - 1) / IP_LANES * IP_LANES; }

static void case_soft_assign(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    if (k == KIND_LARGE) return; /* exponents beyond every float: nothing but 0 and 1 */
    float *dots = floats(c, SLOT_A, lanes_up(n), at_end, k);
    float *got = slot(SLOT_GOT, lanes_up(n) * sizeof(float), at_end);
    float *want = slot(SLOT_WANT, lanes_up(n) * sizeof(float), at_end);
    for (size_t e = n; e < lanes_up(n); e++) dots[e] = NAN;
    float factor = (float)(1 + random_below(c, 2000)) * 0.01f;
    c->law->soft_assign(want, dots, n, factor);
    c->kernels->soft_assign(got, dots, n, factor);
    check_words(c, got, want, lanes_up(n));
    c->kernels->soft_assign(dots, dots, n, factor);
    check_words(c, dots, want, lanes_up(n));
}

void check_soft_assign(check *c) { each_case(c, case_soft_assign); }

/* An assignment: n probabilities, with zeros up to a multiple of 16 behind them. */
static float *assignment(check *c, unsigned index, size_t n, bool at_end, kind k) {
    float *p = slot(index, lanes_up(n) * sizeof(float), at_end);
    float dots[4112];
    fill_floats(c, k == KIND_LARGE ? KIND_NORMAL : k, dots, n);
    c->law->soft_assign(p, dots, n, k == KIND_LARGE ? 200.0f : 1.0f);
    return p;
}

static void case_entropy_row(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    const float *p = assignment(c, SLOT_A, n, at_end, k);
    int64_t got = c->kernels->entropy_row(p, n), want = c->law->entropy_row(p, n);
    check_that(c, got == want, "%lld instead of %lld", (long long)got, (long long)want);
}

void check_entropy_row(check *c) { each_case(c, case_entropy_row); }

static void case_sum_gather(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    if (n > 2000) return;
    float *rows = slot(SLOT_A, n * IP_LANES * sizeof(float), at_end);
    uint32_t *positions = slot(SLOT_B, n * sizeof(uint32_t), at_end);
    uint64_t *got = slot(SLOT_GOT, IP_LANES * sizeof(uint64_t), at_end);
    uint64_t *want = slot(SLOT_WANT, IP_LANES * sizeof(uint64_t), at_end);
    for (size_t e = 0; e < n; e++) {
        positions[e] = (uint32_t)random_below(c, n);
        for (size_t j = 0; j < IP_LANES; j++) {
            uint64_t bits = random_bits(c);
            float u = (float)(uint32_t)bits * 0x1p-32f;
            rows[e * IP_LANES + j] = k == KIND_EQUAL ? 1.0f : k == KIND_TINY ? ldexpf(u, -(int)(bits >> 58)) : u;
        }
    }
    for (size_t j = 0; j < IP_LANES; j++) got[j] = want[j] = random_bits(c) >> 12;
    c->law->sum_gather(want, rows, positions, n);
    c->kernels->sum_gather(got, rows, positions, n);
    check_words(c, got, want, 2 * IP_LANES);
}

void check_sum_gather(check *c) { each_case(c, case_sum_gather); }

static void case_entropy_sums(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    uint64_t *sums = slot(SLOT_A, n * sizeof(uint64_t), at_end), count = 1 + random_below(c, 100000), total = 0;
    const float *p = assignment(c, SLOT_B, n, at_end, k);
    for (size_t e = 0; e < n; e++) {
        sums[e] = (uint64_t)((double)p[e] * 0x1p32 * (double)count);
        if (random_below(c, 4) == 0) sums[e] = 0;
        total += sums[e];
    }
    int64_t got = c->kernels->entropy_sums(sums, count, n), want = c->law->entropy_sums(sums, count, n);
    check_that(c, got == want, "%lld instead of %lld", (long long)got, (long long)want);
    /* One anchor that holds any whole number below 2^53: conversion and log at all magnitudes. */
    memset(sums, 0, n * sizeof(uint64_t));
    sums[random_below(c, n)] = (total | random_bits(c)) >> (11 + random_below(c, 53));
    got = c->kernels->entropy_sums(sums, count, n);
    want = c->law->entropy_sums(sums, count, n);
    check_that(c, got == want, "%lld instead of %lld for one anchor", (long long)got, (long long)want);
}

void check_entropy_sums(check *c) { each_case(c, case_entropy_sums); }

static void case_log_sum_exp(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    float *logits = floats(c, SLOT_A, n, at_end, k);
    ip_lse got = {-INFINITY, 0.0}, want = got;
    for (size_t first = 0; first < n; first += 1 + n / 3) {
        size_t left = n - first, panel = left < 1 + n / 3 ? left : 1 + n / 3;
        c->law->log_sum_exp(&want, logits + first, panel);
        c->kernels->log_sum_exp(&got, logits + first, panel);
    }
    check_words(c, &got.max, &want.max, 1);
    check_words(c, &got.sum, &want.sum, 2);
}

void check_log_sum_exp(check *c) { each_case(c, case_log_sum_exp); }

static void case_lse_entropy(check *c, size_t n, kind k, bool at_end, size_t i) {
    (void)i;
    float *logits = floats(c, SLOT_A, n, at_end, k);
    ip_lse got = {-INFINITY, 0.0}, want = got, alone = got;
    double weighted = 0.0, wanted = 0.0;
    for (size_t first = 0; first < n; first += 1 + n / 3) {
        size_t left = n - first, panel = left < 1 + n / 3 ? left : 1 + n / 3;
        c->law->lse_entropy(&want, &wanted, logits + first, panel);
        c->kernels->lse_entropy(&got, &weighted, logits + first, panel);
        c->law->log_sum_exp(&alone, logits + first, panel);
    }
    check_words(c, &got.max, &want.max, 1);
    check_words(c, &got.sum, &want.sum, 2);
    check_words(c, &weighted, &wanted, 2);
    check_words(c, &want.max, &alone.max, 1);
    check_words(c, &want.sum, &alone.sum, 2);
    check_that(c, isfinite(wanted) && wanted <= 0.0, "a weighted sum of %g", wanted);
}

void check_lse_entropy(check *c) { each_case(c, case_lse_entropy); }

/* Kernels along rows (norms, activations, soft assignment, entropies, log-sum-exp): the scalar law in plain loops. */
#include <math.h>
#include <stddef.h>

#include "arch/bits.h"
#include "arch/scalar/scalar.h"
#include "arch/vmath.h"

/* The fixed tree over 16 partial results. */
static float tree_sum(float s[IP_LANES]) {
    for (size_t half = IP_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] = s[i] + s[i + half];
    }
    return s[0];
}

static double tree_sum_f64(double s[IP_LANES]) {
    for (size_t half = IP_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] = s[i] + s[i + half];
    }
    return s[0];
}

static float tree_max(float s[IP_LANES]) {
    for (size_t half = IP_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] = s[i] > s[i + half] ? s[i] : s[i + half];
    }
    return s[0];
}

int ip_rms_norm_scalar(float *y, const float *x, const float *gain, size_t n, float eps) {
    float s[IP_LANES] = {0};
    for (size_t i = 0; i < n; i++) s[i % IP_LANES] = fmaf(x[i], x[i], s[i % IP_LANES]);
    float q = tree_sum(s);
    float r = 1.0f / sqrtf(q / (float)n + eps);
    for (size_t i = 0; i < n; i++) y[i] = (x[i] * r) * gain[i];
    return !isfinite(q);
}

void ip_rope_scalar(float *x, const float *cosine, const float *sine, size_t half) {
    for (size_t j = 0; j < half; j++) {
        float a = x[j], b = x[j + half];
        x[j] = fmaf(a, cosine[j], -(b * sine[j]));
        x[j + half] = fmaf(b, cosine[j], a * sine[j]);
    }
}

void ip_add_scalar(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = x[i] + y[i];
}

void ip_round_bf16_scalar(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = ip_f32_from_bf16(ip_bf16_from_f32(x[i]));
}

int ip_unit_scalar(float *y, const float *z, size_t n) {
    double s[IP_LANES] = {0};
    for (size_t i = 0; i < n; i++) s[i % IP_LANES] = fma((double)z[i], (double)z[i], s[i % IP_LANES]);
    double norm2 = tree_sum_f64(s);
    if (!isfinite(norm2)) return 2;
    if (norm2 == 0.0) return 1;
    double norm = sqrt(norm2);
    for (size_t i = 0; i < n; i++) y[i] = (float)((double)z[i] / norm);
    return 0;
}

void ip_soft_assign_scalar(float *p, const float *dots, size_t m, float inverse_temperature) {
    float top[IP_LANES], s[IP_LANES] = {0};
    for (size_t i = 0; i < IP_LANES; i++) top[i] = -INFINITY;
    for (size_t j = 0; j < m; j++) {
        p[j] = dots[j] * inverse_temperature;
        top[j % IP_LANES] = top[j % IP_LANES] > p[j] ? top[j % IP_LANES] : p[j];
    }
    float mx = tree_max(top);
    for (size_t j = 0; j < m; j++) {
        p[j] = vm_exp_f32(p[j] - mx);
        s[j % IP_LANES] = s[j % IP_LANES] + p[j];
    }
    float t = tree_sum(s);
    for (size_t j = 0; j < m; j++) p[j] = p[j] / t;
    for (size_t j = m; j % IP_LANES != 0; j++) p[j] = 0.0f;
}

/* p in units of 2^-32; the product is exact. */
static int64_t units(float p) { return llrintf(p * 0x1p32f); }

/* One block of 16 anchors, given their x; what kernels.h calls -round(b * 2^32). */
static int64_t entropy_block(const double x[IP_LANES]) {
    double b[IP_LANES];
    for (size_t i = 0; i < IP_LANES; i++) b[i] = x[i] == 0.0 ? 0.0 : x[i] * vm_log_f64(x[i]);
    return -llrint(tree_sum_f64(b) * 0x1p32);
}

int64_t ip_entropy_row_scalar(const float *p, size_t m) {
    int64_t result = 0;
    for (size_t j = 0; j < m; j += IP_LANES) {
        double x[IP_LANES] = {0};
        for (size_t i = 0; i < IP_LANES && j + i < m; i++) x[i] = (double)units(p[j + i]) / 0x1p32;
        result += entropy_block(x);
    }
    return result;
}

void ip_sum_gather_scalar(uint64_t *sums, const float *rows, const uint32_t *positions, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float *p = rows + (size_t)positions[i] * IP_LANES;
        for (size_t j = 0; j < IP_LANES; j++) sums[j] += (uint64_t)units(p[j]);
    }
}

int64_t ip_entropy_sums_scalar(const uint64_t *sums, uint64_t count, size_t m) {
    double whole = (double)count * 0x1p32;
    int64_t result = 0;
    for (size_t j = 0; j < m; j += IP_LANES) {
        double x[IP_LANES] = {0};
        for (size_t i = 0; i < IP_LANES && j + i < m; i++) x[i] = (double)sums[j + i] / whole;
        result += entropy_block(x);
    }
    return result;
}

/* The maximum of a panel and of what came before it. */
static float panel_max(const ip_lse *state, const float *logits, size_t n) {
    float top[IP_LANES];
    for (size_t i = 0; i < IP_LANES; i++) top[i] = -INFINITY;
    for (size_t j = 0; j < n; j++) top[j % IP_LANES] = top[j % IP_LANES] > logits[j] ? top[j % IP_LANES] : logits[j];
    float pm = tree_max(top);
    return state->max > pm ? state->max : pm;
}

void ip_log_sum_exp_scalar(ip_lse *state, const float *logits, size_t n) {
    float s[IP_LANES] = {0}, mx = panel_max(state, logits, n);
    for (size_t j = 0; j < n; j++) s[j % IP_LANES] = s[j % IP_LANES] + vm_exp_f32(logits[j] - mx);
    float a = state->max == -INFINITY ? 0.0f : vm_exp_f32(state->max - mx);
    state->sum = fma(state->sum, (double)a, (double)tree_sum(s));
    state->max = mx;
}

/* exp of anything below is 0. */
static float within(float d) { return d > -128.0f ? d : -128.0f; }

void ip_lse_entropy_scalar(ip_lse *state, double *weighted, const float *logits, size_t n) {
    float s[IP_LANES] = {0}, w[IP_LANES] = {0}, mx = panel_max(state, logits, n);
    for (size_t j = 0; j < n; j++) {
        float d = logits[j] - mx, e = vm_exp_f32(d);
        s[j % IP_LANES] = s[j % IP_LANES] + e;
        w[j % IP_LANES] = fmaf(e, within(d), w[j % IP_LANES]);
    }
    float a = state->max == -INFINITY ? 0.0f : vm_exp_f32(state->max - mx), shift = within(state->max - mx);
    *weighted = fma((double)a, fma((double)shift, state->sum, *weighted), (double)tree_sum(w));
    state->sum = fma(state->sum, (double)a, (double)tree_sum(s));
    state->max = mx;
}

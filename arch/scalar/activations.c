/* Layer norm, activations, soft caps: the scalar law in plain loops. */
#include <math.h>
#include <stddef.h>

#include "arch/erf.h"
#include "arch/scalar/scalar.h"
#include "arch/vmath.h"

static float larger(float a, float b) { return a > b ? a : b; }
static float smaller(float a, float b) { return -larger(-a, -b); }

static float row_sum(const float s[IP_LANES]) {
    float t[IP_LANES];
    for (size_t i = 0; i < IP_LANES; i++) t[i] = s[i];
    for (size_t half = IP_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) t[i] = t[i] + t[i + half];
    }
    return t[0];
}

int ip_layer_norm_scalar(float *y, const float *x, const float *gain, const float *bias, size_t n, float eps) {
    float s[IP_LANES] = {0}, v[IP_LANES] = {0};
    for (size_t i = 0; i < n; i++) s[i % IP_LANES] = s[i % IP_LANES] + x[i];
    float mean = row_sum(s) / (float)n;
    for (size_t i = 0; i < n; i++) {
        float d = x[i] - mean;
        v[i % IP_LANES] = fmaf(d, d, v[i % IP_LANES]);
    }
    float q = row_sum(v);
    float r = 1.0f / sqrtf(q / (float)n + eps);
    for (size_t i = 0; i < n; i++) {
        y[i] = ((x[i] - mean) * r) * gain[i];
        if (bias) y[i] = y[i] + bias[i];
    }
    return !isfinite(q);
}

static float horner(const float *c, size_t n, float x) {
    float p = c[n - 1];
    for (size_t i = n - 1; i > 0; i--) p = fmaf(p, x, c[i - 1]);
    return p;
}

static float erf_law(float x) {
    float t = fabsf(x);
    if (!(t > 1.0f)) return x * horner(ip_erf_small, IP_ERF_SMALL, x * x);
    float e = 1.0f - vm_exp_f32(-horner(ip_erf_large, IP_ERF_LARGE, smaller(4.0f, t)));
    return x == t ? e : -e;
}

static float sigmoid_times(float x, float g) { return x / (1.0f + vm_exp_f32(-g)); }

static float function(ip_activation kind, float g, const float *n) {
    float p = larger(0.0f, g), m = smaller(0.0f, g);
    switch (kind) {
    case IP_ACT_GELU_TANH: return (0.5f * g) * (1.0f + vm_tanh_f32(0.7978845608f * fmaf(0.044715f, (g * g) * g, g)));
    case IP_ACT_GELU_ERF: return (0.5f * g) * (1.0f + erf_law(g * 0.70710678f));
    case IP_ACT_RELU: return p;
    case IP_ACT_RELU2: return p * p;
    case IP_ACT_XIELU: return (p == 0.0f ? (vm_expm1_f32(smaller(n[3], m)) - m) * n[1] : (n[0] * p) * p) + n[2] * g;
    case IP_ACT_CLAMPED:
    case IP_ACT_SILU: break;
    }
    return sigmoid_times(g, g);
}

void ip_activate_scalar(float *y, const float *gate, const float *up, size_t n, ip_activation kind,
                        const float *numbers) {
    for (size_t i = 0; i < n; i++) {
        if (kind == IP_ACT_CLAMPED) {
            float g = smaller(7.0f, gate[i]), u = larger(-7.0f, smaller(7.0f, up[i]));
            y[i] = (u + 1.0f) * sigmoid_times(g, 1.702f * g);
        } else {
            float f = function(kind, gate[i], numbers);
            y[i] = up ? f * up[i] : f;
        }
    }
}

void ip_soft_cap_scalar(float *x, size_t n, float scale, float cap) {
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] * scale;
        if (cap > 0.0f) x[i] = cap * vm_tanh_f32(x[i] / cap);
    }
}

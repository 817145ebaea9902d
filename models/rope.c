/* Rotary positions: the frequencies of the rotated pairs, and how a model stretches them beyond its training length.
 *
 * Angle of pair j at position p: (float)p * inverse[j]. The steps are taken in floats exactly where Hugging Face takes
 * them (exponent 2j/R, power, reciprocal, scaling), because at position 4000 the rounding of inverse[j] is worth 2e-4
 * radians; the power itself is computed in double and rounded.
 *
 *   linear        inverse / f
 *   yarn          Peng et al., arXiv:2309.00071: pairs that turn less than beta_slow times within the original context are
 *                 divided by f, those that turn more than beta_fast times are left, a ramp between; cos and sin grow
 *   llama3        pairs whose wavelength is above original / low are divided by f, those below original / high are left
 *   dynamic       documents of n > original tokens: the base grows by (f n / original - (f - 1)) ^ (R / (R - 2))
 *   proportional  the first part of the pairs turns, the others stand still
 *   divisors      one per pair: longrope, and what GGUF files say of llama3 */
#include <math.h>

#include "arch/kernels.h"
#include "arch/scalar_math.h"
#include "models/build.h"

double ip_rope_growth(double factor, double k) { return factor <= 1 ? 1 : 0.1 * k * ip_log(factor) + 1; }

static float power_of(double base, size_t j, size_t rotary) {
    float exponent = (float)(2 * j) / (float)rotary;
    return (float)ip_pow(base, (double)exponent);
}

/* The pair (as a fraction) that turns `turns` times within the original context. */
static double turning_pair(const ip_rope_keys *k, double rotary, double turns) {
    const double two_pi = 6.283185307179586;
    return rotary * ip_log(k->original / (two_pi * turns)) / (2 * ip_log(k->base));
}

static void scale_yarn(const ip_rope_keys *k, size_t rotary, float *inverse) {
    double low = turning_pair(k, (double)rotary, k->beta_fast), high = turning_pair(k, (double)rotary, k->beta_slow);
    if (!k->untruncated) {
        low = floor(low);
        high = ceil(high);
    }
    if (!(low > 0)) low = 0;
    if (!(high < (double)rotary - 1)) high = (double)rotary - 1;
    if (low == high) high += 0.001;
    for (size_t j = 0; j < rotary / 2; j++) {
        float ramp = ((float)j - (float)low) / (float)(high - low), power = power_of(k->base, j, rotary);
        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        float kept = 1.0f - ramp, divided = 1.0f - kept;
        inverse[j] = 1.0f / ((float)k->factor * power) * divided + 1.0f / power * kept;
    }
}

static float scale_llama3(const ip_rope_keys *k, float inverse) {
    const float two_pi = 6.2831855f;
    float wave = two_pi / inverse, factor = (float)k->factor, original = (float)k->original;
    if (wave > (float)(k->original / k->low)) return inverse / factor;
    if (wave < (float)(k->original / k->high)) return inverse;
    float smooth = (original / wave - (float)k->low) / (float)(k->high - k->low);
    return (1.0f - smooth) * inverse / factor + smooth * inverse;
}

static float *frequencies(ip_build *b, const ip_rope_keys *k, size_t rotary, const float *divisors) {
    float *inverse = ip_build_alloc(b, rotary / 2, sizeof *inverse);
    if (!inverse) return NULL;
    size_t turning = rotary / 2;
    if (k->kind == IP_ROPE_PROPORTIONAL) turning = (size_t)(k->part * (double)rotary / 2);
    for (size_t j = 0; j < rotary / 2; j++) {
        inverse[j] = 1.0f / power_of(k->base, j, rotary);
        if (k->kind == IP_ROPE_LINEAR || k->kind == IP_ROPE_PROPORTIONAL) inverse[j] /= (float)k->factor;
        if (k->kind == IP_ROPE_LLAMA3) inverse[j] = scale_llama3(k, inverse[j]);
        if (j >= turning) inverse[j] = 0;
    }
    if (k->kind == IP_ROPE_YARN) scale_yarn(k, rotary, inverse);
    for (size_t j = 0; divisors && j < rotary / 2; j++) {
        if (!(divisors[j] > 0)) {
            ip_fail(b->error, IP_BAD_INPUT, "%s: divisor %zu of the rotary frequencies is not positive", b->path, j);
            return NULL;
        }
        inverse[j] /= divisors[j];
    }
    for (size_t j = 0; j < rotary / 2; j++)
        if (!isfinite(inverse[j])) {
            ip_build_bad(b, "rope.freq_base", "rope_theta", "or its scaling is too small for floats");
            return NULL;
        }
    return inverse;
}

ip_status ip_rope_make(ip_build *b, const ip_rope_keys *k, size_t rotary, ip_rope *out) {
    *out = (ip_rope){.rotary = rotary, .magnitude = (float)k->magnitude, .original = (size_t)k->original};
    if (k->kind == IP_ROPE_YARN && k->base <= 1)
        return ip_build_bad(b, "rope.freq_base", "rope_theta", "is not above 1, which yarn needs");
    out->inverse = frequencies(b, k, rotary, k->divisors);
    if (!out->inverse) return b->error->status;
    if (k->long_divisors && !(out->long_inverse = frequencies(b, k, rotary, k->long_divisors))) return b->error->status;
    if (k->kind == IP_ROPE_DYNAMIC) {
        if (rotary < 4) return ip_build_bad(b, NULL, "rope_scaling", "is dynamic, which needs four rotated dimensions");
        out->base = k->base;
        out->factor = k->factor;
    }
    return IP_OK;
}

void ip_rope_stretch(const ip_rope *rope, size_t length, float *inverse) {
    double r = (double)rope->rotary, share = (double)length / (double)rope->original;
    double base = rope->base * ip_pow(rope->factor * share - (rope->factor - 1), r / (r - 2));
    for (size_t j = 0; j < rope->rotary / 2; j++) inverse[j] = 1.0f / power_of(base, j, rope->rotary);
}

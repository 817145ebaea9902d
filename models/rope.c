/* Rotary positions: the frequencies of the rotated pairs, and how a model stretches them beyond its training length.
 *
 * Angle of pair j at position p: (float)p * inverse[j]. The steps are taken in floats exactly where Hugging Face takes
 * them (exponent 2j/R, power, reciprocal, scaling), because at position 4000 the rounding of inverse[j] is worth 2e-4
 * radians; the power itself is computed in double and rounded.
 *
 *   linear  inverse / f
 *   yarn    Peng et al., arXiv:2309.00071: pairs that turn less than beta_slow times within the original context are
 *           divided by f, those that turn more than beta_fast times are left, a ramp between; cos and sin grow by
 *           0.1 ln f + 1
 *   llama3  the file brings divisors, one per pair, in rope_freqs.weight */
#include <math.h>
#include <string.h>

#include "arch/kernels.h"
#include "arch/scalar_math.h"
#include "models/build.h"

typedef struct scaling {
    enum { NONE, LINEAR, YARN } kind;
    double factor;
    double original; /* context of the training, in tokens */
    double beta_fast, beta_slow, attention_factor, log_multiplier;
} scaling;

static ip_status bad_key(ip_build *b, const char *key, const char *why) {
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' %s", b->path, ip_build_key(b, key).text, why);
}

static ip_status read_kind(ip_build *b, scaling *s) {
    static const char key[] = "rope.scaling.type";
    ip_bytes text;
    bool found;
    ip_status status = ip_gguf_get_string(b->file, ip_build_key(b, key).text, &text, &found, b->error);
    s->kind = LINEAR;
    if (status != IP_OK || !found) return status;
    static const char *const names[] = {"none", "linear", "yarn"};
    for (int i = 0; i < 3; i++)
        if (text.size == strlen(names[i]) && memcmp(text.data, names[i], text.size) == 0) {
            s->kind = i;
            return IP_OK;
        }
    int shown = text.size < 40 ? (int)text.size : 40;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is '%.*s'; supported are none, linear and yarn", b->path,
                   ip_build_key(b, key).text, shown, text.data);
}

/* A factor: 0 stands for 1, as writers use it. */
static ip_status read_factor(ip_build *b, double *factor) {
    const char *key = "rope.scaling.factor";
    if (!ip_gguf_find(b->file, ip_build_key(b, key).text)) key = "rope.scale_linear"; /* its name in old files */
    ip_status status = ip_build_float(b, key, 1, factor);
    if (status == IP_OK && *factor < 0) return bad_key(b, key, "is negative");
    if (*factor == 0) *factor = 1;
    return status;
}

static ip_status read_yarn(ip_build *b, scaling *s) {
    uint64_t original;
    double extrapolation;
    ip_status status =
        ip_build_uint(b, "rope.scaling.original_context_length", 0, UINT32_MAX, b->plan.context_length, &original);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_beta_fast", 32, &s->beta_fast);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_beta_slow", 1, &s->beta_slow);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.attn_factor", 1, &s->attention_factor);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_log_multiplier", 0, &s->log_multiplier);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_ext_factor", 1, &extrapolation);
    if (status != IP_OK) return status;
    s->original = (double)(original > 0 ? original : b->plan.context_length);
    if (s->beta_fast <= 0) return bad_key(b, "rope.scaling.yarn_beta_fast", "is not positive");
    if (s->beta_slow <= 0) return bad_key(b, "rope.scaling.yarn_beta_slow", "is not positive");
    if (s->attention_factor <= 0) return bad_key(b, "rope.scaling.attn_factor", "is not positive");
    if (s->log_multiplier < 0) return bad_key(b, "rope.scaling.yarn_log_multiplier", "is negative");
    /* Below 0 means "as usual" to llama.cpp, which is 1. */
    if (extrapolation >= 0 && extrapolation != 1) return bad_key(b, "rope.scaling.yarn_ext_factor", "is not 1");
    return IP_OK;
}

/* The pair (as a fraction) that turns `turns` times within the original context. */
static double turning_pair(const scaling *s, double rotary, double base, double turns) {
    const double two_pi = 6.283185307179586;
    return rotary * ip_log(s->original / (two_pi * turns)) / (2 * ip_log(base));
}

static void scale_yarn(const scaling *s, double base, size_t rotary, const float *power, float *inverse) {
    double low = floor(turning_pair(s, (double)rotary, base, s->beta_fast));
    double high = ceil(turning_pair(s, (double)rotary, base, s->beta_slow));
    if (!(low > 0)) low = 0;
    if (!(high < (double)rotary - 1)) high = (double)rotary - 1;
    if (low == high) high += 0.001;
    for (size_t j = 0; j < rotary / 2; j++) {
        float ramp = ((float)j - (float)low) / (float)(high - low);
        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        float kept = 1.0f - ramp, divided = 1.0f - kept;
        inverse[j] = 1.0f / ((float)s->factor * power[j]) * divided + 1.0f / power[j] * kept;
    }
}

static double growth(double factor, double k) { return factor <= 1 ? 1 : 0.1 * k * ip_log(factor) + 1; }

ip_status ip_build_rope(ip_build *b) {
    uint64_t rotary;
    double base;
    scaling s = {.factor = 1};
    ip_status status = ip_build_uint(b, "rope.dimension_count", 2, UINT32_MAX, b->plan.head, &rotary);
    if (status == IP_OK && rotary % 2 != 0) return bad_key(b, "rope.dimension_count", "is odd");
    if (status == IP_OK && rotary > b->plan.head) return bad_key(b, "rope.dimension_count", "is larger than a head");
    if (status == IP_OK) status = ip_build_float(b, "rope.freq_base", 10000, &base);
    if (status == IP_OK && base <= 0) return bad_key(b, "rope.freq_base", "is not positive");
    if (status == IP_OK) status = read_kind(b, &s);
    if (status == IP_OK) status = read_factor(b, &s.factor);
    if (status == IP_OK && s.kind == YARN) status = read_yarn(b, &s);
    if (status == IP_OK && s.kind == YARN && base <= 1)
        return bad_key(b, "rope.freq_base", "is not above 1, which yarn needs");
    const float *divisors = NULL;
    if (status == IP_OK) status = ip_build_vector(b, "rope_freqs.weight", false, rotary / 2, &divisors);
    if (status != IP_OK) return status;

    size_t pairs = (size_t)rotary / 2;
    float *inverse = ip_build_alloc(b, pairs, sizeof *inverse), power[IP_HEAD_MAX / 2];
    if (!inverse) return IP_FAILED;
    for (size_t j = 0; j < pairs; j++) {
        float exponent = (float)(2 * j) / (float)rotary;
        power[j] = (float)ip_pow(base, (double)exponent);
        inverse[j] = 1.0f / power[j];
        if (s.kind == LINEAR) inverse[j] /= (float)s.factor;
    }
    if (s.kind == YARN) scale_yarn(&s, base, (size_t)rotary, power, inverse);
    for (size_t j = 0; j < pairs; j++) {
        if (divisors && !(divisors[j] > 0))
            return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor 'rope_freqs.weight': divisor %zu is not positive",
                           b->path, j);
        if (divisors) inverse[j] /= divisors[j];
        if (!isfinite(inverse[j])) return bad_key(b, "rope.freq_base", "is too small for floats");
    }
    b->plan.rotary = (size_t)rotary;
    b->plan.inverse_frequency = inverse;
    b->plan.rotary_magnitude = 1;
    if (s.kind == YARN) {
        double magnitude = growth(s.factor, 1);
        if (s.log_multiplier > 0) magnitude /= growth(s.factor, s.log_multiplier);
        b->plan.rotary_magnitude = (float)(magnitude * s.attention_factor);
    }
    return IP_OK;
}

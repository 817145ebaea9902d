/* Rotary positions as GGUF files state them: rope.* keys, and tensors of divisors for what the keys cannot say. */
#include <string.h>

#include "models/build.h"

static ip_status bad_key(ip_build *b, const char *key, const char *why) { return ip_build_bad(b, key, NULL, why); }

static ip_status read_kind(ip_build *b, ip_rope_keys *k) {
    static const char key[] = "rope.scaling.type";
    ip_bytes text;
    bool found;
    ip_status status = ip_gguf_get_string(b->file->gguf, ip_build_key(b, key).text, &text, &found, b->error);
    k->kind = IP_ROPE_LINEAR;
    if (status != IP_OK || !found) return status;
    static const struct {
        const char *name;
        int kind;
    } kinds[] = {
        {"none", IP_ROPE_PLAIN}, {"linear", IP_ROPE_LINEAR}, {"yarn", IP_ROPE_YARN}, {"longrope", IP_ROPE_PLAIN}};
    for (int i = 0; i < 4; i++)
        if (text.size == strlen(kinds[i].name) && memcmp(text.data, kinds[i].name, text.size) == 0) {
            k->kind = kinds[i].kind;
            return IP_OK;
        }
    int shown = text.size < 40 ? (int)text.size : 40;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is '%.*s'; supported are none, linear, yarn and longrope",
                   b->path, ip_build_key(b, key).text, shown, text.data);
}

/* A factor: 0 stands for 1, as writers use it. */
static ip_status read_factor(ip_build *b, double *factor) {
    const char *key = "rope.scaling.factor";
    if (!ip_build_has(b, key, NULL)) key = "rope.scale_linear"; /* its name in old files */
    ip_status status = ip_build_float(b, key, NULL, 1, factor);
    if (status == IP_OK && *factor < 0) return bad_key(b, key, "is negative");
    if (*factor == 0) *factor = 1;
    return status;
}

static ip_status read_yarn(ip_build *b, ip_rope_keys *k) {
    double attention_factor, log_multiplier, extrapolation;
    ip_status status = ip_build_float(b, "rope.scaling.yarn_beta_fast", NULL, 32, &k->beta_fast);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_beta_slow", NULL, 1, &k->beta_slow);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.attn_factor", NULL, 1, &attention_factor);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_log_multiplier", NULL, 0, &log_multiplier);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.yarn_ext_factor", NULL, 1, &extrapolation);
    if (status != IP_OK) return status;
    if (k->beta_fast <= 0) return bad_key(b, "rope.scaling.yarn_beta_fast", "is not positive");
    if (k->beta_slow <= 0) return bad_key(b, "rope.scaling.yarn_beta_slow", "is not positive");
    if (attention_factor <= 0) return bad_key(b, "rope.scaling.attn_factor", "is not positive");
    if (log_multiplier < 0) return bad_key(b, "rope.scaling.yarn_log_multiplier", "is negative");
    /* Below 0 means "as usual" to llama.cpp, which is 1. */
    if (extrapolation >= 0 && extrapolation != 1) return bad_key(b, "rope.scaling.yarn_ext_factor", "is not 1");
    k->untruncated = b->traits.untruncated;
    k->magnitude = ip_rope_growth(k->factor, 1) * attention_factor;
    if (log_multiplier > 0) k->magnitude /= ip_rope_growth(k->factor, log_multiplier);
    return IP_OK;
}

static ip_tensor_name named(const char *text) {
    ip_tensor_name name = {{0}};
    memcpy(name.text, text, strlen(text));
    return name;
}

/* llama3 and proportional scaling: rope_freqs; longrope: a short and a long list, of which documents choose. */
static ip_status read_divisors(ip_build *b, ip_rope_keys *k, uint64_t pairs) {
    ip_tensor_name brief = named("rope_factors_short.weight"), extended = named("rope_factors_long.weight");
    ip_status status = ip_build_vector(b, named("rope_freqs.weight"), false, pairs, &k->divisors);
    if (status != IP_OK || (!ip_build_there(b, brief) && !ip_build_there(b, extended))) return status;
    status = ip_build_vector(b, brief, true, pairs, &k->divisors);
    if (status == IP_OK) status = ip_build_vector(b, extended, true, pairs, &k->long_divisors);
    if (status == IP_OK) status = ip_build_float(b, "rope.scaling.attn_factor", NULL, 1, &k->magnitude);
    if (status == IP_OK && k->magnitude <= 0) return bad_key(b, "rope.scaling.attn_factor", "is not positive");
    k->kind = IP_ROPE_PLAIN;
    return status;
}

static size_t head_of(const ip_build *b, int rope) {
    for (size_t i = 0; i < b->plan.layers; i++)
        if (b->shapes[i].rope == rope) return (size_t)b->shapes[i].head;
    return (size_t)b->shapes[0].head;
}

static ip_status read_rotary(ip_build *b, const char *key, int rope, uint64_t *rotary) {
    uint64_t head = head_of(b, rope);
    ip_status status = ip_build_uint(b, key, NULL, 2, UINT32_MAX, head, rotary);
    if (status == IP_OK && *rotary % 2 != 0) return bad_key(b, key, "is odd");
    if (status == IP_OK && *rotary > head) return bad_key(b, key, "is larger than a head");
    return status;
}

static ip_status read_base(ip_build *b, const char *key, double fallback, double *base) {
    ip_status status = ip_build_float(b, key, NULL, fallback, base);
    if (status == IP_OK && *base <= 0) return bad_key(b, key, "is not positive");
    return status;
}

static ip_status local_rope(ip_build *b) {
    ip_rope_keys k = {.kind = IP_ROPE_PLAIN, .factor = 1, .magnitude = 1};
    uint64_t rotary;
    ip_status status = read_rotary(b, "rope.dimension_count_swa", 1, &rotary);
    if (status == IP_OK) status = read_base(b, "rope.freq_base_swa", b->traits.local_rope_base, &k.base);
    if (status == IP_OK) status = ip_rope_make(b, &k, (size_t)rotary, &b->ropes[1]);
    b->plan.rope_count = 2;
    return status;
}

ip_status ip_rope_of_file(ip_build *b) {
    ip_rope_keys k = {.factor = 1, .magnitude = 1};
    uint64_t rotary, original;
    ip_status status = read_rotary(b, "rope.dimension_count", 0, &rotary);
    if (status == IP_OK) status = read_base(b, "rope.freq_base", 10000, &k.base);
    if (status == IP_OK) status = read_kind(b, &k);
    if (status == IP_OK) status = read_factor(b, &k.factor);
    if (status == IP_OK)
        status = ip_build_uint(b, "rope.scaling.original_context_length", NULL, 0, UINT32_MAX, 0, &original);
    if (status != IP_OK) return status;
    k.original = (double)(original > 0 ? original : b->plan.context_length);
    if (k.kind == IP_ROPE_YARN) status = read_yarn(b, &k);
    if (status == IP_OK) status = read_divisors(b, &k, rotary / 2);
    if (status == IP_OK) status = ip_rope_make(b, &k, (size_t)rotary, &b->ropes[0]);
    if (status == IP_OK && b->traits.temperature)
        status = ip_build_float(b, "attention.temperature_scale", NULL, 0, &b->ropes[0].temperature);
    b->ropes[0].temperature_from = (size_t)k.original;
    b->plan.rope_count = 1;
    if (status != IP_OK || b->traits.local_rope_base <= 0) return status;
    if (!ip_build_has(b, "rope.freq_base_swa", NULL) && b->traits.local_rope_base == b->traits.rope_base)
        b->traits.local_rope_base = k.base; /* families whose two bases are one */
    return local_rope(b);
}

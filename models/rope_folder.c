/* Rotary positions as config.json states them, in two layouts: rope_theta and rope_scaling beside each other, or
 * rope_parameters that hold both and may be nested by the type of the layer. */
#include <string.h>

#include "arch/scalar_math.h"
#include "models/build.h"

/* Where numbers are looked for: the dictionary, then the configuration itself. */
typedef struct source {
    const ip_node *dict;
    double base; /* when nobody says */
} source;

static ip_status bad(ip_build *b, const char *key, const char *why) {
    return ip_fail(b->error, IP_BAD_INPUT, "%s: rope_scaling (rope_parameters): key '%s' %s", b->path, key, why);
}

/* A number of the dictionary; fallback IP_REQUIRED_FLOAT: it has to be there. It must be above `above`. */
static ip_status number(ip_build *b, const ip_node *dict, const char *key, double fallback, double above, double *out) {
    const ip_node *node = ip_node_get(dict, key);
    *out = fallback;
    if (!node) return fallback == IP_REQUIRED_FLOAT ? bad(b, key, "is missing") : IP_OK;
    if (!ip_node_number(node, out)) return bad(b, key, "is not a finite number");
    return *out > above ? IP_OK : bad(b, key, "is too small");
}

static ip_status read_base(ip_build *b, const source *s, double *base) {
    const ip_node *node = ip_node_get(s->dict, "rope_theta");
    if (node) {
        if (!ip_node_number(node, base)) return bad(b, "rope_theta", "is not a finite number");
    } else {
        ip_status status = ip_build_float(b, NULL, "rope_theta|rotary_emb_base", s->base, base);
        if (status != IP_OK) return status;
    }
    return *base > 0 ? IP_OK : ip_build_bad(b, NULL, "rope_theta|rotary_emb_base", "is not positive");
}

/* The context of the training: a key beside the dictionary beats the one inside, and without both it is the context. */
static ip_status read_original(ip_build *b, const ip_node *dict, double *original) {
    uint64_t outer;
    ip_status status = ip_build_uint(b, NULL, "original_max_position_embeddings", 1, UINT32_MAX, 0, &outer);
    if (status != IP_OK) return status;
    *original = (double)outer;
    if (outer > 0) return IP_OK;
    return number(b, dict, "original_max_position_embeddings", (double)b->plan.context_length, 0.99, original);
}

static ip_status read_yarn(ip_build *b, const ip_node *dict, ip_rope_keys *k) {
    double mscale, mscale_all, attention;
    ip_status status =
        number(b, dict, "factor", k->original > 0 ? (double)b->plan.context_length / k->original : 1, 0, &k->factor);
    if (status == IP_OK) status = number(b, dict, "beta_fast", 32, 0, &k->beta_fast);
    if (status == IP_OK) status = number(b, dict, "beta_slow", 1, 0, &k->beta_slow);
    if (status == IP_OK) status = number(b, dict, "attention_factor", 0, 0, &attention);
    if (status == IP_OK) status = number(b, dict, "mscale", 0, -1, &mscale);
    if (status == IP_OK) status = number(b, dict, "mscale_all_dim", 0, -1, &mscale_all);
    if (status != IP_OK) return status;
    bool truncate = true;
    const ip_node *node = ip_node_get(dict, "truncate");
    if (node && !ip_node_bool(node, &truncate)) return bad(b, "truncate", "is neither true nor false");
    k->untruncated = !truncate;
    k->magnitude = attention > 0 ? attention : ip_rope_growth(k->factor, 1);
    if (attention <= 0 && mscale > 0 && mscale_all > 0)
        k->magnitude = ip_rope_growth(k->factor, mscale) / ip_rope_growth(k->factor, mscale_all);
    return IP_OK;
}

static ip_status read_llama3(ip_build *b, const ip_node *dict, ip_rope_keys *k) {
    ip_status status = number(b, dict, "factor", IP_REQUIRED_FLOAT, 0, &k->factor);
    if (status == IP_OK) status = number(b, dict, "low_freq_factor", IP_REQUIRED_FLOAT, 0, &k->low);
    if (status == IP_OK) status = number(b, dict, "high_freq_factor", IP_REQUIRED_FLOAT, 0, &k->high);
    if (status == IP_OK && k->high <= k->low) return bad(b, "high_freq_factor", "is not above low_freq_factor");
    return status;
}

static ip_status read_list(ip_build *b, const ip_node *dict, const char *key, size_t pairs, const float **out) {
    const ip_node *list = ip_node_get(dict, key);
    float *values = ip_build_alloc(b, pairs, sizeof *values);
    if (!values) return IP_FAILED;
    *out = values;
    if (!ip_node_is_array(list) || ip_node_count(list) != pairs)
        return bad(b, key, "is not a list of one number per rotated pair");
    for (size_t j = 0; j < pairs; j++) {
        double value;
        if (!ip_node_number(ip_node_at(list, j), &value)) return bad(b, key, "holds something that is no number");
        values[j] = (float)value;
    }
    return IP_OK;
}

static ip_status read_longrope(ip_build *b, const ip_node *dict, size_t pairs, ip_rope_keys *k) {
    double attention, factor;
    ip_status status = read_list(b, dict, "short_factor", pairs, &k->divisors);
    if (status == IP_OK) status = read_list(b, dict, "long_factor", pairs, &k->long_divisors);
    if (status == IP_OK) status = number(b, dict, "attention_factor", 0, 0, &attention);
    if (status == IP_OK) status = number(b, dict, "factor", (double)b->plan.context_length / k->original, 0, &factor);
    if (status != IP_OK) return status;
    k->kind = IP_ROPE_PLAIN;
    k->magnitude = attention > 0 ? attention : factor <= 1 ? 1 : sqrt(1 + ip_log(factor) / ip_log(k->original));
    return IP_OK;
}

static ip_status read_dynamic(ip_build *b, const ip_node *dict, size_t rotary, ip_rope_keys *k) {
    double alpha;
    ip_status status = number(b, dict, "alpha", 0, 0, &alpha);
    if (status != IP_OK) return status;
    if (alpha > 0) { /* HunYuan: a base that is larger whatever the length */
        k->kind = IP_ROPE_PLAIN;
        k->base *= ip_pow(alpha, (double)rotary / ((double)rotary - 2));
        return rotary > 2 ? IP_OK : bad(b, "alpha", "needs four rotated dimensions");
    }
    k->original = (double)b->plan.context_length;
    return number(b, dict, "factor", IP_REQUIRED_FLOAT, 0, &k->factor);
}

static ip_status read_rotary(ip_build *b, const ip_node *dict, uint64_t head, bool proportional, size_t *rotary,
                             double *part) {
    ip_status status =
        ip_build_float(b, NULL, "partial_rotary_factor|rotary_pct|rope_pct", b->traits.rotary_part, part);
    const ip_node *node = ip_node_get(dict, "partial_rotary_factor");
    if (status == IP_OK && node && !ip_node_number(node, part))
        return bad(b, "partial_rotary_factor", "is not a finite number");
    if (status != IP_OK) return status;
    if (!(*part > 0 && *part <= 1))
        return ip_build_bad(b, NULL, "partial_rotary_factor|rotary_pct", "is not in 0 to 1");
    *rotary = proportional ? (size_t)head : (size_t)((double)head * *part);
    if (*rotary < 2 || *rotary % 2 != 0)
        return ip_fail(
            b->error, IP_BAD_INPUT,
            "%s: head_dim %llu (or its share that rotates): %zu rotated dimensions, an even number from 2 is "
            "needed",
            b->path, (unsigned long long)head, *rotary);
    return IP_OK;
}

static ip_status read_kind(ip_build *b, const ip_node *dict, const char **kind) {
    const ip_node *node = ip_node_get(dict, "rope_type");
    if (!node) node = ip_node_get(dict, "type");
    *kind = "default";
    if (node && !ip_node_text(node, kind)) return bad(b, "rope_type", "is not a text");
    return IP_OK;
}

static ip_status read_rope(ip_build *b, const source *s, uint64_t head, ip_rope *out) {
    ip_rope_keys k = {.factor = 1, .magnitude = 1};
    const char *kind;
    size_t rotary = 0;
    ip_status status = read_kind(b, s->dict, &kind);
    if (status != IP_OK) return status;
    bool proportional = strcmp(kind, "proportional") == 0;
    bool longrope = strcmp(kind, "longrope") == 0 || strcmp(kind, "su") == 0 || ip_node_get(s->dict, "long_factor");
    status = read_rotary(b, s->dict, head, proportional, &rotary, &k.part);
    if (status == IP_OK) status = read_base(b, s, &k.base);
    if (status == IP_OK) status = read_original(b, s->dict, &k.original);
    if (status != IP_OK) return status;
    if (longrope) {
        status = read_longrope(b, s->dict, rotary / 2, &k);
    } else if (strcmp(kind, "linear") == 0) {
        k.kind = IP_ROPE_LINEAR;
        status = number(b, s->dict, "factor", IP_REQUIRED_FLOAT, 0, &k.factor);
    } else if (strcmp(kind, "dynamic") == 0) {
        k.kind = IP_ROPE_DYNAMIC;
        status = read_dynamic(b, s->dict, rotary, &k);
    } else if (strcmp(kind, "llama3") == 0) {
        k.kind = IP_ROPE_LLAMA3;
        status = read_llama3(b, s->dict, &k);
    } else if (strcmp(kind, "yarn") == 0) {
        k.kind = IP_ROPE_YARN;
        status = read_yarn(b, s->dict, &k);
    } else if (proportional) {
        k.kind = IP_ROPE_PROPORTIONAL;
        status = number(b, s->dict, "factor", 1, 0, &k.factor);
    } else if (strcmp(kind, "default") != 0 && strcmp(kind, "none") != 0) {
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: rope_scaling is of type '%.40s'; supported are default, linear, dynamic, yarn, longrope, "
                       "llama3 and proportional",
                       b->path, kind);
    }
    if (status == IP_OK) status = ip_rope_make(b, &k, rotary, out);
    if (status == IP_OK && b->traits.temperature)
        status = number(b, s->dict, "llama_4_scaling_beta", 0, -1, &out->temperature);
    out->temperature_from = (size_t)k.original;
    return status;
}

static size_t head_of(const ip_build *b, int rope) {
    for (size_t i = 0; i < b->plan.layers; i++)
        if (b->shapes[i].rope == rope) return (size_t)b->shapes[i].head;
    return (size_t)b->shapes[0].head;
}

ip_status ip_rope_of_folder(ip_build *b) {
    const ip_node *dict = ip_build_node(b, "rope_scaling|rope_parameters", NULL);
    const ip_node *full = ip_node_get(dict, "full_attention"), *local = ip_node_get(dict, "sliding_attention");
    bool nested = full || local;
    if (dict && !ip_node_is_object(dict))
        return ip_build_bad(b, NULL, "rope_scaling|rope_parameters", "is not an object");
    source main = {nested ? (full ? full : local) : dict, b->traits.rope_base};
    ip_status status = read_rope(b, &main, head_of(b, 0), &b->ropes[0]);
    b->plan.rope_count = 1;
    bool two = nested ? full && local : b->traits.local_rope_base > 0;
    if (status != IP_OK || !two) return status;
    b->plan.rope_count = 2;
    if (nested) {
        source own = {local, b->traits.local_rope_base > 0 ? b->traits.local_rope_base : b->traits.rope_base};
        return read_rope(b, &own, head_of(b, 1), &b->ropes[1]);
    }
    /* Sliding layers have a base of their own, or the same one without the scaling. */
    ip_rope_keys k = {.kind = IP_ROPE_PLAIN, .factor = 1, .magnitude = 1};
    size_t rotary = 0;
    status = read_rotary(b, NULL, head_of(b, 1), false, &rotary, &k.part);
    if (status == IP_OK && b->traits.local_rope_base != b->traits.rope_base)
        status = ip_build_float(b, NULL, "rope_local_base_freq", b->traits.local_rope_base, &k.base);
    else if (status == IP_OK)
        status = read_base(b, &(source){dict, b->traits.rope_base}, &k.base);
    if (status == IP_OK && k.base <= 0) return ip_build_bad(b, NULL, "rope_local_base_freq", "is not positive");
    return status == IP_OK ? ip_rope_make(b, &k, rotary, &b->ropes[1]) : status;
}

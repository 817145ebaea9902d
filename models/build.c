/* The helpers of build.h. Shapes are compared as 64-bit numbers before anything is made a size_t: after the comparison
 * they are those of a tensor that lies in the file, and fit. */
#include "models/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/model.h"

void *ip_build_alloc(ip_build *b, size_t count, size_t size) {
    void **owned = realloc(b->owned, (b->owned_count + 1) * sizeof *owned);
    if (owned) b->owned = owned;
    void *p = owned ? calloc(count > 0 ? count : 1, size) : NULL;
    if (p)
        b->owned[b->owned_count++] = p;
    else
        ip_fail(b->error, IP_FAILED, "%s: out of memory", b->path);
    return p;
}

/* ---- hyper-parameters ---- */

ip_key ip_build_key(const ip_build *b, const char *key) {
    ip_key full;
    snprintf(full.text, sizeof full.text, "%s.%s", b->architecture, key);
    return full;
}

static ip_status missing_key(ip_build *b, const char *key) {
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is missing", b->path, key);
}

static ip_status check_least(ip_build *b, const char *key, uint64_t value, uint64_t least) {
    if (value >= least) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is %" PRIu64 ", at least %" PRIu64 " is needed", b->path, key,
                   value, least);
}

ip_status ip_build_uint(ip_build *b, const char *key, uint64_t least, uint64_t most, uint64_t fallback, uint64_t *out) {
    ip_key full = ip_build_key(b, key);
    bool found;
    ip_status status = ip_gguf_get_uint(b->file, full.text, most, out, &found, b->error);
    if (status != IP_OK) return status;
    if (found) return check_least(b, full.text, *out, least);
    *out = fallback;
    return fallback == IP_REQUIRED ? missing_key(b, full.text) : IP_OK;
}

ip_status ip_build_float(ip_build *b, const char *key, double fallback, double *out) {
    ip_key full = ip_build_key(b, key);
    bool found;
    ip_status status = ip_gguf_get_float(b->file, full.text, out, &found, b->error);
    if (status != IP_OK) return status;
    if (!found) {
        *out = fallback;
        return fallback == IP_REQUIRED_FLOAT ? missing_key(b, full.text) : IP_OK;
    }
    if (!isfinite(*out))
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is not a finite number", b->path, full.text);
    return IP_OK;
}

ip_status ip_build_bool(ip_build *b, const char *key, bool fallback, bool *out) {
    bool found;
    ip_status status = ip_gguf_get_bool(b->file, ip_build_key(b, key).text, out, &found, b->error);
    if (status == IP_OK && !found) *out = fallback;
    return status;
}

ip_status ip_build_layers_uint(ip_build *b, const char *key, uint64_t least, uint64_t most, uint64_t fallback,
                               uint64_t *out) {
    ip_key full = ip_build_key(b, key);
    const ip_gguf_value *value = ip_gguf_find(b->file, full.text);
    size_t layers = b->plan.layers;
    if (!value || value->type != IP_GGUF_ARRAY) {
        uint64_t one;
        ip_status status = ip_build_uint(b, key, least, most, fallback, &one);
        for (size_t i = 0; status == IP_OK && i < layers; i++) out[i] = one;
        return status;
    }
    bool integers = value->element <= IP_GGUF_I32 || value->element == IP_GGUF_U64 || value->element == IP_GGUF_I64;
    if (!integers || value->count != layers)
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: key '%s' is an array of %" PRIu64 " %s, needed are %zu integers, one per "
                       "layer",
                       b->path, full.text, value->count, integers ? "integers" : "values of another type", layers);
    for (size_t i = 0; i < layers; i++) {
        int64_t number = ip_gguf_int_at(value, i);
        if (number < 0 || (uint64_t)number > most)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: key '%s', layer %zu: out of its range of %" PRIu64 " to %" PRIu64, b->path, full.text,
                           i, least, most);
        out[i] = (uint64_t)number;
        ip_status status = check_least(b, full.text, out[i], least);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

ip_status ip_build_neutral(ip_build *b, const char *key, double neutral) {
    ip_key full = ip_build_key(b, key);
    const ip_gguf_value *value = ip_gguf_find(b->file, full.text);
    if (!value) return IP_OK;
    bool real = value->type == IP_GGUF_F32 || value->type == IP_GGUF_F64;
    bool whole = value->type <= IP_GGUF_I32 || value->type == IP_GGUF_BOOL || value->type == IP_GGUF_U64 ||
                 value->type == IP_GGUF_I64;
    double number = real ? ip_gguf_float_at(value, 0) : whole ? (double)ip_gguf_int_at(value, 0) : NAN;
    if (number == 0 || number == neutral) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' asks for something that family %s does not do here", b->path,
                   full.text, b->family);
}

/* ---- tensors ---- */

static void type_names(char *out, size_t room) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ip_type_count() && at < room; i++) {
        const ip_type *type = ip_type_at(i);
        if (type->weight) at += (size_t)snprintf(out + at, room - at, "%s%s", at > 0 ? ", " : "", type->name);
    }
}

static const char *path_of(const ip_build *b, const ip_tensor *tensor) {
    return ip_gguf_part_path(b->file, ip_gguf_tensor_part(b->file, tensor));
}

ip_status ip_build_tensor(ip_build *b, const char *name, bool required, uint64_t inputs, uint64_t outputs,
                          const ip_tensor **out) {
    const ip_tensor *t = *out = ip_gguf_tensor(b->file, name);
    if (!t) return required ? ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' is missing", b->path, name) : IP_OK;
    b->claimed[t - ip_gguf_tensor_at(b->file, 0)] = true;
    if (t->ne[0] != inputs || t->ne[1] != outputs || t->ne[2] != 1 || t->ne[3] != 1)
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: tensor '%s' is %" PRIu64 " x %" PRIu64 " x %" PRIu64 " x %" PRIu64
                       ", the model's keys ask for %" PRIu64 " x %" PRIu64,
                       path_of(b, t), name, t->ne[0], t->ne[1], t->ne[2], t->ne[3], inputs, outputs);
    if (!t->type->weight) {
        char names[512];
        type_names(names, sizeof names);
        return ip_fail(b->error, IP_BAD_INPUT, "%s: type %s of tensor '%s' holds no weights; supported: %s",
                       path_of(b, t), t->type->name, name, names);
    }
    return IP_OK;
}

ip_status ip_build_vector(ip_build *b, const char *name, bool required, uint64_t n, const float **out) {
    const ip_tensor *t;
    *out = NULL;
    ip_status status = ip_build_tensor(b, name, required, n, 1, &t);
    if (status != IP_OK || !t) return status;
    if ((status = ip_tensor_check_finite(t, path_of(b, t), b->error)) != IP_OK) return status;
    float *values = ip_build_alloc(b, (size_t)n, sizeof *values);
    if (!values) return IP_FAILED;
    t->type->to_float(values, t->data, (size_t)n);
    *out = values;
    return IP_OK;
}

/* "<name><suffix>"; names are the room's own and short. */
typedef struct tensor_name {
    char text[64];
} tensor_name;

static tensor_name join(const char *name, const char *suffix) {
    tensor_name full;
    snprintf(full.text, sizeof full.text, "%s%s", name, suffix);
    return full;
}

ip_status ip_build_norm(ip_build *b, const char *name, uint64_t n, ip_norm *out) {
    out->n = (size_t)n;
    return ip_build_vector(b, join(name, ".weight").text, true, n, &out->gain);
}

/* The part of a bias (in file order, or NULL) that belongs to a weight, in our order of rows. */
static ip_status take_bias(ip_build *b, const float *bias, ip_weight *w) {
    if (!bias) return IP_OK;
    float *ours = ip_build_alloc(b, w->outputs, sizeof *ours);
    if (!ours) return IP_FAILED;
    for (size_t i = 0; i < w->outputs; i++) ours[i] = bias[ip_weight_row(w, i)];
    w->bias = ours;
    return IP_OK;
}

ip_status ip_build_matrix(ip_build *b, const char *name, bool required, uint64_t outputs, uint64_t inputs, size_t head,
                          ip_weight *out) {
    *out = (ip_weight){0};
    const float *bias;
    ip_status status = ip_build_tensor(b, join(name, ".weight").text, required, inputs, outputs, &out->tensor);
    if (status != IP_OK || !out->tensor) return status;
    out->outputs = (size_t)outputs;
    out->inputs = (size_t)inputs;
    out->unpermute = head;
    out->rotary = head > 0 ? b->plan.rotary : 0;
    status = ip_build_vector(b, join(name, ".bias").text, false, outputs, &bias);
    return status == IP_OK ? take_bias(b, bias, out) : status;
}

ip_status ip_build_qkv(ip_build *b, size_t i, uint64_t q_rows, uint64_t kv_rows, uint64_t inputs, size_t head) {
    ip_weight *w[3] = {&b->blocks[i].q, &b->blocks[i].k, &b->blocks[i].v};
    static const char *const names[3] = {"attn_q", "attn_k", "attn_v"};
    uint64_t rows[3] = {q_rows, kv_rows, kv_rows};
    size_t heads[3] = {head, head, 0};
    char name[64];
    ip_status status = IP_OK;
    snprintf(name, sizeof name, "blk.%zu.attn_qkv.weight", i);
    if (!ip_gguf_tensor(b->file, name)) {
        for (int m = 0; status == IP_OK && m < 3; m++) {
            snprintf(name, sizeof name, "blk.%zu.%s", i, names[m]);
            status = ip_build_matrix(b, name, true, rows[m], inputs, heads[m], w[m]);
        }
        return status;
    }
    const ip_tensor *fused;
    const float *bias = NULL;
    status = ip_build_tensor(b, name, true, inputs, q_rows + 2 * kv_rows, &fused);
    snprintf(name, sizeof name, "blk.%zu.attn_qkv.bias", i);
    if (status == IP_OK) status = ip_build_vector(b, name, false, q_rows + 2 * kv_rows, &bias);
    size_t row0 = 0;
    for (int m = 0; status == IP_OK && m < 3; m++) {
        *w[m] = (ip_weight){.tensor = fused,
                            .outputs = (size_t)rows[m],
                            .inputs = (size_t)inputs,
                            .row0 = row0,
                            .unpermute = heads[m],
                            .rotary = heads[m] > 0 ? b->plan.rotary : 0};
        row0 += (size_t)rows[m];
        status = take_bias(b, bias, w[m]);
    }
    return status;
}

/* Per-block rotary tables of old converters, made from keys that are read anyway. */
static bool is_ignored(const char *name) {
    unsigned long block;
    int end = 0;
    if (sscanf(name, "blk.%lu.%n", &block, &end) != 1 || end == 0) return false;
    const char *rest = name + end;
    return strcmp(rest, "rope_freqs.weight") == 0 || strncmp(rest, "attn_rot_embd", 13) == 0;
}

ip_status ip_build_finish(ip_build *b) {
    for (size_t i = 0; i < ip_gguf_tensor_count(b->file); i++) {
        const ip_tensor *t = ip_gguf_tensor_at(b->file, i);
        unsigned long block = 0;
        if (b->claimed[i] || is_ignored(t->name)) continue;
        if (sscanf(t->name, "blk.%lu.", &block) == 1 && block >= b->plan.layers)
            return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' is in a block beyond the %zu of key '%s'",
                           path_of(b, t), t->name, b->plan.layers, ip_build_key(b, "block_count").text);
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: tensor '%s' has no place in a model of family %s as it is known here", path_of(b, t),
                       t->name, b->family);
    }
    return IP_OK;
}

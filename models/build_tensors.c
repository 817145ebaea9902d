/* Tensors with exact shapes, by their roles. Shapes are compared as 64-bit numbers before anything is made a size_t:
 * after the comparison they are those of a tensor that lies in the file, and fit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/build.h"
#include "models/types_hf.h"

/* ---- names ---- */

static const struct {
    const char *file, *folder;
} roles[] = {
#define IP_ROLE(role, gguf, folder) {gguf, folder},
#include "models/roles.def"
#undef IP_ROLE
};

static const char *spelling(const ip_build *b, ip_role role) {
    for (const ip_name *own = b->names; own && own->name; own++)
        if (own->role == role) return own->name;
    return b->file->gguf ? roles[role].file : roles[role].folder;
}

/* The parts one behind the other; a name that is too long for any of ours is no name. */
static ip_tensor_name joined(const char *prefix, const char *where, const char *base, const char *suffix) {
    ip_tensor_name full;
    int n = snprintf(full.text, sizeof full.text, "%s%s%s%s", prefix, where, base, suffix);
    if (n < 0 || (size_t)n >= sizeof full.text) full.text[0] = '\0';
    return full;
}

ip_tensor_name ip_build_name(const ip_build *b, ip_role role, size_t block, size_t expert, const char *suffix) {
    const char *name = spelling(b, role), *number = strstr(name, "%zu");
    char base[96], where[64] = "";
    if (number)
        snprintf(base, sizeof base, "%.*s%zu%s", (int)(number - name), name, expert, number + 3);
    else
        snprintf(base, sizeof base, "%s", name);
    if (role > IP_ROLE_BLOCK) {
        const char *blocks = b->file->gguf ? "blk." : b->family->folder_blocks ? b->family->folder_blocks : "layers.";
        snprintf(where, sizeof where, "%s%zu.", blocks, block);
    }
    /* The head stands outside the decoder that the prefix names. */
    const char *prefix = b->file->gguf || role == IP_ROLE_HEAD ? "" : b->prefix;
    ip_tensor_name full = joined(prefix, where, base, suffix);
    if (role == IP_ROLE_HEAD && b->file->folder && !ip_build_there(b, full))
        full = joined("language_model.", where, base, suffix);
    return full;
}

bool ip_build_there(const ip_build *b, ip_tensor_name name) { return ip_checkpoint_tensor(b->file, name.text) != NULL; }

ip_status ip_build_prefix(ip_build *b) {
    const char *const prefixes[] = {b->family->folder_prefix ? b->family->folder_prefix : "model.", "", "model.",
                                    "model.language_model.", "language_model.model."};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        snprintf(b->prefix, sizeof b->prefix, "%s", prefixes[i]);
        if (ip_build_there(b, ip_build_name(b, IP_ROLE_EMBEDDING, 0, 0, ".weight"))) return IP_OK;
    }
    snprintf(b->prefix, sizeof b->prefix, "%s", prefixes[0]);
    return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' is missing", b->file->folder->path,
                   ip_build_name(b, IP_ROLE_EMBEDDING, 0, 0, ".weight").text);
}

/* ---- one tensor ---- */

static void type_names(const ip_build *b, char *out, size_t room) {
    size_t at = 0;
    out[0] = '\0';
    if (b->file->folder) at += (size_t)snprintf(out, room, "F32, F16, BF16, F64");
    for (size_t i = 0; b->file->folder && i < ip_dtype_count() && at < room; i++)
        if (ip_dtype_at(i)->weight) at += (size_t)snprintf(out + at, room - at, ", %s", ip_dtype_at(i)->name);
    for (size_t i = 0; b->file->gguf && i < ip_type_count() && at < room; i++)
        if (ip_type_at(i)->weight)
            at += (size_t)snprintf(out + at, room - at, "%s%s", at > 0 ? ", " : "", ip_type_at(i)->name);
}

static const char *path_of(const ip_build *b, const ip_tensor *tensor) {
    return ip_checkpoint_tensor_path(b->file, tensor);
}

static ip_status bad_shape(ip_build *b, const ip_tensor *t, uint64_t inputs, uint64_t outputs, uint64_t count) {
    const char *keys = b->file->folder ? "config.json asks" : "the model's keys ask";
    char hint[64] = "";
    /* In a folder, say which keys a wrong size comes from where it is plain. */
    if (b->file->folder && strcmp(t->name, ip_build_name(b, IP_ROLE_EMBEDDING, 0, 0, ".weight").text) == 0)
        snprintf(hint, sizeof hint, " (hidden_size x vocab_size)");
    return ip_fail(b->error, IP_BAD_INPUT,
                   "%s: tensor '%s' is %" PRIu64 " x %" PRIu64 " x %" PRIu64 " x %" PRIu64 ", %s for %" PRIu64
                   " x %" PRIu64 " x %" PRIu64 "%s",
                   path_of(b, t), t->name, t->ne[0], t->ne[1], t->ne[2], t->ne[3], keys, inputs, outputs, count, hint);
}

/* The factors of a scaled type, beside the tensor: <name>_scale_inv, one per block of 128 x 128 or as config.json says, or
 * <name>_scale, one in all or one per row. */
static ip_status find_scales(ip_build *b, const ip_tensor *t) {
    ip_tensor_name name;
    const ip_node *config = ip_node_get(b->file->folder->config, "quantization_config");
    const ip_node *size = ip_node_get(config, "weight_block_size");
    int64_t block[2] = {128, 128};
    for (size_t i = 0; size && i < 2; i++)
        if (!ip_node_int(ip_node_at(size, i), &block[i]) || block[i] < 1 || block[i] > INT32_MAX)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: weight_block_size of quantization_config is not two positive "
                           "whole numbers",
                           b->path);
    uint64_t inputs = t->ne[0], outputs = t->ne[1] * t->ne[2] * t->ne[3];
    uint64_t columns = (inputs + (uint64_t)block[1] - 1) / (uint64_t)block[1];
    uint64_t rows = (outputs + (uint64_t)block[0] - 1) / (uint64_t)block[0];
    snprintf(name.text, sizeof name.text, "%s_scale_inv", t->name);
    ip_scales *scales = ip_build_alloc(b, 1, sizeof *scales);
    if (!scales) return IP_FAILED;
    const ip_tensor *s = ip_checkpoint_tensor(b->file, name.text);
    if (!s) {
        snprintf(name.text, sizeof name.text, "%s_scale", t->name);
        s = ip_checkpoint_tensor(b->file, name.text);
        uint64_t n = s ? s->ne[0] * s->ne[1] * s->ne[2] * s->ne[3] : 0;
        columns = 1;
        rows = n == outputs ? outputs : 1;
        block[0] = n == outputs ? 1 : (int64_t)outputs;
        block[1] = (int64_t)inputs;
    }
    if (!s)
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: tensor '%s' is of type %s, but its factors ('%s_scale_inv') are not there", path_of(b, t),
                       t->name, t->type->name, t->name);
    uint64_t elements = s->ne[0] * s->ne[1] * s->ne[2] * s->ne[3];
    if (!s->type->weight || ip_dtype_scaled(s->type) || elements != rows * columns || elements == 0)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' of %s should hold %" PRIu64 " floats, has %" PRIu64,
                       path_of(b, s), s->name, s->type->name, rows * columns, elements);
    b->claimed[ip_checkpoint_tensor_number(b->file, s)] = true;
    ip_status status = ip_tensor_check_finite(s, path_of(b, s), b->error);
    float *values = status == IP_OK ? ip_build_alloc(b, (size_t)elements, sizeof *values) : NULL;
    if (!values) return b->error->status;
    s->type->to_float(values, s->data, (size_t)elements);
    *scales = (ip_scales){values, (size_t)block[0], (size_t)block[1], (size_t)columns};
    b->scales = scales;
    return IP_OK;
}

ip_status ip_build_tensor(ip_build *b, ip_tensor_name name, bool required, uint64_t inputs, uint64_t outputs,
                          uint64_t count, const ip_tensor **out) {
    const ip_tensor *t = *out = ip_checkpoint_tensor(b->file, name.text);
    b->scales = NULL;
    if (!t)
        return required ? ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' is missing",
                                  b->file->folder ? b->file->folder->path : b->path, name.text)
                        : IP_OK;
    b->claimed[ip_checkpoint_tensor_number(b->file, t)] = true;
    /* A vector may be written as a matrix of one row or one column. */
    bool vector = outputs == 1 && count == 1 && t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3] == inputs && b->file->folder;
    if (!vector && (t->ne[0] != inputs || t->ne[1] != outputs || t->ne[2] != count || t->ne[3] != 1))
        return bad_shape(b, t, inputs, outputs, count);
    if (!t->type->weight) {
        char names[512];
        type_names(b, names, sizeof names);
        return ip_fail(b->error, IP_BAD_INPUT, "%s: type %s of tensor '%s' holds no weights; supported: %s",
                       path_of(b, t), t->type->name, name.text, names);
    }
    return b->file->folder && ip_dtype_scaled(t->type) ? find_scales(b, t) : IP_OK;
}

static ip_status floats_of(ip_build *b, const ip_tensor *t, uint64_t n, float **out) {
    ip_status status = ip_tensor_check_finite(t, path_of(b, t), b->error);
    *out = NULL;
    if (status != IP_OK) return status;
    if (ip_dtype_scaled(t->type))
        return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' of type %s should be of floats", path_of(b, t), t->name,
                       t->type->name);
    *out = ip_build_alloc(b, (size_t)n, sizeof **out);
    if (!*out) return IP_FAILED;
    size_t per_row = (size_t)t->ne[0];
    for (size_t at = 0; at < (size_t)n; at += per_row)
        t->type->to_float(*out + at, ip_tensor_row(t, at / per_row), per_row);
    return IP_OK;
}

ip_status ip_build_vector(ip_build *b, ip_tensor_name name, bool required, uint64_t n, const float **out) {
    const ip_tensor *t;
    float *values = NULL;
    *out = NULL;
    ip_status status = ip_build_tensor(b, name, required, n, 1, 1, &t);
    if (status == IP_OK && t) status = floats_of(b, t, n, &values);
    *out = values;
    return status;
}

/* ---- norms ---- */

ip_status ip_build_plain_norm(ip_build *b, ip_norm_kind kind, uint64_t n, ip_norm *out) {
    float *gain = ip_build_alloc(b, (size_t)n, sizeof *gain);
    if (!gain) return IP_FAILED;
    for (uint64_t i = 0; i < n; i++) gain[i] = 1.0f;
    *out = (ip_norm){.kind = kind, .gain = gain, .n = (size_t)n, .rows = 1};
    return IP_OK;
}

/* Gains of each head in a tensor of its own (StableLM in folders), put one after the other. */
static ip_status gains_by_head(ip_build *b, ip_role role, size_t block, const ip_norm_shape *shape, float *to) {
    ip_status status = IP_OK;
    for (uint64_t h = 0; status == IP_OK && h < shape->rows; h++) {
        char suffix[48];
        const float *one;
        snprintf(suffix, sizeof suffix, ".norms.%" PRIu64 ".weight", h);
        status = ip_build_vector(b, ip_build_name(b, role, block, 0, suffix), true, shape->n, &one);
        if (status == IP_OK) memcpy(to + h * shape->n, one, (size_t)shape->n * sizeof *to);
    }
    return status;
}

ip_status ip_build_norm(ip_build *b, ip_role role, size_t block, const ip_norm_shape *shape, ip_norm *out) {
    if (shape->free) return ip_build_plain_norm(b, shape->kind, shape->n, out);
    *out = (ip_norm){.kind = shape->kind, .n = (size_t)shape->n, .rows = (size_t)shape->rows};
    uint64_t all = shape->n * shape->rows;
    const ip_tensor *t;
    float *gain = NULL;
    ip_tensor_name name = ip_build_name(b, role, block, 0, ".weight");
    ip_status status = IP_OK;
    if (shape->rows > 1 && ip_build_there(b, ip_build_name(b, role, block, 0, ".norms.0.weight"))) {
        gain = ip_build_alloc(b, (size_t)all, sizeof *gain);
        status = gain ? gains_by_head(b, role, block, shape, gain) : IP_FAILED;
    } else {
        status = ip_build_tensor(b, name, true, shape->n, shape->rows, 1, &t);
        if (status == IP_OK) status = floats_of(b, t, all, &gain);
    }
    if (status != IP_OK) return status;
    if (shape->plus_one && b->file->folder)
        for (uint64_t i = 0; i < all; i++) gain[i] = 1.0f + gain[i];
    out->gain = gain;
    if (!shape->bias) return IP_OK;
    return ip_build_vector(b, ip_build_name(b, role, block, 0, ".bias"), true, all, &out->bias);
}

/* ---- matrices ---- */

/* The part of a bias (in file order, or NULL) that belongs to a weight, in our order of rows. */
static ip_status take_bias(ip_build *b, const float *bias, ip_weight *w) {
    if (!bias) return IP_OK;
    float *ours = ip_build_alloc(b, w->outputs, sizeof *ours);
    if (!ours) return IP_FAILED;
    for (size_t i = 0; i < w->outputs; i++) ours[i] = bias[ip_weight_row(w, i)];
    w->bias = ours;
    return IP_OK;
}

static ip_status refuse_transposed(ip_build *b, const ip_tensor *t) {
    if (t->type->block == 1 && !ip_dtype_scaled(t->type)) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' of type %s stands transposed, which is not supported",
                   path_of(b, t), t->name, t->type->name);
}

ip_status ip_build_fused(ip_build *b, ip_role role, size_t block, uint64_t rows, uint64_t inputs, bool bias,
                         ip_fused *out) {
    bool transposed = b->file->folder && b->traits.transposed;
    *out = (ip_fused){.inputs = inputs, .transposed = transposed};
    ip_status status = ip_build_tensor(b, ip_build_name(b, role, block, 0, ".weight"), true, transposed ? rows : inputs,
                                       transposed ? inputs : rows, 1, &out->tensor);
    out->scales = b->scales;
    if (status == IP_OK && transposed) status = refuse_transposed(b, out->tensor);
    bool wanted = b->file->folder && bias, looked_for = b->file->gguf || bias;
    if (status == IP_OK && looked_for)
        status = ip_build_vector(b, ip_build_name(b, role, block, 0, ".bias"), wanted, rows, &out->bias);
    return status;
}

ip_status ip_build_part(ip_build *b, const ip_fused *from, ip_weight *out) {
    out->tensor = from->tensor;
    out->inputs = (size_t)from->inputs;
    out->transposed = from->transposed;
    out->input0 = (size_t)from->input0;
    out->scales = from->scales;
    return take_bias(b, from->bias, out);
}

ip_status ip_build_matrix(ip_build *b, ip_role role, size_t block, size_t expert, const ip_matrix_shape *shape,
                          ip_weight *out) {
    *out = (ip_weight){0};
    bool transposed = b->file->folder && b->traits.transposed && role > IP_ROLE_BLOCK;
    uint64_t ne0 = transposed ? shape->outputs : shape->inputs, ne1 = transposed ? shape->inputs : shape->outputs;
    const float *bias = NULL;
    ip_status status = ip_build_tensor(b, ip_build_name(b, role, block, expert, ".weight"), shape->required, ne0, ne1,
                                       1, &out->tensor);
    if (status != IP_OK || !out->tensor) return status;
    out->scales = b->scales;
    out->outputs = (size_t)shape->outputs;
    out->inputs = (size_t)shape->inputs;
    out->unpermute = shape->rotary > 0 ? shape->head : 0;
    out->rotary = shape->rotary;
    out->transposed = transposed;
    if (transposed) status = refuse_transposed(b, out->tensor);
    bool wanted = b->file->folder && shape->bias, looked_for = b->file->gguf || shape->bias;
    if (status == IP_OK && looked_for)
        status = ip_build_vector(b, ip_build_name(b, role, block, expert, ".bias"), wanted, shape->outputs, &bias);
    return status == IP_OK ? take_bias(b, bias, out) : status;
}

/* ---- what is left ---- */

static bool ends_with(const char *text, const char *tail) {
    size_t n = strlen(text), m = strlen(tail);
    return n >= m && strcmp(text + n - m, tail) == 0;
}

/* Per-block rotary tables of old converters, made from keys that are read anyway; mask buffers of old exports. */
static bool is_ignored(const ip_build *b, const char *name) {
    static const char *const tails[] = {".attention.bias", ".attention.masked_bias", ".attn.bias", ".attn.masked_bias",
                                        ".rotary_emb.inv_freq"};
    unsigned long block;
    int end = 0;
    if (b->file->folder) {
        for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
            if (ends_with(name, tails[i])) return true;
        return false;
    }
    if (sscanf(name, "blk.%lu.%n", &block, &end) != 1 || end == 0) return false;
    const char *rest = name + end;
    return strcmp(rest, "rope_freqs.weight") == 0 || strncmp(rest, "attn_rot_embd", 13) == 0;
}

/* Number of the block that a name belongs to; false: none. */
static bool block_of(const ip_build *b, const char *name, unsigned long *block) {
    char start[96];
    const char *blocks = b->family->folder_blocks ? b->family->folder_blocks : "layers.";
    snprintf(start, sizeof start, "%s%s", b->file->gguf ? "" : b->prefix, b->file->gguf ? "blk." : blocks);
    size_t n = strlen(start);
    return strncmp(name, start, n) == 0 && sscanf(name + n, "%lu.", block) == 1;
}

ip_status ip_build_finish(ip_build *b) {
    for (size_t i = 0; i < ip_checkpoint_tensor_count(b->file); i++) {
        const ip_tensor *t = ip_checkpoint_tensor_at(b->file, i);
        unsigned long block = 0;
        if (b->claimed[i] || is_ignored(b, t->name)) continue;
        bool inside = block_of(b, t->name, &block);
        if (!inside && b->file->folder) continue; /* other parts of a multimodal model */
        if (inside && block >= b->plan.layers)
            return ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' is in a block beyond the %zu of key '%s'",
                           path_of(b, t), t->name, b->plan.layers,
                           b->file->gguf ? ip_build_key(b, "block_count").text : "num_hidden_layers");
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: tensor '%s' has no place in a model of family %s as it is known here", path_of(b, t),
                       t->name, b->family->name);
    }
    return IP_OK;
}

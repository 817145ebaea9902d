/* The hyper-parameters that all families share: sizes, heads, windows, activations, scales. What is one family's own is
 * its configure's, which runs between reading and checking. */
#include <inttypes.h>
#include <string.h>

#include "arch/kernels.h"
#include "models/build.h"

static void take_heads(ip_layer_shape *s, uint64_t value) { s->heads = value; }
static void take_kv_heads(ip_layer_shape *s, uint64_t value) { s->kv_heads = value; }
static void take_hidden(ip_layer_shape *s, uint64_t value) { s->hidden = value; }

static uint64_t or_required(size_t fallback) { return fallback > 0 ? fallback : IP_REQUIRED; }

/* ---- the model ---- */

static ip_status read_eps(ip_build *b) {
    const char *gguf =
        b->traits.norm == IP_NORM_RMS ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
    const char *folder = "rms_norm_eps|layer_norm_eps|layer_norm_epsilon|norm_epsilon|norm_eps";
    double eps;
    if (b->traits.norm_free && b->file->folder) folder = NULL; /* a constant of such families */
    ip_status status = ip_build_float(b, gguf, folder, b->file->gguf ? IP_REQUIRED_FLOAT : b->traits.eps, &eps);
    if (status == IP_OK && eps < 0) return ip_build_bad(b, gguf, folder, "is negative");
    b->plan.norm_eps = (float)eps;
    return status;
}

static ip_status read_vocabulary(ip_build *b) {
    uint64_t vocabulary;
    ip_tensor_name name = ip_build_name(b, IP_ROLE_EMBEDDING, 0, 0, ".weight");
    const ip_tensor *embedding = ip_checkpoint_tensor(b->file, name.text);
    ip_status status =
        ip_build_uint(b, NULL, "vocab_size", 1, INT32_MAX, embedding ? embedding->ne[1] : 0, &vocabulary);
    if (status == IP_OK) status = ip_build_tensor(b, name, true, b->plan.width, vocabulary, 1, &b->plan.embedding);
    if (status == IP_OK && (vocabulary == 0 || vocabulary > INT32_MAX))
        status = ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' has %" PRIu64 " rows, and tokens are 1 to 2^31 - 1",
                         b->path, name.text, vocabulary);
    if (status == IP_OK && b->scales)
        status =
            ip_fail(b->error, IP_BAD_INPUT, "%s: tensor '%s' of type %s: an embedding with scales is not supported",
                    b->path, name.text, b->plan.embedding->type->name);
    b->plan.vocabulary = (size_t)vocabulary;
    return status;
}

static ip_status read_sizes(ip_build *b) {
    uint64_t layers, width, context, tensors = ip_checkpoint_tensor_count(b->file);
    ip_status status =
        ip_build_uint(b, "block_count", "num_hidden_layers|n_layer", 1, UINT32_MAX, IP_REQUIRED, &layers);
    if (status == IP_OK)
        status = ip_build_uint(b, "embedding_length", "hidden_size|n_embd|n_embed", 1, UINT32_MAX, IP_REQUIRED, &width);
    if (status == IP_OK)
        status = ip_build_uint(b, "context_length", "max_position_embeddings|n_positions|seq_length", 1, UINT32_MAX,
                               b->file->gguf ? IP_REQUIRED : 2048, &context);
    if (status == IP_OK) status = read_eps(b);
    if (status != IP_OK) return status;
    if (layers > tensors) { /* also bounds what is allocated per layer */
        char text[96];
        snprintf(text, sizeof text, "is %" PRIu64 ", but there are only %" PRIu64 " tensors", layers, tensors);
        return ip_build_bad(b, "block_count", "num_hidden_layers|n_layer", text);
    }
    b->plan.layers = (size_t)layers;
    b->plan.width = (size_t)width;
    b->plan.context_length = (size_t)context;
    b->shapes = ip_build_alloc(b, (size_t)layers, sizeof *b->shapes);
    if (!b->shapes) return IP_FAILED;
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].kv_from = i;
    return read_vocabulary(b);
}

/* ---- heads ---- */

static const char HEADS[] = "attention.head_count", KV_HEADS[] = "attention.head_count_kv";

static ip_status read_heads(ip_build *b) {
    const ip_traits *t = &b->traits;
    ip_status status = ip_build_layers_uint(b, HEADS, "num_attention_heads|n_head", 1, UINT32_MAX,
                                            or_required(b->file->folder ? t->heads : 0), take_heads);
    if (status != IP_OK) return status;
    uint64_t heads = b->shapes[0].heads, key, value;
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].kv_heads = b->shapes[i].heads;
    if (ip_build_has(b, KV_HEADS, "num_key_value_heads") || (t->kv_heads > 0 && b->file->folder))
        status = ip_build_layers_uint(b, KV_HEADS, "num_key_value_heads", 1, UINT32_MAX, t->kv_heads, take_kv_heads);
    bool stated = ip_build_has(b, "attention.key_length", "head_dim") || (t->head > 0 && b->file->folder);
    if (status == IP_OK && !stated && b->plan.width % heads != 0)
        return ip_build_bad(b, HEADS, "num_attention_heads|n_head", "does not divide the width of the model");
    uint64_t usual = t->head > 0 && b->file->folder ? t->head : b->plan.width / heads;
    if (status == IP_OK) status = ip_build_uint(b, "attention.key_length", "head_dim", 1, UINT32_MAX, usual, &key);
    if (status == IP_OK) status = ip_build_uint(b, "attention.value_length", NULL, 1, UINT32_MAX, key, &value);
    if (status == IP_OK && value != key)
        return ip_build_bad(b, "attention.value_length", NULL, "differs from key_length, which is not supported");
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) b->shapes[i].head = key;
    return status;
}

static ip_status check_heads(ip_build *b) {
    for (size_t i = 0; i < b->plan.layers; i++) {
        const ip_layer_shape *s = &b->shapes[i];
        if (s->kv_heads == 0 || s->heads % s->kv_heads != 0)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: key '%s' is %" PRIu64 " in layer %zu, which does not divide the %" PRIu64 " heads",
                           b->path, b->file->gguf ? ip_build_key(b, KV_HEADS).text : "num_key_value_heads", s->kv_heads,
                           i, s->heads);
        if (s->head > IP_HEAD_MAX || s->head % 2 != 0)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: heads of width %" PRIu64 " (%s), where even widths up to %d are supported", b->path,
                           s->head,
                           b->file->gguf ? "key_length, or embedding_length by head_count"
                                         : "head_dim, or hidden_size by num_attention_heads",
                           IP_HEAD_MAX);
    }
    return IP_OK;
}

/* ---- feed-forward ---- */

static ip_status read_hidden(ip_build *b) {
    const char *folder = "intermediate_size|n_inner|ffn_hidden_size|ffn_dim";
    uint64_t fallback = b->traits.wide && b->file->folder ? 4 * (uint64_t)b->plan.width : IP_REQUIRED;
    bool experts = b->traits.experts > 0 && b->traits.uses & IP_USES_EXPERTS;
    if (experts && !ip_build_has(b, "feed_forward_length", folder)) fallback = 0;
    ip_status status =
        ip_build_layers_uint(b, "feed_forward_length", folder, experts ? 0 : 1, UINT32_MAX, fallback, take_hidden);
    ip_tensor_name up = ip_build_name(b, IP_ROLE_UP, 0, 0, ".weight");
    const ip_tensor *tensor = ip_checkpoint_tensor(b->file, up.text);
    if (b->traits.hidden_from_tensor && b->file->gguf && tensor && tensor->ne[1] <= UINT32_MAX)
        for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].hidden = tensor->ne[1];
    return status;
}

static ip_status read_experts(ip_build *b) {
    ip_traits *t = &b->traits;
    if (!(t->uses & IP_USES_EXPERTS)) return IP_OK;
    uint64_t count, used;
    bool normalise = t->routing == IP_ROUTING_NORMALISED;
    ip_status status = ip_build_uint(b, "expert_count", "num_local_experts|num_experts", 0, 65536,
                                     b->file->folder ? t->experts : 0, &count);
    t->experts = (size_t)count;
    t->experts_used = b->file->folder && count > 0 ? t->experts_used : 0;
    if (status != IP_OK || count == 0) return status;
    status = ip_build_uint(b, "expert_used_count", "num_experts_per_tok", 1, count,
                           t->experts_used > 0 ? t->experts_used : IP_REQUIRED, &used);
    t->experts_used = (size_t)used;
    if (status == IP_OK && t->routing == IP_ROUTING_SOFTMAX)
        status =
            ip_build_bool(b, "expert_weights_norm", "norm_topk_prob", b->file->gguf && t->files_normalise, &normalise);
    if (normalise) t->routing = IP_ROUTING_NORMALISED;
    uint64_t all;
    if (status == IP_OK) status = ip_build_uint(b, "feed_forward_length", "intermediate_size", 0, UINT32_MAX, 0, &all);
    if (status == IP_OK)
        status = ip_build_uint(b, "expert_feed_forward_length", "moe_intermediate_size", 1, UINT32_MAX,
                               or_required((size_t)all), &b->expert_hidden);
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].sparse = true;
    return status;
}

static ip_status read_activation(ip_build *b) {
    static const struct {
        const char *name;
        ip_activation activation;
    } names[] = {{"silu", IP_ACT_SILU},           {"swish", IP_ACT_SILU},
                 {"gelu", IP_ACT_GELU_ERF},       {"gelu_python", IP_ACT_GELU_ERF},
                 {"gelu_new", IP_ACT_GELU_TANH},  {"gelu_pytorch_tanh", IP_ACT_GELU_TANH},
                 {"gelu_fast", IP_ACT_GELU_TANH}, {"gelu_accurate", IP_ACT_GELU_TANH},
                 {"relu", IP_ACT_RELU},           {"relu2", IP_ACT_RELU2}};
    ip_key key;
    b->plan.activation = b->traits.activation;
    if (b->file->gguf || b->traits.activation_fixed) return IP_OK;
    const ip_node *node = ip_build_node(b, "hidden_activation|hidden_act|activation_function|activation", &key);
    const char *name = "no text";
    if (!node) return IP_OK;
    ip_node_text(node, &name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i].name) != 0) continue;
        b->plan.activation = names[i].activation;
        return IP_OK;
    }
    return ip_fail(b->error, IP_BAD_INPUT,
                   "%s: key '%s' is '%.40s'; supported are silu, gelu and its tanh forms, relu and relu2", b->path,
                   key.text, name);
}

static ip_status read_biases(ip_build *b) {
    ip_traits *t = &b->traits;
    ip_status status = IP_OK;
    if (t->q_bias_key) status = ip_build_bool(b, NULL, t->q_bias_key, t->q_bias, &t->q_bias);
    if (status == IP_OK && t->o_bias_key) status = ip_build_bool(b, NULL, t->o_bias_key, t->o_bias, &t->o_bias);
    if (status == IP_OK && t->mlp_bias_key) status = ip_build_bool(b, NULL, t->mlp_bias_key, t->mlp_bias, &t->mlp_bias);
    return status;
}

/* ---- windows ---- */

static ip_status read_window(ip_build *b) {
    const ip_traits *t = &b->traits;
    if (t->window_rule == IP_WINDOW_NEVER) {
        b->window = 0;
        return ip_build_neutral(b, "attention.sliding_window", 0);
    }
    uint64_t fallback = t->window;
    bool used = true;
    if (b->file->folder && ip_node_has(b->config, "sliding_window")) fallback = 0; /* null: none */
    if (b->file->gguf) fallback = 0;
    ip_status status =
        ip_build_uint(b, "attention.sliding_window", "sliding_window", 0, UINT32_MAX, fallback, &b->window);
    if (status == IP_OK && t->window_rule == IP_WINDOW_FROM)
        status = ip_build_bool(b, NULL, "use_sliding_window", b->file->gguf != NULL, &used);
    if (!used) b->window = 0;
    return status;
}

static ip_status layers_from_types(ip_build *b, const ip_node *types) {
    if (!ip_node_is_array(types) || ip_node_count(types) != b->plan.layers)
        return ip_build_bad(b, NULL, "layer_types", "is not a list of one type per layer");
    for (size_t i = 0; i < b->plan.layers; i++) {
        const char *type = "";
        bool known = ip_node_text(ip_node_at(types, i), &type) &&
                     (strcmp(type, "full_attention") == 0 || strcmp(type, "sliding_attention") == 0);
        if (!known)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: layer_types: '%.40s' of layer %zu; supported are full_attention and sliding_attention",
                           b->path, type, i);
        b->shapes[i].sliding = b->window > 0 && type[0] == 's';
    }
    return IP_OK;
}

static ip_status layers_from_pattern(ip_build *b, const ip_gguf_value *pattern) {
    if (pattern->element != IP_GGUF_BOOL || pattern->count != b->plan.layers)
        return ip_build_bad(b, "attention.sliding_window_pattern", NULL, "is not a list of one bool per layer");
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].sliding = b->window > 0 && pattern->data[i] != 0;
    return IP_OK;
}

/* A string such as LLLG, repeated: L slides. */
static void layers_from_letters(ip_build *b, const char *letters) {
    size_t n = strlen(letters);
    for (size_t i = 0; i < b->plan.layers; i++)
        b->shapes[i].sliding = b->window > 0 && n > 0 && letters[i % n] == 'L' && i + 1 < b->plan.layers;
}

static ip_status read_sliding_layers(ip_build *b) {
    static const char gguf[] = "attention.sliding_window_pattern", folder[] = "sliding_window_pattern";
    const ip_traits *t = &b->traits;
    if (t->window_rule == IP_WINDOW_NEVER) return IP_OK;
    const ip_node *types = ip_build_node(b, "layer_types", NULL);
    if (types && b->file->folder) return layers_from_types(b, types);
    const ip_gguf_value *pattern = b->file->gguf ? ip_gguf_find(b->file->gguf, ip_build_key(b, gguf).text) : NULL;
    if (pattern && pattern->type == IP_GGUF_ARRAY) return layers_from_pattern(b, pattern);
    const char *letters;
    if (t->window_rule == IP_WINDOW_PERIOD && ip_node_text(ip_build_node(b, folder, NULL), &letters)) {
        layers_from_letters(b, letters);
        return IP_OK;
    }
    uint64_t period = t->window_period, from = 0;
    bool periodic = t->window_rule == IP_WINDOW_PERIOD || (pattern && b->file->gguf);
    ip_status status = IP_OK;
    if (periodic) status = ip_build_uint(b, gguf, folder, 0, UINT32_MAX, t->window_period, &period);
    if (status == IP_OK && t->window_rule == IP_WINDOW_FROM)
        status = ip_build_uint(b, NULL, "max_window_layers", 0, UINT32_MAX, b->file->gguf ? 0 : 28, &from);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++)
        b->shapes[i].sliding =
            b->window > 0 && (periodic && period > 0 ? (i + 1) % period != 0 : !periodic && i >= from);
    return status;
}

/* ---- scales and the like ---- */

/* A cap: 0 or null is none, absent what the family has. */
static ip_status read_cap(ip_build *b, const char *key, double usual, double *out) {
    if (b->file->folder && ip_node_has(b->config, key)) usual = 0;
    ip_status status = ip_build_float(b, key, key, usual, out);
    if (status == IP_OK && *out < 0) return ip_build_bad(b, key, key, "is negative");
    return status;
}

static ip_status read_scales(ip_build *b) {
    ip_traits *t = &b->traits;
    static const struct {
        const char *key;
        double neutral;
        unsigned use;
    } extras[] = {
        {"expert_count", 0, IP_USES_EXPERTS},
        {"attention.clamp_kqv", 0, IP_USES_CLIP},
        {"attention.max_alibi_bias", 0, 0},
        {"attn_logit_softcapping", 0, IP_USES_SOFTCAP},
        {"final_logit_softcapping", 0, IP_USES_LOGIT_SOFTCAP},
        {"embedding_scale", 1, IP_USES_EMBEDDING_SCALE},
        {"residual_scale", 1, IP_USES_RESIDUAL_SCALE},
        {"logit_scale", 1, IP_USES_LOGIT_SCALE},
        {"use_parallel_residual", 0, IP_USES_PARALLEL},
    };
    bool causal = true;
    ip_status status = ip_build_bool(b, "attention.causal", NULL, true, &causal);
    if (status == IP_OK && !causal)
        return ip_build_bad(b, "attention.causal", NULL, "is false: attention to both sides is not supported");
    for (size_t i = 0; status == IP_OK && i < sizeof extras / sizeof extras[0]; i++)
        if (!(t->uses & extras[i].use)) status = ip_build_neutral(b, extras[i].key, extras[i].neutral);
    if (status == IP_OK && t->uses & IP_USES_CLIP)
        status = ip_build_float(b, "attention.clamp_kqv", "clip_qkv", 0, &t->clip);
    if (status == IP_OK && t->clip < 0) return ip_build_bad(b, "attention.clamp_kqv", "clip_qkv", "is negative");
    if (status == IP_OK && t->uses & IP_USES_SOFTCAP)
        status = read_cap(b, "attn_logit_softcapping", t->softcap, &t->softcap);
    if (status == IP_OK && t->uses & IP_USES_LOGIT_SOFTCAP)
        status = read_cap(b, "final_logit_softcapping", t->logit_softcap, &t->logit_softcap);
    double scale = 0;
    if (status == IP_OK) status = ip_build_float(b, "attention.scale", NULL, t->attention_scale, &scale);
    if (status == IP_OK && scale < 0) return ip_build_bad(b, "attention.scale", NULL, "is negative");
    if (scale > 0) t->attention_scale = scale;
    return status;
}

void ip_build_place_ropes(ip_build *b) {
    const ip_node *dict = ip_build_node(b, "rope_scaling|rope_parameters", NULL);
    bool nested = ip_node_get(dict, "full_attention") && ip_node_get(dict, "sliding_attention");
    bool two = b->traits.local_rope_base > 0 || nested;
    for (size_t i = 0; i < b->plan.layers; i++)
        b->shapes[i].rope = b->traits.no_rope || b->traits.alibi ? IP_NO_ROPE : two && b->shapes[i].sliding ? 1 : 0;
}

void ip_build_no_windows(ip_build *b) {
    b->window = 0;
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].sliding = false;
    ip_build_place_ropes(b);
}

ip_status ip_build_shape(ip_build *b) {
    ip_status status = b->file->folder ? ip_build_prefix(b) : IP_OK;
    if (status == IP_OK) status = read_sizes(b);
    if (status == IP_OK) status = read_heads(b);
    if (status == IP_OK) status = read_experts(b);
    if (status == IP_OK) status = read_hidden(b);
    if (status == IP_OK) status = read_activation(b);
    if (status == IP_OK) status = read_biases(b);
    if (status == IP_OK) status = read_window(b);
    if (status == IP_OK) status = read_sliding_layers(b);
    if (status == IP_OK) status = read_scales(b);
    if (status != IP_OK) return status;
    ip_build_place_ropes(b);
    if (b->family->configure) status = b->family->configure(b);
    if (status == IP_OK) status = check_heads(b);
    bool rotates = false;
    for (size_t i = 0; i < b->plan.layers; i++) rotates = rotates || b->shapes[i].rope != IP_NO_ROPE;
    if (status == IP_OK && rotates) status = b->file->gguf ? ip_rope_of_file(b) : ip_rope_of_folder(b);
    return status;
}

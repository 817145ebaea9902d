/* Llama 1 to 3.2, SmolLM and SmolLM2, TinyLlama, Mistral: architecture "llama".
 *
 *   x += o(attention(rope(q h), rope(k h), v h)),  h = rms(x)
 *   x += down(silu(gate h) * (up h)),              h = rms(x)
 *
 * Its files keep rotary pairs of q and k side by side; the plan takes rows so that halves are rotated, which gives the
 * same scores. Mistral is told by its sliding window, Llama 3.1 by the divisors of rope_freqs.weight. */
#include <math.h>
#include <stdio.h>

#include "arch/kernels.h"
#include "models/build.h"

typedef struct layer {
    uint64_t heads, kv_heads, hidden;
} layer;

/* Keys that would change the computation, with the value besides 0 that leaves it alone. */
static ip_status refuse_extras(ip_build *b) {
    static const struct {
        const char *key;
        double neutral;
    } extras[] = {
        {"expert_count", 0},
        {"attention.clamp_kqv", 0},
        {"attention.max_alibi_bias", 0},
        {"attn_logit_softcapping", 0},
        {"final_logit_softcapping", 0},
        {"embedding_scale", 1},
        {"residual_scale", 1},
        {"logit_scale", 1},
        {"use_parallel_residual", 0},
    };
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < sizeof extras / sizeof extras[0]; i++)
        status = ip_build_neutral(b, extras[i].key, extras[i].neutral);
    bool causal = true;
    if (status == IP_OK) status = ip_build_bool(b, "attention.causal", true, &causal);
    if (status == IP_OK && !causal)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is false: attention to both sides is not supported",
                       b->path, ip_build_key(b, "attention.causal").text);
    return status;
}

/* Sizes that do not depend on the layer, and the embedding and head that show them. */
static ip_status bind_model(ip_build *b) {
    ip_plan *plan = &b->plan;
    uint64_t layers, width, context;
    double eps;
    ip_status status = ip_build_uint(b, "block_count", 1, UINT32_MAX, IP_REQUIRED, &layers);
    if (status == IP_OK) status = ip_build_uint(b, "embedding_length", 1, UINT32_MAX, IP_REQUIRED, &width);
    if (status == IP_OK) status = ip_build_uint(b, "context_length", 1, UINT32_MAX, IP_REQUIRED, &context);
    if (status == IP_OK) status = ip_build_float(b, "attention.layer_norm_rms_epsilon", IP_REQUIRED_FLOAT, &eps);
    if (status != IP_OK) return status;
    if (eps < 0)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is negative", b->path,
                       ip_build_key(b, "attention.layer_norm_rms_epsilon").text);
    if (layers > ip_gguf_tensor_count(b->file)) /* also bounds what is allocated per layer */
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is %llu, but the file has only %zu tensors", b->path,
                       ip_build_key(b, "block_count").text, (unsigned long long)layers, ip_gguf_tensor_count(b->file));
    plan->layers = (size_t)layers;
    plan->width = (size_t)width;
    plan->context_length = (size_t)context;
    plan->norm_eps = (float)eps;
    plan->embedding_scale = 1;

    const ip_tensor *embedding = ip_gguf_tensor(b->file, "token_embd.weight");
    uint64_t vocabulary = embedding ? embedding->ne[1] : 0;
    status = ip_build_tensor(b, "token_embd.weight", true, width, vocabulary, &plan->embedding);
    if (status == IP_OK && (vocabulary == 0 || vocabulary > INT32_MAX))
        status = ip_fail(b->error, IP_BAD_INPUT,
                         "%s: tensor 'token_embd.weight' has %llu rows, and tokens are 1 to 2^31 - 1", b->path,
                         (unsigned long long)vocabulary);
    if (status == IP_OK) status = ip_build_norm(b, "output_norm", width, &plan->final_norm);
    if (status == IP_OK) status = ip_build_matrix(b, "output", false, vocabulary, width, 0, &plan->head_weight);
    if (status != IP_OK) return status;
    plan->vocabulary = (size_t)vocabulary;
    if (!plan->head_weight.tensor) /* tied */
        plan->head_weight = (ip_weight){.tensor = plan->embedding, .outputs = plan->vocabulary, .inputs = plan->width};
    return IP_OK;
}

/* Head counts per layer, and the width of a head, which is one for the whole model. */
static ip_status bind_heads(ip_build *b, uint64_t *heads, uint64_t *kv_heads) {
    ip_plan *plan = &b->plan;
    ip_status status = ip_build_layers_uint(b, "attention.head_count", 1, UINT32_MAX, IP_REQUIRED, heads);
    if (status != IP_OK) return status;
    bool grouped = ip_gguf_find(b->file, ip_build_key(b, "attention.head_count_kv").text) != NULL;
    if (grouped) status = ip_build_layers_uint(b, "attention.head_count_kv", 1, UINT32_MAX, IP_REQUIRED, kv_heads);
    if (status != IP_OK) return status;
    for (size_t i = 0; i < plan->layers; i++) {
        if (!grouped) kv_heads[i] = heads[i];
        if (heads[i] % kv_heads[i] != 0)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: key '%s' is %llu in layer %zu, which does not divide the %llu heads", b->path,
                           ip_build_key(b, "attention.head_count_kv").text, (unsigned long long)kv_heads[i], i,
                           (unsigned long long)heads[i]);
    }
    uint64_t head, value_head;
    bool stated = ip_gguf_find(b->file, ip_build_key(b, "attention.key_length").text) != NULL;
    if (!stated && plan->width % heads[0] != 0)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is %llu, which does not divide the embedding_length %zu",
                       b->path, ip_build_key(b, "attention.head_count").text, (unsigned long long)heads[0],
                       plan->width);
    status = ip_build_uint(b, "attention.key_length", 1, UINT32_MAX, plan->width / heads[0], &head);
    if (status == IP_OK) status = ip_build_uint(b, "attention.value_length", 1, UINT32_MAX, head, &value_head);
    if (status != IP_OK) return status;
    if (head > IP_HEAD_MAX || head % 2 != 0)
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: heads of width %llu (key_length, or embedding_length by head_count), where "
                       "even widths up to %d are supported",
                       b->path, (unsigned long long)head, IP_HEAD_MAX);
    if (value_head != head)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' differs from the key_length %llu, which is not supported",
                       b->path, ip_build_key(b, "attention.value_length").text, (unsigned long long)head);
    plan->head = (size_t)head;
    double scale;
    status = ip_build_float(b, "attention.scale", 0, &scale);
    if (status == IP_OK && scale < 0)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is negative", b->path,
                       ip_build_key(b, "attention.scale").text);
    plan->attention_scale = scale > 0 ? (float)scale : (float)(1.0 / sqrt((double)head));
    return status;
}

static ip_status bind_block(ip_build *b, size_t i, const layer *l, size_t window) {
    ip_block *block = &b->blocks[i];
    uint64_t width = b->plan.width, head = b->plan.head;
    block->heads = (size_t)l->heads;
    block->kv_heads = (size_t)l->kv_heads;
    block->window = window;
    block->rotate = true;
    char name[64];
#define NAME(part) (snprintf(name, sizeof name, "blk.%zu." part, i), name)
    ip_status status = ip_build_norm(b, NAME("attn_norm"), width, &block->attention_norm);
    if (status == IP_OK) status = ip_build_qkv(b, i, l->heads * head, l->kv_heads * head, width, b->plan.head);
    if (status == IP_OK) status = ip_build_matrix(b, NAME("attn_output"), true, width, l->heads * head, 0, &block->o);
    if (status == IP_OK) status = ip_build_norm(b, NAME("ffn_norm"), width, &block->mlp_norm);
    if (status == IP_OK) status = ip_build_matrix(b, NAME("ffn_gate"), true, l->hidden, width, 0, &block->gate);
    if (status == IP_OK) status = ip_build_matrix(b, NAME("ffn_up"), true, l->hidden, width, 0, &block->up);
    if (status == IP_OK) status = ip_build_matrix(b, NAME("ffn_down"), true, width, l->hidden, 0, &block->down);
#undef NAME
    return status;
}

ip_status ip_family_llama(ip_build *b) {
    ip_status status = refuse_extras(b);
    if (status == IP_OK) status = bind_model(b);
    if (status != IP_OK) return status;
    size_t layers = b->plan.layers;
    uint64_t *sizes = ip_build_alloc(b, 3 * layers, sizeof *sizes), window;
    b->blocks = ip_build_alloc(b, layers, sizeof *b->blocks);
    if (!sizes || !b->blocks) return IP_FAILED;
    b->plan.blocks = b->blocks;
    uint64_t *heads = sizes, *kv_heads = sizes + layers, *hidden = sizes + 2 * layers;
    status = bind_heads(b, heads, kv_heads);
    if (status == IP_OK) status = ip_build_layers_uint(b, "feed_forward_length", 1, UINT32_MAX, IP_REQUIRED, hidden);
    if (status == IP_OK) status = ip_build_uint(b, "attention.sliding_window", 0, UINT32_MAX, 0, &window);
    if (status == IP_OK && window > 0) status = ip_build_neutral(b, "attention.sliding_window_pattern", 0);
    if (status == IP_OK) status = ip_build_rope(b);
    for (size_t i = 0; status == IP_OK && i < layers; i++)
        status = bind_block(b, i, &(layer){heads[i], kv_heads[i], hidden[i]}, (size_t)window);
    return status;
}

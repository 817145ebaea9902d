/* Falcon 7B, 40B, 180B, 11B and RW: layer norms, both branches in parallel or not, positions by rotation or ALiBi.
 *
 *   7B    one norm, one key head        40B   two norms (ln_attn, ln_mlp), groups of heads
 *   11B   one norm, groups of heads     RW    one branch after the other, as many key heads as heads, ALiBi */
#include "models/build.h"

static const ip_name one_norm[] = {
    {IP_ROLE_EMBEDDING, "word_embeddings"},
    {IP_ROLE_FINAL_NORM, "ln_f"},
    {IP_ROLE_QKV, "self_attention.query_key_value"},
    {IP_ROLE_O, "self_attention.dense"},
    {IP_ROLE_UP, "mlp.dense_h_to_4h"},
    {IP_ROLE_DOWN, "mlp.dense_4h_to_h"},
    {IP_ROLES, NULL},
};
static const ip_name two_norms[] = {
    {IP_ROLE_EMBEDDING, "word_embeddings"},
    {IP_ROLE_FINAL_NORM, "ln_f"},
    {IP_ROLE_QKV, "self_attention.query_key_value"},
    {IP_ROLE_O, "self_attention.dense"},
    {IP_ROLE_UP, "mlp.dense_h_to_4h"},
    {IP_ROLE_DOWN, "mlp.dense_4h_to_h"},
    {IP_ROLE_ATTENTION_NORM, "ln_attn"},
    {IP_ROLE_MLP_NORM, "ln_mlp"},
    {IP_ROLES, NULL},
};
static const ip_name file_two_norms[] = {
    {IP_ROLE_ATTENTION_NORM, "attn_norm_2"},
    {IP_ROLE_MLP_NORM, "attn_norm"},
    {IP_ROLES, NULL},
};

/* Files: the second norm, that of attention, is there or not. */
static ip_status configure_file(ip_build *b) {
    if (!ip_checkpoint_tensor(b->file, "blk.0.attn_norm_2.weight")) return IP_OK;
    b->traits.order = IP_ORDER_PARALLEL_TWO;
    b->names = file_two_norms;
    return IP_OK;
}

static ip_status configure(ip_build *b) {
    if (b->file->gguf) return configure_file(b);
    bool grouped, one_key, parallel;
    uint64_t kv_heads, norms;
    ip_traits *t = &b->traits;
    ip_status status = ip_build_bool(b, NULL, "new_decoder_architecture", false, &grouped);
    if (status == IP_OK) status = ip_build_bool(b, NULL, "multi_query", true, &one_key);
    if (status == IP_OK) status = ip_build_bool(b, NULL, "parallel_attn", true, &parallel);
    if (status == IP_OK) status = ip_build_bool(b, NULL, "alibi", false, &t->alibi);
    if (status == IP_OK) status = ip_build_uint(b, NULL, "num_kv_heads", 1, UINT32_MAX, b->shapes[0].heads, &kv_heads);
    if (status == IP_OK) status = ip_build_uint(b, NULL, "num_ln_in_parallel_attn", 1, 2, grouped ? 2 : 1, &norms);
    if (status != IP_OK) return status;
    if (!grouped && one_key) kv_heads = 1;
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].kv_heads = kv_heads;
    if (grouped && norms == 2) {
        t->order = IP_ORDER_PARALLEL_TWO;
        b->names = two_norms;
    } else if (!grouped && !parallel) {
        t->order = IP_ORDER_PRE;
    }
    ip_build_place_ropes(b);
    return IP_OK;
}

const ip_family ip_family_falcon = {
    .name = "falcon",
    .architecture = "falcon",
    .model_type = "falcon",
    .folder_prefix = "transformer.",
    .folder_blocks = "h.",
    .folder_names = one_norm,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .order = IP_ORDER_PARALLEL,
            .activation = IP_ACT_GELU_ERF,
            .fusion = IP_FUSION_GROUPS,
            .q_bias_key = "bias",
            .o_bias_key = "bias",
            .mlp_bias_key = "bias",
            .wide = true,
            .hidden_from_tensor = true,
            .alibi_bf16 = true,
            .rope_base = 10000,
            .rotary_part = 1,
            .tied = true,
        },
};

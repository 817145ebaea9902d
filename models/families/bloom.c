/* BLOOM: ALiBi, a layer norm behind the embedding, q, k, v head by head in one tensor. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_EMBEDDING, "word_embeddings"},
    {IP_ROLE_FINAL_NORM, "ln_f"},
    {IP_ROLE_QKV, "self_attention.query_key_value"},
    {IP_ROLE_O, "self_attention.dense"},
    {IP_ROLE_UP, "mlp.dense_h_to_4h"},
    {IP_ROLE_DOWN, "mlp.dense_4h_to_h"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_bloom = {
    .name = "bloom",
    .architecture = "bloom",
    .model_type = "bloom",
    .folder_prefix = "transformer.",
    .folder_blocks = "h.",
    .folder_names = folder_names,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .activation = IP_ACT_GELU_TANH,
            .activation_fixed = true,
            .fusion = IP_FUSION_GROUPS,
            .q_bias = true,
            .o_bias = true,
            .mlp_bias = true,
            .wide = true,
            .hidden_from_tensor = true,
            .alibi = true,
            .embedding_norm = true,
            .tied = true,
        },
};

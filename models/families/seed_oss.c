/* Seed-OSS: Llama with biases on q, k, v and, of its own key, on o. */
#include "models/build.h"

static const ip_name file_names[] = {
    {IP_ROLE_MLP_NORM, "post_attention_norm"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_seed_oss = {
    .name = "seed_oss",
    .architecture = "seed_oss",
    .model_type = "seed_oss",
    .file_names = file_names,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_out_bias",
            .mlp_bias_key = "mlp_bias",
            .kv_heads = 8,
            .head = 128,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

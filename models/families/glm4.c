/* GLM-4: GLM with norms before and behind both branches. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_ATTENTION_OUT_NORM, "post_self_attn_layernorm"},
    {IP_ROLE_MLP_NORM, "post_attention_layernorm"},
    {IP_ROLE_MLP_OUT_NORM, "post_mlp_layernorm"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_glm4 = {
    .name = "glm4",
    .architecture = "glm4",
    .model_type = "glm4",
    .folder_names = folder_names,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1.5625e-7,
            .order = IP_ORDER_SANDWICH,
            .activation = IP_ACT_SILU,
            .gated = true,
            .fused_gate_up = true,
            .interleaved = true,
            .q_bias = true,
            .q_bias_key = "attention_bias",
            .kv_heads = 2,
            .head = 128,
            .rope_base = 10000,
            .rotary_part = 0.5,
        },
};

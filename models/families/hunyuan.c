/* HunYuan dense: Llama with q and k normed head by head behind the rotation. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_Q_NORM, "self_attn.query_layernorm"},
    {IP_ROLE_K_NORM, "self_attn.key_layernorm"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_hunyuan = {
    .name = "hunyuan-dense",
    .architecture = "hunyuan-dense",
    .model_type = "hunyuan_v1_dense",
    .folder_names = folder_names,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .qk_norm = IP_QK_HEAD,
            .qk_kind = IP_NORM_RMS,
            .qk_rotated = true,
            .rope_base = 10000,
            .rotary_part = 1,
            .tied = true,
        },
};

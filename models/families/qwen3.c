/* Qwen3: q and k are normed head by head before the rotation. */
#include "models/build.h"

const ip_family ip_family_qwen3 = {
    .name = "qwen3",
    .architecture = "qwen3",
    .model_type = "qwen3",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .qk_norm = IP_QK_HEAD,
            .qk_kind = IP_NORM_RMS,
            .kv_heads = 32,
            .head = 128,
            .window_rule = IP_WINDOW_FROM,
            .window = 4096,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

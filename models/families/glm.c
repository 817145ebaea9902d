/* GLM: neighbours rotate in one half of each head; gate and up in one tensor; biases on q, k and v. */
#include "models/build.h"

const ip_family ip_family_glm = {
    .name = "glm",
    .architecture = "chatglm",
    .model_type = "glm",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1.5625e-7,
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

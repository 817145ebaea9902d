/* Qwen2, Qwen2.5: Llama with biases on q, k and v; windows from max_window_layers on, if use_sliding_window. */
#include "models/build.h"

const ip_family ip_family_qwen2 = {
    .name = "qwen2",
    .architecture = "qwen2",
    .model_type = "qwen2",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias = true,
            .kv_heads = 32,
            .window_rule = IP_WINDOW_FROM,
            .window = 4096,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

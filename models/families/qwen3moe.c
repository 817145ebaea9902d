/* Qwen3-MoE: Qwen3 with experts. */
#include "models/build.h"

static ip_status configure(ip_build *b) { return b->file->folder ? ip_build_dense_layers(b) : IP_OK; }

const ip_family ip_family_qwen3moe = {
    .name = "qwen3moe",
    .architecture = "qwen3moe",
    .model_type = "qwen3_moe",
    .configure = configure,
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
            .kv_heads = 4,
            .window_rule = IP_WINDOW_FROM,
            .window = 4096,
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_EXPERTS,
            .files_normalise = true,
            .experts = 128,
            .experts_used = 8,
        },
};

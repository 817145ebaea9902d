/* Qwen2-MoE: Qwen2 with experts beside a shared one, which a gate of its own weighs. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    ip_tensor_name up = ip_build_name(b, IP_ROLE_SHARED_EXPERT_UP, 0, 0, ".weight");
    const ip_tensor *shared = ip_checkpoint_tensor(b->file, up.text);
    uint64_t rows = shared && shared->ne[1] <= UINT32_MAX ? shared->ne[1] : 0;
    ip_status status =
        ip_build_uint(b, "expert_shared_feed_forward_length", "shared_expert_intermediate_size", 1, UINT32_MAX,
                      b->file->folder ? 5632
                      : rows > 0      ? rows
                                      : IP_REQUIRED,
                      &b->shared_hidden);
    return status == IP_OK && b->file->folder ? ip_build_dense_layers(b) : status;
}

const ip_family ip_family_qwen2moe = {
    .name = "qwen2moe",
    .architecture = "qwen2moe",
    .model_type = "qwen2_moe",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias = true,
            .q_bias_key = "qkv_bias",
            .kv_heads = 16,
            .window_rule = IP_WINDOW_FROM,
            .window = 4096,
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_EXPERTS,
            .experts = 60,
            .experts_used = 4,
        },
};

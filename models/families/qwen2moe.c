/* Qwen2-MoE: Qwen2 with experts beside a shared one, which a gate of its own weighs. */
#include "models/build.h"

/* Layers that decoder_sparse_step or mlp_only_layers leave dense. */
static ip_status dense_layers(ip_build *b) {
    uint64_t step;
    const ip_node *list = ip_build_node(b, "mlp_only_layers", NULL);
    ip_status status = ip_build_uint(b, NULL, "decoder_sparse_step", 1, UINT32_MAX, 1, &step);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) b->shapes[i].sparse = (i + 1) % step == 0;
    for (size_t j = 0; status == IP_OK && j < ip_node_count(list); j++) {
        int64_t layer;
        if (!ip_node_int(ip_node_at(list, j), &layer) || layer < 0)
            return ip_build_bad(b, NULL, "mlp_only_layers", "holds something that is no layer");
        if ((uint64_t)layer < b->plan.layers) b->shapes[layer].sparse = false;
    }
    return status;
}

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
    return status == IP_OK && b->file->folder ? dense_layers(b) : status;
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

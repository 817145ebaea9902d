/* Qwen3-MoE: Qwen3 with experts. */
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

static ip_status configure(ip_build *b) { return b->file->folder ? dense_layers(b) : IP_OK; }

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

/* SmolLM3: Llama without rotation on every fourth layer (or as no_rope_layers says); with a window, those layers slide. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    uint64_t interval;
    const ip_node *list = ip_build_node(b, "no_rope_layers", NULL);
    ip_status status = ip_build_uint(b, NULL, "no_rope_layer_interval", 1, UINT32_MAX, 4, &interval);
    if (list && ip_node_count(list) != b->plan.layers)
        return ip_build_bad(b, NULL, "no_rope_layers", "is not a list of one number per layer");
    bool typed = ip_build_has(b, NULL, "layer_types");
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) {
        int64_t rotates = (i + 1) % interval != 0;
        if (list && !ip_node_int(ip_node_at(list, i), &rotates))
            return ip_build_bad(b, NULL, "no_rope_layers", "holds something that is no number");
        b->shapes[i].rope = rotates ? 0 : IP_NO_ROPE;
        if (!typed) b->shapes[i].sliding = b->window > 0 && !rotates;
    }
    return status;
}

const ip_family ip_family_smollm3 = {
    .name = "smollm3",
    .architecture = "smollm3",
    .model_type = "smollm3",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .permuted = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .mlp_bias_key = "mlp_bias",
            .kv_heads = 4,
            .window_rule = IP_WINDOW_FROM,
            .rope_base = 2e6,
            .rotary_part = 1,
            .tied = true,
        },
};

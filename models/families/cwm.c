/* CWM: Llama with windows on all layers but every fourth, from the first on. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    bool typed = ip_build_has(b, NULL, "layer_types");
    for (size_t i = 0; !typed && i < b->plan.layers; i++) b->shapes[i].sliding = b->window > 0 && i % 4 != 0;
    return IP_OK;
}

const ip_family ip_family_cwm = {
    .name = "cwm",
    .model_type = "cwm",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .kv_heads = 8,
            .head = 128,
            .window_rule = IP_WINDOW_ALL,
            .window = 8192,
            .rope_base = 1e6,
            .rotary_part = 1,
        },
};

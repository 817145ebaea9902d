/* Cohere2, Command R7B: windows on three of four layers; the full ones have no positions. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    for (size_t i = 0; i < b->plan.layers; i++) b->shapes[i].rope = b->shapes[i].sliding ? 0 : IP_NO_ROPE;
    return ip_build_float(b, "logit_scale", "logit_scale", b->file->gguf ? 1 : 0.0625, &b->traits.logit_scale);
}

const ip_family ip_family_cohere2 = {
    .name = "cohere2",
    .architecture = "cohere2",
    .model_type = "cohere2",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .eps = 1e-5,
            .order = IP_ORDER_PARALLEL,
            .activation = IP_ACT_SILU,
            .gated = true,
            .interleaved = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .window_rule = IP_WINDOW_PERIOD,
            .window = 4096,
            .window_period = 4,
            .rope_base = 500000,
            .rotary_part = 1,
            .tied = true,
            .uses = IP_USES_LOGIT_SCALE,
        },
};

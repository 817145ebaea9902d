/* Gemma 1: gains are stored less one in folders, the embedding grows by the root of the width, GELU in its tanh form
 * whatever the configuration says. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    b->traits.embedding_scale = sqrt((double)b->plan.width);
    return IP_OK;
}

const ip_family ip_family_gemma = {
    .name = "gemma",
    .architecture = "gemma",
    .model_type = "gemma",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .norm_plus_one = true,
            .activation = IP_ACT_GELU_TANH,
            .gated = true,
            .activation_fixed = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .kv_heads = 16,
            .head = 256,
            .rope_base = 10000,
            .rotary_part = 1,
            .tied = true,
        },
};

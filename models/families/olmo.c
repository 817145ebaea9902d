/* OLMo 1: layer norms without parameters, q, k and v held within clip_qkv. */
#include "models/build.h"

const ip_family ip_family_olmo = {
    .name = "olmo",
    .architecture = "olmo",
    .model_type = "olmo",
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_free = true,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .permuted = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_CLIP,
        },
};

/* Ministral 3: yarn, and queries that grow with the logarithm of their position. */
#include "models/build.h"

const ip_family ip_family_ministral3 = {
    .name = "ministral3",
    .architecture = "mistral3",
    .model_type = "ministral3",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .permuted = true,
            .kv_heads = 8,
            .window_rule = IP_WINDOW_ALL,
            .rope_base = 1e6,
            .rotary_part = 1,
            .temperature = true,
        },
};

/* Ministral: Mistral whose layer_types choose the layers that slide. */
#include "models/build.h"

const ip_family ip_family_ministral = {
    .name = "ministral",
    .model_type = "ministral",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .kv_heads = 8,
            .window_rule = IP_WINDOW_ALL,
            .window = 4096,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

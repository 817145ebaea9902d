/* Phi-3, 3.5, Phi-4: q, k, v in one tensor, gate and up in another; longrope; a window on every layer, if any. */
#include "models/build.h"

const ip_family ip_family_phi3 = {
    .name = "phi3",
    .architecture = "phi3",
    .model_type = "phi3",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .fused_gate_up = true,
            .fusion = IP_FUSION_THIRDS,
            .window_rule = IP_WINDOW_ALL,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

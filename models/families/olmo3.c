/* OLMo 3: OLMo 2 with windows on three of four layers, which rotate without the scaling of the full ones. */
#include "models/build.h"

const ip_family ip_family_olmo3 = {
    .name = "olmo3",
    .model_type = "olmo3",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .order = IP_ORDER_POST,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .qk_norm = IP_QK_FULL,
            .qk_kind = IP_NORM_RMS,
            .window_rule = IP_WINDOW_PERIOD,
            .window = 4096,
            .window_period = 4,
            .rope_base = 500000,
            .rotary_part = 1,
            .local_rope_base = 500000,
        },
};

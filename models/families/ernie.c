/* ERNIE 4.5 dense: Llama whose neighbours rotate, with biases everywhere if use_bias. */
#include "models/build.h"

const ip_family ip_family_ernie = {
    .name = "ernie4_5",
    .architecture = "ernie4_5",
    .model_type = "ernie4_5",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .interleaved = true,
            .q_bias_key = "use_bias",
            .o_bias_key = "use_bias",
            .mlp_bias_key = "use_bias",
            .head = 128,
            .rope_base = 500000,
            .rotary_part = 1,
            .tied = true,
        },
};

/* Nemotron, Minitron: layer norms whose gains are stored less one in folders, relu squared without a gate. */
#include "models/build.h"

const ip_family ip_family_nemotron = {
    .name = "nemotron",
    .architecture = "nemotron",
    .model_type = "nemotron",
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .norm_plus_one = true,
            .eps = 1e-5,
            .activation = IP_ACT_RELU2,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .mlp_bias_key = "mlp_bias",
            .rope_base = 10000,
            .rotary_part = 0.5,
        },
};

/* StarCoder2: layer norms and biases everywhere, GELU without a gate. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_UP, "mlp.c_fc"},
    {IP_ROLE_DOWN, "mlp.c_proj"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_starcoder2 = {
    .name = "starcoder2",
    .architecture = "starcoder2",
    .model_type = "starcoder2",
    .folder_names = folder_names,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .activation = IP_ACT_GELU_TANH,
            .q_bias = true,
            .o_bias = true,
            .mlp_bias = true,
            .q_bias_key = "use_bias",
            .o_bias_key = "use_bias",
            .mlp_bias_key = "use_bias",
            .kv_heads = 2,
            .window_rule = IP_WINDOW_ALL,
            .rope_base = 10000,
            .rotary_part = 1,
            .tied = true,
        },
};

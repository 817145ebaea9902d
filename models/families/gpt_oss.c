/* gpt-oss: experts with biases and a clamped activation, windows on every other layer, and a logit per head that only adds to
 * the denominator of the softmax. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_ROUTER, "mlp.router"},
    {IP_ROLES, NULL},
};
static const ip_name file_names[] = {
    {IP_ROLE_MLP_NORM, "post_attention_norm"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_gpt_oss = {
    .name = "gpt-oss",
    .architecture = "gpt-oss",
    .model_type = "gpt_oss",
    .folder_names = folder_names,
    .file_names = file_names,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_CLAMPED,
            .activation_fixed = true,
            .gated = true,
            .experts_transposed = true,
            .q_bias = true,
            .o_bias = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .mlp_bias = true,
            .kv_heads = 8,
            .head = 64,
            .window_rule = IP_WINDOW_PERIOD,
            .window = 128,
            .window_period = 2,
            .rope_base = 150000,
            .rotary_part = 1,
            .untruncated = true,
            .sinks = true,
            .uses = IP_USES_EXPERTS,
            .experts = 128,
            .experts_used = 4,
            .routing = IP_ROUTING_CHOSEN,
        },
};

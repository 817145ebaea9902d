/* Gemma 2: norms before and behind both branches, windows on every other layer, soft caps on scores and logits. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_MLP_NORM, "pre_feedforward_layernorm"},
    {IP_ROLES, NULL},
};

static ip_status configure(ip_build *b) { return ip_build_query_scalar(b, 46); }

const ip_family ip_family_gemma2 = {
    .name = "gemma2",
    .architecture = "gemma2",
    .model_type = "gemma2",
    .folder_names = folder_names,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .norm_plus_one = true,
            .order = IP_ORDER_SANDWICH,
            .activation = IP_ACT_GELU_TANH,
            .gated = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .heads = 8,
            .kv_heads = 4,
            .head = 256,
            .window_rule = IP_WINDOW_PERIOD,
            .window = 4096,
            .window_period = 2,
            .rope_base = 10000,
            .rotary_part = 1,
            .tied = true,
            .uses = IP_USES_SOFTCAP | IP_USES_LOGIT_SOFTCAP,
            .softcap = 50,
            .logit_softcap = 30,
        },
};

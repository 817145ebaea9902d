/* Gemma 3, its text model: Gemma 2 without the caps, with normed q and k, and two bases of rotation: full layers turn slowly. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_MLP_NORM, "pre_feedforward_layernorm"},
    {IP_ROLES, NULL},
};

static ip_status configure(ip_build *b) {
    ip_status status = ip_build_query_scalar(b, 62);
    bool both = false;
    if (status == IP_OK) status = ip_build_bool(b, NULL, "use_bidirectional_attention", false, &both);
    if (both)
        return ip_build_bad(b, NULL, "use_bidirectional_attention",
                            "is true: attention to both sides is not supported");
    return status;
}

const ip_family ip_family_gemma3 = {
    .name = "gemma3",
    .architecture = "gemma3",
    .model_type = "gemma3_text|gemma3",
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
            .qk_norm = IP_QK_HEAD,
            .qk_kind = IP_NORM_RMS,
            .qk_plus_one = true,
            .heads = 8,
            .kv_heads = 4,
            .head = 256,
            .window_rule = IP_WINDOW_PERIOD,
            .window = 4096,
            .window_period = 6,
            .rope_base = 1e6,
            .rotary_part = 1,
            .local_rope_base = 10000,
            .tied = true,
            .uses = IP_USES_SOFTCAP | IP_USES_LOGIT_SOFTCAP,
        },
};

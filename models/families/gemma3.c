/* Gemma 3, its text model: Gemma 2 without the caps, with normed q and k, and two bases of rotation: full layers turn slowly. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_MLP_NORM, "pre_feedforward_layernorm"},
    {IP_ROLES, NULL},
};

/* The scale of attention comes from query_pre_attn_scalar, which GGUF files do not have: there it is the width of a head,
 * but for the largest model. */
static ip_status configure(ip_build *b) {
    double scalar = (double)b->shapes[0].head;
    ip_status status = ip_build_float(b, NULL, "query_pre_attn_scalar", b->file->folder ? 256 : scalar, &scalar);
    if (b->file->gguf && b->plan.layers == 62) scalar = (double)(b->plan.width / b->shapes[0].heads);
    if (status == IP_OK && scalar <= 0) return ip_build_bad(b, NULL, "query_pre_attn_scalar", "is not positive");
    b->traits.attention_scale = 1.0 / sqrt(scalar);
    b->traits.embedding_scale = sqrt((double)b->plan.width);
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

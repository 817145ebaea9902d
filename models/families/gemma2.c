/* Gemma 2: norms before and behind both branches, windows on every other layer, soft caps on scores and logits. */
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
    if (b->file->gguf && b->plan.layers == 46) scalar = (double)(b->plan.width / b->shapes[0].heads);
    if (status == IP_OK && scalar <= 0) return ip_build_bad(b, NULL, "query_pre_attn_scalar", "is not positive");
    b->traits.attention_scale = 1.0 / sqrt(scalar);
    b->traits.embedding_scale = sqrt((double)b->plan.width);
    return status;
}

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

/* GPT-NeoX, Pythia: two layer norms read the same x (or one after the other), q, k, v head by head in one tensor. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_EMBEDDING, "embed_in"},     {IP_ROLE_FINAL_NORM, "final_layer_norm"},
    {IP_ROLE_HEAD, "embed_out"},         {IP_ROLE_QKV, "attention.query_key_value"},
    {IP_ROLE_O, "attention.dense"},      {IP_ROLE_UP, "mlp.dense_h_to_4h"},
    {IP_ROLE_DOWN, "mlp.dense_4h_to_h"}, {IP_ROLES, NULL},
};

static ip_status configure(ip_build *b) {
    bool parallel;
    ip_status status = ip_build_bool(b, "use_parallel_residual", "use_parallel_residual", true, &parallel);
    if (!parallel) b->traits.order = IP_ORDER_PRE;
    return status;
}

const ip_family ip_family_gptneox = {
    .name = "gptneox",
    .architecture = "gptneox",
    .model_type = "gpt_neox",
    .folder_prefix = "gpt_neox.",
    .folder_names = folder_names,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .order = IP_ORDER_PARALLEL_TWO,
            .activation = IP_ACT_GELU_ERF,
            .fusion = IP_FUSION_GROUPS,
            .q_bias = true,
            .o_bias = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .mlp_bias = true,
            .rope_base = 10000,
            .rotary_part = 0.25,
            .uses = IP_USES_PARALLEL,
        },
};

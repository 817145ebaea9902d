/* Granite-MoE: Granite with experts, whose weights are a softmax over the chosen. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_ROUTER, "block_sparse_moe.router.layer"},
    {IP_ROLE_EXPERTS_GATE_UP, "block_sparse_moe.input_linear"},
    {IP_ROLE_EXPERTS_DOWN, "block_sparse_moe.output_linear"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_granitemoe = {
    .name = "granitemoe",
    .architecture = "granitemoe",
    .model_type = "granitemoe",
    .folder_names = folder_names,
    .configure = ip_build_multipliers,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .permuted = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_EMBEDDING_SCALE | IP_USES_RESIDUAL_SCALE | IP_USES_LOGIT_SCALE | IP_USES_EXPERTS,
            .experts = 8,
            .experts_used = 2,
            .routing = IP_ROUTING_CHOSEN,
        },
};

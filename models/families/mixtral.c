/* Mixtral: Mistral with experts (GGUF files say llama). */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_ROUTER, "block_sparse_moe.gate"},
    {IP_ROLE_EXPERT_GATE, "block_sparse_moe.experts.%zu.w1"},
    {IP_ROLE_EXPERT_UP, "block_sparse_moe.experts.%zu.w3"},
    {IP_ROLE_EXPERT_DOWN, "block_sparse_moe.experts.%zu.w2"},
    {IP_ROLES, NULL},
};

const ip_family ip_family_mixtral = {
    .name = "mixtral",
    .model_type = "mixtral",
    .folder_names = folder_names,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .kv_heads = 8,
            .window_rule = IP_WINDOW_ALL,
            .rope_base = 1e6,
            .rotary_part = 1,
            .uses = IP_USES_EXPERTS,
            .experts = 8,
            .experts_used = 2,
            .routing = IP_ROUTING_NORMALISED,
        },
};

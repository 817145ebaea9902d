/* Granite-MoE: Granite with experts, whose weights are a softmax over the chosen. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_ROUTER, "block_sparse_moe.router.layer"},
    {IP_ROLE_EXPERTS_GATE_UP, "block_sparse_moe.input_linear"},
    {IP_ROLE_EXPERTS_DOWN, "block_sparse_moe.output_linear"},
    {IP_ROLES, NULL},
};

/* GGUF files: 0 means as usual. The logits are divided by their number. */
static ip_status configure(ip_build *b) {
    ip_traits *t = &b->traits;
    double divisor;
    ip_status status = ip_build_float(b, "embedding_scale", "embedding_multiplier", 1, &t->embedding_scale);
    if (status == IP_OK) status = ip_build_float(b, "residual_scale", "residual_multiplier", 1, &t->residual_scale);
    if (status == IP_OK) status = ip_build_float(b, "logit_scale", "logits_scaling", 1, &divisor);
    if (status == IP_OK && b->file->folder)
        status = ip_build_float(b, NULL, "attention_multiplier", 1, &t->attention_scale);
    if (status != IP_OK) return status;
    if (t->embedding_scale < 0 || t->residual_scale < 0 || t->attention_scale < 0 || divisor < 0)
        return ip_build_bad(b, "residual_scale", "residual_multiplier", "or another of the model's scales is negative");
    t->logit_scale = divisor > 0 ? 1 / divisor : 1;
    return IP_OK;
}

const ip_family ip_family_granitemoe = {
    .name = "granitemoe",
    .architecture = "granitemoe",
    .model_type = "granitemoe",
    .folder_names = folder_names,
    .configure = configure,
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

/* Granite: Llama with multipliers on the embedding, the branches, the scores and the logits. */
#include "models/build.h"

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

const ip_family ip_family_granite = {
    .name = "granite",
    .architecture = "granite",
    .model_type = "granite",
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
            .mlp_bias_key = "mlp_bias",
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_EMBEDDING_SCALE | IP_USES_RESIDUAL_SCALE | IP_USES_LOGIT_SCALE,
        },
};

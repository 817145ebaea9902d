/* Granite: Llama with multipliers on the embedding, the branches, the scores and the logits. */
#include "models/build.h"

const ip_family ip_family_granite = {
    .name = "granite",
    .architecture = "granite",
    .model_type = "granite",
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
            .mlp_bias_key = "mlp_bias",
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_EMBEDDING_SCALE | IP_USES_RESIDUAL_SCALE | IP_USES_LOGIT_SCALE,
        },
};

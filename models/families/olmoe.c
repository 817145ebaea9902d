/* OLMoE: experts, q and k normed over all heads together, then held within clip_qkv. */
#include "models/build.h"

const ip_family ip_family_olmoe = {
    .name = "olmoe",
    .architecture = "olmoe",
    .model_type = "olmoe",
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .qk_norm = IP_QK_FULL,
            .qk_kind = IP_NORM_RMS,
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_CLIP | IP_USES_EXPERTS,
            .experts = 64,
            .experts_used = 8,
        },
};

/* Cohere Command-R, Aya: one layer norm without bias feeds both branches; neighbours rotate; logits are scaled. */
#include "models/build.h"

/* q and k are normed, each head with its own gain, if use_qk_norm says so or the file has the gains. */
static ip_status configure(ip_build *b) {
    bool normed = ip_build_there(b, ip_build_name(b, IP_ROLE_Q_NORM, 0, 0, ".weight"));
    ip_status status = ip_build_bool(b, NULL, "use_qk_norm", b->file->gguf && normed, &normed);
    if (normed) b->traits.qk_norm = IP_QK_EACH;
    b->traits.qk_kind = IP_NORM_LAYER;
    if (status == IP_OK)
        status = ip_build_float(b, "logit_scale", "logit_scale", b->file->gguf ? 1 : 0.0625, &b->traits.logit_scale);
    return status;
}

const ip_family ip_family_cohere = {
    .name = "cohere",
    .architecture = "command-r",
    .model_type = "cohere",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .eps = 1e-5,
            .order = IP_ORDER_PARALLEL,
            .activation = IP_ACT_SILU,
            .gated = true,
            .interleaved = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .rope_base = 500000,
            .rotary_part = 1,
            .tied = true,
            .uses = IP_USES_LOGIT_SCALE,
        },
};

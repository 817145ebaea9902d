/* StableLM: Llama with layer norms, rotation of a part of each head, and, where said, parallel branches and normed q and k. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_Q_NORM, "self_attn.q_layernorm"},
    {IP_ROLE_K_NORM, "self_attn.k_layernorm"},
    {IP_ROLES, NULL},
};

/* What GGUF files say of parallel branches is not to be relied on: the second norm is there or not. */
static ip_status configure(ip_build *b) {
    bool parallel = !ip_build_there(b, ip_build_name(b, IP_ROLE_MLP_NORM, 0, 0, ".weight"));
    bool normed = ip_build_there(b, ip_build_name(b, IP_ROLE_Q_NORM, 0, 0, ".weight"));
    ip_status status = ip_build_bool(b, NULL, "use_parallel_residual", b->file->gguf && parallel, &parallel);
    if (status == IP_OK) status = ip_build_bool(b, NULL, "qk_layernorm", b->file->gguf && normed, &normed);
    if (parallel) b->traits.order = IP_ORDER_PARALLEL;
    if (normed) b->traits.qk_norm = IP_QK_EACH;
    b->traits.qk_kind = IP_NORM_LAYER;
    return status;
}

const ip_family ip_family_stablelm = {
    .name = "stablelm",
    .architecture = "stablelm",
    .model_type = "stablelm",
    .folder_names = folder_names,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .q_bias_key = "use_qkv_bias",
            .kv_heads = 32,
            .rope_base = 10000,
            .rotary_part = 0.25,
            .uses = IP_USES_PARALLEL,
        },
};

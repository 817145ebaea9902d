/* Phi-1, 1.5, 2: one layer norm feeds both branches; biases everywhere. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_O, "self_attn.dense"},
    {IP_ROLE_UP, "mlp.fc1"},
    {IP_ROLE_DOWN, "mlp.fc2"},
    {IP_ROLE_FINAL_NORM, "final_layernorm"},
    {IP_ROLE_Q_NORM, "self_attn.q_layernorm"},
    {IP_ROLE_K_NORM, "self_attn.k_layernorm"},
    {IP_ROLES, NULL},
};

static ip_status configure(ip_build *b) {
    bool normed;
    ip_status status = ip_build_bool(b, NULL, "qk_layernorm", false, &normed);
    if (!normed) return status;
    b->traits.qk_norm = IP_QK_HEAD;
    b->traits.qk_kind = IP_NORM_LAYER;
    b->traits.qk_bias = true;
    return status;
}

const ip_family ip_family_phi = {
    .name = "phi",
    .architecture = "phi2",
    .model_type = "phi",
    .folder_names = folder_names,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .order = IP_ORDER_PARALLEL,
            .activation = IP_ACT_GELU_TANH,
            .q_bias = true,
            .o_bias = true,
            .mlp_bias = true,
            .head_bias = true,
            .hidden_from_tensor = true,
            .rope_base = 10000,
            .rotary_part = 0.5,
        },
};

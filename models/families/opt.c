/* OPT: learned positions from the third row of their table on, ReLU, biases everywhere. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_POSITIONS, "embed_positions"},
    {IP_ROLE_FINAL_NORM, "final_layer_norm"},
    {IP_ROLE_ATTENTION_NORM, "self_attn_layer_norm"},
    {IP_ROLE_MLP_NORM, "final_layer_norm"},
    {IP_ROLE_O, "self_attn.out_proj"},
    {IP_ROLE_UP, "fc1"},
    {IP_ROLE_DOWN, "fc2"},
    {IP_ROLES, NULL},
};

static ip_status configure(ip_build *b) {
    bool before;
    uint64_t width;
    ip_status status = ip_build_bool(b, NULL, "do_layer_norm_before", true, &before);
    if (status == IP_OK) status = ip_build_uint(b, NULL, "word_embed_proj_dim", 1, UINT32_MAX, b->plan.width, &width);
    if (status != IP_OK) return status;
    if (!before) return ip_build_bad(b, NULL, "do_layer_norm_before", "is false, which is not supported");
    if (width != b->plan.width)
        return ip_build_bad(b, NULL, "word_embed_proj_dim", "differs from hidden_size, which is not supported");
    return IP_OK;
}

const ip_family ip_family_opt = {
    .name = "opt",
    .model_type = "opt",
    .folder_prefix = "model.decoder.",
    .folder_names = folder_names,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .activation = IP_ACT_RELU,
            .q_bias = true,
            .o_bias = true,
            .mlp_bias = true,
            .no_rope = true,
            .positions = true,
            .position0 = 2,
            .tied = true,
        },
};

/* GPT-2: learned positions, layer norms, matrices of folders stored [inputs, outputs]. */
#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_EMBEDDING, "wte"},   {IP_ROLE_POSITIONS, "wpe"},
    {IP_ROLE_FINAL_NORM, "ln_f"}, {IP_ROLE_ATTENTION_NORM, "ln_1"},
    {IP_ROLE_MLP_NORM, "ln_2"},   {IP_ROLE_QKV, "attn.c_attn"},
    {IP_ROLE_O, "attn.c_proj"},   {IP_ROLE_UP, "mlp.c_fc"},
    {IP_ROLE_DOWN, "mlp.c_proj"}, {IP_ROLES, NULL},
};

static ip_status configure(ip_build *b) {
    bool scaled, by_layer;
    ip_status status = ip_build_bool(b, NULL, "scale_attn_weights", true, &scaled);
    if (status == IP_OK) status = ip_build_bool(b, NULL, "scale_attn_by_inverse_layer_idx", false, &by_layer);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) {
        double scale = scaled ? 1 / sqrt((double)b->shapes[i].head) : 1;
        b->shapes[i].scale = by_layer ? scale / (double)(i + 1) : scale;
    }
    return status;
}

const ip_family ip_family_gpt2 = {
    .name = "gpt2",
    .architecture = "gpt2",
    .model_type = "gpt2",
    .folder_prefix = "transformer.",
    .folder_blocks = "h.",
    .folder_names = folder_names,
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_LAYER,
            .norm_bias = true,
            .eps = 1e-5,
            .activation = IP_ACT_GELU_TANH,
            .fusion = IP_FUSION_THIRDS,
            .transposed = true,
            .q_bias = true,
            .o_bias = true,
            .mlp_bias = true,
            .wide = true,
            .hidden_from_tensor = true,
            .no_rope = true,
            .positions = true,
            .tied = true,
        },
};

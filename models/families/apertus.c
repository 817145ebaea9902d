/* Apertus: xIELU without a gate, four numbers of it per layer; q and k normed head by head. */
#include "models/build.h"
#include <stdio.h>

#include "arch/scalar_math.h"

static const ip_name folder_names[] = {
    {IP_ROLE_ATTENTION_NORM, "attention_layernorm"},
    {IP_ROLE_MLP_NORM, "feedforward_layernorm"},
    {IP_ROLES, NULL},
};

static const char *const numbers[] = {"alpha_p", "alpha_n", "beta", "eps"};

/* In files: arrays with one number per layer, under keys without the architecture. */
static ip_status from_keys(ip_build *b, size_t i, double *out) {
    for (int n = 0; n < 4; n++) {
        char key[32];
        snprintf(key, sizeof key, "xielu.%s", numbers[n]);
        const ip_gguf_value *list = ip_gguf_find(b->file->gguf, key);
        bool floats =
            list && list->type == IP_GGUF_ARRAY && (list->element == IP_GGUF_F32 || list->element == IP_GGUF_F64);
        if (!floats || list->count != b->plan.layers)
            return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is not a list of one float per layer", b->path, key);
        out[n] = ip_gguf_float_at(list, i);
    }
    return IP_OK;
}

static ip_status from_tensors(ip_build *b, size_t i, double *out) {
    for (int n = 0; n < 4; n++) {
        ip_tensor_name name;
        const float *value;
        snprintf(name.text, sizeof name.text, "%slayers.%zu.mlp.act_fn.%s", b->prefix, i, numbers[n]);
        ip_status status = ip_build_vector(b, name, true, 1, &value);
        if (status != IP_OK) return status;
        out[n] = (double)value[0];
    }
    return IP_OK;
}

static double softplus(double x) { return x > 0 ? x + ip_log1p(ip_exp(-x)) : ip_log1p(ip_exp(x)); }

static ip_status bind_block(ip_build *b, size_t i) {
    double n[4] = {0, 0, 0, 0};
    ip_status status = b->file->gguf ? from_keys(b, i, n) : from_tensors(b, i, n);
    if (status != IP_OK) return status;
    float *to = b->blocks[i].xielu;
    to[0] = (float)softplus(n[0]);
    to[1] = (float)(n[2] + softplus(n[1]));
    to[2] = (float)n[2];
    to[3] = (float)n[3];
    for (int k = 0; k < 4; k++)
        if (!isfinite(to[k]))
            return ip_fail(b->error, IP_BAD_INPUT, "%s: xielu.%s of layer %zu is not finite", b->path, numbers[k], i);
    return IP_OK;
}

const ip_family ip_family_apertus = {
    .name = "apertus",
    .architecture = "apertus",
    .model_type = "apertus",
    .folder_names = folder_names,
    .bind_block = bind_block,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_XIELU,
            .activation_fixed = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .mlp_bias_key = "mlp_bias",
            .qk_norm = IP_QK_HEAD,
            .qk_kind = IP_NORM_RMS,
            .rope_base = 12e6,
            .rotary_part = 1,
        },
};

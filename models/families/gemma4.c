/* Gemma 4, its text model: norms before and behind both branches with plain gains, normed q, k and values, no scale on
 * scores, heads of another width on full layers, proportional rotation there. Its small models let the last layers read
 * the keys and values of earlier ones, and give every layer an input of its own. */
#include <stdio.h>
#include <string.h>

#include "models/build.h"

static const ip_name folder_names[] = {
    {IP_ROLE_MLP_NORM, "pre_feedforward_layernorm"},
    {IP_ROLES, NULL},
};

/* Heads of full layers in folders; of sliding ones in files, whose usual keys are those of the full layers. */
static ip_status read_heads(ip_build *b) {
    bool shared_values = false, folder = b->file->folder != NULL;
    uint64_t head, kv_heads;
    ip_status status = ip_build_bool(b, NULL, "attention_k_eq_v", false, &shared_values);
    if (status == IP_OK)
        status = ip_build_uint(b, "attention.key_length_swa", "global_head_dim", 2, UINT32_MAX,
                               folder ? 512 : b->shapes[0].head, &head);
    if (status == IP_OK)
        status = ip_build_uint(b, NULL, "num_global_key_value_heads", 1, UINT32_MAX, b->shapes[0].kv_heads, &kv_heads);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) {
        ip_layer_shape *s = &b->shapes[i];
        if (folder == !s->sliding) s->head = head;
        if (folder && !s->sliding && shared_values) {
            s->kv_heads = kv_heads;
            s->values_of_keys = true;
        }
        if (!folder) s->values_of_keys = !ip_build_there(b, ip_build_name(b, IP_ROLE_V, i, 0, ".weight"));
    }
    return status;
}

/* The last layers take keys and values of the last one of their kind before them. */
static ip_status read_sharing(ip_build *b) {
    uint64_t shared;
    bool wide = false;
    ip_status status =
        ip_build_uint(b, "attention.shared_kv_layers", "num_kv_shared_layers", 0, b->plan.layers, 0, &shared);
    if (status == IP_OK) status = ip_build_bool(b, NULL, "use_double_wide_mlp", false, &wide);
    size_t first = b->plan.layers - (status == IP_OK ? (size_t)shared : 0);
    for (size_t i = first; status == IP_OK && i < b->plan.layers; i++) {
        ip_layer_shape *s = &b->shapes[i];
        size_t from = first;
        while (from > 0 && b->shapes[from - 1].sliding != s->sliding) from--;
        if (from == 0)
            return ip_build_bad(b, "attention.shared_kv_layers", "num_kv_shared_layers",
                                "leaves a layer without an earlier one of its kind");
        s->kv_from = from - 1;
        s->values_of_keys = false;
        if (wide && b->file->folder) s->hidden *= 2;
    }
    return status;
}

static ip_status configure(ip_build *b) {
    b->traits.embedding_scale = sqrt((double)b->plan.width);
    b->traits.attention_scale = 1;
    /* The last layer is full whatever the period. */
    if (b->file->folder && !ip_build_has(b, NULL, "layer_types")) b->shapes[b->plan.layers - 1].sliding = false;
    ip_build_place_ropes(b);
    ip_status status = read_heads(b);
    return status == IP_OK ? read_sharing(b) : status;
}

static ip_status bind_side(ip_build *b, size_t i, uint64_t n) {
    ip_side_input *side = &b->blocks[i].side;
    uint64_t layers = b->plan.layers, width = b->plan.width;
    ip_norm_shape norm = {IP_NORM_RMS, false, false, false, n, 1},
                  out_norm = {IP_NORM_RMS, false, false, false, width, 1};
    ip_matrix_shape gate = {n, width, true, false, 0, 0}, out = {width, n, true, false, 0, 0};
    ip_status status = ip_build_tensor(b, ip_build_name(b, IP_ROLE_SIDE_TABLE, 0, 0, ".weight"), true, layers * n,
                                       b->plan.vocabulary, 1, &side->table);
    if (status == IP_OK && i == 0)
        status = ip_tensor_check_finite(side->table, ip_checkpoint_tensor_path(b->file, side->table), b->error);
    ip_matrix_shape all = {layers * n, width, true, false, 0, 0};
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_SIDE_MODEL, 0, 0, &all, &side->model);
    if (status == IP_OK) status = ip_build_norm(b, IP_ROLE_SIDE_NORM, 0, &norm, &side->norm);
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_SIDE_GATE, i, 0, &gate, &side->gate);
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_SIDE_OUT, i, 0, &out, &side->out);
    if (status == IP_OK) status = ip_build_norm(b, IP_ROLE_SIDE_OUT_NORM, i, &out_norm, &side->out_norm);
    if (status != IP_OK) return status;
    if (n * i % side->table->type->block != 0 || n > 4096)
        return ip_build_bad(b, "embedding_length_per_layer_input", "hidden_size_per_layer_input",
                            "is above 4096, or no multiple of the block of its table's type");
    side->width = (size_t)n;
    side->column = (size_t)n * i;
    side->model.outputs = (size_t)n; /* this block's part of the matrix */
    side->model.row0 = (size_t)n * i;
    side->model_scale = (float)(1 / sqrt((double)width));
    side->table_scale = (float)sqrt((double)n);
    side->mix = (float)sqrt(0.5);
    return IP_OK;
}

static ip_status bind_block(ip_build *b, size_t i) {
    const float *scale;
    uint64_t side;
    ip_status status = ip_build_vector(b, ip_build_name(b, IP_ROLE_OUTPUT_SCALE, i, 0, ""), false, 1, &scale);
    if (status == IP_OK)
        status = ip_build_uint(b, "embedding_length_per_layer_input", "hidden_size_per_layer_input", 0, UINT32_MAX,
                               b->file->folder ? 256 : 0, &side);
    if (status != IP_OK) return status;
    if (scale) b->blocks[i].output_scale = scale[0];
    return side > 0 ? bind_side(b, i, side) : IP_OK;
}

const ip_family ip_family_gemma4 = {
    .name = "gemma4",
    .architecture = "gemma4",
    .model_type = "gemma4_text|gemma4",
    .folder_names = folder_names,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .order = IP_ORDER_SANDWICH,
            .activation = IP_ACT_GELU_TANH,
            .gated = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .qk_norm = IP_QK_HEAD,
            .qk_kind = IP_NORM_RMS,
            .v_norm = true,
            .heads = 8,
            .kv_heads = 4,
            .head = 256,
            .window_rule = IP_WINDOW_PERIOD,
            .window = 512,
            .window_period = 6,
            .rope_base = 1e6,
            .rotary_part = 1,
            .local_rope_base = 10000,
            .tied = true,
            .uses = IP_USES_LOGIT_SOFTCAP,
        },
    .configure = configure,
    .bind_block = bind_block,
};

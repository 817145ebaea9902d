/* What the members of one line of models read alike: Granite's multipliers, Gemma's scale of the queries, the layers that
 * Qwen leaves dense. */
#include "models/build.h"

ip_status ip_build_multipliers(ip_build *b) {
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

ip_status ip_build_query_scalar(ip_build *b, size_t largest) {
    double scalar = (double)b->shapes[0].head;
    ip_status status = ip_build_float(b, NULL, "query_pre_attn_scalar", b->file->folder ? 256 : scalar, &scalar);
    if (b->file->gguf && b->plan.layers == largest) scalar = (double)(b->plan.width / b->shapes[0].heads);
    if (status == IP_OK && scalar <= 0) return ip_build_bad(b, NULL, "query_pre_attn_scalar", "is not positive");
    b->traits.attention_scale = 1.0 / sqrt(scalar);
    b->traits.embedding_scale = sqrt((double)b->plan.width);
    return status;
}

ip_status ip_build_dense_layers(ip_build *b) {
    uint64_t step;
    const ip_node *list = ip_build_node(b, "mlp_only_layers", NULL);
    ip_status status = ip_build_uint(b, NULL, "decoder_sparse_step", 1, UINT32_MAX, 1, &step);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) b->shapes[i].sparse = (i + 1) % step == 0;
    for (size_t j = 0; status == IP_OK && j < ip_node_count(list); j++) {
        int64_t layer;
        if (!ip_node_int(ip_node_at(list, j), &layer) || layer < 0)
            return ip_build_bad(b, NULL, "mlp_only_layers", "holds something that is no layer");
        if ((uint64_t)layer < b->plan.layers) b->shapes[layer].sparse = false;
    }
    return status;
}

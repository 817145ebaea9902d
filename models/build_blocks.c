/* The plan from the tensors: what stands around the blocks, then block by block. */
#include <string.h>

#include "arch/scalar_math.h"
#include "models/build.h"

/* ---- norms ---- */

static ip_norm_shape main_norm(const ip_build *b) {
    const ip_traits *t = &b->traits;
    return (ip_norm_shape){t->norm, t->norm_bias, t->norm_plus_one, t->norm_free, b->plan.width, 1};
}

static ip_status bind_norms(ip_build *b, size_t i) {
    ip_block *block = &b->blocks[i];
    ip_norm_shape shape = main_norm(b);
    ip_order order = b->traits.order;
    ip_status status = IP_OK;
    block->parallel = order == IP_ORDER_PARALLEL || order == IP_ORDER_PARALLEL_TWO;
    if (order != IP_ORDER_POST) status = ip_build_norm(b, IP_ROLE_ATTENTION_NORM, i, &shape, &block->attention_norm);
    if (status == IP_OK && (order == IP_ORDER_POST || order == IP_ORDER_SANDWICH)) {
        status = ip_build_norm(b, IP_ROLE_ATTENTION_OUT_NORM, i, &shape, &block->attention_out_norm);
        if (status == IP_OK) status = ip_build_norm(b, IP_ROLE_MLP_OUT_NORM, i, &shape, &block->mlp_out_norm);
    }
    if (order == IP_ORDER_PARALLEL)
        block->mlp_norm = block->attention_norm;
    else if (status == IP_OK && order != IP_ORDER_POST)
        status = ip_build_norm(b, IP_ROLE_MLP_NORM, i, &shape, &block->mlp_norm);
    return status;
}

/* Gains of heads whose rows are taken in another order are taken in that order too. */
static ip_status reorder_gains(ip_build *b, const ip_weight *rows, ip_norm *norm) {
    const float **lists[2] = {&norm->gain, &norm->bias};
    ip_weight order = {.unpermute = rows->unpermute, .rotary = rows->rotary};
    size_t n = norm->n * norm->rows;
    if (rows->unpermute == 0 || n % rows->unpermute != 0) return IP_OK;
    for (int l = 0; l < 2; l++) {
        if (!*lists[l]) continue;
        float *ours = ip_build_alloc(b, n, sizeof *ours);
        if (!ours) return IP_FAILED;
        for (size_t i = 0; i < n; i++) ours[i] = (*lists[l])[ip_weight_row(&order, i)];
        *lists[l] = ours;
    }
    return IP_OK;
}

static ip_status bind_qk_norms(ip_build *b, size_t i) {
    const ip_traits *t = &b->traits;
    const ip_layer_shape *s = &b->shapes[i];
    ip_block *block = &b->blocks[i];
    ip_status status = IP_OK;
    block->norm_rotated = t->qk_rotated;
    if (t->v_norm && s->kv_from == i) status = ip_build_plain_norm(b, IP_NORM_RMS, s->head, &block->v_norm);
    if (status != IP_OK || t->qk_norm == IP_QK_NONE) return status;
    ip_norm_shape shape = {t->qk_kind, t->qk_bias, t->qk_plus_one, false, s->head, 1};
    uint64_t heads[2] = {s->heads, s->kv_heads};
    ip_norm *norms[2] = {&block->q_norm, &block->k_norm};
    for (int m = 0; status == IP_OK && m < (s->kv_from == i ? 2 : 1); m++) {
        if (t->qk_norm == IP_QK_FULL) shape.n = heads[m] * s->head;
        if (t->qk_norm == IP_QK_EACH) shape.rows = heads[m];
        status = ip_build_norm(b, m == 0 ? IP_ROLE_Q_NORM : IP_ROLE_K_NORM, i, &shape, norms[m]);
        if (status == IP_OK) status = reorder_gains(b, m == 0 ? &block->q : &block->k, norms[m]);
    }
    return status;
}

/* ---- attention ---- */

/* Dimensions of a head that stand as neighbouring pairs; 0: in halves. */
static size_t paired(const ip_build *b, size_t i) {
    bool pairs = b->traits.interleaved || (b->traits.permuted && b->file->gguf);
    int rope = b->shapes[i].rope == IP_NO_ROPE ? 0 : b->shapes[i].rope;
    return pairs && b->plan.rope_count > 0 ? b->ropes[rope].rotary : 0;
}

static ip_status bind_fused_qkv(ip_build *b, size_t i, ip_fusion fusion) {
    const ip_layer_shape *s = &b->shapes[i];
    ip_block *block = &b->blocks[i];
    ip_fused fused;
    size_t head = (size_t)s->head, q = (size_t)s->heads * head, kv = (size_t)s->kv_heads * head, pairs = paired(b, i);
    size_t group = q / (size_t)s->kv_heads, step = group + 2 * head;
    ip_weight *w[3] = {&block->q, &block->k, &block->v};
    for (int m = 0; m < 3; m++) *w[m] = (ip_weight){.outputs = m == 0 ? q : kv};
    block->q.unpermute = block->k.unpermute = pairs > 0 ? head : 0;
    block->q.rotary = block->k.rotary = pairs;
    if (fusion == IP_FUSION_GROUPS) {
        for (int m = 0; m < 3; m++) w[m]->chunk = m == 0 ? group : head, w[m]->chunk_step = step;
        block->k.row0 = group;
        block->v.row0 = group + head;
    } else {
        block->k.row0 = q;
        block->v.row0 = q + kv;
    }
    ip_status status = ip_build_fused(b, IP_ROLE_QKV, i, q + 2 * kv, b->plan.width, b->traits.q_bias, &fused);
    for (int m = 0; status == IP_OK && m < 3; m++) status = ip_build_part(b, &fused, w[m]);
    return status;
}

static ip_status bind_qkv(ip_build *b, size_t i) {
    const ip_layer_shape *s = &b->shapes[i];
    ip_block *block = &b->blocks[i];
    bool file_fused = b->file->gguf && ip_build_there(b, ip_build_name(b, IP_ROLE_QKV, i, 0, ".weight"));
    if (file_fused || (b->file->folder && b->traits.fusion != IP_FUSION_NONE))
        return bind_fused_qkv(b, i, file_fused ? IP_FUSION_THIRDS : b->traits.fusion);
    ip_matrix_shape q = {s->heads * s->head, b->plan.width, true, b->traits.q_bias, (size_t)s->head, paired(b, i)};
    ip_matrix_shape k = q, v = q;
    k.outputs = v.outputs = s->kv_heads * s->head;
    v.head = v.rotary = 0;
    ip_status status = ip_build_matrix(b, IP_ROLE_Q, i, 0, &q, &block->q);
    if (status != IP_OK || s->kv_from != i) return status;
    status = ip_build_matrix(b, IP_ROLE_K, i, 0, &k, &block->k);
    if (status != IP_OK) return status;
    return ip_build_matrix(b, s->values_of_keys ? IP_ROLE_K : IP_ROLE_V, i, 0, &v, &block->v);
}

/* ALiBi slopes: 2^(-8 (h + 1) / P) for the largest power of two P of heads, then every other one of those for 2 P. */
static ip_status bind_slopes(ip_build *b, ip_block *block) {
    float *slopes = ip_build_alloc(b, block->heads, sizeof *slopes);
    if (!slopes) return IP_FAILED;
    size_t power = 1;
    while (2 * power <= block->heads) power *= 2;
    for (size_t h = 0; h < block->heads; h++) {
        double numerator = h < power ? (double)(h + 1) : (double)(2 * (h - power) + 1);
        slopes[h] = (float)ip_pow(2, -8 * numerator / (double)(h < power ? power : 2 * power));
    }
    block->slopes = slopes;
    return IP_OK;
}

static ip_status bind_attention(ip_build *b, size_t i) {
    const ip_layer_shape *s = &b->shapes[i];
    const ip_traits *t = &b->traits;
    ip_block *block = &b->blocks[i];
    block->heads = (size_t)s->heads;
    block->kv_heads = (size_t)s->kv_heads;
    block->head = (size_t)s->head;
    block->window = s->sliding ? (size_t)b->window : 0;
    block->rope = s->rope;
    block->kv_from = (size_t)s->kv_from;
    block->clip = (float)t->clip;
    block->softcap = (float)t->softcap;
    double scale = s->scale > 0 ? s->scale : t->attention_scale;
    block->attention_scale = (float)(scale > 0 ? scale : 1.0 / sqrt((double)s->head));
    ip_matrix_shape o = {b->plan.width, s->heads * s->head, true, t->o_bias, 0, 0};
    ip_status status = bind_qkv(b, i);
    if (status == IP_OK) status = bind_qk_norms(b, i);
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_O, i, 0, &o, &block->o);
    if (status == IP_OK && t->sinks)
        status = ip_build_vector(b, ip_build_name(b, IP_ROLE_SINKS, i, 0, ""), true, s->heads, &block->sinks);
    if (status == IP_OK && t->alibi) status = bind_slopes(b, block);
    return status;
}

/* ---- feed-forward ---- */

static ip_status bind_gate_up(ip_build *b, size_t i, uint64_t hidden) {
    ip_block *block = &b->blocks[i];
    ip_fused fused;
    block->gate = (ip_weight){.outputs = (size_t)hidden};
    block->up = (ip_weight){.outputs = (size_t)hidden, .row0 = (size_t)hidden};
    ip_status status = ip_build_fused(b, IP_ROLE_GATE_UP, i, 2 * hidden, b->plan.width, b->traits.mlp_bias, &fused);
    if (status == IP_OK) status = ip_build_part(b, &fused, &block->gate);
    return status == IP_OK ? ip_build_part(b, &fused, &block->up) : status;
}

static ip_status bind_mlp(ip_build *b, size_t i) {
    ip_block *block = &b->blocks[i];
    uint64_t hidden = b->shapes[i].hidden;
    ip_matrix_shape in = {hidden, b->plan.width, true, b->traits.mlp_bias, 0, 0};
    ip_matrix_shape out = {b->plan.width, hidden, true, b->traits.mlp_bias, 0, 0};
    ip_status status = IP_OK;
    if (hidden == 0)
        return ip_build_bad(b, "feed_forward_length", "intermediate_size",
                            "is 0 or missing, with no experts in its place");
    bool own_gate = b->file->gguf && ip_build_there(b, ip_build_name(b, IP_ROLE_GATE, i, 0, ".weight"));
    if (b->traits.fused_gate_up && !own_gate) {
        status = bind_gate_up(b, i, hidden);
    } else {
        if (b->traits.gated) status = ip_build_matrix(b, IP_ROLE_GATE, i, 0, &in, &block->gate);
        if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_UP, i, 0, &in, &block->up);
    }
    return status == IP_OK ? ip_build_matrix(b, IP_ROLE_DOWN, i, 0, &out, &block->down) : status;
}

/* ---- the whole ---- */

static ip_status bind_head(ip_build *b) {
    ip_plan *plan = &b->plan;
    bool tied = b->file->folder && b->traits.tied;
    ip_status status = IP_OK;
    if (b->file->folder) {
        status = ip_build_bool(b, NULL, "tie_word_embeddings", tied, &tied);
        const ip_node *outer = ip_node_get(b->file->folder->config, "tie_word_embeddings");
        if (status == IP_OK && !ip_node_get(b->config, "tie_word_embeddings") && outer) ip_node_bool(outer, &tied);
    }
    ip_matrix_shape shape = {plan->vocabulary, plan->width, false, b->traits.head_bias, 0, 0};
    if (status == IP_OK && !tied) status = ip_build_matrix(b, IP_ROLE_HEAD, 0, 0, &shape, &plan->head_weight);
    if (status == IP_OK && !plan->head_weight.tensor)
        plan->head_weight = (ip_weight){.tensor = plan->embedding, .outputs = plan->vocabulary, .inputs = plan->width};
    return status;
}

static ip_status bind_model(ip_build *b) {
    ip_plan *plan = &b->plan;
    const ip_traits *t = &b->traits;
    ip_norm_shape norm = main_norm(b);
    plan->embedding_scale = t->embedding_scale > 0 ? (float)t->embedding_scale : 1.0f;
    plan->logit_scale = t->logit_scale > 0 ? (float)t->logit_scale : 1.0f;
    plan->logit_softcap = (float)t->logit_softcap;
    plan->slopes_bf16 = t->alibi_bf16;
    plan->position0 = t->position0;
    ip_status status = ip_build_norm(b, IP_ROLE_FINAL_NORM, 0, &norm, &plan->final_norm);
    if (status == IP_OK && t->embedding_norm)
        status = ip_build_norm(b, IP_ROLE_EMBEDDING_NORM, 0, &norm, &plan->embedding_norm);
    if (status == IP_OK && t->positions)
        status = ip_build_tensor(b, ip_build_name(b, IP_ROLE_POSITIONS, 0, 0, ".weight"), true, plan->width,
                                 plan->context_length + t->position0, 1, &plan->positions);
    if (status == IP_OK && plan->positions)
        status = ip_tensor_check_finite(plan->positions, ip_checkpoint_tensor_path(b->file, plan->positions), b->error);
    return status == IP_OK ? bind_head(b) : status;
}

static ip_status bind_block(ip_build *b, size_t i) {
    ip_block *block = &b->blocks[i];
    block->branch_scale = b->traits.residual_scale > 0 ? (float)b->traits.residual_scale : 1.0f;
    block->output_scale = 1.0f;
    ip_status status = bind_norms(b, i);
    if (status == IP_OK) status = bind_attention(b, i);
    if (status == IP_OK) status = b->shapes[i].sparse ? ip_build_experts(b, i) : bind_mlp(b, i);
    if (status == IP_OK && b->family->bind_block) status = b->family->bind_block(b, i);
    return status;
}

ip_status ip_build_blocks(ip_build *b) {
    ip_rope *ropes = ip_build_alloc(b, IP_ROPES, sizeof *ropes);
    b->blocks = ip_build_alloc(b, b->plan.layers, sizeof *b->blocks);
    if (!ropes || !b->blocks) return IP_FAILED;
    memcpy(ropes, b->ropes, sizeof b->ropes);
    b->plan.ropes = ropes;
    b->plan.blocks = b->blocks;
    ip_status status = bind_model(b);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) status = bind_block(b, i);
    return status;
}

/* Mixtures of experts: a router, and three matrices per expert, which stand in the checkpoint either one by one or
 * stacked in a tensor [experts, outputs, inputs] (gpt-oss in folders: [experts, inputs, outputs], gate and up in every
 * other column). */
#include <string.h>

#include "models/build.h"

typedef struct stack {
    ip_role stacked, single;
    uint64_t outputs, inputs;
    ip_weight *to; /* one per expert */
} stack;

/* Biases of stacked experts: [experts][rows] beside the weights. */
static ip_status stacked_bias(ip_build *b, ip_role role, size_t block, uint64_t rows, const float **out) {
    uint64_t count = b->traits.experts;
    *out = NULL;
    /* Folders append _bias to the name, files .bias. */
    ip_tensor_name name = ip_build_name(b, role, block, 0, b->file->gguf ? ".bias" : "_bias");
    const ip_tensor *t;
    ip_status status = ip_build_tensor(b, name, b->file->folder && b->traits.mlp_bias, rows, count, 1, &t);
    if (status != IP_OK || !t) return status;
    status = ip_tensor_check_finite(t, ip_checkpoint_tensor_path(b->file, t), b->error);
    float *values = status == IP_OK ? ip_build_alloc(b, (size_t)(rows * count), sizeof *values) : NULL;
    if (!values) return b->error->status;
    for (size_t e = 0; e < (size_t)count; e++) t->type->to_float(values + e * rows, ip_tensor_row(t, e), (size_t)rows);
    *out = values;
    return IP_OK;
}

/* The expert's part of a stacked bias, in our order of rows. */
static ip_status take_bias(ip_build *b, const float *bias, ip_weight *w, size_t row0) {
    if (!bias) return IP_OK;
    float *ours = ip_build_alloc(b, w->outputs, sizeof *ours);
    if (!ours) return IP_FAILED;
    ip_weight order = *w;
    order.row0 = row0;
    for (size_t i = 0; i < w->outputs; i++) ours[i] = bias[ip_weight_row(&order, i)];
    w->bias = ours;
    return IP_OK;
}

static bool stacked_there(const ip_build *b, ip_role role, size_t block) {
    return ip_build_there(b, ip_build_name(b, role, block, 0, b->file->gguf ? ".weight" : "")) ||
           ip_build_there(b, ip_build_name(b, role, block, 0, ".weight"));
}

/* Takes `parts` matrices per expert out of one stacked tensor: part p begins at row p * first of the expert's rows, and
 * its rows stand `every` apart. */
static ip_status bind_stacked(ip_build *b, ip_role role, size_t block, size_t parts, const stack *s, bool woven) {
    uint64_t rows = parts * s[0].outputs, inputs = s[0].inputs, count = b->traits.experts;
    bool transposed = b->file->folder && b->traits.experts_transposed;
    const char *suffix = ip_build_there(b, ip_build_name(b, role, block, 0, ".weight")) ? ".weight" : "";
    const ip_tensor *t;
    const float *bias = NULL;
    ip_status status = ip_build_tensor(b, ip_build_name(b, role, block, 0, suffix), true, transposed ? rows : inputs,
                                       transposed ? inputs : rows, count, &t);
    const ip_scales *scales = b->scales;
    if (status == IP_OK && scales)
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: tensor '%s' of type %s: stacked experts with scales are not "
                       "supported",
                       b->path, t->name, t->type->name);
    if (status == IP_OK && (b->file->gguf || b->traits.mlp_bias)) status = stacked_bias(b, role, block, rows, &bias);
    for (size_t e = 0; status == IP_OK && e < count; e++) {
        for (size_t p = 0; status == IP_OK && p < parts; p++) {
            ip_weight *w = &s[p].to[e];
            size_t first = woven ? p : p * (size_t)s[0].outputs;
            *w = (ip_weight){.tensor = t,
                             .outputs = (size_t)s[p].outputs,
                             .inputs = (size_t)inputs,
                             .row0 = transposed ? first : e * (size_t)rows + first,
                             .chunk = woven ? 1 : 0,
                             .chunk_step = woven ? parts : 0,
                             .transposed = transposed,
                             .input0 = transposed ? e * (size_t)inputs : 0};
            status = take_bias(b, bias ? bias + e * rows : NULL, w, first);
        }
    }
    return status;
}

static ip_status bind_single(ip_build *b, size_t block, const stack *s) {
    ip_matrix_shape shape = {s->outputs, s->inputs, true, false, 0, 0};
    ip_status status = IP_OK;
    for (size_t e = 0; status == IP_OK && e < b->traits.experts; e++)
        status = ip_build_matrix(b, s->single, block, e, &shape, &s->to[e]);
    return status;
}

static ip_status bind_matrices(ip_build *b, size_t i, ip_weight *all) {
    uint64_t hidden = b->expert_hidden, width = b->plan.width;
    size_t count = b->traits.experts;
    stack in[2] = {{IP_ROLE_EXPERTS_GATE, IP_ROLE_EXPERT_GATE, hidden, width, all},
                   {IP_ROLE_EXPERTS_UP, IP_ROLE_EXPERT_UP, hidden, width, all + count}};
    stack down = {IP_ROLE_EXPERTS_DOWN, IP_ROLE_EXPERT_DOWN, width, hidden, all + 2 * count};
    ip_status status = IP_OK;
    if (stacked_there(b, IP_ROLE_EXPERTS_GATE_UP, i)) {
        status = bind_stacked(b, IP_ROLE_EXPERTS_GATE_UP, i, 2, in, b->file->folder && b->traits.experts_transposed);
    } else {
        for (int m = 0; status == IP_OK && m < 2; m++)
            status = stacked_there(b, in[m].stacked, i) ? bind_stacked(b, in[m].stacked, i, 1, &in[m], false)
                                                        : bind_single(b, i, &in[m]);
    }
    if (status != IP_OK) return status;
    return stacked_there(b, down.stacked, i) ? bind_stacked(b, down.stacked, i, 1, &down, false)
                                             : bind_single(b, i, &down);
}

static ip_status bind_shared(ip_build *b, size_t i) {
    ip_block *block = &b->blocks[i];
    ip_matrix_shape in = {b->shared_hidden, b->plan.width, true, false, 0, 0};
    ip_matrix_shape out = {b->plan.width, b->shared_hidden, true, false, 0, 0};
    ip_matrix_shape gate = {1, b->plan.width, true, false, 0, 0};
    ip_status status = ip_build_matrix(b, IP_ROLE_SHARED_EXPERT_GATE, i, 0, &in, &block->gate);
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_SHARED_EXPERT_UP, i, 0, &in, &block->up);
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_SHARED_EXPERT_DOWN, i, 0, &out, &block->down);
    if (status == IP_OK) status = ip_build_matrix(b, IP_ROLE_SHARED_GATE, i, 0, &gate, &block->shared_gate);
    block->shared_gate.as_stored = true;
    return status;
}

ip_status ip_build_experts(ip_build *b, size_t i) {
    const ip_traits *t = &b->traits;
    ip_experts *x = &b->blocks[i].experts;
    ip_weight *all = ip_build_alloc(b, 3 * t->experts, sizeof *all);
    if (!all) return IP_FAILED;
    *x = (ip_experts){
        .count = t->experts,
        .used = t->experts_used,
        .among_chosen = t->routing == IP_ROUTING_CHOSEN,
        .normalise = t->routing == IP_ROUTING_NORMALISED,
        .gate = all,
        .up = all + t->experts,
        .down = all + 2 * t->experts,
    };
    ip_matrix_shape router = {t->experts, b->plan.width, true, t->mlp_bias, 0, 0};
    ip_status status = ip_build_matrix(b, IP_ROLE_ROUTER, i, 0, &router, &x->router);
    x->router.as_stored = true;
    if (status == IP_OK) status = bind_matrices(b, i, all);
    if (status == IP_OK && b->shared_hidden > 0) status = bind_shared(b, i);
    return status;
}

/* Reading the matrices of a plan. */
#include "models/plan.h"

#include <string.h>

/* Columns of a transposed tensor of plain values: element by element, row after row of the file. */
static void read_columns(const ip_weight *w, size_t first, size_t count, float *out, size_t stride) {
    const ip_type *type = w->tensor->type;
    for (size_t k = 0; k < w->inputs; k++) {
        const unsigned char *row = ip_tensor_row(w->tensor, w->input0 + k);
        for (size_t i = 0; i < count; i++)
            type->to_float(out + i * stride + k, row + ip_weight_row(w, first + i) * type->bytes, 1);
    }
}

static void scale_row(const ip_scales *s, size_t row, float *out, size_t n) {
    const float *values = s->values + row / s->out_block * s->columns;
    for (size_t k = 0; k < n; k++) out[k] *= values[k / s->in_block];
}

void ip_weight_read(const ip_weight *w, size_t first, size_t count, float *out, size_t stride) {
    if (w->transposed) {
        read_columns(w, first, count, out, stride);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = ip_weight_row(w, first + i);
        w->tensor->type->to_float(out + i * stride, ip_tensor_row(w->tensor, row), w->inputs);
        if (w->scales) scale_row(w->scales, row, out + i * stride, w->inputs);
    }
}

void ip_block_each(const ip_block *b, void (*take)(void *context, const ip_weight *weight), void *context) {
    const ip_weight *const all[] = {&b->q,    &b->k,  &b->v,    &b->o,          &b->experts.router, &b->shared_gate,
                                    &b->gate, &b->up, &b->down, &b->side.model, &b->side.gate,      &b->side.out};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i]->tensor) take(context, all[i]);
    for (size_t e = 0; e < b->experts.count; e++) {
        take(context, &b->experts.gate[e]);
        take(context, &b->experts.up[e]);
        take(context, &b->experts.down[e]);
    }
}

/* The order in which a product visits its operands.
 *
 *     for eight panels at a time                     their blocks of k, 16 KiB each, stay in L2
 *         for each block of k
 *             for each group of rows                 its part of the block stays in L1 for the eight panels
 *                 for each of the eight panels       one step: 16 outputs x a group of rows, in registers
 *
 * Weights are read once per call from wherever they are, activations once per eight panels, so that neither has to fit
 * a cache as a whole. Between two blocks of k the float tile waits in c, which changes no bit. */
#ifndef IP_ARCH_GENERIC_WALK_H
#define IP_ARCH_GENERIC_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/generic/unroll.h"
#include "arch/kernels.h"

enum { WALK_PANELS = 8, WALK_BLOCK_BYTES = 16384, WALK_LINE = 64 };

/* Inputs per block of k when a panel holds `bytes` bytes per input and output: a multiple of 32 that cuts `inputs` into
 * even blocks of about WALK_BLOCK_BYTES. */
IP_INLINE size_t walk_block(size_t inputs, size_t bytes) {
    size_t about = WALK_BLOCK_BYTES / (IP_LANES * bytes), blocks = (inputs + about / 2) / about;
    if (blocks < 2) return inputs;
    return ((inputs + blocks - 1) / blocks + IP_GROUP - 1) / IP_GROUP * IP_GROUP;
}

/* Where the operands lie: panels of weights and groups of rows, one behind the other; bytes per input in each. */
typedef struct walk_operands {
    const unsigned char *weights, *rows;
    size_t panel_bytes, panel_step; /* of a panel; of one input in it */
    size_t group_bytes, group_step;
    size_t panels, row_groups, inputs, block_k;
} walk_operands;

/* Those of a product over the first `inputs` inputs; bytes per input and output of a panel, per input and row. */
IP_INLINE walk_operands walk_over(const ip_matrix *w, size_t panel, size_t panels, const ip_act *a, size_t inputs,
                                  size_t weight_bytes, size_t act_bytes) {
    return (walk_operands){
        .weights = w->codes + panel * w->panel_bytes,
        .rows = a->codes,
        .panel_bytes = w->panel_bytes,
        .panel_step = IP_LANES * weight_bytes,
        .group_bytes = a->group_bytes,
        .group_step = a->tile * act_bytes,
        .panels = panels,
        .row_groups = (a->rows + a->tile - 1) / a->tile,
        .inputs = inputs,
        .block_k = walk_block(inputs, weight_bytes),
    };
}

/* Panel j (from 0), inputs k .. k + count - 1, group of rows r. */
typedef void (*walk_step)(const void *context, size_t j, size_t k, size_t count, size_t r);

/* Asks for part i of n of these bytes. */
IP_INLINE void walk_ask(const unsigned char *from, size_t bytes, size_t i, size_t n) {
    size_t lines = bytes / WALK_LINE, end = lines * (i + 1) / n;
    for (size_t line = lines * i / n; line < end; line++) __builtin_prefetch(from + line * WALK_LINE, 0, 2);
}

/* One of the steps of block (first, k): its share of the block after it. */
IP_INLINE void walk_ahead(const walk_operands *o, size_t first, size_t k, size_t j, size_t r) {
    size_t next_k = k + o->block_k < o->inputs ? k + o->block_k : 0;
    size_t panel = next_k > 0 ? j : j + WALK_PANELS, left = o->inputs - next_k;
    size_t count = left < o->block_k ? left : o->block_k;
    if (panel < o->panels)
        walk_ask(o->weights + panel * o->panel_bytes + next_k * o->panel_step, count * o->panel_step, r, o->row_groups);
    walk_ask(o->rows + r * o->group_bytes + next_k * o->group_step, count * o->group_step, j - first, WALK_PANELS);
}

IP_INLINE void walk_blocks(const walk_operands *o, walk_step step, const void *context) {
    const bool ahead = o->inputs > o->block_k;
    for (size_t first = 0; first < o->panels; first += WALK_PANELS) {
        size_t end = o->panels - first < WALK_PANELS ? o->panels : first + WALK_PANELS;
        for (size_t k = 0; k < o->inputs; k += o->block_k) {
            size_t count = o->inputs - k < o->block_k ? o->inputs - k : o->block_k;
            for (size_t r = 0; r < o->row_groups; r++) {
                for (size_t j = first; j < end; j++) {
                    if (ahead) walk_ahead(o, first, k, j, r);
                    step(context, j, k, count, r);
                }
            }
        }
    }
}

#endif

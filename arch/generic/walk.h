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

#include <stddef.h>

#include "arch/generic/unroll.h"

enum { WALK_PANELS = 8, WALK_BLOCK_BYTES = 16384 };

/* Inputs per block of k when a panel holds `bytes` bytes per input and output: a multiple of 32 that cuts `inputs` into
 * even blocks of about WALK_BLOCK_BYTES. */
IP_INLINE size_t walk_block(size_t inputs, size_t bytes) {
    size_t about = WALK_BLOCK_BYTES / (IP_LANES * bytes), blocks = (inputs + about / 2) / about;
    if (blocks < 2) return inputs;
    return ((inputs + blocks - 1) / blocks + IP_GROUP - 1) / IP_GROUP * IP_GROUP;
}

/* Panel j (from 0), inputs k .. k + count - 1, group of rows r. */
typedef void (*walk_step)(const void *context, size_t j, size_t k, size_t count, size_t r);

IP_INLINE void walk_blocks(size_t panels, size_t inputs, size_t block_k, size_t row_groups, walk_step step,
                           const void *context) {
    for (size_t first = 0; first < panels; first += WALK_PANELS) {
        size_t end = panels - first < WALK_PANELS ? panels : first + WALK_PANELS;
        for (size_t k = 0; k < inputs; k += block_k) {
            size_t count = inputs - k < block_k ? inputs - k : block_k;
            for (size_t r = 0; r < row_groups; r++) {
                for (size_t j = first; j < end; j++) step(context, j, k, count, r);
            }
        }
    }
}

#endif

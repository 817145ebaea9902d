/* One step of an integer product: a block of a panel and a group of rows. */
#ifndef IP_ARCH_GENERIC_TILE_H
#define IP_ARCH_GENERIC_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everything begins at the first input of the block; groups are of 16 or 32 inputs, as the weights have them.
 * "rows" is the number of rows per group of activations. */
typedef struct int_tile {
    float *c; /* rows of 16, ldc apart */
    size_t ldc, groups;
    bool first; /* block of k: c holds nothing yet */
    const unsigned char *codes, *x;
    const unsigned char *panel; /* the first byte of all of it, */
    size_t k;                   /* and the number of the block's first input */
    const float *wscale, *wmin; /* [groups][16] */
    const float *xscale, *xsum; /* per 32 inputs, per group: [rows] */
    const int32_t *extra;       /* per 32 inputs: [3][rows] */
} int_tile;

#endif

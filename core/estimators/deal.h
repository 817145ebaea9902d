/* How the work on a layer's soft assignments is dealt over ranks. The assignments lie in blocks of 16 anchors, and a block
 * needs all positions but no other block: so ranks take blocks, or stretches of a block where there are more ranks than
 * blocks. A rank is sent the blocks that it works on: its share, rounded up, and one more at most. */
#ifndef IP_CORE_DEAL_H
#define IP_CORE_DEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rank r takes what lies in [r, r + 1) when all blocks, laid end to end, are `of` long. */

/* Whether piece i of the n pieces of a block is the rank's: its middle decides. */
static inline bool ip_deal_takes(unsigned rank, unsigned of, size_t blocks, size_t block, size_t i, size_t n) {
    uint64_t middle = 2 * ((uint64_t)block * n + i) + 1, all = 2 * (uint64_t)blocks * n;
    return middle * of / all == rank;
}

/* Whether any of a block can be the rank's. */
static inline bool ip_deal_touches(unsigned rank, unsigned of, size_t blocks, size_t block) {
    return (uint64_t)(block + 1) * of > (uint64_t)rank * blocks && (uint64_t)block * of < (uint64_t)(rank + 1) * blocks;
}

/* How many blocks a rank is sent. */
static inline size_t ip_deal_blocks(unsigned rank, unsigned of, size_t blocks) {
    size_t count = 0;
    for (size_t b = 0; b < blocks; b++) count += ip_deal_touches(rank, of, blocks, b);
    return count;
}

#endif

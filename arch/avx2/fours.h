/* Activations of 32 inputs for products of unsigned codes by signed bytes, four k per lane, and the sums that take off
 * what the offset of the codes adds. */
#ifndef IP_ARCH_AVX2_FOURS_H
#define IP_ARCH_AVX2_FOURS_H

#include <string.h>

#include "arch/avx2/avx2.h"
#include "arch/generic/unroll.h"

typedef struct fours_block {
    int8_t codes[IP_GROUP / 4][IP_AVX2_TILE][4];
    int32_t sums[3][IP_AVX2_TILE]; /* over the halves, over all; times a factor */
} fours_block;

/* 16 inputs of row t. Halves come in order. */
IP_INLINE void fours_put(fours_block *block, size_t t, size_t half, const int16_t *q, const int32_t factor) {
    int8_t bytes[IP_LANES];
    int32_t sum = 0;
    for (size_t i = 0; i < IP_LANES; i++) {
        bytes[i] = (int8_t)q[i];
        sum += q[i];
    }
    for (size_t i = 0; i < IP_LANES / 4; i++) memcpy(block->codes[half * (IP_LANES / 4) + i][t], bytes + 4 * i, 4);
    block->sums[half][t] = sum * factor;
    if (half == 1) block->sums[2][t] = block->sums[0][t] + block->sums[1][t];
}

#endif

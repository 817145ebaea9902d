/* Integer products with the matrix instructions: smmla, eight k of two rows against two outputs.
 * The including file defines ACT_STEP: 1 for one plane of activations (int8), 2 for two (int16). */

enum { ROWS_OF_CODES = IP_NEON_INT_TILE, BLOCK = 8, CODE_STEP = 1 };

#include "arch/generic/quantise.inc.h"
#include "arch/neon/planes.inc.h"

/* 16 inputs of one plane. pair[8 * r + o]: rows 2r, 2r + 1 against outputs 2o, 2o + 1, row by row. */
IP_INLINE void half_sums(int32x4_t pair[16], const int8_t *w, const int8_t *x) {
    IP_UNROLL for (size_t k = 0; k < 2; k++) {
        int8x16_t rows0 = vld1q_s8(x + 32 * k), rows1 = vld1q_s8(x + 32 * k + 16);
        IP_UNROLL for (size_t o = 0; o < 8; o++) {
            int8x16_t outputs = vld1q_s8(w + 128 * k + 16 * o);
            pair[o] = vmmlaq_s32(pair[o], rows0, outputs);
            pair[8 + o] = vmmlaq_s32(pair[8 + o], rows1, outputs);
        }
    }
}

/* Low and high halves of two registers, as registers. */
IP_INLINE int32x4_t lows(int32x4_t x, int32x4_t y) { return vcombine_s32(vget_low_s32(x), vget_low_s32(y)); }
IP_INLINE int32x4_t highs(int32x4_t x, int32x4_t y) { return vcombine_s32(vget_high_s32(x), vget_high_s32(y)); }

IP_INLINE void group_sums(int32x4_t sum[16], const unsigned char *codes, const unsigned char *x, const size_t group) {
    const int8_t *w = (const int8_t *)codes, *q = (const int8_t *)x;
    const size_t halves = group / 16;
    int32x4_t pair[16];
    IP_UNROLL for (size_t i = 0; i < 16; i++) pair[i] = vdupq_n_s32(0);
    for (size_t h = 0; h < halves; h++) half_sums(pair, w + h * 256, q + h * ACT_STEP * PLANE);
    if (ACT_STEP == 2) {
        IP_UNROLL for (size_t i = 0; i < 16; i++) pair[i] = vshlq_n_s32(pair[i], 7);
        for (size_t h = 0; h < halves; h++) half_sums(pair, w + h * 256, q + h * ACT_STEP * PLANE + PLANE);
    }
    IP_UNROLL for (size_t r = 0; r < 2; r++) {
        IP_UNROLL for (size_t o = 0; o < 4; o++) {
            sum[8 * r + o] = lows(pair[8 * r + 2 * o], pair[8 * r + 2 * o + 1]);
            sum[8 * r + 4 + o] = highs(pair[8 * r + 2 * o], pair[8 * r + 2 * o + 1]);
        }
    }
}

#include "arch/neon/integer.inc.h"

/* Integer products with the dot product instructions: sdot by element, four k of one row against four outputs.
 * The including file defines ACT_STEP: 1 for one plane of activations (int8), 2 for two (int16). */

enum { ROWS_OF_CODES = IP_NEON_INT_TILE, BLOCK = 4, CODE_STEP = 1 };

#include "arch/generic/quantise.inc.h"
#include "arch/neon/planes.inc.h"

/* 16 inputs of one plane, panel and rows. */
IP_INLINE void half_sums(int32x4_t sum[16], const int8_t *w, const int8_t *x) {
    IP_UNROLL for (size_t k = 0; k < 4; k++) {
        int8x16_t rows = vld1q_s8(x + 16 * k);
        IP_UNROLL for (size_t o = 0; o < 4; o++) {
            int8x16_t outputs = vld1q_s8(w + 64 * k + 16 * o);
            sum[o] = vdotq_laneq_s32(sum[o], outputs, rows, 0);
            sum[4 + o] = vdotq_laneq_s32(sum[4 + o], outputs, rows, 1);
            sum[8 + o] = vdotq_laneq_s32(sum[8 + o], outputs, rows, 2);
            sum[12 + o] = vdotq_laneq_s32(sum[12 + o], outputs, rows, 3);
        }
    }
}

IP_INLINE void group_sums(int32x4_t sum[16], const unsigned char *codes, const unsigned char *x, const size_t group) {
    const int8_t *w = (const int8_t *)codes, *q = (const int8_t *)x;
    const size_t halves = group / 16;
    IP_UNROLL for (size_t i = 0; i < 16; i++) sum[i] = vdupq_n_s32(0);
    for (size_t h = 0; h < halves; h++) half_sums(sum, w + h * 256, q + h * ACT_STEP * PLANE);
    if (ACT_STEP == 2) {
        IP_UNROLL for (size_t i = 0; i < 16; i++) sum[i] = vshlq_n_s32(sum[i], 7);
        for (size_t h = 0; h < halves; h++) half_sums(sum, w + h * 256, q + h * ACT_STEP * PLANE + PLANE);
    }
}

#include "arch/neon/integer.inc.h"

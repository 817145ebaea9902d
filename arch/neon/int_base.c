/* Integer products of every AArch64 machine: smlal by element on 16-bit codes, panels [k][16] and activations
 * [k][4 rows] int16; int8 activations go the same way, stored wide. A lane stays below 32 * 128 * 16319 < 2^27. */
#include <stdbool.h>
#include <string.h>

#include "arch/neon/vec.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_NEON_INT_TILE, CODE_STEP = 2, ACT_STEP = 2 };

#include "arch/generic/quantise.inc.h"

/* Row t against 16 outputs. */
#define ROW_STEP(t)                                                                                                    \
    sum[4 * (t)] = vmlal_lane_s16(sum[4 * (t)], vget_low_s16(w0), rows, t);                                            \
    sum[4 * (t) + 1] = vmlal_high_lane_s16(sum[4 * (t) + 1], w0, rows, t);                                             \
    sum[4 * (t) + 2] = vmlal_lane_s16(sum[4 * (t) + 2], vget_low_s16(w1), rows, t);                                    \
    sum[4 * (t) + 3] = vmlal_high_lane_s16(sum[4 * (t) + 3], w1, rows, t);

IP_INLINE void group_sums(int32x4_t sum[16], const unsigned char *codes, const unsigned char *x, const size_t group) {
    const int16_t *w = (const int16_t *)(const void *)codes, *q = (const int16_t *)(const void *)x;
    IP_UNROLL for (size_t i = 0; i < 16; i++) sum[i] = vdupq_n_s32(0);
    IP_KEEP_LOOP for (size_t k = 0; k < group; k++) {
        int16x8_t w0 = vld1q_s16(w + k * IP_LANES), w1 = vld1q_s16(w + k * IP_LANES + 8);
        int16x4_t rows = vld1_s16(q + k * ROWS_OF_CODES);
        ROW_STEP(0)
        ROW_STEP(1)
        ROW_STEP(2)
        ROW_STEP(3)
    }
}

#include "arch/neon/integer.inc.h"

static void pack(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    int16_t *out = panel;
    for (size_t j = 0; j < k; j++) {
        for (size_t lane = 0; lane < IP_LANES; lane++)
            out[j * IP_LANES + lane] = lane < count ? codes[lane * stride + j] : 0;
    }
}

IP_INLINE void put(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    int16_t *out = (int16_t *)(void *)group + g16 * IP_LANES * ROWS_OF_CODES + t;
    for (size_t i = 0; i < IP_LANES; i++) out[i * ROWS_OF_CODES] = q[i];
}

void ip_pack_int16_neon(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack(panel, codes, stride, count, k);
}

void ip_pack_int8_neon(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack(panel, codes, stride, count, k);
}

int ip_act_int16_neon(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int16, put);
}

int ip_act_int8_neon(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int8, put);
}

void ip_gemm_int16_neon(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

void ip_gemm_int8_neon(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

/* bf16 products with the matrix instruction: bfmmla, four k of two rows against two outputs; panels
 * [k / 4][16 outputs][4] and activations [k / 4][6 rows][4] of bf16, k padded with zeros to 4.
 *
 * The instruction adds two products, then their sum to the accumulator, and the next two likewise; it rounds every sum
 * to odd (an error below one unit in the last place, 2^-23) and treats denormals as zero. A pair thus costs 2^-23 of
 * its size and 2^-23 of what is summed so far: within k * 2^-23 * sum |x w|, as kernels.h asks, for operands and sums
 * that are not denormal. */
#include <stdbool.h>
#include <string.h>

#include "arch/neon/vec.h"

#include "arch/bits.h"
#include "arch/generic/load.h"
#include "arch/generic/walk.h"

enum { STEP = IP_NEON_BF16_STEP, TILE = IP_NEON_BF16_TILE, PAIRS = TILE / 2 * (IP_LANES / 2) };

IP_INLINE size_t up_to_step(size_t k) { return (k + STEP - 1) / STEP * STEP; }

void ip_pack_bf16_neon_bf16(void *panel, const float *rows, size_t stride, size_t count, size_t k) {
    uint16_t *out = panel;
    for (size_t j = 0; j < k; j += STEP) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            for (size_t i = 0; i < STEP; i++) {
                bool there = lane < count && j + i < k;
                *out++ = there ? ip_bf16_from_f32(rows[lane * stride + j + i]) : 0;
            }
        }
    }
}

/* Rounded fours of one row to where they lie; n of the 16. */
IP_INLINE void put_fours(uint16_t *out, v16f v, size_t n) {
    const float32x4_t part[IP_LANES / STEP] = {v.a, v.b, v.c, v.d};
    IP_UNROLL for (size_t i = 0; i < IP_LANES / STEP; i++) {
        if (i * STEP < n) vst1_u16(out + i * TILE * STEP, vshrn_n_u32(vec_bf16_bits(part[i]), 16));
    }
}

void ip_act_bf16_neon_bf16(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    const size_t end = from + count == a->k ? up_to_step(a->k) : from + count;
    const size_t groups = (a->rows + TILE - 1) / TILE;
    for (size_t row = 0; row < groups * TILE; row++) {
        uint16_t *out = (uint16_t *)(void *)(a->codes + row / TILE * a->group_bytes) + row % TILE * STEP;
        for (size_t j = from; j < end; j += IP_LANES) {
            bool there = row < a->rows;
            v16f v = there ? rows_load(x + row * stride, a->k - from, j - from, 0.0f) : vf_set(0.0f);
            put_fours(out + j * TILE, v, end - j);
        }
    }
}

/* Eight bf16 are four k of two rows or outputs. */
IP_INLINE bfloat16x8_t load_fours(const uint16_t *p) { return vreinterpretq_bf16_u16(vld1q_u16(p)); }

/* Two rows of 16 floats as pairs, [8][2 rows][2], and back. */
IP_INLINE void rows_to_pairs(float32x4_t pair[IP_LANES / 2], const float *row0, const float *row1) {
    IP_UNROLL for (size_t o = 0; o < IP_LANES / 2; o++) pair[o] =
        vcombine_f32(vld1_f32(row0 + 2 * o), vld1_f32(row1 + 2 * o));
}
IP_INLINE void rows_from_pairs(float *row0, float *row1, const float32x4_t pair[IP_LANES / 2]) {
    IP_UNROLL for (size_t o = 0; o < IP_LANES / 2; o++) {
        vst1_f32(row0 + 2 * o, vget_low_f32(pair[o]));
        vst1_f32(row1 + 2 * o, vget_high_f32(pair[o]));
    }
}

/* A block of k of one panel times one group of rows; first: c holds nothing yet. */
static void bf16_tile(float *c, size_t ldc, const uint16_t *weights, const uint16_t *x, size_t k, bool first) {
    float32x4_t pair[PAIRS];
    IP_UNROLL for (size_t i = 0; i < PAIRS; i++) pair[i] = vdupq_n_f32(0.0f);
    IP_UNROLL for (size_t r = 0; r < TILE / 2; r++) {
        if (!first) rows_to_pairs(pair + r * IP_LANES / 2, c + 2 * r * ldc, c + (2 * r + 1) * ldc);
    }
    IP_KEEP_LOOP for (size_t j = 0; j < k; j += STEP) {
        bfloat16x8_t rows[TILE / 2];
        IP_UNROLL for (size_t r = 0; r < TILE / 2; r++) rows[r] = load_fours(x + r * 2 * STEP);
        IP_UNROLL for (size_t o = 0; o < IP_LANES / 2; o++) {
            bfloat16x8_t outputs = load_fours(weights + o * 2 * STEP);
            /* The next load stays behind: all of them moved ahead, sums would be spilled for their registers. */
            __asm__ volatile("" : : : "memory");
            IP_UNROLL for (size_t r = 0; r < TILE / 2; r++) {
                float32x4_t *sum = &pair[r * IP_LANES / 2 + o];
                *sum = vbfmmlaq_f32(*sum, rows[r], outputs);
            }
        }
        weights += IP_LANES * STEP;
        x += TILE * STEP;
    }
    IP_UNROLL for (size_t r = 0; r < TILE / 2; r++)
        rows_from_pairs(c + 2 * r * ldc, c + (2 * r + 1) * ldc, pair + r * IP_LANES / 2);
}

typedef struct bf16_job {
    float *c;
    size_t ldc, panel;
    const ip_matrix *w;
    const ip_act *a;
} bf16_job;

IP_INLINE void bf16_step(const void *context, size_t j, size_t k, size_t count, size_t r) {
    const bf16_job *job = context;
    const unsigned char *panel = job->w->codes + (job->panel + j) * job->w->panel_bytes;
    const uint16_t *weights = (const uint16_t *)(const void *)panel + k * IP_LANES;
    const uint16_t *x = (const uint16_t *)(const void *)(job->a->codes + r * job->a->group_bytes) + k * TILE;
    bf16_tile(job->c + r * TILE * job->ldc + j * IP_LANES, job->ldc, weights, x, count, k == 0);
}

void ip_gemm_bf16_neon_bf16(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    bf16_job job = {.c = c, .ldc = ldc, .panel = panel, .w = w, .a = a};
    const walk_operands operands = walk_over(w, panel, panels, a, up_to_step(w->k), sizeof(uint16_t), sizeof(uint16_t));
    walk_blocks(&operands, bf16_step, &job);
}

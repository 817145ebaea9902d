/* bf16 products with AVX512_BF16: vdpbf16ps, pairs of k, panels [k / 2][16][2] and activations [k / 2][12][2] of bf16.
 *
 * The instruction rounds once or twice per pair and treats denormals as zero; with the exact sum as the reference the
 * error stays within k * 2^-23 * sum |x w|, as kernels.h asks, for operands that are not denormal. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx512/vec.h"

#include "arch/bits.h"
#include "arch/generic/load.h"
#include "arch/generic/walk.h"

void ip_pack_bf16_avx512_bf16(void *panel, const float *rows, size_t stride, size_t count, size_t k) {
    uint32_t *out = panel;
    for (size_t j = 0; j < k; j += 2) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            uint32_t low = lane < count ? ip_bf16_from_f32(rows[lane * stride + j]) : 0;
            uint32_t high = lane < count && j + 1 < k ? ip_bf16_from_f32(rows[lane * stride + j + 1]) : 0;
            out[j / 2 * IP_LANES + lane] = low | high << 16;
        }
    }
}

/* 32 inputs of twelve rows at a time: a register holds the 16 pairs of a row. */
void ip_act_bf16_avx512_bf16(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    const size_t tile = IP_AVX512_TILE, end = from + count == a->k ? a->kp : from + count;
    for (size_t row = 0; row < a->rows; row += tile) {
        int32_t *out = (int32_t *)(void *)(a->codes + row / tile * a->group_bytes);
        for (size_t j = from; j < end; j += 2 * IP_LANES) {
            __m512i pairs[IP_AVX512_TILE];
            size_t left = j < a->k ? a->k - j : 0, columns = (end - j + 1) / 2;
            IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
                const size_t some = row + t < a->rows ? left : 0;
                const float *in = x + (some ? row + t : 0) * stride + (j - from);
                __m512i low = vec_bf16_bits(_mm512_maskz_loadu_ps(vec_first(some), in));
                __m512i high = vec_bf16_bits(
                    _mm512_maskz_loadu_ps(some > IP_LANES ? vec_first(some - IP_LANES) : 0, in + IP_LANES));
                const __m512i upper =
                    _mm512_setr_epi32(0x30001, 0x70005, 0xb0009, 0xf000d, 0x130011, 0x170015, 0x1b0019, 0x1f001d,
                                      0x230021, 0x270025, 0x2b0029, 0x2f002d, 0x330031, 0x370035, 0x3b0039, 0x3f003d);
                pairs[t] = _mm512_permutex2var_epi16(low, upper, high); /* the upper halves, in order */
            }
            int32_t part[IP_LANES * IP_AVX512_TILE];
            columns_put(columns >= IP_LANES ? out + j / 2 * tile : part, tile, pairs);
            if (columns < IP_LANES) memcpy(out + j / 2 * tile, part, columns * tile * sizeof *out);
        }
    }
}

/* The same 32 bits in every lane, as pairs of bf16. */
IP_INLINE __m512bh broadcast_pair(const int32_t *pair) { return (__m512bh)_mm512_set1_epi32(*pair); }

/* A block of k of one panel times one group of rows; first: c holds nothing yet. */
static void bf16_tile(float *c, size_t ldc, const unsigned char *weights, const int32_t *x, size_t k, bool first) {
    __m512 acc[IP_AVX512_TILE];
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
        acc[t] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(c + t * ldc);
    }
    for (size_t j = 0; j < k; j += 2) {
        __m512bh w = (__m512bh)_mm512_loadu_si512(weights + j * IP_LANES * sizeof(uint16_t));
        IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) acc[t] =
            _mm512_dpbf16_ps(acc[t], w, broadcast_pair(x + t));
        x += IP_AVX512_TILE;
    }
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) _mm512_storeu_ps(c + t * ldc, acc[t]);
}

typedef struct bf16_job {
    float *c;
    size_t ldc, panel;
    const ip_matrix *w;
    const ip_act *a;
} bf16_job;

IP_INLINE void bf16_step(const void *context, size_t j, size_t k, size_t count, size_t r) {
    const bf16_job *job = context;
    const size_t tile = IP_AVX512_TILE;
    const unsigned char *weights =
        job->w->codes + (job->panel + j) * job->w->panel_bytes + k * IP_LANES * sizeof(uint16_t);
    const int32_t *x = (const int32_t *)(const void *)(job->a->codes + r * job->a->group_bytes) + k / 2 * tile;
    bf16_tile(job->c + r * tile * job->ldc + j * IP_LANES, job->ldc, weights, x, count, k == 0);
}

void ip_gemm_bf16_avx512_bf16(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    bf16_job job = {.c = c, .ldc = ldc, .panel = panel, .w = w, .a = a};
    const walk_operands operands = walk_over(w, panel, panels, a, w->kp, sizeof(uint16_t), sizeof(uint16_t));
    walk_blocks(&operands, bf16_step, &job);
}

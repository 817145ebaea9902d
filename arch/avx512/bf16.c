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

void ip_act_bf16_avx512_bf16(ip_act *a, const float *x, size_t stride) {
    const size_t tile = IP_AVX512_TILE, padded = (a->rows + tile - 1) / tile * tile;
    for (size_t r = 0; r < padded; r++) {
        uint32_t *out = (uint32_t *)(void *)(a->codes + r / tile * a->group_bytes) + r % tile;
        for (size_t j = 0; j < a->kp; j += IP_LANES) {
            uint16_t half[IP_LANES];
            bool there = r < a->rows && j < a->k;
            vf_store_bf16(half, there ? rows_load(x + r * stride, a->k, j, 0.0f) : vf_set(0.0f));
            for (size_t i = 0; i < rows_left(a->kp, j); i += 2) {
                uint32_t pair;
                memcpy(&pair, half + i, sizeof pair);
                out[(j + i) / 2 * tile] = pair;
            }
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
    size_t row_groups = (a->rows + IP_AVX512_TILE - 1) / IP_AVX512_TILE;
    walk_blocks(panels, w->kp, WALK_BLOCK_K(2), row_groups, bf16_step, &job);
}

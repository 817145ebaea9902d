/* Integer products of AVX2: vpmaddwd and an add, on 16-bit codes; int8 activations go the same way, stored wide.
 *
 * A panel is [k / 2][16 outputs][2] int16: two registers per pair of k. Six rows have their integer sums in twelve
 * registers; the float accumulators are reloaded once per group of inputs. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx2/vec.h"

#include "arch/generic/load.h"
#include "arch/generic/tile.h"
#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX2_TILE, CODE_STEP = 2, ACT_STEP = 2 };

#include "arch/generic/pairs.inc.h"
#include "arch/generic/quantise.inc.h"

IP_INLINE void put_pairs(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    int32_t *out = (int32_t *)(void *)group + g16 * (IP_LANES / 2) * ROWS_OF_CODES + t;
    for (size_t i = 0; i < IP_LANES / 2; i++) {
        int32_t pair;
        memcpy(&pair, q + 2 * i, sizeof pair);
        out[i * ROWS_OF_CODES] = pair;
    }
}

/* sum + w * x in pairs; a lane stays below 32 * 128 * 16319 < 2^27. */
IP_INLINE __m256i multiply_add(__m256i sum, __m256i w, __m256i x) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(w, x));
}

/* The sums of one group of inputs, two registers per row. */
IP_INLINE void group_sums(__m256i sum[2 * IP_AVX2_TILE], const int16_t *codes, const int32_t *x, const size_t group) {
    IP_UNROLL for (size_t t = 0; t < 2 * IP_AVX2_TILE; t++) sum[t] = _mm256_setzero_si256();
    IP_KEEP_LOOP for (size_t k = 0; k < group / 2; k++) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 32));
        __m256i w1 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 32 + 16));
        IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
            __m256i pair = _mm256_set1_epi32(x[k * IP_AVX2_TILE + t]);
            sum[2 * t] = multiply_add(sum[2 * t], w0, pair);
            sum[2 * t + 1] = multiply_add(sum[2 * t + 1], w1, pair);
            IP_PIN(sum[2 * t]);
            IP_PIN(sum[2 * t + 1]);
        }
    }
}

/* One panel block times one group of rows, groups of `group` inputs. */
IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    const int16_t *codes = (const int16_t *)(const void *)tile->codes;
    const int32_t *x = (const int32_t *)(const void *)tile->x;
    const float *wscale = tile->wscale, *wmin = tile->wmin, *xscale = tile->xscale, *xsum = tile->xsum;
    float acc[IP_AVX2_TILE * IP_LANES] = {0};
    for (size_t t = 0; t < IP_AVX2_TILE && !tile->first; t++)
        vf_store(acc + t * IP_LANES, vf_load(tile->c + t * tile->ldc));
    for (size_t g = 0; g < tile->groups; g++) {
        __m256i sum[2 * IP_AVX2_TILE];
        group_sums(sum, codes, x, group);
        v16f scale = vf_load(wscale);
        IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
            v16f i = {_mm256_cvtepi32_ps(sum[2 * t]), _mm256_cvtepi32_ps(sum[2 * t + 1])};
            v16f v = vf_fma(i, vf_mul(scale, vf_set(xscale[t])), vf_load(acc + t * IP_LANES));
            if (has_min) v = vf_fma(vf_load(wmin), vf_set(xsum[t]), v);
            vf_store(acc + t * IP_LANES, v);
        }
        codes += group * IP_LANES;
        x += group / 2 * IP_AVX2_TILE;
        wscale += IP_LANES;
        if (has_min) wmin += IP_LANES;
        xsum += IP_AVX2_TILE;
        if (group == IP_GROUP || g % 2 == 1) xscale += IP_AVX2_TILE;
    }
    for (size_t t = 0; t < IP_AVX2_TILE; t++) vf_store(tile->c + t * tile->ldc, vf_load(acc + t * IP_LANES));
}

#include "arch/generic/walk.inc.h"

void ip_pack_int16_avx2(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_pairs(panel, codes, stride, count, k);
}

void ip_pack_int8_avx2(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_pairs(panel, codes, stride, count, k);
}

int ip_act_int16_avx2(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int16, put_pairs);
}

int ip_act_int8_avx2(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int8, put_pairs);
}

void ip_gemm_int16_avx2(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

void ip_gemm_int8_avx2(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

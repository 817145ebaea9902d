/* Products of 16-bit codes in AVX2: vpmaddwd and an add, or what the including file defines DOT16(sum, w, x) to be.
 *
 * A panel is [k / 2][16 outputs][2] int16: two registers per pair of k. Six rows have their integer sums in twelve
 * registers; the float accumulators are reloaded once per group of inputs. */
#ifndef IP_ARCH_AVX2_PAIRS_H
#define IP_ARCH_AVX2_PAIRS_H

#include "arch/avx2/scale.h"

/* sum + w * x in pairs; a lane stays below 32 * 128 * 16319 < 2^27. */
#ifndef DOT16
#define DOT16(sum, w, x) _mm256_add_epi32(sum, _mm256_madd_epi16(w, x))
#endif

/* The sums of one group of inputs, two registers per row. */
IP_INLINE void group_sums(__m256i sum[2 * IP_AVX2_TILE], const int16_t *codes, const int32_t *x, const size_t group) {
    IP_UNROLL for (size_t t = 0; t < 2 * IP_AVX2_TILE; t++) sum[t] = _mm256_setzero_si256();
    IP_KEEP_LOOP for (size_t k = 0; k < group / 2; k++) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 32));
        __m256i w1 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 32 + 16));
        IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
            __m256i pair = _mm256_set1_epi32(x[k * IP_AVX2_TILE + t]);
            sum[2 * t] = DOT16(sum[2 * t], w0, pair);
            sum[2 * t + 1] = DOT16(sum[2 * t + 1], w1, pair);
            IP_PIN(sum[2 * t]);
            IP_PIN(sum[2 * t + 1]);
        }
    }
}

/* One panel block times one group of rows, groups of `group` inputs; codes and x at the first of the block. */
IP_INLINE void pairs_tile(const int_tile *tile, const int16_t *codes, const int32_t *x, const size_t group,
                          const bool has_min) {
    scaled s;
    scaled_begin(&s, tile);
    for (size_t g = 0; g < tile->groups; g++) {
        __m256i sum[2 * IP_AVX2_TILE];
        group_sums(sum, codes, x, group);
        scaled_add(&s, sum, has_min);
        scaled_next(&s, g, group, has_min);
        codes += group * IP_LANES;
        x += group / 2 * IP_AVX2_TILE;
    }
    scaled_end(&s, tile);
}

#endif

/* Codes of activations in pairs of k, [k / 2][12 rows][2] int16. */
#ifndef IP_ARCH_AVX512_PAIRS_H
#define IP_ARCH_AVX512_PAIRS_H

#include "arch/avx512/quantise.h"

/* The four parts of a register added up, into lanes 4 quad .. 4 quad + 3 of sum. */
IP_INLINE __m512i pairs_fold(__m512i sum, __m512i v, const size_t quad) {
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    __m512i wide = _mm512_broadcast_i32x4(four);
    return _mm512_mask_mov_epi32(sum, (__mmask16)(0xfu << (4 * quad)), wide);
}

/* Packed to 16 bits, part L of a row holds inputs 4 L .. 4 L + 3 of the first half and then the same of the second: of
 * its four pairs the first two are pairs 2 L and 2 L + 1, the others 8 + 2 L and 9 + 2 L. */
IP_INLINE void put_pairs(void *codes, const __m512i q0[IP_AVX512_TILE], const __m512i q1[IP_AVX512_TILE],
                         __m512i sum[2]) {
    const __m512i ones = _mm512_set1_epi16(1);
    sum[0] = sum[1] = _mm512_setzero_si512();
    IP_UNROLL for (size_t quad = 0; quad < QUADS; quad++) {
        __m512i rows[4], four[4];
        IP_UNROLL for (size_t t = 0; t < 4; t++) rows[t] = _mm512_packs_epi32(q0[4 * quad + t], q1[4 * quad + t]);
        columns_quad(four, rows);
        IP_UNROLL for (size_t j = 0; j < 4; j++)
            columns_put_parts(codes, IP_AVX512_TILE, quad, four[j], (j & 1) + 8 * (j / 2), 2);
        __m512i pairs[4];
        IP_UNROLL for (size_t j = 0; j < 4; j++) pairs[j] = _mm512_madd_epi16(four[j], ones);
        sum[0] = pairs_fold(sum[0], _mm512_add_epi32(pairs[0], pairs[1]), quad);
        sum[1] = pairs_fold(sum[1], _mm512_add_epi32(pairs[2], pairs[3]), quad);
    }
}

enum { PAIRS_BLOCK = IP_GROUP * IP_AVX512_TILE * 2 };

#endif

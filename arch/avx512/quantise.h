/* Activations to integer codes in AVX-512: twelve rows of 32 inputs at a time, rows side by side wherever something is
 * done once per row. The bits are those of generic/quantise.inc.h. */
#ifndef IP_ARCH_AVX512_QUANTISE_H
#define IP_ARCH_AVX512_QUANTISE_H

#include <stdbool.h>

#include "arch/avx512/columns.h"
#include "arch/avx512/vec.h"
#include "arch/generic/scales.h"

/* Puts the codes of twelve rows (both halves of 32 inputs, as int32) where the products want them; sum[h]: the sums over
 * half h, lane = row. */
typedef void (*put_rows)(void *codes, const __m512i q0[IP_AVX512_TILE], const __m512i q1[IP_AVX512_TILE],
                         __m512i sum[2]);

/* Lane r of the result: the largest of the 16 lanes of row r; lanes from 12 on are zero. Of bits of sizes, so that what
 * is not finite is largest of all. */
IP_INLINE __m512i rows_max(const __m512i rows[IP_AVX512_TILE]) {
    __m512i quad[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    IP_UNROLL for (size_t i = 0; i < QUADS; i++) {
        const __m512i *r = rows + 4 * i;
        __m512i ab = _mm512_max_epi32(_mm512_shuffle_i32x4(r[0], r[1], 0x44), _mm512_shuffle_i32x4(r[0], r[1], 0xee));
        __m512i cd = _mm512_max_epi32(_mm512_shuffle_i32x4(r[2], r[3], 0x44), _mm512_shuffle_i32x4(r[2], r[3], 0xee));
        quad[i] = _mm512_max_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xdd));
    }
    /* Part L of quad i holds row 4 i + L; now across the four lanes of a part. */
    __m512i m01 = _mm512_max_epi32(_mm512_unpacklo_epi32(quad[0], quad[1]), _mm512_unpackhi_epi32(quad[0], quad[1]));
    __m512i m23 = _mm512_max_epi32(_mm512_unpacklo_epi32(quad[2], quad[3]), _mm512_unpackhi_epi32(quad[2], quad[3]));
    __m512i mixed = _mm512_max_epi32(_mm512_unpacklo_epi64(m01, m23), _mm512_unpackhi_epi64(m01, m23));
    /* Lane 4 L + i: row 4 i + L. */
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), mixed);
}

/* The scales of generic/scales.h, 16 rows at once, from the bits of their largest sizes; false where there is none. */
IP_INLINE bool row_scales(__m512i amax, bool wide, __m512 *scale, __m512 *inverse) {
    if (!wide) {
        __m512 size = _mm512_castsi512_ps(amax), most = _mm512_set1_ps(IP_Q8_MAX);
        __mmask16 some = _mm512_cmp_ps_mask(size, _mm512_set1_ps(0x1p-100f), _CMP_NLT_UQ);
        *scale = _mm512_maskz_div_ps(some, size, most);
        *inverse = _mm512_maskz_div_ps(some, most, size);
        return _mm512_cmpge_epi32_mask(amax, _mm512_set1_epi32(SCALE_EXPONENT)) == 0;
    }
    __m512i bits = _mm512_add_epi32(amax, _mm512_set1_epi32(SCALE_CARRY));
    bits = _mm512_and_si512(bits, _mm512_set1_epi32(SCALE_EXPONENT));
    bits = _mm512_max_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(SCALE_DOWN)), _mm512_set1_epi32(SCALE_LEAST));
    *scale = _mm512_castsi512_ps(bits);
    *inverse = _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32(SCALE_ONE_TWICE), bits));
    return _mm512_cmpgt_epi32_mask(bits, _mm512_set1_epi32(SCALE_MOST)) == 0;
}

/* Where the parts of one group of rows and 32 inputs lie. */
typedef struct act_block {
    void *codes;
    float *scale, *sum32, *sum16; /* [12], [12], [2][12] */
    int32_t *extra;               /* [3][12]: -128 times the sums over the halves and over all */
} act_block;

IP_INLINE void put_sums(const act_block *to, __m512 scale, const __m512i sum[2], bool extra) {
    const __mmask16 rows = vec_first(IP_AVX512_TILE);
    __m512i all = _mm512_add_epi32(sum[0], sum[1]);
    _mm512_mask_storeu_ps(to->scale, rows, scale);
    _mm512_mask_storeu_ps(to->sum32, rows, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(all)));
    _mm512_mask_storeu_ps(to->sum16, rows, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(sum[0])));
    _mm512_mask_storeu_ps(to->sum16 + IP_AVX512_TILE, rows, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(sum[1])));
    if (!extra) return;
    const __m512i zero = _mm512_setzero_si512();
    const __m512i parts[3] = {sum[0], sum[1], all};
    IP_UNROLL for (size_t i = 0; i < 3; i++) {
        __m512i taken = _mm512_sub_epi32(zero, _mm512_slli_epi32(parts[i], 7));
        _mm512_mask_storeu_epi32(to->extra + i * IP_AVX512_TILE, rows, taken);
    }
}

/* Up to 12 rows of 32 inputs, of which `left` exist; x at their first. False: something cannot be packed. */
IP_INLINE bool quantise_block(const act_block *to, const float *x, size_t stride, size_t rows, size_t left, bool wide,
                              bool extra, put_rows put) {
    __m512 x0[IP_AVX512_TILE], x1[IP_AVX512_TILE], scale, inverse;
    __m512i size[IP_AVX512_TILE], sum[2];
    const __mmask16 first = vec_first(left), second = left > IP_LANES ? vec_first(left - IP_LANES) : 0;
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
        const float *row = x + (t < rows ? t : 0) * stride;
        x0[t] = _mm512_maskz_loadu_ps(t < rows ? first : 0, row);
        x1[t] = _mm512_maskz_loadu_ps(t < rows ? second : 0, row + IP_LANES);
        size[t] = _mm512_max_epi32(_mm512_andnot_si512(sign, _mm512_castps_si512(x0[t])),
                                   _mm512_andnot_si512(sign, _mm512_castps_si512(x1[t])));
    }
    if (!row_scales(rows_max(size), wide, &scale, &inverse)) return false;
    __m512i q0[IP_AVX512_TILE], q1[IP_AVX512_TILE];
    float factor[IP_LANES];
    _mm512_storeu_ps(factor, inverse);
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
        q0[t] = _mm512_cvtps_epi32(_mm512_mul_ps(x0[t], _mm512_set1_ps(factor[t])));
        q1[t] = _mm512_cvtps_epi32(_mm512_mul_ps(x1[t], _mm512_set1_ps(factor[t])));
    }
    put(to->codes, q0, q1, sum);
    put_sums(to, scale, sum, extra);
    return true;
}

/* All rows, inputs from .. from + count - 1; block_bytes: of the codes of a block. */
IP_INLINE int quantise_rows(ip_act *a, const float *x, size_t stride, size_t from, size_t count, bool wide, bool extra,
                            size_t block_bytes, put_rows put) {
    const size_t tile = IP_AVX512_TILE, groups32 = a->kp / IP_GROUP;
    for (size_t row = 0; row < a->rows; row += tile) {
        size_t rows = a->rows - row < tile ? a->rows - row : tile;
        for (size_t at = 0; at < count; at += IP_GROUP) {
            size_t g = (from + at) / IP_GROUP, block = row / tile * groups32 + g;
            act_block to = {
                .codes = a->codes + row / tile * a->group_bytes + g * block_bytes,
                .scale = a->scale + block * tile,
                .sum32 = a->sum32 + block * tile,
                .sum16 = a->sum16 + block * 2 * tile,
                .extra = a->extra + block * 3 * tile,
            };
            size_t left = count - at < IP_GROUP ? count - at : IP_GROUP;
            if (!quantise_block(&to, x + row * stride + at, stride, rows, left, wide, extra, put)) return 1;
        }
    }
    return 0;
}

#endif

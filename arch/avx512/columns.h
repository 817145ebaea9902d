/* Rows to columns: `height` (12 or 16) registers of 16 dwords become 16 columns of as many dwords, which is how groups of
 * rows lie in packed activations, and queries in attention. Four rows at a time are transposed inside the 128-bit parts of their registers; the parts are
 * then stored where they belong. */
#ifndef IP_ARCH_AVX512_COLUMNS_H
#define IP_ARCH_AVX512_COLUMNS_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/avx512/avx512.h"
#include "arch/generic/unroll.h"

enum { QUADS = IP_AVX512_TILE / 4 };

/* out[j]: in its part L the four rows of column 4 L + j. */
IP_INLINE void columns_quad(__m512i out[4], const __m512i rows[4]) {
    __m512i low01 = _mm512_unpacklo_epi32(rows[0], rows[1]), high01 = _mm512_unpackhi_epi32(rows[0], rows[1]);
    __m512i low23 = _mm512_unpacklo_epi32(rows[2], rows[3]), high23 = _mm512_unpackhi_epi32(rows[2], rows[3]);
    out[0] = _mm512_unpacklo_epi64(low01, low23);
    out[1] = _mm512_unpackhi_epi64(low01, low23);
    out[2] = _mm512_unpacklo_epi64(high01, high23);
    out[3] = _mm512_unpackhi_epi64(high01, high23);
}

/* Four rows of one column, by quad of rows and number of the column. */
IP_INLINE void columns_store(int32_t *out, const size_t height, size_t quad, size_t column, __m128i four) {
    _mm_storeu_si128((__m128i *)(void *)(out + column * height + 4 * quad), four);
}

/* The four parts of a register of columns_quad to columns `column`, column + step, ... of out. */
IP_INLINE void columns_put_parts(int32_t *out, const size_t height, size_t quad, __m512i four, size_t column,
                                 size_t step) {
    columns_store(out, height, quad, column, _mm512_castsi512_si128(four));
    columns_store(out, height, quad, column + step, _mm512_extracti32x4_epi32(four, 1));
    columns_store(out, height, quad, column + 2 * step, _mm512_extracti32x4_epi32(four, 2));
    columns_store(out, height, quad, column + 3 * step, _mm512_extracti32x4_epi32(four, 3));
}

/* out[16][height] from rows[height], 16 dwords each. */
IP_INLINE void columns_put(int32_t *out, const size_t height, const __m512i *rows) {
    IP_UNROLL for (size_t quad = 0; quad < height / 4; quad++) {
        __m512i four[4];
        columns_quad(four, rows + 4 * quad);
        IP_UNROLL for (size_t j = 0; j < 4; j++) columns_put_parts(out, height, quad, four[j], j, 4);
    }
}

#endif

/* int8 products with VNNI: vpdpbusd, unsigned times signed, four k per lane.
 *
 * Weights lie as code + 128 in [k / 4][16 outputs][4] u8; activations stay signed, [k / 4][12 rows][4]. What the offset
 * adds to a sum, 128 * sum of q, is taken off beforehand: the accumulators start at ip_act.extra. In between a sum
 * stays within 32 * 255 * 127 + 32 * 128 * 127 < 2^21. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx512/quantise.h"
#include "arch/avx512/tile.h"
#include "arch/avx512/vec.h"

#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX512_TILE, CODE_STEP = 1, ACT_STEP = 1 };

void ip_pack_int8_avx512_vnni(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    uint32_t *out = panel;
    for (size_t j = 0; j < k; j += 4) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            uint32_t four = 0;
            if (lane < count) memcpy(&four, codes + lane * stride + j, sizeof four);
            out[j / 4 * IP_LANES + lane] = four ^ 0x80808080u; /* code + 128 as u8 */
        }
    }
}

/* A row's 32 codes are eight dwords, in order: part 0 of a register the first half, part 1 the second. */
IP_INLINE void put_fours(void *codes, const __m512i q0[IP_AVX512_TILE], const __m512i q1[IP_AVX512_TILE],
                         __m512i sum[2]) {
    const __m256i ones = _mm256_set1_epi8(1);
    sum[0] = sum[1] = _mm512_setzero_si512();
    IP_UNROLL for (size_t quad = 0; quad < QUADS; quad++) {
        __m512i rows[4], four[4];
        IP_UNROLL for (size_t t = 0; t < 4; t++) {
            __m128i half0 = _mm512_cvtepi32_epi8(q0[4 * quad + t]), half1 = _mm512_cvtepi32_epi8(q1[4 * quad + t]);
            rows[t] = _mm512_castsi256_si512(_mm256_inserti128_si256(_mm256_castsi128_si256(half0), half1, 1));
        }
        columns_quad(four, rows);
        __m256i all = _mm256_setzero_si256();
        IP_UNROLL for (size_t j = 0; j < 4; j++) {
            __m256i column = _mm512_castsi512_si256(four[j]);
            columns_store(codes, IP_AVX512_TILE, quad, j, _mm256_castsi256_si128(column));
            columns_store(codes, IP_AVX512_TILE, quad, 4 + j, _mm256_extracti128_si256(column, 1));
            all = _mm256_dpbusd_epi32(all, ones, column);
        }
        const __mmask16 lanes = (__mmask16)(0xfu << (4 * quad));
        sum[0] = _mm512_mask_broadcast_i32x4(sum[0], lanes, _mm256_castsi256_si128(all));
        sum[1] = _mm512_mask_broadcast_i32x4(sum[1], lanes, _mm256_extracti128_si256(all, 1));
    }
}

int ip_act_int8_avx512_vnni(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, false, true, IP_GROUP * IP_AVX512_TILE, put_fours);
}

/* One panel block times one group of rows, groups of `group` inputs. */
IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    const unsigned char *codes = tile->codes;
    const int32_t *x = (const int32_t *)(const void *)tile->x;
    const int32_t *start = tile->extra + (group == IP_GROUP ? 2 * IP_AVX512_TILE : 0);
    const float *wscale = tile->wscale, *wmin = tile->wmin, *xscale = tile->xscale, *xsum = tile->xsum;
    __m512 acc[IP_AVX512_TILE];
    tile_begin(acc, tile);
    for (size_t g = 0; g < tile->groups; g++) {
        __m512i sum[IP_AVX512_TILE];
        IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) sum[t] = _mm512_set1_epi32(start[t]);
        IP_KEEP_LOOP for (size_t k = 0; k < group / 4; k++) {
            __m512i weights = _mm512_loadu_si512(codes + k * 64);
            IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
                sum[t] = _mm512_dpbusd_epi32(sum[t], weights, _mm512_set1_epi32(x[k * IP_AVX512_TILE + t]));
                IP_PIN(sum[t]);
            }
        }
        tile_scale(acc, sum, wscale, xscale, has_min ? wmin : NULL, xsum, false);
        codes += group * IP_LANES;
        x += group / 4 * IP_AVX512_TILE;
        wscale += IP_LANES;
        if (has_min) wmin += IP_LANES;
        xsum += IP_AVX512_TILE;
        bool whole = group == IP_GROUP || g % 2 == 1; /* the end of 32 inputs: their scale, and all three of extra */
        xscale += whole ? IP_AVX512_TILE : 0;
        start += group == IP_GROUP ? 3 * IP_AVX512_TILE : whole ? 2 * IP_AVX512_TILE : IP_AVX512_TILE;
    }
    tile_end(tile, acc);
}

#include "arch/generic/walk.inc.h"

void ip_gemm_int8_avx512_vnni(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

/* Integer products on pairs: int16 x int16 -> int32. Included by a file that defines DOT16(sum, w, x):
 * sum + w[0] * x[0] + w[1] * x[1] per 32-bit lane, and PIN_SUM(sum), which is IP_PIN or nothing, and
 * EXACT_SCALES: whether all scales of activations that come are powers of two.
 *
 * A panel is [k / 2][16 outputs][2] int16, a group of activations [k / 2][12 rows][2] int16. Per pair of k one load of
 * weights and twelve multiplies with an embedded broadcast; nothing is shuffled. A lane's sum stays below
 * 32 * 128 * 16319 < 2^27. */

/* One panel block times one group of rows, groups of `group` inputs. */
IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    const int16_t *codes = (const int16_t *)(const void *)tile->codes;
    const int32_t *x = (const int32_t *)(const void *)tile->x;
    const float *wscale = tile->wscale, *wmin = tile->wmin, *xscale = tile->xscale, *xsum = tile->xsum;
    __m512 acc[IP_AVX512_TILE];
    tile_begin(acc, tile);
    for (size_t g = 0; g < tile->groups; g++) {
        __m512i sum[IP_AVX512_TILE];
        IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) sum[t] = _mm512_setzero_si512();
        IP_KEEP_LOOP for (size_t k = 0; k < group / 2; k++) {
            __m512i weights = _mm512_loadu_si512(codes + k * 32);
            IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
                sum[t] = DOT16(sum[t], weights, _mm512_set1_epi32(x[k * IP_AVX512_TILE + t]));
                PIN_SUM(sum[t]);
            }
        }
        tile_scale(acc, sum, wscale, xscale, has_min ? wmin : NULL, xsum, EXACT_SCALES);
        codes += group * IP_LANES;
        x += group / 2 * IP_AVX512_TILE;
        wscale += IP_LANES;
        if (has_min) wmin += IP_LANES;
        xsum += IP_AVX512_TILE;
        if (group == IP_GROUP || g % 2 == 1) xscale += IP_AVX512_TILE;
    }
    tile_end(tile, acc);
}

#include "arch/generic/walk.inc.h"

/* What integer products of AVX-512 do around the integers: the float tile and the scales. */
#ifndef IP_ARCH_AVX512_TILE_H
#define IP_ARCH_AVX512_TILE_H

#include <string.h>

#include "arch/avx512/vec.h"
#include "arch/generic/tile.h"

IP_INLINE void tile_begin(__m512 acc[IP_AVX512_TILE], const int_tile *tile) {
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
        acc[t] = tile->first ? _mm512_setzero_ps() : _mm512_loadu_ps(tile->c + t * tile->ldc);
    }
}

IP_INLINE void tile_end(const int_tile *tile, const __m512 acc[IP_AVX512_TILE]) {
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) _mm512_storeu_ps(tile->c + t * tile->ldc, acc[t]);
}

/* The product of two scales, of which one (int16 activations) is a power of two: a sum of exponents, which takes an
 * execution port that the products leave free. */
IP_INLINE __m512 exact_scale(__m512 weight, const float *x) {
    int32_t bits;
    memcpy(&bits, x, sizeof bits);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(weight), _mm512_set1_epi32(bits)));
}

/* The sums of one group of inputs, scaled into the tile; wmin is NULL where the weights have none. exact: scales of x
 * are powers of two. */
IP_INLINE void tile_scale(__m512 acc[IP_AVX512_TILE], const __m512i sum[IP_AVX512_TILE], const float *wscale,
                          const float *xscale, const float *wmin, const float *xsum, const bool exact) {
    __m512 scale = _mm512_loadu_ps(wscale);
    if (exact) /* less the bias that both exponents have */
        scale = _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(scale), _mm512_set1_epi32(127 << 23)));
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
        __m512 product = exact ? exact_scale(scale, xscale + t) : _mm512_mul_ps(scale, _mm512_set1_ps(xscale[t]));
        acc[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[t]), product, acc[t]);
        IP_PIN(acc[t]);
    }
    if (!wmin) return;
    __m512 min = _mm512_loadu_ps(wmin);
    IP_UNROLL for (size_t t = 0; t < IP_AVX512_TILE; t++) {
        acc[t] = _mm512_fmadd_ps(min, _mm512_set1_ps(xsum[t]), acc[t]);
        IP_PIN(acc[t]);
    }
}

#endif

/* What integer products of AVX2 do around the integers: the float tile, in L1, and the scales. */
#ifndef IP_ARCH_AVX2_SCALE_H
#define IP_ARCH_AVX2_SCALE_H

#include "arch/avx2/vec.h"

#include "arch/generic/tile.h"

typedef struct scaled {
    float acc[IP_AVX2_TILE * IP_LANES];
    const float *wscale, *wmin, *xscale, *xsum;
} scaled;

IP_INLINE void scaled_begin(scaled *s, const int_tile *tile) {
    s->wscale = tile->wscale;
    s->wmin = tile->wmin;
    s->xscale = tile->xscale;
    s->xsum = tile->xsum;
    IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++)
        vf_store(s->acc + t * IP_LANES, tile->first ? vf_set(0.0f) : vf_load(tile->c + t * tile->ldc));
}

/* The sums of one group of inputs, two registers per row. */
IP_INLINE void scaled_add(scaled *s, const __m256i sum[2 * IP_AVX2_TILE], const bool has_min) {
    const float *xscale = s->xscale, *xsum = s->xsum;
    v16f scale = vf_load(s->wscale), min = has_min ? vf_load(s->wmin) : vf_set(0.0f);
    IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
        v16f i = {_mm256_cvtepi32_ps(sum[2 * t]), _mm256_cvtepi32_ps(sum[2 * t + 1])};
        v16f v = vf_fma(i, vf_mul(scale, vf_set(xscale[t])), vf_load(s->acc + t * IP_LANES));
        if (has_min) v = vf_fma(min, vf_set(xsum[t]), v);
        vf_store(s->acc + t * IP_LANES, v);
    }
}

/* On to the next group after group g. */
IP_INLINE void scaled_next(scaled *s, size_t g, const size_t group, const bool has_min) {
    s->wscale += IP_LANES;
    if (has_min) s->wmin += IP_LANES;
    s->xsum += IP_AVX2_TILE;
    if (group == IP_GROUP || g % 2 == 1) s->xscale += IP_AVX2_TILE;
}

IP_INLINE void scaled_end(const scaled *s, const int_tile *tile) {
    IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++)
        vf_store(tile->c + t * tile->ldc, vf_load(s->acc + t * IP_LANES));
}

#endif

/* The part of an integer product that all NEON variants share: group by group the integer sums, then their floats.
 * The including file defines group_sums, which fills sum[4 rows][4 registers of outputs] for one group of inputs, and
 * what walk.inc.h asks for. */
#include "arch/generic/tile.h"

IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    const size_t rows = ROWS_OF_CODES;
    const unsigned char *codes = tile->codes, *x = tile->x;
    const float *wscale = tile->wscale, *wmin = tile->wmin, *xscale = tile->xscale, *xsum = tile->xsum;
    float acc[ROWS_OF_CODES * IP_LANES] = {0};
    for (size_t t = 0; t < rows && !tile->first; t++) vf_store(acc + t * IP_LANES, vf_load(tile->c + t * tile->ldc));
    for (size_t g = 0; g < tile->groups; g++) {
        int32x4_t sum[4 * ROWS_OF_CODES];
        group_sums(sum, codes, x, group);
        v16f scale = vf_load(wscale);
        IP_UNROLL for (size_t t = 0; t < ROWS_OF_CODES; t++) {
            v16f i = {vcvtq_f32_s32(sum[4 * t]), vcvtq_f32_s32(sum[4 * t + 1]), vcvtq_f32_s32(sum[4 * t + 2]),
                      vcvtq_f32_s32(sum[4 * t + 3])};
            v16f v = vf_fma(i, vf_mul(scale, vf_set(xscale[t])), vf_load(acc + t * IP_LANES));
            if (has_min) v = vf_fma(vf_load(wmin), vf_set(xsum[t]), v);
            vf_store(acc + t * IP_LANES, v);
        }
        codes += group * IP_LANES * CODE_STEP;
        x += group * rows * ACT_STEP;
        wscale += IP_LANES;
        if (has_min) wmin += IP_LANES;
        xsum += rows;
        if (group == IP_GROUP || g % 2 == 1) xscale += rows;
    }
    for (size_t t = 0; t < rows; t++) vf_store(tile->c + t * tile->ldc, vf_load(acc + t * IP_LANES));
}

#include "arch/generic/walk.inc.h"

/* int8 products with VNNI: vpdpbusd, unsigned times signed, four k per lane, added in 32 bits without saturation.
 * Included by a file that defines DOT8(sum, w, x), the instruction in one of its two encodings, and VNNI(kernel), the
 * kernel's full name.
 *
 * Weights lie as code + 128 in [k / 4][16 outputs][4] u8; activations stay signed. What the offset adds to a sum, 128 *
 * sum of q, is taken off beforehand: the accumulators start at -128 * sum of q. In between a sum stays within
 * 32 * 255 * 127 + 32 * 128 * 127 < 2^21. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx2/fours.h"
#include "arch/avx2/scale.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX2_TILE, CODE_STEP = 1, ACT_STEP = 2, OFFSET = 128 };

#include "arch/generic/quantise.inc.h"

void VNNI(pack_int8)(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    unsigned char *out = panel;
    for (size_t j = 0; j < k; j += 4) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            uint32_t four = 0;
            if (lane < count) memcpy(&four, codes + lane * stride + j, sizeof four);
            four ^= 0x80808080u; /* code + 128 as u8 */
            memcpy(out + (j * IP_LANES + lane * 4), &four, sizeof four);
        }
    }
}

/* Activations of 32 inputs. */
typedef struct act_block {
    fours_block fours;
    unsigned char rest[120];
} act_block;

_Static_assert(sizeof(act_block) == IP_GROUP * IP_AVX2_TILE * ACT_STEP, "a block of activations");

IP_INLINE void put_fours(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    act_block *block = (act_block *)(void *)group + g16 / 2;
    fours_put(&block->fours, t, g16 % 2, q, -OFFSET);
}

int VNNI(act_int8)(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int8, put_fours);
}

/* One panel block times one group of rows, groups of `group` inputs. */
IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    const unsigned char *codes = tile->codes;
    const act_block *block = (const act_block *)(const void *)tile->x;
    scaled s;
    scaled_begin(&s, tile);
    for (size_t g = 0; g < tile->groups; g++) {
        const size_t half = group == IP_GROUP ? 0 : g % 2;
        const int32_t *x = (const int32_t *)(const void *)block->fours.codes[half * (IP_LANES / 4)];
        const int32_t *start = block->fours.sums[group == IP_GROUP ? 2 : half];
        __m256i sum[2 * IP_AVX2_TILE];
        IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) sum[2 * t] = sum[2 * t + 1] = _mm256_set1_epi32(start[t]);
        IP_KEEP_LOOP for (size_t k = 0; k < group / 4; k++) {
            __m256i w0 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 64));
            __m256i w1 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 64 + 32));
            IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
                __m256i four = _mm256_set1_epi32(x[k * IP_AVX2_TILE + t]);
                sum[2 * t] = DOT8(sum[2 * t], w0, four);
                sum[2 * t + 1] = DOT8(sum[2 * t + 1], w1, four);
                IP_PIN(sum[2 * t]);
                IP_PIN(sum[2 * t + 1]);
            }
        }
        scaled_add(&s, sum, has_min);
        scaled_next(&s, g, group, has_min);
        codes += group * IP_LANES;
        if (group == IP_GROUP || half == 1) block++;
    }
    scaled_end(&s, tile);
}

#include "arch/generic/walk.inc.h"

void VNNI(gemm_int8)(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

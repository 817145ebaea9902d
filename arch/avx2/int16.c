/* int16 products of AVX2. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx2/pairs.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX2_TILE, CODE_STEP = 2, ACT_STEP = 2 };

#include "arch/generic/pairs.inc.h"
#include "arch/generic/quantise.inc.h"

IP_INLINE void put_pairs(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    int32_t *out = (int32_t *)(void *)group + g16 * (IP_LANES / 2) * ROWS_OF_CODES + t;
    for (size_t i = 0; i < IP_LANES / 2; i++) {
        int32_t pair;
        memcpy(&pair, q + 2 * i, sizeof pair);
        out[i * ROWS_OF_CODES] = pair;
    }
}

IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    pairs_tile(tile, (const int16_t *)(const void *)tile->codes, (const int32_t *)(const void *)tile->x, group,
               has_min);
}

#include "arch/generic/walk.inc.h"

void ip_pack_int16_avx2(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_pairs(panel, codes, stride, count, k);
}

int ip_act_int16_avx2(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int16, put_pairs);
}

void ip_gemm_int16_avx2(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

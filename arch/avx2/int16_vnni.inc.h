/* int16 products with VNNI: vpdpwssd multiplies pairs and adds in one instruction. Packing is that of int16.c.
 * Included by a file that defines DOT16(sum, w, x), the instruction in one of its two encodings, and VNNI(kernel), the
 * kernel's full name. */
#include <stdbool.h>

#include "arch/avx2/pairs.h"

#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX2_TILE, CODE_STEP = 2, ACT_STEP = 2 };

IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    pairs_tile(tile, (const int16_t *)(const void *)tile->codes, (const int32_t *)(const void *)tile->x, group,
               has_min);
}

#include "arch/generic/walk.inc.h"

void VNNI(gemm_int16)(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

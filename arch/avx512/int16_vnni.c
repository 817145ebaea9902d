/* int16 products with VNNI: vpdpwssd multiplies pairs and adds in one instruction. Packing is that of int_base.c. */
#include <stdbool.h>

#include "arch/avx512/tile.h"
#include "arch/avx512/vec.h"

#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX512_TILE, CODE_STEP = 2, ACT_STEP = 2 };

#define DOT16(sum, w, x) _mm512_dpwssd_epi32(sum, w, x)
#define PIN_SUM(sum)     IP_PIN(sum)
#define EXACT_SCALES     true
#include "arch/avx512/int16.inc.h"

void ip_gemm_int16_avx512_vnni(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

/* Integer products of AVX-512 without VNNI: vpmaddwd and an add, on 16-bit codes. int8 activations go the same way,
 * stored wide: sixteen multiply-adds per instruction either way. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx512/tile.h"
#include "arch/avx512/vec.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

enum { ROWS_OF_CODES = IP_AVX512_TILE, CODE_STEP = 2, ACT_STEP = 2 };

#include "arch/avx512/pairs.h"
#include "arch/generic/pairs.inc.h"

#define DOT16(sum, w, x) _mm512_add_epi32(sum, _mm512_madd_epi16(w, x))
/* Pinned, every add would stand right behind its multiply: a sixth slower. */
#define PIN_SUM(sum) (void)0
#define EXACT_SCALES false
#include "arch/avx512/int16.inc.h"

void ip_pack_int16_avx512(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_pairs(panel, codes, stride, count, k);
}

void ip_pack_int8_avx512(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_pairs(panel, codes, stride, count, k);
}

int ip_act_int16_avx512(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, true, false, PAIRS_BLOCK, put_pairs);
}

int ip_act_int8_avx512(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, false, false, PAIRS_BLOCK, put_pairs);
}

void ip_gemm_int16_avx512(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

void ip_gemm_int8_avx512(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

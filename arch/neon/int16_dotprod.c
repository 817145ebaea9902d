/* int16 products on machines with dotprod: activations are two planes of signed bytes. */
#include <stdbool.h>
#include <string.h>

#include "arch/neon/vec.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

enum { ACT_STEP = 2 };

#include "arch/neon/dotprod.inc.h"

void ip_pack_int16_neon_dotprod(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_blocks(panel, codes, stride, count, k);
}

int ip_act_int16_neon_dotprod(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int16, put_two_planes);
}

void ip_gemm_int16_neon_dotprod(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels,
                                const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

/* arch/avx2's int16 products with VNNI, the instruction in EVEX encoding. */
#include "tests/kernels/evex.h"

#include "arch/avx2/vec.h"

IP_INLINE __m256i dot16(__m256i sum, __m256i w, __m256i x) {
    __asm__("%{evex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(w), "x"(x));
    return sum;
}

#define DOT16 dot16
#define VNNI  EVEX
#include "arch/avx2/int16_vnni.inc.h"

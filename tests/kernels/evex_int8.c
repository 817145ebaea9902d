/* arch/avx2's int8 products with VNNI, the instruction in EVEX encoding. */
#include "tests/kernels/evex.h"

#include "arch/avx2/vec.h"

/* w unsigned, x signed: the order of the operands in assembler text is the reverse. */
IP_INLINE __m256i dot8(__m256i sum, __m256i w, __m256i x) {
    __asm__("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(w), "x"(x));
    return sum;
}

#define DOT8 dot8
#define VNNI EVEX
#include "arch/avx2/int8_vnni.inc.h"

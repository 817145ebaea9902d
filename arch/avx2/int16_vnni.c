/* int16 products with AVX-VNNI. */
#define DOT16(sum, w, x) _mm256_dpwssd_avx_epi32(sum, w, x)
#define VNNI(kernel)     ip_##kernel##_avx2_vnni
#include "arch/avx2/int16_vnni.inc.h"

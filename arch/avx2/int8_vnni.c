/* int8 products with AVX-VNNI. */
#define DOT8(sum, w, x) _mm256_dpbusd_avx_epi32(sum, w, x)
#define VNNI(kernel)    ip_##kernel##_avx2_vnni
#include "arch/avx2/int8_vnni.inc.h"

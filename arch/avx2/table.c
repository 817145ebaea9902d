/* The dispatch table of AVX2. Baseline code. */
#include "arch/avx2/avx2.h"
#include "arch/isa.h"

static const ip_kernels table = {
    .name = "avx2",
    .tile = {IP_AVX2_TILE, IP_AVX2_TILE, IP_AVX2_TILE, IP_AVX2_TILE},
    .act_bytes = {4, 4, 2, 4},
    .weight_bytes = {4, 2, 2, 2},
    .head_bytes = {0, 0, 0, IP_AVX2_HEAD},
#define IP_KERNEL(type, kernel, arguments) .kernel = ip_##kernel##_avx2,
#include "arch/kernels.def"
#undef IP_KERNEL
};

const ip_kernels *ip_table_avx2(unsigned features) {
    (void)features;
    return &table;
}

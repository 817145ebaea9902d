/* The dispatch tables of AVX-512, one for each set of optional features. Baseline code. */
#include <pthread.h>

#include "arch/avx512/avx512.h"
#include "arch/isa.h"

static const ip_kernels base = {
    .name = "avx512,-vnni,-bf16",
    .tile = {IP_AVX512_TILE, IP_AVX512_TILE, IP_AVX512_TILE, IP_AVX512_TILE},
    .act_bytes = {4, 4, 2, 2},
    .weight_bytes = {4, 2, 2, 2},
#define IP_KERNEL(type, kernel, arguments) .kernel = ip_##kernel##_avx512,
#include "arch/kernels.def"
#undef IP_KERNEL
};

static ip_kernels tables[4];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void) {
    static const char *const names[4] = {"avx512,-vnni,-bf16", "avx512,-bf16", "avx512,-vnni", "avx512"};
    for (unsigned features = 0; features < 4; features++) {
        ip_kernels *table = &tables[features];
        *table = base;
        table->name = names[features];
        if (features & IP_AVX512_VNNI) {
            table->gemm_int16 = ip_gemm_int16_avx512_vnni;
            table->pack_int8 = ip_pack_int8_avx512_vnni;
            table->act_int8 = ip_act_int8_avx512_vnni;
            table->gemm_int8 = ip_gemm_int8_avx512_vnni;
            table->act_bytes[IP_ARITH_INT8] = table->weight_bytes[IP_ARITH_INT8] = 1;
        }
        if (features & IP_AVX512_BF16) {
            table->pack_bf16 = ip_pack_bf16_avx512_bf16;
            table->act_bf16 = ip_act_bf16_avx512_bf16;
            table->gemm_bf16 = ip_gemm_bf16_avx512_bf16;
            table->act_bytes[IP_ARITH_BF16] = 2;
        }
    }
}

const ip_kernels *ip_table_avx512(unsigned features) {
    pthread_once(&once, build);
    return &tables[features & 3];
}

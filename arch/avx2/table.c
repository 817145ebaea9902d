/* The dispatch tables of AVX2, with and without VNNI. Baseline code. */
#include <pthread.h>

#include "arch/avx2/avx2.h"
#include "arch/isa.h"

static const ip_kernels base = {
    .name = "avx2,-vnni",
    .tile = {IP_AVX2_TILE, IP_AVX2_TILE, IP_AVX2_TILE, IP_AVX2_TILE},
    .act_bytes = {4, 4, 2, 4},
    .weight_bytes = {4, 2, 2, 2},
    .head_bytes = {0, 0, 0, IP_AVX2_HEAD},
#define IP_KERNEL(type, kernel, arguments) .kernel = ip_##kernel##_avx2,
#include "arch/kernels.def"
#undef IP_KERNEL
};

static ip_kernels vnni;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void) {
    vnni = base;
    vnni.name = "avx2";
    vnni.gemm_int16 = ip_gemm_int16_avx2_vnni;
    vnni.pack_int8 = ip_pack_int8_avx2_vnni;
    vnni.act_int8 = ip_act_int8_avx2_vnni;
    vnni.gemm_int8 = ip_gemm_int8_avx2_vnni;
    vnni.act_bytes[IP_ARITH_INT8] = 2;
    vnni.weight_bytes[IP_ARITH_INT8] = 1;
    vnni.head_bytes[IP_ARITH_INT8] = 0;
}

const ip_kernels *ip_table_avx2(unsigned features) {
    pthread_once(&once, build);
    return features & IP_AVX2_VNNI ? &vnni : &base;
}

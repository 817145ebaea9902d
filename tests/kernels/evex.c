/* The table of evex.h: that of AVX2 with VNNI, its VNNI kernels exchanged. Baseline code. */
#include "tests/kernels/evex.h"

#include "arch/isa.h"

#if defined(__x86_64__)

const ip_kernels *evex_table(const char **why) {
    static ip_kernels table;
    ip_probe probe;
    ip_cpu_probe(IP_ISA_avx512, &probe);
    *why = "AVX2's VNNI kernels in EVEX encoding, in this checker only";
    if (!probe.usable || !(probe.features & IP_AVX512_VNNI)) {
        *why = "no AVX-512 with VNNI, in whose encoding this checker holds AVX2's VNNI kernels";
        return NULL;
    }
    table = *ip_table_avx2(IP_AVX2_VNNI);
    table.name = EVEX_NAME;
    table.gemm_int16 = EVEX(gemm_int16);
    table.pack_int8 = EVEX(pack_int8);
    table.act_int8 = EVEX(act_int8);
    table.gemm_int8 = EVEX(gemm_int8);
    return &table;
}

#else

const ip_kernels *evex_table(const char **why) {
    *why = NULL;
    return NULL;
}

#endif

/* Peaks: loops of independent accumulators in registers, in assembler text, so that no instruction-set header is
 * needed here and the compiler has no say. The caller has made sure that the machine can run the table. */
#include "tests/kernels/peak.h"

#include <stddef.h>
#include <string.h>

#include "tests/kernels/evex.h"

/* Twelve accumulators and two operands: enough to hide any latency, and register numbers that every file may name. */
#define TWELVE(one) one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11)

#if defined(__x86_64__)
#define CLOBBERS                                                                                                       \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13"
#define AFTER        "vzeroupper\n\t"
#define ZMM(text, i) text " %%zmm12, %%zmm13, %%zmm" #i "\n\t"
#define FMA_ZMM(i)   ZMM("vfmadd231ps", i)
#define BF16_ZMM(i)  ZMM("vdpbf16ps", i)
#define WORDS_ZMM(i) ZMM("vpdpwssd", i)
#define BYTES_ZMM(i) ZMM("vpdpbusd", i)
/* Multiply and add are independent here, which a product cannot do better: only the instructions count. */
#define PAIRS_ZMM(i) "vpmaddwd %%zmm12, %%zmm13, %%zmm14\n\tvpaddd %%zmm12, %%zmm" #i ", %%zmm" #i "\n\t"
#define FMA_YMM(i)   "vfmadd231ps %%ymm12, %%ymm13, %%ymm" #i "\n\t"
#define PAIRS_YMM(i) "vpmaddwd %%ymm12, %%ymm13, %%ymm14\n\tvpaddd %%ymm12, %%ymm" #i ", %%ymm" #i "\n\t"
#define BYTES_YMM(i) "vpmaddubsw %%ymm12, %%ymm13, %%ymm" #i "\n\t"
#define YMM(text, i) text " %%ymm12, %%ymm13, %%ymm" #i "\n\t"
/* The same instructions of AVX-VNNI and of AVX-512. */
#define WORDS_VEX(i)  YMM("%{vex%} vpdpwssd", i)
#define WORDS_EVEX(i) YMM("%{evex%} vpdpwssd", i)
#define FOURS_VEX(i)  YMM("%{vex%} vpdpbusd", i)
#define FOURS_EVEX(i) YMM("%{evex%} vpdpbusd", i)
#define ZERO(i)       "vxorps %%xmm" #i ", %%xmm" #i ", %%xmm" #i "\n\t"
#define LOOP(name, one)                                                                                                \
    static void name(size_t steps) {                                                                                   \
        __asm__ volatile(TWELVE(ZERO) ZERO(12) ZERO(13) "1:\n\t" TWELVE(one) "dec %0\n\tjnz 1b\n\t" AFTER              \
                         : "+r"(steps)                                                                                 \
                         :                                                                                             \
                         : CLOBBERS, "xmm14", "cc");                                                                   \
    }
LOOP(loop_fma_zmm, FMA_ZMM)
LOOP(loop_bf16_zmm, BF16_ZMM)
LOOP(loop_words_zmm, WORDS_ZMM)
LOOP(loop_bytes_zmm, BYTES_ZMM)
LOOP(loop_pairs_zmm, PAIRS_ZMM)
LOOP(loop_fma_ymm, FMA_YMM)
LOOP(loop_pairs_ymm, PAIRS_YMM)
LOOP(loop_bytes_ymm, BYTES_YMM)
LOOP(loop_words_vex, WORDS_VEX)
LOOP(loop_words_evex, WORDS_EVEX)
LOOP(loop_fours_vex, FOURS_VEX)
LOOP(loop_fours_evex, FOURS_EVEX)
#elif defined(__aarch64__)
#define CLOBBERS  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13"
#define FMLA(i)   "fmla v" #i ".4s, v12.4s, v13.4s\n\t"
#define SMLAL(i)  "smlal v" #i ".4s, v12.4h, v13.4h\n\t"
#define SDOT(i)   "sdot v" #i ".4s, v12.16b, v13.16b\n\t"
#define SMMLA(i)  "smmla v" #i ".4s, v12.16b, v13.16b\n\t"
#define BFMMLA(i) "bfmmla v" #i ".4s, v12.8h, v13.8h\n\t"
#define ZERO(i)   "movi v" #i ".4s, #0\n\t"
#define LOOP(name, one)                                                                                                \
    static void name(size_t steps) {                                                                                   \
        __asm__ volatile(".arch armv8.2-a+dotprod+i8mm+bf16\n\t" TWELVE(ZERO) ZERO(12)                                 \
                             ZERO(13) "1:\n\t" TWELVE(one) "subs %0, %0, #1\n\tb.ne 1b\n\t"                            \
                         : "+r"(steps)                                                                                 \
                         :                                                                                             \
                         : CLOBBERS, "cc");                                                                            \
    }
LOOP(loop_fmla, FMLA)
LOOP(loop_smlal, SMLAL)
LOOP(loop_sdot, SDOT)
LOOP(loop_smmla, SMMLA)
LOOP(loop_bfmmla, BFMMLA)
#endif

enum { PEAK_STEPS = 20000 };

typedef struct loop {
    void (*run)(size_t steps);
    double macs; /* of one instruction (one pair of them, where two make a step) */
} loop;

static loop loop_of(const ip_kernels *kernels, ip_arith arith) {
    const char *name = kernels->name;
#if defined(__x86_64__)
    int wide = strncmp(name, "avx512", 6) == 0, vnni = !strstr(name, "-vnni"), bf16 = !strstr(name, "-bf16");
    if (strncmp(name, "avx2", 4) == 0) {
        if (arith == IP_ARITH_F32 || arith == IP_ARITH_BF16) return (loop){loop_fma_ymm, 8};
        int evex = strcmp(name, EVEX_NAME) == 0;
        if (vnni && arith == IP_ARITH_INT16) return (loop){evex ? loop_words_evex : loop_words_vex, 16};
        if (vnni) return (loop){evex ? loop_fours_evex : loop_fours_vex, 32};
        return arith == IP_ARITH_INT16 ? (loop){loop_pairs_ymm, 16} : (loop){loop_bytes_ymm, 32};
    }
    if (!wide) return (loop){NULL, 0};
    if (arith == IP_ARITH_F32 || (arith == IP_ARITH_BF16 && !bf16)) return (loop){loop_fma_zmm, 16};
    if (arith == IP_ARITH_BF16) return (loop){loop_bf16_zmm, 32};
    if (!vnni) return (loop){loop_pairs_zmm, 32};
    return arith == IP_ARITH_INT16 ? (loop){loop_words_zmm, 32} : (loop){loop_bytes_zmm, 64};
#elif defined(__aarch64__)
    if (strncmp(name, "neon", 4) != 0) return (loop){NULL, 0};
    if (arith == IP_ARITH_BF16 && !strstr(name, "-bf16")) return (loop){loop_bfmmla, 16};
    if (arith == IP_ARITH_F32 || arith == IP_ARITH_BF16) return (loop){loop_fmla, 4};
    double planes = arith == IP_ARITH_INT16 ? 2 : 1;
    if (!strstr(name, "-i8mm")) return (loop){loop_smmla, 32 / planes};
    return strstr(name, "-dotprod") ? (loop){loop_smlal, 4} : (loop){loop_sdot, 16 / planes};
#else
    (void)name;
    (void)arith;
    return (loop){NULL, 0};
#endif
}

double peak_macs(const ip_kernels *kernels, ip_arith arith) { return 12.0 * PEAK_STEPS * loop_of(kernels, arith).macs; }

void peak_run(const ip_kernels *kernels, ip_arith arith) { loop_of(kernels, arith).run(PEAK_STEPS); }

/* One addition waits for the one before; a register is added, since newer cores do away with constants. */
#define EIGHT(one) one one one one one one one one
#if defined(__x86_64__)
#define ADD "add %1, %0\n\t"
#else
#define ADD "add %0, %0, %1\n\t"
#endif

void peak_chain(size_t adds) {
    size_t x = 0, y = 1;
    for (size_t i = 0; i < adds; i += 64) __asm__ volatile(EIGHT(EIGHT(ADD)) : "+r"(x) : "r"(y));
}

/* What an x86-64 machine can run: CPUID says what the CPU has, XCR0 which registers the operating system saves. */
#include "arch/dispatch.h"
#include "arch/isa.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { XCR0_YMM = 0x6, XCR0_ZMM = 0xe6 }; /* SSE and AVX; further opmask, upper halves, upper sixteen */

typedef struct cpu {
    bool fma, f16c, avx, avx2, avx_vnni, f, dq, bw, vl, vnni, bf16;
    uint32_t xcr0; /* 0 when the system does not use XSAVE */
} cpu;

static uint32_t read_xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static cpu detect(void) {
    cpu c = {0};
    unsigned a, b, cx, d;
    if (!__get_cpuid(1, &a, &b, &cx, &d)) return c;
    c.fma = cx >> 12 & 1;
    c.avx = cx >> 28 & 1;
    c.f16c = cx >> 29 & 1;
    if (cx >> 27 & 1) c.xcr0 = read_xcr0();
    if (!__get_cpuid_count(7, 0, &a, &b, &cx, &d)) return c;
    unsigned subleaves = a;
    c.avx2 = b >> 5 & 1;
    c.f = b >> 16 & 1;
    c.dq = b >> 17 & 1;
    c.bw = b >> 30 & 1;
    c.vl = b >> 31 & 1;
    c.vnni = cx >> 11 & 1;
    if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &cx, &d)) {
        c.avx_vnni = a >> 4 & 1;
        c.bf16 = a >> 5 & 1;
    }
    return c;
}

/* The first thing that is missing, or NULL. */
static const char *missing_avx2(const cpu *c) {
    if (!c->avx || !c->avx2) return "the CPU has no AVX2 (Intel and AMD have it since 2013 to 2015)";
    if (!c->fma) return "the CPU has no FMA (Intel and AMD have it since 2013)";
    if (!c->f16c) return "the CPU has no F16C";
    if ((c->xcr0 & XCR0_YMM) != XCR0_YMM) return "the operating system does not save the AVX registers";
    return NULL;
}

static const char *missing_avx512(const cpu *c) {
    if (missing_avx2(c)) return missing_avx2(c);
    if (!c->f) return "the CPU has no AVX-512";
    if (!c->bw || !c->vl || !c->dq) return "the CPU's AVX-512 has no BW, VL or DQ";
    if ((c->xcr0 & XCR0_ZMM) != XCR0_ZMM) return "the operating system does not save the AVX-512 registers";
    return NULL;
}

void ip_cpu_probe(ip_isa isa, ip_probe *out) {
    cpu c = detect();
    const char *missing = isa == IP_ISA_avx512 ? missing_avx512(&c) : missing_avx2(&c);
    *out = (ip_probe){.usable = !missing};
    const char *found = "AVX2, FMA, F16C";
    if (isa == IP_ISA_scalar) found = "plain C with the fused multiply-add that every result rests on";
    if (isa == IP_ISA_avx512) found = "AVX-512 F, BW, VL, DQ";
    snprintf(out->reason, sizeof out->reason, "%s", missing ? missing : found);
    if (missing) return;
    if (isa == IP_ISA_avx2) out->features = c.avx_vnni ? IP_AVX2_VNNI : 0;
    if (isa == IP_ISA_avx512) out->features = (c.vnni ? IP_AVX512_VNNI : 0) | (c.bf16 ? IP_AVX512_BF16 : 0);
}

void ip_arch_cpu_name(char *out, size_t n) {
    uint32_t brand[13] = {0};
    unsigned a, b, c, d;
    snprintf(out, n, "unknown");
    if (!__get_cpuid(0x80000000u, &a, &b, &c, &d) || a < 0x80000004u) return;
    for (unsigned i = 0; i < 3; i++) {
        __cpuid(0x80000002u + i, brand[4 * i], brand[4 * i + 1], brand[4 * i + 2], brand[4 * i + 3]);
    }
    char text[sizeof brand];
    memcpy(text, brand, sizeof text);
    char *first = text + strspn(text, " ");
    size_t length = strlen(first);
    while (length > 0 && first[length - 1] == ' ') length--;
    first[length] = 0;
    if (length > 0) snprintf(out, n, "%s", first);
    ip_make_printable(out);
}

#endif

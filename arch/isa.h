/* Inside arch/: the instruction sets as an enumeration, their tables, and what a probe says about one. */
#ifndef IP_ARCH_ISA_H
#define IP_ARCH_ISA_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/kernels.h"

#define IP_ANY 1
#if defined(__x86_64__)
#define IP_X86 1
#else
#define IP_X86 0
#endif
#if defined(__aarch64__)
#define IP_ARM64 1
#else
#define IP_ARM64 0
#endif

typedef enum ip_isa {
#define IP_ISA(name, has, ...) IP_ISA_##name,
#include "arch/isa.def"
#undef IP_ISA
    IP_ISAS
} ip_isa;

/* Feature bits, in the order of isa.def. */
enum { IP_AVX2_VNNI = 1 };
enum { IP_AVX512_VNNI = 1, IP_AVX512_BF16 = 2 };
enum { IP_NEON_DOTPROD = 1, IP_NEON_I8MM = 2, IP_NEON_BF16 = 4 };

/* What the CPU and the operating system offer: bits first, then OS state (a register file that is not saved on a
 * context switch must not be used). */
typedef struct ip_probe {
    bool usable;
    unsigned features; /* of the optional ones */
    char reason[160];
} ip_probe;

void ip_cpu_probe(ip_isa isa, ip_probe *out);

/* The table of an instruction set with exactly these optional features; named for what it leaves out. */
#define IP_ISA(name, has, ...) const ip_kernels *ip_table_##name(unsigned features);
#include "arch/isa.def"
#undef IP_ISA

#endif

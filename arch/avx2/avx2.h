/* What the files of AVX2 share: prototypes and the rows of activation groups.
 *
 * f32: six rows of two registers are twelve accumulators, two registers of weights and one broadcast, of sixteen.
 * Codes: the integer sums of a group of inputs take that place, and the float accumulators live in L1. */
#ifndef IP_ARCH_AVX2_AVX2_H
#define IP_ARCH_AVX2_AVX2_H

#include "arch/kernels.h"

enum { IP_AVX2_TILE = 6, IP_AVX2_HEAD = 64 /* bytes before the codes of an int8 panel */ };

#define IP_KERNEL(type, kernel, arguments) type ip_##kernel##_avx2 arguments;
#include "arch/kernels.def"
#undef IP_KERNEL

#endif

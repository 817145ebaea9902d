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

/* Kernels that need a feature more: they replace those of the same name in the table. */
void ip_gemm_int16_avx2_vnni(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_pack_int8_avx2_vnni(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
int ip_act_int8_avx2_vnni(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void ip_gemm_int8_avx2_vnni(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);

#endif

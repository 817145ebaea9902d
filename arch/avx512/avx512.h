/* What the files of AVX-512 share: prototypes and the rows of an activation group.
 *
 * Twelve rows: twelve integer and twelve float accumulators, a weight register, a scale and temporaries fill 32. */
#ifndef IP_ARCH_AVX512_AVX512_H
#define IP_ARCH_AVX512_AVX512_H

#include "arch/kernels.h"

enum { IP_AVX512_TILE = 12 };

#define IP_KERNEL(type, kernel, arguments) type ip_##kernel##_avx512 arguments;
#include "arch/kernels.def"
#undef IP_KERNEL

/* Kernels that need a feature more: they replace those of the same name in the table. */
void ip_gemm_int16_avx512_vnni(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_pack_int8_avx512_vnni(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
int ip_act_int8_avx512_vnni(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void ip_gemm_int8_avx512_vnni(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_pack_bf16_avx512_bf16(void *panel, const float *rows, size_t stride, size_t count, size_t k);
void ip_act_bf16_avx512_bf16(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void ip_gemm_bf16_avx512_bf16(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);

#endif

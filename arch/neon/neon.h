/* What the files of NEON share: prototypes and the rows of activation groups.
 *
 * f32: six rows of four registers are 24 accumulators, four registers of weights and the broadcasts, of 32.
 * bf16 with its matrix instruction: six rows in pairs of rows and outputs are 24 accumulators likewise.
 * Codes: four rows of four registers of integer sums; the float accumulators are reloaded once per group of inputs. */
#ifndef IP_ARCH_NEON_NEON_H
#define IP_ARCH_NEON_NEON_H

#include "arch/kernels.h"

enum { IP_NEON_F32_TILE = 6, IP_NEON_INT_TILE = 4, IP_NEON_BF16_TILE = 6, IP_NEON_BF16_STEP = 4 };

#define IP_KERNEL(type, kernel, arguments) type ip_##kernel##_neon arguments;
#include "arch/kernels.def"
#undef IP_KERNEL

/* Kernels that need a feature more: they replace those of the same name in the table. */
void ip_pack_int16_neon_dotprod(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
void ip_pack_int8_neon_dotprod(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
int ip_act_int16_neon_dotprod(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
int ip_act_int8_neon_dotprod(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void ip_gemm_int16_neon_dotprod(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_gemm_int8_neon_dotprod(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_pack_int16_neon_i8mm(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
void ip_pack_int8_neon_i8mm(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
int ip_act_int16_neon_i8mm(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
int ip_act_int8_neon_i8mm(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void ip_gemm_int16_neon_i8mm(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_gemm_int8_neon_i8mm(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void ip_pack_bf16_neon_bf16(void *panel, const float *rows, size_t stride, size_t count, size_t k);
void ip_act_bf16_neon_bf16(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void ip_gemm_bf16_neon_bf16(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);

#endif

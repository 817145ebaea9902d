/* AVX2's VNNI kernels in the encoding of AVX-512. Few machines have AVX-VNNI (vpdpbusd, vpdpwssd in VEX encoding), many
 * have the same instructions on the same registers in EVEX encoding. The checker, and nothing else, holds the sources
 * of arch/avx2 with that encoding as well: what they compute is then proved on both kinds of machine. */
#ifndef IP_TESTS_KERNELS_EVEX_H
#define IP_TESTS_KERNELS_EVEX_H

#include "arch/kernels.h"

#define EVEX_NAME "avx2+vnni-by-evex"

/* The table, or NULL: *why then says what the machine lacks, or is NULL where this program does not hold it (ARM). */
const ip_kernels *evex_table(const char **why);

#define EVEX(kernel) ip_##kernel##_avx2_vnni_by_evex

void EVEX(gemm_int16)(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);
void EVEX(pack_int8)(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k);
int EVEX(act_int8)(ip_act *a, const float *x, size_t stride, size_t from, size_t count);
void EVEX(gemm_int8)(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a);

#endif

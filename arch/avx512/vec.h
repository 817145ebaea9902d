/* The vocabulary of arch/generic in AVX-512: 16 floats are one zmm, 16 doubles two. */
#ifndef IP_ARCH_AVX512_VEC_H
#define IP_ARCH_AVX512_VEC_H

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arch/avx512/columns.h"
#include "arch/generic/unroll.h"
#include "arch/vmath.h"

#define NAME(kernel) ip_##kernel##_avx512

enum { F32_ROWS = IP_AVX512_TILE, KEY_TILE = 16, QUERY_SUBTILE = 16 };

typedef __m512 v16f;
typedef struct v16d {
    __m512d a, b; /* lanes 0 to 7, 8 to 15 */
} v16d;
typedef struct v16u {
    __m512i a, b; /* 64-bit lanes 0 to 7, 8 to 15 */
} v16u;

IP_INLINE __mmask16 vec_first(size_t n) { return (__mmask16)(n >= 16 ? 0xffffu : (1u << n) - 1u); }

IP_INLINE v16f vf_set(float x) { return _mm512_set1_ps(x); }
IP_INLINE v16f vf_load(const float *p) { return _mm512_loadu_ps(p); }
IP_INLINE void vf_store(float *p, v16f v) { _mm512_storeu_ps(p, v); }
IP_INLINE v16f vf_load_part(const float *p, size_t n, float fill) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), vec_first(n), p);
}
IP_INLINE void vf_store_part(float *p, v16f v, size_t n) { _mm512_mask_storeu_ps(p, vec_first(n), v); }
IP_INLINE v16f vf_lanes(v16f v, size_t lo, size_t hi, float fill) {
    return _mm512_mask_mov_ps(_mm512_set1_ps(fill), (__mmask16)(vec_first(hi) & ~vec_first(lo)), v);
}

IP_INLINE v16f vf_add(v16f a, v16f b) { return _mm512_add_ps(a, b); }
IP_INLINE v16f vf_sub(v16f a, v16f b) { return _mm512_sub_ps(a, b); }
IP_INLINE v16f vf_mul(v16f a, v16f b) { return _mm512_mul_ps(a, b); }
IP_INLINE v16f vf_div(v16f a, v16f b) { return _mm512_div_ps(a, b); }
IP_INLINE v16f vf_fma(v16f a, v16f b, v16f c) { return _mm512_fmadd_ps(a, b, c); }
IP_INLINE v16f vf_max(v16f a, v16f b) { return _mm512_max_ps(a, b); } /* maxps is a > b ? a : b */
IP_INLINE v16f vf_neg(v16f a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
IP_INLINE v16f vf_abs(v16f a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
IP_INLINE v16f vf_rint(v16f a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
IP_INLINE v16f vf_exp(v16f a) { return vm_exp_f32x16(a); }
IP_INLINE v16f vf_expm1(v16f a) { return vm_expm1_f32x16(a); }
IP_INLINE v16f vf_tanh(v16f a) { return vm_tanh_f32x16(a); }
IP_INLINE v16f vf_if_equal(v16f a, v16f b, v16f x, v16f y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), y, x);
}

IP_INLINE float vf_tree_sum(v16f v) {
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
IP_INLINE float vf_tree_max(v16f v) {
    __m256 h = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

/* Integer steps: vcvtneps2bf16 would flush denormals. */
IP_INLINE __m512i vec_bf16_bits(v16f v) {
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i round = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    return _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), round, quiet);
}
IP_INLINE v16f vf_round_bf16(v16f v) {
    return _mm512_castsi512_ps(_mm512_and_si512(vec_bf16_bits(v), _mm512_set1_epi32((int)0xffff0000u)));
}
IP_INLINE v16f vf_load_bf16(const uint16_t *p) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
IP_INLINE void vf_store_bf16(uint16_t *p, v16f v) {
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(vec_bf16_bits(v), 16)));
}
IP_INLINE void vf_store_i16(int16_t *p, v16f v) {
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(v)));
}

IP_INLINE v16d vd_set(double x) { return (v16d){_mm512_set1_pd(x), _mm512_set1_pd(x)}; }
IP_INLINE v16d vd_from_f(v16f v) {
    return (v16d){_mm512_cvtps_pd(_mm512_castps512_ps256(v)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1))};
}
IP_INLINE v16f vd_to_f(v16d v) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(v.a)), _mm512_cvtpd_ps(v.b), 1);
}
IP_INLINE v16d vd_div(v16d x, v16d y) { return (v16d){_mm512_div_pd(x.a, y.a), _mm512_div_pd(x.b, y.b)}; }
IP_INLINE v16d vd_fma(v16d x, v16d y, v16d z) {
    return (v16d){_mm512_fmadd_pd(x.a, y.a, z.a), _mm512_fmadd_pd(x.b, y.b, z.b)};
}
IP_INLINE v16d vd_load(const double *p) { return (v16d){_mm512_loadu_pd(p), _mm512_loadu_pd(p + 8)}; }
IP_INLINE void vd_store(double *p, v16d v) {
    _mm512_storeu_pd(p, v.a);
    _mm512_storeu_pd(p + 8, v.b);
}
IP_INLINE v16d vd_add(v16d x, v16d y) { return (v16d){_mm512_add_pd(x.a, y.a), _mm512_add_pd(x.b, y.b)}; }
IP_INLINE v16d vd_sub(v16d x, v16d y) { return (v16d){_mm512_sub_pd(x.a, y.a), _mm512_sub_pd(x.b, y.b)}; }
/* vmaxpd is a > b ? a : b. */
IP_INLINE v16d vd_max(v16d x, v16d y) { return (v16d){_mm512_max_pd(x.a, y.a), _mm512_max_pd(x.b, y.b)}; }
IP_INLINE v16d vd_exp(v16d x) { return (v16d){vm_exp_f64x8(x.a), vm_exp_f64x8(x.b)}; }
IP_INLINE v16d vd_log(v16d x) { return (v16d){vm_log_f64x8(x.a), vm_log_f64x8(x.b)}; }
IP_INLINE double vd_tree_max(v16d v) {
    __m512d s = _mm512_max_pd(v.a, v.b);
    __m256d h = _mm256_max_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1));
    __m128d q = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_max_sd(q, _mm_unpackhi_pd(q, q)));
}
IP_INLINE double vd_tree_sum(v16d v) {
    __m512d s = _mm512_add_pd(v.a, v.b);
    __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1));
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
IP_INLINE __m512d vec_xlogx(__m512d x) {
    __mmask8 some = _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_NEQ_UQ);
    return _mm512_maskz_mul_pd(some, x, vm_log_f64x8(x));
}
IP_INLINE v16d vd_xlogx(v16d x) { return (v16d){vec_xlogx(x.a), vec_xlogx(x.b)}; }
IP_INLINE v16d vd_from_u64(const uint64_t *p) {
    return (v16d){_mm512_cvtepu64_pd(_mm512_loadu_si512(p)), _mm512_cvtepu64_pd(_mm512_loadu_si512(p + 8))};
}
IP_INLINE v16u vu_load(const uint64_t *p) { return (v16u){_mm512_loadu_si512(p), _mm512_loadu_si512(p + 8)}; }
IP_INLINE void vu_store(uint64_t *p, v16u v) {
    _mm512_storeu_si512(p, v.a);
    _mm512_storeu_si512(p + 8, v.b);
}
/* v * 2^32 is exact in f32; vcvtps2qq rounds it to the nearest. */
IP_INLINE v16u vu_add_units(v16u sums, v16f v) {
    v = _mm512_mul_ps(v, _mm512_set1_ps(0x1p32f));
    __m512i low = _mm512_cvtps_epi64(_mm512_castps512_ps256(v));
    __m512i high = _mm512_cvtps_epi64(_mm512_extractf32x8_ps(v, 1));
    return (v16u){_mm512_add_epi64(sums.a, low), _mm512_add_epi64(sums.b, high)};
}
IP_INLINE v16d vd_units(v16f v) { return vd_from_f(vf_rint(_mm512_mul_ps(v, _mm512_set1_ps(0x1p32f)))); }

/* The first n lanes of `height` vectors, F32_ROWS or 16, as n columns of that height. */
IP_INLINE void vf_put_columns(float *out, const size_t height, const v16f *rows, size_t n) {
    __m512i dwords[IP_LANES];
    int32_t part[IP_LANES * IP_LANES];
    IP_UNROLL for (size_t t = 0; t < height; t++) dwords[t] = _mm512_castps_si512(rows[t]);
    columns_put(n == IP_LANES ? (int32_t *)(void *)out : part, height, dwords);
    if (n < IP_LANES) memcpy(out, part, n * height * sizeof *out);
}

#endif

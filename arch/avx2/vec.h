/* The vocabulary of arch/generic in AVX2 and FMA: 16 floats are two ymm, 16 doubles four. */
#ifndef IP_ARCH_AVX2_VEC_H
#define IP_ARCH_AVX2_VEC_H

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/avx2/avx2.h"
#include "arch/generic/unroll.h"
#include "arch/vmath.h"

#define NAME(kernel) ip_##kernel##_avx2

enum { F32_ROWS = IP_AVX2_TILE, KEY_TILE = 4, QUERY_SUBTILE = 4 };

typedef struct v16f {
    __m256 a, b; /* lanes 0 to 7, 8 to 15 */
} v16f;
typedef struct v16d {
    __m256d a, b, c, d; /* lanes 0 to 3, ... */
} v16d;
typedef struct v16u {
    __m256i a, b, c, d;
} v16u;

/* All ones in lanes lo <= i < hi of the eight that start at lane base. */
IP_INLINE __m256i vec_mask(size_t lo, size_t hi, int base) {
    __m256i lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(base));
    int first = lo < 16 ? (int)lo : 16, end = hi < 16 ? (int)hi : 16;
    __m256i from = _mm256_cmpgt_epi32(lane, _mm256_set1_epi32(first - 1));
    return _mm256_and_si256(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
}
IP_INLINE __m256 vec_pick(__m256 no, __m256 yes, __m256i mask) {
    return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(mask));
}

IP_INLINE v16f vf_set(float x) { return (v16f){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
IP_INLINE v16f vf_load(const float *p) { return (v16f){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
IP_INLINE void vf_store(float *p, v16f v) {
    _mm256_storeu_ps(p, v.a);
    _mm256_storeu_ps(p + 8, v.b);
}
IP_INLINE v16f vf_lanes(v16f v, size_t lo, size_t hi, float fill) {
    __m256 f = _mm256_set1_ps(fill);
    return (v16f){vec_pick(f, v.a, vec_mask(lo, hi, 0)), vec_pick(f, v.b, vec_mask(lo, hi, 8))};
}
IP_INLINE v16f vf_load_part(const float *p, size_t n, float fill) {
    v16f v = {_mm256_maskload_ps(p, vec_mask(0, n, 0)), _mm256_maskload_ps(p + 8, vec_mask(0, n, 8))};
    return vf_lanes(v, 0, n, fill);
}
IP_INLINE void vf_store_part(float *p, v16f v, size_t n) {
    _mm256_maskstore_ps(p, vec_mask(0, n, 0), v.a);
    _mm256_maskstore_ps(p + 8, vec_mask(0, n, 8), v.b);
}

IP_INLINE v16f vf_add(v16f x, v16f y) { return (v16f){_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
IP_INLINE v16f vf_sub(v16f x, v16f y) { return (v16f){_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
IP_INLINE v16f vf_mul(v16f x, v16f y) { return (v16f){_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
IP_INLINE v16f vf_div(v16f x, v16f y) { return (v16f){_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
IP_INLINE v16f vf_fma(v16f x, v16f y, v16f z) {
    return (v16f){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
/* maxps is a > b ? a : b. */
IP_INLINE v16f vf_max(v16f x, v16f y) { return (v16f){_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
IP_INLINE v16f vf_neg(v16f x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return (v16f){_mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign)};
}
IP_INLINE v16f vf_abs(v16f x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return (v16f){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
IP_INLINE v16f vf_rint(v16f x) {
    return (v16f){_mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                  _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
IP_INLINE v16f vf_exp(v16f x) { return (v16f){vm_exp_f32x8(x.a), vm_exp_f32x8(x.b)}; }
IP_INLINE v16f vf_expm1(v16f x) { return (v16f){vm_expm1_f32x8(x.a), vm_expm1_f32x8(x.b)}; }
IP_INLINE v16f vf_tanh(v16f x) { return (v16f){vm_tanh_f32x8(x.a), vm_tanh_f32x8(x.b)}; }
IP_INLINE v16f vf_if_equal(v16f p, v16f q, v16f x, v16f y) {
    return (v16f){_mm256_blendv_ps(y.a, x.a, _mm256_cmp_ps(p.a, q.a, _CMP_EQ_OQ)),
                  _mm256_blendv_ps(y.b, x.b, _mm256_cmp_ps(p.b, q.b, _CMP_EQ_OQ))};
}

IP_INLINE float vf_tree_sum(v16f v) {
    __m256 h = _mm256_add_ps(v.a, v.b);
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
IP_INLINE float vf_tree_max(v16f v) {
    __m256 h = _mm256_max_ps(v.a, v.b);
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

IP_INLINE __m256i vec_bf16_bits(__m256 v) {
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i round = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_blendv_epi8(round, quiet, nan);
}
IP_INLINE __m256 vec_round_bf16(__m256 v) {
    return _mm256_castsi256_ps(_mm256_and_si256(vec_bf16_bits(v), _mm256_set1_epi32((int)0xffff0000u)));
}
IP_INLINE v16f vf_round_bf16(v16f v) { return (v16f){vec_round_bf16(v.a), vec_round_bf16(v.b)}; }
IP_INLINE __m256 vec_load_bf16(const uint16_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
IP_INLINE v16f vf_load_bf16(const uint16_t *p) { return (v16f){vec_load_bf16(p), vec_load_bf16(p + 8)}; }
/* 16 lanes of 32 bits to 16 bits, in order: the packs interleave halves, the permute undoes it. */
IP_INLINE __m256i vec_order(__m256i packed) { return _mm256_permute4x64_epi64(packed, 0xd8); }
IP_INLINE void vf_store_bf16(uint16_t *p, v16f v) {
    __m256i a = _mm256_srli_epi32(vec_bf16_bits(v.a), 16), b = _mm256_srli_epi32(vec_bf16_bits(v.b), 16);
    _mm256_storeu_si256((__m256i *)(void *)p, vec_order(_mm256_packus_epi32(a, b)));
}
IP_INLINE void vf_store_i16(int16_t *p, v16f v) {
    __m256i packed = _mm256_packs_epi32(_mm256_cvtps_epi32(v.a), _mm256_cvtps_epi32(v.b));
    _mm256_storeu_si256((__m256i *)(void *)p, vec_order(packed));
}

IP_INLINE v16d vd_set(double x) {
    __m256d v = _mm256_set1_pd(x);
    return (v16d){v, v, v, v};
}
IP_INLINE v16d vd_from_f(v16f v) {
    return (v16d){_mm256_cvtps_pd(_mm256_castps256_ps128(v.a)), _mm256_cvtps_pd(_mm256_extractf128_ps(v.a, 1)),
                  _mm256_cvtps_pd(_mm256_castps256_ps128(v.b)), _mm256_cvtps_pd(_mm256_extractf128_ps(v.b, 1))};
}
IP_INLINE v16f vd_to_f(v16d v) {
    return (v16f){_mm256_set_m128(_mm256_cvtpd_ps(v.b), _mm256_cvtpd_ps(v.a)),
                  _mm256_set_m128(_mm256_cvtpd_ps(v.d), _mm256_cvtpd_ps(v.c))};
}
IP_INLINE v16d vd_div(v16d x, v16d y) {
    return (v16d){_mm256_div_pd(x.a, y.a), _mm256_div_pd(x.b, y.b), _mm256_div_pd(x.c, y.c), _mm256_div_pd(x.d, y.d)};
}
IP_INLINE v16d vd_fma(v16d x, v16d y, v16d z) {
    return (v16d){_mm256_fmadd_pd(x.a, y.a, z.a), _mm256_fmadd_pd(x.b, y.b, z.b), _mm256_fmadd_pd(x.c, y.c, z.c),
                  _mm256_fmadd_pd(x.d, y.d, z.d)};
}
IP_INLINE v16d vd_load(const double *p) {
    return (v16d){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4), _mm256_loadu_pd(p + 8), _mm256_loadu_pd(p + 12)};
}
IP_INLINE void vd_store(double *p, v16d v) {
    _mm256_storeu_pd(p, v.a);
    _mm256_storeu_pd(p + 4, v.b);
    _mm256_storeu_pd(p + 8, v.c);
    _mm256_storeu_pd(p + 12, v.d);
}
IP_INLINE v16d vd_add(v16d x, v16d y) {
    return (v16d){_mm256_add_pd(x.a, y.a), _mm256_add_pd(x.b, y.b), _mm256_add_pd(x.c, y.c), _mm256_add_pd(x.d, y.d)};
}
IP_INLINE v16d vd_sub(v16d x, v16d y) {
    return (v16d){_mm256_sub_pd(x.a, y.a), _mm256_sub_pd(x.b, y.b), _mm256_sub_pd(x.c, y.c), _mm256_sub_pd(x.d, y.d)};
}
IP_INLINE v16d vd_max(v16d x, v16d y) {
    return (v16d){_mm256_max_pd(x.a, y.a), _mm256_max_pd(x.b, y.b), _mm256_max_pd(x.c, y.c), _mm256_max_pd(x.d, y.d)};
}
IP_INLINE v16d vd_exp(v16d x) {
    return (v16d){vm_exp_f64x4(x.a), vm_exp_f64x4(x.b), vm_exp_f64x4(x.c), vm_exp_f64x4(x.d)};
}
IP_INLINE v16d vd_log(v16d x) {
    return (v16d){vm_log_f64x4(x.a), vm_log_f64x4(x.b), vm_log_f64x4(x.c), vm_log_f64x4(x.d)};
}
IP_INLINE double vd_tree_max(v16d v) {
    __m256d h = _mm256_max_pd(_mm256_max_pd(v.a, v.c), _mm256_max_pd(v.b, v.d));
    __m128d q = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_max_sd(q, _mm_unpackhi_pd(q, q)));
}
IP_INLINE double vd_tree_sum(v16d v) {
    __m256d h = _mm256_add_pd(_mm256_add_pd(v.a, v.c), _mm256_add_pd(v.b, v.d));
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
IP_INLINE __m256d vec_xlogx(__m256d x) {
    __m256d some = _mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_NEQ_UQ);
    return _mm256_and_pd(some, _mm256_mul_pd(x, vm_log_f64x4(x)));
}
IP_INLINE v16d vd_xlogx(v16d x) { return (v16d){vec_xlogx(x.a), vec_xlogx(x.b), vec_xlogx(x.c), vec_xlogx(x.d)}; }

/* Whole numbers below 2^53 to doubles: the halves become 2^84 + high * 2^32 and 2^52 + low by their bits alone, and the
 * two sums that put them together are exact. */
IP_INLINE __m256d vec_from_u64(const uint64_t *p) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i high = _mm256_or_si256(_mm256_srli_epi64(v, 32), _mm256_castpd_si256(_mm256_set1_pd(0x1p84)));
    __m256i low = _mm256_blend_epi32(v, _mm256_castpd_si256(_mm256_set1_pd(0x1p52)), 0xaa);
    __m256d top = _mm256_sub_pd(_mm256_castsi256_pd(high), _mm256_set1_pd(0x1p84 + 0x1p52));
    return _mm256_add_pd(top, _mm256_castsi256_pd(low));
}
IP_INLINE v16d vd_from_u64(const uint64_t *p) {
    return (v16d){vec_from_u64(p), vec_from_u64(p + 4), vec_from_u64(p + 8), vec_from_u64(p + 12)};
}

IP_INLINE v16u vu_load(const uint64_t *p) {
    const __m256i *q = (const __m256i *)(const void *)p;
    return (v16u){_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1), _mm256_loadu_si256(q + 2),
                  _mm256_loadu_si256(q + 3)};
}
IP_INLINE void vu_store(uint64_t *p, v16u v) {
    __m256i *q = (__m256i *)(void *)p;
    _mm256_storeu_si256(q, v.a);
    _mm256_storeu_si256(q + 1, v.b);
    _mm256_storeu_si256(q + 2, v.c);
    _mm256_storeu_si256(q + 3, v.d);
}
/* round(x * 2^32) for 0 <= x <= 1: doubles near 2^52 count in ones, so that fma(x, 2^32, 2^52) rounds to the nearest
 * whole number, which then stands in the low bits. */
IP_INLINE __m256i vec_units(__m128 x) {
    __m256d one = _mm256_set1_pd(0x1p52);
    __m256d v = _mm256_fmadd_pd(_mm256_cvtps_pd(x), _mm256_set1_pd(0x1p32), one);
    return _mm256_xor_si256(_mm256_castpd_si256(v), _mm256_castpd_si256(one));
}
IP_INLINE v16u vu_add_units(v16u s, v16f v) {
    return (v16u){_mm256_add_epi64(s.a, vec_units(_mm256_castps256_ps128(v.a))),
                  _mm256_add_epi64(s.b, vec_units(_mm256_extractf128_ps(v.a, 1))),
                  _mm256_add_epi64(s.c, vec_units(_mm256_castps256_ps128(v.b))),
                  _mm256_add_epi64(s.d, vec_units(_mm256_extractf128_ps(v.b, 1)))};
}
IP_INLINE v16d vd_units(v16f v) { return vd_from_f(vf_rint(vf_mul(v, vf_set(0x1p32f)))); }

/* The first n lanes of `height` vectors, F32_ROWS or 16, as n columns of that height. */
IP_INLINE void vf_put_columns(float *out, const size_t height, const v16f *rows, size_t n) {
    float lanes[IP_LANES][IP_LANES];
    for (size_t t = 0; t < height; t++) vf_store(lanes[t], rows[t]);
    for (size_t i = 0; i < n; i++) {
        for (size_t t = 0; t < height; t++) out[i * height + t] = lanes[t][i];
    }
}

#endif

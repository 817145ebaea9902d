/* The one door to SLEEF: its deterministic FMA family (finz), u10, at the width of the file that includes this.
 * Every width gives the same bits; no other transcendental may reach a result. The vector widths are declared only
 * where the compiler targets them, so this header is safe in baseline files too. */
#ifndef IP_ARCH_VMATH_H
#define IP_ARCH_VMATH_H

#include <math.h>

/* sleef.h hides the scalar FMA family from files that are not compiled for FMA. The functions carry their own
 * instruction set inside the library, so a baseline file may call them on any CPU that dispatch.c lets through. */
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#include <sleef.h>

static inline float vm_exp_f32(float x) { return Sleef_finz_expf1_u10purecfma(x); }
static inline float vm_expm1_f32(float x) { return Sleef_finz_expm1f1_u10purecfma(x); }
static inline float vm_tanh_f32(float x) { return Sleef_finz_tanhf1_u10purecfma(x); }
static inline double vm_exp_f64(double x) { return Sleef_finz_expd1_u10purecfma(x); }
static inline double vm_log_f64(double x) { return Sleef_finz_logd1_u10purecfma(x); }
static inline double vm_log1p_f64(double x) { return Sleef_finz_log1pd1_u10purecfma(x); }
static inline double vm_tanh_f64(double x) { return Sleef_finz_tanhd1_u10purecfma(x); }
static inline double vm_sin_f64(double x) { return Sleef_finz_sind1_u10purecfma(x); }
static inline double vm_cos_f64(double x) { return Sleef_finz_cosd1_u10purecfma(x); }
static inline double vm_pow_f64(double x, double y) { return Sleef_finz_powd1_u10purecfma(x, y); }

#if defined(__AVX512F__)
static inline __m512 vm_exp_f32x16(__m512 x) { return Sleef_finz_expf16_u10avx512f(x); }
static inline __m512 vm_expm1_f32x16(__m512 x) { return Sleef_finz_expm1f16_u10avx512f(x); }
static inline __m512 vm_tanh_f32x16(__m512 x) { return Sleef_finz_tanhf16_u10avx512f(x); }
static inline __m512d vm_exp_f64x8(__m512d x) { return Sleef_finz_expd8_u10avx512f(x); }
static inline __m512d vm_log_f64x8(__m512d x) { return Sleef_finz_logd8_u10avx512f(x); }
#elif defined(__AVX2__)
static inline __m256 vm_exp_f32x8(__m256 x) { return Sleef_finz_expf8_u10avx2(x); }
static inline __m256 vm_expm1_f32x8(__m256 x) { return Sleef_finz_expm1f8_u10avx2(x); }
static inline __m256 vm_tanh_f32x8(__m256 x) { return Sleef_finz_tanhf8_u10avx2(x); }
static inline __m256d vm_exp_f64x4(__m256d x) { return Sleef_finz_expd4_u10avx2(x); }
static inline __m256d vm_log_f64x4(__m256d x) { return Sleef_finz_logd4_u10avx2(x); }
#elif defined(__aarch64__)
static inline float32x4_t vm_exp_f32x4(float32x4_t x) { return Sleef_finz_expf4_u10advsimd(x); }
static inline float32x4_t vm_expm1_f32x4(float32x4_t x) { return Sleef_finz_expm1f4_u10advsimd(x); }
static inline float32x4_t vm_tanh_f32x4(float32x4_t x) { return Sleef_finz_tanhf4_u10advsimd(x); }
static inline float64x2_t vm_exp_f64x2(float64x2_t x) { return Sleef_finz_expd2_u10advsimd(x); }
static inline float64x2_t vm_log_f64x2(float64x2_t x) { return Sleef_finz_logd2_u10advsimd(x); }
#endif

#endif

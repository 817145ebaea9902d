/* The vocabulary of arch/generic in AArch64 NEON: 16 floats are four registers, 16 doubles eight. */
#ifndef IP_ARCH_NEON_VEC_H
#define IP_ARCH_NEON_VEC_H

#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arch/generic/unroll.h"
#include "arch/neon/neon.h"
#include "arch/vmath.h"

#define NAME(kernel) ip_##kernel##_neon

enum { F32_ROWS = IP_NEON_F32_TILE, KEY_TILE = 4, QUERY_SUBTILE = 4 };

typedef struct v16f {
    float32x4_t a, b, c, d; /* lanes 0 to 3, ... */
} v16f;
typedef struct v16d {
    float64x2_t v[8]; /* lanes 0 and 1, ... */
} v16d;
typedef struct v16u {
    uint64x2_t v[8];
} v16u;

/* The same step on each of the four registers of one, two or three vectors. */
#define EACH1(f, x)    ((v16f){f((x).a), f((x).b), f((x).c), f((x).d)})
#define EACH2(f, x, y) ((v16f){f((x).a, (y).a), f((x).b, (y).b), f((x).c, (y).c), f((x).d, (y).d)})
#define EACH3(f, x, y, z)                                                                                              \
    ((v16f){f((x).a, (y).a, (z).a), f((x).b, (y).b, (z).b), f((x).c, (y).c, (z).c), f((x).d, (y).d, (z).d)})

IP_INLINE v16f vf_set(float x) {
    float32x4_t v = vdupq_n_f32(x);
    return (v16f){v, v, v, v};
}
IP_INLINE v16f vf_load(const float *p) {
    return (v16f){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
IP_INLINE void vf_store(float *p, v16f v) {
    vst1q_f32(p, v.a);
    vst1q_f32(p + 4, v.b);
    vst1q_f32(p + 8, v.c);
    vst1q_f32(p + 12, v.d);
}
/* There are no masked loads: short vectors go through memory. */
IP_INLINE v16f vf_load_part(const float *p, size_t n, float fill) {
    float part[16];
    vf_store(part, vf_set(fill));
    memcpy(part, p, (n < 16 ? n : 16) * sizeof *p);
    return vf_load(part);
}
IP_INLINE void vf_store_part(float *p, v16f v, size_t n) {
    float part[16];
    vf_store(part, v);
    memcpy(p, part, (n < 16 ? n : 16) * sizeof *p);
}
IP_INLINE float32x4_t vec_lanes(float32x4_t v, float32x4_t fill, uint32_t lo, uint32_t hi, uint32_t base) {
    static const uint32_t numbers[4] = {0, 1, 2, 3};
    uint32x4_t lane = vaddq_u32(vld1q_u32(numbers), vdupq_n_u32(base));
    uint32x4_t keep = vandq_u32(vcgeq_u32(lane, vdupq_n_u32(lo)), vcltq_u32(lane, vdupq_n_u32(hi)));
    return vbslq_f32(keep, v, fill);
}
IP_INLINE v16f vf_lanes(v16f v, size_t lo, size_t hi, float fill) {
    uint32_t from = lo < 16 ? (uint32_t)lo : 16, to = hi < 16 ? (uint32_t)hi : 16;
    float32x4_t f = vdupq_n_f32(fill);
    return (v16f){vec_lanes(v.a, f, from, to, 0), vec_lanes(v.b, f, from, to, 4), vec_lanes(v.c, f, from, to, 8),
                  vec_lanes(v.d, f, from, to, 12)};
}

IP_INLINE v16f vf_add(v16f x, v16f y) { return EACH2(vaddq_f32, x, y); }
IP_INLINE v16f vf_sub(v16f x, v16f y) { return EACH2(vsubq_f32, x, y); }
IP_INLINE v16f vf_mul(v16f x, v16f y) { return EACH2(vmulq_f32, x, y); }
IP_INLINE v16f vf_div(v16f x, v16f y) { return EACH2(vdivq_f32, x, y); }
IP_INLINE v16f vf_fma(v16f x, v16f y, v16f z) { return EACH3(vfmaq_f32, z, x, y); }
/* Compare and select: fmax has other ideas about zeros of both signs and about NaN. */
IP_INLINE float32x4_t vec_max(float32x4_t x, float32x4_t y) { return vbslq_f32(vcgtq_f32(x, y), x, y); }
IP_INLINE v16f vf_max(v16f x, v16f y) { return EACH2(vec_max, x, y); }
IP_INLINE v16f vf_neg(v16f x) { return EACH1(vnegq_f32, x); }
IP_INLINE v16f vf_abs(v16f x) { return EACH1(vabsq_f32, x); }
IP_INLINE v16f vf_rint(v16f x) { return EACH1(vrndnq_f32, x); }
IP_INLINE v16f vf_exp(v16f x) { return EACH1(vm_exp_f32x4, x); }
IP_INLINE v16f vf_expm1(v16f x) { return EACH1(vm_expm1_f32x4, x); }
IP_INLINE v16f vf_tanh(v16f x) { return EACH1(vm_tanh_f32x4, x); }
IP_INLINE v16f vf_if_equal(v16f p, v16f q, v16f x, v16f y) {
    return (v16f){vbslq_f32(vceqq_f32(p.a, q.a), x.a, y.a), vbslq_f32(vceqq_f32(p.b, q.b), x.b, y.b),
                  vbslq_f32(vceqq_f32(p.c, q.c), x.c, y.c), vbslq_f32(vceqq_f32(p.d, q.d), x.d, y.d)};
}

IP_INLINE float vf_tree_sum(v16f v) {
    float32x4_t q = vaddq_f32(vaddq_f32(v.a, v.c), vaddq_f32(v.b, v.d));
    float32x2_t h = vadd_f32(vget_low_f32(q), vget_high_f32(q));
    return vget_lane_f32(h, 0) + vget_lane_f32(h, 1);
}
IP_INLINE float vf_tree_max(v16f v) {
    float part[4];
    vst1q_f32(part, vec_max(vec_max(v.a, v.c), vec_max(v.b, v.d)));
    float x = part[0] > part[2] ? part[0] : part[2], y = part[1] > part[3] ? part[1] : part[3];
    return x > y ? x : y;
}

IP_INLINE uint32x4_t vec_bf16_bits(float32x4_t v) {
    uint32x4_t bits = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t round = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    return vbslq_u32(vceqq_f32(v, v), round, vorrq_u32(bits, vdupq_n_u32(0x400000)));
}
IP_INLINE float32x4_t vec_round_bf16(float32x4_t v) {
    return vreinterpretq_f32_u32(vandq_u32(vec_bf16_bits(v), vdupq_n_u32(0xffff0000u)));
}
IP_INLINE v16f vf_round_bf16(v16f v) { return EACH1(vec_round_bf16, v); }
IP_INLINE float32x4_t vec_load_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
IP_INLINE v16f vf_load_bf16(const uint16_t *p) {
    return (v16f){vec_load_bf16(p), vec_load_bf16(p + 4), vec_load_bf16(p + 8), vec_load_bf16(p + 12)};
}
IP_INLINE void vf_store_bf16(uint16_t *p, v16f v) {
    vst1_u16(p, vshrn_n_u32(vec_bf16_bits(v.a), 16));
    vst1_u16(p + 4, vshrn_n_u32(vec_bf16_bits(v.b), 16));
    vst1_u16(p + 8, vshrn_n_u32(vec_bf16_bits(v.c), 16));
    vst1_u16(p + 12, vshrn_n_u32(vec_bf16_bits(v.d), 16));
}
IP_INLINE void vf_store_i16(int16_t *p, v16f v) {
    vst1_s16(p, vmovn_s32(vcvtq_s32_f32(v.a)));
    vst1_s16(p + 4, vmovn_s32(vcvtq_s32_f32(v.b)));
    vst1_s16(p + 8, vmovn_s32(vcvtq_s32_f32(v.c)));
    vst1_s16(p + 12, vmovn_s32(vcvtq_s32_f32(v.d)));
}

IP_INLINE v16d vd_set(double x) {
    v16d r;
    IP_UNROLL for (size_t i = 0; i < 8; i++) r.v[i] = vdupq_n_f64(x);
    return r;
}
IP_INLINE v16d vd_from_f(v16f v) {
    return (v16d){{vcvt_f64_f32(vget_low_f32(v.a)), vcvt_high_f64_f32(v.a), vcvt_f64_f32(vget_low_f32(v.b)),
                   vcvt_high_f64_f32(v.b), vcvt_f64_f32(vget_low_f32(v.c)), vcvt_high_f64_f32(v.c),
                   vcvt_f64_f32(vget_low_f32(v.d)), vcvt_high_f64_f32(v.d)}};
}
IP_INLINE float32x4_t vec_to_f(float64x2_t low, float64x2_t high) { return vcvt_high_f32_f64(vcvt_f32_f64(low), high); }
IP_INLINE v16f vd_to_f(v16d v) {
    return (v16f){vec_to_f(v.v[0], v.v[1]), vec_to_f(v.v[2], v.v[3]), vec_to_f(v.v[4], v.v[5]),
                  vec_to_f(v.v[6], v.v[7])};
}
IP_INLINE v16d vd_div(v16d x, v16d y) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) x.v[i] = vdivq_f64(x.v[i], y.v[i]);
    return x;
}
IP_INLINE v16d vd_fma(v16d x, v16d y, v16d z) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) z.v[i] = vfmaq_f64(z.v[i], x.v[i], y.v[i]);
    return z;
}
IP_INLINE v16d vd_load(const double *p) {
    v16d r;
    IP_UNROLL for (size_t i = 0; i < 8; i++) r.v[i] = vld1q_f64(p + 2 * i);
    return r;
}
IP_INLINE void vd_store(double *p, v16d v) { IP_UNROLL for (size_t i = 0; i < 8; i++) vst1q_f64(p + 2 * i, v.v[i]); }
IP_INLINE v16d vd_add(v16d x, v16d y) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) x.v[i] = vaddq_f64(x.v[i], y.v[i]);
    return x;
}
IP_INLINE v16d vd_sub(v16d x, v16d y) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) x.v[i] = vsubq_f64(x.v[i], y.v[i]);
    return x;
}
/* a > b ? a : b, which vmaxq is not for zeros of both signs. */
IP_INLINE float64x2_t vec_max_d(float64x2_t a, float64x2_t b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
IP_INLINE v16d vd_max(v16d x, v16d y) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) x.v[i] = vec_max_d(x.v[i], y.v[i]);
    return x;
}
IP_INLINE v16d vd_exp(v16d x) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) x.v[i] = vm_exp_f64x2(x.v[i]);
    return x;
}
IP_INLINE v16d vd_log(v16d x) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) x.v[i] = vm_log_f64x2(x.v[i]);
    return x;
}
IP_INLINE double vd_tree_max(v16d v) {
    IP_UNROLL for (size_t i = 0; i < 4; i++) v.v[i] = vec_max_d(v.v[i], v.v[i + 4]);
    float64x2_t q = vec_max_d(vec_max_d(v.v[0], v.v[2]), vec_max_d(v.v[1], v.v[3]));
    double a = vgetq_lane_f64(q, 0), b = vgetq_lane_f64(q, 1);
    return a > b ? a : b;
}
IP_INLINE double vd_tree_sum(v16d v) {
    IP_UNROLL for (size_t i = 0; i < 4; i++) v.v[i] = vaddq_f64(v.v[i], v.v[i + 4]);
    float64x2_t q = vaddq_f64(vaddq_f64(v.v[0], v.v[2]), vaddq_f64(v.v[1], v.v[3]));
    return vgetq_lane_f64(q, 0) + vgetq_lane_f64(q, 1);
}
IP_INLINE v16d vd_xlogx(v16d x) {
    IP_UNROLL for (size_t i = 0; i < 8; i++) {
        uint64x2_t none = vceqzq_f64(x.v[i]);
        float64x2_t product = vmulq_f64(x.v[i], vm_log_f64x2(x.v[i]));
        x.v[i] = vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(product), none));
    }
    return x;
}
IP_INLINE v16d vd_from_u64(const uint64_t *p) {
    v16d r;
    IP_UNROLL for (size_t i = 0; i < 8; i++) r.v[i] = vcvtq_f64_u64(vld1q_u64(p + 2 * i));
    return r;
}

IP_INLINE v16u vu_load(const uint64_t *p) {
    v16u r;
    IP_UNROLL for (size_t i = 0; i < 8; i++) r.v[i] = vld1q_u64(p + 2 * i);
    return r;
}
IP_INLINE void vu_store(uint64_t *p, v16u v) { IP_UNROLL for (size_t i = 0; i < 8; i++) vst1q_u64(p + 2 * i, v.v[i]); }
IP_INLINE v16u vu_add_units(v16u s, v16f v) {
    v16d x = vd_from_f(v);
    IP_UNROLL for (size_t i = 0; i < 8; i++) {
        s.v[i] = vaddq_u64(s.v[i], vcvtnq_u64_f64(vmulq_n_f64(x.v[i], 0x1p32)));
    }
    return s;
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

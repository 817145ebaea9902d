/* Packing, activations and matrix products: the scalar law, as kernels.h states it, in plain loops.
 *
 * Codes lie as [k][16] in a panel and [k][tile] in an activation group, int8 codes and int16 activations alike. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "arch/bits.h"
#include "arch/scalar/scalar.h"

enum { TILE = IP_SCALAR_TILE };

void ip_pack_f32_scalar(float *panel, const float *rows, size_t stride, size_t count, size_t k) {
    for (size_t j = 0; j < k; j++) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            panel[j * IP_LANES + lane] = lane < count ? rows[lane * stride + j] : 0.0f;
        }
    }
}

void ip_pack_bf16_scalar(void *panel, const float *rows, size_t stride, size_t count, size_t k) {
    uint16_t *out = panel;
    size_t kp = ip_padded_k(IP_ARITH_BF16, k);
    for (size_t j = 0; j < kp; j++) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            bool there = lane < count && j < k;
            out[j * IP_LANES + lane] = there ? ip_bf16_from_f32(rows[lane * stride + j]) : 0;
        }
    }
}

static void pack_codes(int8_t *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    for (size_t j = 0; j < k; j++) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            panel[j * IP_LANES + lane] = lane < count ? codes[lane * stride + j] : 0;
        }
    }
}

void ip_pack_int16_scalar(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_codes(panel, codes, stride, count, k);
}

void ip_pack_int8_scalar(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    pack_codes(panel, codes, stride, count, k);
}

/* Where the inputs end that a call with these arguments packs: with the last input goes the padding. */
static size_t end_of(const ip_act *a, size_t from, size_t count) { return from + count == a->k ? a->kp : from + count; }

/* Input j of row r, zero where there is none; x begins at input `from`. */
static float input(const ip_act *a, const float *x, size_t stride, size_t from, size_t r, size_t j) {
    return r < a->rows && j < a->k ? x[r * stride + j - from] : 0.0f;
}

static size_t padded_rows(const ip_act *a) { return (a->rows + TILE - 1) / TILE * TILE; }

void ip_act_f32_scalar(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    for (size_t r = 0; r < padded_rows(a); r++) {
        float *out = (float *)(void *)(a->codes + r / TILE * a->group_bytes) + r % TILE;
        for (size_t j = from; j < end_of(a, from, count); j++) out[j * TILE] = input(a, x, stride, from, r, j);
    }
}

void ip_act_bf16_scalar(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    for (size_t r = 0; r < padded_rows(a); r++) {
        uint16_t *out = (uint16_t *)(void *)(a->codes + r / TILE * a->group_bytes) + r % TILE;
        for (size_t j = from; j < end_of(a, from, count); j++)
            out[j * TILE] = ip_bf16_from_f32(input(a, x, stride, from, r, j));
    }
}

/* Scale and factor of 32 inputs whose largest size is amax; false where int16 has no scale for it. */
static bool scales(float amax, bool wide, float *scale, float *inverse) {
    if (!wide) {
        bool zero = amax < 0x1p-100f;
        *scale = zero ? 0.0f : amax / IP_Q8_MAX;
        *inverse = zero ? 0.0f : IP_Q8_MAX / amax;
        return true;
    }
    int e = -62;
    while (e <= 62 && amax > ldexpf(IP_Q16_MAX, e)) e++;
    *scale = ldexpf(1.0f, e);
    *inverse = ldexpf(1.0f, -e);
    return e <= 62;
}

/* One row and 32 inputs: codes to q, sums of q over the halves to sum. */
static bool quantise(int32_t *q, int32_t *sum, float *scale, const float *x, bool wide) {
    float amax = 0.0f, inverse;
    for (size_t i = 0; i < IP_GROUP; i++) {
        if (!isfinite(x[i])) return false;
        amax = fabsf(x[i]) > amax ? fabsf(x[i]) : amax;
    }
    if (!scales(amax, wide, scale, &inverse)) return false;
    sum[0] = sum[1] = 0;
    for (size_t i = 0; i < IP_GROUP; i++) {
        q[i] = (int32_t)rintf(x[i] * inverse);
        sum[i / 16] += q[i];
    }
    return true;
}

/* All rows; int16 codes are stored when wide, else int8. Returns 1 at the first value that cannot be packed. */
static int act_codes(ip_act *a, const float *x, size_t stride, size_t from, size_t count, bool wide) {
    size_t groups32 = a->kp / IP_GROUP;
    for (size_t r = 0; r < padded_rows(a); r++) {
        size_t group = r / TILE, t = r % TILE;
        unsigned char *codes = a->codes + group * a->group_bytes;
        for (size_t g = from / IP_GROUP; g < end_of(a, from, count) / IP_GROUP; g++) {
            float in[IP_GROUP], scale;
            int32_t q[IP_GROUP], sum[2];
            for (size_t i = 0; i < IP_GROUP; i++) in[i] = input(a, x, stride, from, r, g * IP_GROUP + i);
            if (!quantise(q, sum, &scale, in, wide)) return 1;
            for (size_t i = 0; i < IP_GROUP; i++) {
                size_t at = (g * IP_GROUP + i) * TILE + t;
                if (wide) {
                    ((int16_t *)(void *)codes)[at] = (int16_t)q[i];
                } else {
                    ((int8_t *)codes)[at] = (int8_t)q[i];
                }
            }
            size_t at32 = (group * groups32 + g) * TILE + t, at16 = (group * groups32 + g) * 2 * TILE + t;
            a->scale[at32] = scale;
            a->sum32[at32] = scale * (float)(sum[0] + sum[1]);
            a->sum16[at16] = scale * (float)sum[0];
            a->sum16[at16 + TILE] = scale * (float)sum[1];
        }
    }
    return 0;
}

int ip_act_int16_scalar(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return act_codes(a, x, stride, from, count, true);
}

int ip_act_int8_scalar(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return act_codes(a, x, stride, from, count, false);
}

void ip_gemm_f32_scalar(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    for (size_t j = 0; j < panels; j++) {
        const float *weights = (const float *)(const void *)(w->codes + (panel + j) * w->panel_bytes);
        for (size_t r = 0; r < a->rows; r += TILE) {
            const float *x = (const float *)(const void *)(a->codes + r / TILE * a->group_bytes);
            float acc[TILE][IP_LANES] = {{0}};
            for (size_t k = 0; k < w->k; k++) {
                for (size_t t = 0; t < TILE; t++) {
                    for (size_t i = 0; i < IP_LANES; i++) {
                        acc[t][i] = fmaf(x[k * TILE + t], weights[k * IP_LANES + i], acc[t][i]);
                    }
                }
            }
            for (size_t t = 0; t < TILE; t++) memcpy(c + (r + t) * ldc + j * IP_LANES, acc[t], sizeof acc[t]);
        }
    }
}

/* Where the CPU has no bf16 products: the pair of k in order, two fused steps. */
void ip_gemm_bf16_scalar(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    for (size_t j = 0; j < panels; j++) {
        const uint16_t *weights = (const uint16_t *)(const void *)(w->codes + (panel + j) * w->panel_bytes);
        for (size_t r = 0; r < a->rows; r += TILE) {
            const uint16_t *x = (const uint16_t *)(const void *)(a->codes + r / TILE * a->group_bytes);
            float acc[TILE][IP_LANES] = {{0}};
            for (size_t k = 0; k < w->kp; k++) {
                for (size_t t = 0; t < TILE; t++) {
                    float left = ip_f32_from_bf16(x[k * TILE + t]);
                    for (size_t i = 0; i < IP_LANES; i++) {
                        acc[t][i] = fmaf(left, ip_f32_from_bf16(weights[k * IP_LANES + i]), acc[t][i]);
                    }
                }
            }
            for (size_t t = 0; t < TILE; t++) memcpy(c + (r + t) * ldc + j * IP_LANES, acc[t], sizeof acc[t]);
        }
    }
}

/* One panel and one group of rows. The integer sums are exact: 32 * 128 * 16319 < 2^27. */
static void integer_tile(float acc[TILE][IP_LANES], const ip_matrix *w, size_t panel, const ip_act *a, size_t group,
                         bool wide) {
    const int8_t *weights = (const int8_t *)(w->codes + panel * w->panel_bytes);
    const unsigned char *x = a->codes + group * a->group_bytes;
    const int16_t *x16 = (const int16_t *)(const void *)x;
    const int8_t *x8 = (const int8_t *)x;
    size_t groups = w->kp / w->group, groups32 = w->kp / IP_GROUP;
    const float *sums = w->group == 16 ? a->sum16 : a->sum32;
    for (size_t g = 0; g < groups; g++) {
        for (size_t t = 0; t < TILE; t++) {
            float xscale = a->scale[(group * groups32 + g * w->group / IP_GROUP) * TILE + t];
            float xsum = sums[(group * groups + g) * TILE + t];
            for (size_t i = 0; i < IP_LANES; i++) {
                int32_t sum = 0;
                for (size_t k = g * w->group; k < (g + 1) * w->group; k++) {
                    int32_t q = wide ? x16[k * TILE + t] : x8[k * TILE + t];
                    sum += weights[k * IP_LANES + i] * q;
                }
                size_t at = (panel * groups + g) * IP_LANES + i;
                acc[t][i] = fmaf((float)sum, w->scale[at] * xscale, acc[t][i]);
                if (w->has_min) acc[t][i] = fmaf(w->min[at], xsum, acc[t][i]);
            }
        }
    }
}

static void integer_product(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a,
                            bool wide) {
    for (size_t j = 0; j < panels; j++) {
        for (size_t r = 0; r < a->rows; r += TILE) {
            float acc[TILE][IP_LANES] = {{0}};
            integer_tile(acc, w, panel + j, a, r / TILE, wide);
            for (size_t t = 0; t < TILE; t++) memcpy(c + (r + t) * ldc + j * IP_LANES, acc[t], sizeof acc[t]);
        }
    }
}

void ip_gemm_int16_scalar(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    integer_product(c, ldc, w, panel, panels, a, true);
}

void ip_gemm_int8_scalar(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    integer_product(c, ldc, w, panel, panels, a, false);
}

/* Packed operands: how many bytes they take and where their parts lie. The layout of codes inside a panel or group is
 * the business of each instruction set; everything around it is here, once.
 *
 *   matrix   | panels x panel_bytes (head, codes) | scale [panels][kp / group][16] | min, the same |
 *   act      | groups x group_bytes (codes) | scale, sum32 [groups][kp / 32][tile] | sum16 [groups][kp / 16][tile]
 *            | extra [groups][kp / 32][3][tile] |
 *
 * Every part starts on a multiple of 64 bytes. Sizes that do not fit size_t are SIZE_MAX, which no allocator grants. */
#include "arch/kernels.h"

#include <math.h>
#include <stdbool.h>

static size_t times(size_t a, size_t b) {
    size_t out;
    return __builtin_mul_overflow(a, b, &out) ? SIZE_MAX : out;
}

static size_t plus(size_t a, size_t b) {
    size_t out;
    return __builtin_add_overflow(a, b, &out) ? SIZE_MAX : out;
}

/* Rounds up to a multiple of m; SIZE_MAX stays. */
static size_t round_up(size_t n, size_t m) {
    size_t more = plus(n, m - 1);
    return more == SIZE_MAX ? SIZE_MAX : more / m * m;
}

static bool is_integer(ip_arith arith) { return arith == IP_ARITH_INT16 || arith == IP_ARITH_INT8; }

size_t ip_padded_k(ip_arith arith, size_t k) {
    if (is_integer(arith)) return round_up(k, IP_GROUP);
    return arith == IP_ARITH_BF16 ? round_up(k, 2) : k;
}

/* Inputs that packed operands have room for. */
static size_t room_of_k(const ip_kernels *kernels, ip_arith arith, size_t k) {
    size_t kp = ip_padded_k(arith, k), step = kernels->k_step[arith];
    return step ? round_up(kp, step) : kp;
}

/* Bytes of the parts of a matrix: codes, and one of scale or min (0 for the float arithmetics). */
typedef struct matrix_parts {
    size_t panel, codes, scale;
} matrix_parts;

static matrix_parts parts_of_matrix(const ip_kernels *kernels, ip_arith arith, size_t n, size_t k, unsigned group) {
    size_t panels = round_up(n, IP_LANES) / IP_LANES, kp = ip_padded_k(arith, k);
    matrix_parts parts = {0, 0, 0};
    parts.panel = plus(times(times(room_of_k(kernels, arith, k), IP_LANES), kernels->weight_bytes[arith]),
                       kernels->head_bytes[arith]);
    parts.panel = round_up(parts.panel, 64);
    parts.codes = times(panels, parts.panel);
    if (is_integer(arith)) parts.scale = times(times(panels, kp / group), IP_LANES * sizeof(float));
    return parts;
}

size_t ip_matrix_bytes(const ip_kernels *kernels, ip_arith arith, size_t n, size_t k, unsigned group, bool has_min) {
    matrix_parts parts = parts_of_matrix(kernels, arith, n, k, group);
    return plus(parts.codes, times(parts.scale, has_min ? 2 : 1));
}

void ip_matrix_layout(ip_matrix *w, void *memory, const ip_kernels *kernels, ip_arith arith, size_t n, size_t k,
                      unsigned group, bool has_min) {
    matrix_parts parts = parts_of_matrix(kernels, arith, n, k, group);
    bool integer = is_integer(arith);
    unsigned char *base = memory;
    *w = (ip_matrix){.arith = arith,
                     .n = n,
                     .k = k,
                     .kp = ip_padded_k(arith, k),
                     .group = integer ? group : 0,
                     .has_min = integer && has_min,
                     .panel_bytes = parts.panel,
                     .codes = base};
    if (integer) w->scale = (float *)(void *)(base + parts.codes);
    if (w->has_min) w->min = (float *)(void *)(base + parts.codes + parts.scale);
}

typedef struct act_parts {
    size_t group, codes, per32, per16, extra;
} act_parts;

static act_parts parts_of_act(const ip_kernels *kernels, ip_arith arith, size_t rows, size_t k) {
    size_t tile = kernels->tile[arith], groups = round_up(rows, tile) / tile, kp = ip_padded_k(arith, k);
    act_parts parts = {0, 0, 0, 0, 0};
    parts.group = round_up(times(times(room_of_k(kernels, arith, k), tile), kernels->act_bytes[arith]), 64);
    parts.codes = times(groups, parts.group);
    if (is_integer(arith)) {
        size_t one = times(times(groups, kp / IP_GROUP), tile * sizeof(float));
        parts.per32 = round_up(one, 64);
        parts.per16 = round_up(times(one, 2), 64);
        parts.extra = round_up(times(one, 3), 64);
    }
    return parts;
}

size_t ip_act_bytes(const ip_kernels *kernels, ip_arith arith, size_t rows, size_t k) {
    act_parts parts = parts_of_act(kernels, arith, rows, k);
    return plus(plus(parts.codes, times(parts.per32, 2)), plus(parts.per16, parts.extra));
}

void ip_act_layout(ip_act *a, void *memory, const ip_kernels *kernels, ip_arith arith, size_t rows, size_t k) {
    act_parts parts = parts_of_act(kernels, arith, rows, k);
    unsigned char *base = memory;
    *a = (ip_act){.arith = arith,
                  .rows = rows,
                  .k = k,
                  .kp = ip_padded_k(arith, k),
                  .tile = kernels->tile[arith],
                  .group_bytes = parts.group,
                  .codes = base};
    if (!is_integer(arith)) return;
    base += parts.codes;
    a->scale = (float *)(void *)base;
    a->sum32 = (float *)(void *)(base + parts.per32);
    a->sum16 = (float *)(void *)(base + 2 * parts.per32);
    a->extra = (int32_t *)(void *)(base + 2 * parts.per32 + parts.per16);
}

int ip_act_fill_part(ip_act *a, const ip_kernels *kernels, const float *x, size_t stride, size_t from, size_t count) {
    switch (a->arith) {
    case IP_ARITH_F32: kernels->act_f32(a, x, stride, from, count); return 0;
    case IP_ARITH_BF16: kernels->act_bf16(a, x, stride, from, count); return 0;
    case IP_ARITH_INT16: return kernels->act_int16(a, x, stride, from, count);
    case IP_ARITH_INT8: return kernels->act_int8(a, x, stride, from, count);
    case IP_ARITHS: break;
    }
    return 0;
}

int ip_act_fill(ip_act *a, const ip_kernels *kernels, const float *x, size_t stride) {
    return ip_act_fill_part(a, kernels, x, stride, 0, a->k);
}

ip_scale ip_scale_for_int16(float *scale) {
    float size = fabsf(*scale);
    if (size > 0x1p62f) return IP_SCALE_TOO_LARGE;
    if (size >= 0x1p-62f) return IP_SCALE_FITS;
    *scale = 1.0f;
    return IP_SCALE_ZERO;
}

void ip_gemm(const ip_kernels *kernels, float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels,
             const ip_act *a) {
    switch (w->arith) {
    case IP_ARITH_F32: kernels->gemm_f32(c, ldc, w, panel, panels, a); break;
    case IP_ARITH_BF16: kernels->gemm_bf16(c, ldc, w, panel, panels, a); break;
    case IP_ARITH_INT16: kernels->gemm_int16(c, ldc, w, panel, panels, a); break;
    case IP_ARITH_INT8: kernels->gemm_int8(c, ldc, w, panel, panels, a); break;
    case IP_ARITHS: break;
    }
}

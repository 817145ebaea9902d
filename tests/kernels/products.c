/* Matrix products: packing, activations and product of one table go together, the result is compared with scalar's. */
#include <math.h>
#include <string.h>

#include "arch/bits.h"
#include "tests/kernels/check.h"

typedef struct shape {
    size_t n, k, rows;
} shape;

enum { SLOT_WEIGHTS, SLOT_CODES, SLOT_SCALE, SLOT_MIN, SLOT_X, SLOT_LAW = 6, SLOT_KERNELS = 10 };

/* What is multiplied: weights as floats or as codes with scales and mins [n][kp / group], and rows of floats. */
typedef struct problem {
    ip_arith arith;
    shape s;
    unsigned group;
    bool has_min;
    size_t kp, stride; /* stride of x */
    float *weights, *scale, *min, *x;
    int8_t *codes;
} problem;

typedef struct result {
    float *c;
    size_t ldc;
    int flag;
    ip_act act;
} result;

static void pack_panel(const ip_kernels *kernels, const problem *p, ip_matrix *w, size_t panel) {
    size_t first = panel * IP_LANES, left = p->s.n - first, count = left < IP_LANES ? left : IP_LANES;
    unsigned char *codes = w->codes + panel * w->panel_bytes;
    switch (p->arith) {
    case IP_ARITH_F32:
        kernels->pack_f32((float *)(void *)codes, p->weights + first * p->s.k, p->s.k, count, p->s.k);
        return;
    case IP_ARITH_BF16: kernels->pack_bf16(codes, p->weights + first * p->s.k, p->s.k, count, p->s.k); return;
    case IP_ARITH_INT16: kernels->pack_int16(codes, p->codes + first * p->kp, p->kp, count, p->kp); break;
    default: kernels->pack_int8(codes, p->codes + first * p->kp, p->kp, count, p->kp); break;
    }
    size_t groups = p->kp / p->group;
    for (size_t g = 0; g < groups; g++) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            size_t to = (panel * groups + g) * IP_LANES + lane, from = (first + lane) * groups + g;
            w->scale[to] = lane < count ? p->scale[from] : 1.0f;
            if (p->has_min) w->min[to] = lane < count ? p->min[from] : 0.0f;
        }
    }
}

/* The whole product by one table; the panels in two calls, so that a call in the middle of a matrix is seen too. */
static result multiply(const ip_kernels *kernels, const problem *p, unsigned slots, bool at_end) {
    const shape *s = &p->s;
    ip_matrix w;
    result r;
    size_t panels = (s->n + IP_LANES - 1) / IP_LANES, tile = kernels->tile[p->arith];
    size_t bytes = ip_matrix_bytes(kernels, p->arith, s->n, s->k, p->group, p->has_min);
    ip_matrix_layout(&w, slot(slots, bytes, at_end), kernels, p->arith, s->n, s->k, p->group, p->has_min);
    for (size_t j = 0; j < panels; j++) pack_panel(kernels, p, &w, j);
    bytes = ip_act_bytes(kernels, p->arith, s->rows, s->k);
    ip_act_layout(&r.act, slot(slots + 1, bytes, at_end), kernels, p->arith, s->rows, s->k);
    /* In two parts, the later first, so that a part in the middle of the inputs is seen too. */
    size_t part = s->k / 2 / IP_GROUP * IP_GROUP;
    r.flag = ip_act_fill_part(&r.act, kernels, p->x + part, p->stride, part, s->k - part);
    if (part > 0) r.flag |= ip_act_fill_part(&r.act, kernels, p->x, p->stride, 0, part);
    r.ldc = panels * IP_LANES;
    size_t padded = (s->rows + tile - 1) / tile * tile;
    r.c = slot(slots + 2, padded * r.ldc * sizeof(float), at_end);
    if (r.flag) return r;
    size_t first = panels / 2;
    if (first > 0) ip_gemm(kernels, r.c, r.ldc, &w, 0, first, &r.act);
    ip_gemm(kernels, r.c + first * IP_LANES, r.ldc, &w, first, panels - first, &r.act);
    return r;
}

/* Scales and sums of the activations, wherever the tiles put them. */
static void compare_acts(check *c, const problem *p, const ip_act *got, const ip_act *want) {
    size_t groups = p->kp / IP_GROUP;
    bool same = true;
    for (size_t r = 0; r < p->s.rows; r++) {
        for (size_t g = 0; g < groups; g++) {
            size_t a = (r / got->tile * groups + g) * got->tile + r % got->tile;
            size_t b = (r / want->tile * groups + g) * want->tile + r % want->tile;
            same = same && memcmp(&got->scale[a], &want->scale[b], 4) == 0 &&
                   memcmp(&got->sum32[a], &want->sum32[b], 4) == 0;
            for (size_t h = 0; h < 2; h++) {
                a = (r / got->tile * groups * 2 + 2 * g + h) * got->tile + r % got->tile;
                b = (r / want->tile * groups * 2 + 2 * g + h) * want->tile + r % want->tile;
                same = same && memcmp(&got->sum16[a], &want->sum16[b], 4) == 0;
            }
        }
    }
    check_that(c, same, "scales or sums of activations differ");
}

/* |c - exact| <= k 2^-23 sum |x w| over operands rounded to bf16, the sums in double. */
static void compare_bf16(check *c, const problem *p, const result *got) {
    bool good = true;
    for (size_t r = 0; r < p->s.rows; r++) {
        for (size_t n = 0; n < p->s.n; n++) {
            double exact = 0, size = 0;
            for (size_t k = 0; k < p->s.k; k++) {
                double x = (double)ip_f32_from_bf16(ip_bf16_from_f32(p->x[r * p->stride + k]));
                double product = x * (double)ip_f32_from_bf16(ip_bf16_from_f32(p->weights[n * p->s.k + k]));
                exact += product;
                size += fabs(product);
            }
            double error = fabs((double)got->c[r * got->ldc + n] - exact);
            good = good && error <= (double)p->s.k * 0x1p-23 * size;
        }
    }
    check_that(c, good, "a bf16 product leaves its bound");
}

static void compare(check *c, const problem *p, bool at_end) {
    result got = multiply(c->kernels, p, SLOT_KERNELS, at_end);
    if (p->arith == IP_ARITH_BF16) {
        compare_bf16(c, p, &got);
        slots_check(c);
        return;
    }
    result want = multiply(c->law, p, SLOT_LAW, true);
    check_that(c, got.flag == want.flag, "flag %d, scalar says %d", got.flag, want.flag);
    if (!want.flag && !got.flag) {
        if (p->arith != IP_ARITH_F32) compare_acts(c, p, &got.act, &want.act);
        for (size_t r = 0; r < p->s.rows; r++) check_floats(c, got.c + r * got.ldc, want.c + r * want.ldc, got.ldc);
    }
    slots_check(c);
}

/* Fills a problem; extreme: codes at their ends and activations that quantise to theirs. */
static problem make(check *c, ip_arith arith, shape s, kind k, unsigned group, bool has_min, bool extreme,
                    bool at_end) {
    problem p = {.arith = arith, .s = s, .group = group, .has_min = has_min, .kp = ip_padded_k(arith, s.k)};
    p.stride = s.k + random_below(c, 3);
    size_t floats = (s.rows - 1) * p.stride + s.k;
    p.x = slot(SLOT_X, floats * sizeof(float), at_end);
    fill_floats(c, k, p.x, floats);
    if (arith == IP_ARITH_F32 || arith == IP_ARITH_BF16) {
        p.weights = slot(SLOT_WEIGHTS, s.n * s.k * sizeof(float), at_end);
        fill_floats(c, k == KIND_TINY || k == KIND_LARGE ? KIND_NORMAL : k, p.weights, s.n * s.k);
        return p;
    }
    p.codes = slot(SLOT_CODES, s.n * p.kp, at_end);
    for (size_t n = 0; n < s.n; n += IP_LANES) /* panels of one matrix may span different codes */
        fill_codes(c, extreme, p.codes + n * p.kp, (s.n - n < IP_LANES ? s.n - n : IP_LANES) * p.kp);
    for (size_t i = 0; extreme && i < floats; i++) p.x[i] = random_bits(c) & 1 ? 3.0f : -3.0f;
    size_t scales = s.n * (p.kp / group);
    p.scale = slot(SLOT_SCALE, scales * sizeof(float), at_end);
    fill_floats(c, k == KIND_WIDE ? KIND_WIDE : KIND_NORMAL, p.scale, scales);
    for (size_t i = 0; arith == IP_ARITH_INT16 && i < scales; i++) {
        ip_scale fits = ip_scale_for_int16(&p.scale[i]);
        if (fits == IP_SCALE_TOO_LARGE) p.scale[i] = 0x1p62f;
        if (fits == IP_SCALE_ZERO) memset(p.codes + i * group, 0, group);
    }
    p.min = slot(SLOT_MIN, scales * sizeof(float), at_end);
    fill_floats(c, KIND_NORMAL, p.min, scales);
    return p;
}

static void one(check *c, ip_arith arith, shape s, kind k, unsigned group, bool has_min, bool extreme) {
    bool at_end = (s.n + s.k + s.rows) % 2 == 0;
    check_case(c, "n %zu, k %zu, rows %zu, %s%s, group %u%s, flush %s", s.n, s.k, s.rows, kind_name(k),
               extreme ? " extremes" : "", group, has_min ? " with min" : "", at_end ? "behind" : "in front");
    problem p = make(c, arith, s, k, group, has_min, extreme, at_end);
    compare(c, &p, at_end);
}

/* Groups of activations at the edges of the quantiser: the largest value just below, at and above an edge, one float
 * apart; and halves whose every code is a negative zero, where a sum must still be +0. Edges: for int8 where a group
 * counts as zero; for int16 where the scale changes, and the ends of its range. */
static void edges(check *c, ip_arith arith) {
    static const float int8_edges[] = {0x1p-100f}, int16_edges[] = {IP_Q16_MAX, IP_Q16_MAX * 0x1p-13f, 0x1p-14f,
                                                                    8192.0f,    IP_Q16_MAX * 0x1p-62f, 0x1p-62f,
                                                                    0x1p-63f,   IP_Q16_MAX * 0x1p61f,  0x1p75f};
    const bool wide = arith == IP_ARITH_INT16;
    const size_t count = wide ? sizeof int16_edges / sizeof *int16_edges : 1;
    for (unsigned variant = 0; variant < 4; variant++) {
        shape s = {20, 512, 6};
        bool has_min = variant & 1;
        check_case(c, "edges of the quantiser, group %u%s", variant & 2 ? 16 : 32, has_min ? " with min" : "");
        problem p = make(c, arith, s, KIND_NORMAL, variant & 2 ? 16 : 32, has_min, false, true);
        for (size_t r = 0; r < s.rows; r++) {
            for (size_t k = 0; k < s.k; k++) {
                size_t g = k / IP_GROUP, half = k % IP_GROUP / 16;
                float at = wide ? int16_edges[(g / 3 + r) % count] : int8_edges[0];
                float edge = ip_f32_from_bits(ip_f32_bits(at) + (uint32_t)(g % 3) - 1);
                float x = random_bits(c) & 1 ? edge : -edge;
                if (g % 2) x = half == g / 2 % 2 ? random_normal(c) : -1e-9f;
                p.x[r * p.stride + k] = x;
            }
        }
        compare(c, &p, true);
    }
}

/* The largest value that int16 takes, and the one after it. */
static void too_large(check *c) {
    check_case(c, "the largest value of int16");
    shape s = {16, 70, 5};
    problem p = make(c, IP_ARITH_INT16, s, KIND_NORMAL, 32, false, false, true);
    size_t at = random_below(c, s.rows) * p.stride + random_below(c, s.k);
    for (int above = 0; above < 2; above++) {
        p.x[at] = ip_f32_from_bits(ip_f32_bits(-IP_Q16_MAX * 0x1p62f) + (uint32_t)above);
        ip_act act;
        size_t bytes = ip_act_bytes(c->kernels, IP_ARITH_INT16, s.rows, s.k);
        ip_act_layout(&act, slot(SLOT_KERNELS, bytes, true), c->kernels, IP_ARITH_INT16, s.rows, s.k);
        check_that(c, ip_act_fill(&act, c->kernels, p.x, p.stride) == above, "the flag is wrong");
        slots_check(c);
    }
}

/* A value that is not finite anywhere must raise the flag, whatever stands beside it. */
static void not_finite(check *c, ip_arith arith) {
    static const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < 3 * 40; i++) {
        shape s = {16, 70, 5};
        check_case(c, "not finite, case %zu", i);
        problem p = make(c, arith, s, i % 2 ? KIND_NORMAL : KIND_TINY, 32, false, false, true);
        p.x[random_below(c, s.rows) * p.stride + random_below(c, s.k)] = bad[i % 3];
        if (i % 5 == 0) p.x[random_below(c, s.rows) * p.stride + random_below(c, s.k)] = NAN;
        ip_act act;
        size_t bytes = ip_act_bytes(c->kernels, arith, s.rows, s.k);
        ip_act_layout(&act, slot(SLOT_KERNELS, bytes, true), c->kernels, arith, s.rows, s.k);
        check_that(c, ip_act_fill(&act, c->kernels, p.x, p.stride) == 1, "the flag is not raised");
        slots_check(c);
    }
}

static void check_product(check *c, ip_arith arith) {
    bool integer = arith == IP_ARITH_INT16 || arith == IP_ARITH_INT8;
    size_t kinds = arith == IP_ARITH_BF16 ? 2 : KINDS;
    /* Around the tiles: every number of rows, a k and n that walk along. */
    for (size_t rows = 1; rows <= 40; rows++) {
        shape s = {1 + rows * 7 % 40, 1 + rows * 29 % 97, rows};
        one(c, arith, s, (kind)(rows % kinds), rows % 3 ? 32 : 16, rows % 2 == 0, false);
    }
    for (size_t k = 1; k <= 70; k++) {
        shape s = {1 + k % 35, k, 1 + k * 5 % 29};
        one(c, arith, s, (kind)(k % kinds), k % 2 ? 32 : 16, k % 3 == 0, false);
    }
    for (unsigned variant = 0; integer && variant < 16; variant++) {
        one(c, arith, (shape){81, 512, 14}, KIND_NORMAL, variant & 1 ? 16 : 32, variant & 2, true);
        one(c, arith, (shape){33, 515, 25}, KIND_NORMAL, variant & 1 ? 16 : 32, variant & 2, false);
    }
    /* More than one block of k (generic/walk.h), and panels that are not a multiple of eight. */
    one(c, arith, (shape){18, 4200, 7}, KIND_NORMAL, 32, true, false);
    one(c, arith, (shape){150, 2077, 13}, KIND_WIDE, 16, true, false);
    static const shape models[] = {{1536, 576, 27}, {576, 1536, 13}, {896, 896, 13},
                                   {128, 896, 31},  {2048, 8192, 3}, {64, 4096, 13}};
    for (size_t i = 0; i < sizeof models / sizeof *models && !(c->quick && i > 0); i++) {
        shape s = models[i];
        if (c->quick) s.n = 80;
        one(c, arith, s, KIND_NORMAL, i % 2 ? 16 : 32, i % 3 == 1, false);
    }
    if (integer) edges(c, arith);
    if (integer) not_finite(c, arith);
    if (arith == IP_ARITH_INT16) too_large(c);
}

void check_product_f32(check *c) { check_product(c, IP_ARITH_F32); }
void check_product_bf16(check *c) { check_product(c, IP_ARITH_BF16); }
void check_product_int16(check *c) { check_product(c, IP_ARITH_INT16); }
void check_product_int8(check *c) { check_product(c, IP_ARITH_INT8); }

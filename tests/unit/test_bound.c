/* The bound: small joints against analytic and enumerated results, invariants, and the curve of real text. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/infoplane.h"
#include "core/philox.h"
#include "tests/unit/shared_data.h"

static const double bit = 0.6931471805599453;

typedef struct triplets {
    uint32_t *x, *y;
    uint64_t *counts; /* one of the two */
    double *p;
    size_t n;
} triplets;

static size_t read_column(const char *name, const char *part, void *out, size_t size) {
    ip_npy npy;
    ip_error error;
    cr_assert_eq(ip_npy_open(&npy, shared_path("golden/bound/%s_%s.npy", name, part), &error), IP_OK, "%s",
                 error.message);
    for (size_t i = 0; out && i < npy.count; i++) {
        if (npy.kind == 'f') {
            memcpy((double *)out + i, npy.data + 8 * i, 8);
        } else if (size == 8) {
            ((uint64_t *)out)[i] = (uint64_t)ip_npy_int(&npy, i);
        } else {
            ((uint32_t *)out)[i] = (uint32_t)ip_npy_int(&npy, i);
        }
    }
    size_t n = npy.count;
    ip_npy_close(&npy);
    return n;
}

static triplets read_triplets(const char *name, bool counted) {
    triplets t = {.n = read_column(name, "x", NULL, 0)};
    t.x = malloc(t.n * sizeof *t.x);
    t.y = malloc(t.n * sizeof *t.y);
    t.counts = counted ? malloc(t.n * sizeof *t.counts) : NULL;
    t.p = counted ? NULL : malloc(t.n * sizeof *t.p);
    read_column(name, "x", t.x, 4);
    read_column(name, "y", t.y, 4);
    read_column(name, counted ? "c" : "p", counted ? (void *)t.counts : (void *)t.p, 8);
    return t;
}

static void free_triplets(triplets *t) {
    free(t->x);
    free(t->y);
    free(t->counts);
    free(t->p);
}

static ip_bound_curve *curve_of(const triplets *t, const double *betas, size_t n, uint64_t m, const char *effort,
                                unsigned threads) {
    ip_settings settings;
    ip_settings_default(&settings);
    settings.bins = m;
    settings.bound_effort = effort;
    settings.threads = threads;
    ip_bound_curve *curve;
    ip_error error;
    ip_status status = ip_bound_joint(&curve, t->x, t->y, t->counts, t->p, t->n, betas, n, &settings, NULL, &error);
    cr_assert_eq(status, IP_OK, "%s", error.message);
    return curve;
}

static json_t *golden(const char *name) {
    json_error_t e;
    json_t *o = json_load_file(shared_path("golden/bound/%s.json", name), 0, &e);
    cr_assert_not_null(o, "%s", e.text);
    return o;
}

static double number(const json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }

/* What holds of every curve. */
static void check_laws(const ip_bound_curve *c) {
    double log_m = log((double)c->codewords), last_slope = HUGE_VAL;
    for (size_t i = 0; i < c->point_count; i++) {
        const ip_bound_point *p = &c->points[i];
        cr_assert(p->I_Y <= p->I_X + 1e-12 && p->I_Y <= c->I_XY + 1e-12 && p->I_X <= log_m + 1e-9);
        cr_assert(p->functional <= 1e-12, "beta %g: worse than the trivial encoder", p->beta);
        cr_assert(ip_bound_at(c, p->I_X) >= p->I_Y - 1e-12, "beta %g: the point lies above the hull", p->beta);
        if (i == 0) continue;
        const ip_bound_point *q = &c->points[i - 1]; /* of a larger beta */
        cr_assert(p->functional >= q->functional - 1e-12, "the functional rises with beta");
        cr_assert(p->I_X <= q->I_X + 1e-12 && p->I_Y <= q->I_Y + 1e-12);
        /* concave in beta: its slope is -I_Y, which a tangent shows */
        cr_assert(q->functional <= p->functional - p->I_Y * (q->beta - p->beta) + 1e-12 * q->beta);
    }
    cr_assert(c->hull[0].I_X == 0 && c->hull[0].I_Y == 0);
    for (size_t i = 1; i < c->hull_count; i++) {
        double slope = (c->hull[i].I_Y - c->hull[i - 1].I_Y) / (c->hull[i].I_X - c->hull[i - 1].I_X);
        cr_assert(slope <= last_slope + 1e-9 && slope > 0 && slope <= 1 + 1e-9);
        last_slope = slope;
    }
}

/* ---- small joints ---- */

enum { BETAS = 64 };

static void compare_points(const char *name, const triplets *t, const json_t *points, uint64_t m, bool unrestricted) {
    double betas[BETAS];
    size_t n = json_array_size(points);
    cr_assert(n > 0 && n <= BETAS);
    for (size_t i = 0; i < n; i++) betas[i] = number(json_array_get(points, i), "beta");
    ip_bound_curve *c = curve_of(t, betas, n, m, "normal", 1);
    check_laws(c);
    for (size_t i = 0; i < n; i++) {
        const json_t *g = json_array_get(points, i);
        const ip_bound_point *p = NULL;
        for (size_t k = 0; k < n; k++)
            if (c->points[k].beta == betas[i]) p = &c->points[k];
        double F = json_object_get(g, "F_nats") ? number(g, "F_nats")
                                                : (number(g, "IXZ_bits") - betas[i] * number(g, "IYZ_bits")) * bit;
        double gap = number(g, "dual_gap_nats");
        cr_assert(p && p->functional <= F + 1e-6, "%s, m %zu, beta %g: %.12g instead of %.12g", name, (size_t)m,
                  betas[i], p ? p->functional : NAN, F);
        cr_assert(!unrestricted || p->functional >= F - gap - 1e-7, "%s, beta %g: %.12g is below the certified %.12g",
                  name, betas[i], p->functional, F);
    }
    ip_bound_curve_free(c);
}

static void small_joint(const char *name) {
    if (shared_missing(shared_path("golden/bound/%s.json", name))) return;
    json_t *o = golden(name);
    triplets t = read_triplets(name, false);
    const json_t *free_points = json_object_get(o, "unrestricted"), *at = json_object_get(o, "at_beta");
    uint64_t nx = (uint64_t)number(o, "nx");
    if (json_array_size(free_points) > 0) compare_points(name, &t, free_points, nx + 1, true);
    if (json_array_size(at) > 0) compare_points(name, &t, at, nx + 1, true);
    const char *m;
    json_t *points;
    json_object_foreach(json_object_get(o, "small"), m, points) {
        json_t *list = json_is_array(points) ? points : json_object_get(points, "points");
        if (json_array_size(list) > 0) compare_points(name, &t, list, strtoull(m, NULL, 10), false);
    }
    free_triplets(&t);
    json_decref(o);
}

Test(bound_small, binary_symmetric_channels) {
    small_joint("bsc_050");
    small_joint("bsc_110");
    small_joint("bsc_250");
}
Test(bound_small, blocks) { small_joint("blocks"); }
Test(bound_small, random8x8) { small_joint("random8x8"); }
Test(bound_small, random20x15) { small_joint("random20x15"); }
Test(bound_small, sparse20x15) { small_joint("sparse20x15"); }

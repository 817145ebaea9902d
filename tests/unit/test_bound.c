/* The bound: small joints against analytic and enumerated results, invariants, and the curve of real text. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/infoplane.h"
#include "core/numbers/philox.h"
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

/* The curve is the diagonal up to H(Y), here with too few codewords too: enumerated groupings. */
Test(bound_small, deterministic) {
    if (shared_missing(shared_path("golden/bound/deterministic.json"))) return;
    json_t *o = golden("deterministic");
    triplets t = read_triplets("deterministic", false);
    static const double betas[] = {8.0, 2.0, 1.2};
    double H_Y = number(o, "HY_bits") * bit;
    ip_bound_curve *c = curve_of(&t, betas, 3, 13, "normal", 1);
    check_laws(c);
    for (size_t i = 0; i < 3; i++)
        cr_assert(fabs(c->points[i].I_Y - H_Y) < 1e-9 && fabs(c->points[i].I_X - H_Y) < 1e-9);
    cr_assert(fabs(ip_bound_at(c, 0.4 * H_Y) - 0.4 * H_Y) < 1e-9 && fabs(ip_bound_at(c, 2 * H_Y) - H_Y) < 1e-9);
    ip_bound_curve_free(c);
    const json_t *few = json_object_get(o, "best_with_m_codewords");
    for (size_t i = 1; i < json_array_size(few); i++) {
        const json_t *row = json_array_get(few, i);
        static const double large[] = {50.0};
        c = curve_of(&t, large, 1, (uint64_t)number(row, "m"), "normal", 1);
        cr_assert(fabs(c->points[0].I_Y - number(row, "IYZ_bits") * bit) < 1e-9);
        ip_bound_curve_free(c);
    }
    free_triplets(&t);
    json_decref(o);
}

Test(bound_small, erasure_and_independent) {
    if (shared_missing(shared_path("golden/bound/erasure.json"))) return;
    static const double betas[] = {10.0, 2.0, 1.5, 1.4, 1.2};
    json_t *o = golden("erasure");
    triplets t = read_triplets("erasure", false);
    ip_bound_curve *c = curve_of(&t, betas, 5, 5, "normal", 1);
    check_laws(c);
    double keeps = 1.0 - number(o, "erasure"), H_X = number(o, "HX_bits") * bit;
    for (size_t i = 0; i < 5; i++) { /* above 1 / 0.7 everything is kept, below it nothing */
        double I_X = betas[i] > 1.0 / keeps ? H_X : 0.0;
        cr_assert(fabs(c->points[i].functional - I_X * (1.0 - betas[i] * keeps)) < 1e-9);
    }
    cr_assert(fabs(ip_bound_at(c, 0.5 * H_X) - 0.5 * H_X * keeps) < 1e-9);
    ip_bound_curve_free(c);
    free_triplets(&t);
    json_decref(o);
    t = read_triplets("independent", false);
    c = curve_of(&t, betas, 5, 8, "normal", 1);
    check_laws(c);
    for (size_t i = 0; i < 5; i++) cr_assert(fabs(c->points[i].functional) < 1e-9 && c->points[i].I_Y < 1e-9);
    ip_bound_curve_free(c);
    free_triplets(&t);
}

/* ---- invariants, on joints that are made here ---- */

static uint32_t word(uint32_t i, uint32_t purpose) {
    uint32_t words[4];
    ip_philox((uint32_t[4]){i, 0, 0, purpose}, 5, words);
    return words[0];
}

static triplets make_counts(uint32_t nx, uint32_t ny, size_t n) {
    triplets t = {malloc(n * sizeof(uint32_t)), malloc(n * sizeof(uint32_t)), malloc(n * sizeof(uint64_t)), NULL, n};
    for (size_t i = 0; i < n; i++) {
        uint32_t x = word((uint32_t)i, 1) % nx,
                 y = word((uint32_t)i, 2) % 4 == 0 ? word((uint32_t)i, 3) % ny : x * 7 % ny;
        t.x[i] = x;
        t.y[i] = y;
        t.counts[i] = 1 + word((uint32_t)i, 4) % 5;
    }
    return t;
}

static const double few_betas[] = {20.0, 5.0, 2.5, 1.5, 1.1};
enum { FEW = sizeof few_betas / sizeof *few_betas };

static void check_equal(const ip_bound_curve *a, const ip_bound_curve *b) {
    cr_assert_eq(a->point_count, b->point_count);
    for (size_t i = 0; i < a->point_count; i++)
        cr_assert(fabs(a->points[i].functional - b->points[i].functional) < 1e-9, "beta %g: %.15g and %.15g",
                  a->points[i].beta, a->points[i].functional, b->points[i].functional);
    cr_assert(a->merged_x == b->merged_x && a->merged_y == b->merged_y && a->components == b->components);
}

static void check_renamed(uint32_t nx, uint32_t ny, size_t n, uint64_t m) {
    triplets t = make_counts(nx, ny, n);
    ip_bound_curve *plain = curve_of(&t, few_betas, FEW, m, "low", 1);
    check_laws(plain);
    for (size_t i = 0; i < n; i++) { /* other numbers for x and y, and the triplets from the back */
        t.x[i] = 1000003u * (nx - t.x[i]);
        t.y[i] = t.y[i] ^ 0x2a5u;
    }
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t x = t.x[i], y = t.y[i];
        uint64_t c = t.counts[i];
        t.x[i] = t.x[n - 1 - i], t.y[i] = t.y[n - 1 - i], t.counts[i] = t.counts[n - 1 - i];
        t.x[n - 1 - i] = x, t.y[n - 1 - i] = y, t.counts[n - 1 - i] = c;
    }
    ip_bound_curve *renamed = curve_of(&t, few_betas, FEW, m, "low", 2);
    check_equal(plain, renamed);
    ip_bound_curve_free(plain);
    ip_bound_curve_free(renamed);
    free_triplets(&t);
}

Test(bound_laws, names_and_threads_change_nothing) {
    check_renamed(12, 9, 60, 5);
    check_renamed(400, 300, 3000, 20);
}

/* Every x becomes two with the same row, one of them twice as heavy. */
static void check_split(uint32_t nx, uint32_t ny, size_t n, uint64_t m) {
    triplets t = make_counts(nx, ny, n), two = make_counts(nx, ny, 2 * n);
    for (size_t i = 0; i < n; i++) {
        two.x[i] = t.x[i], two.y[i] = t.y[i], two.counts[i] = t.counts[i];
        two.x[n + i] = t.x[i] + nx, two.y[n + i] = t.y[i], two.counts[n + i] = 2 * t.counts[i];
    }
    ip_bound_curve *a = curve_of(&t, few_betas, FEW, m, "low", 1), *b = curve_of(&two, few_betas, FEW, m, "low", 1);
    check_equal(a, b);
    cr_assert(fabs(a->I_XY - b->I_XY) < 1e-12 && b->x == 2 * a->x);
    ip_bound_curve_free(a);
    ip_bound_curve_free(b);
    free_triplets(&t);
    free_triplets(&two);
}

Test(bound_laws, splitting_an_x_changes_nothing) {
    check_split(12, 9, 60, 5);
    check_split(400, 300, 3000, 20);
}

/* The identity is a trivial encoder when there are codewords enough. */
Test(bound_laws, never_below_the_identity) {
    triplets t = make_counts(90, 80, 500);
    ip_bound_curve *c = curve_of(&t, few_betas, FEW, 200, "low", 1);
    check_laws(c);
    cr_assert(fabs(ip_bound_at(c, c->H_X) - c->I_XY) < 1e-12, "%.15g of %.15g", ip_bound_at(c, c->H_X), c->I_XY);
    ip_bound_curve_free(c);
    free_triplets(&t);
}

Test(bound_laws, hostile_joints_are_refused) {
    ip_settings settings;
    ip_settings_default(&settings);
    settings.threads = 1;
    ip_bound_curve *curve;
    ip_error error;
    static const uint32_t x[] = {0, 4294967295u}, y[] = {7, 7};
    static const uint64_t huge[] = {UINT64_MAX, 2}, none[] = {0, 0}, one[] = {3, 4};
    static const double negative[] = {0.5, -0.5}, nan_[] = {0.5, NAN}, low[] = {0.5}, fine[] = {4.0};
    cr_assert_eq(ip_bound_joint(&curve, x, y, huge, NULL, 2, fine, 1, &settings, NULL, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_bound_joint(&curve, x, y, none, NULL, 2, fine, 1, &settings, NULL, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_bound_joint(&curve, x, y, NULL, negative, 2, fine, 1, &settings, NULL, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_bound_joint(&curve, x, y, NULL, nan_, 2, fine, 1, &settings, NULL, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_bound_joint(&curve, x, y, one, NULL, 2, low, 1, &settings, NULL, &error), IP_USAGE);
    static const char *const bad[] = {"",        "1",   "0.5,2", "2,", "1.5:3", "3:2:4", "1.01:100:1e9",
                                      "2:3:2.5", "nan", "2;3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        settings.bound_betas = bad[i];
        cr_assert_eq(ip_bound_joint(&curve, x, y, one, NULL, 2, NULL, 0, &settings, NULL, &error), IP_USAGE, "%s",
                     bad[i]);
    }
    /* one y: independent; both x merge into one */
    cr_assert_eq(ip_bound_joint(&curve, x, y, one, NULL, 2, fine, 1, &settings, NULL, &error), IP_OK);
    cr_assert(curve->points[0].I_Y == 0 && curve->merged_x == 1 && curve->I_XY < 1e-15);
    ip_bound_curve_free(curve);
}

/* ---- real text ---- */

static double text_shortfall(const char *name, const char *effort) {
    json_t *o = golden(name);
    const json_t *points = json_object_get(o, "curve");
    triplets t = read_triplets(name, true);
    double betas[BETAS], worst = -HUGE_VAL;
    size_t n = json_array_size(points);
    for (size_t i = 0; i < n; i++) betas[i] = number(json_array_get(points, i), "beta");
    ip_bound_curve *c = curve_of(&t, betas, n, (uint64_t)number(o, "m"), effort, 0);
    check_laws(c);
    cr_assert(c->merged_x == (uint64_t)number(o, "reduced_x") && c->merged_y == (uint64_t)number(o, "reduced_y") &&
              c->merged_pairs == (uint64_t)number(o, "reduced_nonzeros"));
    cr_assert(c->components == (uint64_t)number(o, "components"));
    cr_assert(fabs(c->H_component / bit - number(o, "component_entropy_bits")) < 1e-9);
    cr_assert(fabs(c->I_XY / bit - number(o, "IXY_bits")) < 1e-9 && fabs(c->H_X / bit - number(o, "HX_bits")) < 1e-9);
    for (size_t i = 0; i < n; i++) {
        const json_t *g = json_array_get(points, i);
        for (size_t k = 0; k < n; k++) {
            if (c->points[k].beta != betas[i]) continue;
            double shortfall = (c->points[k].functional - number(g, "functional_nats")) / betas[i] / bit;
            worst = shortfall > worst ? shortfall : worst;
        }
    }
    const json_t *component = json_object_get(o, "component_encoder_bits"); /* order 2 has it; else 0 */
    double packed = json_number_value(json_array_get(component, 0)) * bit;
    cr_assert(ip_bound_at(c, packed) >= packed - 1e-6, "the packed components lie above the hull");
    ip_bound_curve_free(c);
    free_triplets(&t);
    json_decref(o);
    return worst;
}

Test(bound_text, order_1_is_within_three_hundredths_of_a_bit) {
    if (shared_missing(shared_path("golden/bound/text_order1.json"))) return;
    double worst = text_shortfall("text_order1", "low");
    cr_assert(worst <= 0.03, "%g bits", worst);
}

/* Minutes of one processor: asked for by INFOPLANE_LONG. */
Test(bound_text, both_orders_at_every_effort, .timeout = 1800) {
    if (!getenv("INFOPLANE_LONG")) {
        fprintf(stderr, "SKIPPED: text orders 1 and 2 at normal and high effort take minutes (set INFOPLANE_LONG)\n");
        return;
    }
    if (shared_missing(shared_path("golden/bound/text_order2.json"))) return;
    static const char *const efforts[] = {"normal", "high"};
    for (int e = 0; e < 2; e++) {
        double first = text_shortfall("text_order1", efforts[e]), second = text_shortfall("text_order2", efforts[e]);
        fprintf(stderr, "effort %s: order 1 %.5f bits, order 2 %.5f bits\n", efforts[e], first, second);
        cr_assert(first <= (e ? 0.01 : 0.03) && second <= (e ? 0.01 : 0.03));
    }
}

/* A joint into its curve: reduced, searched, every beta given the best point found, the hull drawn. */
#include "core/bound/bound_curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"

enum { SMALL_X = 64, SMALL_PAIRS = 2048, SMALL_M = 80 };

static const ip_bound_effort efforts[] = {
    {"low", 1, 8, 0, 4, 10, 1e-5, 12},
    {"normal", 2, 24, 1, 6, 24, 1e-6, 60},
    {"high", 4, 80, 8, 12, 100, 1e-8, 120},
};

ip_status ip_bound_effort_by_name(const ip_bound_effort **out, const char *name, ip_error *error) {
    for (size_t i = 0; i < sizeof efforts / sizeof *efforts; i++) {
        *out = &efforts[i];
        if (!name || strcmp(name, efforts[i].name) == 0) return IP_OK;
    }
    return ip_fail(error, IP_USAGE, "--effort %s: there are low, normal and high", name);
}

/* ---- points ---- */

bool ip_bound_found(ip_bound_search *s, ip_plane_point p, double tolerance, uint64_t codewords, const char *kind) {
    if (s->found_count == s->found_room) {
        size_t room = 2 * s->found_room + 64;
        ip_bound_point *more = realloc(s->found, room * sizeof *more);
        if (!more) return false;
        s->found = more;
        s->found_room = room;
    }
    /* what no encoder passes; rounding may, in the last digits */
    double I_Y = p.I_Y < p.I_X ? p.I_Y : p.I_X;
    I_Y = I_Y < s->joint->IXY ? I_Y : s->joint->IXY;
    s->found[s->found_count++] =
        (ip_bound_point){.I_X = p.I_X, .I_Y = I_Y, .tolerance = tolerance, .codewords = codewords, .kind = kind};
    return true;
}

static ip_bound_point best_at(const ip_bound_search *s, double beta) {
    ip_bound_point best = {.functional = INFINITY};
    for (size_t i = 0; i < s->found_count; i++) {
        ip_bound_point p = s->found[i];
        p.beta = beta;
        p.functional = p.I_X - beta * p.I_Y;
        if (p.functional < best.functional) best = p;
    }
    return best;
}

static int by_place(const void *a, const void *b) {
    const ip_bound_vertex *p = a, *q = b;
    if (p->I_X != q->I_X) return p->I_X < q->I_X ? -1 : 1;
    return (p->I_Y > q->I_Y) - (p->I_Y < q->I_Y);
}

/* The upper concave hull of (0, 0) and all points, as far as it rises. */
static bool draw_hull(ip_bound_curve *curve, const ip_bound_search *s) {
    ip_bound_vertex *all = malloc((s->found_count + 1) * sizeof *all);
    if (!all) return false;
    all[0] = (ip_bound_vertex){0, 0};
    for (size_t i = 0; i < s->found_count; i++) all[i + 1] = (ip_bound_vertex){s->found[i].I_X, s->found[i].I_Y};
    qsort(all, s->found_count + 1, sizeof *all, by_place);
    size_t n = 0;
    for (size_t i = 0; i <= s->found_count; i++) {
        ip_bound_vertex p = all[i];
        while (n > 0 && all[n - 1].I_Y <= p.I_Y &&
               (all[n - 1].I_X == p.I_X || (n > 1 && (all[n - 1].I_X - all[n - 2].I_X) * (p.I_Y - all[n - 2].I_Y) >=
                                                         (all[n - 1].I_Y - all[n - 2].I_Y) * (p.I_X - all[n - 2].I_X))))
            n--;
        if (n == 0 || p.I_Y > all[n - 1].I_Y) all[n++] = p;
    }
    if (n == 0 || all[0].I_X > 0) { /* nothing but points at I(X;Z) = 0 */
        all[0] = (ip_bound_vertex){0, 0};
        n = 1;
    }
    curve->hull = all;
    curve->hull_count = n;
    return true;
}

double ip_bound_at(const ip_bound_curve *curve, double I_X) {
    const ip_bound_vertex *h = curve->hull;
    size_t i = 1;
    if (!(I_X > 0)) return 0.0;
    while (i < curve->hull_count && h[i].I_X < I_X) i++;
    if (i >= curve->hull_count) return h[curve->hull_count - 1].I_Y;
    double share = (I_X - h[i - 1].I_X) / (h[i].I_X - h[i - 1].I_X);
    return h[i - 1].I_Y + share * (h[i].I_Y - h[i - 1].I_Y);
}

ip_bound_gap ip_bound_gap_of(const ip_bound_curve *curve, const ip_layer_result *layer) {
    unsigned k = curve->order - 1;
    double at = ip_bound_at(curve, layer->x[k].I);
    return (ip_bound_gap){at, at - layer->y[k].I, at > 0 ? layer->y[k].I / at : NAN};
}

/* ---- encoders that need no search ---- */

ip_status ip_bound_pack(ip_bound_search *s, uint32_t *labels, uint32_t first, ip_draws *draws, ip_error *error) {
    const ip_components *c = s->components;
    uint32_t *of = malloc(c->count * sizeof *of);
    uint64_t *load = calloc(s->m, sizeof *load);
    if (!of || !load) {
        free(of);
        free(load);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    for (uint32_t i = first > 0 ? 1 : 0; i < c->count; i++) {
        uint32_t best = first;
        for (uint32_t z = first; z < s->m; z++)
            if (load[z] < load[best]) best = z;
        of[i] = best;
        load[best] += c->mass[i];
    }
    for (uint32_t x = 0; x < s->joint->nx; x++)
        labels[x] = first > 0 && c->of_x[x] == 0 ? ip_draw_below(draws, first) : of[c->of_x[x]];
    free(of);
    free(load);
    return IP_OK;
}

static uint64_t labels_in_use(const uint32_t *labels, size_t n, uint32_t m) {
    bool *seen = calloc(m, sizeof *seen);
    uint64_t count = 0;
    for (size_t i = 0; seen && i < n; i++) {
        count += !seen[labels[i]];
        seen[labels[i]] = true;
    }
    free(seen);
    return count;
}

static ip_status plain_encoders(ip_bound_search *s, ip_error *error) {
    const ip_joint *j = s->joint;
    bool ok = ip_bound_found(s, (ip_plane_point){0, 0}, 0, 1, "trivial");
    if (s->m >= j->nx) ok = ok && ip_bound_found(s, (ip_plane_point){j->HX, j->IXY}, 0, j->nx, "identity");
    uint32_t *labels = malloc(j->nx * sizeof *labels);
    ip_hard hard = {0};
    ip_status status = labels && ok ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) status = ip_bound_pack(s, labels, 0, NULL, error);
    if (status == IP_OK) status = ip_hard_open(&hard, j, &s->nlogn, s->m, error);
    if (status == IP_OK &&
        !ip_bound_found(s, ip_hard_evaluate(&hard, labels), 0, labels_in_use(labels, j->nx, s->m), "component"))
        status = ip_fail(error, IP_FAILED, "out of memory");
    ip_hard_close(&hard);
    free(labels);
    return status;
}

/* ---- the whole ---- */

static uint64_t search_bytes(const ip_joint *j, uint32_t m, const ip_bound_effort *effort) {
    uint64_t encoders = ip_encoder_size(j, m) * sizeof(double) * (effort->chains + 2);
    return encoders + ip_soft_bound_bytes(j, m) + 4 * effort->chains * ip_hard_bytes(j, m);
}

static uint32_t codewords_of(const ip_joint *reduced, uint64_t m) {
    return (uint32_t)(m < (uint64_t)reduced->nx + 1 ? m : (uint64_t)reduced->nx + 1);
}

ip_status ip_bound_bytes(uint64_t *bytes, const ip_joint *joint, uint64_t m, const char *effort_name, ip_error *error) {
    const ip_bound_effort *effort;
    ip_joint reduced = {0};
    ip_status status = ip_bound_effort_by_name(&effort, effort_name, error);
    if (status == IP_OK) status = ip_joint_reduce(&reduced, joint, error);
    if (status == IP_OK) *bytes = search_bytes(&reduced, codewords_of(&reduced, m), effort);
    ip_joint_free(&reduced);
    return status;
}

static ip_status check_memory(const ip_bound_search *s, ip_error *error) {
    const ip_joint *j = s->joint;
    uint64_t need = search_bytes(j, s->m, s->effort);
    if (need <= s->session->memory_bound) return IP_OK;
    return ip_fail(
        error, IP_FAILED,
        "the bound of %u x %u labels with %u codewords needs %.0f MB, --memory allows %.0f MB: fewer --bins, "
        "--documents, or --effort low",
        j->nx, j->ny, s->m, (double)need / 0x1p20, (double)s->session->memory_bound / 0x1p20);
}

static ip_status search(ip_bound_search *s, ip_error *error) {
    ip_status status = check_memory(s, error);
    if (status == IP_OK) status = ip_nlogn_make(&s->nlogn, s->joint->total, error);
    if (status == IP_OK) status = plain_encoders(s, error);
    if (status == IP_OK)
        status = ip_soft_bound_open(&s->soft, s->joint, s->m, s->session->kernels, s->session->pool, error);
    bool small = s->joint->nx <= SMALL_X && s->joint->pairs <= SMALL_PAIRS && s->m <= SMALL_M;
    if (status == IP_OK && s->joint->nx > 1) status = (small ? ip_bound_search_small : ip_bound_search_large)(s, error);
    return status;
}

static ip_status fill_curve(ip_bound_curve *curve, const ip_bound_search *s, ip_error *error) {
    curve->points = malloc(s->beta_count * sizeof *curve->points);
    if (!curve->points || !draw_hull(curve, s)) return ip_fail(error, IP_FAILED, "out of memory");
    curve->point_count = s->beta_count;
    for (size_t i = 0; i < s->beta_count; i++) {
        curve->points[i] = best_at(s, s->betas[i]);
        curve->points[i].spread = s->spread[i];
    }
    return IP_OK;
}

ip_status ip_bound_of_joint(ip_bound_curve **out, const ip_joint *joint, unsigned order, uint64_t m,
                            const double *betas, size_t beta_count, ip_session *session, ip_error *error) {
    double start = ip_seconds();
    ip_bound_curve *curve = calloc(1, sizeof *curve);
    ip_joint reduced = {0};
    ip_components components = {0};
    ip_bound_search s = {.session = session,
                         .joint = &reduced,
                         .components = &components,
                         .seed = session->settings->seed,
                         .betas = betas,
                         .beta_count = beta_count,
                         .spread = calloc(beta_count, sizeof(double))};
    ip_status status = curve && s.spread ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) status = ip_bound_effort_by_name(&s.effort, session->settings->bound_effort, error);
    if (status == IP_OK) status = ip_joint_reduce(&reduced, joint, error);
    if (status == IP_OK) status = ip_components_find(&components, &reduced, error);
    if (status == IP_OK) {
        s.m = codewords_of(&reduced, m);
        status = search(&s, error);
    }
    if (status == IP_OK) status = fill_curve(curve, &s, error);
    if (status == IP_OK) {
        curve->order = order;
        curve->x = joint->nx;
        curve->y = joint->ny;
        curve->pairs = joint->pairs;
        curve->merged_x = reduced.nx;
        curve->merged_y = reduced.ny;
        curve->merged_pairs = reduced.pairs;
        curve->codewords = m;
        curve->H_X = joint->HX;
        curve->H_Y = joint->HY;
        curve->I_XY = joint->IXY;
        curve->components = components.count;
        curve->H_component = components.H;
        curve->largest_component = (double)components.mass[0] / (double)reduced.total;
        curve->positions = joint->total;
        curve->seconds = ip_seconds() - start;
        *out = curve;
    } else {
        ip_bound_curve_free(curve);
    }
    ip_soft_bound_close(&s.soft);
    ip_nlogn_free(&s.nlogn);
    ip_joint_free(&reduced);
    ip_components_free(&components);
    free(s.found);
    free(s.spread);
    return status;
}

void ip_bound_curve_free(ip_bound_curve *curve) {
    if (!curve) return;
    free(curve->points);
    free(curve->hull);
    free(curve);
}

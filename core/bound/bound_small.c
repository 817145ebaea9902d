/* A joint of few x: many starts for every beta, the best of them followed to the end, then once more upwards. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/bound/bound_curve.h"

enum { KEPT = 8, SHORT_STEPS = 300, LONG_STEPS = 8000 };

typedef struct small_start {
    double functional;
    double *q;
} small_start;

typedef struct small {
    ip_bound_search *s;
    small_start kept[KEPT + 1]; /* by rising functional; the last one is room for the start at hand */
    double *best;               /* [beta_count][size] */
    double *functional;         /* [beta_count] */
    uint32_t *labels;
    ip_hard hard;
    size_t size;
} small;

/* Takes steps from the start in the last place, and keeps it if it is among the best and not there already: many starts
 * end in the trivial encoder, and must not crowd out what is slowly on its way to a better one. */
static void try_start(small *t, double beta, unsigned steps) {
    small_start *room = &t->kept[KEPT];
    room->functional = ip_encoder_descend(&t->s->soft, room->q, beta, steps, 1e-15).functional;
    for (size_t k = 0; k < KEPT; k++)
        if (fabs(t->kept[k].functional - room->functional) < 1e-9) return;
    for (size_t i = KEPT; i > 0 && t->kept[i].functional < t->kept[i - 1].functional; i--) {
        small_start swap = t->kept[i];
        t->kept[i] = t->kept[i - 1];
        t->kept[i - 1] = swap;
    }
}

static void random_encoder(small *t, double *q, ip_draws *draws) {
    for (size_t x = 0; x < t->s->joint->nx; x++) {
        double *row = q + x * t->s->soft.width, sum = 0;
        for (uint32_t z = 0; z < t->s->m; z++) {
            double u = ip_draw_uniform(draws);
            row[z] = u * u * u * u + 1e-6;
            sum += row[z];
        }
        for (uint32_t z = 0; z < t->s->m; z++) row[z] /= sum;
        for (size_t z = t->s->m; z < t->s->soft.width; z++) row[z] = 0;
    }
}

/* All in one codeword, but for a light second one around one x: near the beta where the curve leaves the origin the
 * best encoder looks like that, and random starts seldom find it. */
static void around(small *t, double *q, size_t center) {
    memset(q, 0, t->size * sizeof *q);
    for (size_t x = 0; x < t->s->joint->nx; x++) {
        double light = x == center ? 0.5 : 0.002;
        q[x * t->s->soft.width] = 1.0 - light;
        q[x * t->s->soft.width + 1] = light;
    }
}

static void random_labels(small *t, ip_draws *draws) {
    uint32_t m = 2 + ip_draw_below(draws, t->s->m > 1 ? t->s->m - 1 : 1);
    for (size_t x = 0; x < t->s->joint->nx; x++) t->labels[x] = ip_draw_below(draws, m < t->s->m ? m : t->s->m);
}

/* A start: soft at random, labels at random, labels at random moved to the next hard optimum; by turns. */
static ip_status draw_start(small *t, unsigned i, double beta, ip_draws *draws, ip_error *error) {
    double *q = t->kept[KEPT].q;
    if (i % 3 == 0) {
        random_encoder(t, q, draws);
        return IP_OK;
    }
    random_labels(t, draws);
    if (i % 3 == 2) {
        ip_plane_point p = ip_hard_search(&t->hard, t->labels, i % 2 ? 0.0 : 1.0 / beta, 0, draws);
        if (!ip_bound_found(t->s, p, 0, t->s->m, "hard")) return ip_fail(error, IP_FAILED, "out of memory");
    }
    ip_encoder_soften(&t->s->soft, q, t->labels, 0.999);
    return IP_OK;
}

/* Follows what was kept to its end; the best becomes the solution of beta i if it is better than the one there. */
static ip_status finish(small *t, size_t i, double beta, ip_error *error) {
    double first = t->kept[0].functional;
    for (size_t k = 0; k < KEPT && t->kept[k].functional < HUGE_VAL; k++) {
        if (t->kept[k].functional > first + 0.05) break;
        ip_descent d = ip_encoder_descend(&t->s->soft, t->kept[k].q, beta, LONG_STEPS, 1e-15);
        uint64_t codewords;
        ip_plane_point p = ip_encoder_evaluate(&t->s->soft, t->kept[k].q, &codewords);
        if (!ip_bound_found(t->s, p, d.change > 0 ? d.change : 0, codewords, "soft"))
            return ip_fail(error, IP_FAILED, "out of memory");
        if (d.functional < t->functional[i]) {
            t->functional[i] = d.functional;
            memcpy(t->best + i * t->size, t->kept[k].q, t->size * sizeof(double));
        }
    }
    for (size_t k = 0; k <= KEPT; k++) t->kept[k].functional = HUGE_VAL;
    return ip_session_advance(t->s->session, 1, error);
}

/* The encoder of another beta, a little mixed so that nothing in it is zero. */
static void warm_start(small *t, size_t from) {
    double *q = t->kept[KEPT].q;
    const double *best = t->best + from * t->size;
    for (size_t x = 0; x < t->s->joint->nx; x++)
        for (uint32_t z = 0; z < t->s->m; z++) {
            size_t at = x * t->s->soft.width + z;
            q[at] = 0.9999 * best[at] + 0.0001 / t->s->m;
        }
}

static ip_status solve(small *t, size_t i, ip_error *error) {
    ip_bound_search *s = t->s;
    double beta = s->betas[i];
    ip_status status = IP_OK;
    if (s->m >= s->joint->nx) {
        for (uint32_t x = 0; x < s->joint->nx; x++) t->labels[x] = x;
        ip_encoder_soften(&s->soft, t->kept[KEPT].q, t->labels, 0.99999);
        try_start(t, beta, SHORT_STEPS);
    }
    if (i > 0) {
        warm_start(t, i - 1);
        try_start(t, beta, LONG_STEPS);
    }
    for (size_t x = 0; s->m > 1 && x < s->joint->nx; x++) {
        around(t, t->kept[KEPT].q, x);
        try_start(t, beta, SHORT_STEPS);
    }
    ip_draws draws = ip_draws_begin(s->seed, i + 1);
    for (unsigned k = 0; status == IP_OK && k < s->effort->starts; k++) {
        status = draw_start(t, k, beta, &draws, error);
        if (status == IP_OK) try_start(t, beta, SHORT_STEPS);
    }
    return status == IP_OK ? finish(t, i, beta, error) : status;
}

static ip_status solve_all(small *t, ip_error *error) {
    size_t n = t->s->beta_count;
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < n; i++) status = solve(t, i, error);
    for (size_t i = n - 1; status == IP_OK && i > 0; i--) {
        warm_start(t, i);
        try_start(t, t->s->betas[i - 1], LONG_STEPS);
        status = finish(t, i - 1, t->s->betas[i - 1], error);
    }
    return status;
}

ip_status ip_bound_search_small(ip_bound_search *s, ip_error *error) {
    small t = {.s = s, .size = ip_encoder_size(s->joint, s->m)};
    double *all = calloc((KEPT + 1 + s->beta_count) * t.size, sizeof *all);
    t.functional = malloc(s->beta_count * sizeof *t.functional);
    t.labels = malloc(s->joint->nx * sizeof *t.labels);
    ip_status status =
        all && t.functional && t.labels ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the bound");
    if (status == IP_OK) status = ip_hard_open(&t.hard, s->joint, &s->nlogn, s->m, error);
    if (status == IP_OK) {
        for (size_t k = 0; k <= KEPT; k++) t.kept[k] = (small_start){HUGE_VAL, all + k * t.size};
        for (size_t i = 0; i < s->beta_count; i++) t.functional[i] = HUGE_VAL;
        t.best = all + (KEPT + 1) * t.size;
        status = solve_all(&t, error);
    }
    ip_hard_close(&t.hard);
    free(all);
    free(t.functional);
    free(t.labels);
    return status;
}

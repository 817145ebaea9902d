/* A joint of many x, as real text has it. Where Blahut-Arimoto ends is decided by where it begins, so the work goes into
 * hard encoders: seeds, moves, perturbation; then beta falling, per beta moves from the last labels and from those of
 * beta = infinity, Blahut-Arimoto from each (softened), from the last soft encoder and, near beta = 1, from the packed
 * components; then the labels of each beta once more for the beta above it. Restarts ("chains") go side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/bound/bound_curve.h"

static const double near_one = 1.6; /* betas below which the components are tried as starts */

enum { STARTS = 3 }; /* hard ones per chain and beta: from the last labels, from beta = infinity, from the components */

typedef struct chain {
    uint32_t *first, *last; /* labels at beta = infinity, at the beta before */
    uint32_t *start[STARTS];
    uint32_t *kept;     /* [beta_count][nx]: for the way up */
    double *functional; /* [beta_count] */
    double *q;          /* the last soft encoder */
    bool has_q;
} chain;

typedef struct large {
    ip_bound_search *s;
    chain *chains;
    unsigned count;
    ip_hard *hard;          /* per worker */
    ip_plane_point *points; /* [chains][STARTS] */
    bool *tried;            /* [chains][STARTS] */
    double *q[2];           /* the start at hand, and the best so far */
    size_t q_bytes;
    double inverse_beta;
    size_t beta;
    bool upwards;
} large;

static uint64_t stream_of(const large *t, size_t of, size_t start) {
    return 1 + start + 8 * (of + 64 * (t->beta + 1024 * (uint64_t)t->upwards));
}

static void copy_labels(const large *t, uint32_t *to, const uint32_t *from) {
    memcpy(to, from, t->s->joint->nx * sizeof *to);
}

/* The size of a joint: about 1 for 15,000 x * codewords of 100; Blahut-Arimoto takes so many times 10 ms a step. */
static double work_of(const large *t) {
    return ((double)t->s->joint->nx + 0.3 * (double)t->s->joint->pairs) * (double)t->s->m / 1.5e6;
}

/* So large a joint gets less: fewer perturbation rounds, no way up, unless the effort is high. */
static bool is_huge(const large *t) { return work_of(t) > 4 && t->s->effort->chains < 4; }

/* ---- hard encoders: one task per chain and start ---- */

static ip_status first_task(void *context, size_t task, unsigned worker, ip_error *error) {
    large *t = context;
    ip_bound_search *s = t->s;
    chain *c = &t->chains[task];
    double *distance = malloc(3 * (size_t)s->joint->nx * sizeof *distance);
    if (!distance) return ip_fail(error, IP_FAILED, "out of memory");
    ip_draws draws = ip_draws_begin(s->seed, (uint64_t)task << 32);
    ip_hard_seeds(c->first, s->joint, s->m, distance, &draws);
    free(distance);
    t->points[task * STARTS] = ip_hard_search(
        &t->hard[worker], c->first, 0.0, is_huge(t) ? s->effort->first_rounds / 3 : s->effort->first_rounds, &draws);
    return ip_session_advance(s->session, 1, error);
}

static ip_status start_task(void *context, size_t task, unsigned worker, ip_error *error) {
    large *t = context;
    size_t which = task % STARTS, of = task / STARTS;
    chain *c = &t->chains[of];
    ip_draws draws = ip_draws_begin(t->s->seed, stream_of(t, of, which));
    unsigned rounds = which == 0 && (!t->upwards || t->s->effort->rounds > 1) ? t->s->effort->rounds : 0;
    if (is_huge(t)) rounds = 0;
    if (!t->tried[task]) return IP_OK;
    if (which == 0) copy_labels(t, c->start[0], c->last);
    if (which == 1) copy_labels(t, c->start[1], c->first);
    if (which == 2) {
        ip_status status = ip_bound_pack(t->s, c->start[2], t->s->m >> (1 + of % 2), &draws, error);
        if (status != IP_OK) return status;
    }
    t->points[task] = ip_hard_search(&t->hard[worker], c->start[which], t->inverse_beta, rounds, &draws);
    return IP_OK;
}

static ip_status note_hard(large *t, size_t tasks, bool all, ip_error *error) {
    for (size_t i = 0; i < tasks; i++) {
        if ((!all && !t->tried[i]) || (all && i % STARTS != 0)) continue;
        if (!ip_bound_found(t->s, t->points[i], 0, t->s->m, "hard")) return ip_fail(error, IP_FAILED, "out of memory");
    }
    return IP_OK;
}

/* ---- soft encoders ---- */

/* Steps for a joint of this size: as many as effort says for a million x * m, more for less. */
static unsigned steps_of(const large *t, double steps) {
    double work = work_of(t), n = steps / sqrt(work > 0.01 ? work : 0.01);
    return n < 3 ? 3 : (unsigned)n;
}

static void swap(double **a, double **b) {
    double *c = *a;
    *a = *b;
    *b = c;
}

/* A few steps from t->q[0]; it becomes t->q[1] when it is the best so far. */
static void try_soft(large *t, double beta, double *best) {
    unsigned steps = steps_of(t, t->s->effort->first_steps);
    ip_descent d = ip_encoder_descend(&t->s->soft, t->q[0], beta, steps, t->s->effort->tolerance * beta);
    if (d.functional >= *best) return;
    *best = d.functional;
    swap(&t->q[0], &t->q[1]);
}

/* Starts that lie this far (nats of I(Y;Z) - I(X;Z)/beta) behind the best hard one are not followed: Blahut-Arimoto gives
 * less than that on top of a hard encoder, and next to nothing at large beta. */
static double hopeless(double beta) { return beta > 20 ? 0.002 : beta > 4 ? 0.02 : beta > 2 ? 0.05 : INFINITY; }

/* The worth of the best hard start; on the way up also of what is there already. */
static double best_worth(const large *t, size_t of) {
    double best = -INFINITY;
    for (size_t i = 0; i < STARTS; i++) {
        ip_plane_point p = t->points[of * STARTS + i];
        double worth = p.I_Y - p.I_X * t->inverse_beta;
        if (t->tried[of * STARTS + i] && worth > best) best = worth;
    }
    double kept = -t->chains[of].functional[t->beta] * t->inverse_beta;
    return t->upwards && kept > best ? kept : best;
}

/* The best start of a chain followed on; what comes of it is the chain's solution at this beta. */
static ip_status solve(large *t, size_t of, ip_error *error) {
    ip_bound_search *s = t->s;
    chain *c = &t->chains[of];
    double beta = s->betas[t->beta], best = INFINITY, least = best_worth(t, of) - hopeless(beta);
    for (size_t i = 0; i < STARTS; i++) {
        ip_plane_point p = t->points[of * STARTS + i];
        if (!t->tried[of * STARTS + i] || p.I_Y - p.I_X * t->inverse_beta < least) continue;
        ip_encoder_soften(&s->soft, t->q[0], c->start[i], 0.999);
        try_soft(t, beta, &best);
    }
    if (c->has_q && !t->upwards) {
        swap(&t->q[0], &c->q);
        try_soft(t, beta, &best);
    }
    if (beta < near_one && of == 0 && !t->upwards) {
        ip_status status = ip_bound_pack(s, c->start[2], 0, NULL, error);
        if (status != IP_OK) return status;
        ip_encoder_soften(&s->soft, t->q[0], c->start[2], 0.999);
        try_soft(t, beta, &best);
    }
    uint32_t *kept = c->kept + t->beta * s->joint->nx;
    if (!(best < INFINITY)) { /* on the way up, nothing that could be better */
        copy_labels(t, c->last, kept);
        return ip_session_advance(s->session, 1, error);
    }
    ip_descent d =
        ip_encoder_descend(&s->soft, t->q[1], beta, steps_of(t, s->effort->steps), s->effort->tolerance * beta);
    uint64_t codewords;
    ip_plane_point p = ip_encoder_evaluate(&s->soft, t->q[1], &codewords);
    if (!ip_bound_found(s, p, d.change > 0 ? d.change : 0, codewords, "soft"))
        return ip_fail(error, IP_FAILED, "out of memory");
    double functional = p.I_X - beta * p.I_Y;
    ip_encoder_labels(&s->soft, t->q[1], c->last);
    if (functional < c->functional[t->beta]) {
        c->functional[t->beta] = functional;
        copy_labels(t, kept, c->last);
    } else {
        copy_labels(t, c->last, kept);
    }
    swap(&t->q[1], &c->q);
    c->has_q = true;
    return ip_session_advance(s->session, 1, error);
}

static ip_status one_beta(large *t, size_t i, bool upwards, ip_error *error) {
    ip_bound_search *s = t->s;
    t->beta = i;
    t->upwards = upwards;
    t->inverse_beta = 1.0 / s->betas[i];
    size_t tasks = t->count * STARTS;
    for (size_t k = 0; k < tasks; k++)
        t->tried[k] = k % STARTS == 0 || (!upwards && (k % STARTS == 1 || s->betas[i] < near_one));
    ip_status status = ip_pool_run(s->session->pool, tasks, start_task, t, error);
    if (status == IP_OK) status = note_hard(t, tasks, false, error);
    for (unsigned c = 0; status == IP_OK && c < t->count; c++) status = solve(t, c, error);
    return status;
}

static ip_status run_chains(large *t, ip_error *error) {
    ip_bound_search *s = t->s;
    ip_status status = ip_pool_run(s->session->pool, t->count, first_task, t, error);
    if (status == IP_OK) status = note_hard(t, t->count * STARTS, true, error);
    for (unsigned c = 0; status == IP_OK && c < t->count; c++) copy_labels(t, t->chains[c].last, t->chains[c].first);
    for (size_t i = 0; status == IP_OK && i < s->beta_count; i++) status = one_beta(t, i, false, error);
    for (size_t i = s->beta_count - 1; status == IP_OK && s->effort->rounds > 0 && !is_huge(t) && i > 0; i--)
        status = one_beta(t, i - 1, true, error);
    for (size_t i = 0; status == IP_OK && i < s->beta_count; i++) {
        double low = INFINITY, high = -INFINITY;
        for (unsigned c = 0; c < t->count; c++) {
            low = t->chains[c].functional[i] < low ? t->chains[c].functional[i] : low;
            high = t->chains[c].functional[i] > high ? t->chains[c].functional[i] : high;
        }
        s->spread[i] = high - low;
    }
    return status;
}

/* ---- memory ---- */

static ip_status open_chains(large *t, ip_error *error) {
    ip_bound_search *s = t->s;
    size_t nx = s->joint->nx;
    unsigned threads = ip_pool_threads(s->session->pool);
    t->count = s->effort->chains;
    t->q_bytes = ip_encoder_size(s->joint, s->m) * sizeof(double);
    t->chains = calloc(t->count, sizeof *t->chains);
    t->points = calloc((size_t)t->count * STARTS, sizeof *t->points);
    t->tried = calloc((size_t)t->count * STARTS, sizeof *t->tried);
    t->hard = calloc(threads, sizeof *t->hard);
    t->q[0] = ip_big_alloc(t->q_bytes);
    t->q[1] = ip_big_alloc(t->q_bytes);
    bool ok = t->chains && t->points && t->tried && t->hard && t->q[0] && t->q[1];
    for (unsigned c = 0; ok && c < t->count; c++) {
        chain *h = &t->chains[c];
        h->first = malloc((2 + STARTS) * nx * sizeof *h->first);
        h->kept = malloc(s->beta_count * nx * sizeof *h->kept);
        h->functional = malloc(s->beta_count * sizeof *h->functional);
        h->q = ip_big_alloc(t->q_bytes);
        ok = h->first && h->kept && h->functional && h->q;
        if (!ok) break;
        h->last = h->first + nx;
        for (size_t i = 0; i < STARTS; i++) h->start[i] = h->first + (2 + i) * nx;
        for (size_t i = 0; i < s->beta_count; i++) h->functional[i] = INFINITY;
    }
    if (!ok) return ip_fail(error, IP_FAILED, "out of memory for the bound of %zu labels", nx);
    ip_status status = IP_OK;
    for (unsigned i = 0; status == IP_OK && i < threads; i++)
        status = ip_hard_open(&t->hard[i], s->joint, &s->nlogn, s->m, error);
    return status;
}

static void close_chains(large *t) {
    for (unsigned c = 0; t->chains && c < t->count; c++) {
        free(t->chains[c].first);
        free(t->chains[c].kept);
        free(t->chains[c].functional);
        ip_big_free(t->chains[c].q, t->q_bytes);
    }
    for (unsigned i = 0; t->hard && i < ip_pool_threads(t->s->session->pool); i++) ip_hard_close(&t->hard[i]);
    free(t->chains);
    free(t->points);
    free(t->tried);
    free(t->hard);
    ip_big_free(t->q[0], t->q_bytes);
    ip_big_free(t->q[1], t->q_bytes);
}

ip_status ip_bound_search_large(ip_bound_search *s, ip_error *error) {
    large t = {.s = s};
    ip_status status = open_chains(&t, error);
    if (status == IP_OK) status = run_chains(&t, error);
    close_chains(&t);
    return status;
}

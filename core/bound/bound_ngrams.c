/* Partitions into a joint. */
#include "core/bound/bound_ngrams.h"

#include <stdlib.h>

#include "core/bound/bound_curve.h"

ip_status ip_bound_check(const ip_settings *settings, ip_error *error) {
    const ip_bound_effort *effort;
    double *betas;
    size_t count;
    ip_status status = ip_bound_effort_by_name(&effort, settings->bound_effort, error);
    if (status == IP_OK) status = ip_bound_betas(&betas, &count, settings->bound_betas, error);
    if (status == IP_OK) free(betas);
    return status;
}

/* The label of every position: groups first, then those that stand alone, in the order of the partition. */
static void write_labels(const ip_partition *set, ip_triplet *t, bool y) {
    uint32_t label = 0;
    size_t at = 0;
    for (size_t g = 0; g < set->groups; g++, label++)
        for (; at < set->start[g + 1]; at++) *(y ? &t[set->order[at]].y : &t[set->order[at]].x) = label;
    for (; at < set->positions; at++, label++) *(y ? &t[set->order[at]].y : &t[set->order[at]].x) = label;
}

static ip_status joint_of(ip_joint *joint, const ip_partition *x, const ip_partition *y, ip_error *error) {
    size_t n = x->positions;
    ip_triplet *t = malloc(n * sizeof *t);
    if (!t) return ip_fail(error, IP_FAILED, "out of memory for the pairs of %zu positions", n);
    for (size_t i = 0; i < n; i++) t[i].count = 1;
    write_labels(x, t, false);
    write_labels(y, t, true);
    ip_status status = ip_joint_make(joint, t, n, error);
    free(t);
    return status;
}

static ip_status of_order(ip_bound_curve **out, const ip_partition *x, const ip_partition *y, unsigned order,
                          uint64_t m, ip_session *session, ip_error *error) {
    double *betas = NULL;
    size_t beta_count;
    ip_joint joint = {0};
    ip_session_stage(session, "bound", 0, "solutions");
    ip_status status = joint_of(&joint, x, y, error);
    if (status == IP_OK) status = ip_bound_betas(&betas, &beta_count, session->settings->bound_betas, error);
    if (status == IP_OK) status = ip_bound_of_joint(out, &joint, order, m, betas, beta_count, session, error);
    free(betas);
    ip_joint_free(&joint);
    return status;
}

/* Of the betas those in the middle of as many equal parts: a search over them takes that part of the time. */
enum { TRIED = 4 };

/* One order: adds the seconds, raises the bytes. */
static ip_status expect_order(uint64_t *bytes, double *seconds, const ip_partition *x, const ip_partition *y,
                              uint64_t m, ip_session *session, ip_error *error) {
    double *betas = NULL, tried[TRIED];
    size_t count = 0, part;
    uint64_t search = 0;
    ip_joint joint = {0};
    ip_bound_curve *curve = NULL;
    ip_status status = joint_of(&joint, x, y, error);
    if (status == IP_OK) status = ip_bound_bytes(&search, &joint, m, session->settings->bound_effort, error);
    if (status == IP_OK) status = ip_bound_betas(&betas, &count, session->settings->bound_betas, error);
    part = count < TRIED ? count : TRIED;
    for (size_t i = 0; i < part; i++) tried[i] = betas[(2 * i + 1) * count / (2 * part)];
    if (status == IP_OK) status = ip_bound_of_joint(&curve, &joint, 0, m, tried, part, session, error);
    if (status == IP_OK) {
        *seconds += curve->seconds * (double)count / (double)part;
        /* the joint and its reduced form, each both ways with shares and counts */
        search += 2 * ((uint64_t)joint.pairs * 40 + ((uint64_t)joint.nx + joint.ny) * 24);
        if (search > *bytes) *bytes = search;
    }
    ip_bound_curve_free(curve);
    free(betas);
    ip_joint_free(&joint);
    return status;
}

ip_status ip_bound_expect(uint64_t *bytes, double *seconds, const ip_partition *x, const ip_partition *y,
                          unsigned orders, uint64_t m, ip_session *session, ip_error *error) {
    *bytes = 0;
    *seconds = 0.0;
    ip_status status = IP_OK;
    for (unsigned k = 0; status == IP_OK && k < orders; k++)
        status = expect_order(bytes, seconds, &x[k], &y[k], m, session, error);
    return status;
}

ip_status ip_bound_of_orders(ip_bound_curve **out, const ip_partition *x, const ip_partition *y, unsigned orders,
                             uint64_t m, ip_session *session, ip_error *error) {
    const ip_ranks *ranks = session->host->ranks;
    unsigned of = ip_ranks_count(ranks);
    ip_status status = IP_OK;
    for (unsigned k = ip_ranks_number(ranks); status == IP_OK && k < orders; k += of)
        status = of_order(&out[k], &x[k], &y[k], k + 1, m, session, error);
    for (unsigned k = 0; status == IP_OK && of > 1 && k < orders; k++)
        status = ip_bound_curve_share(&out[k], k % of, ranks, error);
    return status;
}

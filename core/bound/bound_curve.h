/* The search for a curve: what the files bound_curve, bound_large, bound_small share.
 *
 *   joint ─► reduced ─┬─ small: many starts ────────────────┐
 *                     └─ large: hard start, beta falling, ──┴─► points found ─► per beta the best ─► hull
 *                        moves, Blahut-Arimoto, upwards
 *
 * Every encoder that is met leaves its point; the point of a beta is the best of all for that beta.
 */
#ifndef IP_CORE_BOUND_CURVE_H
#define IP_CORE_BOUND_CURVE_H

#include "core/bound/bound_soft.h"
#include "core/input/session.h"

/* How much is tried. */
typedef struct ip_bound_effort {
    const char *name;
    unsigned chains;       /* restarts */
    unsigned first_rounds; /* perturbation rounds at beta = infinity */
    unsigned rounds;       /* at every other beta */
    double first_steps,
        steps;        /* of Blahut-Arimoto: from each start, and from the best: for a joint of a million x * m */
    double tolerance; /* nats per beta */
    unsigned starts;  /* random ones, small joints */
} ip_bound_effort;

typedef struct ip_bound_search {
    ip_session *session;
    const ip_joint *joint; /* reduced */
    const ip_components *components;
    const ip_bound_effort *effort;
    uint32_t m; /* codewords: no more than x and one */
    uint64_t seed;
    const double *betas; /* falling */
    size_t beta_count;
    ip_soft_bound soft;
    ip_nlogn nlogn;
    ip_bound_point *found;
    size_t found_count, found_room;
    double *spread; /* [beta_count] */
} ip_bound_search;

/* Adds a point; false without memory. */
bool ip_bound_found(ip_bound_search *s, ip_plane_point p, double tolerance, uint64_t codewords, const char *kind);

/* Components, the heaviest first, each into the lightest of the codewords from `first` on; what is in `spare` of them
 * (the heaviest) is spread over the codewords below `first` at random. */
ip_status ip_bound_pack(ip_bound_search *s, uint32_t *labels, uint32_t first, ip_draws *draws, ip_error *error);

ip_status ip_bound_search_small(ip_bound_search *s, ip_error *error);
ip_status ip_bound_search_large(ip_bound_search *s, ip_error *error);

/* The curve of a joint that is already counted; betas falling. */
ip_status ip_bound_of_joint(ip_bound_curve **out, const ip_joint *joint, unsigned order, uint64_t m,
                            const double *betas, size_t beta_count, ip_session *session, ip_error *error);

/* Together: a curve that one of the ranks has; the others get a copy. */
ip_status ip_bound_curve_share(ip_bound_curve **curve, unsigned owner, const ip_ranks *ranks, ip_error *error);

/* Bytes that the search for that curve takes beside the joint. */
ip_status ip_bound_bytes(uint64_t *bytes, const ip_joint *joint, uint64_t m, const char *effort, ip_error *error);

/* The betas of settings, falling; malloc'ed. */
ip_status ip_bound_betas(double **betas, size_t *count, const char *text, ip_error *error);
ip_status ip_bound_effort_by_name(const ip_bound_effort **out, const char *name, ip_error *error);

#endif

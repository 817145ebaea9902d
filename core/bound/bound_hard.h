/* Hard encoders of a joint: every x has one codeword. Seeds, moves of one x at a time, perturbation.
 *
 * Sequential information bottleneck (Slonim, Friedman, Tishby 2002), with the entropy term of the deterministic bottleneck
 * (Strouse, Schwab 2017): an x is taken out and put where I(Y;Z) - H(Z)/beta loses least, until no move helps. Counts are
 * whole numbers, and n log n of small ones comes from a table; which codewords meet a y is kept as a short list, so a
 * move costs what the lists of its y hold and not y times codewords.
 */
#ifndef IP_CORE_BOUND_HARD_H
#define IP_CORE_BOUND_HARD_H

#include <stdbool.h>

#include "core/bound/bound_joint.h"

/* n log n. */
typedef struct ip_nlogn {
    double *table;
    uint64_t limit;
} ip_nlogn;

ip_status ip_nlogn_make(ip_nlogn *out, uint64_t most, ip_error *error);
void ip_nlogn_free(ip_nlogn *f);

/* A stream of draws: a function of seed and stream alone. */
typedef struct ip_draws {
    uint64_t seed, stream;
    uint32_t block, words[4];
    unsigned left;
} ip_draws;

ip_draws ip_draws_begin(uint64_t seed, uint64_t stream);
uint32_t ip_draw_below(ip_draws *draws, uint32_t n);
double ip_draw_uniform(ip_draws *draws); /* in (0, 1) */

typedef struct ip_cell {
    uint64_t count;
    double f;    /* n log n of it */
    double step; /* what one more count adds to that: most pairs occur once */
    uint32_t z;
} ip_cell;

/* The work of one thread. */
typedef struct ip_hard {
    const ip_joint *joint;
    const ip_nlogn *f;
    uint32_t m;
    size_t *begin;   /* [ny + 1] where the cells of a y begin */
    uint32_t *cells; /* [ny] how many it has */
    ip_cell *cell;
    uint64_t *count_z;
    uint32_t lightest; /* the z of the least count, the first of equals */
    double *f_z, *gain;
    uint32_t *members, *touched, *order, *labels; /* [m], [m], [nx], [nx] */
    bool *is_touched;
} ip_hard;

ip_status ip_hard_open(ip_hard *out, const ip_joint *joint, const ip_nlogn *f, uint32_t m, ip_error *error);
void ip_hard_close(ip_hard *hard);
size_t ip_hard_bytes(const ip_joint *joint, uint32_t m);

typedef struct ip_plane_point {
    double I_X, I_Y; /* nats */
} ip_plane_point;

/* Labels by k-means++: seeds drawn by Kullback-Leibler distance to what was drawn, every x to its nearest. distance has
 * room for 3 nx doubles. */
void ip_hard_seeds(uint32_t *labels, const ip_joint *joint, uint32_t m, double *distance, ip_draws *draws);

/* Moves of single x from labels, then `rounds` times: a tenth of the labels drawn anew, moves, kept when better.
 * inverse_beta = 0 is beta = infinity: then no codeword is given up. */
ip_plane_point ip_hard_search(ip_hard *hard, uint32_t *labels, double inverse_beta, unsigned rounds, ip_draws *draws);

/* Where labels lie. */
ip_plane_point ip_hard_evaluate(ip_hard *hard, const uint32_t *labels);

#endif

/* The joint of two labels as a sparse table of counts, and its exact reductions: what the bound works on.
 *
 *   row:  x -> its y with counts          p_yx   p(y|x)         (for the encoder step)
 *   col:  y -> its x with counts          p_xy   p(x, y)        (its transpose, for p(y, z))
 *
 * Counts stay whole numbers, so that "proportional" is exact and sums do not depend on their order. Probabilities that
 * come as doubles become counts in units of 2^-52 of their sum.
 */
#ifndef IP_CORE_BOUND_JOINT_H
#define IP_CORE_BOUND_JOINT_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_triplet {
    uint32_t x, y;
    uint64_t count;
} ip_triplet;

typedef struct ip_joint {
    uint32_t nx, ny;
    size_t pairs;
    uint64_t total;                  /* of all counts, at most 2^53 */
    size_t *row, *col;               /* [nx + 1], [ny + 1] */
    uint32_t *row_y, *col_x;         /* [pairs] */
    uint64_t *row_count, *col_count; /* [pairs] */
    double *p_yx, *p_xy;             /* [pairs] */
    uint64_t *count_x, *count_y;
    double *px;
    double HX, HY, IXY; /* nats */
} ip_joint;

/* From triplets in any order (the array is reordered; equal pairs add up, ids are any numbers below the bounds). Ids that
 * do not occur fall away, the others keep their order. */
ip_status ip_joint_make(ip_joint *out, ip_triplet *triplets, size_t n, ip_error *error);

/* Merges x with proportional rows, then y with proportional columns, until nothing changes, and brings both into an order
 * that depends on the table alone, not on how its labels were numbered. The bound is that of the whole joint. */
ip_status ip_joint_reduce(ip_joint *out, const ip_joint *joint, ip_error *error);

void ip_joint_free(ip_joint *joint);

/* Connected components of the graph x - y. */
typedef struct ip_components {
    uint32_t count;
    uint32_t *of_x; /* [nx] 0 .. count-1, by falling mass */
    uint64_t *mass; /* [count] */
    double H;       /* nats: the Gacs-Koerner common information */
} ip_components;

ip_status ip_components_find(ip_components *out, const ip_joint *joint, ip_error *error);
void ip_components_free(ip_components *components);

#endif

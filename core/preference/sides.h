/* Information about which side of a pair a state belongs to, with its nulls and its interval.
 *
 * The counted positions of a layer come pair by pair, the chosen reply's before the rejected one's. Everything that is
 * asked of them is a sum over whole replies: the two sides, the sides with some pairs turned round (the null that keeps
 * a pair's words together), the sides without a group of pairs. So each reply is summed once, exactly, and the rest is
 * additions. Only the null of permuted positions goes back to the positions.
 */
#ifndef IP_CORE_SIDES_H
#define IP_CORE_SIDES_H

#include <stdbool.h>

#include "core/base/pool.h"
#include "core/base/ranks_door.h"
#include "core/estimators/soft.h"

typedef struct ip_sides {
    size_t pairs;
    uint64_t *base;        /* [2 pairs + 1]: counted positions before each reply */
    const ip_ranks *ranks; /* NULL: this process has all pairs */
    const uint64_t *deal;  /* [ranks + 1]: the first reply of each */
    size_t first, end;     /* replies that are this rank's: the soft assignments are of their positions */
    uint64_t longest;      /* counted positions of the longest reply */
    unsigned null, groups;
    uint64_t seed;
    /* work */
    size_t blocks; /* of anchors */
    uint32_t *identity;
    uint64_t *replies;  /* [2 pairs][blocks][16]; all ranks' once they are summed */
    uint64_t *permuted; /* [threads][blocks][16] */
    uint32_t *lists;    /* [threads]: positions of a task */
    unsigned threads;
} ip_sides;

/* Bytes that a run over so many pairs holds. */
uint64_t ip_sides_bytes(size_t pairs, size_t bins, unsigned threads, uint64_t longest);

/* base becomes the object's, whatever is returned; close it in any case. Every call with the same seed draws the same nulls. */
ip_status ip_sides_open(ip_sides *out, uint64_t *base, size_t pairs, size_t bins, unsigned null, unsigned groups,
                        uint64_t seed, unsigned threads, ip_error *error);
void ip_sides_close(ip_sides *sides);

/* Figures of a layer, nats. NaN where no position is left. */
typedef struct ip_sides_figures {
    double H, I;
    double *swapped, *permuted;    /* [null]: I with pairs turned round, with positions permuted */
    double *without_H, *without_I; /* [groups]: without the pairs g, g + groups, ... */
} ip_sides_figures;

/* Leaves this rank the replies deal[rank] .. deal[rank + 1]; deal, [ranks + 1], outlives it. */
void ip_sides_deal(ip_sides *sides, const ip_ranks *ranks, const uint64_t *deal);

/* Together. The soft assignments hold the positions of this rank's replies, from 0. */
ip_status ip_sides_estimate(ip_sides *sides, const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool,
                            ip_sides_figures *out, ip_error *error);

/* Whether draw r turns pair i round: one bit of Philox, whatever the number of pairs. */
bool ip_sides_turned(uint64_t seed, unsigned r, uint64_t pair);

#endif

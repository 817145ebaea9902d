/* The soft assignments of one layer: p_t over m anchors for every counted position, and the entropy of each.
 *
 * Kept in blocks of 16 anchors, [block][position][16 floats], a cache line per position: a label's sum then touches one
 * line per position and block, and one block of all positions often fits a private cache. When the memory bound does not
 * allow it, the blocks lie in a scratch file and are read through a map, which the kernel may drop at any time.
 * Estimates from them: core/estimators/resample.h.
 */
#ifndef IP_CORE_SOFT_H
#define IP_CORE_SOFT_H

#include <stddef.h>
#include <stdint.h>

#include "arch/kernels.h"
#include "core/base/ranks_door.h"
#include "core/base/status.h"
#include "core/forward/scratch.h"

typedef struct ip_soft {
    size_t positions, m, blocks;
    float *rows;             /* [blocks][positions][16]: memory, or a read-only map of the scratch file */
    int64_t *entropy;        /* [positions]: H(p_t) in units of 2^-32 nats */
    ip_scratch scratch;      /* fd -1 when in memory */
    const ip_ranks *ranks;   /* set behind ip_soft_open where ranks share the work; NULL: none do */
    const uint64_t *borders; /* [ranks + 1]: the positions that each rank stores, in order */
    bool every_block;        /* this rank works on all of them: set where labels are looked at one by one */
} ip_soft;

/* Bytes of anonymous memory, with and without spilling. */
size_t ip_soft_bytes(size_t positions, size_t m, int spilled);
/* Bytes of the rows that a rank fills, which stores `own` of the positions. */
uint64_t ip_soft_rank_bytes(const ip_ranks *ranks, size_t positions, size_t own, size_t m, bool every_block);

/* folder NULL: in memory; else spilled to a scratch file there. */
ip_status ip_soft_open(ip_soft *soft, size_t positions, size_t m, const char *folder, ip_error *error);
void ip_soft_close(ip_soft *soft);

/* Stores n rows of p (each m rounded up to 16 floats) as positions first .. first+n-1. Threads may store different
 * positions at once. */
ip_status ip_soft_put(ip_soft *soft, const ip_kernels *kernels, size_t first, const float *p, size_t n,
                      ip_error *error);

/* Together, once a layer is stored: the other ranks' part of the blocks that this one works on, and every position's
 * entropy. */
ip_status ip_soft_swap(ip_soft *soft, ip_error *error);

#endif

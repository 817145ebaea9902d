/* Philox4x32-10, the counter-based generator (Salmon et al. 2011): a draw is a function of key and counter alone, so
 * it is the same on every machine and thread count. */
#ifndef IP_CORE_PHILOX_H
#define IP_CORE_PHILOX_H

#include <stddef.h>
#include <stdint.h>

/* What a draw is for: the last word of the counter. */
enum {
    IP_DRAW_ANCHORS = 1,
    IP_DRAW_PERMUTATION = 2,
    IP_DRAW_DOCUMENTS = 3,
    IP_DRAW_PAIRS = 4,
    IP_DRAW_CLUSTERS = 5,
    IP_DRAW_BOUND = 7,
    IP_DRAW_ROW_ORDER = 16,
    IP_DRAW_ROW_RESAMPLE = 17
};

/* counter -> four uniform 32-bit words. */
void ip_philox(const uint32_t counter[4], uint64_t seed, uint32_t out[4]);

/* n standard normal doubles of one row: Box-Muller on the words of blocks 0, 1, ... */
void ip_philox_normals(double *out, size_t n, uint64_t seed, uint32_t row, uint32_t purpose);

#endif

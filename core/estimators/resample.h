/* H(Z|V) of label sets from a layer's soft assignments, on all documents and resampled: without each group of documents
 * (jackknife), with permuted labels (null), with documents drawn anew (bootstrap).
 *
 * With V the label sets and `whole` (ip_partition_whole) as one of them, I(V;Z) = H(Z|whole) - H(Z|V) in each of the
 * resamples as on all documents.
 */
#ifndef IP_CORE_RESAMPLE_H
#define IP_CORE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/pool.h"
#include "core/estimators/soft.h"
#include "core/ngrams/partition.h"

/* What is to be resampled, the same for all label sets and layers. */
typedef struct ip_resampling {
    unsigned groups;          /* jackknife groups, 0: none */
    const uint16_t *group;    /* [positions]: group of the position's document, below groups; NULL with groups 0 */
    unsigned nulls;           /* permutations of the labels, 0: none */
    unsigned bootstrap;       /* draws of `documents` documents with replacement, 0: none */
    const uint32_t *document; /* [positions], below documents; NULL with bootstrap 0 */
    size_t documents;
    uint64_t seed;
} ip_resampling;

/* H(Z|V) in nats. NaN where a resample holds no position. */
typedef struct ip_soft_figures {
    double plain;
    double *without;   /* [groups]: without group g, of the positions that are left */
    double *null;      /* [nulls]: labels permuted, by one permutation per r for all sets */
    double *resampled; /* [bootstrap]: a position counted as often as its document was drawn */
} ip_soft_figures;

/* How often each document counts in resample b, the same for whatever is resampled. */
void ip_draw_documents(uint32_t *weights, size_t documents, uint64_t seed, uint32_t b);

/* Room for so many sets in one piece; free(). */
ip_status ip_soft_figures_open(ip_soft_figures **out, size_t sets, const ip_resampling *resampling, ip_error *error);

/* figures: sets + 1 of them; the last is the mean of H(p_t), every position its own label (its null is its plain).
 * resampling NULL: plain figures only. Results do not depend on threads, or on the order of positions inside a label. */
ip_status ip_soft_estimate(const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool,
                           const ip_partition *const *partitions, size_t sets, const ip_resampling *resampling,
                           ip_soft_figures *figures, ip_error *error);

/* Bytes that ip_soft_estimate takes while it runs, figures included. */
size_t ip_soft_estimate_bytes(size_t positions, size_t m, size_t sets, unsigned threads,
                              const ip_resampling *resampling);

#endif

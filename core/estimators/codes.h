/* Entropies of discrete codes, one per position: the same figures as of soft assignments (core/estimators/resample.h), from counts.
 * H(Z|V) = sum_v n_v/N H(counts of codes among the positions of v / n_v). */
#ifndef IP_CORE_CODES_H
#define IP_CORE_CODES_H

#include "core/estimators/resample.h"

/* code: [positions], below distinct. figures: sets + 1 of them; the last is every position its own label, entropy 0. */
ip_status ip_codes_estimate(const uint32_t *code, size_t positions, size_t distinct, ip_pool *pool,
                            const ip_partition *const *partitions, size_t sets, const ip_resampling *resampling,
                            ip_soft_figures *figures, ip_error *error);

/* Bytes that it takes while it runs, figures included. */
size_t ip_codes_estimate_bytes(size_t positions, size_t distinct, size_t sets, unsigned threads,
                               const ip_resampling *resampling);

#endif

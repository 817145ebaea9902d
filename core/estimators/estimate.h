/* From resampled entropies to estimates with null, bias and intervals. */
#ifndef IP_CORE_ESTIMATE_H
#define IP_CORE_ESTIMATE_H

#include "core/estimators/resample.h"
#include "core/infoplane.h"

/* IP_USAGE when settings ask for more than can be done. */
ip_status ip_resampling_check(const ip_settings *settings, ip_error *error);

/* The resampling that settings ask for, over so many documents: at most one group per document, and no groups and no
 * bootstrap with fewer than two. Each position's document is then set below. */
ip_status ip_resampling_open(ip_resampling *out, const ip_settings *settings, size_t positions, size_t documents,
                             ip_error *error);
void ip_resampling_close(ip_resampling *resampling, size_t positions);
/* Bytes that open takes. */
size_t ip_resampling_bytes(const ip_settings *settings, size_t positions);

/* Document i is in group i mod G. */
void ip_resampling_set(ip_resampling *resampling, size_t position, size_t document);

/* I(V;Z) of a set beside the figures of the whole partition. without: [groups], receives I without each group;
 * resampled: [bootstrap], I of each resample; NULL when not wanted. */
ip_status ip_estimate_make(ip_estimate *out, const ip_soft_figures *whole, const ip_soft_figures *set,
                           uint64_t distinct, const ip_resampling *resampling, double *without, double *resampled,
                           ip_error *error);

#endif

/* What the passes of an estimate share (core/estimators/resample.c, core/estimators/resample_draws.c). */
#ifndef IP_CORE_RESAMPLE_INTERNAL_H
#define IP_CORE_RESAMPLE_INTERNAL_H

#include "core/estimators/deal.h"
#include "core/estimators/resample.h"
#include "core/numbers/permutation.h"
#include "core/numbers/wide.h"

/* A task: labels [from, to) of one partition, in one block of anchors. */
typedef struct ip_label_span {
    uint32_t set, block;
    size_t from, to;
} ip_label_span;

/* Cuts a partition's labels where about IP_SPAN_POSITIONS positions have gathered, for each of `blocks`; spans NULL: only
 * counts them. `block` says which of those are whose. */
enum { IP_SPAN_POSITIONS = 16384 };
size_t ip_label_spans(ip_label_span *spans, const ip_partition *partition, uint32_t set, size_t blocks);

/* A worker's sums of one label per group. */
typedef struct ip_group_sums {
    uint64_t *sums;    /* [groups][16] */
    uint32_t *count;   /* [groups]: positions; zeros between labels */
    uint16_t *touched; /* groups that the label at hand occurs in */
} ip_group_sums;

typedef struct ip_estimate_job {
    const ip_soft *soft;
    const ip_kernels *kernels;
    ip_pool *pool;
    const ip_partition *const *partitions;
    size_t sets;
    const ip_resampling *resampling;
    ip_soft_figures *figures;
    ip_label_span *spans;
    size_t span_count;
    /* [threads][sets][1 + groups]: sums of n H in units of 2^-32; behind the total what leaving group g out changes,
     * modulo 2^128 */
    ip_wide *totals;
    size_t slots;
    ip_group_sums *work; /* [threads] */
    /* draws */
    ip_permutation permutation;
    uint32_t *order;   /* [positions]: the permutation at hand */
    uint32_t *weights; /* [documents]: how often each was drawn */
} ip_estimate_job;

static inline const float *ip_block_rows(const ip_estimate_job *job, size_t block) {
    return job->soft->rows + block * job->soft->positions * IP_LANES;
}

static inline ip_wide *ip_job_total(const ip_estimate_job *job, unsigned worker, size_t set) {
    return job->totals + (worker * job->sets + set) * job->slots;
}

/* Whether piece i of n of a block is this rank's work. */
static inline bool ip_job_takes(const ip_estimate_job *job, size_t block, size_t i, size_t n) {
    const ip_ranks *ranks = job->soft->ranks;
    return ip_deal_takes(ip_ranks_number(ranks), ip_ranks_count(ranks), job->soft->blocks, block, i, n);
}

/* Zeroes the totals. */
void ip_job_clear(ip_estimate_job *job);
/* Together: adds up the totals over workers and ranks. */
void ip_job_gather(ip_estimate_job *job);
/* One of them, once gathered. */
static inline ip_wide ip_job_sum(const ip_estimate_job *job, size_t set, size_t slot) {
    return ip_job_total(job, 0, set)[slot];
}

ip_status ip_estimate_nulls(ip_estimate_job *job, ip_error *error);
ip_status ip_estimate_bootstrap(ip_estimate_job *job, ip_error *error);

#endif

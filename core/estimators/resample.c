/* Entropies of label means, on all documents and without each group of them.
 *
 * H(Z|V) = sum_v n_v/N H(P_v). Per label and block of 16 anchors the sum over its positions is exact (integers), the
 * block's share of H(P_v) is rounded once to units of 2^-32 nats, and everything after that is integer: the order of
 * labels, blocks and threads cannot show. A label whose positions all have the same p gets n times exactly the H(p_t)
 * that a singleton would get, so I(X;Z) = I(C;Z) at layer 0 holds to the last bit.
 *
 * Without group g most labels keep their entropy: only those that occur in g change. So per label and group that it
 * occurs in, the difference (n_v - n_vg) H(P_v without g) - n_v H(P_v) is added to the group's slot. What is left of a
 * label may be a single position: it then has the H(p_t) of that position, as a singleton has, and the identity above
 * holds without any group too.
 */
#include "core/estimators/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/estimators/resample_internal.h"

static const ip_resampling nothing = {0};

/* ---- spans of labels ---- */

size_t ip_label_spans(ip_label_span *spans, const ip_partition *partition, uint32_t set, size_t blocks) {
    size_t count = 0;
    for (uint32_t b = 0; b < blocks; b++) {
        size_t from = 0;
        for (size_t g = 0; g < partition->groups; g++) {
            int last = g + 1 == partition->groups;
            if (!last && partition->start[g + 1] - partition->start[from] < IP_SPAN_POSITIONS) continue;
            if (spans) spans[count] = (ip_label_span){set, b, from, g + 1};
            count++;
            from = g + 1;
        }
    }
    return count;
}

/* ---- one label in one block ---- */

/* The entropy of what is left of a label when one position is left: whole, in its first block. */
static void add_last_position(const ip_estimate_job *job, size_t block, ip_wide *slot, const uint32_t *positions,
                              size_t n, unsigned without) {
    if (block != 0) return;
    size_t i = 0;
    while (i + 1 < n && job->resampling->group[positions[i]] == without) i++;
    ip_wide_add(slot, (ip_wide){(uint64_t)job->soft->entropy[positions[i]], 0});
}

/* The positions of a label by group; returns how many groups it occurs in. */
static size_t sum_groups(const ip_estimate_job *job, ip_group_sums *work, const float *rows, const uint32_t *positions,
                         size_t n) {
    const uint16_t *group = job->resampling->group;
    size_t touched = 0;
    for (size_t i = 0, next; i < n; i = next) {
        unsigned g = group[positions[i]];
        next = i + 1;
        while (next < n && group[positions[next]] == g) next++;
        uint64_t *sums = work->sums + (size_t)g * IP_LANES;
        if (work->count[g] == 0) {
            work->touched[touched++] = (uint16_t)g;
            memset(sums, 0, IP_LANES * sizeof *sums);
        }
        work->count[g] += (uint32_t)(next - i);
        job->kernels->sum_gather(sums, rows, positions + i, next - i);
    }
    return touched;
}

static void label_with_groups(const ip_estimate_job *job, ip_group_sums *work, size_t block, ip_wide *total,
                              const uint32_t *positions, size_t n) {
    size_t touched = sum_groups(job, work, ip_block_rows(job, block), positions, n);
    uint64_t sums[IP_LANES] = {0};
    for (size_t t = 0; t < touched; t++) {
        const uint64_t *part = work->sums + (size_t)work->touched[t] * IP_LANES;
        for (size_t j = 0; j < IP_LANES; j++) sums[j] += part[j];
    }
    ip_wide all = ip_wide_product(n, (uint64_t)job->kernels->entropy_sums(sums, n, IP_LANES));
    ip_wide_add(total, all);
    for (size_t t = 0; t < touched; t++) {
        unsigned g = work->touched[t];
        ip_wide *slot = total + 1 + g;
        size_t left = n - work->count[g];
        work->count[g] = 0;
        ip_wide_subtract(slot, all);
        if (left == 0) continue;
        if (left == 1) {
            add_last_position(job, block, slot, positions, n, g);
            continue;
        }
        uint64_t rest[IP_LANES];
        for (size_t j = 0; j < IP_LANES; j++) rest[j] = sums[j] - work->sums[(size_t)g * IP_LANES + j];
        ip_wide_add_product(slot, left, (uint64_t)job->kernels->entropy_sums(rest, left, IP_LANES));
    }
}

/* A label of two positions needs no sums per group: what is left is one of them, or nothing. */
static void pair_with_groups(const ip_estimate_job *job, size_t block, ip_wide *total, const uint32_t *positions,
                             ip_wide all) {
    unsigned a = job->resampling->group[positions[0]], b = job->resampling->group[positions[1]];
    ip_wide_subtract(total + 1 + a, all);
    if (a == b) return;
    ip_wide_subtract(total + 1 + b, all);
    add_last_position(job, block, total + 1 + a, positions, 2, a);
    add_last_position(job, block, total + 1 + b, positions, 2, b);
}

static ip_status run_span(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const ip_estimate_job *job = context;
    const ip_label_span *s = &job->spans[task];
    const ip_partition *partition = job->partitions[s->set];
    const float *rows = ip_block_rows(job, s->block);
    ip_wide *total = ip_job_total(job, worker, s->set);
    unsigned groups = job->resampling->groups;
    for (size_t g = s->from; g < s->to; g++) {
        size_t n = partition->start[g + 1] - partition->start[g];
        const uint32_t *positions = partition->order + partition->start[g];
        if (groups > 0 && n > 2) {
            label_with_groups(job, &job->work[worker], s->block, total, positions, n);
            continue;
        }
        uint64_t sums[IP_LANES] = {0};
        job->kernels->sum_gather(sums, rows, positions, n);
        ip_wide all = ip_wide_product(n, (uint64_t)job->kernels->entropy_sums(sums, n, IP_LANES));
        ip_wide_add(total, all);
        if (groups > 0) pair_with_groups(job, s->block, total, positions, all);
    }
    return IP_OK;
}

/* ---- the job ---- */

void ip_job_clear(ip_estimate_job *job) {
    memset(job->totals, 0, ip_pool_threads(job->pool) * job->sets * job->slots * sizeof *job->totals);
}

void ip_job_gather(ip_estimate_job *job) {
    size_t n = job->sets * job->slots;
    for (unsigned w = 1; w < ip_pool_threads(job->pool); w++)
        for (size_t i = 0; i < n; i++) ip_wide_add(&job->totals[i], job->totals[w * n + i]);
    ip_ranks_sum_wide(job->soft->ranks, job->totals, n);
}

static double mean_of(ip_wide sum, uint64_t n) { return n > 0 ? ip_wide_double(sum) * 0x1p-32 / (double)n : NAN; }

/* figures of a set from its totals, once singletons are in them. counts[g]: positions of group g. */
static void finish(ip_soft_figures *out, ip_wide total, const ip_wide *changes, unsigned groups, const uint64_t *counts,
                   uint64_t positions) {
    out->plain = mean_of(total, positions);
    for (unsigned g = 0; g < groups; g++) {
        ip_wide left = total;
        ip_wide_add(&left, changes[g]);
        out->without[g] = mean_of(left, positions - counts[g]);
    }
}

/* Singletons: H(p_t) each, nothing without their group. */
static void add_single(const ip_estimate_job *job, ip_wide *total, uint32_t position) {
    ip_wide own = {(uint64_t)job->soft->entropy[position], 0};
    ip_wide_add(total, own);
    if (job->resampling->groups > 0) ip_wide_subtract(total + 1 + job->resampling->group[position], own);
}

static ip_status finish_all(ip_estimate_job *job, ip_error *error) {
    const ip_soft *soft = job->soft;
    unsigned groups = job->resampling->groups;
    uint64_t *counts = calloc(groups + 1, sizeof *counts);
    ip_wide *totals = malloc(job->slots * sizeof *totals);
    ip_status status = counts && totals ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the sums of groups");
    for (size_t i = 0; status == IP_OK && groups > 0 && i < soft->positions; i++) counts[job->resampling->group[i]]++;
    for (size_t v = 0; status == IP_OK && v <= job->sets; v++) {
        memset(totals, 0, job->slots * sizeof *totals);
        if (v < job->sets) {
            const ip_partition *partition = job->partitions[v];
            for (size_t s = 0; s < job->slots; s++) totals[s] = ip_job_sum(job, v, s);
            for (size_t i = partition->start[partition->groups]; i < partition->positions; i++)
                add_single(job, totals, partition->order[i]);
        } else {
            for (size_t i = 0; i < soft->positions; i++) add_single(job, totals, (uint32_t)i);
        }
        finish(&job->figures[v], totals[0], totals + 1, groups, counts, soft->positions);
    }
    free(counts);
    free(totals);
    return status;
}

static size_t group_work_bytes(unsigned groups) {
    return groups * (IP_LANES * sizeof(uint64_t) + sizeof(uint32_t) + sizeof(uint16_t));
}

/* Leaves the spans that are this rank's. */
static void keep_own_spans(ip_estimate_job *job) {
    size_t kept = 0;
    for (size_t from = 0, end; from < job->span_count; from = end) {
        const ip_label_span first = job->spans[from]; /* of a set and block */
        for (end = from; end < job->span_count; end++)
            if (job->spans[end].set != first.set || job->spans[end].block != first.block) break;
        for (size_t i = from; i < end; i++)
            if (ip_job_takes(job, first.block, i - from, end - from)) job->spans[kept++] = job->spans[i];
    }
    job->span_count = kept;
}

static ip_status allocate(ip_estimate_job *job, ip_error *error) {
    unsigned threads = ip_pool_threads(job->pool), groups = job->resampling->groups;
    for (size_t v = 0; v < job->sets; v++)
        job->span_count += ip_label_spans(NULL, job->partitions[v], (uint32_t)v, job->soft->blocks);
    job->slots = 1 + groups;
    job->spans = malloc((job->span_count + 1) * sizeof *job->spans);
    job->totals = calloc(threads * job->sets * job->slots + 1, sizeof *job->totals);
    job->work = calloc(threads, sizeof *job->work);
    int missing = !job->spans || !job->totals || !job->work;
    for (unsigned w = 0; !missing && groups > 0 && w < threads; w++) {
        ip_group_sums *work = &job->work[w];
        work->sums = calloc(1, group_work_bytes(groups));
        if (!work->sums) {
            missing = 1;
            break;
        }
        work->count = (uint32_t *)(void *)(work->sums + (size_t)groups * IP_LANES);
        work->touched = (uint16_t *)(void *)(work->count + groups);
    }
    if (missing) return ip_fail(error, IP_FAILED, "out of memory for the sums of %zu label sets", job->sets);
    size_t at = 0;
    for (size_t v = 0; v < job->sets; v++)
        at += ip_label_spans(job->spans + at, job->partitions[v], (uint32_t)v, job->soft->blocks);
    keep_own_spans(job);
    return IP_OK;
}

ip_status ip_soft_estimate(const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool,
                           const ip_partition *const *partitions, size_t sets, const ip_resampling *resampling,
                           ip_soft_figures *figures, ip_error *error) {
    ip_estimate_job job = {.soft = soft,
                           .kernels = kernels,
                           .pool = pool,
                           .partitions = partitions,
                           .sets = sets,
                           .resampling = resampling ? resampling : &nothing,
                           .figures = figures};
    ip_status status = allocate(&job, error);
    if (status == IP_OK) status = ip_pool_run(pool, job.span_count, run_span, &job, error);
    if (status == IP_OK) ip_job_gather(&job);
    if (status == IP_OK) status = finish_all(&job, error);
    if (status == IP_OK && job.resampling->nulls > 0) status = ip_estimate_nulls(&job, error);
    if (status == IP_OK && job.resampling->bootstrap > 0) status = ip_estimate_bootstrap(&job, error);
    for (unsigned w = 0; job.work && w < ip_pool_threads(pool); w++) free(job.work[w].sums);
    free(job.work);
    free(job.totals);
    free(job.spans);
    return status;
}

size_t ip_soft_estimate_bytes(size_t positions, size_t m, size_t sets, unsigned threads,
                              const ip_resampling *resampling) {
    size_t spans = sets * (positions / IP_SPAN_POSITIONS + 1) * ((m + IP_LANES - 1) / IP_LANES);
    size_t bytes =
        spans * sizeof(ip_label_span) + threads * group_work_bytes(resampling->groups) +
        (threads * sets + 1) * (1 + resampling->groups) * sizeof(ip_wide) +
        (sets + 1) * (resampling->groups + resampling->nulls + (size_t)resampling->bootstrap) * sizeof(double);
    if (resampling->nulls > 0) bytes += positions * sizeof(uint32_t) + ip_permutation_bytes((uint32_t)positions);
    if (resampling->bootstrap > 0) bytes += resampling->documents * sizeof(uint32_t);
    return bytes;
}

ip_status ip_soft_figures_open(ip_soft_figures **out, size_t sets, const ip_resampling *resampling, ip_error *error) {
    const ip_resampling *r = resampling ? resampling : &nothing;
    size_t each = (size_t)r->groups + r->nulls + r->bootstrap;
    ip_soft_figures *figures = calloc(1, (sets + 1) * (sizeof *figures + each * sizeof(double)));
    *out = figures;
    if (!figures) return ip_fail(error, IP_FAILED, "out of memory for the figures of %zu label sets", sets);
    double *at = (double *)(void *)(figures + sets + 1);
    for (size_t v = 0; v <= sets; v++, at += each) {
        figures[v].without = at;
        figures[v].null = at + r->groups;
        figures[v].resampled = at + r->groups + r->nulls;
    }
    return IP_OK;
}

/* Label entropies with drawn data: labels permuted, documents drawn with replacement.
 *
 * Null. One permutation of the positions per r serves all label sets: labels, with the counts they have, take its
 * positions in the order of their partition, singletons last. A stretch of the permutation is worked on for all sets
 * before the next, so that its rows are fetched once and lie in the cache for the other sets.
 */
#include <math.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/estimators/resample_internal.h"
#include "core/numbers/philox.h"

/* Rows of a block that fit half of a private cache of 1 MB. */
enum { STRETCH = 8192 };

static size_t stretches(const ip_estimate_job *job) { return (job->soft->positions + STRETCH - 1) / STRETCH; }

static size_t stretch_end(const ip_estimate_job *job, size_t from) {
    return job->soft->positions - from < STRETCH ? job->soft->positions : from + STRETCH;
}

static double per_position(ip_wide sum, uint64_t n) { return n > 0 ? ip_wide_double(sum) * 0x1p-32 / (double)n : NAN; }

/* ---- labels permuted ---- */

static ip_status permute_stretch(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    ip_estimate_job *job = context;
    size_t from = task * STRETCH, to = stretch_end(job, from);
    for (size_t i = from; i < to; i++) job->order[i] = ip_permutation_at(&job->permutation, (uint32_t)i);
    return IP_OK;
}

/* One label for everything: no permutation changes its entropy. */
static int is_whole(const ip_partition *partition) {
    return partition->groups == 1 && partition->start[1] == partition->positions;
}

/* The first label of two or more positions that starts at `at` or behind it. */
static size_t label_at(const ip_partition *partition, size_t at) {
    size_t low = 0, high = partition->groups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition->start[middle] < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static ip_status null_stretch(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const ip_estimate_job *job = context;
    size_t block = task / stretches(job), stretch = task % stretches(job), from = stretch * STRETCH,
           to = stretch_end(job, from);
    if (!ip_job_takes(job, block, stretch, stretches(job))) return IP_OK;
    const float *rows = ip_block_rows(job, block);
    for (size_t v = 0; v < job->sets; v++) {
        const ip_partition *partition = job->partitions[v];
        if (is_whole(partition)) continue;
        ip_wide *total = ip_job_total(job, worker, v);
        for (size_t g = label_at(partition, from); g < partition->groups && partition->start[g] < to; g++) {
            uint64_t sums[IP_LANES] = {0};
            size_t start = partition->start[g], n = partition->start[g + 1] - start;
            job->kernels->sum_gather(sums, rows, job->order + start, n);
            ip_wide_add_product(total, n, (uint64_t)job->kernels->entropy_sums(sums, n, IP_LANES));
        }
        size_t singles = partition->start[partition->groups];
        for (size_t i = from > singles ? from : singles; block == 0 && i < to; i++)
            ip_wide_add(total, (ip_wide){(uint64_t)job->soft->entropy[job->order[i]], 0});
    }
    return IP_OK;
}

ip_status ip_estimate_nulls(ip_estimate_job *job, ip_error *error) {
    size_t positions = job->soft->positions, order_bytes = positions * sizeof *job->order;
    ip_status status = ip_permutation_open(&job->permutation, (uint32_t)positions, error);
    if (status != IP_OK) return status;
    job->order = ip_big_alloc(order_bytes);
    if (!job->order) status = ip_fail(error, IP_FAILED, "out of memory for a permutation of %zu positions", positions);
    for (unsigned r = 0; status == IP_OK && r < job->resampling->nulls; r++) {
        ip_permutation_key(&job->permutation, job->resampling->seed, r);
        ip_job_clear(job);
        status = ip_pool_run(job->pool, stretches(job), permute_stretch, job, error);
        if (status == IP_OK)
            status = ip_pool_run(job->pool, stretches(job) * job->soft->blocks, null_stretch, job, error);
        if (status == IP_OK) ip_job_gather(job);
        for (size_t v = 0; v <= job->sets; v++) {
            ip_soft_figures *out = &job->figures[v];
            bool same = v == job->sets || is_whole(job->partitions[v]);
            out->null[r] = same ? out->plain : per_position(ip_job_sum(job, v, 0), positions);
        }
    }
    ip_big_free(job->order, order_bytes);
    job->order = NULL;
    ip_permutation_close(&job->permutation);
    return status;
}

/* ---- documents drawn with replacement ---- */

/* Resample b: `documents` draws, draw i from lanes 2 (i mod 2) and 2 (i mod 2) + 1 of block i / 2. */
void ip_draw_documents(uint32_t *weights, size_t documents, uint64_t seed, uint32_t b) {
    memset(weights, 0, documents * sizeof *weights);
    for (size_t i = 0; i < documents; i += 2) {
        uint32_t words[4];
        ip_philox((uint32_t[4]){(uint32_t)(i / 2), b, 0, IP_DRAW_DOCUMENTS}, seed, words);
        for (size_t j = 0; j < 2 && i + j < documents; j++) {
            uint64_t u = (uint64_t)words[2 * j + 1] << 32 | words[2 * j];
            weights[ip_wide_product(u, documents).high]++; /* floor(u / 2^64 * documents) */
        }
    }
}

/* The sums of a label, its positions repeated as often as they count; returns how many that are. */
static size_t sum_repeated(const ip_estimate_job *job, uint64_t sums[IP_LANES], const float *rows,
                           const uint32_t *positions, size_t n) {
    enum { CHUNK = 512 };
    uint32_t chunk[CHUNK];
    size_t filled = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        for (uint32_t w = job->weights[job->resampling->document[positions[i]]]; w > 0; w--) {
            if (filled == CHUNK) {
                job->kernels->sum_gather(sums, rows, chunk, filled);
                filled = 0;
            }
            chunk[filled++] = positions[i];
            count++;
        }
    }
    job->kernels->sum_gather(sums, rows, chunk, filled);
    return count;
}

static ip_status bootstrap_span(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const ip_estimate_job *job = context;
    const ip_label_span *s = &job->spans[task];
    const ip_partition *partition = job->partitions[s->set];
    ip_wide *total = ip_job_total(job, worker, s->set);
    for (size_t g = s->from; g < s->to; g++) {
        uint64_t sums[IP_LANES] = {0};
        size_t n = sum_repeated(job, sums, ip_block_rows(job, s->block), partition->order + partition->start[g],
                                partition->start[g + 1] - partition->start[g]);
        if (n > 0) ip_wide_add_product(total, n, (uint64_t)job->kernels->entropy_sums(sums, n, IP_LANES));
    }
    return IP_OK;
}

static void add_drawn(const ip_estimate_job *job, ip_wide *total, uint32_t position) {
    uint32_t w = job->weights[job->resampling->document[position]];
    ip_wide_add_product(total, w, (uint64_t)job->soft->entropy[position]);
}

ip_status ip_estimate_bootstrap(ip_estimate_job *job, ip_error *error) {
    const ip_resampling *r = job->resampling;
    size_t positions = job->soft->positions, bytes = r->documents * sizeof *job->weights;
    job->weights = ip_big_alloc(bytes);
    if (!job->weights) return ip_fail(error, IP_FAILED, "out of memory for draws of %zu documents", r->documents);
    ip_status status = IP_OK;
    for (unsigned b = 0; status == IP_OK && b < r->bootstrap; b++) {
        ip_draw_documents(job->weights, r->documents, r->seed, b);
        ip_job_clear(job);
        status = ip_pool_run(job->pool, job->span_count, bootstrap_span, job, error);
        if (status == IP_OK) ip_job_gather(job);
        uint64_t drawn = 0;
        ip_wide own = {0, 0};
        for (size_t i = 0; i < positions; i++) {
            drawn += job->weights[r->document[i]];
            add_drawn(job, &own, (uint32_t)i);
        }
        job->figures[job->sets].resampled[b] = per_position(own, drawn);
        for (size_t v = 0; v < job->sets; v++) {
            const ip_partition *partition = job->partitions[v];
            ip_wide total = ip_job_sum(job, v, 0);
            for (size_t i = partition->start[partition->groups]; i < positions; i++)
                add_drawn(job, &total, partition->order[i]);
            job->figures[v].resampled[b] = per_position(total, drawn);
        }
    }
    ip_big_free(job->weights, bytes);
    job->weights = NULL;
    return status;
}

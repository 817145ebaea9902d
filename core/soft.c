/* Storing soft assignments, and entropies of label means from them.
 *
 * H(Z|V) = sum_v n_v/N H(P_v). Per label and block of 16 anchors the sum over its positions is exact (integers), the
 * block's share of H(P_v) is rounded once to units of 2^-32 nats, and everything after that is integer: the order of
 * labels, blocks and threads cannot show. A label whose positions all have the same p gets n times exactly the H(p_t)
 * that a singleton would get, so I(X;Z) = I(C;Z) at layer 0 holds to the last bit.
 */
#include "core/soft.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/memory.h"
#include "core/wide.h"

static size_t row_bytes(const ip_soft *soft) { return soft->blocks * soft->positions * IP_LANES * sizeof(float); }

size_t ip_soft_bytes(size_t positions, size_t m, int spilled) {
    size_t blocks = (m + IP_LANES - 1) / IP_LANES;
    return positions * (sizeof(int64_t) + (spilled ? 0 : blocks * IP_LANES * sizeof(float)));
}

ip_status ip_soft_open(ip_soft *soft, size_t positions, size_t m, const char *folder, ip_error *error) {
    memset(soft, 0, sizeof *soft);
    soft->positions = positions;
    soft->m = m;
    soft->blocks = (m + IP_LANES - 1) / IP_LANES;
    soft->scratch.fd = -1;
    ip_status status = IP_OK;
    soft->entropy = ip_big_alloc(positions * sizeof *soft->entropy);
    if (folder) {
        status = ip_scratch_open(&soft->scratch, folder, row_bytes(soft), error);
        if (status == IP_OK && row_bytes(soft) > 0) {
            soft->rows = mmap(NULL, row_bytes(soft), PROT_READ, MAP_SHARED, soft->scratch.fd, 0);
            if (soft->rows == MAP_FAILED) soft->rows = NULL;
        }
    } else {
        soft->rows = ip_big_alloc(row_bytes(soft));
    }
    if (status == IP_OK && (!soft->entropy || (!soft->rows && row_bytes(soft) > 0)))
        status = ip_fail(error, IP_FAILED, "out of memory for the soft assignments of %zu positions", positions);
    if (status != IP_OK) ip_soft_close(soft);
    return status;
}

void ip_soft_close(ip_soft *soft) {
    if (soft->scratch.fd >= 0) {
        if (soft->rows) munmap(soft->rows, row_bytes(soft));
        ip_scratch_close(&soft->scratch);
    } else {
        ip_big_free(soft->rows, row_bytes(soft));
    }
    ip_big_free(soft->entropy, soft->positions * sizeof *soft->entropy);
    memset(soft, 0, sizeof *soft);
    soft->scratch.fd = -1;
}

ip_status ip_soft_put(ip_soft *soft, const ip_kernels *kernels, size_t first, const float *p, size_t n,
                      ip_error *error) {
    enum { CHUNK = 64 };
    size_t stride = soft->blocks * IP_LANES;
    for (size_t i = 0; i < n; i++) soft->entropy[first + i] = kernels->entropy_row(p + i * stride, soft->m);
    for (size_t b = 0; b < soft->blocks; b++) {
        if (soft->scratch.fd < 0) {
            float *to = soft->rows + (b * soft->positions + first) * IP_LANES;
            for (size_t i = 0; i < n; i++)
                memcpy(to + i * IP_LANES, p + i * stride + b * IP_LANES, IP_LANES * sizeof(float));
            continue;
        }
        float chunk[CHUNK * IP_LANES];
        for (size_t i = 0; i < n; i += CHUNK) {
            size_t rows = n - i < CHUNK ? n - i : CHUNK;
            for (size_t r = 0; r < rows; r++)
                memcpy(chunk + r * IP_LANES, p + (i + r) * stride + b * IP_LANES, IP_LANES * sizeof(float));
            uint64_t at = (b * soft->positions + first + i) * IP_LANES * sizeof(float);
            ip_status status = ip_scratch_write(&soft->scratch, at, chunk, rows * IP_LANES * sizeof(float), error);
            if (status != IP_OK) return status;
        }
    }
    return IP_OK;
}

/* ---- label means ---- */

/* One task: labels [from, to) of one partition, in one block of anchors. */
typedef struct span {
    uint32_t set, block;
    size_t from, to;
} span;

typedef struct conditional_job {
    const ip_soft *soft;
    const ip_kernels *kernels;
    const ip_partition *const *partitions;
    span *spans;
    size_t spans_count;
    size_t sets;
    ip_wide *totals; /* [threads][sets] */
} conditional_job;

/* Cuts a partition's labels where about this many positions have gathered. */
enum { SPAN_POSITIONS = 16384 };

static size_t cut_spans(span *spans, const ip_partition *partition, uint32_t set, size_t blocks) {
    size_t count = 0;
    for (uint32_t b = 0; b < blocks; b++) {
        size_t from = 0;
        for (size_t g = 0; g < partition->groups; g++) {
            bool last = g + 1 == partition->groups;
            if (!last && partition->start[g + 1] - partition->start[from] < SPAN_POSITIONS) continue;
            if (spans) spans[count] = (span){set, b, from, g + 1};
            count++;
            from = g + 1;
        }
    }
    return count;
}

static ip_status run_span(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const conditional_job *job = context;
    const span *s = &job->spans[task];
    const ip_partition *partition = job->partitions[s->set];
    const ip_soft *soft = job->soft;
    const float *rows = soft->rows + (size_t)s->block * soft->positions * IP_LANES;
    ip_wide total = {0, 0};
    for (size_t g = s->from; g < s->to; g++) {
        uint64_t sums[IP_LANES] = {0};
        size_t n = partition->start[g + 1] - partition->start[g];
        job->kernels->sum_gather(sums, rows, partition->order + partition->start[g], n);
        ip_wide_add_product(&total, n, (uint64_t)job->kernels->entropy_sums(sums, n, IP_LANES));
    }
    ip_wide_add(&job->totals[worker * job->sets + s->set], total);
    return IP_OK;
}

ip_status ip_soft_conditional(const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool,
                              const ip_partition *const *partitions, size_t sets, double *conditional, double *singles,
                              ip_error *error) {
    conditional_job job = {.soft = soft, .kernels = kernels, .partitions = partitions, .sets = sets};
    for (size_t v = 0; v < sets; v++) job.spans_count += cut_spans(NULL, partitions[v], (uint32_t)v, soft->blocks);
    unsigned threads = ip_pool_threads(pool);
    job.spans = malloc((job.spans_count + 1) * sizeof *job.spans);
    job.totals = calloc((size_t)threads * sets + 1, sizeof *job.totals);
    ip_status status = IP_OK;
    if (!job.spans || !job.totals) {
        status = ip_fail(error, IP_FAILED, "out of memory for the sums of %zu label sets", sets);
    } else {
        size_t at = 0;
        for (size_t v = 0; v < sets; v++) at += cut_spans(job.spans + at, partitions[v], (uint32_t)v, soft->blocks);
        status = ip_pool_run(pool, job.spans_count, run_span, &job, error);
    }
    if (status == IP_OK) {
        ip_wide all = {0, 0};
        for (size_t i = 0; i < soft->positions; i++) ip_wide_add_product(&all, 1, (uint64_t)soft->entropy[i]);
        double n = (double)soft->positions;
        *singles = ip_wide_double(all) * 0x1p-32 / n;
        for (size_t v = 0; v < sets; v++) {
            ip_wide total = {0, 0};
            for (unsigned w = 0; w < threads; w++) ip_wide_add(&total, job.totals[w * sets + v]);
            const ip_partition *partition = partitions[v];
            for (size_t i = partition->start[partition->groups]; i < partition->positions; i++)
                ip_wide_add_product(&total, 1, (uint64_t)soft->entropy[partition->order[i]]);
            conditional[v] = ip_wide_double(total) * 0x1p-32 / n;
        }
    }
    free(job.spans);
    free(job.totals);
    return status;
}

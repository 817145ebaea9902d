/* binning: each dimension is cut into equal bins between its smallest and largest value over the counted positions; the code
 * of a position is all its bins together, known by their XXH3-128, so that two codes never meet (Shwartz-Ziv & Tishby 2017).
 *
 *   bin = floor((z - low) / (high - low) * bins) in double, the largest value in the last bin; 0 where high = low
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/estimators/method.h"

typedef struct record {
    ip_key128 key;
    uint32_t position;
} record;

/* A worker's part: rows, smallest and largest values, bins of a row. Shared: the same values of all, a record per position. */
ip_method_need ip_binning_need(size_t positions, size_t width, size_t bins, unsigned threads,
                               const ip_kernels *kernels) {
    (void)bins;
    (void)threads;
    (void)kernels;
    return (ip_method_need){.shared = 2 * width * sizeof(double) + positions * sizeof(record),
                            .work = (IP_ROWS_CHUNK + 2) * width * sizeof(double) + width * sizeof(uint16_t)};
}

typedef struct binning_job {
    ip_method *e;
    const ip_rows *rows;
    double *low, *high;
    record *records;
} binning_job;

static double *rows_of(const ip_method *e, unsigned worker) {
    return (double *)(void *)(e->work + worker * e->work_bytes);
}
static double *low_of(const ip_method *e, unsigned worker) { return rows_of(e, worker) + IP_ROWS_CHUNK * e->width; }

static size_t chunk_rows(const ip_method *e, size_t first) {
    return e->positions - first < IP_ROWS_CHUNK ? e->positions - first : IP_ROWS_CHUNK;
}

static ip_status range_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const binning_job *job = context;
    const ip_method *e = job->e;
    size_t first = task * IP_ROWS_CHUNK, n = chunk_rows(e, first);
    double *z = rows_of(e, worker), *low = low_of(e, worker), *high = low + e->width;
    ip_status status = job->rows->read(job->rows->context, first, n, z, error);
    for (size_t r = 0; status == IP_OK && r < n; r++, z += e->width) {
        for (size_t i = 0; i < e->width; i++) {
            if (!isfinite(z[i])) return job->rows->bad(job->rows->context, first + r, "is not finite", error);
            low[i] = z[i] < low[i] ? z[i] : low[i];
            high[i] = z[i] > high[i] ? z[i] : high[i];
        }
    }
    return status;
}

static uint16_t bin_of(double z, double low, double high, size_t bins) {
    if (high == low) return 0;
    /* Halves: the difference of two doubles may overflow. */
    double bin = floor((0.5 * z - 0.5 * low) / (0.5 * high - 0.5 * low) * (double)bins);
    return (uint16_t)(bin < (double)bins ? bin : (double)(bins - 1));
}

static ip_status code_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const binning_job *job = context;
    const ip_method *e = job->e;
    size_t first = task * IP_ROWS_CHUNK, n = chunk_rows(e, first);
    double *z = rows_of(e, worker);
    uint16_t *bins = (uint16_t *)(void *)(low_of(e, worker) + 2 * e->width);
    ip_status status = job->rows->read(job->rows->context, first, n, z, error);
    for (size_t r = 0; status == IP_OK && r < n; r++, z += e->width) {
        for (size_t i = 0; i < e->width; i++) bins[i] = bin_of(z[i], job->low[i], job->high[i], e->bins);
        job->records[first + r] = (record){ip_hash128_key(bins, e->width * sizeof *bins), (uint32_t)(first + r)};
    }
    return status;
}

static int by_key(const void *a, const void *b) {
    const record *x = a, *y = b;
    if (x->key.high != y->key.high) return x->key.high < y->key.high ? -1 : 1;
    if (x->key.low != y->key.low) return x->key.low < y->key.low ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* Codes by rank of their hashes: figures count codes, so their order cannot show. */
static void rank(ip_method *e, record *records) {
    qsort(records, e->positions, sizeof *records, by_key);
    uint32_t code = 0;
    for (size_t i = 0; i < e->positions; i++) {
        if (i > 0 && (records[i].key.high != records[i - 1].key.high || records[i].key.low != records[i - 1].key.low))
            code++;
        e->code[records[i].position] = code;
    }
    e->distinct = e->positions > 0 ? (size_t)code + 1 : 0;
}

ip_status ip_code_binning(ip_method *e, const ip_rows *rows, ip_error *error) {
    double *low = e->shared, *high = low + e->width;
    binning_job job = {e, rows, low, high, (record *)(void *)(high + e->width)};
    size_t chunks = (e->positions + IP_ROWS_CHUNK - 1) / IP_ROWS_CHUNK;
    unsigned threads = ip_pool_threads(e->pool);
    for (unsigned w = 0; w < threads; w++) {
        for (size_t i = 0; i < e->width; i++) {
            low_of(e, w)[i] = INFINITY;
            low_of(e, w)[e->width + i] = -INFINITY;
        }
    }
    ip_status status = ip_pool_run(e->pool, chunks, range_chunk, &job, error);
    if (status != IP_OK) return status;
    memcpy(low, low_of(e, 0), 2 * e->width * sizeof *low);
    for (unsigned w = 1; w < threads; w++) {
        const double *own = low_of(e, w);
        for (size_t i = 0; i < e->width; i++) {
            low[i] = own[i] < low[i] ? own[i] : low[i];
            high[i] = own[e->width + i] > high[i] ? own[e->width + i] : high[i];
        }
    }
    status = ip_pool_run(e->pool, chunks, code_chunk, &job, error);
    if (status == IP_OK) rank(e, job.records);
    return status;
}

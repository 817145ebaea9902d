/* kmeans: the code of a position is the nearest of k centres, found by mini-batch k-means (Sculley 2010) from k-means++
 * starts (Arthur & Vassilvitskii 2007), as Voita et al. 2019 cut the states of layers.
 *
 * Rows are taken less their mean, as floats. Nearest is the centre of the largest dot(z, c) - |c|^2 / 2, of equals the first;
 * the dots come from the product kernel. Centres are doubles; batches are draws of Philox; a centre's sum goes through the
 * batch in order: the codes are the same for any number of threads and on any instruction set.
 */
#include <math.h>
#include <string.h>

#include "core/estimators/method.h"
#include "core/numbers/philox.h"
#include "core/numbers/wide.h"

enum { BATCH = 1024, BATCHES = 300, SAMPLE_LEAST = 2048, SAMPLE_PER_CENTRE = 4 };

static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

static size_t stride_of(size_t bins) { return (bins + IP_LANES - 1) / IP_LANES * IP_LANES; }

static size_t sample_rows(size_t positions, size_t bins) {
    size_t wanted = SAMPLE_PER_CENTRE * bins > SAMPLE_LEAST ? SAMPLE_PER_CENTRE * bins : SAMPLE_LEAST;
    return wanted < positions ? wanted : positions;
}

/* What all workers share, in this order; offsets in bytes. */
typedef struct places {
    size_t mean, centres, panel, half, weight, distance, rows, position, nearest, packed, end;
} places;

static places places_of(size_t positions, size_t width, size_t bins, const ip_kernels *kernels) {
    size_t sample = sample_rows(positions, bins), rows = sample > BATCH ? sample : BATCH;
    places p = {.mean = 0};
    p.centres = up64(width * sizeof(double));
    p.panel = p.centres + up64(bins * width * sizeof(double)); /* a panel of centres as floats */
    p.half = p.panel + up64(IP_LANES * width * sizeof(float));
    p.weight = p.half + up64(stride_of(bins) * sizeof(double));
    p.distance = p.weight + up64(bins * sizeof(double));
    p.rows = p.distance + up64(rows * sizeof(double));
    p.position = p.rows + up64(rows * width * sizeof(float));
    p.nearest = p.position + up64(rows * sizeof(uint64_t));
    p.packed = p.nearest + up64(rows * sizeof(uint32_t));
    p.end = p.packed + ip_matrix_bytes(kernels, IP_ARITH_F32, bins, width, IP_GROUP, false);
    return p;
}

/* A worker's part: rows as doubles and a sum, rows as floats, packed, dots. */
typedef struct work_places {
    size_t floats, act, dots, end;
} work_places;

static work_places work_places_of(size_t width, size_t bins, const ip_kernels *kernels) {
    work_places w = {.floats = up64((IP_ROWS_CHUNK + 1) * width * sizeof(double))};
    w.act = w.floats + up64(IP_ROWS_CHUNK * width * sizeof(float));
    w.dots = w.act + up64(ip_act_bytes(kernels, IP_ARITH_F32, IP_ROWS_CHUNK, width));
    w.end = w.dots + (IP_ROWS_CHUNK + IP_TILE_MAX) * stride_of(bins) * sizeof(float);
    return w;
}

ip_method_need ip_kmeans_need(size_t positions, size_t width, size_t bins, unsigned threads,
                              const ip_kernels *kernels) {
    (void)threads;
    return (ip_method_need){.shared = places_of(positions, width, bins, kernels).end,
                            .work = work_places_of(width, bins, kernels).end};
}

typedef struct kmeans_job {
    ip_method *e;
    const ip_rows *rows;
    work_places work;
    double *mean, *centres, *half, *weight, *distance; /* distance: of each row of the sample to its nearest centre */
    float *batch;                                      /* [count][width] */
    uint64_t *position;                                /* of the rows of the batch */
    uint32_t *nearest;
    ip_matrix matrix;
    size_t count; /* rows of the batch */
    size_t newest;
} kmeans_job;

/* ---- rows, less their mean, as floats ---- */

static ip_status read_rows(const kmeans_job *job, size_t first, size_t n, double *wide, float *out, ip_error *error) {
    size_t width = job->e->width;
    ip_status status = job->rows->read(job->rows->context, first, n, wide, error);
    for (size_t r = 0; status == IP_OK && r < n; r++, wide += width, out += width) {
        for (size_t i = 0; i < width; i++) {
            out[i] = (float)(wide[i] - job->mean[i]);
            if (!isfinite(out[i]))
                return job->rows->bad(job->rows->context, first + r, "lies outside of what floats can hold", error);
        }
    }
    return status;
}

static double *wide_of(const kmeans_job *job, unsigned worker) {
    return (double *)(void *)(job->e->work + worker * job->e->work_bytes);
}

/* One row of the batch per turn: they lie anywhere. */
static ip_status gather_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const kmeans_job *job = context;
    size_t first = task * IP_ROWS_CHUNK, end = first + IP_ROWS_CHUNK < job->count ? first + IP_ROWS_CHUNK : job->count;
    ip_status status = IP_OK;
    for (size_t i = first; status == IP_OK && i < end; i++)
        status =
            read_rows(job, (size_t)job->position[i], 1, wide_of(job, worker), job->batch + i * job->e->width, error);
    return status;
}

/* Draw i of batch `batch`: lanes 2 (i mod 2) and 2 (i mod 2) + 1 of block i / 2. Rows of batch 0 are the sample of the
 * start: all positions when there are no more. */
static void draw(kmeans_job *job, uint32_t batch, size_t count, bool all) {
    job->count = count;
    for (size_t i = 0; i < count; i += 2) {
        uint32_t words[4];
        ip_philox((uint32_t[4]){(uint32_t)(i / 2), batch, 0, IP_DRAW_CLUSTERS}, job->e->seed, words);
        for (size_t j = 0; j < 2 && i + j < count; j++) {
            uint64_t u = (uint64_t)words[2 * j + 1] << 32 | words[2 * j];
            job->position[i + j] = all ? i + j : ip_wide_product(u, job->e->positions).high;
        }
    }
}

static size_t chunks(size_t rows) { return (rows + IP_ROWS_CHUNK - 1) / IP_ROWS_CHUNK; }

/* ---- the start ---- */

/* Distances of the sample to the newest centre, where that is nearer. */
static ip_status distance_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const kmeans_job *job = context;
    size_t width = job->e->width, first = task * IP_ROWS_CHUNK;
    size_t end = first + IP_ROWS_CHUNK < job->count ? first + IP_ROWS_CHUNK : job->count;
    const double *centre = job->centres + job->newest * width;
    for (size_t r = first; r < end; r++) {
        const float *z = job->batch + r * width;
        double lanes[4] = {0.0, 0.0, 0.0, 0.0};
        for (size_t i = 0; i < width; i++) {
            double d = (double)z[i] - centre[i];
            lanes[i % 4] += d * d;
        }
        double square = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        if (job->newest == 0 || square < job->distance[r]) job->distance[r] = square;
    }
    return IP_OK;
}

/* The row of the sample where the running sum of squared distances passes u of the whole. */
static size_t pick(const kmeans_job *job, double u) {
    double total = 0.0, passed = 0.0;
    for (size_t r = 0; r < job->count; r++) total += job->distance[r];
    for (size_t r = 0; r < job->count; r++) {
        passed += job->distance[r];
        if (passed > u * total) return r;
    }
    return job->count - 1; /* fewer different rows than centres */
}

static ip_status start(kmeans_job *job, ip_error *error) {
    ip_method *e = job->e;
    size_t sample = sample_rows(e->positions, e->bins);
    draw(job, 0, sample, sample == e->positions);
    ip_status status = ip_pool_run(e->pool, chunks(sample), gather_chunk, job, error);
    for (size_t c = 0; status == IP_OK && c < e->bins; c++) {
        uint32_t words[4];
        ip_philox((uint32_t[4]){(uint32_t)c, UINT32_MAX, 0, IP_DRAW_CLUSTERS}, e->seed, words);
        double u = ((double)words[0] + 0.5) * 0x1p-32;
        size_t chosen = c == 0 ? (size_t)(u * (double)sample) : pick(job, u);
        for (size_t i = 0; i < e->width; i++)
            job->centres[c * e->width + i] = (double)job->batch[chosen * e->width + i];
        job->weight[c] = 0.0;
        job->newest = c;
        status = ip_pool_run(e->pool, chunks(sample), distance_chunk, job, error);
    }
    return status;
}

/* ---- centres ---- */

/* Panels of 16 centres: floats, packed, with half their squares. */
static void pack(kmeans_job *job, float *rows) {
    const ip_method *e = job->e;
    size_t width = e->width;
    for (size_t panel = 0; panel * IP_LANES < e->bins; panel++) {
        size_t left = e->bins - panel * IP_LANES, n = left < IP_LANES ? left : IP_LANES;
        for (size_t c = 0; c < n; c++) {
            double half = 0.0;
            for (size_t i = 0; i < width; i++) {
                float x = (float)job->centres[(panel * IP_LANES + c) * width + i];
                rows[c * width + i] = x;
                half += 0.5 * (double)x * (double)x;
            }
            job->half[panel * IP_LANES + c] = half;
        }
        e->kernels->pack_f32((float *)(void *)(job->matrix.codes + panel * job->matrix.panel_bytes), rows, width, n,
                             width);
    }
}

/* The nearest centre of n rows. */
static void assign(const kmeans_job *job, unsigned worker, const float *rows, size_t n, uint32_t *nearest) {
    const ip_method *e = job->e;
    char *work = e->work + worker * e->work_bytes;
    float *dots = (float *)(void *)(work + job->work.dots);
    size_t stride = stride_of(e->bins);
    ip_act act;
    ip_act_layout(&act, work + job->work.act, e->kernels, IP_ARITH_F32, n, e->width);
    e->kernels->act_f32(&act, rows, e->width, 0, e->width);
    e->kernels->gemm_f32(dots, stride, &job->matrix, 0, stride / IP_LANES, &act);
    for (size_t r = 0; r < n; r++, dots += stride) {
        uint32_t best = 0;
        double most = (double)dots[0] - job->half[0];
        for (uint32_t c = 1; c < e->bins; c++) {
            double score = (double)dots[c] - job->half[c];
            best = score > most ? c : best;
            most = score > most ? score : most;
        }
        nearest[r] = best;
    }
}

static ip_status batch_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    kmeans_job *job = context;
    size_t first = task * IP_ROWS_CHUNK, left = job->count - first, n = left < IP_ROWS_CHUNK ? left : IP_ROWS_CHUNK;
    ip_status status = gather_chunk(context, task, worker, error);
    if (status == IP_OK) assign(job, worker, job->batch + first * job->e->width, n, job->nearest + first);
    return status;
}

/* A centre becomes the mean of all rows that it has been given so far. */
static ip_status move_centre(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    kmeans_job *job = context;
    size_t width = job->e->width;
    double *sum = wide_of(job, worker), *centre = job->centres + task * width, given = 0.0;
    memset(sum, 0, width * sizeof *sum);
    for (size_t r = 0; r < job->count; r++) {
        if (job->nearest[r] != task) continue;
        given += 1.0;
        for (size_t i = 0; i < width; i++) sum[i] += (double)job->batch[r * width + i];
    }
    if (given == 0.0) return IP_OK;
    job->weight[task] += given;
    for (size_t i = 0; i < width; i++) centre[i] += (sum[i] - given * centre[i]) / job->weight[task];
    return IP_OK;
}

static ip_status code_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const kmeans_job *job = context;
    ip_method *e = job->e;
    size_t first = task * IP_ROWS_CHUNK, left = e->positions - first, n = left < IP_ROWS_CHUNK ? left : IP_ROWS_CHUNK;
    float *rows = (float *)(void *)(e->work + worker * e->work_bytes + job->work.floats);
    ip_status status = read_rows(job, first, n, wide_of(job, worker), rows, error);
    if (status == IP_OK) assign(job, worker, rows, n, e->code + first);
    return status;
}

ip_status ip_code_kmeans(ip_method *e, const ip_rows *rows, ip_error *error) {
    places p = places_of(e->positions, e->width, e->bins, e->kernels);
    char *shared = e->shared;
    kmeans_job job = {.e = e,
                      .rows = rows,
                      .work = work_places_of(e->width, e->bins, e->kernels),
                      .mean = (double *)(void *)(shared + p.mean),
                      .centres = (double *)(void *)(shared + p.centres),
                      .half = (double *)(void *)(shared + p.half),
                      .weight = (double *)(void *)(shared + p.weight),
                      .distance = (double *)(void *)(shared + p.distance),
                      .batch = (float *)(void *)(shared + p.rows),
                      .position = (uint64_t *)(void *)(shared + p.position),
                      .nearest = (uint32_t *)(void *)(shared + p.nearest)};
    float *panel = (float *)(void *)(shared + p.panel);
    ip_matrix_layout(&job.matrix, shared + p.packed, e->kernels, IP_ARITH_F32, e->bins, e->width, IP_GROUP, false);
    e->distinct = e->bins;
    ip_status status = ip_rows_mean(rows, e->pool, job.mean, e->work, e->work_bytes, error);
    if (status == IP_OK) status = start(&job, error);
    for (uint32_t batch = 1; status == IP_OK && batch <= BATCHES; batch++) {
        pack(&job, panel);
        draw(&job, batch, BATCH, false);
        status = ip_pool_run(e->pool, chunks(BATCH), batch_chunk, &job, error);
        if (status == IP_OK) status = ip_pool_run(e->pool, e->bins, move_centre, &job, error);
    }
    pack(&job, panel);
    if (status == IP_OK) status = ip_pool_run(e->pool, chunks(e->positions), code_chunk, &job, error);
    return status;
}

/* matrix: the von Neumann entropy of the covariance of directions (Diff-eRank, Wei et al. 2024; Skean et al. 2025).
 *
 *   u_t = (z_t - z)/|z_t - z|,  z the mean;  K = 1/N sum u_t u_t^T (trace 1);  S = - sum of l log l over its eigenvalues
 *
 * and e^S, the effective rank. A row that equals the mean has no direction and is left out. With labels, S_v of the same u_t
 * where the label is v (0 for a single one: a pure state), and I = S - sum n_v/N S_v, never negative, where labels are few. The
 * eigenvalues are LAPACK's: these figures may differ in their last digits between machines.
 *
 * K is made in double: rows of a batch are turned into directions by all threads, then tiles of K are added to, each by one
 * thread and through the rows in order.
 */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/estimators/method.h"
#include "core/numbers/eigenvalues.h"

enum { BATCH = 512, PIECE = 32, TILE = 64, LABELS_MOST = 64 };

ip_method_need ip_matrix_need(size_t positions, size_t width, size_t bins, unsigned threads,
                              const ip_kernels *kernels) {
    (void)positions;
    (void)bins;
    (void)threads;
    (void)kernels;
    size_t doubles = width * width + width + BATCH * width + width + ip_eigenvalues_work(width);
    return (ip_method_need){.shared = doubles * sizeof(double), .work = (IP_ROWS_CHUNK + 1) * width * sizeof(double)};
}

typedef struct matrix_job {
    const ip_rows *rows;
    ip_pool *pool;
    size_t width, tiles; /* tiles of K along one side */
    double *mean, *directions, *k, *values, *work;
    const uint32_t *order; /* positions of the label at hand; NULL: all */
    size_t first, count;   /* the batch */
} matrix_job;

/* The rows of a piece of the batch, one at a time: positions of a label lie apart. */
static ip_status direct_piece(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const matrix_job *job = context;
    size_t from = task * PIECE, end = from + PIECE < job->count ? from + PIECE : job->count, width = job->width;
    ip_status status = IP_OK;
    for (size_t r = from; status == IP_OK && r < end; r++) {
        size_t position = job->order ? job->order[job->first + r] : job->first + r;
        double *u = job->directions + r * width, largest = 0.0, square = 0.0;
        status = job->rows->read(job->rows->context, position, 1, u, error);
        if (status != IP_OK) break;
        for (size_t i = 0; i < width; i++) {
            u[i] -= job->mean[i];
            largest = fabs(u[i]) > largest ? fabs(u[i]) : largest;
        }
        if (largest == 0.0) continue;
        for (size_t i = 0; i < width; i++) {
            u[i] /= largest;
            square += u[i] * u[i];
        }
        double norm = sqrt(square);
        for (size_t i = 0; i < width; i++) u[i] /= norm;
    }
    return status;
}

/* One tile of the lower triangle of K: K_ij += sum over the batch of u_i u_j. */
static ip_status tile_task(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const matrix_job *job = context;
    size_t width = job->width, down = 0;
    while ((down + 1) * (down + 2) / 2 <= task) down++;
    size_t row0 = down * TILE, column0 = (task - down * (down + 1) / 2) * TILE;
    size_t rows = width - row0 < TILE ? width - row0 : TILE, columns = width - column0 < TILE ? width - column0 : TILE;
    for (size_t t = 0; t < job->count; t += 4) {
        size_t n = job->count - t < 4 ? job->count - t : 4;
        const double *u = job->directions + t * width;
        for (size_t i = 0; i < rows; i++) {
            double *restrict k = job->k + (row0 + i) * width + column0;
            const double *a = u + row0 + i, *b = u + column0;
            if (n == 4) { /* four rows per pass over the tile */
                double a0 = a[0], a1 = a[width], a2 = a[2 * width], a3 = a[3 * width];
                const double *b1 = b + width, *b2 = b1 + width, *b3 = b2 + width;
                for (size_t j = 0; j < columns; j++) k[j] = k[j] + a0 * b[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j];
            } else {
                for (size_t r = 0; r < n; r++)
                    for (size_t j = 0; j < columns; j++) k[j] += a[r * width] * b[r * width + j];
            }
        }
    }
    return IP_OK;
}

/* S of `positions` rows, all or those of order. */
static ip_status entropy_of(matrix_job *job, size_t positions, double *entropy, ip_error *error) {
    size_t width = job->width;
    memset(job->k, 0, width * width * sizeof *job->k);
    ip_status status = IP_OK;
    for (job->first = 0; status == IP_OK && job->first < positions; job->first += BATCH) {
        job->count = positions - job->first < BATCH ? positions - job->first : BATCH;
        status = ip_pool_run(job->pool, (job->count + PIECE - 1) / PIECE, direct_piece, job, error);
        if (status == IP_OK) status = ip_pool_run(job->pool, job->tiles * (job->tiles + 1) / 2, tile_task, job, error);
    }
    if (status != IP_OK) return status;
    double trace = 0.0;
    for (size_t i = 0; i < width; i++) trace += job->k[i * width + i];
    *entropy = 0.0;
    if (trace == 0.0) return IP_OK; /* every row is the mean */
    for (size_t i = 0; i < width; i++)
        for (size_t j = 0; j <= i; j++) job->k[i * width + j] /= trace;
    if (!ip_eigenvalues(job->k, width, job->values, job->work))
        return ip_fail(error, IP_FAILED, "LAPACK found no eigenvalues of the covariance of %zu states", positions);
    for (size_t i = 0; i < width; i++)
        if (job->values[i] > 0.0) *entropy -= job->values[i] * ip_log(job->values[i]);
    return IP_OK;
}

static ip_status conditional(matrix_job *job, const ip_partition *partition, double *out, ip_error *error) {
    *out = NAN;
    if (partition->labels > LABELS_MOST) return IP_OK;
    double sum = 0.0;
    ip_status status = IP_OK;
    for (size_t v = 0; status == IP_OK && v < partition->groups; v++) {
        double entropy = 0.0;
        size_t n = partition->start[v + 1] - partition->start[v];
        job->order = partition->order + partition->start[v];
        status = entropy_of(job, n, &entropy, error);
        sum += (double)n / (double)partition->positions * entropy;
    }
    job->order = NULL;
    if (status == IP_OK) *out = sum;
    return status;
}

static matrix_job begin(const ip_method *e, const ip_rows *rows) {
    size_t width = e->width;
    matrix_job job = {
        .rows = rows, .pool = e->pool, .width = width, .tiles = (width + TILE - 1) / TILE, .k = e->shared};
    job.mean = job.k + width * width;
    job.directions = job.mean + width;
    job.values = job.directions + BATCH * width;
    job.work = job.values + width;
    return job;
}

ip_status ip_matrix_look(ip_method *e, const ip_rows *rows, ip_error *error) {
    matrix_job job = begin(e, rows);
    ip_status status = ip_rows_mean(rows, e->pool, job.mean, e->work, e->work_bytes, error);
    return status == IP_OK ? entropy_of(&job, rows->positions, &e->entropy, error) : status;
}

ip_status ip_matrix_figures(ip_method *e, const ip_rows *rows, const ip_partition *const *partitions, size_t sets,
                            ip_soft_figures *figures, ip_error *error) {
    matrix_job job = begin(e, rows);
    ip_status status = IP_OK;
    for (size_t v = 0; status == IP_OK && v < sets; v++) {
        bool whole = partitions[v]->labels == 1;
        figures[v].plain = e->entropy;
        if (!whole) status = conditional(&job, partitions[v], &figures[v].plain, error);
    }
    figures[sets].plain = NAN; /* a single state has no covariance */
    return status;
}

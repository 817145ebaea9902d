/* hard: the code of a position is the anchor nearest to its direction, the limit of the soft assignment as the temperature
 * goes to 0. */
#include <math.h>

#include "core/estimators/method.h"

typedef struct hard_job {
    ip_method *e;
    const ip_rows *rows;
} hard_job;

static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

static size_t score_room(size_t bins) {
    return (IP_ROWS_CHUNK + IP_TILE_MAX) * ((bins + IP_LANES - 1) / IP_LANES * IP_LANES) * sizeof(float);
}

/* A worker's part: rows as doubles, as floats, scores, and what the scores take. */
ip_method_need ip_hard_need(size_t positions, size_t width, size_t bins, unsigned threads, const ip_kernels *kernels) {
    (void)positions;
    (void)threads;
    ip_anchors shape = {.d = width, .m = bins};
    size_t floats = up64(IP_ROWS_CHUNK * width * sizeof(float));
    return (ip_method_need){
        .shared = 0, .work = 3 * floats + up64(score_room(bins)) + ip_assign_bytes(kernels, &shape, IP_ROWS_CHUNK)};
}

/* A row as floats. Doubles may lie outside of float's range; only the direction counts, so each row is first scaled by the
 * power of two that brings its largest element near 1 (exact). */
static void narrow(const double *row, float *out, size_t width) {
    double largest = 0.0;
    bool finite = true;
    for (size_t i = 0; i < width; i++) {
        finite = finite && isfinite(row[i]);
        largest = fabs(row[i]) > largest ? fabs(row[i]) : largest;
    }
    int exponent = 0;
    if (finite && largest > 0.0) frexp(largest, &exponent);
    for (size_t i = 0; i < width; i++) out[i] = (float)ldexp(row[i], -exponent);
}

static ip_status code_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const hard_job *job = context;
    ip_method *e = job->e;
    size_t first = task * IP_ROWS_CHUNK, left = e->positions - first, n = left < IP_ROWS_CHUNK ? left : IP_ROWS_CHUNK;
    size_t floats = up64(IP_ROWS_CHUNK * e->width * sizeof(float)), bad_row;
    char *work = e->work + worker * e->work_bytes;
    double *wide = (double *)(void *)work;
    float *rows = (float *)(void *)(work + 2 * floats), *dots = (float *)(void *)(work + 3 * floats);
    int bad_kind;
    ip_status status = job->rows->read(job->rows->context, first, n, wide, error);
    if (status != IP_OK) return status;
    for (size_t i = 0; i < n; i++) narrow(wide + i * e->width, rows + i * e->width, e->width);
    if (!ip_anchors_nearest(&e->anchors, e->kernels, rows, n, e->code + first, dots,
                            work + 3 * floats + up64(score_room(e->bins)), &bad_row, &bad_kind))
        return job->rows->bad(job->rows->context, first + bad_row,
                              bad_kind == 1 ? "is all zero: it has no direction" : "is not finite", error);
    return IP_OK;
}

ip_status ip_code_hard(ip_method *e, const ip_rows *rows, ip_error *error) {
    hard_job job = {e, rows};
    e->distinct = e->bins;
    return ip_pool_run(e->pool, (e->positions + IP_ROWS_CHUNK - 1) / IP_ROWS_CHUNK, code_chunk, &job, error);
}

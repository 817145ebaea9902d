/* The mean of rows, whatever the number of threads: each task sums its chunk in order, and the sums are added in the order
 * of the tasks. */
#include <math.h>
#include <string.h>

#include "core/estimators/method.h"

typedef struct mean_job {
    const ip_rows *rows;
    double *mean;
    char *room;
    size_t room_bytes;
    ip_turns *turns;
} mean_job;

static ip_status sum_chunk(const mean_job *job, size_t task, double *z, double *sum, ip_error *error) {
    const ip_rows *rows = job->rows;
    size_t first = task * IP_ROWS_CHUNK, left = rows->positions - first,
           n = left < IP_ROWS_CHUNK ? left : IP_ROWS_CHUNK;
    memset(sum, 0, rows->width * sizeof *sum);
    ip_status status = rows->read(rows->context, first, n, z, error);
    for (size_t r = 0; status == IP_OK && r < n; r++, z += rows->width) {
        for (size_t i = 0; i < rows->width; i++) {
            if (!isfinite(z[i])) return rows->bad(rows->context, first + r, "is not finite", error);
            sum[i] += z[i];
        }
    }
    return status;
}

static ip_status mean_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const mean_job *job = context;
    double *z = (double *)(void *)(job->room + worker * job->room_bytes), *sum = z + IP_ROWS_CHUNK * job->rows->width;
    ip_status status = sum_chunk(job, task, z, sum, error);
    ip_turns_enter(job->turns, task);
    for (size_t i = 0; status == IP_OK && i < job->rows->width; i++) job->mean[i] += sum[i];
    ip_turns_leave(job->turns);
    return status;
}

ip_status ip_rows_mean(const ip_rows *rows, ip_pool *pool, double *mean, char *rows_room, size_t room_bytes,
                       ip_error *error) {
    mean_job job = {rows, mean, rows_room, room_bytes, ip_turns_create()};
    if (!job.turns) return ip_fail(error, IP_FAILED, "out of memory");
    memset(mean, 0, rows->width * sizeof *mean);
    ip_status status =
        ip_pool_run(pool, (rows->positions + IP_ROWS_CHUNK - 1) / IP_ROWS_CHUNK, mean_chunk, &job, error);
    for (size_t i = 0; i < rows->width; i++) mean[i] /= (double)rows->positions;
    ip_turns_destroy(job.turns);
    return status;
}

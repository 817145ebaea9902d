/* The estimator alone, on anybody's vectors and labels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/anchors.h"
#include "core/base/memory.h"
#include "core/base/npy.h"
#include "core/budget.h"
#include "core/infoplane.h"
#include "core/json_write.h"
#include "core/partition.h"
#include "core/resident.h"
#include "core/session.h"
#include "core/soft.h"

enum { CHUNK_ROWS = 256 };

typedef struct vectors_job {
    ip_session *session;
    const ip_npy *vectors;
    const ip_anchors *anchors;
    ip_soft *soft;
    char *work; /* per worker: rows as floats, scratch of the assignment, rows of p */
    size_t work_bytes, scratch_offset, p_offset;
} vectors_job;

/* A row as floats. Doubles may lie outside of float's range; only the direction counts, so each row is first scaled by
 * the power of two that brings its largest element near 1 (exact). */
static void read_row(const ip_npy *vectors, uint64_t row, float *out, double *wide) {
    size_t d = (size_t)vectors->shape[1];
    if (vectors->size < 8) {
        ip_npy_row_f32(vectors, row, out);
        return;
    }
    ip_npy_row_f64(vectors, row, wide);
    double largest = 0.0;
    bool finite = true;
    for (size_t i = 0; i < d; i++) {
        finite = finite && isfinite(wide[i]);
        largest = fabs(wide[i]) > largest ? fabs(wide[i]) : largest;
    }
    int exponent = 0;
    if (finite && largest > 0.0) frexp(largest, &exponent);
    for (size_t i = 0; i < d; i++) out[i] = (float)ldexp(wide[i], -exponent);
}

static ip_status assign_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    vectors_job *job = context;
    const ip_npy *vectors = job->vectors;
    size_t d = (size_t)vectors->shape[1], first = task * CHUNK_ROWS;
    size_t left = (size_t)vectors->shape[0] - first, n = left < CHUNK_ROWS ? left : CHUNK_ROWS;
    char *work = job->work + worker * job->work_bytes;
    float *rows = (float *)(void *)work, *p = (float *)(void *)(work + job->p_offset);
    for (size_t i = 0; i < n; i++)
        read_row(vectors, first + i, rows + i * d, (double *)(void *)(work + job->scratch_offset));
    size_t bad_row;
    int bad_kind;
    if (!ip_anchors_assign(job->anchors, job->session->kernels, rows, n, p, work + job->scratch_offset, &bad_row,
                           &bad_kind))
        return ip_fail(error, IP_BAD_INPUT, "%s: row %zu %s", vectors->path, first + bad_row,
                       bad_kind == 1 ? "is all zero: it has no direction" : "holds NaN or infinity: it must be finite");
    ip_status status = ip_soft_put(job->soft, job->session->kernels, first, p, n, error);
    return status == IP_OK ? ip_session_advance(job->session, n, error) : status;
}

static ip_status check_vectors(const ip_npy *v, ip_error *error) {
    if (v->kind != 'f')
        return ip_fail(error, IP_BAD_INPUT, "%s: vectors of dtype %c%u: floats (f2, f4, f8) are needed", v->path,
                       v->kind, v->size);
    if (v->dims != 2)
        return ip_fail(error, IP_BAD_INPUT, "%s: vectors must have shape [rows, width], not %u dimension(s)", v->path,
                       v->dims);
    if (v->shape[0] == 0) return ip_fail(error, IP_BAD_INPUT, "%s: shape says 0 rows: empty", v->path);
    if (v->shape[1] == 0) return ip_fail(error, IP_BAD_INPUT, "%s: shape says width 0 (no columns)", v->path);
    if (v->shape[0] >= UINT32_MAX) return ip_fail(error, IP_BAD_INPUT, "%s: more than 2^32 - 2 rows", v->path);
    return IP_OK;
}

/* Opens a file of labels and checks that it fits the vectors. */
static ip_status open_labels(ip_npy *npy, const char *path, uint64_t rows, ip_error *error) {
    ip_status status = ip_npy_open(npy, path, error);
    if (status != IP_OK) return status;
    if (npy->kind == 'f') {
        status = ip_fail(error, IP_BAD_INPUT, "%s: labels of dtype f%u: integers are needed", path, npy->size);
    } else if (npy->dims != 1) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: labels must have one dimension, the shape has %u", path, npy->dims);
    } else if (npy->shape[0] != rows) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: %llu labels for %llu rows of vectors", path,
                         (unsigned long long)npy->shape[0], (unsigned long long)rows);
    }
    if (status != IP_OK) ip_npy_close(npy);
    return status;
}

/* One label set into its partition. */
static ip_status read_labels(ip_partition *out, const char *path, uint64_t rows, ip_error *error) {
    ip_npy npy;
    ip_status status = open_labels(&npy, path, rows, error);
    if (status != IP_OK) return status;
    size_t bytes = (size_t)rows * sizeof(int64_t);
    int64_t *values = ip_big_alloc(bytes);
    if (values) {
        for (uint64_t i = 0; i < rows; i++) values[i] = ip_npy_int(&npy, i);
        status = ip_partition_from_values(out, values, (size_t)rows, error);
    } else {
        status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    ip_big_free(values, bytes);
    ip_npy_close(&npy);
    return status;
}

static ip_status allocate(vectors_job *job, ip_soft *soft, const char *scratch, ip_error *error) {
    const ip_session *session = job->session;
    const ip_npy *v = job->vectors;
    size_t d = (size_t)v->shape[1], stride = (job->anchors->m + IP_LANES - 1) / IP_LANES * IP_LANES;
    size_t scratch_bytes = ip_assign_bytes(session->kernels, job->anchors, CHUNK_ROWS);
    if (scratch_bytes < d * sizeof(double)) scratch_bytes = d * sizeof(double);
    job->scratch_offset = (CHUNK_ROWS * d * sizeof(float) + 63) & ~(size_t)63;
    job->p_offset = job->scratch_offset + ((scratch_bytes + 63) & ~(size_t)63);
    job->work_bytes = job->p_offset + (CHUNK_ROWS + IP_TILE_MAX) * stride * sizeof(float);
    job->work = ip_big_alloc(job->work_bytes * ip_pool_threads(session->pool));
    if (!job->work)
        return ip_fail(error, IP_FAILED, "out of memory for the work of %u threads", ip_pool_threads(session->pool));
    uint64_t need = ip_resident_anonymous() + job->work_bytes * ip_pool_threads(session->pool) +
                    ip_soft_bytes((size_t)v->shape[0], job->anchors->m, 0);
    bool spill = need > session->memory_bound;
    ip_status status = ip_soft_open(soft, (size_t)v->shape[0], job->anchors->m, spill ? scratch : NULL, error);
    if (status == IP_OK) job->soft = soft;
    return status;
}

/* Partitions of some label sets, a task each. */
typedef struct labels_job {
    const char *const *paths;
    ip_partition *partitions;
    uint64_t rows;
} labels_job;

static ip_status read_set(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const labels_job *job = context;
    return read_labels(&job->partitions[task], job->paths[task], job->rows, error);
}

/* As many label sets at a time as there are threads: their partitions are what has to be in memory. */
static ip_status estimate_sets(vectors_job *job, ip_entropy_result *result, const char *const *labels, size_t count,
                               ip_error *error) {
    ip_session *session = job->session;
    size_t room = ip_pool_threads(session->pool);
    ip_partition *partitions = calloc(room, sizeof *partitions);
    const ip_partition **sets = calloc(room, sizeof *sets);
    double *conditional = calloc(room, sizeof *conditional), singles;
    ip_status status = partitions && sets && conditional ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    for (size_t first = 0; status == IP_OK && first < count; first += room) {
        size_t n = count - first < room ? count - first : room;
        labels_job read = {labels + first, partitions, job->vectors->shape[0]};
        ip_session_stage(session, "labels", 0, "");
        memset(partitions, 0, room * sizeof *partitions);
        status = ip_pool_run(session->pool, n, read_set, &read, error);
        for (size_t i = 0; i < n; i++) sets[i] = &partitions[i];
        ip_session_stage(session, "estimate", 0, "");
        if (status == IP_OK)
            status =
                ip_soft_conditional(job->soft, session->kernels, session->pool, sets, n, conditional, &singles, error);
        for (size_t i = 0; i < n; i++) {
            ip_entropy_set *out = &result->sets[first + i];
            out->path = strdup(labels[first + i]);
            out->conditional = conditional[i];
            out->I = result->H - conditional[i];
            out->labels = partitions[i].labels;
            out->singletons = partitions[i].labels - partitions[i].groups;
            ip_partition_free(&partitions[i]);
            if (status == IP_OK && !out->path) status = ip_fail(error, IP_FAILED, "out of memory");
        }
    }
    free(partitions);
    free(sets);
    free(conditional);
    return status;
}

static ip_status estimate(vectors_job *job, ip_entropy_result *result, const char *const *labels, size_t count,
                          ip_error *error) {
    ip_session *session = job->session;
    uint64_t rows = job->vectors->shape[0];
    ip_session_stage(session, "vectors", rows, "vectors");
    ip_status status =
        ip_pool_run(session->pool, (size_t)((rows + CHUNK_ROWS - 1) / CHUNK_ROWS), assign_chunk, job, error);
    ip_partition whole = {0};
    if (status == IP_OK) status = ip_partition_whole(&whole, (size_t)rows, error);
    if (status == IP_OK) {
        const ip_partition *set = &whole;
        double singles;
        status = ip_soft_conditional(job->soft, session->kernels, session->pool, &set, 1, &result->H, &singles, error);
        result->context = result->H - singles;
    }
    ip_partition_free(&whole);
    if (status == IP_OK) status = estimate_sets(job, result, labels, count, error);
    ip_session_end(session);
    return status;
}

static ip_status run_entropy(ip_session *session, ip_entropy_result *result, const char *vectors,
                             const char *const *labels, size_t count, const char *scratch, ip_error *error) {
    const ip_settings *s = session->settings;
    ip_calibration calibration;
    if (!ip_calibration_by_name(&calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    if (s->bins < 2 || s->bins > 65536) return ip_fail(error, IP_USAGE, "--bins: 2 to 65536");
    ip_npy npy;
    ip_status status = ip_npy_open(&npy, vectors, error);
    if (status != IP_OK) return status;
    ip_anchors anchors = {0};
    ip_soft soft = {.scratch = {.fd = -1}};
    vectors_job job = {.session = session, .vectors = &npy, .anchors = &anchors};
    status = check_vectors(&npy, error);
    if (status == IP_OK)
        status = ip_anchors_make(&anchors, (size_t)npy.shape[1], (size_t)s->bins, s->seed, s->anchors, calibration,
                                 session->kernels, error);
    /* Labels are looked at before the work: a file that does not fit should not cost it. */
    for (size_t i = 0; status == IP_OK && i < count; i++) {
        ip_npy checked;
        status = open_labels(&checked, labels[i], npy.shape[0], error);
        if (status == IP_OK) ip_npy_close(&checked);
    }
    if (status == IP_OK) status = allocate(&job, &soft, scratch, error);
    if (status == IP_OK) status = estimate(&job, result, labels, count, error);
    if (status == IP_OK) {
        result->positions = npy.shape[0];
        result->width = npy.shape[1];
        result->bins = anchors.m;
        result->temperature = anchors.temperature;
        result->calibration = ip_calibration_name(calibration);
        result->seed = s->seed;
        memcpy(result->anchors_fingerprint, anchors.fingerprint, sizeof result->anchors_fingerprint);
    }
    ip_big_free(job.work, job.work_bytes * ip_pool_threads(session->pool));
    ip_soft_close(&soft);
    ip_anchors_free(&anchors);
    ip_npy_close(&npy);
    return status;
}

ip_status ip_entropy(ip_entropy_result **out, const char *vectors, const char *const *labels, size_t label_count,
                     const ip_settings *settings, const char *scratch_default, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    ip_entropy_result *result = calloc(1, sizeof *result);
    if (result) result->sets = calloc(label_count + 1, sizeof *result->sets);
    if (!result || !result->sets) {
        ip_entropy_free(result);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    result->set_count = label_count;
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK)
        status = run_entropy(&session, result, vectors, labels, label_count,
                             ip_scratch_folder(settings, scratch_default), error);
    ip_session_close(&session);
    if (status == IP_OK) {
        *out = result;
    } else {
        ip_entropy_free(result);
    }
    return status;
}

void ip_entropy_free(ip_entropy_result *result) {
    if (!result) return;
    for (size_t i = 0; result->sets && i < result->set_count; i++) free(result->sets[i].path);
    free(result->sets);
    free(result);
}

static void write_json(const ip_entropy_result *r, FILE *file) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.entropy/1");
    ip_json_string(j, "estimator", "soft");
    ip_json_uint(j, "positions", r->positions);
    ip_json_uint(j, "width", r->width);
    ip_json_uint(j, "bins", r->bins);
    ip_json_double(j, "log_bins", ip_log((double)r->bins));
    ip_json_string(j, "calibration", r->calibration);
    ip_json_double(j, "temperature", r->temperature);
    ip_json_uint(j, "seed", r->seed);
    ip_json_string(j, "anchors", r->anchors_fingerprint[0] ? r->anchors_fingerprint : NULL);
    ip_json_double(j, "H", r->H);
    ip_json_double(j, "context", r->context);
    ip_json_open(j, "labels", '[', false);
    for (size_t i = 0; i < r->set_count; i++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "path", r->sets[i].path);
        ip_json_double(j, "I", r->sets[i].I);
        ip_json_double(j, "conditional", r->sets[i].conditional);
        ip_json_double(j, "regularity", r->H > 0.0 ? r->sets[i].I / r->H : NAN);
        ip_json_uint(j, "distinct", r->sets[i].labels);
        ip_json_uint(j, "singletons", r->sets[i].singletons);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
}

void ip_entropy_write(const ip_entropy_result *r, bool json, FILE *file) {
    if (json) {
        write_json(r, file);
        return;
    }
    const double ln2 = 0.6931471805599453, log_bins = ip_log((double)r->bins);
    fprintf(file, "%llu vectors of width %llu; %llu anchors, %s, epsilon %.8g\n\n", (unsigned long long)r->positions,
            (unsigned long long)r->width, (unsigned long long)r->bins, r->calibration, r->temperature);
    fprintf(file, "%-28s %10s %10s %10s %10s\n", "", "nats", "bits", "efficiency", "labels");
    fprintf(file, "%-28s %10.6f %10.6f %10.6f\n", "H(Z)", r->H, r->H / ln2, r->H / log_bins);
    fprintf(file, "%-28s %10.6f %10.6f %10.6f %10llu\n", "I(C;Z) context", r->context, r->context / ln2,
            r->context / log_bins, (unsigned long long)r->positions);
    for (size_t i = 0; i < r->set_count; i++) {
        const ip_entropy_set *s = &r->sets[i];
        char name[600], *shown = name;
        snprintf(name, sizeof name, "I(V;Z) %s", s->path);
        ip_make_printable(shown);
        fprintf(file, "%-28s %10.6f %10.6f %10.6f %10llu\n", shown, s->I, s->I / ln2, s->I / log_bins,
                (unsigned long long)s->labels);
    }
}

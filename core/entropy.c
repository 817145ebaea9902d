/* The estimator alone, on anybody's vectors and labels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/npy.h"
#include "core/base/resident.h"
#include "core/estimators/anchors.h"
#include "core/estimators/estimate.h"
#include "core/estimators/method.h"
#include "core/infoplane.h"
#include "core/input/arrays.h"
#include "core/input/session.h"
#include "core/input/vectors.h"
#include "core/ngrams/partition.h"
#include "core/output/json_write.h"
#include "core/run/budget.h"
#include "core/run/run.h"

enum { CHUNK_ROWS = 256 };

typedef struct vectors_job {
    ip_session *session;
    const ip_npy *vectors;
    const ip_anchors *anchors;
    ip_soft *soft;    /* NULL: */
    ip_method method; /* an estimator other than soft */
    ip_resampling resampling;
    char *work; /* per worker: rows as floats, scratch of the assignment, rows of p */
    size_t work_bytes, scratch_offset, p_offset;
} vectors_job;

static ip_status assign_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    vectors_job *job = context;
    const ip_npy *vectors = job->vectors;
    size_t d = (size_t)vectors->shape[1], first = task * CHUNK_ROWS;
    size_t left = (size_t)vectors->shape[0] - first, n = left < CHUNK_ROWS ? left : CHUNK_ROWS;
    char *work = job->work + worker * job->work_bytes;
    float *rows = (float *)(void *)work, *p = (float *)(void *)(work + job->p_offset);
    for (size_t i = 0; i < n; i++)
        ip_vectors_row(vectors, first + i, rows + i * d, (double *)(void *)(work + job->scratch_offset));
    size_t bad_row;
    int bad_kind;
    if (!ip_anchors_assign(job->anchors, job->session->kernels, rows, n, p, work + job->scratch_offset, &bad_row,
                           &bad_kind))
        return ip_vectors_bad_row(vectors, first + bad_row, bad_kind, error);
    ip_status status = ip_soft_put(job->soft, job->session->kernels, first, p, n, error);
    return status == IP_OK ? ip_session_advance(job->session, n, error) : status;
}

/* ---- rows for the estimators other than soft ---- */

static ip_status read_vectors(void *context, size_t first, size_t count, double *out, ip_error *error) {
    const vectors_job *job = context;
    size_t d = (size_t)job->vectors->shape[1];
    for (size_t i = 0; i < count; i++) ip_npy_row_f64(job->vectors, first + i, out + i * d);
    return ip_session_advance(job->session, 0, error);
}

static ip_status bad_vector(void *context, size_t position, const char *what, ip_error *error) {
    const vectors_job *job = context;
    return ip_fail(error, IP_BAD_INPUT, "%s: row %zu %s", job->vectors->path, position, what);
}

static ip_rows rows_of(vectors_job *job) {
    return (ip_rows){job, (size_t)job->vectors->shape[0], (size_t)job->vectors->shape[1], read_vectors, bad_vector};
}

static ip_status figures_of(vectors_job *job, const ip_partition *const *sets, size_t count, ip_soft_figures *figures,
                            ip_error *error) {
    const ip_session *session = job->session;
    if (job->soft)
        return ip_soft_estimate(job->soft, session->kernels, session->pool, sets, count, &job->resampling, figures,
                                error);
    ip_rows rows = rows_of(job);
    return ip_method_figures(&job->method, &rows, sets, count, &job->resampling, figures, error);
}

/* The first pass over the vectors. */
static ip_status look_at_vectors(vectors_job *job, ip_error *error) {
    uint64_t rows = job->vectors->shape[0];
    size_t chunks = (size_t)((rows + CHUNK_ROWS - 1) / CHUNK_ROWS);
    ip_session_stage(job->session, "vectors", rows, "vectors");
    if (job->soft) return ip_pool_run(job->session->pool, chunks, assign_chunk, job, error);
    ip_rows all = rows_of(job);
    return ip_method_look(&job->method, &all, error);
}

/* Opens a set of labels and checks that it fits the vectors. */
static ip_status open_labels(ip_npy *npy, const ip_input *input, uint64_t rows, ip_error *error) {
    ip_status status = ip_input_open(npy, input, error);
    if (status != IP_OK) return status;
    status = ip_labels_check(npy, rows, error);
    if (status != IP_OK) ip_npy_close(npy);
    return status;
}

/* The integers of a file that open_labels has found good; *out has `bytes` bytes. */
static ip_status read_values(int64_t **out, size_t *bytes, const ip_input *input, uint64_t rows, ip_error *error) {
    ip_npy npy;
    ip_status status = open_labels(&npy, input, rows, error);
    if (status != IP_OK) return status;
    *bytes = (size_t)rows * sizeof(int64_t);
    int64_t *values = *out = ip_big_alloc(*bytes);
    if (!values) status = ip_fail(error, IP_FAILED, "%s: out of memory", npy.path);
    for (uint64_t i = 0; values && i < rows; i++) values[i] = ip_npy_int(&npy, i);
    ip_npy_close(&npy);
    return status;
}

/* One label set into its partition. */
static ip_status read_labels(ip_partition *out, const ip_input *input, uint64_t rows, ip_error *error) {
    int64_t *values;
    size_t bytes;
    ip_status status = read_values(&values, &bytes, input, rows, error);
    if (status != IP_OK) return status;
    status = ip_partition_from_values(out, values, (size_t)rows, error);
    ip_big_free(values, bytes);
    return status;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Documents by rank of their value. */
static ip_status read_documents(vectors_job *job, const ip_input *input, uint64_t *documents, ip_error *error) {
    size_t rows = (size_t)job->vectors->shape[0], bytes = 0, sorted_bytes = 0, count = 0;
    int64_t *values = NULL, *sorted = NULL;
    ip_status status = read_values(&values, &bytes, input, rows, error);
    if (status == IP_OK) status = read_values(&sorted, &sorted_bytes, input, rows, error);
    if (status == IP_OK) {
        qsort(sorted, rows, sizeof *sorted, by_value);
        for (size_t i = 0; i < rows; i++) {
            if (count == 0 || sorted[i] != sorted[count - 1]) sorted[count++] = sorted[i];
        }
        status = ip_resampling_open(&job->resampling, job->session->settings, rows, count, error);
    }
    for (size_t i = 0; status == IP_OK && i < rows; i++) {
        const int64_t *found = bsearch(&values[i], sorted, count, sizeof *sorted, by_value);
        ip_resampling_set(&job->resampling, i, (size_t)(found - sorted));
    }
    ip_big_free(values, bytes);
    ip_big_free(sorted, sorted_bytes);
    *documents = count;
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
                    ip_soft_bytes((size_t)v->shape[0], job->anchors->m, 0) +
                    ip_soft_estimate_bytes((size_t)v->shape[0], job->anchors->m, ip_pool_threads(session->pool) + 1,
                                           ip_pool_threads(session->pool), &job->resampling);
    bool spill = need > session->memory_bound;
    ip_status status = ip_soft_open(soft, (size_t)v->shape[0], job->anchors->m, spill ? scratch : NULL, error);
    if (status == IP_OK) job->soft = soft;
    return status;
}

/* Partitions of some label sets, a task each. */
typedef struct labels_job {
    const ip_input *inputs;
    ip_partition *partitions;
    uint64_t rows;
} labels_job;

static ip_status read_set(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const labels_job *job = context;
    return read_labels(&job->partitions[task], &job->inputs[task], job->rows, error);
}

/* As many label sets at a time as there are threads: their partitions are what has to be in memory. The whole stands
 * before them each time: its figures are what theirs are taken from. */
static ip_status estimate_sets(vectors_job *job, ip_entropy_result *result, ip_partition *partitions,
                               const ip_partition **sets, ip_soft_figures *figures, const ip_input *labels,
                               size_t count, ip_error *error) {
    ip_session *session = job->session;
    size_t rows = (size_t)job->vectors->shape[0], room = ip_pool_threads(session->pool), first = 0;
    ip_partition *whole = &partitions[room];
    ip_status status = ip_partition_whole(whole, rows, error);
    sets[0] = whole;
    do { /* once without label sets too: H(Z) and the context are wanted */
        size_t n = count - first < room ? count - first : room;
        labels_job read = {labels + first, partitions, rows};
        ip_session_stage(session, "labels", 0, "");
        memset(partitions, 0, room * sizeof *partitions);
        if (status == IP_OK) status = ip_pool_run(session->pool, n, read_set, &read, error);
        for (size_t i = 0; i < n; i++) sets[1 + i] = &partitions[i];
        ip_session_stage(session, "estimate", 0, "");
        if (status == IP_OK) status = figures_of(job, sets, n + 1, figures, error);
        if (status == IP_OK) {
            result->H = figures[0].plain;
            result->context = result->H - figures[n + 1].plain;
        }
        for (size_t i = 0; i < n; i++) {
            ip_entropy_set *out = &result->sets[first + i];
            out->path = strdup(ip_input_name(&labels[first + i]));
            out->conditional = figures[1 + i].plain;
            out->singletons = partitions[i].labels - partitions[i].groups;
            if (status == IP_OK && !out->path) status = ip_fail(error, IP_FAILED, "out of memory");
            if (status == IP_OK)
                status = ip_estimate_make(&out->estimate, &figures[0], &figures[1 + i], partitions[i].labels,
                                          &job->resampling, NULL, NULL, error);
            ip_partition_free(&partitions[i]);
        }
        first += n;
    } while (status == IP_OK && first < count);
    ip_partition_free(whole);
    return status;
}

static ip_status estimate(vectors_job *job, ip_entropy_result *result, const ip_input *labels, size_t count,
                          ip_error *error) {
    ip_session *session = job->session;
    ip_status status = look_at_vectors(job, error);
    size_t room = ip_pool_threads(session->pool) + 1;
    ip_partition *partitions = calloc(room, sizeof *partitions);
    const ip_partition **sets = calloc(room, sizeof *sets);
    ip_soft_figures *figures = NULL;
    if (status == IP_OK && (!partitions || !sets)) status = ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) status = ip_soft_figures_open(&figures, room, &job->resampling, error);
    if (status == IP_OK) status = estimate_sets(job, result, partitions, sets, figures, labels, count, error);
    free(figures);
    free(partitions);
    free(sets);
    ip_session_end(session);
    return status;
}

/* What an estimate is made of; documents and anchors may be NULL. */
typedef struct entropy_inputs {
    const ip_input *vectors, *labels, *documents, *anchors;
    size_t label_count;
} entropy_inputs;

static void describe(ip_entropy_result *result, const vectors_job *job, ip_method_kind kind,
                     ip_calibration calibration) {
    const bool soft = kind == IP_METHOD_SOFT;
    const ip_anchors *anchors = soft ? job->anchors : &job->method.anchors;
    result->estimator = ip_method_name(kind);
    result->positions = job->vectors->shape[0];
    result->width = job->vectors->shape[1];
    result->bins = soft ? anchors->m : job->method.bins;
    result->temperature = soft ? anchors->temperature : NAN;
    result->calibration = soft ? ip_calibration_name(calibration) : NULL;
    result->effective_rank = ip_method_effective_rank(&job->method);
    result->seed = job->session->settings->seed;
    result->groups = job->resampling.groups;
    result->null = job->resampling.nulls;
    result->bootstrap = job->resampling.bootstrap;
    memcpy(result->anchors_fingerprint, anchors->fingerprint, sizeof result->anchors_fingerprint);
}

static ip_status run_entropy(ip_session *session, ip_entropy_result *result, const entropy_inputs *in,
                             const char *scratch, ip_error *error) {
    const ip_settings *s = session->settings;
    ip_calibration calibration;
    if (!ip_calibration_by_name(&calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    ip_method_kind kind;
    ip_npy npy;
    ip_status status = ip_method_check(&kind, s, error);
    if (status == IP_OK && in->anchors && kind != IP_METHOD_SOFT && kind != IP_METHOD_HARD)
        status = ip_fail(error, IP_USAGE, "the estimator %s has no anchors", s->estimator);
    if (status == IP_OK) status = ip_resampling_check(s, error);
    if (status == IP_OK) status = ip_input_open(&npy, in->vectors, error);
    if (status != IP_OK) return status;
    ip_anchors anchors = {0};
    ip_soft soft = {.scratch = {.fd = -1}};
    vectors_job job = {.session = session, .vectors = &npy, .anchors = &anchors};
    const bool is_soft = kind == IP_METHOD_SOFT;
    status = ip_vectors_check(&npy, error);
    if (status == IP_OK && is_soft)
        status = ip_anchors_make_from(&anchors, (size_t)npy.shape[1], (size_t)s->bins, s->seed, in->anchors,
                                      calibration, session->kernels, error);
    /* Labels are looked at before the work: a file that does not fit should not cost it. */
    for (size_t i = 0; status == IP_OK && i < in->label_count; i++) {
        ip_npy checked;
        status = open_labels(&checked, &in->labels[i], npy.shape[0], error);
        if (status == IP_OK) ip_npy_close(&checked);
    }
    if (status == IP_OK && in->documents) {
        status = read_documents(&job, in->documents, &result->documents, error);
    } else if (status == IP_OK) {
        status = ip_resampling_open(&job.resampling, s, (size_t)npy.shape[0], 0, error);
    }
    if (status == IP_OK)
        status = is_soft ? allocate(&job, &soft, scratch, error)
                         : ip_method_open(&job.method, kind, s, in->anchors, (size_t)npy.shape[0], (size_t)npy.shape[1],
                                          session->kernels, session->pool, error);
    if (status == IP_OK) status = estimate(&job, result, in->labels, in->label_count, error);
    if (status == IP_OK) describe(result, &job, kind, calibration);
    ip_big_free(job.work, job.work_bytes * ip_pool_threads(session->pool));
    ip_soft_close(&soft);
    ip_method_close(&job.method);
    ip_resampling_close(&job.resampling, (size_t)npy.shape[0]);
    ip_anchors_free(&anchors);
    ip_npy_close(&npy);
    return status;
}

static ip_status entropy(ip_entropy_result **out, const entropy_inputs *in, const ip_settings *settings,
                         const char *scratch_default, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    ip_entropy_result *result = calloc(1, sizeof *result);
    if (result) result->sets = calloc(in->label_count + 1, sizeof *result->sets);
    if (!result || !result->sets) {
        ip_entropy_free(result);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    result->set_count = in->label_count;
    ip_settings own = ip_method_settings(settings);
    settings = &own;
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK)
        status = run_entropy(&session, result, in, ip_scratch_folder(settings, scratch_default), error);
    status = ip_session_close(&session, status, error);
    if (status == IP_OK) {
        *out = result;
    } else {
        ip_entropy_free(result);
    }
    return status;
}

/* count paths or arrays as inputs, malloc'ed. */
static ip_input *inputs_of(const char *const *paths, const ip_array *arrays, size_t count) {
    ip_input *inputs = calloc(count + 1, sizeof *inputs);
    for (size_t i = 0; inputs && i < count; i++)
        inputs[i] = paths ? (ip_input){.path = paths[i]} : (ip_input){.array = &arrays[i]};
    return inputs;
}

ip_status ip_entropy(ip_entropy_result **out, const char *vectors, const char *const *labels, size_t label_count,
                     const char *documents, const ip_settings *settings, const char *scratch_default,
                     const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_input *sets = inputs_of(labels, NULL, label_count);
    if (!sets) return ip_fail(error, IP_FAILED, "out of memory");
    const ip_input z = {.path = vectors}, d = {.path = documents}, w = {.path = settings->anchors};
    const entropy_inputs in = {&z, sets, documents ? &d : NULL, settings->anchors ? &w : NULL, label_count};
    ip_status status = entropy(out, &in, settings, scratch_default, host, error);
    free(sets);
    return status;
}

ip_status ip_entropy_arrays(ip_entropy_result **out, const ip_array *vectors, const ip_array *labels,
                            size_t label_count, const ip_array *documents, const ip_array *anchors,
                            const ip_settings *settings, const char *scratch_default, const ip_host *host,
                            ip_error *error) {
    *out = NULL;
    ip_input *sets = inputs_of(NULL, labels, label_count);
    if (!sets) return ip_fail(error, IP_FAILED, "out of memory");
    const ip_input z = {.array = vectors}, d = {.array = documents}, file = {.path = settings->anchors},
                   w = anchors ? (ip_input){.array = anchors} : file;
    const entropy_inputs in = {&z, sets, documents ? &d : NULL, w.path || w.array ? &w : NULL, label_count};
    ip_status status = entropy(out, &in, settings, scratch_default, host, error);
    free(sets);
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
    ip_json_string(j, "estimator", r->estimator);
    ip_json_uint(j, "positions", r->positions);
    ip_json_uint(j, "width", r->width);
    ip_json_uint(j, "bins", r->bins);
    ip_json_double(j, "log_bins", ip_method_log_bins(r->estimator, r->bins));
    ip_json_string(j, "calibration", r->calibration);
    ip_json_double(j, "temperature", r->temperature);
    ip_json_uint(j, "seed", r->seed);
    ip_json_string(j, "anchors", r->anchors_fingerprint[0] ? r->anchors_fingerprint : NULL);
    if (r->documents > 0) {
        ip_json_uint(j, "documents", r->documents);
    } else {
        ip_json_null(j, "documents");
    }
    ip_json_uint(j, "groups", r->groups);
    ip_json_uint(j, "null", r->null);
    ip_json_uint(j, "bootstrap", r->bootstrap);
    ip_json_double(j, "H", r->H);
    ip_json_double(j, "context", r->context);
    ip_json_double(j, "effective_rank", r->effective_rank);
    ip_json_open(j, "labels", '[', false);
    for (size_t i = 0; i < r->set_count; i++) {
        const ip_estimate *e = &r->sets[i].estimate;
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "path", r->sets[i].path);
        ip_json_estimate(j, e);
        ip_json_double(j, "conditional", r->sets[i].conditional);
        ip_json_double(j, "regularity", r->H > 0.0 ? e->I / r->H : NAN);
        ip_json_uint(j, "singletons", r->sets[i].singletons);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
}

static void set_name(char *out, size_t room, const ip_entropy_set *set) {
    snprintf(out, room, "I(V;Z) %s", set->path);
    ip_make_printable(out);
}

static void number(FILE *file, double x) {
    if (isfinite(x)) {
        fprintf(file, " %10.6f", x);
    } else {
        fprintf(file, " %10s", "-");
    }
}

static void write_row(const ip_entropy_result *r, FILE *file, const char *name, double nats, uint64_t labels) {
    fprintf(file, "%-28s", name);
    number(file, nats);
    number(file, nats / 0.6931471805599453);
    number(file, nats / ip_method_log_bins(r->estimator, r->bins));
    if (labels > 0) fprintf(file, " %10llu", (unsigned long long)labels);
    fputc('\n', file);
}

/* What permuted labels give, and what the documents' groups say. */
static void write_resampled(const ip_entropy_result *r, FILE *file) {
    fprintf(file, "\nnats; null: mean of %u permutations of the labels", r->null);
    if (r->groups > 0)
        fprintf(file, "; corrected and 95 %% interval: jackknife over %u groups of %llu documents", r->groups,
                (unsigned long long)r->documents);
    if (r->bootstrap > 0) fprintf(file, "; boot: 95 %% of %u resamples of the documents", r->bootstrap);
    fprintf(file, "\n%-28s %10s %10s %10s %10s %10s %10s", "", "I", "null", "I - null", "corrected", "low", "high");
    if (r->bootstrap > 0) fprintf(file, " %10s %10s", "boot low", "boot high");
    fputc('\n', file);
    for (size_t i = 0; i < r->set_count; i++) {
        const ip_estimate *e = &r->sets[i].estimate;
        char name[600];
        set_name(name, sizeof name, &r->sets[i]);
        fprintf(file, "%-28s", name);
        const double cells[] = {e->I,   e->null, e->I - e->null, e->corrected,
                                e->low, e->high, e->boot_low,    e->boot_high};
        for (size_t c = 0; c < (r->bootstrap > 0 ? 8 : 6); c++) number(file, cells[c]);
        fputc('\n', file);
    }
}

void ip_entropy_write(const ip_entropy_result *r, bool json, FILE *file) {
    if (json) {
        write_json(r, file);
        return;
    }
    fprintf(file, "%llu vectors of width %llu; ", (unsigned long long)r->positions, (unsigned long long)r->width);
    ip_method_describe(file, r->estimator, r->bins, r->calibration, r->temperature);
    fprintf(file, "\n\n%-28s %10s %10s %10s %10s\n", "", "nats", "bits", "efficiency", "labels");
    write_row(r, file, "H(Z)", r->H, 0);
    write_row(r, file, "I(C;Z) context", r->context, r->positions);
    for (size_t i = 0; i < r->set_count; i++) {
        char name[600];
        set_name(name, sizeof name, &r->sets[i]);
        write_row(r, file, name, r->sets[i].estimate.I, r->sets[i].estimate.distinct);
    }
    if (isfinite(r->effective_rank)) fprintf(file, "%-28s %10.3f\n", "effective rank", r->effective_rank);
    if (r->set_count > 0 && (r->null > 0 || r->groups > 0)) write_resampled(r, file);
}

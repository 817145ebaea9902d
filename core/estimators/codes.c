/* Plug-in entropies of counted codes.
 *
 * n H = n log n - sum over codes of n_c log n_c, with log n rounded once to units of 2^-32 nats: all sums are integers, so
 * labels, codes, threads may come in any order. A label that has one code has entropy 0 exactly, as has a label of one
 * position: I(X;Z) = I(C;Z) at layer 0 holds to the last bit.
 *
 * A code may occur in one position only, so counts are not kept per label and code: a worker has one count per code, zero
 * between labels, and the list of those that the label at hand has touched. Without group g only the codes that occur in g
 * change: the positions of a label are put in order of their groups, and each group's slot receives the change.
 */
#include "core/estimators/codes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/memory.h"
#include "core/estimators/resample_internal.h"
#include "core/infoplane.h"
#include "core/numbers/permutation.h"

enum { LOG_TABLE = 65536, STRETCH = 8192 };

/* A worker's counts. */
typedef struct code_work {
    uint32_t *count, *part; /* [distinct], zeros between labels: of the label, of a group of it */
    uint32_t *seen, *seen_part;
    uint32_t *sorted; /* [positions]: codes of the label by group */
    uint32_t *group_count, *group_from;
    uint16_t *groups_seen;
} code_work;

typedef struct codes_job {
    const uint32_t *code;
    size_t positions, distinct;
    ip_pool *pool;
    const ip_partition *const *partitions;
    size_t sets;
    const ip_resampling *resampling;
    ip_label_span *spans;
    size_t span_count, slots;
    ip_wide *totals; /* [threads][sets][slots], as resample.c has them */
    code_work *work;
    char *memory;
    size_t memory_bytes;
    uint64_t *logs; /* [LOG_TABLE] */
    ip_permutation permutation;
    uint32_t *order;   /* [positions]: a permutation of the positions */
    uint32_t *weights; /* [documents] of a draw */
} codes_job;

static uint64_t log_units(uint64_t n) { return n > 1 ? (uint64_t)llrint(ip_log((double)n) * 0x1p32) : 0; }

/* n log n in units of 2^-32. */
static ip_wide n_log_n(const codes_job *job, uint64_t n) {
    return ip_wide_product(n, n < LOG_TABLE ? job->logs[n] : log_units(n));
}

static ip_wide *total_of(const codes_job *job, unsigned worker, size_t set) {
    return job->totals + (worker * job->sets + set) * job->slots;
}

/* Counts codes, each `times` at once; returns how many codes have been seen. */
static size_t count_code(uint32_t *count, uint32_t *seen, size_t n, uint32_t code, uint32_t times) {
    if (count[code] == 0) seen[n++] = code;
    count[code] += times;
    return n;
}

/* n H of counted codes, which go back to zero unless keep. */
static ip_wide counted_entropy(const codes_job *job, code_work *w, size_t codes, uint64_t n, int keep) {
    ip_wide all = n_log_n(job, n);
    for (size_t i = 0; i < codes; i++) {
        ip_wide_subtract(&all, n_log_n(job, w->count[w->seen[i]]));
        if (!keep) w->count[w->seen[i]] = 0;
    }
    return all;
}

/* ---- without each group ---- */

/* The label's codes by group into w->sorted; returns how many groups it occurs in. */
static size_t sort_by_group(const codes_job *job, code_work *w, const uint32_t *positions, size_t n) {
    const uint16_t *group = job->resampling->group;
    size_t groups = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned g = group[positions[i]];
        if (w->group_count[g]++ == 0) w->groups_seen[groups++] = (uint16_t)g;
    }
    uint32_t from = 0;
    for (size_t i = 0; i < groups; i++) {
        unsigned g = w->groups_seen[i];
        w->group_from[g] = from;
        from += w->group_count[g];
        w->group_count[g] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned g = group[positions[i]];
        w->sorted[w->group_from[g] + w->group_count[g]++] = job->code[positions[i]];
    }
    return groups;
}

/* What leaving group g out changes of n H = all, into its slot. */
static void leave_out(const codes_job *job, code_work *w, ip_wide *slot, unsigned g, size_t n, ip_wide all) {
    const uint32_t *codes = w->sorted + w->group_from[g];
    size_t held = w->group_count[g], left = n - held, seen = 0;
    ip_wide_subtract(slot, all);
    if (left < 2) return;
    for (size_t i = 0; i < held; i++) seen = count_code(w->part, w->seen_part, seen, codes[i], 1);
    /* all without the codes' old terms, with their new ones */
    ip_wide_add(slot, all);
    ip_wide_subtract(slot, n_log_n(job, n));
    ip_wide_add(slot, n_log_n(job, left));
    for (size_t i = 0; i < seen; i++) {
        uint32_t c = w->seen_part[i], before = w->count[c];
        ip_wide_add(slot, n_log_n(job, before));
        ip_wide_subtract(slot, n_log_n(job, before - w->part[c]));
        w->part[c] = 0;
    }
}

static void label_with_groups(const codes_job *job, code_work *w, ip_wide *total, const uint32_t *positions, size_t n) {
    size_t codes = 0;
    for (size_t i = 0; i < n; i++) codes = count_code(w->count, w->seen, codes, job->code[positions[i]], 1);
    if (codes == 1) { /* entropy 0, whatever is left out */
        w->count[w->seen[0]] = 0;
        return;
    }
    ip_wide all = counted_entropy(job, w, codes, n, 1);
    ip_wide_add(total, all);
    size_t groups = job->resampling->groups > 0 ? sort_by_group(job, w, positions, n) : 0;
    for (size_t i = 0; i < groups; i++) {
        unsigned g = w->groups_seen[i];
        leave_out(job, w, total + 1 + g, g, n, all);
    }
    for (size_t i = 0; i < groups; i++) w->group_count[w->groups_seen[i]] = 0;
    for (size_t i = 0; i < codes; i++) w->count[w->seen[i]] = 0;
}

/* ---- passes over all labels ---- */

static ip_status plain_span(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const codes_job *job = context;
    const ip_label_span *s = &job->spans[task];
    const ip_partition *p = job->partitions[s->set];
    for (size_t v = s->from; v < s->to; v++)
        label_with_groups(job, &job->work[worker], total_of(job, worker, s->set), p->order + p->start[v],
                          p->start[v + 1] - p->start[v]);
    return IP_OK;
}

/* Labels over other positions (job->order) or positions counted by how often their document was drawn. */
static ip_status drawn_span(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const codes_job *job = context;
    const ip_label_span *s = &job->spans[task];
    const ip_partition *p = job->partitions[s->set];
    const uint32_t *order = job->weights ? p->order : job->order;
    code_work *w = &job->work[worker];
    for (size_t v = s->from; v < s->to; v++) {
        size_t codes = 0;
        uint64_t n = 0;
        for (size_t i = p->start[v]; i < p->start[v + 1]; i++) {
            uint32_t times = job->weights ? job->weights[job->resampling->document[order[i]]] : 1;
            if (times == 0) continue;
            codes = count_code(w->count, w->seen, codes, job->code[order[i]], times);
            n += times;
        }
        ip_wide_add(total_of(job, worker, s->set), counted_entropy(job, w, codes, n, 0));
    }
    return IP_OK;
}

static ip_status permute_stretch(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    codes_job *job = context;
    size_t from = task * STRETCH, left = job->positions - from, n = left < STRETCH ? left : STRETCH;
    for (size_t i = from; i < from + n; i++) job->order[i] = ip_permutation_at(&job->permutation, (uint32_t)i);
    return IP_OK;
}

static void clear(codes_job *job) {
    memset(job->totals, 0, ip_pool_threads(job->pool) * job->sets * job->slots * sizeof *job->totals);
}

static ip_wide sum_of(const codes_job *job, size_t set, size_t slot) {
    ip_wide sum = {0, 0};
    for (unsigned w = 0; w < ip_pool_threads(job->pool); w++) ip_wide_add(&sum, total_of(job, w, set)[slot]);
    return sum;
}

static double per_position(ip_wide sum, uint64_t n) { return n > 0 ? ip_wide_double(sum) * 0x1p-32 / (double)n : NAN; }

static ip_status plain_figures(codes_job *job, ip_soft_figures *figures, ip_error *error) {
    unsigned groups = job->resampling->groups;
    uint64_t counts[IP_MAX_GROUPS] = {0};
    ip_status status = ip_pool_run(job->pool, job->span_count, plain_span, job, error);
    for (size_t i = 0; groups > 0 && i < job->positions; i++) counts[job->resampling->group[i]]++;
    for (size_t v = 0; status == IP_OK && v <= job->sets; v++) {
        ip_wide total = v < job->sets ? sum_of(job, v, 0) : (ip_wide){0, 0};
        figures[v].plain = per_position(total, job->positions);
        for (unsigned g = 0; g < groups; g++) {
            ip_wide left = total;
            if (v < job->sets) ip_wide_add(&left, sum_of(job, v, 1 + g));
            figures[v].without[g] = per_position(left, job->positions - counts[g]);
        }
    }
    return status;
}

static ip_status null_figures(codes_job *job, ip_soft_figures *figures, ip_error *error) {
    ip_status status = ip_permutation_open(&job->permutation, (uint32_t)job->positions, error);
    if (status != IP_OK) return status;
    for (unsigned r = 0; status == IP_OK && r < job->resampling->nulls; r++) {
        ip_permutation_key(&job->permutation, job->resampling->seed, r);
        clear(job);
        status = ip_pool_run(job->pool, (job->positions + STRETCH - 1) / STRETCH, permute_stretch, job, error);
        if (status == IP_OK) status = ip_pool_run(job->pool, job->span_count, drawn_span, job, error);
        for (size_t v = 0; v <= job->sets; v++)
            figures[v].null[r] = v < job->sets ? per_position(sum_of(job, v, 0), job->positions) : 0.0;
    }
    ip_permutation_close(&job->permutation);
    return status;
}

static ip_status bootstrap_figures(codes_job *job, ip_soft_figures *figures, ip_error *error) {
    const ip_resampling *r = job->resampling;
    size_t bytes = r->documents * sizeof *job->weights;
    job->weights = ip_big_alloc(bytes);
    if (!job->weights) return ip_fail(error, IP_FAILED, "out of memory for draws of %zu documents", r->documents);
    ip_status status = IP_OK;
    for (unsigned b = 0; status == IP_OK && b < r->bootstrap; b++) {
        ip_draw_documents(job->weights, r->documents, r->seed, b);
        clear(job);
        status = ip_pool_run(job->pool, job->span_count, drawn_span, job, error);
        uint64_t drawn = 0;
        for (size_t i = 0; i < job->positions; i++) drawn += job->weights[r->document[i]];
        /* A label of one position has entropy 0 however often that is drawn. */
        for (size_t v = 0; v <= job->sets; v++)
            figures[v].resampled[b] = per_position(v < job->sets ? sum_of(job, v, 0) : (ip_wide){0, 0}, drawn);
    }
    ip_big_free(job->weights, bytes);
    job->weights = NULL;
    return status;
}

/* ---- memory ---- */

static size_t worker_bytes(size_t positions, size_t distinct, unsigned groups) {
    size_t words = 4 * distinct + (groups > 0 ? positions : 0) + 2 * (size_t)groups;
    return (words * sizeof(uint32_t) + groups * sizeof(uint16_t) + 63) & ~(size_t)63;
}

static ip_status allocate(codes_job *job, ip_error *error) {
    unsigned threads = ip_pool_threads(job->pool), groups = job->resampling->groups;
    for (size_t v = 0; v < job->sets; v++) job->span_count += ip_label_spans(NULL, job->partitions[v], (uint32_t)v, 1);
    job->slots = 1 + groups;
    job->spans = malloc((job->span_count + 1) * sizeof *job->spans);
    job->totals = calloc(threads * job->sets * job->slots + 1, sizeof *job->totals);
    job->work = calloc(threads, sizeof *job->work);
    job->logs = malloc(LOG_TABLE * sizeof *job->logs);
    size_t each = worker_bytes(job->positions, job->distinct, groups);
    job->memory_bytes = threads * each;
    job->memory = ip_big_alloc(job->memory_bytes);
    if (job->resampling->nulls > 0) job->order = ip_big_alloc(job->positions * sizeof *job->order);
    if (!job->spans || !job->totals || !job->work || !job->logs || !job->memory ||
        (job->resampling->nulls > 0 && !job->order))
        return ip_fail(error, IP_FAILED, "out of memory for the counts of %zu codes", job->distinct);
    for (size_t n = 0; n < LOG_TABLE; n++) job->logs[n] = log_units(n);
    size_t at = 0;
    for (size_t v = 0; v < job->sets; v++) at += ip_label_spans(job->spans + at, job->partitions[v], (uint32_t)v, 1);
    for (unsigned t = 0; t < threads; t++) {
        code_work *w = &job->work[t];
        w->count = (uint32_t *)(void *)(job->memory + t * each);
        w->part = w->count + job->distinct;
        w->seen = w->part + job->distinct;
        w->seen_part = w->seen + job->distinct;
        w->group_count = w->seen_part + job->distinct;
        w->group_from = w->group_count + groups;
        w->sorted = w->group_from + groups;
        w->groups_seen = (uint16_t *)(void *)(w->sorted + (groups > 0 ? job->positions : 0));
    }
    return IP_OK;
}

ip_status ip_codes_estimate(const uint32_t *code, size_t positions, size_t distinct, ip_pool *pool,
                            const ip_partition *const *partitions, size_t sets, const ip_resampling *resampling,
                            ip_soft_figures *figures, ip_error *error) {
    codes_job job = {.code = code,
                     .positions = positions,
                     .distinct = distinct,
                     .pool = pool,
                     .partitions = partitions,
                     .sets = sets,
                     .resampling = resampling};
    ip_status status = allocate(&job, error);
    if (status == IP_OK) status = plain_figures(&job, figures, error);
    if (status == IP_OK && resampling->nulls > 0) status = null_figures(&job, figures, error);
    if (status == IP_OK && resampling->bootstrap > 0) status = bootstrap_figures(&job, figures, error);
    ip_big_free(job.order, positions * sizeof *job.order);
    ip_big_free(job.memory, job.memory_bytes);
    free(job.logs);
    free(job.work);
    free(job.totals);
    free(job.spans);
    return status;
}

size_t ip_codes_estimate_bytes(size_t positions, size_t distinct, size_t sets, unsigned threads,
                               const ip_resampling *resampling) {
    const ip_resampling *r = resampling;
    size_t bytes = sets * (positions / IP_SPAN_POSITIONS + 1) * sizeof(ip_label_span) + LOG_TABLE * sizeof(uint64_t) +
                   threads * worker_bytes(positions, distinct, r->groups) +
                   (threads * sets + 1) * (1 + (size_t)r->groups) * sizeof(ip_wide) +
                   (sets + 1) * ((size_t)r->groups + r->nulls + r->bootstrap) * sizeof(double);
    if (r->nulls > 0) bytes += positions * sizeof(uint32_t) + ip_permutation_bytes((uint32_t)positions);
    if (r->bootstrap > 0) bytes += r->documents * sizeof(uint32_t);
    return bytes;
}

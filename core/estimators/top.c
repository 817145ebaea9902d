/* Parts of I by label. One pass per layer over all labels; a label's part is computed in one place and in one order, so
 * threads do not show. */
#include "core/estimators/top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"

enum { TASK_LABELS = 512 };

static size_t singles_of(const ip_partition *p) { return p->positions - p->start[p->groups]; }
static size_t labels_of(const ip_partition *p) { return p->groups + singles_of(p); }

/* Positions of label l, as ip_top counts labels. */
static const uint32_t *positions_of(const ip_partition *p, size_t l, size_t *n) {
    if (l >= p->groups) {
        *n = 1;
        return p->order + p->start[p->groups] + (l - p->groups);
    }
    *n = p->start[l + 1] - p->start[l];
    return p->order + p->start[l];
}

size_t ip_top_bytes(size_t positions, size_t sets) { return positions * sets * sizeof(double); }

ip_status ip_top_open(ip_top *out, const ip_partition *const *partitions, size_t sets, ip_error *error) {
    *out = (ip_top){.partitions = partitions, .sets = sets};
    for (size_t v = 0; v < sets; v++) {
        out->parts[v] = ip_big_alloc(labels_of(partitions[v]) * sizeof(double));
        if (!out->parts[v]) return ip_fail(error, IP_FAILED, "out of memory for the parts of labels");
    }
    return IP_OK;
}

void ip_top_close(ip_top *top) {
    for (size_t v = 0; v < top->sets; v++)
        ip_big_free(top->parts[v], top->parts[v] ? labels_of(top->partitions[v]) * sizeof(double) : 0);
    memset(top, 0, sizeof *top);
}

/* ---- a layer ---- */

typedef struct top_job {
    ip_top *top;
    const ip_soft *soft;
    const ip_kernels *kernels;
    double *surprise;                                   /* [m rounded up]: -log P_Z, 0 where P_Z is 0 */
    size_t first_task[2 * IP_ORDERS_MAX + 1], own_task; /* own_task: the first that is this rank's */
} top_job;

/* n KL(P_v || P_Z) = n (cross entropy - H(P_v)). */
static double part_of(const top_job *job, const uint32_t *positions, size_t n) {
    const ip_soft *soft = job->soft;
    double cross = 0.0;
    int64_t entropy = 0;
    for (size_t b = 0; b < soft->blocks; b++) {
        uint64_t sums[IP_LANES] = {0};
        job->kernels->sum_gather(sums, soft->rows + b * soft->positions * IP_LANES, positions, n);
        entropy += job->kernels->entropy_sums(sums, n, IP_LANES);
        for (size_t j = 0; j < IP_LANES; j++) cross += (double)sums[j] * job->surprise[b * IP_LANES + j];
    }
    return (cross - (double)n * (double)entropy) * 0x1p-32;
}

static ip_status add_task(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const top_job *job = context;
    size_t v = 0;
    task += job->own_task;
    while (task >= job->first_task[v + 1]) v++;
    const ip_partition *partition = job->top->partitions[v];
    size_t from = (task - job->first_task[v]) * TASK_LABELS, labels = labels_of(partition);
    for (size_t l = from; l < labels && l < from + TASK_LABELS; l++) {
        size_t n;
        const uint32_t *positions = positions_of(partition, l, &n);
        job->top->parts[v][l] += part_of(job, positions, n) / (double)partition->positions;
    }
    return IP_OK;
}

/* -log of the mean of p over all positions. */
static void surprise_of(double *surprise, const ip_soft *soft, const ip_kernels *kernels) {
    enum { CHUNK = 512 };
    uint32_t all[CHUNK];
    for (size_t b = 0; b < soft->blocks; b++) {
        uint64_t sums[IP_LANES] = {0};
        for (size_t first = 0; first < soft->positions; first += CHUNK) {
            size_t n = soft->positions - first < CHUNK ? soft->positions - first : CHUNK;
            for (size_t i = 0; i < n; i++) all[i] = (uint32_t)(first + i);
            kernels->sum_gather(sums, soft->rows + b * soft->positions * IP_LANES, all, n);
        }
        for (size_t j = 0; j < IP_LANES; j++)
            surprise[b * IP_LANES + j] =
                sums[j] == 0 ? 0.0 : -ip_log((double)sums[j] / ((double)soft->positions * 0x1p32));
    }
}

/* The first task of a rank: tasks are dealt in order. */
static size_t task_of_rank(size_t tasks, unsigned rank, unsigned of) { return (size_t)((uint64_t)tasks * rank / of); }

static void number_tasks(size_t first_task[], const ip_top *top) {
    first_task[0] = 0;
    for (size_t v = 0; v < top->sets; v++)
        first_task[v + 1] = first_task[v] + (labels_of(top->partitions[v]) + TASK_LABELS - 1) / TASK_LABELS;
}

ip_status ip_top_add(ip_top *top, const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool, ip_error *error) {
    top_job job = {.top = top, .soft = soft, .kernels = kernels};
    job.surprise = calloc(soft->blocks * IP_LANES, sizeof *job.surprise);
    if (!job.surprise) return ip_fail(error, IP_FAILED, "out of memory for the parts of labels");
    surprise_of(job.surprise, soft, kernels);
    number_tasks(job.first_task, top);
    size_t tasks = job.first_task[top->sets];
    unsigned rank = ip_ranks_number(soft->ranks), of = ip_ranks_count(soft->ranks);
    job.own_task = task_of_rank(tasks, rank, of);
    ip_status status = ip_pool_run(pool, task_of_rank(tasks, rank + 1, of) - job.own_task, add_task, &job, error);
    top->layers++;
    free(job.surprise);
    return status;
}

ip_status ip_top_gather(ip_top *top, const ip_ranks *ranks, ip_error *error) {
    unsigned of = ip_ranks_count(ranks);
    if (of == 1) return IP_OK;
    size_t first_task[2 * IP_ORDERS_MAX + 1];
    uint64_t *borders = malloc((of + 1) * sizeof *borders);
    if (!borders) return ip_fail(error, IP_FAILED, "out of memory");
    number_tasks(first_task, top);
    for (size_t v = 0; v < top->sets; v++) {
        size_t labels = labels_of(top->partitions[v]);
        for (unsigned r = 0; r <= of; r++) {
            size_t task = task_of_rank(first_task[top->sets], r, of);
            size_t before = task > first_task[v] ? (task - first_task[v]) * TASK_LABELS : 0;
            borders[r] = (before < labels ? before : labels) * sizeof *top->parts[v];
        }
        ip_ranks_spread(ranks, top->parts[v], borders);
    }
    free(borders);
    return IP_OK;
}

/* ---- the largest ---- */

/* Labels with the largest parts, largest first; returns how many. */
static size_t pick(size_t *labels, const double *parts, size_t of, size_t count) {
    size_t filled = 0;
    for (size_t l = 0; l < of; l++) {
        if (filled == count && !(parts[l] > parts[labels[count - 1]])) continue;
        size_t at = filled < count ? filled++ : count - 1;
        for (; at > 0 && parts[l] > parts[labels[at - 1]]; at--) labels[at] = labels[at - 1];
        labels[at] = l;
    }
    return filled;
}

/* How often an n-gram occurs where the rule counts. */
static uint64_t occurrences(const ip_corpus *corpus, const ip_label_rule *rule, bool input, const int32_t *ids,
                            unsigned length) {
    uint64_t count = 0;
    for (size_t d = 0; d < corpus->documents; d++) {
        uint64_t begin = corpus->offsets[d], end = corpus->offsets[d + 1], from = begin, to = end;
        if (rule->count_at_positions) { /* places of the first token, of n-grams at the counted positions */
            uint64_t counted = ip_counted((size_t)(end - begin), rule->orders);
            from = begin + (input ? rule->orders - length : rule->orders);
            to = counted > 0 ? from + counted + length - 1 : from;
        }
        for (uint64_t i = from; i + length <= to; i++) count += memcmp(corpus->ids + i, ids, length * sizeof *ids) == 0;
    }
    return count;
}

/* The n-gram that a label of order k stands for, from any of its positions; with back-off it may be shorter. */
static void name_label(ip_top_ngram *out, const ip_corpus *corpus, const uint64_t *base, const ip_label_rule *rule,
                       bool input, unsigned order, uint32_t position) {
    size_t low = 0, high = corpus->documents; /* the document: the last that begins at position or before */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (base[middle] <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const int32_t *at = corpus->ids + corpus->offsets[low] + rule->orders - 1 + (position - base[low]);
    for (out->length = order; out->length >= 1; out->length--) {
        const int32_t *first = input ? at + 1 - out->length : at + 1;
        memcpy(out->ids, first, out->length * sizeof *first);
        if (!rule->backoff || out->length == 1) return;
        if (occurrences(corpus, rule, input, first, out->length) >= rule->min_count) return;
    }
}

/* The n-gram as text; bytes that are no UTF-8, and NUL, become U+FFFD. malloc'ed. */
static char *text_of(const ip_top_ngram *ngram, const ip_pieces *pieces) {
    size_t bytes = 0, made, replaced;
    for (unsigned i = 0; i < ngram->length; i++) bytes += pieces->piece(pieces->context, ngram->ids[i]).size;
    unsigned char *joined = malloc(bytes + 1);
    if (!joined) return NULL;
    bytes = 0;
    for (unsigned i = 0; i < ngram->length; i++) {
        ip_bytes piece = pieces->piece(pieces->context, ngram->ids[i]);
        if (piece.size > 0) memcpy(joined + bytes, piece.data, piece.size);
        bytes += piece.size;
    }
    for (size_t i = 0; i < bytes; i++) joined[i] = joined[i] == 0 ? 0xFF : joined[i];
    char *text = ip_utf8_replace(joined, bytes, &made, &replaced);
    free(joined);
    return text;
}

ip_status ip_top_list(ip_run *run, const ip_top *top, unsigned count, const ip_corpus *corpus,
                      const uint64_t *position_base, const ip_label_rule *rule, const ip_pieces *pieces,
                      ip_error *error) {
    size_t *labels = malloc(count * sizeof *labels);
    ip_status status = labels ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the list of n-grams");
    run->top = count;
    for (size_t v = 0; status == IP_OK && v < top->sets; v++) {
        const ip_partition *partition = top->partitions[v];
        bool input = v < rule->orders;
        unsigned k = (unsigned)(v % rule->orders);
        ip_top_list_of *list = input ? &run->top_x[k] : &run->top_y[k];
        size_t found = pick(labels, top->parts[v], labels_of(partition), count);
        list->rows = calloc(found + 1, sizeof *list->rows);
        for (size_t i = 0; status == IP_OK && list->rows && i < found; i++) {
            ip_top_ngram *row = &list->rows[i];
            size_t n;
            const uint32_t *positions = positions_of(partition, labels[i], &n);
            name_label(row, corpus, position_base, rule, input, k + 1, positions[0]);
            row->count = n;
            row->nats = top->parts[v][labels[i]] / (double)top->layers;
            row->text = text_of(row, pieces);
            list->count = i + 1;
            if (!row->text) status = ip_fail(error, IP_FAILED, "out of memory for the list of n-grams");
        }
        if (!list->rows) status = ip_fail(error, IP_FAILED, "out of memory for the list of n-grams");
    }
    free(labels);
    return status;
}

/* Soft assignments summed as they come, in all and per label.
 *
 * A batch becomes rows of p, [row][blocks][16 floats]; every label of every set owns a row of integer sums, [blocks][16].
 * Tasks are (set, block of 16 anchors): no two touch the same sums. Labels find their row through a table of slots with
 * open addressing; rows are numbered in the order in which labels first came.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/estimators/anchors.h"
#include "core/infoplane.h"
#include "core/input/arrays.h"
#include "core/input/session.h"
#include "core/input/vectors.h"
#include "core/numbers/wide.h"

enum { CHUNK_ROWS = 256, GATHER = 256, LABELS_A_TASK = 256, SETS_MOST = 65536 };

typedef struct label_set {
    int64_t *values;  /* [room], `labels` in use */
    uint64_t *counts; /* [room] */
    uint64_t *sums;   /* [room][stride] */
    double *entropies;
    size_t labels, room;
    uint32_t *slots; /* [slot_count], a power of two: label + 1, 0 free */
    size_t slot_count;
    uint64_t positions;
    uint32_t *rows; /* of the batch at hand: its vectors' labels */
} label_set;

struct ip_accumulator {
    ip_settings settings;
    ip_session session;
    ip_anchors anchors;
    size_t blocks, stride; /* of 16 anchors; floats and sums of a row */
    uint64_t positions;
    uint64_t *total; /* [stride] */
    ip_wide singles; /* sum of H(p_t), units of 2^-32 nats */
    label_set *sets;
    size_t set_count;
    /* the batch at hand */
    float *p;
    size_t p_rows, work_bytes, scratch_offset, p_offset;
    char *work;       /* per worker: rows as floats, scratch of the assignment, rows of p with room behind */
    int64_t *entropy; /* [p_rows] of its rows */
};

/* ---- opening ---- */

static ip_status make_anchors(ip_accumulator *a, uint64_t width, const ip_array *anchors, ip_error *error) {
    const ip_settings *s = &a->settings;
    ip_calibration calibration;
    if (!ip_calibration_by_name(&calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    if (s->bins < 2 || s->bins > 65536) return ip_fail(error, IP_USAGE, "--bins: 2 to 65536");
    if (width < 2 || width > (uint64_t)1 << 24)
        return ip_fail(error, IP_USAGE, "vectors of width %llu: 2 to 2^24 can be assigned", (unsigned long long)width);
    const ip_input array = {.array = anchors}, file = {.path = s->anchors};
    return ip_anchors_make_from(&a->anchors, (size_t)width, (size_t)s->bins, s->seed,
                                anchors      ? &array
                                : s->anchors ? &file
                                             : NULL,
                                calibration, a->session.kernels, error);
}

ip_status ip_accumulator_open(ip_accumulator **out, uint64_t width, const ip_array *anchors,
                              const ip_settings *settings, ip_error *error) {
    *out = NULL;
    ip_accumulator *a = calloc(1, sizeof *a);
    if (!a) return ip_fail(error, IP_FAILED, "out of memory");
    a->settings = *settings;
    ip_status status = ip_session_open(&a->session, &a->settings, NULL, error);
    if (status == IP_OK) status = make_anchors(a, width, anchors, error);
    if (status == IP_OK) {
        size_t scratch = ip_assign_bytes(a->session.kernels, &a->anchors, CHUNK_ROWS);
        if (scratch < a->anchors.d * sizeof(double)) scratch = a->anchors.d * sizeof(double);
        a->blocks = (a->anchors.m + IP_LANES - 1) / IP_LANES;
        a->stride = a->blocks * IP_LANES;
        a->scratch_offset = (CHUNK_ROWS * a->anchors.d * sizeof(float) + 63) & ~(size_t)63;
        a->p_offset = a->scratch_offset + ((scratch + 63) & ~(size_t)63);
        a->work_bytes = a->p_offset + (CHUNK_ROWS + IP_TILE_MAX) * a->stride * sizeof(float);
        a->work = ip_big_alloc(a->work_bytes * ip_pool_threads(a->session.pool));
        a->total = calloc(a->stride, sizeof *a->total);
        if (!a->work || !a->total) status = ip_fail(error, IP_FAILED, "out of memory for an accumulator");
    }
    /* The strings of settings are the caller's and not needed any more. */
    a->settings.anchors = a->settings.calibration = a->settings.isa = a->settings.compute = NULL;
    if (status == IP_OK) {
        *out = a;
    } else {
        ip_accumulator_free(a);
    }
    return status;
}

static void free_sets(ip_accumulator *a) {
    for (size_t i = 0; i < a->set_count; i++) {
        label_set *s = &a->sets[i];
        free(s->values);
        free(s->counts);
        free(s->sums);
        free(s->entropies);
        free(s->slots);
        free(s->rows);
    }
    free(a->sets);
    a->sets = NULL;
    a->set_count = 0;
}

static void free_batch(ip_accumulator *a) {
    free(a->p);
    free(a->entropy);
    a->p = NULL;
    a->entropy = NULL;
    a->p_rows = 0;
}

void ip_accumulator_free(ip_accumulator *a) {
    if (!a) return;
    free_sets(a);
    free_batch(a);
    free(a->total);
    if (a->session.pool) ip_big_free(a->work, a->work_bytes * ip_pool_threads(a->session.pool));
    ip_anchors_free(&a->anchors);
    ip_session_close(&a->session, IP_OK, NULL);
    free(a);
}

void ip_accumulator_reset(ip_accumulator *a) {
    free_sets(a);
    a->positions = 0;
    a->singles = (ip_wide){0, 0};
    memset(a->total, 0, a->stride * sizeof *a->total);
}

/* ---- labels to rows of sums ---- */

static size_t slot_of(const label_set *s, int64_t value) {
    size_t slot = (size_t)ip_hash64(&value, sizeof value, 0) & (s->slot_count - 1);
    while (s->slots[slot] != 0 && s->values[s->slots[slot] - 1] != value) slot = (slot + 1) & (s->slot_count - 1);
    return slot;
}

static void fill_slots(label_set *s) {
    memset(s->slots, 0, s->slot_count * sizeof *s->slots);
    for (size_t l = 0; l < s->labels; l++) s->slots[slot_of(s, s->values[l])] = (uint32_t)(l + 1);
}

/* Room for twice as many labels, and slots that are at most half full. */
static bool grow(label_set *s, size_t stride) {
    if (s->room > UINT32_MAX / 4) return false;
    size_t room = s->room ? 2 * s->room : 64, slot_count = 2 * room;
    if (room > SIZE_MAX / (stride * sizeof *s->sums)) return false;
    int64_t *values = realloc(s->values, room * sizeof *values);
    if (values) s->values = values;
    uint64_t *counts = realloc(s->counts, room * sizeof *counts);
    if (counts) s->counts = counts;
    uint64_t *sums = realloc(s->sums, room * stride * sizeof *sums);
    if (sums) s->sums = sums;
    double *entropies = realloc(s->entropies, room * sizeof *entropies);
    if (entropies) s->entropies = entropies;
    uint32_t *slots = malloc(slot_count * sizeof *slots);
    if (!values || !counts || !sums || !entropies || !slots) {
        free(slots);
        return false;
    }
    free(s->slots);
    s->slots = slots;
    s->slot_count = slot_count;
    s->room = room;
    fill_slots(s);
    return true;
}

/* The rows of a batch's labels; new labels get one. */
static ip_status find_rows(label_set *s, const ip_npy *labels, size_t n, size_t stride, ip_error *error) {
    uint32_t *rows = realloc(s->rows, (n + 1) * sizeof *rows);
    if (!rows) return ip_fail(error, IP_FAILED, "%s: out of memory", labels->path);
    s->rows = rows;
    for (size_t i = 0; i < n; i++) {
        if (s->labels == s->room && !grow(s, stride))
            return ip_fail(error, IP_FAILED, "%s: out of memory for %zu labels", labels->path, s->labels + 1);
        int64_t value = ip_npy_int(labels, i);
        size_t slot = slot_of(s, value);
        if (s->slots[slot] == 0) {
            s->values[s->labels] = value;
            s->counts[s->labels] = 0;
            memset(s->sums + s->labels * stride, 0, stride * sizeof *s->sums);
            s->slots[slot] = (uint32_t)++s->labels;
        }
        rows[i] = s->slots[slot] - 1;
    }
    return IP_OK;
}

/* ---- a batch ---- */

typedef struct batch {
    ip_accumulator *a;
    const ip_npy *vectors, *labels;
    const uint32_t *sets;
    size_t rows, count, *before; /* count: label sets; before: labels that each had */
} batch;

static ip_status assign_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const batch *b = context;
    ip_accumulator *a = b->a;
    const ip_kernels *kernels = a->session.kernels;
    size_t d = a->anchors.d, first = task * CHUNK_ROWS, left = b->rows - first;
    size_t n = left < CHUNK_ROWS ? left : CHUNK_ROWS;
    char *work = a->work + worker * a->work_bytes, *scratch = work + a->scratch_offset;
    float *rows = (float *)(void *)work, *p = (float *)(void *)(work + a->p_offset);
    for (size_t i = 0; i < n; i++) ip_vectors_row(b->vectors, first + i, rows + i * d, (double *)(void *)scratch);
    size_t bad_row;
    int bad_kind;
    if (!ip_anchors_assign(&a->anchors, kernels, rows, n, p, scratch, &bad_row, &bad_kind))
        return ip_vectors_bad_row(b->vectors, first + bad_row, bad_kind, error);
    memcpy(a->p + first * a->stride, p, n * a->stride * sizeof *p);
    for (size_t i = 0; i < n; i++) a->entropy[first + i] = kernels->entropy_row(p + i * a->stride, a->anchors.m);
    return IP_OK;
}

static ip_status find_set(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const batch *b = context;
    return find_rows(&b->a->sets[b->sets[task]], &b->labels[task], b->rows, b->a->stride, error);
}

/* One block of 16 anchors into the totals (task's set 0) or into the sums of a label set. */
static ip_status add_block(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const batch *b = context;
    ip_accumulator *a = b->a;
    size_t block = task % a->blocks, set = task / a->blocks;
    uint32_t positions[GATHER];
    if (set > 0) {
        const label_set *s = &a->sets[b->sets[set - 1]];
        for (size_t i = 0; i < b->rows; i++) {
            positions[0] = (uint32_t)(i * a->blocks + block);
            a->session.kernels->sum_gather(s->sums + s->rows[i] * a->stride + block * IP_LANES, a->p, positions, 1);
        }
        return IP_OK;
    }
    for (size_t first = 0; first < b->rows; first += GATHER) {
        size_t n = b->rows - first < GATHER ? b->rows - first : GATHER;
        for (size_t i = 0; i < n; i++) positions[i] = (uint32_t)((first + i) * a->blocks + block);
        a->session.kernels->sum_gather(a->total + block * IP_LANES, a->p, positions, n);
    }
    return IP_OK;
}

static ip_status reserve(ip_accumulator *a, size_t rows, ip_error *error) {
    if (a->p_rows >= rows) return IP_OK;
    free_batch(a);
    size_t room = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS * CHUNK_ROWS;
    if (room > UINT32_MAX / a->blocks || room > SIZE_MAX / (a->stride * sizeof *a->p))
        return ip_fail(error, IP_USAGE, "a batch of %zu vectors is too large: add them in parts", rows);
    a->p = ip_alloc64(room * a->stride * sizeof *a->p);
    a->entropy = malloc(room * sizeof *a->entropy);
    if (!a->p || !a->entropy) {
        free_batch(a);
        return ip_fail(error, IP_FAILED, "out of memory for a batch of %zu vectors", rows);
    }
    a->p_rows = room;
    return IP_OK;
}

/* Sums stay below 2^53, as the kernel of the entropies wants them. */
static ip_status check_room(const ip_accumulator *a, size_t rows, ip_error *error) {
    uint64_t most = 0;
    for (size_t j = 0; j < a->stride; j++) most = a->total[j] > most ? a->total[j] : most;
    if (rows <= ((uint64_t)1 << 53 >> 32) && most <= ((uint64_t)1 << 53) - ((uint64_t)rows << 32)) return IP_OK;
    return ip_fail(error, IP_FAILED, "%llu vectors are in the accumulator, %zu more are more than it can hold",
                   (unsigned long long)a->positions, rows);
}

static ip_status open_sets(batch *b, const uint32_t *sets, ip_error *error) {
    ip_accumulator *a = b->a;
    size_t most = a->set_count;
    for (size_t i = 0; i < b->count; i++) {
        if (sets[i] >= SETS_MOST) return ip_fail(error, IP_USAGE, "label set %u: there can be %d", sets[i], SETS_MOST);
        for (size_t j = 0; j < i; j++)
            if (sets[j] == sets[i]) return ip_fail(error, IP_USAGE, "label set %u is given twice", sets[i]);
        most = sets[i] >= most ? sets[i] + 1 : most;
    }
    if (most > a->set_count) {
        label_set *grown = realloc(a->sets, most * sizeof *grown);
        if (!grown) return ip_fail(error, IP_FAILED, "out of memory for %zu label sets", most);
        memset(grown + a->set_count, 0, (most - a->set_count) * sizeof *grown);
        a->sets = grown;
        a->set_count = most;
    }
    for (size_t i = 0; i < b->count; i++) b->before[i] = a->sets[sets[i]].labels;
    return IP_OK;
}

static ip_status add_batch(batch *b, ip_error *error) {
    ip_accumulator *a = b->a;
    ip_pool *pool = a->session.pool;
    ip_status status = check_room(a, b->rows, error);
    if (status == IP_OK) status = reserve(a, b->rows, error);
    if (status == IP_OK) status = ip_pool_run(pool, (b->rows + CHUNK_ROWS - 1) / CHUNK_ROWS, assign_chunk, b, error);
    if (status == IP_OK) status = open_sets(b, b->sets, error);
    if (status != IP_OK) return status;
    status = ip_pool_run(pool, b->count, find_set, b, error);
    if (status != IP_OK) {
        for (size_t i = 0; i < b->count; i++) {
            label_set *s = &a->sets[b->sets[i]];
            s->labels = b->before[i];
            if (s->slots) fill_slots(s);
        }
        return status;
    }
    status = ip_pool_run(pool, (b->count + 1) * a->blocks, add_block, b, error);
    for (size_t i = 0; i < b->rows; i++) ip_wide_add(&a->singles, (ip_wide){(uint64_t)a->entropy[i], 0});
    for (size_t i = 0; i < b->count; i++) {
        label_set *s = &a->sets[b->sets[i]];
        for (size_t r = 0; r < b->rows; r++) s->counts[s->rows[r]]++;
        s->positions += b->rows;
    }
    a->positions += b->rows;
    return status;
}

ip_status ip_accumulator_add(ip_accumulator *a, const ip_array *vectors, const ip_array *labels, const uint32_t *sets,
                             size_t label_count, ip_error *error) {
    ip_npy z, *opened = calloc(label_count + 1, sizeof *opened);
    size_t *before = calloc(label_count + 1, sizeof *before);
    ip_status status = opened && before ? ip_input_open(&z, &(ip_input){.array = vectors}, error)
                                        : ip_fail(error, IP_FAILED, "out of memory");
    if (status != IP_OK) {
        free(opened);
        free(before);
        return status;
    }
    status = ip_vectors_check(&z, error);
    if (status == IP_OK && z.shape[1] != a->anchors.d)
        status = ip_fail(error, IP_BAD_INPUT, "%s: vectors of width %llu, the anchors have width %zu", z.path,
                         (unsigned long long)z.shape[1], a->anchors.d);
    size_t count = 0;
    for (; status == IP_OK && count < label_count; count++) {
        status = ip_input_open(&opened[count], &(ip_input){.array = &labels[count]}, error);
        if (status != IP_OK) break;
        status = ip_labels_check(&opened[count], z.shape[0], error);
    }
    if (status == IP_OK) {
        batch b = {a, &z, opened, sets, (size_t)z.shape[0], label_count, before};
        status = add_batch(&b, error);
    }
    for (size_t i = 0; i < count; i++) ip_npy_close(&opened[i]);
    ip_npy_close(&z);
    free(opened);
    free(before);
    return status;
}

/* ---- results ---- */

static double mean_of(ip_wide sum, uint64_t n) { return n > 0 ? ip_wide_double(sum) * 0x1p-32 / (double)n : NAN; }

ip_status ip_accumulator_total(ip_accumulator *a, ip_accumulated *out, ip_error *error) {
    (void)error;
    *out = (ip_accumulated){
        .positions = a->positions, .width = a->anchors.d, .bins = a->anchors.m, .temperature = a->anchors.temperature};
    uint64_t entropy =
        a->positions > 0 ? (uint64_t)a->session.kernels->entropy_sums(a->total, a->positions, a->stride) : 0;
    out->H = mean_of(ip_wide_product(a->positions, entropy), a->positions);
    out->context = out->H - mean_of(a->singles, a->positions);
    return IP_OK;
}

typedef struct set_job {
    const ip_accumulator *a;
    label_set *set;
} set_job;

static ip_status label_entropies(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const set_job *job = context;
    label_set *s = job->set;
    size_t stride = job->a->stride,
           end = (task + 1) * LABELS_A_TASK < s->labels ? (task + 1) * LABELS_A_TASK : s->labels;
    for (size_t l = task * LABELS_A_TASK; l < end; l++)
        s->entropies[l] =
            (double)job->a->session.kernels->entropy_sums(s->sums + l * stride, s->counts[l], stride) * 0x1p-32;
    return IP_OK;
}

ip_status ip_accumulator_set(ip_accumulator *a, uint32_t set, ip_accumulated_set *out, ip_error *error) {
    *out = (ip_accumulated_set){.conditional = NAN};
    if (set >= a->set_count) return IP_OK;
    label_set *s = &a->sets[set];
    set_job job = {a, s};
    ip_status status =
        ip_pool_run(a->session.pool, (s->labels + LABELS_A_TASK - 1) / LABELS_A_TASK, label_entropies, &job, error);
    if (status != IP_OK) return status;
    ip_wide sum = {0, 0};
    for (size_t l = 0; l < s->labels; l++) {
        ip_wide_add_product(&sum, s->counts[l], (uint64_t)(s->entropies[l] * 0x1p32)); /* exact: it was an integer */
        out->singletons += s->counts[l] == 1;
    }
    out->positions = s->positions;
    out->labels = s->labels;
    out->conditional = mean_of(sum, s->positions);
    out->values = s->values;
    out->counts = s->counts;
    out->entropies = s->entropies;
    return IP_OK;
}

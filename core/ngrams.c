/* n-gram numbering by chained tables, back-off, and the label sets of both sides. */
#include "core/ngrams.h"

#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"

uint64_t ip_corpus_positions(const ip_corpus *corpus, unsigned orders) {
    uint64_t total = 0;
    for (size_t i = 0; i < corpus->documents; i++)
        total += ip_counted((size_t)(corpus->offsets[i + 1] - corpus->offsets[i]), orders);
    return total;
}

/* ---- one shard of the table of one order: open addressing, linear probing, at most three quarters full ---- */

enum { NO_GRAM = UINT32_MAX };

typedef struct slot {
    uint64_t key;
    uint32_t taken; /* number inside the shard + 1; 0: empty, as fresh memory is */
    uint32_t unused;
} slot;

typedef struct table {
    slot *slots;
    size_t room; /* a power of two */
    uint32_t count;
} table;

static bool table_allocate(table *t, size_t room) {
    t->slots = ip_big_alloc(room * sizeof *t->slots);
    t->room = t->slots ? room : 0;
    return t->slots != NULL;
}

static void table_free(table *t) { ip_big_free(t->slots, t->room * sizeof *t->slots); }

/* Empties a table for the next order, which will have more n-grams rather than fewer: its memory is kept, since fresh
 * pages cost more than clearing old ones. */
static bool table_reset(table *t) {
    t->count = 0;
    if (!t->slots) return table_allocate(t, 4096);
    memset(t->slots, 0, t->room * sizeof *t->slots);
    return true;
}

static slot *table_probe(const table *t, uint64_t key, uint64_t hash) {
    size_t i = (size_t)hash & (t->room - 1);
    while (t->slots[i].taken != 0 && t->slots[i].key != key) i = (i + 1) & (t->room - 1);
    return &t->slots[i];
}

static bool table_grow(table *t) {
    table larger = {.count = t->count};
    if (!table_allocate(&larger, t->room * 2)) return false;
    for (size_t i = 0; i < t->room; i++) {
        const slot *s = &t->slots[i];
        if (s->taken != 0) *table_probe(&larger, s->key, ip_hash64(&s->key, sizeof s->key, 0)) = *s;
    }
    table_free(t);
    *t = larger;
    return true;
}

/* Number of key, given out now if it is new; NO_GRAM when memory is refused. */
static uint32_t table_number(table *t, uint64_t key, uint64_t hash) {
    slot *s = table_probe(t, key, hash);
    if (s->taken == 0) {
        if ((size_t)(t->count + 1) * 4 > t->room * 3) {
            if (!table_grow(t)) return NO_GRAM;
            s = table_probe(t, key, hash);
        }
        s->key = key;
        s->taken = ++t->count;
    }
    return s->taken - 1;
}

/* ---- numbers and counts of all orders ---- */

enum { SHARDS_MAX = 64 };

typedef struct grams {
    uint64_t tokens;
    uint32_t shards;                 /* a power of two, at least the threads */
    table tables[SHARDS_MAX];        /* of the order at hand */
    uint32_t *number[IP_ORDERS_MAX]; /* [tokens]: the k-gram that ends here, NO_GRAM where the document is too young */
    uint32_t bound[IP_ORDERS_MAX];   /* numbers are below it */
    uint32_t *count[2][IP_ORDERS_MAX]; /* occurrences; [0] for X, [1] for Y: the same array unless counted apart */
} grams;

static void grams_free(grams *g) {
    for (unsigned k = 0; k < IP_ORDERS_MAX; k++) {
        ip_big_free(g->number[k], (size_t)g->tokens * sizeof(uint32_t));
        if (g->count[1][k] != g->count[0][k]) ip_big_free(g->count[1][k], g->bound[k] * sizeof(uint32_t));
        ip_big_free(g->count[0][k], g->bound[k] * sizeof(uint32_t));
    }
}

/* A shard's task: it looks at every key, and keeps those whose hash falls to it. Keys of one order do not depend on each
 * other, so their slots are prefetched a batch ahead. A number is made unique over shards by its lowest bits. */
enum { BATCH = 32 };

typedef struct pending {
    uint64_t key[BATCH], hash[BATCH];
    uint64_t token[BATCH];
    unsigned count;
} pending;

typedef struct number_job {
    grams *g;
    const ip_corpus *corpus;
    unsigned k;
} number_job;

static bool number_batch(table *t, pending *batch, uint32_t *number, uint32_t shards, uint32_t shard) {
    for (unsigned i = 0; i < batch->count; i++) {
        uint32_t n = table_number(t, batch->key[i], batch->hash[i]);
        if (n == NO_GRAM) return false;
        number[batch->token[i]] = n * shards + shard;
    }
    batch->count = 0;
    return true;
}

static ip_status number_shard(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const number_job *job = context;
    const ip_corpus *corpus = job->corpus;
    unsigned k = job->k;
    uint32_t shards = job->g->shards, *number = job->g->number[k];
    const uint32_t *before = k > 0 ? job->g->number[k - 1] : NULL;
    table t = job->g->tables[task]; /* a copy: neighbours' counts share cache lines */
    pending batch = {.count = 0};
    bool enough = table_reset(&t);
    for (size_t d = 0; enough && d < corpus->documents; d++) {
        uint64_t begin = corpus->offsets[d], end = corpus->offsets[d + 1];
        if (task == 0)
            for (uint64_t i = begin; i < end && i < begin + k; i++) number[i] = NO_GRAM;
        for (uint64_t i = begin + k; enough && i < end; i++) {
            uint64_t key = (before ? (uint64_t)before[i - 1] << 32 : 0) | (uint32_t)corpus->ids[i];
            uint64_t hash = ip_hash64(&key, sizeof key, 0);
            if ((hash >> 56 & (shards - 1)) != task) continue;
            __builtin_prefetch(&t.slots[hash & (t.room - 1)], 1);
            batch.key[batch.count] = key;
            batch.hash[batch.count] = hash;
            batch.token[batch.count++] = i;
            if (batch.count == BATCH) enough = number_batch(&t, &batch, number, shards, (uint32_t)task);
        }
    }
    enough = enough && number_batch(&t, &batch, number, shards, (uint32_t)task);
    job->g->tables[task] = t;
    return enough ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the table of %u-grams", k + 1);
}

static ip_status number_order(grams *g, const ip_corpus *corpus, unsigned k, ip_pool *pool, ip_error *error) {
    uint32_t most = 0;
    number_job job = {g, corpus, k};
    g->number[k] = ip_big_alloc((size_t)g->tokens * sizeof(uint32_t));
    if (!g->number[k]) return ip_fail(error, IP_FAILED, "out of memory for the %u-grams", k + 1);
    ip_status status = ip_pool_run(pool, g->shards, number_shard, &job, error);
    for (uint32_t s = 0; status == IP_OK && s < g->shards; s++)
        most = g->tables[s].count > most ? g->tables[s].count : most;
    g->bound[k] = status == IP_OK ? most * g->shards : 0;
    return status;
}

static ip_status count_grams(grams *g, const ip_corpus *corpus, const ip_label_rule *rule, ip_error *error) {
    unsigned K = rule->orders;
    for (unsigned k = 0; k < K; k++) {
        g->count[0][k] = g->count[1][k] = ip_big_alloc(g->bound[k] * sizeof(uint32_t));
        if (g->count[0][k] && rule->count_at_positions) g->count[1][k] = ip_big_alloc(g->bound[k] * sizeof(uint32_t));
        if (!g->count[0][k] || !g->count[1][k]) {
            if (!g->count[1][k]) g->count[1][k] = g->count[0][k];
            return ip_fail(error, IP_FAILED, "out of memory for the counts of %u-grams", k + 1);
        }
        for (size_t d = 0; d < corpus->documents; d++) {
            uint64_t begin = corpus->offsets[d], end = corpus->offsets[d + 1];
            if (!rule->count_at_positions) {
                for (uint64_t i = begin + k; i < end; i++) g->count[0][k][g->number[k][i]]++;
                continue;
            }
            size_t counted = ip_counted((size_t)(end - begin), K);
            for (uint64_t t = begin + K - 1; t < begin + K - 1 + counted; t++) {
                g->count[0][k][g->number[k][t]]++;
                g->count[1][k][g->number[k][t + k + 1]]++;
            }
        }
    }
    return IP_OK;
}

/* Label of position t: the n-gram left after back-off, numbered so that lengths never share a label. X drops its first
 * token (the gram that ends at the same place, one shorter), Y its last (the one that ends one place earlier). */
static uint32_t label_at(const grams *g, const ip_label_rule *rule, unsigned side, unsigned k, uint64_t t,
                         const uint32_t base[IP_ORDERS_MAX]) {
    uint32_t number;
    for (;;) {
        number = g->number[k][side == 0 ? t : t + k + 1];
        if (k == 0 || !rule->backoff || g->count[side][k][number] >= rule->min_count) break;
        k--;
    }
    return base[k] + number;
}

/* ---- label sets: a task each ---- */

typedef struct set_job {
    const grams *g;
    const ip_corpus *corpus;
    const ip_label_rule *rule;
    ip_partition *x, *y;
    uint32_t *labels; /* per worker: a label per position */
    size_t positions;
} set_job;

static ip_status build_set(void *context, size_t task, unsigned worker, ip_error *error) {
    const set_job *job = context;
    const grams *g = job->g;
    const ip_label_rule *rule = job->rule;
    /* the highest orders take longest: they come first */
    unsigned side = task % 2, k = rule->orders - 1 - (unsigned)(task / 2);
    uint32_t *labels = job->labels + worker * job->positions;
    uint32_t base[IP_ORDERS_MAX] = {0};
    uint64_t bound = g->bound[0];
    if (rule->backoff) {
        for (unsigned j = 1; j <= k; j++) {
            base[j] = (uint32_t)bound;
            bound += g->bound[j];
        }
    } else {
        bound = g->bound[k];
    }
    size_t n = 0;
    for (size_t d = 0; d < job->corpus->documents; d++) {
        uint64_t first = job->corpus->offsets[d] + rule->orders - 1;
        size_t length = (size_t)(job->corpus->offsets[d + 1] - job->corpus->offsets[d]);
        size_t counted = ip_counted(length, rule->orders);
        for (uint64_t t = first; t < first + counted; t++) labels[n++] = label_at(g, rule, side, k, t, base);
    }
    return ip_partition_build(&(side == 0 ? job->x : job->y)[k], labels, n, (size_t)bound, error);
}

static ip_status build_sets(const set_job *job, ip_pool *pool, ip_error *error) {
    set_job with_labels = *job;
    size_t bytes = job->positions * ip_pool_threads(pool) * sizeof(uint32_t);
    with_labels.labels = ip_big_alloc(bytes);
    if (!with_labels.labels) return ip_fail(error, IP_FAILED, "out of memory for the labels");
    ip_status status = ip_pool_run(pool, 2 * job->rule->orders, build_set, &with_labels, error);
    ip_big_free(with_labels.labels, bytes);
    return status;
}

ip_status ip_ngram_partitions(ip_partition *x, ip_partition *y, const ip_corpus *corpus, const ip_label_rule *rule,
                              ip_pool *pool, ip_error *error) {
    unsigned K = rule->orders;
    memset(x, 0, K * sizeof *x);
    memset(y, 0, K * sizeof *y);
    /* Labels of all lengths are numbered in 32 bits, with room for shards that are not equally full. */
    if (corpus->tokens > IP_TOKENS_MAX)
        return ip_fail(error, IP_FAILED, "%llu tokens are more than one run counts: use --documents",
                       (unsigned long long)corpus->tokens);
    grams g = {.tokens = corpus->tokens, .shards = 1};
    while (g.shards < ip_pool_threads(pool) && g.shards < SHARDS_MAX) g.shards *= 2;
    ip_status status = IP_OK;
    for (unsigned k = 0; status == IP_OK && k < K; k++) status = number_order(&g, corpus, k, pool, error);
    for (uint32_t s = 0; s < g.shards; s++) table_free(&g.tables[s]);
    if (status == IP_OK && rule->backoff) status = count_grams(&g, corpus, rule, error);
    if (status == IP_OK) {
        set_job job = {&g, corpus, rule, x, y, NULL, (size_t)ip_corpus_positions(corpus, K)};
        status = build_sets(&job, pool, error);
    }
    grams_free(&g);
    if (status != IP_OK) {
        for (unsigned k = 0; k < K; k++) {
            ip_partition_free(&x[k]);
            ip_partition_free(&y[k]);
        }
    }
    return status;
}

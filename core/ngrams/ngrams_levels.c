/* The groups of a part: order 1 by counting its tokens, orders 2..K by a table per order.
 *
 * Order 2's key is the pair of tokens, order k's the number of the (k-1)-gram before and the token in front of it: exact,
 * so two n-grams never merge. A record whose (k-1)-gram occurs once in the corpus is left out of order k: it is alone there
 * too. Groups are numbered as they are met, parts take their room in the sets in turns: nothing depends on a hash or
 * on threads.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/ngrams/ngrams_internal.h"

enum { BATCH = 64, AHEAD = 24, SLOTS_LEAST = 1024 };

/* An n-gram of the part. a, b: its key while the order is numbered, then where its next positions go in x and in y. */
typedef struct group {
    uint32_t a, b;
    uint32_t all, not_x, not_y; /* occurrences; those of them that do not count on a side */
} group;

#define NOT_KEPT UINT32_MAX /* as a place: back-off does not keep the n-gram */

/* A worker's table; room for the longest part, touched as far as it is used. */
typedef struct table {
    uint32_t *slots; /* number of a group + 1; 0: empty */
    group *groups;
    uint32_t *alone; /* places of records that occur once in the corpus */
    size_t room;     /* of slots in use, a power of two */
    uint32_t count;  /* groups */
} table;

typedef struct levels_job {
    const ip_split *split;
    ip_sets *sets;
    table *tables; /* per worker */
    size_t most;   /* records of the longest part */
} levels_job;

/* A quarter to a half of the slots are taken. */
static size_t slots_for(size_t records) {
    size_t room = SLOTS_LEAST;
    while (room < 2 * records) room *= 2;
    return room;
}

size_t ip_levels_bytes(size_t records) {
    return SLOTS_LEAST * sizeof(uint32_t) + records * (4 * sizeof(uint32_t) + sizeof(group) + sizeof(uint32_t));
}

/* ---- numbering ---- */

static void clear_slots(table *t, size_t room) {
    t->room = room;
    memset(t->slots, 0, room * sizeof *t->slots);
}

/* Twice the slots, filled again from the groups. */
static __attribute__((noinline)) void grow_slots(table *t) {
    clear_slots(t, 2 * t->room);
    for (uint32_t g = 0; g < t->count; g++) {
        uint64_t key = (uint64_t)t->groups[g].b << 32 | t->groups[g].a, hash;
        ip_hash64_numbers(&hash, &key, 1);
        size_t i = (size_t)hash & (t->room - 1);
        while (t->slots[i] != 0) i = (i + 1) & (t->room - 1);
        t->slots[i] = g + 1;
    }
}

static inline __attribute__((always_inline)) uint32_t number_of(table *t, uint64_t key, uint64_t hash) {
    uint32_t a = (uint32_t)key, b = (uint32_t)(key >> 32);
    size_t i = (size_t)hash & (t->room - 1);
    for (; t->slots[i] != 0; i = (i + 1) & (t->room - 1)) {
        const group *g = &t->groups[t->slots[i] - 1];
        if (g->a == a && g->b == b) return t->slots[i] - 1;
    }
    t->groups[t->count] = (group){a, b, 0, 0, 0};
    t->slots[i] = ++t->count;
    if (2 * (size_t)t->count > t->room) grow_slots(t);
    return t->count - 1;
}

static inline uint64_t key_of(ip_gram g, unsigned order) {
    if (order == 2) return g.low & IP_PAIR_MASK;
    return (g.low & IP_PAIR_MASK) | (order == 3 ? ip_gram_token2(g) : ip_gram_token3(g)) << 28;
}

/* Numbers the n-grams of n records, the number taking the place of the pair, and counts them. */
static inline __attribute__((always_inline)) void number_records(table *t, const ip_split *split, ip_gram *records,
                                                                 size_t n, unsigned order) {
    t->count = 0;
    clear_slots(t, slots_for(n < 8192 ? n : 8192));
    for (size_t first = 0; first < n; first += BATCH) {
        uint64_t keys[BATCH], hashes[BATCH];
        size_t some = n - first < BATCH ? n - first : BATCH;
        for (size_t i = 0; i < some; i++) keys[i] = key_of(records[first + i], order);
        ip_hash64_numbers(hashes, keys, some);
        for (size_t i = 0; i < some; i++) {
            ip_gram *r = &records[first + i];
            uint32_t number = number_of(t, keys[i], hashes[i]), code = (uint32_t)r->high % IP_PLACE_CODES;
            group *g = &t->groups[number];
            r->low = (r->low & ~IP_PAIR_MASK) | number;
            g->all++;
            if (code != split->inside) {
                g->not_x += !(split->mask[code] & 1);
                g->not_y += !(split->mask[code] >> order & 1);
            }
        }
    }
}

/* ---- laying out ---- */

typedef struct sizes {
    size_t groups, grouped, alone;
} sizes;

static inline void add_size(sizes *s, uint32_t count) {
    s->groups += count >= 2;
    s->grouped += count >= 2 ? count : 0;
    s->alone += count == 1;
}

/* How many of a group's records a side puts under its n-gram. */
static inline uint32_t kept(const ip_label_rule *rule, bool backoff, const group *g, bool y) {
    uint32_t count = g->all - (y ? g->not_y : g->not_x);
    return backoff && (rule->count_at_positions ? count : g->all) < rule->min_count ? 0 : count;
}

/* The place of a group's first position; its begin noted when there are more. */
static inline uint32_t lay_group(ip_claim *at, uint32_t *start, uint32_t count) {
    if (count >= 2) {
        uint32_t place = (uint32_t)at->order;
        start[at->group++] = place;
        at->order += count;
        return place;
    }
    return count == 1 ? (uint32_t)at->alone++ : NOT_KEPT;
}

/* Takes room for the groups of the part, and for `alone` of the sides' positions that are alone from the order before. */
static inline __attribute__((always_inline)) void lay_groups(table *t, const ip_label_rule *rule, bool backoff,
                                                             ip_sets *sets, unsigned order, size_t part,
                                                             const size_t alone[2], ip_claim claims[2]) {
    ip_filling *x = &sets->x[order - 1], *y = &sets->y[order - 1];
    sizes in_x = {0, 0, alone[0]}, in_y = {0, 0, alone[1]};
    for (uint32_t i = 0; i < t->count; i++) {
        add_size(&in_x, kept(rule, backoff, &t->groups[i], false));
        add_size(&in_y, kept(rule, backoff, &t->groups[i], true));
    }
    ip_turns_enter(sets->turns[order - 1], part);
    claims[0] = ip_filling_claim(x, in_x.groups, in_x.grouped, in_x.alone);
    claims[1] = ip_filling_claim(y, in_y.groups, in_y.grouped, in_y.alone);
    ip_turns_leave(sets->turns[order - 1]);
    ip_claim at_x = claims[0], at_y = claims[1];
    at_x.alone += alone[0];
    at_y.alone += alone[1];
    for (uint32_t i = 0; i < t->count; i++) {
        group *g = &t->groups[i];
        g->a = lay_group(&at_x, x->set->start, kept(rule, backoff, g, false));
        g->b = lay_group(&at_y, y->set->start, kept(rule, backoff, g, true));
    }
}

/* ---- positions to their groups ---- */

/* Exact labels. Returns the records that go on to the next order; the others' places are added to the `lone`. */
static size_t put_records(table *t, const ip_split *split, ip_sets *sets, unsigned order, ip_gram *records, size_t n,
                          size_t *lone) {
    uint32_t *x = sets->x[order - 1].set->order, *y = sets->y[order - 1].set->order, inside = split->inside;
    size_t go_on = 0, alone = *lone;
    for (size_t i = 0; i < n; i++) {
        ip_gram r = records[i];
        group *g = &t->groups[r.low & IP_PAIR_MASK];
        uint32_t word = (uint32_t)r.high, place = word >> IP_PLACE_SHIFT, code = word % IP_PLACE_CODES;
        if (code == inside) {
            x[g->a++] = place;
            y[g->b++] = place - order;
        } else {
            if (split->mask[code] & 1) x[g->a++] = place;
            if (split->mask[code] >> order & 1) y[g->b++] = place - order;
        }
        bool on = g->all >= 2;
        records[go_on] = r;
        t->alone[alone] = word;
        go_on += on;
        alone += !on;
    }
    *lone = alone;
    return go_on;
}

/* Back-off: only what is kept is put, and noted. */
static size_t put_kept(table *t, const ip_split *split, ip_sets *sets, unsigned order, ip_gram *records, size_t n) {
    uint32_t *x = sets->x[order - 1].set->order, *y = sets->y[order - 1].set->order;
    uint8_t *restrict kept_x = sets->kept_x, *restrict kept_y = sets->kept_y[order - 1],
                      bit = (uint8_t)(1u << (order - 1));
    size_t go_on = 0;
    for (size_t i = 0; i < n; i++) {
        /* what is kept is noted all over memory: stores that miss hold up each other */
        const ip_gram *ahead = &records[i + AHEAD < n ? i + AHEAD : n - 1];
        uint32_t soon = (uint32_t)ahead->high >> IP_PLACE_SHIFT;
        __builtin_prefetch(kept_x + soon, 1);
        __builtin_prefetch(kept_y + soon, 1);
        ip_gram r = records[i];
        group *g = &t->groups[r.low & IP_PAIR_MASK];
        uint32_t place = (uint32_t)r.high >> IP_PLACE_SHIFT, mask = split->mask[r.high % IP_PLACE_CODES];
        if (g->a != NOT_KEPT && (mask & 1)) {
            x[g->a++] = place;
            kept_x[place] |= bit;
        }
        if (g->b != NOT_KEPT && (mask >> order & 1)) {
            y[g->b++] = place - order;
            kept_y[place - order] = 1;
        }
        records[go_on] = r;
        go_on += g->all >= split->rule->min_count && (order == 3 ? ip_gram_token3(r) : ip_gram_token2(r)) != IP_ID_NONE;
    }
    return go_on;
}

/* Positions that are alone from the order before, at the head of the part's lone positions. */
static void put_alone(const table *t, const ip_split *split, ip_sets *sets, unsigned order, size_t n,
                      const ip_claim claims[2]) {
    uint32_t *x = sets->x[order - 1].set->order + claims[0].alone, *y = sets->y[order - 1].set->order + claims[1].alone;
    for (size_t i = 0; i < n; i++) {
        uint32_t place = t->alone[i] >> IP_PLACE_SHIFT, mask = split->mask[t->alone[i] % IP_PLACE_CODES];
        if (mask & 1) *x++ = place;
        if (mask >> order & 1) *y++ = place - order;
    }
}

static void count_alone(const table *t, const ip_split *split, unsigned order, size_t n, size_t count[2]) {
    count[0] = count[1] = n;
    for (size_t i = 0; i < n; i++) {
        uint32_t code = t->alone[i] % IP_PLACE_CODES;
        if (code == split->inside) continue;
        count[0] -= !(split->mask[code] & 1);
        count[1] -= !(split->mask[code] >> order & 1);
    }
}

static ip_status run_pairs(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const levels_job *job = context;
    const ip_split *split = job->split;
    table *t = &job->tables[worker];
    ip_gram *records = (ip_gram *)split->records + split->pair_begin[task];
    size_t n = split->pair_begin[task + 1] - split->pair_begin[task], lone = 0;
    for (unsigned order = 2; order <= split->rule->orders; order++) {
        size_t alone[2];
        ip_claim claims[2];
        if (order == 2) {
            number_records(t, split, records, n, 2);
        } else if (order == 3) {
            number_records(t, split, records, n, 3);
        } else {
            number_records(t, split, records, n, 4);
        }
        count_alone(t, split, order, lone, alone);
        if (split->rule->backoff) {
            lay_groups(t, split->rule, true, job->sets, order, task, alone, claims);
        } else {
            lay_groups(t, split->rule, false, job->sets, order, task, alone, claims);
        }
        put_alone(t, split, job->sets, order, lone, claims);
        n = split->rule->backoff ? put_kept(t, split, job->sets, order, records, n)
                                 : put_records(t, split, job->sets, order, records, n, &lone);
    }
    return IP_OK;
}

/* ---- order 1: the tokens of a part are its number and multiples of the number of parts ---- */

static ip_status run_single(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const levels_job *job = context;
    const ip_split *split = job->split;
    table *t = &job->tables[worker];
    const uint64_t *records = (const uint64_t *)split->records + split->single_begin[task];
    size_t n = split->single_begin[task + 1] - split->single_begin[task], none[2] = {0, 0};
    uint32_t parts = split->single_parts;
    ip_claim claims[2];
    t->count = split->id_most / parts + 1;
    memset(t->groups, 0, t->count * sizeof *t->groups);
    for (size_t i = 0; i < n; i++) {
        group *g = &t->groups[(uint32_t)(records[i] >> 32) / parts];
        uint32_t code = records[i] % IP_PLACE_CODES;
        g->all++;
        if (code == split->inside) continue;
        g->not_x += !(split->mask[code] & 1);
        g->not_y += !(split->mask[code] >> 1 & 1);
    }
    lay_groups(t, split->rule, false, job->sets, 1, task, none, claims); /* tokens are always kept */
    uint32_t *x = job->sets->x[0].set->order, *y = job->sets->y[0].set->order;
    for (size_t i = 0; i < n; i++) {
        group *g = &t->groups[(uint32_t)(records[i] >> 32) / parts];
        uint32_t place = (uint32_t)records[i] >> IP_PLACE_SHIFT, mask = split->mask[records[i] % IP_PLACE_CODES];
        if (mask & 1) x[g->a++] = place;
        if (mask >> 1 & 1) y[g->b++] = place - 1;
    }
    return IP_OK;
}

/* ---- tasks ---- */

static ip_status run_levels(const ip_split *split, ip_sets *sets, ip_pool *pool, size_t most, size_t parts,
                            ip_task task, ip_error *error) {
    unsigned threads = ip_pool_threads(pool);
    levels_job job = {split, sets, calloc(threads, sizeof(table)), most};
    ip_status status = job.tables ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    for (unsigned w = 0; status == IP_OK && w < threads; w++) {
        table *t = &job.tables[w];
        t->slots = ip_big_alloc(slots_for(most) * sizeof *t->slots);
        t->groups = ip_big_alloc(most * sizeof *t->groups);
        t->alone = ip_big_alloc(most * sizeof *t->alone);
        if (!t->slots || !t->groups || !t->alone)
            status = ip_fail(error, IP_FAILED, "out of memory for a table of %zu n-grams", most);
    }
    if (status == IP_OK) status = ip_pool_run(pool, parts, task, &job, error);
    for (unsigned w = 0; job.tables && w < threads; w++) {
        ip_big_free(job.tables[w].slots, slots_for(most) * sizeof(uint32_t));
        ip_big_free(job.tables[w].groups, most * sizeof(group));
        ip_big_free(job.tables[w].alone, most * sizeof(uint32_t));
    }
    free(job.tables);
    return status;
}

ip_status ip_levels_single(const ip_split *split, ip_sets *sets, ip_pool *pool, ip_error *error) {
    return run_levels(split, sets, pool, split->id_most / split->single_parts + 1, split->single_parts, run_single,
                      error);
}

ip_status ip_levels_pairs(const ip_split *split, ip_sets *sets, ip_pool *pool, ip_error *error) {
    /* one more than there are records: those that do not go on are written before they are left out */
    return run_levels(split, sets, pool, (size_t)split->longest_pairs + 1, split->pair_parts, run_pairs, error);
}

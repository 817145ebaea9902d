/* Splitting a corpus into parts: places with the same last token (order 1), with the same last two (higher orders).
 *
 * Two passes over the ids: one counts, one writes, so that records lie at their exact places, in the corpus' order,
 * whatever the number of threads. Parts of pairs are as small as the number of write positions allows.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/ngrams/ngrams_internal.h"

/* 2048 parts are 2048 places that are written at once: their cache lines stay in the private cache, their huge pages in
 * the translation buffer. A part of 8192 pairs and its table stay there as well. */
enum { BATCH = 256, SINGLE_PARTS = 256, PAIR_PARTS_MAX = 2048, PART_RECORDS = 8192, STRETCHES_PER_THREAD = 4 };

/* ---- the places of a stretch, a batch at a time ---- */

typedef struct walk {
    const ip_split *split;
    uint64_t at, to, begin, end; /* next token, end of the stretch, borders of the document */
    size_t document;
    uint64_t positions; /* counted before the document */
    unsigned least;     /* tokens before a place in its document, at least */
} walk;

static void enter_document(walk *w, size_t document) {
    const ip_corpus *corpus = w->split->corpus;
    w->document = document;
    if (document >= corpus->documents) return;
    w->begin = corpus->offsets[document];
    w->end = corpus->offsets[document + 1];
}

static walk walk_stretch(const ip_split *split, const ip_stretch *s, unsigned least) {
    walk w = {.split = split, .at = s->from, .to = s->to, .positions = s->positions, .least = least};
    enter_document(&w, s->document);
    return w;
}

/* A run of places of one document: they are token .. token + n - 1, the first word is `place`, each next one place on. */
typedef struct run {
    uint64_t token;
    size_t n;
    uint32_t place;
    unsigned before; /* tokens of the document before the first, 3 meaning 3 or more */
} run;

/* Code of place `off` of a document of n tokens: Y of order k counts where K-1+k <= off <= n-K-1+k, and X is k = 0. */
static uint32_t code_at(const ip_split *split, uint64_t off, uint64_t n) {
    uint64_t orders = split->rule->orders, behind = n - 1 - off;
    if (off + 1 < orders) return IP_PLACE_NOWHERE;
    uint64_t from = behind < orders ? orders - behind : 0, to = off + 1 - orders < orders ? off + 1 - orders : orders;
    return from <= to ? split->code[from][to] : IP_PLACE_NOWHERE;
}

/* The next run, at most `room` places; false at the end of the stretch. Places that count nowhere are passed over unless
 * the corpus as a whole is counted. */
static bool next_run(walk *w, size_t room, run *r) {
    const ip_label_rule *rule = w->split->rule;
    uint64_t orders = rule->orders;
    bool everywhere = rule->backoff && !rule->count_at_positions;
    while (w->at < w->to) {
        if (w->at >= w->end) {
            w->positions += ip_counted((size_t)(w->end - w->begin), rule->orders);
            enter_document(w, w->document + 1);
            continue;
        }
        uint64_t off = w->at - w->begin, n = w->end - w->begin, run_to = off + 1;
        uint32_t code = w->split->inside;
        if (off < w->least) {
            w->at = w->begin + w->least < w->end ? w->begin + w->least : w->end;
            continue;
        }
        if (off + 1 >= 2 * orders && off + orders < n) {
            run_to = n - orders < w->to - w->begin ? n - orders : w->to - w->begin;
        } else {
            code = code_at(w->split, off, n);
            if (code == IP_PLACE_NOWHERE && !everywhere) {
                w->at++;
                continue;
            }
        }
        r->token = w->at;
        r->n = run_to - off < room ? (size_t)(run_to - off) : room;
        r->place = (uint32_t)(off + 1 < orders ? 0 : w->positions + off + 1 - orders) << IP_PLACE_SHIFT | code;
        r->before = off < 3 ? (unsigned)off : 3;
        w->at += r->n;
        return true;
    }
    return false;
}

static size_t fill_singles(walk *w, uint64_t records[BATCH]) {
    const int32_t *ids = w->split->corpus->ids;
    size_t n = 0;
    run r;
    while (n < BATCH && next_run(w, BATCH - n, &r)) {
        for (size_t i = 0; i < r.n; i++)
            records[n + i] = (uint64_t)(uint32_t)ids[r.token + i] << 32 | (r.place + ((uint32_t)i << IP_PLACE_SHIFT));
        n += r.n;
    }
    return n;
}

static size_t fill_pairs(walk *w, uint64_t pairs[BATCH], ip_gram records[BATCH], bool whole) {
    size_t n = 0;
    run r;
    while (n < BATCH && next_run(w, BATCH - n, &r)) {
        const int32_t *ids = w->split->corpus->ids + r.token;
        for (size_t i = 0; i < r.n; i++)
            pairs[n + i] = (uint64_t)(uint32_t)ids[i] | (uint64_t)(uint32_t)(ids + i)[-1] << IP_ID_BITS;
        for (size_t i = 0; whole && i < r.n; i++) {
            uint64_t token2 = r.before >= 2 ? (uint32_t)(ids + i)[-2] : IP_ID_NONE;
            uint64_t token3 = r.before >= 3 ? (uint32_t)(ids + i)[-3] : IP_ID_NONE;
            uint64_t place = r.place + ((uint32_t)i << IP_PLACE_SHIFT);
            records[n + i] =
                (ip_gram){pairs[n + i] | token3 << IP_PAIR_BITS, place | token2 << 32 | token3 >> 18 << 55};
        }
        n += r.n;
    }
    return n;
}

static unsigned least_before_pair(const ip_label_rule *rule) {
    return rule->backoff && !rule->count_at_positions ? 1 : rule->orders - 1;
}

/* The low bits of a pair's hash choose a slot in a part's table. */
static uint32_t pair_part(const ip_split *split, uint64_t hash) {
    return (uint32_t)(hash >> 40) & (split->pair_parts - 1);
}

/* ---- counting ---- */

static ip_status count_stretch(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const ip_split *split = context;
    ip_stretch *s = &split->stretches[task];
    const int32_t *ids = split->corpus->ids;
    for (uint64_t i = s->from; i < s->to; i++)
        s->id_most = (uint32_t)ids[i] > s->id_most ? (uint32_t)ids[i] : s->id_most;
    if (s->id_most >= IP_ID_NONE)
        return ip_fail(error, IP_FAILED, "token ids of %u and more cannot be counted", IP_ID_NONE);
    uint64_t records[BATCH], hashes[BATCH];
    size_t n;
    walk w = walk_stretch(split, s, split->rule->orders - 1);
    while ((n = fill_singles(&w, records)) > 0)
        for (size_t i = 0; i < n; i++) s->singles[records[i] >> 32 & (split->single_parts - 1)]++;
    if (split->rule->orders < 2) return IP_OK;
    w = walk_stretch(split, s, least_before_pair(split->rule));
    while ((n = fill_pairs(&w, records, NULL, false)) > 0) {
        ip_hash64_numbers(hashes, records, n);
        for (size_t i = 0; i < n; i++) s->pairs[pair_part(split, hashes[i])]++;
    }
    return IP_OK;
}

/* Counts become the places where each stretch begins to write in each part. */
static void lay_out(ip_split *split, bool pairs, uint32_t *begin, uint32_t parts) {
    uint32_t at = 0;
    for (uint32_t p = 0; p < parts; p++) {
        begin[p] = at;
        for (size_t s = 0; s < split->stretch_count; s++) {
            uint32_t *place = pairs ? &split->stretches[s].pairs[p] : &split->stretches[s].singles[p], count = *place;
            *place = at;
            at += count;
        }
        if (pairs && at - begin[p] > split->longest_pairs) split->longest_pairs = at - begin[p];
    }
    begin[parts] = at;
}

static void make_codes(ip_split *split) {
    uint8_t next = 0;
    for (unsigned from = 0; from <= IP_ORDERS_MAX; from++) {
        for (unsigned to = from; to <= IP_ORDERS_MAX; to++) {
            split->code[from][to] = next;
            split->mask[next++] = (uint8_t)((2u << to) - (1u << from));
        }
    }
    split->inside = split->code[0][split->rule->orders];
}

static void cut_stretches(ip_split *split) {
    const ip_corpus *corpus = split->corpus;
    uint64_t positions = 0;
    size_t document = 0;
    for (size_t s = 0; s < split->stretch_count; s++) {
        ip_stretch *stretch = &split->stretches[s];
        stretch->from = corpus->tokens / split->stretch_count * s;
        stretch->to = s + 1 == split->stretch_count ? corpus->tokens : corpus->tokens / split->stretch_count * (s + 1);
        for (; document < corpus->documents && corpus->offsets[document + 1] <= stretch->from; document++)
            positions +=
                ip_counted((size_t)(corpus->offsets[document + 1] - corpus->offsets[document]), split->rule->orders);
        stretch->document = document;
        stretch->positions = positions;
        stretch->singles = split->places + s * (split->single_parts + split->pair_parts);
        stretch->pairs = stretch->singles + split->single_parts;
    }
}

ip_status ip_split_open(ip_split *split, const ip_corpus *corpus, const ip_label_rule *rule, ip_pool *pool,
                        ip_error *error) {
    *split = (ip_split){.corpus = corpus, .rule = rule, .single_parts = SINGLE_PARTS, .pair_parts = 1};
    if (rule->orders < 1 || rule->orders > IP_ORDERS_MAX)
        return ip_fail(error, IP_USAGE, "orders 1..%u: 1 to %d can be counted", rule->orders, IP_ORDERS_MAX);
    /* A place is numbered in 28 bits; the last ones of a document go K beyond its positions. */
    if (corpus->tokens > IP_TOKENS_MAX)
        return ip_fail(error, IP_FAILED, "%llu tokens are more than one run counts: use --documents",
                       (unsigned long long)corpus->tokens);
    while (split->pair_parts < PAIR_PARTS_MAX && corpus->tokens / split->pair_parts > PART_RECORDS)
        split->pair_parts *= 2;
    split->stretch_count = ip_pool_threads(pool) == 1 ? 1 : (size_t)ip_pool_threads(pool) * STRETCHES_PER_THREAD;
    size_t parts = split->single_parts + split->pair_parts;
    split->stretches = calloc(split->stretch_count, sizeof *split->stretches);
    split->places = calloc(split->stretch_count * parts, sizeof *split->places);
    split->single_begin = calloc(parts + 2, sizeof *split->single_begin);
    if (!split->stretches || !split->places || !split->single_begin)
        return ip_fail(error, IP_FAILED, "out of memory for the counts of %zu parts", parts);
    split->pair_begin = split->single_begin + split->single_parts + 1;
    make_codes(split);
    cut_stretches(split);
    ip_status status = ip_pool_run(pool, split->stretch_count, count_stretch, split, error);
    lay_out(split, false, split->single_begin, split->single_parts);
    lay_out(split, true, split->pair_begin, split->pair_parts);
    for (size_t s = 0; s < split->stretch_count; s++)
        split->id_most = split->stretches[s].id_most > split->id_most ? split->stretches[s].id_most : split->id_most;
    return status;
}

void ip_split_close(ip_split *split) {
    free(split->stretches);
    free(split->places);
    free(split->single_begin);
    ip_big_free(split->records, split->record_bytes);
    memset(split, 0, sizeof *split);
}

/* ---- writing ---- */

static size_t record_bytes(const ip_split *split) {
    size_t singles = split->single_begin[split->single_parts] * sizeof(uint64_t);
    size_t pairs = split->pair_begin[split->pair_parts] * sizeof(ip_gram);
    return singles > pairs ? singles : pairs;
}

/* The threads hold tables for the longest part they met: no part is longer than the longest, and all parts together
 * have as many records as there are. */
uint64_t ip_split_bytes(const ip_split *split, unsigned threads) {
    uint64_t at_once = (uint64_t)threads * split->longest_pairs, all = split->pair_begin[split->pair_parts];
    uint64_t tokens = (uint64_t)threads * (split->id_most / split->single_parts + 1);
    at_once = at_once < all ? at_once : all;
    uint64_t counts = split->stretch_count * (uint64_t)(split->single_parts + split->pair_parts) * sizeof(uint32_t);
    return record_bytes(split) + counts + threads * ip_levels_bytes(0) +
           ip_levels_bytes((size_t)(at_once > tokens ? at_once : tokens));
}

ip_status ip_split_allocate(ip_split *split, ip_error *error) {
    split->record_bytes = record_bytes(split);
    split->records = ip_big_alloc(split->record_bytes);
    return split->records ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the records of the n-grams");
}

static ip_status write_singles(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const ip_split *split = context;
    const ip_stretch *s = &split->stretches[task];
    uint64_t batch[BATCH], *records = split->records;
    uint32_t *next = s->singles, mask = split->single_parts - 1;
    size_t n;
    walk w = walk_stretch(split, s, split->rule->orders - 1);
    while ((n = fill_singles(&w, batch)) > 0)
        for (size_t i = 0; i < n; i++) records[next[batch[i] >> 32 & mask]++] = batch[i];
    return IP_OK;
}

static ip_status write_pairs(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const ip_split *split = context;
    const ip_stretch *s = &split->stretches[task];
    ip_gram batch[BATCH], *records = split->records;
    uint64_t pairs[BATCH], hashes[BATCH];
    uint32_t *next = s->pairs;
    size_t n;
    walk w = walk_stretch(split, s, least_before_pair(split->rule));
    while ((n = fill_pairs(&w, pairs, batch, true)) > 0) {
        ip_hash64_numbers(hashes, pairs, n);
        for (size_t i = 0; i < n; i++) records[next[pair_part(split, hashes[i])]++] = batch[i];
    }
    return IP_OK;
}

ip_status ip_split_singles(ip_split *split, ip_pool *pool, ip_error *error) {
    return ip_pool_run(pool, split->stretch_count, write_singles, split, error);
}

ip_status ip_split_pairs(ip_split *split, ip_pool *pool, ip_error *error) {
    return ip_pool_run(pool, split->stretch_count, write_pairs, split, error);
}

/* What the files of the n-gram tables share: the records a corpus is split into, and where their groups go.
 *
 *   ids ─► split ─► parts by last token ────────► order 1 ─► x[0] y[0]
 *             └───► parts by last two tokens ───► orders 2, 3, 4, each within the groups of the one before ─► x[k] y[k]
 *                                                 (back-off: + what is left of x[k-1] y[k-1])
 *
 * Equal n-grams end in the same token, and in the same two: so parts that hold all places with the same last tokens can
 * be worked off one by one, each with a table that stays in the private cache, and a part serves all orders and both
 * sides: the n-gram of order k that ends at a token is X of that position and Y of the position k before it.
 */
#ifndef IP_CORE_NGRAMS_INTERNAL_H
#define IP_CORE_NGRAMS_INTERNAL_H

#include "core/base/pool.h"
#include "core/ngrams/ngrams.h"

/* A place is where an n-gram ends: place << 4 | code. place is the position whose X ends here, Y's of order k is k less;
 * code says on which of the two sides and for which orders the place counts: bit 0 of its mask for X, bit k for Y of order
 * k. Near the ends of a document not all of them do; they are always an interval of bits. */
enum { IP_PLACE_SHIFT = 4, IP_PLACE_CODES = 16, IP_PLACE_NOWHERE = 15 };

/* A record: the last four tokens up to a place, and the place.
 *
 *   low   token 0 (the last) : 23 | token 1 : 23 | token 3, low 18 bits
 *   high  place : 32 | token 2 : 23 | token 3, high 5 bits | 0
 *
 * Once an order has been numbered, the number of the n-gram within its part stands in the 46 bits of tokens 0 and 1. */
typedef struct ip_gram {
    uint64_t low, high;
} ip_gram;

enum { IP_ID_BITS = 23, IP_PAIR_BITS = 2 * IP_ID_BITS };
#define IP_ID_NONE   (((uint32_t)1 << IP_ID_BITS) - 1) /* no token: before the document's begin */
#define IP_PAIR_MASK (((uint64_t)1 << IP_PAIR_BITS) - 1)

static inline uint64_t ip_gram_token2(ip_gram g) { return g.high >> 32 & IP_ID_NONE; }
static inline uint64_t ip_gram_token3(ip_gram g) { return g.low >> IP_PAIR_BITS | g.high >> 55 << 18; }

/* A stretch of tokens that one task splits. */
typedef struct ip_stretch {
    uint64_t from, to;
    size_t document;    /* that holds `from` */
    uint64_t positions; /* counted before that document */
    uint32_t id_most;   /* the largest of its ids */
    uint32_t *singles;  /* [single_parts]: first how many of its records fall to each part, then where the next goes */
    uint32_t *pairs;    /* [pair_parts] */
} ip_stretch;

typedef struct ip_split {
    const ip_corpus *corpus;
    const ip_label_rule *rule;
    ip_stretch *stretches;
    size_t stretch_count;
    uint32_t *places;                    /* what the stretches' arrays point into */
    uint32_t single_parts, pair_parts;   /* powers of two */
    uint32_t *single_begin, *pair_begin; /* [parts + 1] records before each part */
    uint32_t longest_pairs;              /* records of the longest part */
    uint8_t mask[IP_PLACE_CODES];
    uint8_t code[IP_ORDERS_MAX + 1][IP_ORDERS_MAX + 1]; /* of the interval from .. to */
    uint32_t inside;                                    /* the code of a place that counts everywhere */
    uint32_t id_most;                                   /* the largest id */
    void *records;                                      /* uint64_t: token << 32 | place, or ip_gram */
    size_t record_bytes;
} ip_split;

/* Counts the records of all parts: two passes over the ids, no memory per token. */
ip_status ip_split_open(ip_split *split, const ip_corpus *corpus, const ip_label_rule *rule, ip_pool *pool,
                        ip_error *error);
void ip_split_close(ip_split *split);
/* Bytes of the records and of the tables of the threads, at most. */
uint64_t ip_split_bytes(const ip_split *split, unsigned threads);
/* Memory for the records; then the records of single tokens, or of pairs, written part by part in the corpus' order. */
ip_status ip_split_allocate(ip_split *split, ip_error *error);
ip_status ip_split_singles(ip_split *split, ip_pool *pool, ip_error *error);
ip_status ip_split_pairs(ip_split *split, ip_pool *pool, ip_error *error);

/* A label set that fills up: groups from the front, labels that occur once from the back. */
typedef struct ip_filling {
    ip_partition *set;
    size_t groups, grouped, alone; /* so far; moved on in turns */
} ip_filling;

typedef struct ip_sets {
    ip_filling x[IP_ORDERS_MAX], y[IP_ORDERS_MAX];
    ip_turns *turns[IP_ORDERS_MAX];
    /* back-off: which positions keep their n-gram of order k + 1. X: bit k; an array of its own per order of Y, since the
     * places that Y's orders of one position come from lie in different parts. NULL without back-off. */
    uint8_t *kept_x, *kept_y[IP_ORDERS_MAX];
    size_t positions;
} ip_sets;

/* Room in a set for a task: groups and positions from the front, lone positions from `alone` on. */
typedef struct ip_claim {
    size_t group, order, alone;
} ip_claim;

static inline ip_claim ip_filling_claim(ip_filling *f, size_t groups, size_t grouped, size_t alone) {
    ip_claim claim = {f->groups, f->grouped, f->set->positions - f->alone - alone};
    f->groups += groups;
    f->grouped += grouped;
    f->alone += alone;
    return claim;
}

/* Bytes of a worker's tables after parts of so many records, when every record is an n-gram of its own. */
size_t ip_levels_bytes(size_t records);

/* Fills the sets of order 1 from the split's single tokens, of orders 2..K from its pairs. */
ip_status ip_levels_single(const ip_split *split, ip_sets *sets, ip_pool *pool, ip_error *error);
ip_status ip_levels_pairs(const ip_split *split, ip_sets *sets, ip_pool *pool, ip_error *error);

/* Back-off: what order k (from 0) has not kept goes in under its label of the order below, whose sets are complete. */
ip_status ip_backoff_fill(ip_sets *sets, unsigned k, ip_pool *pool, ip_error *error);

#endif

/* n-grams of a corpus: the counted positions grouped by their input and by their output n-gram, order by order.
 *
 * One table per order serves both sides: the input n-gram of position t ends at t, the output n-gram of position t ends at
 * t + k. Two n-grams never merge whatever a hash does.
 *
 * Counted positions of a document of n tokens: t = K-1 .. n-K-1, K the highest order; documents in order, t rising.
 */
#ifndef IP_CORE_NGRAMS_H
#define IP_CORE_NGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/infoplane.h"
#include "core/input/corpus.h"
#include "core/ngrams/partition.h"

enum { IP_ORDERS_MAX = 4 };

typedef struct ip_label_rule {
    unsigned orders;    /* K, 1 .. IP_ORDERS_MAX */
    bool backoff;       /* false: the n-gram itself */
    uint32_t min_count; /* backoff: an n-gram that occurs fewer times loses its far token */
    bool
        count_at_positions; /* backoff counts: at the counted positions, input and output apart; else over the corpus */
} ip_label_rule;

ip_label_rule ip_label_rule_of(const ip_settings *settings);

/* Number of counted positions of a document of n tokens. */
static inline size_t ip_counted(size_t n, unsigned orders) {
    return n + 1 > 2 * (size_t)orders ? n - 2 * orders + 1 : 0;
}

/* Counted positions of the whole corpus. */
uint64_t ip_corpus_positions(const ip_corpus *corpus, unsigned orders);

/* The partitions of the counted positions by X of order 1..K (x[0..K-1]) and Y of order 1..K (y). IP_FAILED when memory
 * is refused. At most IP_TOKENS_MAX tokens, ids below 2^23 - 1. */
#define IP_TOKENS_MAX (((uint64_t)1 << 28) - 8)
ip_status ip_ngram_partitions(ip_partition *x, ip_partition *y, const ip_corpus *corpus, const ip_label_rule *rule,
                              ip_pool *pool, ip_error *error);

/* Bytes that this takes at most beside the partitions, given back when it returns. Looks through the corpus for it. */
ip_status ip_ngram_bytes(uint64_t *bytes, const ip_corpus *corpus, const ip_label_rule *rule, ip_pool *pool,
                         ip_error *error);

#endif

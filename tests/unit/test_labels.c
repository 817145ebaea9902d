/* n-gram labels and partitions against a direct implementation of the rules on token tuples. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/ngrams.h"
#include "core/philox.h"
#include "core/wide.h"

enum { DOCUMENTS = 14, VOCABULARY = 5 };

/* Documents of 0 to 60 tokens over a small vocabulary, so that n-grams repeat. */
static void make_corpus(ip_corpus *corpus, int32_t *ids, uint64_t *offsets) {
    uint64_t at = 0;
    for (uint32_t d = 0; d < DOCUMENTS; d++) {
        offsets[d] = at;
        uint32_t length = d * 61u / DOCUMENTS;
        for (uint32_t i = 0; i < length; i++) {
            uint32_t words[4];
            ip_philox((uint32_t[4]){i, d, 0, 77}, 5, words);
            ids[at++] = (int32_t)(words[0] % (1 + words[1] % VOCABULARY));
        }
    }
    offsets[DOCUMENTS] = at;
    *corpus = (ip_corpus){.ids = ids, .offsets = offsets, .documents = DOCUMENTS, .tokens = at};
}

typedef struct gram {
    int length;
    int32_t tokens[IP_ORDERS_MAX];
} gram;

static bool same(const gram *a, const gram *b) {
    return a->length == b->length && memcmp(a->tokens, b->tokens, (size_t)a->length * sizeof(int32_t)) == 0;
}

static gram gram_at(const ip_corpus *c, uint64_t from, int length) {
    gram g = {.length = length};
    memcpy(g.tokens, c->ids + from, (size_t)length * sizeof(int32_t));
    return g;
}

/* Occurrences of g: everywhere, or at the counted positions of one side. */
static uint32_t occurrences(const ip_corpus *c, const ip_label_rule *rule, int side, const gram *g) {
    uint32_t count = 0;
    for (size_t d = 0; d < c->documents; d++) {
        uint64_t begin = c->offsets[d], end = c->offsets[d + 1];
        if (!rule->count_at_positions) {
            for (uint64_t i = begin; i + (uint64_t)g->length <= end; i++) {
                gram other = gram_at(c, i, g->length);
                count += same(g, &other);
            }
            continue;
        }
        for (uint64_t t = begin + rule->orders - 1; t + rule->orders < end; t++) {
            gram other = gram_at(c, side == 0 ? t + 1 - (uint64_t)g->length : t + 1, g->length);
            count += same(g, &other);
        }
    }
    return count;
}

static gram label_of(const ip_corpus *c, const ip_label_rule *rule, int side, int order, uint64_t t) {
    for (int length = order;; length--) {
        /* X drops its first token, Y its last: what is left of X still ends at t, of Y still begins at t + 1 */
        gram g = gram_at(c, side == 0 ? t + 1 - (uint64_t)length : t + 1, length);
        if (length == 1 || !rule->backoff || occurrences(c, rule, side, &g) >= rule->min_count) return g;
    }
}

/* The partition must put exactly those positions together whose labels are the same. */
static void check_partition(const ip_partition *p, const gram *labels, size_t n) {
    size_t *group = calloc(n + 1, sizeof *group);
    cr_assert_eq(p->positions, n);
    for (size_t g = 0; g < p->groups; g++) {
        cr_assert(p->start[g + 1] - p->start[g] >= 2);
        for (size_t i = p->start[g]; i < p->start[g + 1]; i++) {
            group[p->order[i]] = g + 1;
            cr_assert(i == p->start[g] || p->order[i] > p->order[i - 1], "positions rise");
            cr_assert(same(&labels[p->order[i]], &labels[p->order[p->start[g]]]));
        }
    }
    size_t singles = 0, distinct = 0;
    for (size_t i = 0; i < n; i++) {
        bool first = true, alone = true;
        for (size_t j = 0; j < n; j++) {
            if (j == i || !same(&labels[i], &labels[j])) continue;
            alone = false;
            first = first && j > i;
            cr_assert_eq(group[i], group[j]);
        }
        cr_assert_eq(alone, group[i] == 0);
        singles += alone;
        distinct += first;
    }
    cr_assert_eq(p->labels, distinct);
    cr_assert_eq(p->positions - p->start[p->groups], singles);
    free(group);
}

static void check_rule_on(const ip_label_rule *rule, unsigned threads) {
    int32_t ids[DOCUMENTS * 61];
    uint64_t offsets[DOCUMENTS + 1];
    ip_corpus corpus;
    make_corpus(&corpus, ids, offsets);
    ip_partition x[IP_ORDERS_MAX], y[IP_ORDERS_MAX];
    ip_error error;
    ip_pool *pool = ip_pool_create(threads);
    cr_assert_eq(ip_ngram_partitions(x, y, &corpus, rule, pool, &error), IP_OK);
    ip_pool_destroy(pool);
    gram *labels = malloc((size_t)corpus.tokens * sizeof *labels);
    for (int side = 0; side < 2; side++) {
        for (int order = 1; order <= (int)rule->orders; order++) {
            size_t n = 0;
            for (size_t d = 0; d < corpus.documents; d++)
                for (uint64_t t = offsets[d] + rule->orders - 1; t + rule->orders < offsets[d + 1]; t++)
                    labels[n++] = label_of(&corpus, rule, side, order, t);
            cr_assert_eq(n, ip_corpus_positions(&corpus, rule->orders));
            check_partition(side == 0 ? &x[order - 1] : &y[order - 1], labels, n);
        }
    }
    free(labels);
    for (unsigned k = 0; k < rule->orders; k++) {
        ip_partition_free(&x[k]);
        ip_partition_free(&y[k]);
    }
}

/* Shards follow the threads; the partition must not. */
static void check_rule(const ip_label_rule *rule) {
    check_rule_on(rule, 1);
    check_rule_on(rule, 3);
}

Test(labels, exact) {
    for (unsigned orders = 1; orders <= 4; orders++) check_rule(&(ip_label_rule){orders, false, 2, false});
}

Test(labels, backoff_over_the_corpus) {
    for (uint32_t least = 2; least <= 9; least += 7) check_rule(&(ip_label_rule){4, true, least, false});
    check_rule(&(ip_label_rule){3, true, 1000, false});
}

Test(labels, backoff_at_the_positions) {
    for (uint32_t least = 2; least <= 9; least += 7) check_rule(&(ip_label_rule){4, true, least, true});
}

Test(labels, values) {
    const int64_t values[] = {INT64_MIN, 5, INT64_MAX, 5, INT64_MIN, 0, 5};
    ip_partition p;
    ip_error error;
    cr_assert_eq(ip_partition_from_values(&p, values, 7, &error), IP_OK);
    cr_assert_eq(p.labels, 4);
    cr_assert_eq(p.groups, 2);
    const uint32_t order[] = {0, 4, 1, 3, 6, 2, 5};
    cr_assert_eq(p.start[2], 5);
    cr_assert_arr_eq(p.order, order, 5 * sizeof *order);
    ip_partition_free(&p);
}

Test(wide, products_add_up) {
    ip_wide w = {0, 0};
    for (int i = 0; i < 5; i++) ip_wide_add_product(&w, UINT64_MAX, UINT64_MAX);
    /* 5 (2^64 - 1)^2 = 5 2^128 - 10 2^64 + 5, modulo 2^128 */
    cr_assert_eq(w.low, 5);
    cr_assert_eq(w.high, (uint64_t)-10);
    w = (ip_wide){0, 0};
    ip_wide_add_product(&w, 3, (uint64_t)1 << 62);
    cr_assert_eq(ip_wide_double(w), 3.0 * 0x1p62);
    ip_wide_add_product(&w, 16, (uint64_t)1 << 62);
    cr_assert_eq(w.high, 4);
}

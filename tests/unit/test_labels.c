/* n-gram labels and partitions against a direct implementation of the rules on token tuples. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/ngrams/ngrams.h"
#include "core/numbers/philox.h"
#include "core/numbers/wide.h"

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

/* ---- a corpus of many parts, against n-grams numbered by sorting ---- */

enum { LARGE = 300000, LARGE_VOCABULARY = 3000, LARGE_DOCUMENTS_MAX = LARGE / 10 };

typedef struct large {
    ip_corpus corpus;
    uint32_t *id[IP_ORDERS_MAX]; /* [token]: number of the k-gram that ends there */
    uint32_t *count[2][IP_ORDERS_MAX];
} large;

/* Zipf-like words, and now and then a stretch that stood there before; documents of 0 to 2000 tokens, many of them short. */
static void make_large(large *l) {
    int32_t *ids = malloc(LARGE * sizeof *ids);
    uint64_t *offsets = calloc(LARGE_DOCUMENTS_MAX + 1, sizeof *offsets);
    uint32_t copy = 0;
    for (uint32_t i = 0; i < LARGE; i++) {
        uint32_t w[4];
        ip_philox((uint32_t[4]){i, 1, 0, 77}, 5, w);
        if (i > 1000 && w[2] % 16 == 0) copy = copy == 0 ? 1 + w[3] % (i - 1) : 0;
        uint32_t fresh = w[0] % (1 + w[1] % (1 + w[2] % LARGE_VOCABULARY));
        ids[i] = copy > 0 && copy < i ? ids[copy++] : (int32_t)fresh;
    }
    size_t documents = 0;
    for (uint64_t at = 0; at < LARGE && documents < LARGE_DOCUMENTS_MAX; documents++) {
        uint32_t w[4];
        ip_philox((uint32_t[4]){(uint32_t)documents, 2, 0, 77}, 5, w);
        at += w[0] % (w[1] % 4 == 0 ? 2000 : 20);
        offsets[documents + 1] = at < LARGE ? at : LARGE;
    }
    l->corpus = (ip_corpus){.ids = ids, .offsets = offsets, .documents = documents, .tokens = offsets[documents]};
}

static const ip_corpus *sorted_corpus;
static int sorted_length;

static int compare_grams(const void *a, const void *b) {
    const int32_t *x = sorted_corpus->ids + *(const uint32_t *)a, *y = sorted_corpus->ids + *(const uint32_t *)b;
    for (int i = 0; i < sorted_length; i++)
        if (x[-i] != y[-i]) return x[-i] < y[-i] ? -1 : 1;
    return 0;
}

static void number_large(large *l, const ip_label_rule *rule) {
    const ip_corpus *c = &l->corpus;
    uint32_t *ends = malloc(c->tokens * sizeof *ends);
    for (uint32_t k = 0; k < rule->orders; k++) {
        size_t n = 0;
        for (size_t d = 0; d < c->documents; d++)
            for (uint64_t i = c->offsets[d] + k; i < c->offsets[d + 1]; i++) ends[n++] = (uint32_t)i;
        sorted_corpus = c;
        sorted_length = (int)k + 1;
        qsort(ends, n, sizeof *ends, compare_grams);
        l->id[k] = calloc(c->tokens, sizeof *l->id[k]);
        uint32_t number = 0;
        for (size_t i = 0; i < n; i++) {
            if (i > 0 && compare_grams(&ends[i - 1], &ends[i]) != 0) number++;
            l->id[k][ends[i]] = number;
        }
        for (int side = 0; side < 2; side++) l->count[side][k] = calloc(c->tokens, sizeof *l->count[side][k]);
        for (size_t d = 0; d < c->documents; d++) {
            if (!rule->count_at_positions)
                for (uint64_t i = c->offsets[d] + k; i < c->offsets[d + 1]; i++)
                    for (int side = 0; side < 2; side++) l->count[side][k][l->id[k][i]]++;
            for (uint64_t t = c->offsets[d] + rule->orders - 1;
                 rule->count_at_positions && t + rule->orders < c->offsets[d + 1]; t++) {
                l->count[0][k][l->id[k][t]]++;
                l->count[1][k][l->id[k][t + k + 1]]++;
            }
        }
    }
    free(ends);
}

static uint32_t large_label(const large *l, const ip_label_rule *rule, int side, uint32_t k, uint64_t t) {
    for (;; k--) {
        uint32_t id = l->id[k][side == 0 ? t : t + k + 1];
        if (k == 0 || !rule->backoff || l->count[side][k][id] >= rule->min_count)
            return (uint32_t)(k * l->corpus.tokens) + id;
    }
}

static void check_large_set(const large *l, const ip_label_rule *rule, int side, uint32_t k, const ip_partition *p) {
    uint32_t *label = malloc(p->positions * sizeof *label), *size = calloc(4 * l->corpus.tokens, sizeof *size);
    unsigned char *seen = calloc(p->positions, 1);
    size_t n = 0, distinct = 0, once = 0;
    for (size_t d = 0; d < l->corpus.documents; d++)
        for (uint64_t t = l->corpus.offsets[d] + rule->orders - 1; t + rule->orders < l->corpus.offsets[d + 1]; t++)
            label[n++] = large_label(l, rule, side, k, t);
    cr_assert_eq(n, p->positions);
    for (size_t i = 0; i < n; i++) size[label[i]]++;
    for (size_t v = 0; v < 4 * l->corpus.tokens; v++) {
        distinct += size[v] > 0;
        once += size[v] == 1;
    }
    cr_assert_eq(p->labels, distinct);
    cr_assert_eq(p->groups, distinct - once);
    cr_assert_eq(p->start[p->groups], n - once);
    for (size_t i = 0; i < n; i++) {
        cr_assert_lt(p->order[i], n);
        cr_assert(!seen[p->order[i]]++, "a position stands there once");
    }
    for (size_t g = 0; g < p->groups; g++) {
        cr_assert_eq(p->start[g + 1] - p->start[g], size[label[p->order[p->start[g]]]]);
        for (size_t i = p->start[g] + 1; i < p->start[g + 1]; i++)
            cr_assert(label[p->order[i]] == label[p->order[i - 1]] && p->order[i] > p->order[i - 1]);
    }
    free(label);
    free(size);
    free(seen);
}

static void check_large(const ip_label_rule *rule) {
    large l;
    ip_error error;
    make_large(&l);
    number_large(&l, rule);
    ip_partition sets[2][2][IP_ORDERS_MAX]; /* thread counts, sides */
    for (unsigned i = 0; i < 2; i++) {
        ip_pool *pool = ip_pool_create(i == 0 ? 1 : 3);
        cr_assert_eq(ip_ngram_partitions(sets[i][0], sets[i][1], &l.corpus, rule, pool, &error), IP_OK);
        ip_pool_destroy(pool);
    }
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned k = 0; k < rule->orders; k++) {
            ip_partition *one = &sets[0][side][k], *three = &sets[1][side][k];
            check_large_set(&l, rule, (int)side, k, one);
            cr_assert_eq(one->groups, three->groups);
            cr_assert_arr_eq(one->order, three->order, one->positions * sizeof *one->order);
            cr_assert_arr_eq(one->start, three->start, (one->groups + 1) * sizeof *one->start);
            ip_partition_free(one);
            ip_partition_free(three);
        }
    }
    for (unsigned k = 0; k < rule->orders; k++) {
        free(l.id[k]);
        free(l.count[0][k]);
        free(l.count[1][k]);
    }
    free(l.corpus.ids);
    free(l.corpus.offsets);
}

Test(labels, many_parts_exact) {
    for (unsigned orders = 1; orders <= 4; orders++) check_large(&(ip_label_rule){orders, false, 2, false});
}

Test(labels, many_parts_backoff) {
    check_large(&(ip_label_rule){4, true, 3, false});
    check_large(&(ip_label_rule){4, true, 2, true});
    check_large(&(ip_label_rule){3, true, 1, false});
}

/* One pair of tokens before anything: all records in one part, every n-gram of order 3 a new one, so that tables grow. */
Test(labels, one_part_grows) {
    enum { TOKENS = 180000 };
    ip_corpus corpus = {
        .ids = malloc(TOKENS * sizeof(int32_t)), .offsets = (uint64_t[2]){0, TOKENS}, .documents = 1, .tokens = TOKENS};
    for (int32_t i = 0; i < TOKENS; i++) corpus.ids[i] = i % 3 == 0 ? 5 + i / 3 : i % 3;
    ip_partition x[4], y[4];
    ip_error error;
    ip_pool *pool = ip_pool_create(2);
    const ip_label_rule rule = {4, false, 2, false};
    cr_assert_eq(ip_ngram_partitions(x, y, &corpus, &rule, pool, &error), IP_OK);
    /* a third of the positions ends in 1 2, a third in a number and 1, a third in 2 and a number */
    cr_assert_eq(x[1].groups, 1);
    cr_assert_eq(x[1].labels, 1 + (x[1].positions - x[1].start[1]));
    cr_assert_eq(x[2].groups, 0);
    cr_assert_eq(x[2].labels, x[2].positions);
    cr_assert_eq(y[3].labels, y[3].positions);
    uint64_t bytes;
    cr_assert_eq(ip_ngram_bytes(&bytes, &corpus, &rule, pool, &error), IP_OK);
    cr_assert_gt(bytes, TOKENS * sizeof(uint64_t[2]) + TOKENS / 3 * 24);
    for (int k = 0; k < 4; k++) {
        ip_partition_free(&x[k]);
        ip_partition_free(&y[k]);
    }
    corpus.ids[77] = 1 << 23;
    cr_assert_eq(ip_ngram_partitions(x, y, &corpus, &rule, pool, &error), IP_FAILED);
    ip_pool_destroy(pool);
    free(corpus.ids);
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

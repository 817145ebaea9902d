/* The label sets of both sides, order by order: from the corpus split into parts, and back-off on top. */
#include "core/ngrams/ngrams.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/ngrams/ngrams_internal.h"

uint64_t ip_corpus_positions(const ip_corpus *corpus, unsigned orders) {
    uint64_t total = 0;
    for (size_t i = 0; i < corpus->documents; i++)
        total += ip_counted((size_t)(corpus->offsets[i + 1] - corpus->offsets[i]), orders);
    return total;
}

ip_label_rule ip_label_rule_of(const ip_settings *settings) {
    return (ip_label_rule){settings->orders, settings->backoff, settings->min_count, settings->count_at_positions};
}

/* Back-off that would keep everything is none. */
static ip_label_rule simplest(const ip_label_rule *rule) {
    ip_label_rule simple = *rule;
    if (rule->min_count <= 1) simple.backoff = false;
    return simple;
}

static ip_status open_sets(ip_sets *sets, ip_partition *x, ip_partition *y, const ip_label_rule *rule,
                           ip_error *error) {
    ip_status status = IP_OK;
    for (unsigned k = 0; status == IP_OK && k < rule->orders; k++) {
        sets->x[k].set = &x[k];
        sets->y[k].set = &y[k];
        sets->turns[k] = ip_turns_create();
        status = sets->turns[k] ? ip_partition_open(&x[k], sets->positions, error)
                                : ip_fail(error, IP_FAILED, "out of memory");
        if (status == IP_OK) status = ip_partition_open(&y[k], sets->positions, error);
        if (status != IP_OK || !rule->backoff || k == 0) continue;
        if (k == 1) sets->kept_x = ip_big_alloc(sets->positions);
        sets->kept_y[k] = ip_big_alloc(sets->positions);
        if (!sets->kept_x || !sets->kept_y[k])
            status = ip_fail(error, IP_FAILED, "out of memory for the back-off of %zu positions", sets->positions);
    }
    return status;
}

static void close_sets(ip_sets *sets) {
    ip_big_free(sets->kept_x, sets->positions);
    for (unsigned k = 0; k < IP_ORDERS_MAX; k++) {
        ip_big_free(sets->kept_y[k], sets->positions);
        ip_turns_destroy(sets->turns[k]);
    }
}

static void finish(const ip_filling *filling) {
    ip_partition *set = filling->set;
    set->groups = filling->groups;
    set->labels = filling->groups + filling->alone;
    set->start[set->groups] = (uint32_t)filling->grouped;
}

static ip_status fill_sets(ip_split *split, ip_sets *sets, ip_pool *pool, ip_error *error) {
    const ip_label_rule *rule = split->rule;
    ip_status status = ip_split_allocate(split, error);
    if (status == IP_OK) status = ip_split_singles(split, pool, error);
    if (status == IP_OK) status = ip_levels_single(split, sets, pool, error);
    if (status == IP_OK && rule->orders > 1) status = ip_split_pairs(split, pool, error);
    if (status == IP_OK && rule->orders > 1) status = ip_levels_pairs(split, sets, pool, error);
    for (unsigned k = 0; status == IP_OK && k < rule->orders; k++) {
        if (k > 0 && rule->backoff) status = ip_backoff_fill(sets, k, pool, error);
        finish(&sets->x[k]);
        finish(&sets->y[k]);
    }
    return status;
}

ip_status ip_ngram_partitions(ip_partition *x, ip_partition *y, const ip_corpus *corpus, const ip_label_rule *rule,
                              ip_pool *pool, ip_error *error) {
    memset(x, 0, rule->orders * sizeof *x);
    memset(y, 0, rule->orders * sizeof *y);
    ip_label_rule simple = simplest(rule);
    ip_sets sets = {.positions = (size_t)ip_corpus_positions(corpus, rule->orders)};
    ip_split split;
    ip_status status = ip_split_open(&split, corpus, &simple, pool, error);
    if (status == IP_OK) status = open_sets(&sets, x, y, &simple, error);
    if (status == IP_OK) status = fill_sets(&split, &sets, pool, error);
    close_sets(&sets);
    ip_split_close(&split);
    if (status != IP_OK) {
        for (unsigned k = 0; k < rule->orders; k++) {
            ip_partition_free(&x[k]);
            ip_partition_free(&y[k]);
        }
    }
    return status;
}

ip_status ip_ngram_bytes(uint64_t *bytes, const ip_corpus *corpus, const ip_label_rule *rule, ip_pool *pool,
                         ip_error *error) {
    ip_label_rule simple = simplest(rule);
    ip_split split;
    ip_status status = ip_split_open(&split, corpus, &simple, pool, error);
    *bytes = status == IP_OK ? ip_split_bytes(&split, ip_pool_threads(pool)) : 0;
    uint64_t positions = ip_corpus_positions(corpus, rule->orders);
    if (simple.backoff) *bytes += positions * rule->orders + positions / 8;
    ip_split_close(&split);
    return status;
}

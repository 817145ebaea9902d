/* The distinct n-grams of a corpus, as 128-bit hashes, each with a mark that others may set.
 *
 * An n-gram of symbols is XXH3-128 of its symbols (so its length is part of it), of which 127 bits are kept: among N
 * different n-grams two share a key with probability below N^2 / 2^128, for 10^9 of them 3e-21. Open addressing with
 * linear probing; entered by one thread, looked up and marked by many.
 */
#ifndef IP_CORE_GRAM_TABLE_H
#define IP_CORE_GRAM_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/hash.h"
#include "core/base/status.h"

typedef struct ip_gram {
    uint64_t low;          /* 0: the slot is free */
    _Atomic uint64_t high; /* its top bit is the mark */
} ip_gram;

typedef struct ip_gram_table {
    ip_gram *slots;
    size_t mask, count;
    uint64_t most; /* bytes that it may take */
} ip_gram_table;

ip_status ip_gram_table_open(ip_gram_table *table, uint64_t most, ip_error *error);
void ip_gram_table_close(ip_gram_table *table);

/* The key of n symbols. */
ip_key128 ip_gram_key(const uint64_t *symbols, size_t n);
/* Fetches the slot's memory ahead of its use. */
void ip_gram_prefetch(const ip_gram_table *table, ip_key128 key);
/* *fresh: it was not there before. */
ip_status ip_gram_enter(ip_gram_table *table, ip_key128 key, bool *fresh, ip_error *error);
/* NULL: it is not there. */
ip_gram *ip_gram_find(const ip_gram_table *table, ip_key128 key);

/* Sets the mark; whether it was not set before (one caller of many gets true). */
bool ip_gram_mark(ip_gram *gram);
bool ip_gram_marked(const ip_gram *gram);

#endif

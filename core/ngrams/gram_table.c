/* The table of n-grams: doubled when two thirds are full. */
#include "core/ngrams/gram_table.h"

#include <string.h>

#include "core/base/memory.h"

#define MARK ((uint64_t)1 << 63)

enum { FIRST = 1 << 16 };

ip_status ip_gram_table_open(ip_gram_table *table, uint64_t most, ip_error *error) {
    *table = (ip_gram_table){.slots = ip_big_alloc(FIRST * sizeof(ip_gram)), .mask = FIRST - 1, .most = most};
    return table->slots ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for a table of n-grams");
}

void ip_gram_table_close(ip_gram_table *table) {
    if (table->slots) ip_big_free(table->slots, (table->mask + 1) * sizeof(ip_gram));
    memset(table, 0, sizeof *table);
}

ip_key128 ip_gram_key(const uint64_t *symbols, size_t n) {
    ip_key128 key = ip_hash128_key(symbols, n * sizeof *symbols);
    key.high &= ~MARK;
    if (key.low == 0) key.low = 1;
    return key;
}

void ip_gram_prefetch(const ip_gram_table *table, ip_key128 key) {
    __builtin_prefetch(&table->slots[key.low & table->mask], 1);
}

static uint64_t high_of(const ip_gram *gram) { return atomic_load_explicit(&gram->high, memory_order_relaxed); }

/* Where a key stands or would stand. */
static ip_gram *place(const ip_gram_table *table, ip_key128 key) {
    for (size_t at = key.low & table->mask;; at = (at + 1) & table->mask) {
        ip_gram *gram = &table->slots[at];
        if (gram->low == 0 || (gram->low == key.low && (high_of(gram) & ~MARK) == key.high)) return gram;
    }
}

static ip_status grow(ip_gram_table *table, ip_error *error) {
    size_t room = (table->mask + 1) * 2, bytes = room * sizeof(ip_gram);
    if (room == 0 || bytes / sizeof(ip_gram) != room || bytes + bytes / 2 > table->most)
        return ip_fail(error, IP_FAILED,
                       "--memory is too small: %.1fM are left for a table of more than %zu different n-grams (fewer "
                       "--documents or a smaller --orders need less)",
                       (double)table->most / 0x1p20, table->count);
    ip_gram_table larger = {.slots = ip_big_alloc(bytes), .mask = room - 1, .count = table->count, .most = table->most};
    if (!larger.slots) return ip_fail(error, IP_FAILED, "out of memory for %zu n-grams", table->count);
    for (size_t i = 0; i <= table->mask; i++) {
        const ip_gram *gram = &table->slots[i];
        if (gram->low == 0) continue;
        ip_gram *to = place(&larger, (ip_key128){gram->low, high_of(gram) & ~MARK});
        to->low = gram->low;
        atomic_store_explicit(&to->high, high_of(gram), memory_order_relaxed);
    }
    ip_gram_table_close(table);
    *table = larger;
    return IP_OK;
}

ip_status ip_gram_enter(ip_gram_table *table, ip_key128 key, bool *fresh, ip_error *error) {
    ip_gram *gram = place(table, key);
    *fresh = gram->low == 0;
    if (!*fresh) return IP_OK;
    gram->low = key.low;
    atomic_store_explicit(&gram->high, key.high, memory_order_relaxed);
    table->count++;
    return table->count * 3 > (table->mask + 1) * 2 ? grow(table, error) : IP_OK;
}

ip_gram *ip_gram_find(const ip_gram_table *table, ip_key128 key) {
    ip_gram *gram = place(table, key);
    return gram->low ? gram : NULL;
}

bool ip_gram_mark(ip_gram *gram) {
    if (high_of(gram) & MARK) return false; /* most are by then: no write to a shared line */
    return !(atomic_fetch_or_explicit(&gram->high, MARK, memory_order_relaxed) & MARK);
}

bool ip_gram_marked(const ip_gram *gram) { return (high_of(gram) & MARK) != 0; }

/* Permutations by a cycle-walking Feistel network. */
#include "core/numbers/permutation.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/numbers/philox.h"

/* Four rounds of random functions are a pseudorandom permutation (Luby & Rackoff 1988); halves of a few bits, as small
 * corpora have, want more. */
enum { ROUNDS = 8 };

static unsigned half_bits(uint32_t size) {
    unsigned bits = 0;
    while (bits < 32 && (uint64_t)size > (uint64_t)1 << bits) bits++;
    return (bits + 1) / 2;
}

size_t ip_permutation_bytes(uint32_t size) { return ROUNDS * sizeof(uint16_t) << half_bits(size); }

ip_status ip_permutation_open(ip_permutation *out, uint32_t size, ip_error *error) {
    *out = (ip_permutation){.size = size, .half = half_bits(size), .round = ip_big_alloc(ip_permutation_bytes(size))};
    return out->round ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for a permutation");
}

void ip_permutation_close(ip_permutation *permutation) {
    ip_big_free(permutation->round, ip_permutation_bytes(permutation->size));
    memset(permutation, 0, sizeof *permutation);
}

void ip_permutation_key(ip_permutation *permutation, uint64_t seed, uint32_t number) {
    uint32_t values = (uint32_t)1 << permutation->half;
    for (uint32_t k = 0; k < ROUNDS; k++) {
        uint16_t *table = permutation->round + (size_t)k * values;
        for (uint32_t v = 0; v < values; v += 4) {
            uint32_t words[4];
            ip_philox((uint32_t[4]){v / 4, number, k, IP_DRAW_PERMUTATION}, seed, words);
            for (uint32_t i = 0; i < 4 && v + i < values; i++) table[v + i] = (uint16_t)(words[i] & (values - 1));
        }
    }
}

uint32_t ip_permutation_at(const ip_permutation *permutation, uint32_t index) {
    unsigned half = permutation->half;
    uint32_t mask = ((uint32_t)1 << half) - 1;
    do {
        uint32_t left = index >> half, right = index & mask;
        const uint16_t *table = permutation->round;
        for (int k = 0; k < ROUNDS; k++, table += (size_t)mask + 1) {
            uint32_t next = left ^ table[right];
            left = right;
            right = next;
        }
        index = left << half | right;
    } while (index >= permutation->size);
    return index;
}

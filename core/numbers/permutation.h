/* A permutation of 0 .. size-1 that is computed per index: a Feistel network whose round functions are draws of Philox,
 * on the smallest domain of 2h bits that holds size, walked along its cycle until it lands below size. Any part of it
 * can be computed anywhere, without the rest. */
#ifndef IP_CORE_PERMUTATION_H
#define IP_CORE_PERMUTATION_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_permutation {
    uint32_t size;
    unsigned half;   /* bits of a half */
    uint16_t *round; /* [rounds][2^half]: the round functions, tabled */
} ip_permutation;

/* size: 1 .. 2^32 - 1. */
ip_status ip_permutation_open(ip_permutation *out, uint32_t size, ip_error *error);
void ip_permutation_close(ip_permutation *permutation);
size_t ip_permutation_bytes(uint32_t size);

/* Makes it permutation number `number` of seed. */
void ip_permutation_key(ip_permutation *permutation, uint64_t seed, uint32_t number);

uint32_t ip_permutation_at(const ip_permutation *permutation, uint32_t index);

#endif

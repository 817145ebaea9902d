/* Hashes: the one door of xxHash. XXH3-64 for tables in memory, XXH3-128 for the fingerprints that reports carry. */
#ifndef IP_BASE_HASH_H
#define IP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { IP_HASH_HEX = 33 }; /* bytes of a fingerprint as text: 32 hex digits and a NUL */

/* XXH3-64 of n bytes; data may be NULL when n is 0. The same on every machine. */
uint64_t ip_hash64(const void *data, size_t n, uint64_t seed);

/* ip_hash64 of each of n numbers as 8 bytes, seed 0. Many at a time, so that they overlap in the pipeline. */
void ip_hash64_numbers(uint64_t *hashes, const uint64_t *numbers, size_t n);

/* XXH3-128 of n bytes as 32 lower-case hex digits (what `xxhsum -H2` prints). */
void ip_hash128(const void *data, size_t n, char out[IP_HASH_HEX]);

/* XXH3-128 of n bytes as two numbers, for tables whose keys must not meet. */
typedef struct ip_key128 {
    uint64_t low, high;
} ip_key128;
ip_key128 ip_hash128_key(const void *data, size_t n);

/* XXH3-128 of bytes that come in pieces. Freed by ip_hash128_free; calls with a NULL stream do nothing. */
typedef struct ip_hash128_stream ip_hash128_stream;
ip_hash128_stream *ip_hash128_new(void); /* NULL: out of memory */
void ip_hash128_update(ip_hash128_stream *stream, const void *data, size_t n);
/* A text with its NUL (NULL: the empty one), a number as 8 bytes of this machine: for keys that stay on it. */
void ip_hash128_text(ip_hash128_stream *stream, const char *text);
void ip_hash128_number(ip_hash128_stream *stream, uint64_t number);
/* Fingerprint of what came so far; more may follow. A NULL stream gives the empty string. */
void ip_hash128_hex(const ip_hash128_stream *stream, char out[IP_HASH_HEX]);
void ip_hash128_free(ip_hash128_stream *stream);

#endif

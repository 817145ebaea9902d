/* xxHash behind its door. */
#include "core/base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
/* Inlined, a hash of eight bytes is a dozen instructions without a call. */
#define XXH_INLINE_ALL
#include <xxhash.h>

/* The canonical order of the two halves: high first, as xxhsum writes it. */
static void write_hex(XXH128_hash_t hash, char out[IP_HASH_HEX]) {
    snprintf(out, IP_HASH_HEX, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64, (uint64_t)hash.low64);
}

uint64_t ip_hash64(const void *data, size_t n, uint64_t seed) {
    return XXH3_64bits_withSeed(n > 0 ? data : "", n, seed);
}

void ip_hash64_numbers(uint64_t *hashes, const uint64_t *numbers, size_t n) {
    for (size_t i = 0; i < n; i++) hashes[i] = XXH3_64bits(&numbers[i], sizeof numbers[i]);
}

void ip_hash128(const void *data, size_t n, char out[IP_HASH_HEX]) {
    write_hex(XXH3_128bits(n > 0 ? data : "", n), out);
}

ip_key128 ip_hash128_key(const void *data, size_t n) {
    XXH128_hash_t hash = XXH3_128bits(n > 0 ? data : "", n);
    return (ip_key128){hash.low64, hash.high64};
}

/* The state has to be aligned to 64 bytes, which xxHash's own constructor sees to; the stream is that state. */
ip_hash128_stream *ip_hash128_new(void) {
    XXH3_state_t *state = XXH3_createState();
    if (state) XXH3_128bits_reset(state);
    return (ip_hash128_stream *)(void *)state;
}

static XXH3_state_t *state_of(const ip_hash128_stream *stream) { return (XXH3_state_t *)(uintptr_t)stream; }

void ip_hash128_update(ip_hash128_stream *stream, const void *data, size_t n) {
    if (stream && n > 0) XXH3_128bits_update(state_of(stream), data, n);
}

void ip_hash128_text(ip_hash128_stream *stream, const char *text) {
    if (!text) text = "";
    ip_hash128_update(stream, text, strlen(text) + 1);
}

void ip_hash128_number(ip_hash128_stream *stream, uint64_t number) {
    ip_hash128_update(stream, &number, sizeof number);
}

void ip_hash128_hex(const ip_hash128_stream *stream, char out[IP_HASH_HEX]) {
    out[0] = '\0';
    if (stream) write_hex(XXH3_128bits_digest(state_of(stream)), out);
}

void ip_hash128_free(ip_hash128_stream *stream) {
    if (stream) XXH3_freeState(state_of(stream));
}

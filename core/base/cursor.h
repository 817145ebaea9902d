/* One bounded cursor for every parser of outside files: it never reads past its end, and it never aligns.
 * A read that does not fit sets failed and gives zeros; a parser may check once per record. Integers are little-endian. */
#ifndef IP_BASE_CURSOR_H
#define IP_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ip_cursor {
    const unsigned char *data; /* first byte of the file */
    size_t size;               /* bytes of the file */
    size_t at;                 /* next byte */
    bool failed;
} ip_cursor;

static inline size_t ip_cursor_left(const ip_cursor *c) { return c->size - c->at; }

/* n bytes at the cursor, or NULL (and failed) when fewer remain. */
static inline const unsigned char *ip_cursor_take(ip_cursor *c, uint64_t n) {
    if (c->failed || n > ip_cursor_left(c)) {
        c->failed = true;
        return NULL;
    }
    const unsigned char *p = c->data + c->at;
    c->at += (size_t)n;
    return p;
}

static inline uint64_t ip_cursor_uint(ip_cursor *c, unsigned bytes) {
    const unsigned char *p = ip_cursor_take(c, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; p && i < bytes; i++) value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static inline uint32_t ip_cursor_u32(ip_cursor *c) { return (uint32_t)ip_cursor_uint(c, 4); }
static inline uint64_t ip_cursor_u64(ip_cursor *c) { return ip_cursor_uint(c, 8); }

/* a * b, or false when it does not fit. */
static inline bool ip_mul_u64(uint64_t a, uint64_t b, uint64_t *out) {
    if (a != 0 && b > UINT64_MAX / a) return false;
    *out = a * b;
    return true;
}

#endif

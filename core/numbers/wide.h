/* 128-bit sums of fixed-point numbers: exact, so the order of adding and the number of threads or shards cannot show. */
#ifndef IP_CORE_WIDE_H
#define IP_CORE_WIDE_H

#include <stdint.h>

typedef struct ip_wide {
    uint64_t low, high;
} ip_wide;

static inline void ip_wide_add(ip_wide *w, ip_wide x) {
    w->low += x.low;
    w->high += x.high + (w->low < x.low);
}

/* w -= x; what is left must not be negative in the end, but may be on the way. */
static inline void ip_wide_subtract(ip_wide *w, ip_wide x) {
    w->high -= x.high + (w->low < x.low);
    w->low -= x.low;
}

/* a * b, by 32-bit halves (armv7 has no 128-bit integer). */
static inline ip_wide ip_wide_product(uint64_t a, uint64_t b) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), middle2 = a0 * b1 + (uint32_t)middle;
    return (ip_wide){middle2 << 32 | (uint32_t)low, a1 * b1 + (middle >> 32) + (middle2 >> 32)};
}

static inline void ip_wide_add_product(ip_wide *w, uint64_t a, uint64_t b) { ip_wide_add(w, ip_wide_product(a, b)); }

/* As a double: two roundings, the same everywhere. */
static inline double ip_wide_double(ip_wide w) { return (double)w.high * 0x1p64 + (double)w.low; }

#endif

/* Unicode classes as explicit ranges, so that an expression means the same with every PCRE2. */
#ifndef IP_MODELS_UNICODE_RANGES_H
#define IP_MODELS_UNICODE_RANGES_H

#include <stddef.h>
#include <stdint.h>

typedef struct ip_unicode_range {
    uint32_t first, last; /* both inside */
} ip_unicode_range;

/* Ranges are sorted, apart from each other. */
typedef struct ip_unicode_class {
    const char *name;
    const ip_unicode_range *ranges;
    size_t count;
} ip_unicode_class;

/* General categories of Unicode 16 by their name (L, M, N, P, S, Ll, Lm, Lo, Lt, Lu), "N17" for the numbers of
 * Unicode 17, "s" for white space. name has n bytes. NULL: no such class. */
const ip_unicode_class *ip_unicode_class_find(const char *name, size_t n);

#endif

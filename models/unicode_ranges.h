/* Unicode classes as explicit ranges, so that an expression means the same with every PCRE2. */
#ifndef IP_MODELS_UNICODE_RANGES_H
#define IP_MODELS_UNICODE_RANGES_H

#include <stdbool.h>
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

/* General categories of Unicode 16 (L, Lu, N, Nd ...), scripts (Han, Thai ...), "s" "d" "w" for what these letters mean
 * in an expression, and what the reference takes from tables of its own: "N17" numbers (its Digits step), "P8" what its
 * Punctuation step splits at, "Mn8" what StripAccents takes away, "W" word characters beside an added token, "NFC" characters that may change under NFC or join the one before. name has n bytes. NULL: no such class. */
const ip_unicode_class *ip_unicode_class_find(const char *name, size_t n);

bool ip_unicode_class_has(const ip_unicode_class *class, uint32_t code);

#endif

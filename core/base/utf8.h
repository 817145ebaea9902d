/* UTF-8, strictly as the Unicode standard has it (table 3-7: no surrogates, no overlongs, nothing above U+10FFFF). */
#ifndef IP_BASE_UTF8_H
#define IP_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at p (1..4), 0 if the bytes there are ill-formed or cut short. n > 0. */
size_t ip_utf8_step(const unsigned char *p, size_t n);

/* Length (1..3) of the maximal ill-formed subpart at p, to be replaced by one U+FFFD. Only where ip_utf8_step is 0. */
size_t ip_utf8_bad(const unsigned char *p, size_t n);

/* Code point of a well-formed character of step bytes. */
uint32_t ip_utf8_decode(const unsigned char *p, size_t step);

/* Writes a code point (a scalar value) as UTF-8 to out[4]; returns its length. */
size_t ip_utf8_encode(uint32_t code, unsigned char *out);

/* Offset of the first ill-formed byte, or n when all is well-formed. */
size_t ip_utf8_valid_prefix(const unsigned char *p, size_t n);

/* Replaces every maximal ill-formed subpart by U+FFFD, as Python's errors="replace".
 * Returns a malloc'ed text (NUL-terminated, *out_n bytes) or NULL when memory is out; *replaced counts the U+FFFD put in. */
char *ip_utf8_replace(const unsigned char *p, size_t n, size_t *out_n, size_t *replaced);

#endif

/* The door to PCRE2: compiled expressions over well-formed UTF-8, found one match at a time. */
#ifndef IP_MODELS_TOKENIZER_REGEX_H
#define IP_MODELS_TOKENIZER_REGEX_H

#include <stddef.h>

#include "core/base/status.h"

typedef struct ip_regex ip_regex;

/* Compiles n bytes of an expression in the reference engine's syntax (Oniguruma); read-only afterwards. Classes are
 * written out as ranges first (ip_expression_expand). One that does not compile is IP_BAD_INPUT. */
ip_status ip_regex_compile(ip_regex **out, const char *pattern, size_t n, ip_error *error);
void ip_regex_free(ip_regex *regex);

/* Per-thread working memory; NULL when memory is out. */
typedef struct ip_regex_scratch ip_regex_scratch;
ip_regex_scratch *ip_regex_scratch_new(void);
void ip_regex_scratch_free(ip_regex_scratch *scratch);

/* The first match at or after from in the text begin .. end, *start .. *stop; without one *start = *stop = end. Nothing
 * before begin and nothing at or beyond end is looked at. IP_FAILED when PCRE2 gives up. */
ip_status ip_regex_find(const ip_regex *regex, ip_regex_scratch *scratch, const char *text, size_t begin, size_t from,
                        size_t end, size_t *start, size_t *stop, ip_error *error);

/* The expression for PCRE2 in UTF mode without its property tables, malloc'ed, *out_n bytes: \p{..}, \s, \d, \w and \b
 * become ranges of the reference's Unicode version (unicode_ranges.c). */
ip_status ip_expression_expand(const char *pattern, size_t n, char **out, size_t *out_n, ip_error *error);

#endif

/* Normalisers: what is done to a text before it is split. */
#ifndef IP_MODELS_TOKENIZER_NORMAL_H
#define IP_MODELS_TOKENIZER_NORMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"
#include "models/tokenizer_regex.h"

typedef enum ip_normal_kind {
    IP_NORMAL_NFC,
    IP_NORMAL_NFD,
    IP_NORMAL_NFKC,
    IP_NORMAL_NFKD,
    IP_NORMAL_LOWERCASE,
    IP_NORMAL_STRIP_ACCENTS,
    IP_NORMAL_STRIP,   /* white space at the ends */
    IP_NORMAL_REPLACE, /* every `from`, or every match of regex, by `to` */
    IP_NORMAL_PREPEND  /* `to` in front of what is not empty */
} ip_normal_kind;

typedef struct ip_normal {
    ip_normal_kind kind;
    bool left, right; /* STRIP */
    char *from, *to;  /* malloc'ed */
    size_t from_n, to_n;
    ip_regex *regex;
} ip_normal;

void ip_normal_free(ip_normal *step);

/* A growing text, owned by its user; free(text.data) when done. */
typedef struct ip_text {
    char *data;
    size_t size, room;
} ip_text;

/* Room for n bytes in all; what was there is lost. false: out of memory. */
bool ip_text_reserve(ip_text *text, size_t n);

/* Runs the steps over a fragment of well-formed UTF-8: *out is text itself when nothing changes, else it lies in one of
 * the buffers. begins: the fragment does not go on where another one ended (PREPEND). */
ip_status ip_normalise(const ip_normal *steps, size_t count, ip_text buffers[2], ip_regex_scratch *scratch, bool begins,
                       const char *text, size_t n, const char **out, size_t *out_n, ip_error *error);

/* End of the white space (the Unicode property) that begins at `at`; begin of the one that ends there. */
size_t ip_white_end(const char *text, size_t at, size_t n);
size_t ip_white_begin(const char *text, size_t at);

#endif

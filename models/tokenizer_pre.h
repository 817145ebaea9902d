/* Pre-tokenizers: how a text is split into the pieces inside which merges happen. */
#ifndef IP_MODELS_TOKENIZER_PRE_H
#define IP_MODELS_TOKENIZER_PRE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"
#include "models/tokenizer_regex.h"

enum { IP_PRE_STAGES = 5 };

typedef enum ip_pre_flags {
    IP_PRE_IGNORE_MERGES = 1,  /* a piece that is a token is taken whole */
    IP_PRE_ADD_BOS = 2,        /* the model's own tokenizer adds bos unless the file says no */
    IP_PRE_NFC = 4,            /* text is normalised to NFC first */
    IP_PRE_USER_AFTER_NFC = 8, /* user-defined tokens are looked for after that */
} ip_pre_flags;

typedef enum ip_quick { IP_QUICK_NONE, IP_QUICK_GPT2, IP_QUICK_GPT2_DIGITS, IP_QUICK_LLAMA3, IP_QUICK_QWEN2 } ip_quick;

/* One row of models/pretokenizers.def. */
typedef struct ip_pre {
    const char *names; /* separated by spaces, the reported one first */
    ip_quick quick;
    unsigned flags;
    const char *expressions[IP_PRE_STAGES]; /* NULL after the last */
} ip_pre;

size_t ip_pre_count(void);
const ip_pre *ip_pre_at(size_t index);
const ip_pre *ip_pre_find(const char *name, size_t n); /* NULL: unknown */
/* All names, separated by spaces, as far as they fit. */
void ip_pre_list(char *out, size_t room);

/* A row made ready to split; read-only afterwards. quick false: PCRE2 even where a scanner exists (the law that the
 * scanners are tested against). */
typedef struct ip_splitter ip_splitter;
ip_status ip_splitter_new(ip_splitter **out, const ip_pre *pre, bool quick, ip_error *error);
void ip_splitter_free(ip_splitter *splitter);

/* Where the splitting of one text stands: for each stage, the end of its current piece. Zero it before each text. */
typedef struct ip_split {
    size_t bound[IP_PRE_STAGES];
} ip_split;

/* The piece that begins at `at` < end, itself a border: *stop is its end. text is well-formed UTF-8. */
ip_status ip_split_next(const ip_splitter *splitter, ip_regex_scratch *scratch, ip_split *state, const char *text,
                        size_t at, size_t end, size_t *stop, ip_error *error);

#endif

/* Pre-tokenizers: how a text is split into the pieces inside which merges happen. */
#ifndef IP_MODELS_TOKENIZER_PRE_H
#define IP_MODELS_TOKENIZER_PRE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"
#include "models/tokenizer_regex.h"
#include "models/tokenizer_scan.h"

enum { IP_PRE_STAGES = 7 };

typedef enum ip_pre_flags {
    IP_PRE_IGNORE_MERGES = 1,  /* a piece that is a token is taken whole */
    IP_PRE_ADD_BOS = 2,        /* the model's own tokenizer adds bos unless the file says no */
    IP_PRE_NFC = 4,            /* text is normalised to NFC first */
    IP_PRE_USER_AFTER_NFC = 8, /* user-defined tokens are looked for after that */
    IP_PRE_NO_CUT = 16,        /* pieces cross from a letter to the space or newline behind it */
    IP_PRE_CHARACTERS = 32,    /* not byte-level: tokens are UTF-8, a space is U+2581 */
    IP_PRE_PLAIN = 64,         /* not byte-level: tokens are UTF-8 as it stands */
} ip_pre_flags;

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

/* What becomes of the matches of an expression and of the gaps between them. */
typedef enum ip_behaviour {
    IP_ISOLATED,      /* both are pieces */
    IP_REMOVED,       /* matches are dropped */
    IP_KEPT,          /* gaps are dropped */
    IP_WITH_PREVIOUS, /* a match ends the gap before it */
    IP_WITH_NEXT,     /* a match begins the gap after it */
    IP_CONTIGUOUS     /* isolated, matches without a gap are one piece */
} ip_behaviour;

/* Stages, each of which splits the pieces of the one before; read-only once it is built. */
typedef struct ip_splitter ip_splitter;
ip_splitter *ip_splitter_new(void); /* without stages: a text is one piece. NULL: out of memory */
/* expression is copied; an error of the expression is IP_BAD_INPUT. */
ip_status ip_splitter_add(ip_splitter *splitter, const char *expression, size_t n, ip_behaviour behaviour,
                          ip_error *error);
/* Where the stages are those of a row of models/pretokenizers.def that has a scanner, takes the scanner. */
ip_status ip_splitter_quicken(ip_splitter *splitter, ip_error *error);
void ip_splitter_free(ip_splitter *splitter);

size_t ip_splitter_stages(const ip_splitter *splitter);
/* Whether the text may be cut between an ASCII letter and a space or newline: known of rows that do not say NO_CUT. */
bool ip_splitter_cuttable(const ip_splitter *splitter);

/* A row made ready. quick false: PCRE2 even where a scanner exists (the law that the scanners are tested against). */
ip_status ip_splitter_of_row(ip_splitter **out, const ip_pre *pre, bool quick, ip_error *error);

/* Where the splitting of one text stands: for each stage, its current piece and the match that follows it. Zero it
 * before each text. */
typedef struct ip_split {
    size_t first[IP_PRE_STAGES], bound[IP_PRE_STAGES]; /* of the current piece */
    size_t match[IP_PRE_STAGES];                       /* end of the match that begins at bound; 0: not known */
    bool dropped[IP_PRE_STAGES];
} ip_split;

/* The piece that begins at `at` < end, itself a border: *stop is its end; *dropped: it is none of the text's. text is
 * well-formed UTF-8. */
ip_status ip_split_next(const ip_splitter *splitter, ip_regex_scratch *scratch, ip_split *state, const char *text,
                        size_t at, size_t end, size_t *stop, bool *dropped, ip_error *error);

#endif

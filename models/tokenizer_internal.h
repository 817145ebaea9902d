/* What the files of the tokenizer share; nothing outside models/tokenizer*, bpe, spm and unigram includes it. */
#ifndef IP_MODELS_TOKENIZER_INTERNAL_H
#define IP_MODELS_TOKENIZER_INTERNAL_H

#include "models/tokenizer.h"
#include "models/tokenizer_added.h"
#include "models/tokenizer_merge.h"
#include "models/tokenizer_normal.h"
#include "models/tokenizer_pre.h"

/* tokenizer.ggml.token_type */
enum { IP_TOKEN_NORMAL = 1, IP_TOKEN_UNKNOWN, IP_TOKEN_CONTROL, IP_TOKEN_USER, IP_TOKEN_UNUSED, IP_TOKEN_BYTE };

/* Text to id, by the bytes in tokenizer->pieces. */
typedef struct ip_text_map {
    uint32_t *slots; /* id + 1; 0: empty */
    size_t mask;
} ip_text_map;

/* In what form tokens and text meet. BYTES: byte-level, tokens translated from their alphabet. SPACED: U+2581 is a
 * space in both; the text has no other spaces by then. PLAIN: as it stands. */
typedef enum ip_form { IP_FORM_BYTES, IP_FORM_SPACED, IP_FORM_PLAIN } ip_form;

/* What is done to the pieces between the two splitters. */
typedef enum ip_change {
    IP_CHANGE_NONE,
    IP_CHANGE_SPACE,    /* a space goes in front of a piece that has none there */
    IP_CHANGE_METASPACE /* spaces become U+2581, one goes in front */
} ip_change;

typedef enum ip_prefix { IP_PREFIX_NEVER, IP_PREFIX_FIRST, IP_PREFIX_ALWAYS } ip_prefix;

struct ip_tokenizer {
    char *kind;
    size_t count;
    ip_bytes *pieces; /* bytes of every id as it stands in a text */
    unsigned char *types;
    char *arena, *added_texts; /* bytes that pieces and added tokens point to */
    char **normal_texts;       /* and those of added tokens in their normal form */
    size_t normal_text_count;

    int32_t *front, *back;
    size_t fronts, backs;
    ip_added_set raw;        /* found in the text as it comes */
    ip_added_set normalised; /* found in what the first set leaves, after the normaliser */
    bool cuttable;           /* ip_tokenizer_cut may cut: where, may_cut in tokenizer.c says */

    /* normaliser */
    ip_normal *normal;
    size_t normals;
    bool spaced;       /* then spaces become U+2581, so that both are one: a space */
    bool space_prefix; /* with spaced: one goes in front of a fragment */

    /* pre-tokenizer; NULL: one piece */
    ip_splitter *before, *after;
    ip_change change;
    ip_prefix prefix; /* of METASPACE */
    bool word_split;  /* of METASPACE: every space begins a piece */
    bool alphabet;    /* `after` splits the byte-level spelling of the text, not the text */

    /* model */
    ip_form form;
    ip_text_map map;      /* of the tokens that ordinary text can become */
    int32_t byte_id[256]; /* BYTES: a byte's own token; else <0xXX>; -1: none */
    bool ignore_merges;   /* a piece that is a token is taken whole */
    bool fuse_unknown;    /* unknown characters in a row are one token */
    int32_t unknown;      /* -1: none */
    ip_merges merges;
    bool words;            /* SPACED: no merge reaches from one word into the next (but see joins_space) */
    bool joins_space[256]; /* some token has a space after this byte: a border there is no border of merges */

    bool unigram;
    double *scores;
    double unknown_score;
    size_t longest; /* bytes of the longest piece */
};

/* Pieces of up to 22 bytes that became up to 9 ids, one cache line each, the newest one wins its place.
 * words[2] ends with the length, so equal words mean equal pieces. */
typedef struct ip_cached {
    uint64_t words[3]; /* words[2] == 0: empty */
    int32_t ids[9];
    int32_t count;
} ip_cached;

enum { IP_CACHE_SLOTS = 1 << 14, IP_CACHE_BYTES = 22, IP_CACHE_IDS = 9 };

struct ip_tokenizer_scratch {
    ip_cached *cache;
    ip_merge_work merge;
    ip_regex_scratch *regex;
    ip_text normal[2], spaced, changed, spelled; /* a text in its later forms */
    struct ip_step *steps;                       /* unigram: the best way to every place */
    size_t step_room;
};

/* The id whose piece is these bytes, -1: none. */
int32_t ip_text_map_find(const ip_tokenizer *tokenizer, const char *text, size_t n);
/* Enters id under its piece; a later id takes the place of an earlier one, whose number is returned (else -1). */
int32_t ip_text_map_enter(ip_tokenizer *tokenizer, int32_t id);

/* Room for count tokens whose texts have `bytes` bytes in all, pieces and copies of added tokens' texts each. */
bool ip_tokenizer_room(ip_tokenizer *tokenizer, size_t count, size_t bytes);
/* Whether the finished tokenizer may be cut at all; fills cuttable. */
void ip_tokenizer_settle(ip_tokenizer *tokenizer);
/* The text in the tokenizer's own memory. */
ip_bytes ip_keep_text(char **free_bytes, ip_bytes text);

/* ---- forms ---- */

/* Whether ordinary text can become this token, by its type. */
static inline bool ip_takes_part(const ip_tokenizer *tokenizer, size_t id) {
    unsigned char type = tokenizer->types[id];
    return type == IP_TOKEN_NORMAL || type == IP_TOKEN_USER || type == IP_TOKEN_UNUSED;
}

/* Copies text with every U+2581 as a space; returns the bytes written, n at most. */
size_t ip_spaced(char *out, const char *text, size_t n);
/* Bytes that a text of the byte-level alphabet stands for, to out (n at most); -1: another character is in it. */
ptrdiff_t ip_alphabet_bytes(const char *text, size_t n, char *out);
/* The other way round: 2 n bytes at most. */
size_t ip_alphabet_text(const char *bytes, size_t n, char *out);
/* Value of the byte token <0xXX>, or -1. */
int ip_byte_token(ip_bytes text);

/* ---- models ---- */

/* Puts a token into pieces and map, in the tokenizer's form, and moves *free_bytes. ordinary false: it is not for
 * ordinary text. Returns the id that had the same text before, else -1. */
int32_t ip_bpe_token(ip_tokenizer *tokenizer, int32_t id, ip_bytes text, bool ordinary, char **free_bytes);

/* One merge of two texts; what is NULL, or names the part that is no token. last_wins: of two ranks of a pair.
 * work: left.size + right.size bytes. false: out of memory. */
bool ip_bpe_merge(ip_tokenizer *tokenizer, ip_bytes left, ip_bytes right, uint32_t rank, bool last_wins, char *work,
                  const char **what);
/* After all merges: where words meet. */
void ip_bpe_find_joins(ip_tokenizer *tokenizer);

/* Ids of one piece, inside which merges happen. limit: readable bytes from piece on (at least n). */
ip_status ip_piece_encode(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                          size_t limit, ip_ids *ids, ip_error *error);
/* The same without the cache. */
ip_status ip_bpe_encode(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                        ip_ids *ids, ip_error *error);
ip_status ip_unigram_encode(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                            ip_ids *ids, ip_error *error);

/* Ids of a text without added tokens, in its normal form: splitting, then the model. origin: the text begins here. */
ip_status ip_pieces_encode(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                           bool origin, ip_ids *ids, ip_error *error);

/* ---- GGUF ---- */

typedef struct ip_vocabulary_source {
    const ip_gguf *file;
    const ip_gguf_value *tokens, *types; /* types may be NULL */
    const char *pre;                     /* the kind's own pre-tokenizer; NULL: tokenizer.ggml.pre says */
    ip_warn warn;
    void *warn_context;
} ip_vocabulary_source;

void ip_tokenizer_warn(const ip_vocabulary_source *source, const char *format, ...) IP_PRINTF(2, 3);

/* Kinds: fill pieces, map, merges and what is theirs alone. *flags: IP_PRE_... of the pre-tokenizer. */
ip_status ip_bpe_build(ip_tokenizer *tokenizer, const ip_vocabulary_source *source, unsigned *flags, ip_error *error);
ip_status ip_spm_build(ip_tokenizer *tokenizer, const ip_vocabulary_source *source, ip_error *error);

/* Room for n more ids; false: out of memory. */
bool ip_ids_reserve(ip_ids *ids, size_t n);

#endif

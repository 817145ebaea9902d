/* What the files of the tokenizer share; nothing outside models/tokenizer*, bpe and spm includes it. */
#ifndef IP_MODELS_TOKENIZER_INTERNAL_H
#define IP_MODELS_TOKENIZER_INTERNAL_H

#include "models/tokenizer.h"
#include "models/tokenizer_added.h"
#include "models/tokenizer_merge.h"
#include "models/tokenizer_pre.h"

/* tokenizer.ggml.token_type */
enum { IP_TOKEN_NORMAL = 1, IP_TOKEN_UNKNOWN, IP_TOKEN_CONTROL, IP_TOKEN_USER, IP_TOKEN_UNUSED, IP_TOKEN_BYTE };

/* Text to id, by the bytes in tokenizer->pieces. */
typedef struct ip_text_map {
    uint32_t *slots; /* id + 1; 0: empty */
    size_t mask;
} ip_text_map;

struct ip_tokenizer {
    char *kind;
    bool spm; /* "llama": SentencePiece merges by score; else byte-level BPE */
    size_t count;
    ip_bytes *pieces; /* bytes of every id as it stands in a text; spm: ▁ is a space */
    unsigned char *types;
    char *arena, *added_texts; /* bytes that pieces and added tokens point to */

    int32_t front[1], back[1];
    size_t fronts, backs;
    ip_added_set raw;        /* found in the text as it comes */
    ip_added_set normalised; /* found in what the first set leaves, after the normaliser */
    bool cuttable;           /* no added token spans a place where ip_tokenizer_cut may cut */

    ip_merges merges;
    ip_text_map map;      /* of the tokens that ordinary text can become */
    int32_t byte_id[256]; /* BPE: a byte's own token; spm: <0xXX>; -1: none */

    /* BPE */
    const ip_pre *pre;
    ip_splitter *splitter;

    /* spm */
    bool space_prefix;
    int32_t unknown;       /* -1: none */
    bool joins_space[256]; /* some token has a space after this byte: a border there is no border of merges */
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
    char *text; /* a fragment in its normal form */
    size_t text_room;
};

/* The id whose piece is these bytes, -1: none. */
int32_t ip_text_map_find(const ip_tokenizer *tokenizer, const char *text, size_t n);
/* Enters id under its piece; a later id takes the place of an earlier one, whose number is returned (else -1). */
int32_t ip_text_map_enter(ip_tokenizer *tokenizer, int32_t id);

/* What the builders need of the file. */
typedef struct ip_vocabulary_source {
    const ip_gguf *file;
    const ip_gguf_value *tokens, *types; /* types may be NULL */
    ip_warn warn;
    void *warn_context;
} ip_vocabulary_source;

void ip_tokenizer_warn(const ip_vocabulary_source *source, const char *format, ...) IP_PRINTF(2, 3);

/* Kinds: fill pieces, map, merges, byte_id and what is theirs alone. */
ip_status ip_bpe_build(ip_tokenizer *tokenizer, const ip_vocabulary_source *source, ip_error *error);
ip_status ip_spm_build(ip_tokenizer *tokenizer, const ip_vocabulary_source *source, ip_error *error);

/* Ids of a fragment between special tokens. first: it follows a special token or begins the text. */
ip_status ip_bpe_fragment(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                          ip_ids *ids, ip_error *error);
ip_status ip_spm_fragment(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                          bool first, ip_ids *ids, ip_error *error);

/* Ids of one piece, inside which merges happen. limit: readable bytes from piece on (at least n). */
ip_status ip_piece_encode(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                          size_t limit, ip_ids *ids, ip_error *error);

/* Room for n more ids; false: out of memory. */
bool ip_ids_reserve(ip_ids *ids, size_t n);
/* Room for n bytes in scratch->text; false: out of memory. What was there is lost. */
bool ip_scratch_text(ip_tokenizer_scratch *scratch, size_t n);

/* Whether text is in NFC for certain without looking at its characters' properties. */
bool ip_nfc_is_plain(const char *text, size_t n);
/* The NFC form in a malloc'ed buffer, *out_n bytes. */
ip_status ip_nfc(const char *text, size_t n, char **out, size_t *out_n, ip_error *error);

#endif

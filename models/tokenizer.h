/* Text to token ids, exactly as the model's own tokenizer does it. */
#ifndef IP_MODELS_TOKENIZER_H
#define IP_MODELS_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "models/gguf.h"

typedef struct ip_tokenizer ip_tokenizer;

/* A growing list of ids, owned by the caller; free(ids.data) when done. */
typedef struct ip_ids {
    int32_t *data;
    size_t count, room;
} ip_ids;

/* Builds the tokenizer that a GGUF's tokenizer.ggml.* keys describe; the file may be closed afterwards. Read-only from
 * then on: shared by threads, each with a scratch of its own. */
ip_status ip_tokenizer_from_gguf(ip_tokenizer **out, const ip_gguf *file, ip_warn warn, void *context, ip_error *error);

/* What tokenizer.ggml.model may be: the names that can be built, NULL behind the last. */
const char *ip_tokenizer_kind_at(size_t index);

/* The file that a tokenizer.json, or the folder that holds one, stands for; malloc'ed, NULL without memory. */
char *ip_tokenizer_json_file(const char *path);
/* Builds the tokenizer of a Hugging Face tokenizer.json: the file itself, or the folder that holds it. rows: ids must be
 * below it, the rows of the model's embedding (0: not known). What the file has and this version does not know is
 * refused by its name. */
ip_status ip_tokenizer_open_json(ip_tokenizer **out, const char *path, size_t rows, ip_warn warn, void *context,
                                 ip_error *error);
/* The same from memory, which may be gone afterwards; path is for messages. */
ip_status ip_tokenizer_open_json_memory(ip_tokenizer **out, const char *path, const void *data, size_t size,
                                        size_t rows, ip_warn warn, void *context, ip_error *error);
void ip_tokenizer_free(ip_tokenizer *tokenizer);

size_t ip_tokenizer_vocabulary(const ip_tokenizer *tokenizer);
const char *ip_tokenizer_kind(const ip_tokenizer *tokenizer); /* "gpt2 (smollm)", "tokenizer.json: BPE, plain" */

/* Per-thread working memory. */
typedef struct ip_tokenizer_scratch ip_tokenizer_scratch;
ip_tokenizer_scratch *ip_tokenizer_scratch_new(const ip_tokenizer *tokenizer);
void ip_tokenizer_scratch_free(ip_tokenizer_scratch *scratch);

/* Appends the ids of text (n bytes, well-formed UTF-8, may hold NUL) to ids. add_special: what the post-processor adds
 * (BOS and its kin); parse_special: special-token strings in the text become their ids, else plain text (user-defined
 * tokens are always recognised). */
ip_status ip_tokenize(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                      bool add_special, bool parse_special, ip_ids *ids, ip_error *error);

/* Ids of a text or of a part of it, without front and back. first: the text begins here; false: this goes on where
 * another part ended, at a place that ip_tokenizer_cut gave. */
ip_status ip_tokenize_on(const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                         bool first, bool parse_special, ip_ids *ids, ip_error *error);

/* The last place in text, from <= place < n, where it may be cut: whatever comes before text and after its n bytes, the
 * ids of the parts (ip_tokenize_on) put together are those of the whole. 0: none is known. */
size_t ip_tokenizer_cut(const ip_tokenizer *tokenizer, const char *text, size_t from, size_t n);

/* What add_special puts in front of and behind a text: counts and ids. */
void ip_tokenizer_added(const ip_tokenizer *tokenizer, const int32_t **front, size_t *fronts, const int32_t **back,
                        size_t *backs);

/* The bytes that an id stands for in the middle of a text. Valid as long as the tokenizer. */
ip_bytes ip_tokenizer_piece(const ip_tokenizer *tokenizer, int32_t id);

#endif

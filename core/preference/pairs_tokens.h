/* Pairs as token sequences: two per pair, prompt + chosen, then prompt + rejected, and where the reply begins in each. */
#ifndef IP_CORE_PAIRS_TOKENS_H
#define IP_CORE_PAIRS_TOKENS_H

#include "core/base/pool.h"
#include "core/input/corpus.h"
#include "core/preference/chat.h"
#include "core/preference/pairs.h"

typedef struct ip_pair_options {
    size_t max_tokens; /* of a sequence, special tokens included; 0: not cut */
    bool add_special, parse_special;
    const ip_chat *chat; /* NULL: no template; else special tokens are the template's matter */
} ip_pair_options;

/* Positions of a sequence's reply: first .. stop-1. first == stop: none is left. */
typedef struct ip_reply {
    uint32_t first, stop;
} ip_reply;

/* Sequence 2 i is pair i with its chosen reply, 2 i + 1 with its rejected one, each a document of *corpus (whose files
 * are set by the caller). *replies has one element per sequence, malloc'ed. progress is called from worker threads with
 * the pairs done. Pairs are turned into messages when there is a template. */
typedef ip_status (*ip_pairs_progress)(void *context, uint64_t pairs, ip_error *error);
ip_status ip_pairs_tokenize(ip_corpus *corpus, ip_reply **replies, ip_pairs *pairs, const char *path,
                            const ip_pair_options *options, const ip_tokenizer *tokenizer, ip_pool *pool,
                            ip_pairs_progress progress, void *progress_context, ip_error *error);

/* Index of the first of count ids whose last byte lies beyond byte `border` of the text they were made from; count when
 * none does. The ids are laid along the text piece by piece (a space put in front, white space that a special token has
 * swallowed and U+2581 for a space are seen through). Where the tokenizer has changed the text, so that pieces no longer
 * spell it, it is the first id that differs from those of the text up to border. IP_FAILED: out of memory. */
ip_status ip_reply_begin(size_t *first, const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text,
                         size_t n, size_t border, bool parse_special, const int32_t *ids, size_t count,
                         ip_error *error);

#endif

/* The tokens of one text under one tokenizer, kept for the next analysis of a series. */
#ifndef IP_CORE_KEPT_TOKENS_H
#define IP_CORE_KEPT_TOKENS_H

#include "core/infoplane.h"
#include "core/input/session.h"

/* What makes the tokens of an analysis: the texts and how they are cut, and the tokenizer, by its own bytes (text: one is needed); the empty
 * string when that cannot be told (arrays in memory, standard input). */
ip_status ip_tokens_key(char key[33], const ip_session *session, const char *const *corpora, size_t count, bool text,
                        ip_error *error);
/* The corpus that is kept under the key, or NULL; it stays the object's. */
const ip_corpus *ip_tokens_find(const ip_tokens *tokens, const char *key);
/* Takes the corpus over, in place of what was kept. */
void ip_tokens_keep(ip_tokens *tokens, const char *key, const ip_corpus *corpus);

#endif

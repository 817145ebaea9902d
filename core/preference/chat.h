/* Chat templates, rendered natively.
 *
 * A template is a Jinja program. No Jinja runs here: a template is recognised by what it says, in a form where spacing,
 * quotes and spelling do not count (chat.c), as one of the families of chat_families.def, and the family's turns are
 * written out. A template in which a family's turns do not stand word for word, or which does more than they say
 * (reasoning, dates of its own), is refused.
 */
#ifndef IP_CORE_CHAT_H
#define IP_CORE_CHAT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/preference/pairs.h"
#include "models/checkpoint.h"
#include "models/tokenizer.h"

typedef struct ip_chat ip_chat;

/* The template of a model: a GGUF's tokenizer.chat_template, a folder's chat_template.jinja or the chat_template of its
 * tokenizer_config.json ("default" where there are several). IP_BAD_INPUT: there is none, or it is not understood. */
ip_status ip_chat_open(ip_chat **out, const ip_checkpoint *file, const ip_tokenizer *tokenizer, ip_error *error);
/* The same from a template of n bytes; bos and eos may be NULL. path is for messages. */
ip_status ip_chat_recognise(ip_chat **out, const char *path, const char *text, size_t n, const char *bos,
                            const char *eos, ip_error *error);
void ip_chat_free(ip_chat *chat);
const char *ip_chat_name(const ip_chat *chat); /* of the family */

/* A pair of messages (ip_pair_to_messages) as the model would see the dialogue: the prompt's turns up to where the reply
 * begins (*border), and the reply as a finished turn. malloc'ed text of *n bytes. */
ip_status ip_chat_render_pair(const ip_chat *chat, const ip_pair *pair, bool chosen, char **text, size_t *n,
                              size_t *border, const char *path, ip_error *error);

/* Names of the families that are understood. */
size_t ip_chat_family_count(void);
const char *ip_chat_family_at(size_t index);

#endif

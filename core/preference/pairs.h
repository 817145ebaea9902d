/* Preference pairs: a prompt and two replies, one chosen, one rejected.
 *
 * A file is JSON lines or one JSON list of objects (told by its first character), also .gz and .zst, "-" for standard
 * input. A record is an object with `chosen` and `rejected`, and one of
 *   texts      prompt, chosen, rejected are strings; prompt + reply is the text
 *   dialogues  chosen and rejected are strings and there is no prompt: whole dialogues that begin alike; the prompt is
 *              their common beginning up to and including its last "\n\nAssistant:"
 *   messages   prompt (or conversations) is a list of messages, chosen and rejected are lists of messages, one message,
 *              or a string; without a prompt both are whole dialogues whose common leading messages are the prompt
 * A message is {"role", "content"} or {"from", "value"}; human is user, gpt is assistant.
 */
#ifndef IP_CORE_PAIRS_H
#define IP_CORE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_message {
    char *role, *text;
} ip_message;

typedef struct ip_dialogue {
    ip_message *messages;
    size_t count;
} ip_dialogue;

/* Texts, or messages. An empty reply is an empty text, or no message at all. */
typedef struct ip_pair {
    uint64_t record; /* line or element, from 1 */
    bool is_texts;
    char *prompt, *chosen, *rejected;
    ip_dialogue prompt_messages, chosen_messages, rejected_messages;
} ip_pair;

typedef struct ip_pairs {
    ip_pair *items;
    size_t count, room;
    char fingerprint[33]; /* XXH3-128 of the file's bytes as they stand on disk */
} ip_pairs;

/* Reads at most `most` pairs (0: all). IP_BAD_INPUT names file and record. Free whatever was returned. */
ip_status ip_pairs_read(ip_pairs *out, const char *path, uint64_t most, ip_error *error);
void ip_pairs_free(ip_pairs *pairs);

/* One record, n bytes of JSON; where is "line 7" or "record 7". */
ip_status ip_pair_parse(ip_pair *out, const char *path, const char *where, const char *text, size_t n, ip_error *error);
void ip_pair_free(ip_pair *pair);

/* Turns a pair of texts into messages: dialogues at their "\n\nHuman:" and "\n\nAssistant:", anything else into a user
 * message and an assistant's reply. A pair of messages is left as it is. false: out of memory. */
bool ip_pair_to_messages(ip_pair *pair);

/* Messages as plain text, without any template: "\n\nHuman: " text, "\n\nAssistant: " text, "\n\nSystem: " text (another
 * role by its own name), and for a reply "\n\nAssistant:" behind the prompt. malloc'ed; NULL: out of memory.
 * *border is the length of the prompt in it. */
char *ip_pair_plain_text(const ip_pair *pair, bool chosen, size_t *n, size_t *border);

#endif

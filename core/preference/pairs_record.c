/* One record of a file of pairs: which form it has, and its parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/preference/pairs.h"
#include "models/json.h"

#define HUMAN     "\n\nHuman:"
#define ASSISTANT "\n\nAssistant:"

/* Where a record stands, for messages. */
typedef struct place {
    const char *path, *where;
} place;

static ip_status no_memory(place at, ip_error *error) {
    return ip_fail(error, IP_FAILED, "%s: out of memory", at.path);
}

static void dialogue_free(ip_dialogue *d) {
    for (size_t i = 0; i < d->count; i++) {
        free(d->messages[i].role);
        free(d->messages[i].text);
    }
    free(d->messages);
    *d = (ip_dialogue){0};
}

void ip_pair_free(ip_pair *pair) {
    free(pair->prompt);
    free(pair->chosen);
    free(pair->rejected);
    dialogue_free(&pair->prompt_messages);
    dialogue_free(&pair->chosen_messages);
    dialogue_free(&pair->rejected_messages);
    memset(pair, 0, sizeof *pair);
}

/* A message of n bytes at the end; false: out of memory. */
static bool append(ip_dialogue *d, const char *role, const char *text, size_t n) {
    ip_message *messages = realloc(d->messages, (d->count + 1) * sizeof *messages);
    if (!messages) return false;
    d->messages = messages;
    ip_message *m = &messages[d->count];
    m->role = strdup(role);
    m->text = strndup(text, n);
    if (!m->role || !m->text) {
        free(m->role);
        free(m->text);
        return false;
    }
    d->count++;
    return true;
}

/* The names that datasets give to the three roles. */
static const char *role_of(const char *name) {
    static const char *const names[][2] = {{"human", "user"}, {"gpt", "assistant"}, {"chatgpt", "assistant"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0) return names[i][1];
    return name;
}

static ip_status read_message(ip_dialogue *d, place at, const char *field, const ip_node *node, ip_error *error) {
    const char *role, *text;
    if (!ip_node_is_object(node))
        return ip_fail(error, IP_BAD_INPUT, "%s: %s: '%s': message %zu is not an object", at.path, at.where, field,
                       d->count + 1);
    const char *names[2] = {"role", "content"};
    if (!ip_node_has(node, "role") && ip_node_has(node, "from")) {
        names[0] = "from";
        names[1] = "value";
    }
    if (!ip_node_text(ip_node_get(node, names[0]), &role))
        return ip_fail(error, IP_BAD_INPUT, "%s: %s: '%s': message %zu has no text '%s'", at.path, at.where, field,
                       d->count + 1, names[0]);
    if (!ip_node_text(ip_node_get(node, names[1]), &text))
        return ip_fail(error, IP_BAD_INPUT, "%s: %s: '%s': message %zu has no text '%s'", at.path, at.where, field,
                       d->count + 1, names[1]);
    return append(d, role_of(role), text, strlen(text)) ? IP_OK : no_memory(at, error);
}

/* A list of messages, one message, or a text that is the message of `role`. */
static ip_status read_dialogue(ip_dialogue *d, place at, const char *field, const ip_node *node, const char *role,
                               ip_error *error) {
    const char *text;
    if (ip_node_text(node, &text)) return append(d, role, text, strlen(text)) ? IP_OK : no_memory(at, error);
    if (ip_node_is_object(node)) return read_message(d, at, field, node, error);
    if (!ip_node_is_array(node))
        return ip_fail(error, IP_BAD_INPUT, "%s: %s: '%s' is neither a text nor a list of messages", at.path, at.where,
                       field);
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < ip_node_count(node); i++)
        status = read_message(d, at, field, ip_node_at(node, i), error);
    return status;
}

static size_t common_prefix(const char *a, const char *b) {
    size_t n = 0;
    while (a[n] && a[n] == b[n]) n++;
    return n;
}

/* Length of the prompt of two dialogues: to the end of the last "\n\nAssistant:" that they share, 0: there is none. */
static size_t dialogue_prompt(const char *a, const char *b) {
    const size_t size = sizeof ASSISTANT - 1;
    for (size_t end = common_prefix(a, b); end >= size; end--)
        if (memcmp(a + end - size, ASSISTANT, size) == 0) return end;
    return 0;
}

static ip_status texts(ip_pair *out, place at, const char *prompt, const char *chosen, const char *rejected,
                       ip_error *error) {
    size_t shared = 0;
    if (!prompt) {
        shared = dialogue_prompt(chosen, rejected);
        if (shared == 0)
            return ip_fail(error, IP_BAD_INPUT,
                           "%s: %s: has no 'prompt', and 'chosen' and 'rejected' do not begin with the same dialogue "
                           "up to an \"\\n\\nAssistant:\"",
                           at.path, at.where);
    }
    out->is_texts = true;
    out->prompt = prompt ? strdup(prompt) : strndup(chosen, shared);
    out->chosen = strdup(chosen + shared);
    out->rejected = strdup(rejected + shared);
    return out->prompt && out->chosen && out->rejected ? IP_OK : no_memory(at, error);
}

static bool same_message(const ip_message *a, const ip_message *b) {
    return strcmp(a->role, b->role) == 0 && strcmp(a->text, b->text) == 0;
}

/* The common leading messages of both replies become the prompt; of two equal dialogues each keeps its last message. */
static bool take_common(ip_pair *out) {
    ip_dialogue *a = &out->chosen_messages, *b = &out->rejected_messages;
    size_t most = (a->count < b->count ? a->count : b->count), n = 0;
    while (n + 1 < most && same_message(&a->messages[n], &b->messages[n])) n++;
    if (n == 0) return true;
    for (size_t i = 0; i < n; i++)
        if (!append(&out->prompt_messages, a->messages[i].role, a->messages[i].text, strlen(a->messages[i].text)))
            return false;
    for (int side = 0; side < 2; side++) {
        ip_dialogue *d = side ? b : a;
        for (size_t i = 0; i < n; i++) {
            free(d->messages[i].role);
            free(d->messages[i].text);
        }
        d->count -= n;
        memmove(d->messages, d->messages + n, d->count * sizeof *d->messages);
    }
    return true;
}

static ip_status messages(ip_pair *out, place at, const ip_node *root, const char *prompt_field, ip_error *error) {
    const ip_node *prompt = prompt_field ? ip_node_get(root, prompt_field) : NULL;
    ip_status status =
        read_dialogue(&out->chosen_messages, at, "chosen", ip_node_get(root, "chosen"), "assistant", error);
    if (status == IP_OK)
        status =
            read_dialogue(&out->rejected_messages, at, "rejected", ip_node_get(root, "rejected"), "assistant", error);
    if (status != IP_OK) return status;
    /* A prompt as a text beside whole dialogues says again what stands in them. */
    const char *text;
    if (!prompt || ip_node_text(prompt, &text)) {
        if (!take_common(out)) return no_memory(at, error);
        if (!prompt && out->prompt_messages.count == 0)
            return ip_fail(error, IP_BAD_INPUT,
                           "%s: %s: has no 'prompt', and 'chosen' and 'rejected' do not begin with the same messages",
                           at.path, at.where);
        if (out->prompt_messages.count > 0) return IP_OK;
    }
    return read_dialogue(&out->prompt_messages, at, prompt_field, prompt, "user", error);
}

ip_status ip_pair_parse(ip_pair *out, const char *path, const char *where, const char *text, size_t n,
                        ip_error *error) {
    memset(out, 0, sizeof *out);
    place at = {path, where};
    ip_node *root = ip_node_parse(path, where, text, n, true, error);
    if (!root) return error->status;
    const char *prompt = NULL, *chosen, *rejected, *missing = NULL;
    const char *prompt_field = ip_node_get(root, "prompt")          ? "prompt"
                               : ip_node_get(root, "conversations") ? "conversations"
                                                                    : NULL;
    if (!ip_node_get(root, "rejected")) missing = "rejected";
    if (!ip_node_get(root, "chosen")) missing = "chosen";
    ip_status status = IP_OK;
    if (missing) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: %s: has no field '%s'", path, where, missing);
    } else {
        bool plain = ip_node_text(ip_node_get(root, "chosen"), &chosen) &&
                     ip_node_text(ip_node_get(root, "rejected"), &rejected);
        bool plain_prompt = !prompt_field || ip_node_text(ip_node_get(root, prompt_field), &prompt);
        if (plain && plain_prompt)
            status = texts(out, at, prompt, chosen, rejected, error);
        else
            status = messages(out, at, root, prompt_field, error);
    }
    ip_node_free(root);
    if (status != IP_OK) ip_pair_free(out);
    return status;
}

/* ---- dialogues as text ---- */

static bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Without the white space around it. */
static bool append_trimmed(ip_dialogue *d, const char *role, const char *text, size_t n) {
    while (n > 0 && is_white(*text)) {
        text++;
        n--;
    }
    while (n > 0 && is_white(text[n - 1])) n--;
    return append(d, role, text, n);
}

/* Cuts at "\n\nHuman:" and "\n\nAssistant:"; what stands before the first of them is of `role`. */
static bool cut_dialogue(ip_dialogue *d, const char *text, const char *role) {
    while (*text) {
        const char *human = strstr(text, HUMAN), *assistant = strstr(text, ASSISTANT);
        const char *next = !human || (assistant && assistant < human) ? assistant : human;
        size_t n = next ? (size_t)(next - text) : strlen(text);
        if (n > 0 && !append_trimmed(d, role, text, n)) return false;
        if (!next) break;
        role = next == human ? "user" : "assistant";
        text = next + (next == human ? sizeof HUMAN : sizeof ASSISTANT) - 1;
    }
    return true;
}

bool ip_pair_to_messages(ip_pair *pair) {
    if (!pair->is_texts) return true;
    size_t n = strlen(pair->prompt), size = sizeof ASSISTANT - 1;
    bool dialogue = n >= size && memcmp(pair->prompt + n - size, ASSISTANT, size) == 0, done;
    if (dialogue) {
        pair->prompt[n - size] = '\0';
        done = cut_dialogue(&pair->prompt_messages, pair->prompt, "user") &&
               cut_dialogue(&pair->chosen_messages, pair->chosen, "assistant") &&
               cut_dialogue(&pair->rejected_messages, pair->rejected, "assistant");
        pair->prompt[n - size] = ASSISTANT[0];
    } else {
        done = append(&pair->prompt_messages, "user", pair->prompt, n) &&
               append(&pair->chosen_messages, "assistant", pair->chosen, strlen(pair->chosen)) &&
               append(&pair->rejected_messages, "assistant", pair->rejected, strlen(pair->rejected));
    }
    pair->is_texts = !done;
    return done;
}

static const char *speaker(const char *role) {
    return strcmp(role, "user") == 0        ? "Human"
           : strcmp(role, "assistant") == 0 ? "Assistant"
           : strcmp(role, "system") == 0    ? "System"
                                            : role;
}

static void put_dialogue(FILE *out, const ip_dialogue *d, size_t from) {
    for (size_t i = from; i < d->count; i++)
        fprintf(out, "\n\n%s: %s", speaker(d->messages[i].role), d->messages[i].text);
}

char *ip_pair_plain_text(const ip_pair *pair, bool chosen, size_t *n, size_t *border) {
    char *text = NULL;
    FILE *out = open_memstream(&text, n);
    if (!out) return NULL;
    if (pair->is_texts) {
        *border = strlen(pair->prompt);
        fprintf(out, "%s%s", pair->prompt, chosen ? pair->chosen : pair->rejected);
    } else {
        const ip_dialogue *reply = chosen ? &pair->chosen_messages : &pair->rejected_messages;
        bool answers = reply->count == 0 || strcmp(reply->messages[0].role, "assistant") == 0;
        put_dialogue(out, &pair->prompt_messages, 0);
        if (answers) fputs(ASSISTANT, out);
        *border = (size_t)ftell(out);
        if (answers && reply->count > 0) fprintf(out, " %s", reply->messages[0].text);
        put_dialogue(out, reply, answers ? 1 : 0);
    }
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

/* Recognising chat templates.
 *
 * The plain form of a template: comments gone, no white space and no "-" of white-space control outside of strings,
 * strings in single quotes with their escapes undone, neighbouring strings joined ('a' + 'b' is 'ab'), message.role
 * written message['role'], message.content likewise. In it a family's turns can be looked for word for word. */
#include "core/preference/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/preference/chat_internal.h"

#define UNWRAP(...) __VA_ARGS__
static const ip_chat_family families[] = {
#define CHAT_FAMILY(name, must, user, assistant, opening, system, flags)                                               \
    {name, UNWRAP must, UNWRAP user, UNWRAP assistant, opening, UNWRAP system, flags},
#include "core/preference/chat_families.def"
#undef CHAT_FAMILY
};
enum { FAMILIES = sizeof families / sizeof *families };

size_t ip_chat_family_count(void) { return FAMILIES; }
const char *ip_chat_family_at(size_t index) { return families[index].name; }
const char *ip_chat_name(const ip_chat *chat) { return chat->family->name; }

/* ---- the plain form ---- */

typedef struct plain {
    char *out;
    size_t size, closed; /* closed: place behind the last string's quote */
} plain;

static void put(plain *p, const char *text, size_t n) {
    memcpy(p->out + p->size, text, n);
    p->size += n;
}

static bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* A string that begins at text[0], its quote; returns the bytes it takes. */
static size_t put_string(plain *p, const char *text, size_t n) {
    /* 'a'+'b' is one string: the quote and the plus go. */
    if (p->closed > 0 && p->size == p->closed + 1 && p->out[p->size - 1] == '+')
        p->size -= 2;
    else
        put(p, "'", 1);
    size_t i = 1;
    for (; i < n && text[i] != text[0]; i++) {
        char c = text[i];
        if (c == '\\' && i + 1 < n) {
            c = text[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        put(p, &c, 1);
    }
    put(p, "'", 1);
    p->closed = p->size;
    return i < n ? i + 1 : n;
}

/* message.role and message.content; returns the bytes taken, 0: neither. */
static size_t put_member(plain *p, const char *text, size_t n) {
    static const char *const members[][2] = {{"message.role", "message['role']"},
                                             {"message.content", "message['content']"}};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(members[i][0]);
        if (n < size || memcmp(text, members[i][0], size) != 0) continue;
        char after = n > size ? text[size] : ' ';
        if (after == '_' || after == '.' || (after >= 'a' && after <= 'z')) continue;
        put(p, members[i][1], strlen(members[i][1]));
        return size;
    }
    return 0;
}

/* NUL-terminated, malloc'ed; NULL: out of memory. A member grows by three bytes in twelve, nothing else grows. */
static char *plain_form(const char *text, size_t n) {
    plain p = {.out = malloc(2 * n + 16)};
    if (!p.out) return NULL;
    bool block = false;
    for (size_t i = 0; i < n;) {
        size_t left = n - i, member;
        char c = text[i], next = left > 1 ? text[i + 1] : '\0', third = left > 2 ? text[i + 2] : '\0';
        if (!block && c == '{' && next == '#') {
            const char *end = memmem(text + i, left, "#}", 2);
            i = end ? (size_t)(end - text) + 2 : n;
        } else if (!block && c == '{' && (next == '{' || next == '%')) {
            block = true;
            put(&p, text + i, 2);
            i += third == '-' || third == '+' ? 3 : 2;
        } else if (block && c == '-' && (next == '}' || next == '%') && third == '}') {
            i++;
        } else if (block && (c == '}' || c == '%') && next == '}') {
            block = false;
            put(&p, text + i, 2);
            i += 2;
        } else if (block && (c == '\'' || c == '"')) {
            i += put_string(&p, text + i, left);
        } else if (block && c == 'm' && (member = put_member(&p, text + i, left)) > 0) {
            i += member;
        } else {
            if (!is_white(c)) put(&p, &c, 1);
            i++;
        }
    }
    p.out[p.size] = '\0';
    return p.out;
}

/* ---- which family ---- */

/* What no family has: a template with it does more than its turns say. */
static const char *const strange[] = {"<think>", "reasoning_content", "enable_thinking", "eliftrue==true"};

static bool has_all(const char *form, const ip_chat_family *family) {
    for (size_t i = 0; i < 3 && family->must[i]; i++)
        if (!strstr(form, family->must[i])) return false;
    return true;
}

/* A default system message that is not one of the family's turns. */
static bool sets_system(const char *form) {
    if (strstr(form, "eliffalse==true")) return false;
    for (const char *at = form; (at = strstr(at, "system_message='")); at++)
        if (at[16] != '\'') return true;
    return false;
}

static ip_status refuse(const char *path, const char *why, ip_error *error) {
    char names[1024];
    size_t at = 0;
    for (size_t i = 0; i < FAMILIES && at < sizeof names; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", families[i].name);
    return ip_fail(error, IP_BAD_INPUT, "%s: its chat template is not understood: %s (understood are %s)", path, why,
                   names);
}

/* The text of the system turn that a template writes when there is none, from the turn as one string. */
static ip_status find_default(ip_chat *chat, const char *form, const char *path, ip_error *error) {
    const char *before = chat->family->system.before, *behind = chat->family->system.behind;
    size_t n = strlen(before);
    if (chat->family->system.where != OWN_TURN || n == 0) return IP_OK;
    for (const char *at = form; (at = strstr(at, before)); at += n) {
        if (at == form || at[-1] != '\'' || at[n] == '\'') continue;
        const char *end = strstr(at + n, behind), *quote = strchr(at + n, '\'');
        if (!end || (quote && quote < end)) return refuse(path, "its default system message is no whole turn", error);
        chat->standard = strndup(at + n, (size_t)(end - at) - n);
        return chat->standard ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    return IP_OK;
}

static ip_status find_date(ip_chat *chat, const char *form, const char *path, ip_error *error) {
    const char *set = strstr(form, "date_string='"), *end = set ? strchr(set + 13, '\'') : NULL;
    if (!end) return refuse(path, "it names no date of its own", error);
    chat->date = strndup(set + 13, (size_t)(end - set) - 13);
    return chat->date ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", path);
}

static ip_status settle(ip_chat *chat, const char *form, const char *text, size_t n, const char *path,
                        ip_error *error) {
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
        if (strstr(form, strange[i])) return refuse(path, "it does more than write turns", error);
    for (size_t i = 0; i < FAMILIES && !chat->family; i++)
        if (has_all(form, &families[i])) chat->family = &families[i];
    if (!chat->family) return refuse(path, "it is of no known family", error);
    bool dated = chat->family->system.where == DATED;
    if (!dated && (strstr(form, "strftime_now") || strstr(form, "Today Date")))
        return refuse(path, "it writes the date", error);
    if (sets_system(form)) return refuse(path, "it has a default system message that is no whole turn", error);
    /* The template's text behind a turn: a line end that Jinja leaves there. */
    if ((chat->family->flags & RAW_LINES) && !memmem(text, n, "eos_token }}\n", 13))
        return refuse(path, "its turns do not end in line ends of the template", error);
    chat->begins = strstr(form, "bos_token") && !strstr(chat->family->user.before, "\2");
    chat->ends = strstr(form, "{%else%}{{eos_token}}{%endif%}") != NULL;
    chat->alternates = strstr(form, "!=(loop.index0%2==0)") || strstr(form, "!=(ns.index%2==0)");
    chat->system_last = strstr(form, "ifloop.lastandsystem_messageisdefined") != NULL;
    ip_status status = find_default(chat, form, path, error);
    return status == IP_OK && dated ? find_date(chat, form, path, error) : status;
}

ip_status ip_chat_recognise(ip_chat **out, const char *path, const char *text, size_t n, const char *bos,
                            const char *eos, ip_error *error) {
    *out = NULL;
    ip_chat *chat = calloc(1, sizeof *chat);
    char *form = plain_form(text, n);
    ip_status status = IP_OK;
    if (chat) {
        chat->bos = strdup(bos ? bos : "");
        chat->eos = strdup(eos ? eos : "");
    }
    if (!chat || !form || !chat->bos || !chat->eos) status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    if (status == IP_OK) status = settle(chat, form, text, n, path, error);
    free(form);
    if (status == IP_OK)
        *out = chat;
    else
        ip_chat_free(chat);
    return status;
}

void ip_chat_free(ip_chat *chat) {
    if (!chat) return;
    free(chat->bos);
    free(chat->eos);
    free(chat->standard);
    free(chat->date);
    free(chat);
}

/* ---- where templates stand ---- */

static const char no_template[] = "%s: has no chat template: --chat needs one";

/* Text of a special token of a GGUF, malloc'ed; NULL: there is none. */
static char *gguf_token(const ip_gguf *file, const ip_tokenizer *tokenizer, const char *key) {
    uint64_t id;
    bool found;
    ip_error ignored;
    if (ip_gguf_get_uint(file, key, INT32_MAX, &id, &found, &ignored) != IP_OK || !found) return NULL;
    ip_bytes piece = ip_tokenizer_piece(tokenizer, (int32_t)id);
    return strndup(piece.data, piece.size);
}

static ip_status open_gguf(ip_chat **out, const ip_gguf *file, const ip_tokenizer *tokenizer, ip_error *error) {
    ip_bytes text;
    bool found;
    ip_status status = ip_gguf_get_string(file, "tokenizer.chat_template", &text, &found, error);
    if (status != IP_OK) return status;
    if (!found) return ip_fail(error, IP_BAD_INPUT, no_template, ip_gguf_path(file));
    char *bos = gguf_token(file, tokenizer, "tokenizer.ggml.bos_token_id");
    char *eos = gguf_token(file, tokenizer, "tokenizer.ggml.eos_token_id");
    status = ip_chat_recognise(out, ip_gguf_path(file), text.data, text.size, bos, eos, error);
    free(bos);
    free(eos);
    return status;
}

/* A token of tokenizer_config.json: a text, or an object that holds it. */
static const char *config_token(const ip_node *config, const char *key) {
    const char *text = NULL;
    const ip_node *node = ip_node_get(config, key);
    if (!ip_node_text(node, &text)) ip_node_text(ip_node_get(node, "content"), &text);
    return text;
}

static const char *config_template(const ip_node *config) {
    const ip_node *node = ip_node_get(config, "chat_template");
    const char *text = NULL, *name;
    if (ip_node_text(node, &text)) return text;
    for (size_t i = 0; i < ip_node_count(node); i++) {
        const ip_node *one = ip_node_at(node, i);
        if (ip_node_text(ip_node_get(one, "name"), &name) && strcmp(name, "default") == 0)
            ip_node_text(ip_node_get(one, "template"), &text);
    }
    return text;
}

static ip_status open_folder(ip_chat **out, const char *folder, ip_error *error) {
    char *config_path = ip_join_path(folder, "tokenizer_config.json");
    char *jinja_path = ip_join_path(folder, "chat_template.jinja");
    ip_map config_map = {0}, jinja = {0};
    ip_node *config = NULL;
    ip_status status = config_path && jinja_path ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", folder);
    if (status == IP_OK) status = ip_map_open(&config_map, config_path, error);
    if (status == IP_OK) {
        config = ip_node_parse(folder, "tokenizer_config.json", config_map.data, config_map.size, true, error);
        if (!config) status = error->status;
    }
    if (status == IP_OK) {
        ip_error absent;
        const char *bos = config_token(config, "bos_token"), *eos = config_token(config, "eos_token"), *text;
        if (ip_map_open(&jinja, jinja_path, &absent) == IP_OK && jinja.size > 0)
            status = ip_chat_recognise(out, jinja_path, (const char *)jinja.data, jinja.size, bos, eos, error);
        else if ((text = config_template(config)))
            status = ip_chat_recognise(out, config_path, text, strlen(text), bos, eos, error);
        else
            status = ip_fail(error, IP_BAD_INPUT, no_template, folder);
    }
    ip_node_free(config);
    ip_map_close(&config_map);
    ip_map_close(&jinja);
    free(config_path);
    free(jinja_path);
    return status;
}

ip_status ip_chat_open(ip_chat **out, const ip_checkpoint *file, const ip_tokenizer *tokenizer, ip_error *error) {
    *out = NULL;
    return file->gguf ? open_gguf(out, file->gguf, tokenizer, error) : open_folder(out, file->folder->path, error);
}

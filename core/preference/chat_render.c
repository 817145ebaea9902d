/* Rendering a pair as its template would: the prompt's turns, the opening of a reply, the reply as a finished turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/preference/chat_internal.h"

/* White space as Python's str.strip and Jinja's trim have it. */
static bool is_white(uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Moves both ends of a text over its white space. */
static void trim(const char **text, size_t *n) {
    const unsigned char *p = (const unsigned char *)*text;
    size_t begin = 0, end = *n;
    while (begin < end) {
        size_t step = ip_utf8_step(p + begin, end - begin);
        if (step == 0 || !is_white(ip_utf8_decode(p + begin, step))) break;
        begin += step;
    }
    while (end > begin) {
        size_t step = 1;
        while (step < 4 && step < end - begin && (p[end - step] & 0xC0) == 0x80) step++;
        if (ip_utf8_step(p + end - step, step) != step || !is_white(ip_utf8_decode(p + end - step, step))) break;
        end -= step;
    }
    *text += begin;
    *n = end - begin;
}

typedef struct rendering {
    const ip_chat *chat;
    FILE *out;
    const char *path;
    uint64_t record;
    const char *system; /* text that waits for a user's turn, or NULL */
    size_t turns;       /* of user and assistant so far */
} rendering;

/* A part of a turn, with its tokens' names filled in. */
static void put_form(const rendering *r, const char *form) {
    for (; *form; form++) {
        if (*form == '\1')
            fputs(r->chat->eos, r->out);
        else if (*form == '\2')
            fputs(r->chat->bos, r->out);
        else
            fputc(*form, r->out);
    }
}

static void put_text(const rendering *r, const char *text, bool trimmed) {
    size_t n = strlen(text);
    if (trimmed) trim(&text, &n);
    fwrite(text, 1, n, r->out);
}

static ip_status user_turn(rendering *r, const char *text, bool last, ip_error *error) {
    const ip_chat_family *f = r->chat->family;
    bool with_last = f->system.where == FIRST_OR_LAST && r->chat->system_last;
    bool with_system = r->system && (with_last ? last : r->turns == 0);
    put_form(r, f->user.before);
    if (with_system && (f->flags & TRIM_WHOLE)) {
        char *whole = NULL;
        if (asprintf(&whole, "%s%s%s%s", f->system.before, r->system, f->system.behind, text) < 0)
            return ip_fail(error, IP_FAILED, "%s: out of memory", r->path);
        put_text(r, whole, true);
        free(whole);
    } else {
        if (with_system) fprintf(r->out, "%s%s%s", f->system.before, r->system, f->system.behind);
        put_text(r, text, f->flags & (TRIM | TRIM_TURNS));
    }
    put_form(r, f->user.behind);
    return IP_OK;
}

static ip_status system_turn(rendering *r, const char *text, bool first, ip_error *error) {
    const ip_chat_family *f = r->chat->family;
    bool waits = f->system.where == WITH_FIRST || f->system.where == FIRST_OR_LAST;
    if (f->system.where == REFUSED || (waits && !first))
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: record %llu: the chat template (%s) has no place for %s system message", r->path,
                       (unsigned long long)r->record, f->name, first ? "a" : "a later");
    if (waits) {
        r->system = text;
    } else if (f->system.where != DROPPED) {
        put_form(r, f->system.before);
        put_text(r, text, f->flags & TRIM);
        put_form(r, f->system.behind);
    }
    return IP_OK;
}

/* One finished turn. last: the last message of the prompt. */
static ip_status turn(rendering *r, const ip_message *m, bool first, bool last, ip_error *error) {
    const ip_chat_family *f = r->chat->family;
    bool user = strcmp(m->role, "user") == 0, assistant = strcmp(m->role, "assistant") == 0;
    if (strcmp(m->role, "system") == 0) return system_turn(r, m->text, first, error);
    if (!user && !assistant)
        return ip_fail(error, IP_BAD_INPUT, "%s: record %llu: the chat template (%s) has no turn for the role '%.40s'",
                       r->path, (unsigned long long)r->record, f->name, m->role);
    if (r->chat->alternates && user != (r->turns % 2 == 0))
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: record %llu: the chat template (%s) wants user and assistant to take turns, the user first",
                       r->path, (unsigned long long)r->record, f->name);
    ip_status status = IP_OK;
    if (user) {
        status = user_turn(r, m->text, last, error);
    } else {
        put_form(r, f->assistant.before);
        put_text(r, m->text, f->flags & (TRIM | TRIM_TURNS | TRIM_REPLY));
        put_form(r, f->assistant.behind);
    }
    r->turns++;
    return status;
}

/* What stands in front of the first turn; *skip: messages that are part of it. */
static void begin(rendering *r, const ip_dialogue *prompt, size_t *skip) {
    const ip_chat *chat = r->chat;
    bool system = prompt->count > 0 && strcmp(prompt->messages[0].role, "system") == 0;
    *skip = 0;
    if (chat->begins) fputs(chat->bos, r->out);
    if (chat->family->system.where == DATED) {
        put_form(r, chat->family->system.before);
        fprintf(r->out, "Cutting Knowledge Date: December 2023\nToday Date: %s\n\n", chat->date);
        if (system) put_text(r, prompt->messages[0].text, true);
        put_form(r, chat->family->system.behind);
        *skip = system;
    } else if (!system && chat->standard) {
        fprintf(r->out, "%s%s%s", chat->family->system.before, chat->standard, chat->family->system.behind);
    }
}

static ip_status render(rendering *r, const ip_dialogue *prompt, const ip_dialogue *reply, size_t *border,
                        ip_error *error) {
    size_t first;
    begin(r, prompt, &first);
    ip_status status = IP_OK;
    for (size_t i = first; status == IP_OK && i < prompt->count; i++)
        status = turn(r, &prompt->messages[i], i == 0, i + 1 == prompt->count, error);
    if (status != IP_OK) return status;
    bool answers = reply->count == 0 || strcmp(reply->messages[0].role, "assistant") == 0;
    *border = (size_t)ftell(r->out) + (answers ? strlen(r->chat->family->opening) : 0);
    if (reply->count == 0) put_form(r, r->chat->family->opening);
    for (size_t i = 0; status == IP_OK && i < reply->count; i++)
        status = turn(r, &reply->messages[i], false, false, error);
    if (status == IP_OK && r->chat->ends) fputs(r->chat->eos, r->out);
    return status;
}

ip_status ip_chat_render_pair(const ip_chat *chat, const ip_pair *pair, bool chosen, char **text, size_t *n,
                              size_t *border, const char *path, ip_error *error) {
    *text = NULL;
    FILE *out = open_memstream(text, n);
    if (!out) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    rendering r = {.chat = chat, .out = out, .path = path, .record = pair->record};
    ip_status status =
        render(&r, &pair->prompt_messages, chosen ? &pair->chosen_messages : &pair->rejected_messages, border, error);
    if (fclose(out) != 0 && status == IP_OK) status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    if (status != IP_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}

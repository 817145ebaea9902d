/* Files of pairs: records cut out of the bytes as they come, each parsed on its own, so that a message can name it and
 * nothing is read behind the last pair asked for. */
#include "core/preference/pairs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input/text_buffer.h"

/* The longest record: a guard against a file that never ends one. */
#define LONGEST ((size_t)1 << 28)

typedef struct source {
    ip_text_buffer text;
    uint64_t lines; /* line ends among the white space passed over */
} source;

static ip_status fill(source *s, ip_error *error) {
    if (s->text.filled - s->text.at > LONGEST)
        return ip_fail(error, IP_BAD_INPUT, "%s: a record of more than 256 MiB: is this a file of pairs?",
                       s->text.path);
    return ip_text_buffer_fill(&s->text, error);
}

static bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Moves over white space; *c is the character there, 0 at the end. */
static ip_status skip_white(source *s, char *c, ip_error *error) {
    for (;;) {
        for (; s->text.at < s->text.filled && is_white(s->text.data[s->text.at]); s->text.at++)
            s->lines += s->text.data[s->text.at] == '\n';
        *c = s->text.at < s->text.filled ? s->text.data[s->text.at] : '\0';
        if (s->text.at < s->text.filled || s->text.ended) return IP_OK;
        ip_status status = fill(s, error);
        if (status != IP_OK) return status;
    }
}

static ip_status add(ip_pairs *out, const source *s, const char *kind, uint64_t number, const char *text, size_t n,
                     ip_error *error) {
    if (out->count == out->room) {
        size_t room = out->room * 2 + 64;
        ip_pair *items = realloc(out->items, room * sizeof *items);
        if (!items) return ip_fail(error, IP_FAILED, "%s: out of memory for %zu pairs", s->text.path, out->count);
        out->items = items;
        out->room = room;
    }
    char where[40];
    snprintf(where, sizeof where, "%s %" PRIu64, kind, number);
    ip_pair *pair = &out->items[out->count];
    ip_status status = ip_pair_parse(pair, s->text.path, where, text, n, error);
    if (status != IP_OK) return status;
    pair->record = number;
    out->count++;
    return IP_OK;
}

static bool is_full(const ip_pairs *out, uint64_t most) { return most != 0 && out->count >= most; }

/* Lines; those of nothing but white space are passed over. */
static ip_status read_lines(ip_pairs *out, source *s, uint64_t most, ip_error *error) {
    ip_status status = IP_OK;
    size_t looked = 0;
    for (uint64_t line = 1 + s->lines; status == IP_OK && !is_full(out, most);) {
        size_t left = s->text.filled - s->text.at;
        const char *text = s->text.data + s->text.at;
        const char *end = left > looked ? memchr(text + looked, '\n', left - looked) : NULL;
        if (!end && !s->text.ended) {
            looked = left;
            status = fill(s, error);
            continue;
        }
        size_t n = end ? (size_t)(end - text) : left, blank = 0;
        while (blank < n && is_white(text[blank])) blank++;
        if (blank < n) status = add(out, s, "line", line, text, n, error);
        if (!end) break;
        s->text.at += n + 1;
        looked = 0;
        line++;
    }
    return status;
}

/* The object that begins at s->text.at, to its closing brace: *n bytes. */
static ip_status object_extent(source *s, uint64_t number, size_t *n, ip_error *error) {
    size_t i = 0, depth = 0;
    bool inside = false, escaped = false;
    for (;; i++) {
        while (s->text.at + i >= s->text.filled) {
            if (s->text.ended)
                return ip_fail(error, IP_BAD_INPUT, "%s: record %" PRIu64 ": the file ends inside it", s->text.path,
                               number);
            ip_status status = fill(s, error);
            if (status != IP_OK) return status;
        }
        char c = s->text.data[s->text.at + i];
        if (inside) {
            inside = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    *n = i + 1;
    return IP_OK;
}

static ip_status read_list(ip_pairs *out, source *s, uint64_t most, ip_error *error) {
    s->text.at++; /* the bracket */
    char c;
    ip_status status = skip_white(s, &c, error);
    bool ends = c == ']';
    for (uint64_t number = 1; status == IP_OK && !ends && !is_full(out, most); number++) {
        if (c != '{')
            return ip_fail(error, IP_BAD_INPUT, "%s: record %" PRIu64 ": is not a JSON object", s->text.path, number);
        size_t n = 0;
        status = object_extent(s, number, &n, error);
        if (status == IP_OK) status = add(out, s, "record", number, s->text.data + s->text.at, n, error);
        if (status != IP_OK) return status;
        s->text.at += n;
        status = skip_white(s, &c, error);
        if (status != IP_OK) return status;
        ends = c == ']';
        if (!ends && c != ',')
            return ip_fail(error, IP_BAD_INPUT, "%s: behind record %" PRIu64 ": a comma or the list's end is missing",
                           s->text.path, number);
        if (ends) break;
        s->text.at++;
        status = skip_white(s, &c, error);
    }
    if (status != IP_OK || !ends) return status;
    s->text.at++;
    status = skip_white(s, &c, error);
    if (status == IP_OK && s->text.at < s->text.filled)
        return ip_fail(error, IP_BAD_INPUT, "%s: something stands behind the end of the list", s->text.path);
    return status;
}

ip_status ip_pairs_read(ip_pairs *out, const char *path, uint64_t most, ip_error *error) {
    memset(out, 0, sizeof *out);
    source s = {.text.path = path};
    ip_status status = ip_text_reader_open(&s.text.reader, path, error);
    if (status != IP_OK) return status;
    char c = '\0';
    status = ip_text_buffer_mark(&s.text, error);
    if (status == IP_OK) status = skip_white(&s, &c, error);
    if (status == IP_OK) status = c == '[' ? read_list(out, &s, most, error) : read_lines(out, &s, most, error);
    if (status == IP_OK && out->count == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: is empty: there is no pair in it", path);
    if (status == IP_OK) status = ip_text_reader_fingerprint(s.text.reader, out->fingerprint, error);
    ip_text_reader_close(s.text.reader);
    ip_text_buffer_free(&s.text);
    return status;
}

void ip_pairs_free(ip_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++) ip_pair_free(&pairs->items[i]);
    free(pairs->items);
    memset(pairs, 0, sizeof *pairs);
}

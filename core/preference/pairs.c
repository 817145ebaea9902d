/* Files of pairs: records cut out of the bytes as they come, each parsed on its own, so that a message can name it and
 * nothing is read behind the last pair asked for. */
#include "core/preference/pairs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input/text_reader.h"

enum { PART = 1 << 18 };
/* The longest record: a guard against a file that never ends one. */
#define LONGEST ((size_t)1 << 28)

typedef struct source {
    ip_text_reader *reader;
    const char *path;
    char *data;
    size_t at, filled, room;
    bool ended;
    uint64_t lines; /* line ends among the white space passed over */
} source;

/* Reads more behind what is there; s->ended once there is nothing left. Offsets from s->at on stay what they are. */
static ip_status fill(source *s, ip_error *error) {
    if (s->at > 0 && s->at * 2 >= s->filled) {
        memmove(s->data, s->data + s->at, s->filled - s->at);
        s->filled -= s->at;
        s->at = 0;
    }
    if (s->filled - s->at > LONGEST)
        return ip_fail(error, IP_BAD_INPUT, "%s: a record of more than 256 MiB: is this a file of pairs?", s->path);
    if (s->room - s->filled < PART / 2) {
        size_t room = s->room * 2 + PART;
        char *data = realloc(s->data, room);
        if (!data) return ip_fail(error, IP_FAILED, "%s: out of memory", s->path);
        s->data = data;
        s->room = room;
    }
    size_t got;
    ip_status status = ip_text_reader_read(s->reader, s->data + s->filled, s->room - s->filled, &got, error);
    s->filled += got;
    s->ended = got == 0;
    return status;
}

static bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Moves over white space; *c is the character there, 0 at the end. */
static ip_status skip_white(source *s, char *c, ip_error *error) {
    for (;;) {
        for (; s->at < s->filled && is_white(s->data[s->at]); s->at++) s->lines += s->data[s->at] == '\n';
        *c = s->at < s->filled ? s->data[s->at] : '\0';
        if (s->at < s->filled || s->ended) return IP_OK;
        ip_status status = fill(s, error);
        if (status != IP_OK) return status;
    }
}

/* The byte-order mark is dropped; that of UTF-16 says that this is not JSON as it is read here. */
static ip_status take_mark(source *s, ip_error *error) {
    while (!s->ended && s->filled < 3) {
        ip_status status = fill(s, error);
        if (status != IP_OK) return status;
    }
    if (s->filled >= 2 && (memcmp(s->data, "\xFF\xFE", 2) == 0 || memcmp(s->data, "\xFE\xFF", 2) == 0))
        return ip_fail(error, IP_BAD_INPUT, "%s: is UTF-16 (its byte-order mark says so); convert it to UTF-8",
                       s->path);
    if (s->filled >= 3 && memcmp(s->data, "\xEF\xBB\xBF", 3) == 0) s->at = 3;
    return IP_OK;
}

static ip_status add(ip_pairs *out, const source *s, const char *kind, uint64_t number, const char *text, size_t n,
                     ip_error *error) {
    if (out->count == out->room) {
        size_t room = out->room * 2 + 64;
        ip_pair *items = realloc(out->items, room * sizeof *items);
        if (!items) return ip_fail(error, IP_FAILED, "%s: out of memory for %zu pairs", s->path, out->count);
        out->items = items;
        out->room = room;
    }
    char where[40];
    snprintf(where, sizeof where, "%s %" PRIu64, kind, number);
    ip_pair *pair = &out->items[out->count];
    ip_status status = ip_pair_parse(pair, s->path, where, text, n, error);
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
        size_t left = s->filled - s->at;
        const char *text = s->data + s->at;
        const char *end = left > looked ? memchr(text + looked, '\n', left - looked) : NULL;
        if (!end && !s->ended) {
            looked = left;
            status = fill(s, error);
            continue;
        }
        size_t n = end ? (size_t)(end - text) : left, blank = 0;
        while (blank < n && is_white(text[blank])) blank++;
        if (blank < n) status = add(out, s, "line", line, text, n, error);
        if (!end) break;
        s->at += n + 1;
        looked = 0;
        line++;
    }
    return status;
}

/* The object that begins at s->at, to its closing brace: *n bytes. */
static ip_status object_extent(source *s, uint64_t number, size_t *n, ip_error *error) {
    size_t i = 0, depth = 0;
    bool inside = false, escaped = false;
    for (;; i++) {
        while (s->at + i >= s->filled) {
            if (s->ended)
                return ip_fail(error, IP_BAD_INPUT, "%s: record %" PRIu64 ": the file ends inside it", s->path, number);
            ip_status status = fill(s, error);
            if (status != IP_OK) return status;
        }
        char c = s->data[s->at + i];
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
    s->at++; /* the bracket */
    char c;
    ip_status status = skip_white(s, &c, error);
    bool ends = c == ']';
    for (uint64_t number = 1; status == IP_OK && !ends && !is_full(out, most); number++) {
        if (c != '{')
            return ip_fail(error, IP_BAD_INPUT, "%s: record %" PRIu64 ": is not a JSON object", s->path, number);
        size_t n = 0;
        status = object_extent(s, number, &n, error);
        if (status == IP_OK) status = add(out, s, "record", number, s->data + s->at, n, error);
        if (status != IP_OK) return status;
        s->at += n;
        status = skip_white(s, &c, error);
        if (status != IP_OK) return status;
        ends = c == ']';
        if (!ends && c != ',')
            return ip_fail(error, IP_BAD_INPUT, "%s: behind record %" PRIu64 ": a comma or the list's end is missing",
                           s->path, number);
        if (ends) break;
        s->at++;
        status = skip_white(s, &c, error);
    }
    if (status != IP_OK || !ends) return status;
    s->at++;
    status = skip_white(s, &c, error);
    if (status == IP_OK && s->at < s->filled)
        return ip_fail(error, IP_BAD_INPUT, "%s: something stands behind the end of the list", s->path);
    return status;
}

ip_status ip_pairs_read(ip_pairs *out, const char *path, uint64_t most, ip_error *error) {
    memset(out, 0, sizeof *out);
    source s = {.path = path};
    ip_status status = ip_text_reader_open(&s.reader, path, error);
    if (status != IP_OK) return status;
    char c = '\0';
    status = take_mark(&s, error);
    if (status == IP_OK) status = skip_white(&s, &c, error);
    if (status == IP_OK) status = c == '[' ? read_list(out, &s, most, error) : read_lines(out, &s, most, error);
    if (status == IP_OK && out->count == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: is empty: there is no pair in it", path);
    if (status == IP_OK) status = ip_text_reader_fingerprint(s.reader, out->fingerprint, error);
    ip_text_reader_close(s.reader);
    free(s.data);
    return status;
}

void ip_pairs_free(ip_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++) ip_pair_free(&pairs->items[i]);
    free(pairs->items);
    memset(pairs, 0, sizeof *pairs);
}

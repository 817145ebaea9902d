/* Cutting a file of text into jobs. Spans of bytes between separators come from one buffer over the reader; for chunk
 * and file the text is cut wherever the tokenizer allows, only to be tokenized in parallel and without being held. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input/corpus_internal.h"
#include "core/input/text_buffer.h"

/* The longest record: a guard against a file without line ends that never stops. */
#define LONGEST ((size_t)1 << 30)

/* The next span up to separator (not in it) or the end of the file; *found is false when nothing is left. The span
 * stands in the buffer until the next call. */
static ip_status next_span(ip_text_buffer *s, const char *separator, size_t size, const char **span, size_t *n,
                           bool *found, ip_error *error) {
    size_t looked = 0;
    for (;;) {
        size_t left = s->filled - s->at;
        const char *p = left > looked ? memmem(s->data + s->at + looked, left - looked, separator, size) : NULL;
        if (p) {
            *span = s->data + s->at;
            *n = (size_t)(p - *span);
            s->at += *n + size;
            *found = true;
            return IP_OK;
        }
        /* A separator may begin in the last bytes. */
        looked = left >= size ? left - (size - 1) : 0;
        if (left > LONGEST)
            return ip_fail(error, IP_BAD_INPUT, "%s: a record of more than 1 GiB (no separator was found in it)",
                           s->path);
        ip_status status = ip_text_buffer_fill(s, error);
        if (status != IP_OK) return status;
        if (!s->ended) continue;
        *span = s->data + s->at;
        *n = s->filled - s->at;
        *found = *n > 0;
        s->at = s->filled;
        return IP_OK;
    }
}

/* Only white space (of ASCII), or nothing. */
static bool is_blank(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (text[i] != ' ' && !(text[i] >= '\t' && text[i] <= '\r')) return false;
    return true;
}

static ip_status add_job(ip_builder *b, const char *bytes, size_t n, uint64_t line, bool first, ip_error *error) {
    char *copy = malloc(n ? n : 1);
    if (!copy) return ip_builder_out_of_memory(b, error);
    if (n) memcpy(copy, bytes, n);
    ip_status status = ip_builder_job(b, copy, n, line, first, error);
    return status == IP_OK && ip_builder_batch_full(b) ? ip_builder_flush(b, error) : status;
}

static ip_status json_lines(ip_builder *b, ip_text_buffer *s, ip_error *error) {
    for (uint64_t line = 1; !ip_builder_full(b); line++) {
        const char *span;
        size_t n;
        bool found;
        ip_status status = next_span(s, "\n", 1, &span, &n, &found, error);
        if (status != IP_OK || !found) return status;
        if (is_blank(span, n)) continue;
        if (!b->field) status = ip_json_line_field(span, n, (ip_line_place){b->path, line}, &b->field, error);
        if (status == IP_OK) status = add_job(b, span, n, line, true, error);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

static ip_status separated(ip_builder *b, ip_text_buffer *s, const char *separator, bool lines, ip_error *error) {
    while (!ip_builder_full(b)) {
        const char *span;
        size_t n;
        bool found;
        ip_status status = next_span(s, separator, strlen(separator), &span, &n, &found, error);
        if (status != IP_OK || !found) return status;
        if (lines && n > 0 && span[n - 1] == '\r') n--;
        if (!is_blank(span, n)) status = add_job(b, span, n, 0, true, error);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

/* Lines up to a blank one, as they stand but for the last line end. */
static ip_status paragraphs(ip_builder *b, ip_text_buffer *s, ip_error *error) {
    char *text = NULL;
    size_t n = 0, room = 0;
    ip_status status = IP_OK;
    bool found = true;
    while (status == IP_OK && found && !ip_builder_full(b)) {
        const char *span;
        size_t size;
        status = next_span(s, "\n", 1, &span, &size, &found, error);
        if (status != IP_OK) break;
        if (found && !is_blank(span, size)) {
            if (n + size + 1 > room) {
                size_t larger = (n + size) * 2 + 256;
                char *data = larger <= 2 * LONGEST ? realloc(text, larger) : NULL;
                if (!data) {
                    status = ip_fail(error, larger <= 2 * LONGEST ? IP_FAILED : IP_BAD_INPUT,
                                     "%s: a paragraph is too long for memory", s->path);
                    break;
                }
                text = data;
                room = larger;
            }
            memcpy(text + n, span, size);
            n += size;
            text[n++] = '\n';
        } else if (n > 0) {
            n--;
            if (n > 0 && text[n - 1] == '\r') n--;
            status = add_job(b, text, n, 0, true, error);
            n = 0;
        }
    }
    free(text);
    return status;
}

/* The whole file as a stream of parts; *any: there was one. */
static ip_status stream(ip_builder *b, ip_text_buffer *s, bool *any, ip_error *error) {
    size_t from = 0, want = IP_TEXT_PART;
    while (!ip_builder_full(b)) {
        size_t left = s->filled - s->at;
        if (!s->ended && left < want) {
            ip_status status = ip_text_buffer_fill(s, error);
            if (status != IP_OK) return status;
            continue;
        }
        if (left == 0) break;
        size_t cut = left;
        if (!s->ended)
            cut = b->tokenizer ? ip_tokenizer_cut(b->tokenizer, s->data + s->at, from, left)
                               : ip_words_cut(s->data + s->at, from, left);
        if (cut == 0) { /* no place known: the part grows, and only what is new is looked through */
            from = left - 1;
            want = left * 2;
            continue;
        }
        ip_status status = add_job(b, s->data + s->at, cut, 0, !*any, error);
        if (status != IP_OK) return status;
        s->at += cut;
        *any = true;
        from = 0;
        want = IP_TEXT_PART;
    }
    return IP_OK;
}

static ip_status cut_file(ip_builder *b, ip_text_buffer *s, bool jsonl, bool *any, ip_error *error) {
    if (jsonl) return json_lines(b, s, error);
    switch (b->split) {
    case IP_SPLIT_LINE: return separated(b, s, "\n", true, error);
    case IP_SPLIT_PARAGRAPH: return paragraphs(b, s, error);
    case IP_SPLIT_SEPARATOR: return separated(b, s, b->options->split, false, error);
    case IP_SPLIT_CHUNK:
    case IP_SPLIT_FILE: break;
    }
    return stream(b, s, any, error);
}

ip_status ip_corpus_text(ip_builder *b, bool jsonl, bool raw, ip_error *error) {
    ip_text_buffer s = {.reader = b->reader, .path = b->path};
    size_t documents = b->out->documents;
    uint64_t replaced = b->out->replaced;
    bool any = false;
    b->streaming = !jsonl && (b->split == IP_SPLIT_CHUNK || b->split == IP_SPLIT_FILE);
    ip_status status = raw ? IP_OK : ip_text_buffer_mark(&s, error);
    if (status == IP_OK) status = cut_file(b, &s, jsonl, &any, error);
    if (status == IP_OK && raw && !any) {
        any = true;
        status = add_job(b, "", 0, 0, true, error);
    }
    if (status == IP_OK) status = ip_builder_flush(b, error);
    if (status == IP_OK && b->streaming && any) status = ip_builder_end_stream(b, error);
    ip_text_buffer_free(&s);
    if (status == IP_OK && b->out->documents == documents)
        status = ip_fail(error, IP_BAD_INPUT, "%s: is empty: there is no document in it", b->path);
    replaced = b->out->replaced - replaced;
    if (status == IP_OK && replaced > 0 && b->warn) {
        char line[256];
        snprintf(line, sizeof line, "%.160s: %" PRIu64 " byte sequences that are not UTF-8 were read as U+FFFD",
                 b->path, replaced);
        ip_make_printable(line);
        b->warn(b->warn_context, line);
    }
    return status;
}

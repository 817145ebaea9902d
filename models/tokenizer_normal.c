/* Normalisers; the canonical and compatibility forms come through here from utf8proc, whose one door this is. */
#include "models/tokenizer_normal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/base/utf8.h"
#include "models/unicode_ranges.h"

void ip_normal_free(ip_normal *step) {
    free(step->from);
    free(step->to);
    ip_regex_free(step->regex);
}

bool ip_text_reserve(ip_text *text, size_t n) {
    if (n <= text->room) return true;
    if (n > SIZE_MAX / 2) return false;
    free(text->data);
    text->room = 0;
    text->data = malloc(n + n / 2);
    if (!text->data) return false;
    text->room = n + n / 2;
    return true;
}

static bool append(ip_text *text, const char *what, size_t n) {
    if (n > text->room - text->size) {
        if (n > SIZE_MAX / 4 - text->size) return false;
        size_t room = (text->size + n) * 2;
        char *data = realloc(text->data, room);
        if (!data) return false;
        text->data = data;
        text->room = room;
    }
    if (n) memcpy(text->data + text->size, what, n);
    text->size += n;
    return true;
}

/* ---- white space ---- */

static bool is_white(uint32_t c) {
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

size_t ip_white_end(const char *text, size_t at, size_t n) {
    while (at < n) {
        size_t step = ip_utf8_step((const unsigned char *)text + at, n - at);
        if (step == 0 || !is_white(ip_utf8_decode((const unsigned char *)text + at, step))) break;
        at += step;
    }
    return at;
}

size_t ip_white_begin(const char *text, size_t at) {
    while (at > 0) {
        size_t before = at - 1;
        while (before > 0 && ((unsigned char)text[before] & 0xC0) == 0x80) before--;
        size_t step = ip_utf8_step((const unsigned char *)text + before, at - before);
        if (step == 0 || !is_white(ip_utf8_decode((const unsigned char *)text + before, step))) break;
        at = before;
    }
    return at;
}

/* ---- steps: each reads text[0 .. n) and writes *out, a buffer of its own ---- */

/* NFC looks at the stretches only that may change: where a character may, from the one before it to the next that may
 * not (which begins a text as good as any). The end of the text unchanged from `at`, and the stretch behind it. */
static void next_unstable(const ip_unicode_class *unstable, const char *text, size_t at, size_t n, size_t *first,
                          size_t *last) {
    size_t before = at;
    for (size_t i = at; i < n;) {
        if ((unsigned char)text[i] < 0xCC) { /* below U+0300 everything is stable */
            before = i;
            i += (unsigned char)text[i] < 0x80 ? 1 : 2;
            continue;
        }
        size_t step = ip_utf8_step((const unsigned char *)text + i, n - i);
        if (step == 0) step = 1;
        if (!ip_unicode_class_has(unstable, ip_utf8_decode((const unsigned char *)text + i, step))) {
            before = i;
            i += step;
            continue;
        }
        *first = before;
        for (i += step; i < n; i += step) {
            step = ip_utf8_step((const unsigned char *)text + i, n - i);
            if (step == 0) step = 1;
            if (!ip_unicode_class_has(unstable, ip_utf8_decode((const unsigned char *)text + i, step))) break;
        }
        *last = i;
        return;
    }
    *first = *last = n;
}

/* Below U+0080 nothing decomposes. */
static bool is_ascii(const char *text, size_t n) {
    unsigned char high = 0;
    for (size_t i = 0; i < n; i++) high |= (unsigned char)text[i];
    return high < 0x80;
}

static ip_status form(ip_normal_kind kind, const char *text, size_t n, ip_text *out, ip_error *error) {
    utf8proc_option_t options = UTF8PROC_STABLE;
    options |= kind == IP_NORMAL_NFC || kind == IP_NORMAL_NFKC ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
    if (kind == IP_NORMAL_NFKC || kind == IP_NORMAL_NFKD) options |= UTF8PROC_COMPAT;
    utf8proc_uint8_t *result = NULL;
    utf8proc_ssize_t got = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &result, options);
    if (got < 0) {
        free(result);
        return ip_fail(error, IP_FAILED, "tokenizer: normalising a text of %zu bytes: %s", n, utf8proc_errmsg(got));
    }
    bool room = append(out, (const char *)result, (size_t)got);
    free(result);
    return room ? IP_OK : ip_fail(error, IP_FAILED, "tokenizer: out of memory");
}

/* *out stays empty when the text is in NFC. */
static ip_status compose(const char *text, size_t n, ip_text *out, ip_error *error) {
    const ip_unicode_class *unstable = ip_unicode_class_find("NFC", 3);
    size_t at = 0, first, last;
    next_unstable(unstable, text, at, n, &first, &last);
    if (first == n) return IP_OK;
    while (first < n) {
        if (!append(out, text + at, first - at)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
        ip_status status = form(IP_NORMAL_NFC, text + first, last - first, out, error);
        if (status != IP_OK) return status;
        at = last;
        next_unstable(unstable, text, at, n, &first, &last);
    }
    return append(out, text + at, n - at) ? IP_OK : ip_fail(error, IP_FAILED, "tokenizer: out of memory");
}

static bool lowercase(const char *text, size_t n, ip_text *out) {
    /* A small letter takes at most three bytes where the capital took two (U+023A), and U+0130 becomes two letters. */
    if (!ip_text_reserve(out, 2 * n + 4)) return false;
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step((const unsigned char *)text + i, n - i);
        uint32_t c = ip_utf8_decode((const unsigned char *)text + i, step ? step : 1);
        i += step ? step : 1;
        unsigned char *end = (unsigned char *)out->data + out->size;
        out->size += c == 0x130 ? ip_utf8_encode('i', end) + ip_utf8_encode(0x307, end + 1)
                                : ip_utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), end);
    }
    return true;
}

static bool strip_accents(const char *text, size_t n, ip_text *out) {
    const ip_unicode_class *accents = ip_unicode_class_find("Mn8", 3);
    if (!ip_text_reserve(out, n + 1)) return false;
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step((const unsigned char *)text + i, n - i);
        if (step == 0) step = 1;
        bool keep = !ip_unicode_class_has(accents, ip_utf8_decode((const unsigned char *)text + i, step));
        if (keep) memcpy(out->data + out->size, text + i, step);
        if (keep) out->size += step;
        i += step;
    }
    return true;
}

static ip_status replace(const ip_normal *step, ip_regex_scratch *scratch, const char *text, size_t n, ip_text *out,
                         ip_error *error) {
    bool room = true;
    for (size_t at = 0, from = 0; room && at < n;) {
        size_t first = n, last = n;
        if (step->regex) {
            ip_status status = ip_regex_find(step->regex, scratch, text, 0, from, n, &first, &last, error);
            if (status != IP_OK) return status;
        } else {
            const char *p = memmem(text + from, n - from, step->from, step->from_n);
            if (p) first = (size_t)(p - text);
            if (p) last = first + step->from_n;
        }
        room = append(out, text + at, first - at);
        if (first < n) room = room && append(out, step->to, step->to_n);
        at = last;
        from = last;
        if (first < n && last == first) { /* an empty match: the next search begins behind the next character */
            size_t character = ip_utf8_step((const unsigned char *)text + at, n - at);
            from += character ? character : 1;
            if (from >= n) {
                room = room && append(out, text + at, n - at);
                break;
            }
        }
    }
    return room ? IP_OK : ip_fail(error, IP_FAILED, "tokenizer: out of memory");
}

static ip_status run_step(const ip_normal *step, ip_regex_scratch *scratch, bool begins, const char **text, size_t *n,
                          ip_text *out, ip_error *error) {
    ip_status status = IP_OK;
    bool room = true;
    out->size = 0;
    switch (step->kind) {
    case IP_NORMAL_NFC:
        status = compose(*text, *n, out, error);
        if (out->size == 0) return status;
        break;
    case IP_NORMAL_NFD:
    case IP_NORMAL_NFKC:
    case IP_NORMAL_NFKD:
        if (is_ascii(*text, *n)) return IP_OK;
        status = form(step->kind, *text, *n, out, error);
        break;
    case IP_NORMAL_LOWERCASE: room = lowercase(*text, *n, out); break;
    case IP_NORMAL_STRIP_ACCENTS: room = strip_accents(*text, *n, out); break;
    case IP_NORMAL_STRIP: {
        size_t first = step->left ? ip_white_end(*text, 0, *n) : 0;
        size_t last = step->right && first < *n ? ip_white_begin(*text, *n) : *n;
        *text += first;
        *n = last - first;
        return IP_OK;
    }
    case IP_NORMAL_REPLACE:
        if (!step->regex && !memmem(*text, *n, step->from, step->from_n)) return IP_OK;
        status = replace(step, scratch, *text, *n, out, error);
        break;
    case IP_NORMAL_PREPEND:
        if (!begins) return IP_OK;
        room = append(out, step->to, step->to_n) && append(out, *text, *n);
        break;
    }
    if (status == IP_OK && !room) status = ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    *text = out->data ? out->data : "";
    *n = out->size;
    return status;
}

ip_status ip_normalise(const ip_normal *steps, size_t count, ip_text buffers[2], ip_regex_scratch *scratch, bool begins,
                       const char *text, size_t n, const char **out, size_t *out_n, ip_error *error) {
    /* A step reads the buffer that the last one wrote, so it writes the other. */
    for (size_t i = 0; i < count && n > 0; i++) {
        bool in_first = buffers[0].data && text >= buffers[0].data && text < buffers[0].data + buffers[0].room;
        ip_status status = run_step(&steps[i], scratch, begins, &text, &n, &buffers[in_first ? 1 : 0], error);
        if (status != IP_OK) return status;
    }
    *out = text;
    *out_n = n;
    return IP_OK;
}

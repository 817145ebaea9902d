/* Splitting text into pieces: by the expressions of models/pretokenizers.def on PCRE2, or, for the families that most
 * models belong to, by a scanner that gives the same pieces an order of magnitude faster.
 *
 * The scanners look one class up per character (letter, number, white space, other) in a flat table over all code
 * points; ASCII text touches its first 128 bytes only. Tests hold them against the expressions. */
#include "models/tokenizer_pre.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/unicode_ranges.h"

enum { CODE_POINTS = 0x110000 };

/* NEW_NUMBER: a number of Unicode 17 that Unicode 16 does not know: only the digit step takes it for one. */
enum { OTHER, LETTER, NUMBER, SPACE, NEW_NUMBER };

static const ip_pre rows[] = {
#define IP_PRETOKENIZER(names, quick, flags, ...) {names, quick, flags, {__VA_ARGS__}},
#include "models/pretokenizers.def"
#undef IP_PRETOKENIZER
};

struct ip_splitter {
    ip_quick quick;
    unsigned char *classes; /* CODE_POINTS of them, for a scanner */
    size_t stages;
    ip_regex *stage[IP_PRE_STAGES];
};

size_t ip_pre_count(void) { return sizeof rows / sizeof rows[0]; }

const ip_pre *ip_pre_at(size_t index) { return &rows[index]; }

const ip_pre *ip_pre_find(const char *name, size_t n) {
    for (size_t i = 0; i < ip_pre_count(); i++) {
        for (const char *p = rows[i].names; *p;) {
            size_t length = strcspn(p, " ");
            if (length == n && memcmp(p, name, n) == 0) return &rows[i];
            p += length;
            p += *p == ' ';
        }
    }
    return NULL;
}

void ip_pre_list(char *out, size_t room) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ip_pre_count() && at < room; i++)
        at += (size_t)snprintf(out + at, room - at, "%s%s", i ? " " : "", rows[i].names);
}

/* ---- expressions with their classes written out ---- */

typedef struct buffer {
    char *data;
    size_t size, room;
    bool failed;
} buffer;

static void put(buffer *b, const char *text, size_t n) {
    if (b->failed) return;
    if (n > b->room - b->size) {
        size_t room = (b->size + n) * 2;
        char *data = realloc(b->data, room);
        if (!data) {
            b->failed = true;
            return;
        }
        b->data = data;
        b->room = room;
    }
    memcpy(b->data + b->size, text, n);
    b->size += n;
}

static void put_ranges(buffer *b, const ip_unicode_class *class) {
    for (size_t i = 0; i < class->count; i++) {
        char text[48];
        int n = snprintf(text, sizeof text, "\\x{%X}-\\x{%X}", (unsigned)class->ranges[i].first,
                         (unsigned)class->ranges[i].last);
        put(b, text, (size_t)n);
    }
}

/* \p{NAME} and \s become ranges, \S the complement; everything else is copied. Returns false on an unknown class. */
static bool expand(buffer *b, const char *pattern) {
    bool inside = false; /* of [...] */
    for (const char *p = pattern; *p;) {
        if (p[0] != '\\') {
            if (*p == '[') inside = true;
            if (*p == ']') inside = false;
            put(b, p++, 1);
            continue;
        }
        size_t length = 2;
        const ip_unicode_class *class = NULL;
        if (p[1] == 'p') {
            length = strcspn(p, "}") + 1;
            class = ip_unicode_class_find(p + 3, length - 4);
            if (!class) return false;
        } else if (p[1] == 's' || p[1] == 'S') {
            class = ip_unicode_class_find("s", 1);
        }
        if (!class) {
            put(b, p, length);
        } else {
            if (!inside) put(b, p[1] == 'S' ? "[^" : "[", p[1] == 'S' ? 2 : 1);
            put_ranges(b, class);
            if (!inside) put(b, "]", 1);
        }
        p += length;
    }
    return true;
}

static ip_status compile_stages(ip_splitter *splitter, const ip_pre *pre, ip_error *error) {
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < IP_PRE_STAGES && pre->expressions[i]; i++) {
        buffer b = {0};
        if (!expand(&b, pre->expressions[i]))
            status = ip_fail(error, IP_FAILED, "tokenizer: expression %zu of %s names an unknown class", i, pre->names);
        else if (b.failed)
            status = ip_fail(error, IP_FAILED, "tokenizer: out of memory");
        else
            status = ip_regex_compile(&splitter->stage[i], b.data, b.size, error);
        if (status == IP_OK) splitter->stages++;
        free(b.data);
    }
    return status;
}

/* ---- the scanners ---- */

static void mark(unsigned char *classes, const char *name, unsigned char value) {
    const ip_unicode_class *class = ip_unicode_class_find(name, strlen(name));
    for (size_t i = 0; i < class->count; i++)
        for (uint32_t c = class->ranges[i].first; c <= class->ranges[i].last; c++)
            if (classes[c] == OTHER) classes[c] = value;
}

ip_status ip_splitter_new(ip_splitter **out, const ip_pre *pre, bool quick, ip_error *error) {
    *out = NULL;
    ip_splitter *splitter = calloc(1, sizeof *splitter);
    if (!splitter) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    ip_status status = IP_OK;
    if (quick && pre->quick != IP_QUICK_NONE) {
        splitter->quick = pre->quick;
        splitter->classes = calloc(CODE_POINTS, 1);
        if (splitter->classes) {
            mark(splitter->classes, "L", LETTER);
            mark(splitter->classes, "N", NUMBER);
            mark(splitter->classes, "s", SPACE);
            mark(splitter->classes, "N17", NEW_NUMBER);
        } else {
            status = ip_fail(error, IP_FAILED, "tokenizer: out of memory");
        }
    } else {
        status = compile_stages(splitter, pre, error);
    }
    if (status != IP_OK) {
        ip_splitter_free(splitter);
        return status;
    }
    *out = splitter;
    return IP_OK;
}

void ip_splitter_free(ip_splitter *splitter) {
    if (!splitter) return;
    for (size_t i = 0; i < IP_PRE_STAGES; i++) ip_regex_free(splitter->stage[i]);
    free(splitter->classes);
    free(splitter);
}

typedef struct scan {
    const unsigned char *classes, *text;
    size_t end;
    bool digits; /* numbers are pieces of their own before anything else, so they end a text like its end */
} scan;

/* Bytes of the well-formed character at p. */
static inline size_t character(const unsigned char *p) {
    return p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
}

/* Class of the character at `at` and its length; at the end of the text, and at a digit that ends it, -1. */
static inline int class_at(const scan *s, size_t at, size_t *step) {
    if (at >= s->end) return -1;
    const unsigned char *p = s->text + at;
    unsigned class;
    if (p[0] < 0x80) {
        *step = 1;
        class = s->classes[p[0]];
    } else {
        *step = character(p);
        class = s->classes[ip_utf8_decode(p, *step)];
    }
    if (class == NUMBER || class == NEW_NUMBER) {
        if (s->digits) return -1;
        if (class == NEW_NUMBER) return OTHER;
    }
    return (int)class;
}

/* End of the run of one class that begins at `at`. */
static inline size_t run_end(const scan *s, size_t at, int class) {
    size_t step = 0;
    while (class_at(s, at, &step) == class) at += step;
    return at;
}

/* `\s+(?!\S)|\s+` over the white-space run from at to stop: all of it at the end of the text, else all but its last
 * character, else that one character. */
static size_t spaces_end(const scan *s, size_t at, size_t stop) {
    size_t step;
    if (class_at(s, stop, &step) < 0) return stop;
    size_t last = stop - 1;
    while ((s->text[last] & 0xC0) == 0x80) last--;
    return last > at ? last : stop;
}

/* Letters of a contraction after the apostrophe at `at`: 's 't 'm 'd 're 've 'll; fold: in any case, and 'ſ. */
static size_t contraction(const scan *s, size_t at, bool fold) {
    size_t left = s->end - at;
    if (left < 2) return 0;
    unsigned char a = s->text[at + 1], b = left > 2 ? s->text[at + 2] : 0;
    if (fold) {
        if (a == 0xC5 && b == 0xBF) return 3;
        if (a >= 'A' && a <= 'Z') a |= 0x20;
        if (b >= 'A' && b <= 'Z') b |= 0x20;
    }
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

static size_t scan_gpt2(const scan *s, size_t at) {
    size_t step = 0, next = 0;
    if (s->text[at] == '\'') {
        size_t n = contraction(s, at, false);
        if (n) return at + n;
    }
    int class = class_at(s, at, &step);
    if (class < 0) { /* a digit standing alone */
        return at + character(s->text + at);
    }
    if (class != SPACE) return run_end(s, at, class);
    int after = class_at(s, at + step, &next);
    if (s->text[at] == ' ' && after >= 0 && after != SPACE) return run_end(s, at + 1, after);
    return spaces_end(s, at, run_end(s, at, SPACE));
}

static inline bool is_break(unsigned char c) { return c == '\r' || c == '\n'; }

static size_t scan_llama3(const scan *s, size_t at, unsigned numbers) {
    size_t step = 0, next = 0;
    const unsigned char *text = s->text;
    if (text[at] == '\'') {
        size_t n = contraction(s, at, true);
        if (n) return at + n;
    }
    int class = class_at(s, at, &step);
    if (class == LETTER) return run_end(s, at, LETTER);
    if (class == NUMBER) {
        for (unsigned i = 0; i < numbers && class_at(s, at, &step) == NUMBER; i++) at += step;
        return at;
    }
    int after = class_at(s, at + step, &next);
    if (after == LETTER && !is_break(text[at])) return run_end(s, at + step, LETTER);
    if (class == OTHER || (text[at] == ' ' && after == OTHER)) {
        at = run_end(s, at + (class == OTHER ? 0 : 1), OTHER);
        while (at < s->end && is_break(text[at])) at++;
        return at;
    }
    size_t stop = run_end(s, at, SPACE);
    for (size_t i = stop; i > at; i--)
        if (is_break(text[i - 1])) return i;
    return spaces_end(s, at, stop);
}

ip_status ip_split_next(const ip_splitter *splitter, ip_regex_scratch *scratch, ip_split *state, const char *text,
                        size_t at, size_t end, size_t *stop, ip_error *error) {
    scan s = {splitter->classes, (const unsigned char *)text, end, splitter->quick == IP_QUICK_GPT2_DIGITS};
    switch (splitter->quick) {
    case IP_QUICK_GPT2:
    case IP_QUICK_GPT2_DIGITS: *stop = scan_gpt2(&s, at); return IP_OK;
    case IP_QUICK_LLAMA3: *stop = scan_llama3(&s, at, 3); return IP_OK;
    case IP_QUICK_QWEN2: *stop = scan_llama3(&s, at, 1); return IP_OK;
    case IP_QUICK_NONE: break;
    }
    /* Each stage splits the current piece of the stage before; a stage whose piece is used up finds its next one. */
    for (size_t i = 0; i < splitter->stages; i++) {
        size_t outer = i == 0 ? end : state->bound[i - 1], first, last;
        if (at < state->bound[i]) continue;
        ip_status status = ip_regex_find(splitter->stage[i], scratch, text, at, outer, &first, &last, error);
        if (status != IP_OK) return status;
        state->bound[i] = first > at ? first : last;
    }
    *stop = state->bound[splitter->stages - 1];
    return IP_OK;
}

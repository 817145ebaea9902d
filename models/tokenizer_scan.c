/* Scanners: the pieces that an expression of models/pretokenizers.def gives, an order of magnitude faster. Tests hold
 * them against the expressions.
 *
 * One flat table over all code points has a byte of flags per character; ASCII text touches its first 128 bytes only.
 * Exactly one of LETTER, NUMBER, SPACE, OTHER is set. */
#include "models/tokenizer_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/unicode_ranges.h"

enum { CODE_POINTS = 0x110000 };

enum {
    LETTER = 1,
    NUMBER = 2,
    SPACE = 4,
    OTHER = 8,
    KIND = 15,
    UPPER = 16,     /* may stand in the capitals that begin a word: Lu Lt Lm Lo M */
    LOWER = 32,     /* may stand in the small letters that go on: Ll Lm Lo M */
    NEW_NUMBER = 64 /* a number of Unicode 17 that Unicode 16 does not know: only the digit step takes it for one */
};

static void mark(unsigned char *classes, const char *name, unsigned char flags) {
    const ip_unicode_class *class = ip_unicode_class_find(name, strlen(name));
    for (size_t i = 0; i < class->count; i++)
        for (uint32_t c = class->ranges[i].first; c <= class->ranges[i].last; c++) classes[c] |= flags;
}

unsigned char *ip_scan_classes(void) {
    unsigned char *classes = calloc(CODE_POINTS, 1);
    if (!classes) return NULL;
    mark(classes, "N17", NEW_NUMBER);
    mark(classes, "L", LETTER);
    mark(classes, "N", NUMBER);
    mark(classes, "s", SPACE);
    static const char *const upper[] = {"Lu", "Lt", "Lm", "Lo", "M"}, *const lower[] = {"Ll", "Lm", "Lo", "M"};
    for (size_t i = 0; i < sizeof upper / sizeof *upper; i++) mark(classes, upper[i], UPPER);
    for (size_t i = 0; i < sizeof lower / sizeof *lower; i++) mark(classes, lower[i], LOWER);
    for (size_t c = 0; c < CODE_POINTS; c++) {
        if (!(classes[c] & KIND)) classes[c] |= OTHER;
        if (classes[c] & NUMBER) classes[c] &= (unsigned char)~NEW_NUMBER;
    }
    return classes;
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

/* Flags of the character at `at` and its length; 0 at the end of the text, and at a digit that ends it. */
static inline unsigned class_at(const scan *s, size_t at, size_t *step) {
    if (at >= s->end) return 0;
    const unsigned char *p = s->text + at;
    unsigned class;
    if (p[0] < 0x80) {
        *step = 1;
        class = s->classes[p[0]];
    } else {
        *step = character(p);
        class = s->classes[ip_utf8_decode(p, *step)];
    }
    return s->digits && class & (NUMBER | NEW_NUMBER) ? 0 : class;
}

/* End of the run of characters with one of the flags that begins at `at`. */
static inline size_t run_end(const scan *s, size_t at, unsigned flags) {
    size_t step = 0;
    while (class_at(s, at, &step) & flags) at += step;
    return at;
}

/* `\s+(?!\S)|\s+` over the white-space run from at to stop: all of it at the end of the text, else all but its last
 * character, else that one character. */
static size_t spaces_end(const scan *s, size_t at, size_t stop) {
    size_t step;
    if (class_at(s, stop, &step) == 0) return stop;
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
    unsigned class = class_at(s, at, &step) & KIND;
    if (class == 0) return at + character(s->text + at); /* a digit standing alone */
    if (class != SPACE) return run_end(s, at + step, class);
    unsigned after = class_at(s, at + step, &next) & KIND;
    if (s->text[at] == ' ' && after & (LETTER | NUMBER | OTHER)) return run_end(s, at + 1 + next, after);
    return spaces_end(s, at, run_end(s, at, SPACE));
}

static inline bool is_break(unsigned char c) { return c == '\r' || c == '\n'; }

/* `\s*[\r\n]+|\s+(?!\S)|\s+` at white space. */
static size_t white_end(const scan *s, size_t at) {
    size_t stop = run_end(s, at, SPACE);
    for (size_t i = stop; i > at; i--)
        if (is_break(s->text[i - 1])) return i;
    return spaces_end(s, at, stop);
}

static size_t numbers_end(const scan *s, size_t at, unsigned most) {
    size_t step;
    for (unsigned i = 0; i < most && class_at(s, at, &step) & NUMBER; i++) at += step;
    return at;
}

static size_t scan_llama3(const scan *s, size_t at, unsigned numbers) {
    size_t step = 0, next = 0;
    const unsigned char *text = s->text;
    if (text[at] == '\'') {
        size_t n = contraction(s, at, true);
        if (n) return at + n;
    }
    unsigned class = class_at(s, at, &step);
    if (class & LETTER) return run_end(s, at + step, LETTER);
    if (class & NUMBER) return numbers_end(s, at, numbers);
    unsigned after = class_at(s, at + step, &next);
    if (after & LETTER && !is_break(text[at])) return run_end(s, at + step + next, LETTER);
    if (class & OTHER || (text[at] == ' ' && after & OTHER)) {
        at = run_end(s, at + step, OTHER);
        while (at < s->end && is_break(text[at])) at++;
        return at;
    }
    return white_end(s, at);
}

/* `UP*LO+|UP+LO*` at `at`, where UP and LO share modifier letters, other letters and marks; 0: no match. only_first:
 * the first of the two. The capitals are taken greedily; when no small letter follows, they are given back down to the
 * last character that may be one. */
static size_t word_end(const scan *s, size_t at, bool only_first) {
    size_t step = 0, stop = at, shared = 0;
    unsigned class;
    while ((class = class_at(s, stop, &step)) & UPPER) {
        stop += step;
        if (class & LOWER) shared = stop;
    }
    if (class & LOWER) return run_end(s, stop, LOWER);
    if (shared) return shared;
    return only_first || stop == at ? 0 : stop;
}

static size_t scan_cased(const scan *s, size_t at, unsigned numbers, bool contractions) {
    size_t step = 0, next = 0, stop = 0;
    const unsigned char *text = s->text;
    unsigned class = class_at(s, at, &step);
    /* One character that is no letter, number or line break may go in front of the word. */
    bool front = !(class & (LETTER | NUMBER)) && !is_break(text[at]);
    bool word = (class & (UPPER | LOWER)) != 0;
    if (front) stop = word_end(s, at + step, true);
    if (!stop && word) stop = word_end(s, at, true);
    if (!stop && front) stop = word_end(s, at + step, false);
    if (!stop && word) stop = word_end(s, at, false);
    if (stop) {
        if (contractions && stop < s->end && text[stop] == '\'') stop += contraction(s, stop, true);
        return stop;
    }
    if (class & NUMBER) return numbers_end(s, at, numbers);
    if (class & OTHER || (text[at] == ' ' && class_at(s, at + 1, &next) & OTHER)) {
        at = run_end(s, at + step, OTHER);
        while (at < s->end && (is_break(text[at]) || text[at] == '/')) at++;
        return at;
    }
    return white_end(s, at);
}

size_t ip_scan(ip_quick quick, const unsigned char *classes, const char *text, size_t at, size_t end) {
    scan s = {classes, (const unsigned char *)text, end, false};
    switch (quick) {
    case IP_QUICK_GPT2: return scan_gpt2(&s, at);
    case IP_QUICK_GPT2_DIGITS: s.digits = true; return scan_gpt2(&s, at);
    case IP_QUICK_LLAMA3: return scan_llama3(&s, at, 3);
    case IP_QUICK_QWEN2: return scan_llama3(&s, at, 1);
    case IP_QUICK_TEKKEN: return scan_cased(&s, at, 1, false);
    case IP_QUICK_O200K: return scan_cased(&s, at, 3, true);
    case IP_QUICK_NONE: break;
    }
    return end;
}

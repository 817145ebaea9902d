/* Expressions of the reference engine (Oniguruma) written for PCRE2, with their classes as explicit ranges: what a
 * pattern means does not depend on the Unicode version, or the idea of white space, of the library that runs it. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/tokenizer_regex.h"
#include "models/unicode_ranges.h"

typedef struct buffer {
    char *data;
    size_t size, room;
    bool failed;
} buffer;

static void put(buffer *b, const char *text, size_t n) {
    if (b->failed) return;
    if (n > b->room - b->size) {
        size_t room = (b->size + n) * 2 + 256;
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

static void put_text(buffer *b, const char *text) { put(b, text, strlen(text)); }

static void put_range(buffer *b, uint32_t first, uint32_t last) {
    /* Surrogates are no characters, and PCRE2 takes none as the end of a range. */
    if (first >= 0xD800 && first < 0xE000) first = 0xE000;
    if (last >= 0xD800 && last < 0xE000) last = 0xD7FF;
    if (first > last) return;
    char text[48];
    int n = snprintf(text, sizeof text, "\\x{%X}-\\x{%X}", (unsigned)first, (unsigned)last);
    put(b, text, (size_t)n);
}

static void put_ranges(buffer *b, const ip_unicode_class *class, bool negated) {
    uint32_t next = 0;
    for (size_t i = 0; i < class->count; i++) {
        if (!negated)
            put_range(b, class->ranges[i].first, class->ranges[i].last);
        else if (class->ranges[i].first > next)
            put_range(b, next, class->ranges[i].first - 1);
        next = class->ranges[i].last + 1;
    }
    if (negated && next <= 0x10FFFF) put_range(b, next, 0x10FFFF);
}

/* A class outside [...]. Folding case would widen its ranges, which the reference engine does not do. */
static void put_class(buffer *b, const ip_unicode_class *class, bool negated, bool folding) {
    if (folding) put_text(b, "(?-i:");
    put_text(b, negated ? "[^" : "[");
    put_ranges(b, class, false);
    put_text(b, folding ? "])" : "]");
}

/* Groups, as far as they say where case is folded: from "(?i" to the end of that group. */
typedef struct groups {
    size_t depth, folding; /* folding: depth of the group that began it; 0: none */
} groups;

static void follow_groups(groups *g, const char *p, size_t left) {
    if (p[0] == ')') {
        if (g->folding == g->depth) g->folding = 0;
        g->depth -= g->depth > 1;
    } else if (p[0] == '(') {
        size_t i = 2;
        bool on = false;
        if (left > 2 && p[1] == '?')
            for (; i < left && p[i] >= 'a' && p[i] <= 'z'; i++) on = on || p[i] == 'i';
        /* "(?i)" is no group of its own: it holds in the one around it, and its end is no end. */
        bool open = i < left && p[i] == ')';
        if (on && g->folding == 0) g->folding = g->depth + !open;
        g->depth++;
    }
}

/* The border of a word, \b, or a place that is none, \B. */
static void put_border(buffer *b, bool negated) {
    const ip_unicode_class *word = ip_unicode_class_find("w", 1);
    static const char *const inside[4] = {"(?:(?<=[", "])(?=[", "])|(?<![", "])(?!["};
    static const char *const between[4] = {"(?:(?<=[", "])(?![", "])|(?<![", "])(?=["};
    for (int i = 0; i < 4; i++) {
        put_text(b, (negated ? inside : between)[i]);
        put_ranges(b, word, false);
    }
    put_text(b, "]))");
}

typedef struct escape {
    const ip_unicode_class *class; /* NULL: none of the classes */
    size_t length;
    bool negated;
} escape;

/* \p{..} at p, left bytes of pattern from there. */
static ip_status property(const char *p, size_t left, escape *out, ip_error *error) {
    const char *end = left > 2 && p[2] == '{' ? memchr(p, '}', left) : NULL;
    if (!end) return ip_fail(error, IP_BAD_INPUT, "regular expression: \\p without a name in braces");
    const char *name = p + 3;
    out->negated = p[1] == 'P';
    if (*name == '^') {
        out->negated = !out->negated;
        name++;
    }
    size_t n = (size_t)(end - name);
    out->class = ip_unicode_class_find(name, n);
    out->length = (size_t)(end - p) + 1;
    if (!out->class)
        return ip_fail(error, IP_BAD_INPUT, "regular expression: unknown property '%.*s'", (int)(n < 40 ? n : 40),
                       name);
    return IP_OK;
}

static ip_status read_escape(const char *p, size_t left, escape *out, ip_error *error) {
    *out = (escape){NULL, 2, false};
    if (left < 2) return ip_fail(error, IP_BAD_INPUT, "regular expression: ends in a backslash");
    switch (p[1]) {
    case 'p':
    case 'P': return property(p, left, out, error);
    case 's':
    case 'S': out->class = ip_unicode_class_find("s", 1); break;
    case 'd':
    case 'D': out->class = ip_unicode_class_find("d", 1); break;
    case 'w':
    case 'W': out->class = ip_unicode_class_find("w", 1); break;
    case 'X':
    case 'K':
    case 'C':
    case 'h':
    case 'H':
    case 'N':
    case 'O':
    case 'y':
    case 'Y':
    case 'G': return ip_fail(error, IP_BAD_INPUT, "regular expression: \\%c is not supported", p[1]);
    default: break;
    }
    out->negated = out->class && p[1] < 'a';
    return IP_OK;
}

ip_status ip_expression_expand(const char *pattern, size_t n, char **out, size_t *out_n, ip_error *error) {
    buffer b = {0};
    bool inside = false; /* of [...] */
    groups g = {1, 0};
    ip_status status = IP_OK;
    if (n == 0) put_text(&b, "(?:)");
    for (size_t i = 0; status == IP_OK && i < n;) {
        const char *p = pattern + i;
        if (p[0] != '\\') {
            /* In the reference engine these are a class inside a class, and an intersection. */
            bool nested = inside && (p[0] == '[' || (p[0] == '&' && i + 1 < n && p[1] == '&'));
            size_t first = i + 1 < n && p[1] == '^' ? 2 : 1; /* a ] here stands for itself */
            nested = nested || (p[0] == '[' && i + first < n && p[first] == ']');
            if (nested)
                status = ip_fail(error, IP_BAD_INPUT, "regular expression: nested classes are not supported");
            else if (!inside && p[0] == '(' && i + 1 < n && p[1] == '*')
                status = ip_fail(error, IP_BAD_INPUT, "regular expression: verbs are not supported");
            if (!inside) follow_groups(&g, p, n - i);
            if (p[0] == '[') inside = true;
            if (p[0] == ']') inside = false;
            put(&b, p, 1);
            i++;
            continue;
        }
        escape e;
        status = read_escape(p, n - i, &e, error);
        if (status != IP_OK) break;
        if (e.class && inside)
            put_ranges(&b, e.class, e.negated);
        else if (e.class)
            put_class(&b, e.class, e.negated, g.folding > 0);
        else if (!inside && (p[1] == 'b' || p[1] == 'B'))
            put_border(&b, p[1] == 'B');
        else
            put(&b, p, e.length);
        i += e.length;
    }
    if (status == IP_OK && b.failed) status = ip_fail(error, IP_FAILED, "out of memory");
    if (status != IP_OK) {
        free(b.data);
        return status;
    }
    *out = b.data;
    *out_n = b.size;
    return IP_OK;
}

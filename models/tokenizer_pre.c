/* Splitting text into pieces: stages of expressions on PCRE2, each splitting the pieces of the one before, or, for the
 * rules that most models have, a scanner (tokenizer_scan.c) that gives the same pieces. */
#include "models/tokenizer_pre.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

static const ip_pre rows[] = {
#define IP_PRETOKENIZER(names, quick, flags, ...) {names, quick, flags, {__VA_ARGS__}},
#include "models/pretokenizers.def"
#undef IP_PRETOKENIZER
};

typedef struct stage {
    char *expression;
    ip_behaviour behaviour;
    ip_regex *regex;
} stage;

struct ip_splitter {
    ip_quick quick;
    unsigned char *classes; /* for a scanner */
    size_t stages;
    stage stage[IP_PRE_STAGES];
    const ip_pre *row; /* whose stages these are; NULL: of none */
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

/* ---- building ---- */

ip_splitter *ip_splitter_new(void) { return calloc(1, sizeof(ip_splitter)); }

ip_status ip_splitter_add(ip_splitter *splitter, const char *expression, size_t n, ip_behaviour behaviour,
                          ip_error *error) {
    if (splitter->stages == IP_PRE_STAGES)
        return ip_fail(error, IP_BAD_INPUT, "more than %d splitting steps", IP_PRE_STAGES);
    if (memchr(expression, '\0', n)) return ip_fail(error, IP_BAD_INPUT, "regular expression: holds a NUL");
    stage *s = &splitter->stage[splitter->stages];
    s->expression = strndup(expression, n);
    if (!s->expression) return ip_fail(error, IP_FAILED, "out of memory");
    s->behaviour = behaviour;
    splitter->stages++;
    return ip_regex_compile(&s->regex, expression, n, error);
}

static bool has_stages(const ip_pre *row, const ip_splitter *splitter) {
    for (size_t i = 0; i < splitter->stages; i++) {
        const stage *s = &splitter->stage[i];
        if (s->behaviour != IP_ISOLATED || !row->expressions[i] || strcmp(row->expressions[i], s->expression) != 0)
            return false;
    }
    return splitter->stages == IP_PRE_STAGES || !row->expressions[splitter->stages];
}

static ip_status take_scanner(ip_splitter *splitter, ip_error *error) {
    if (splitter->row->quick == IP_QUICK_NONE) return IP_OK;
    splitter->classes = ip_scan_classes();
    if (!splitter->classes) return ip_fail(error, IP_FAILED, "out of memory");
    splitter->quick = splitter->row->quick;
    return IP_OK;
}

ip_status ip_splitter_quicken(ip_splitter *splitter, ip_error *error) {
    for (size_t i = 0; i < ip_pre_count() && !splitter->row; i++)
        if (has_stages(&rows[i], splitter)) splitter->row = &rows[i];
    return splitter->row ? take_scanner(splitter, error) : IP_OK;
}

ip_status ip_splitter_of_row(ip_splitter **out, const ip_pre *pre, bool quick, ip_error *error) {
    *out = NULL;
    ip_splitter *splitter = ip_splitter_new();
    if (!splitter) return ip_fail(error, IP_FAILED, "out of memory");
    splitter->row = pre;
    ip_status status = IP_OK;
    if (quick && pre->quick != IP_QUICK_NONE) {
        status = take_scanner(splitter, error);
    } else {
        for (size_t i = 0; status == IP_OK && i < IP_PRE_STAGES && pre->expressions[i]; i++)
            status = ip_splitter_add(splitter, pre->expressions[i], strlen(pre->expressions[i]), IP_ISOLATED, error);
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
    for (size_t i = 0; i < splitter->stages; i++) {
        ip_regex_free(splitter->stage[i].regex);
        free(splitter->stage[i].expression);
    }
    free(splitter->classes);
    free(splitter);
}

size_t ip_splitter_stages(const ip_splitter *splitter) { return splitter->quick ? 1 : splitter->stages; }

bool ip_splitter_cuttable(const ip_splitter *splitter) {
    return splitter->row && !(splitter->row->flags & IP_PRE_NO_CUT);
}

/* ---- splitting ---- */

typedef struct piece {
    const ip_regex *regex;
    ip_regex_scratch *scratch;
    const char *text;
    size_t begin, end; /* of the piece that is being split */
} piece;

/* The first match at or after at, end .. end without one. An empty one counts as a border where it stands inside; at
 * the border `at` itself it says nothing, and the search goes on behind the next character. */
static ip_status next_match(const piece *p, size_t at, size_t *first, size_t *last, ip_error *error) {
    size_t from = at;
    for (;;) {
        ip_status status = ip_regex_find(p->regex, p->scratch, p->text, p->begin, from, p->end, first, last, error);
        if (status != IP_OK || *last > at || *first == p->end) return status;
        size_t step = ip_utf8_step((const unsigned char *)p->text + from, p->end - from);
        from += step ? step : 1;
        if (from >= p->end) {
            *first = *last = p->end;
            return IP_OK;
        }
    }
}

/* The next piece of stage i inside begin .. end. */
static ip_status advance(const piece *p, ip_behaviour behaviour, ip_split *state, size_t i, size_t at,
                         ip_error *error) {
    size_t first = at, last = state->match[i];
    ip_status status = IP_OK;
    if (last == 0) status = next_match(p, at, &first, &last, error);
    if (status != IP_OK) return status;
    bool match = first == at;
    state->first[i] = at;
    state->match[i] = 0;
    state->dropped[i] = match ? behaviour == IP_REMOVED : behaviour == IP_KEPT;
    state->bound[i] = match ? last : first;
    if (!match && last > first) state->match[i] = last;
    if (behaviour == IP_WITH_PREVIOUS && !match) {
        state->bound[i] = last;
        state->match[i] = 0;
    }
    /* What comes behind a match may belong to its piece: a gap (unless another match follows at once), or matches. */
    bool look = match && (behaviour == IP_WITH_NEXT || behaviour == IP_CONTIGUOUS);
    while (look && state->bound[i] < p->end) {
        size_t next = state->bound[i];
        status = next_match(p, next, &first, &last, error);
        if (status != IP_OK) return status;
        look = behaviour == IP_CONTIGUOUS && first == next;
        if (look) {
            state->bound[i] = last;
        } else if (behaviour == IP_WITH_NEXT) {
            state->bound[i] = first;
            state->match[i] = last > first ? last : 0;
        }
    }
    return IP_OK;
}

ip_status ip_split_next(const ip_splitter *splitter, ip_regex_scratch *scratch, ip_split *state, const char *text,
                        size_t at, size_t end, size_t *stop, bool *dropped, ip_error *error) {
    *dropped = false;
    if (splitter->quick != IP_QUICK_NONE) {
        *stop = ip_scan(splitter->quick, splitter->classes, text, at, end);
        return IP_OK;
    }
    /* Each stage splits the current piece of the stage before; a stage whose piece is used up finds its next one. */
    size_t begin = 0;
    *stop = end;
    for (size_t i = 0; i < splitter->stages; i++) {
        if (at >= state->bound[i]) {
            piece p = {splitter->stage[i].regex, scratch, text, i == 0 ? 0 : begin, *stop};
            ip_status status = advance(&p, splitter->stage[i].behaviour, state, i, at, error);
            if (status != IP_OK) return status;
            for (size_t k = i + 1; k < splitter->stages; k++) {
                state->bound[k] = 0;
                state->match[k] = 0;
            }
        }
        begin = state->first[i];
        *stop = state->bound[i];
        *dropped = *dropped || state->dropped[i];
        if (state->dropped[i]) break;
    }
    return IP_OK;
}

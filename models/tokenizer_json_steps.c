/* The normalizer and the pre_tokenizer of a tokenizer.json. Every splitting component is an expression with a behaviour;
 * the two that change the text (ByteLevel, Metaspace) stand between two splitters. What is not known is refused by its
 * name: a component left out would give wrong ids without a word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_json.h"

#define BLOCK "\xE2\x96\x81" /* U+2581 */

/* The expression of ByteLevel's use_regex, spelled as in models/pretokenizers.def. */
static const char gpt2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

enum { MOST_NESTED = 16, MOST_STEPS = 64 };

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* ---- normalizer ---- */

static ip_status text_of(const ip_json_source *s, const char *component, const ip_node *node, const char *key,
                         char **out, size_t *n) {
    const char *text;
    if (!ip_node_text(ip_node_get(node, key), &text))
        return ip_json_refuse(s, component, "%s is missing or not a string", key);
    *out = strdup(text);
    *n = strlen(text);
    return *out ? IP_OK : ip_json_no_room(s);
}

static ip_status replace_step(const ip_json_source *s, const ip_node *node, ip_normal *step) {
    const ip_node *pattern = ip_node_get(node, "pattern");
    const char *expression;
    ip_status status = text_of(s, "normalizer: Replace", node, "content", &step->to, &step->to_n);
    if (status != IP_OK) return status;
    if (ip_node_text(ip_node_get(pattern, "Regex"), &expression)) {
        ip_error why;
        status = ip_regex_compile(&step->regex, expression, strlen(expression), &why);
        return status == IP_OK ? IP_OK : ip_json_refuse(s, "normalizer: Replace", "%s", why.message);
    }
    status = text_of(s, "normalizer: Replace: pattern", pattern, "String", &step->from, &step->from_n);
    if (status == IP_OK && step->from_n == 0) return ip_json_refuse(s, "normalizer: Replace", "an empty pattern");
    return status;
}

static ip_status normal_step(const ip_json_source *s, const ip_node *node, const char *type, ip_normal *step) {
    static const struct {
        const char *type;
        ip_normal_kind kind;
    } plain[] = {{"NFC", IP_NORMAL_NFC},
                 {"NFD", IP_NORMAL_NFD},
                 {"NFKC", IP_NORMAL_NFKC},
                 {"NFKD", IP_NORMAL_NFKD},
                 {"Lowercase", IP_NORMAL_LOWERCASE},
                 {"StripAccents", IP_NORMAL_STRIP_ACCENTS},
                 {"Strip", IP_NORMAL_STRIP},
                 {"Replace", IP_NORMAL_REPLACE},
                 {"Prepend", IP_NORMAL_PREPEND}};
    size_t i = 0, count = sizeof plain / sizeof plain[0];
    while (i < count && !is(type, plain[i].type)) i++;
    if (i == count)
        return ip_json_refuse(s, "normalizer",
                              "type '%.40s' is not supported; known: NFC NFD NFKC NFKD Lowercase StripAccents Strip "
                              "Replace Prepend Sequence",
                              type);
    step->kind = plain[i].kind;
    if (step->kind == IP_NORMAL_REPLACE) return replace_step(s, node, step);
    if (step->kind == IP_NORMAL_PREPEND)
        return text_of(s, "normalizer: Prepend", node, "prepend", &step->to, &step->to_n);
    if (step->kind != IP_NORMAL_STRIP) return IP_OK;
    ip_status status = ip_json_flag(s, "normalizer: Strip", node, "strip_left", true, &step->left);
    return status == IP_OK ? ip_json_flag(s, "normalizer: Strip", node, "strip_right", true, &step->right) : status;
}

/* The members of a Sequence under `key`, checked. */
static ip_status members(const ip_json_source *s, const char *component, const ip_node *node, const char *key,
                         unsigned depth, const ip_node **out) {
    *out = ip_node_get(node, key);
    if (!ip_node_is_array(*out)) return ip_json_refuse(s, component, "a Sequence without the list '%s'", key);
    if (depth == MOST_NESTED)
        return ip_json_refuse(s, component, "Sequences nested deeper than %d levels", MOST_NESTED);
    return IP_OK;
}

static ip_status read_normalizer(ip_tokenizer *t, const ip_json_source *s, const ip_node *node, unsigned depth) {
    const char *type;
    ip_status status = ip_json_type(s, "normalizer", node, &type);
    if (status != IP_OK) return status;
    if (is(type, "Sequence")) {
        const ip_node *list;
        status = members(s, "normalizer", node, "normalizers", depth, &list);
        for (size_t i = 0; status == IP_OK && i < ip_node_count(list); i++)
            status = read_normalizer(t, s, ip_node_at(list, i), depth + 1);
        return status;
    }
    if (t->normals == MOST_STEPS) return ip_json_refuse(s, "normalizer", "more than %d steps", MOST_STEPS);
    return normal_step(s, node, type, &t->normal[t->normals++]);
}

static bool is_spacing(const ip_normal *step) {
    return step->kind == IP_NORMAL_REPLACE && !step->regex && is(step->from, " ") && is(step->to, BLOCK);
}

static bool is_block_in_front(const ip_normal *step) { return step->kind == IP_NORMAL_PREPEND && is(step->to, BLOCK); }

/* Whether the steps end in "spaces become U+2581", with one put in front or not: then text and tokens can meet in the
 * form that has spaces for both. `taken` steps at the end say so. */
static bool ends_spaced(const ip_tokenizer *t, size_t *taken, bool *prefix) {
    size_t n = t->normals;
    const ip_normal *last = n > 0 ? &t->normal[n - 1] : NULL, *other = n > 1 ? &t->normal[n - 2] : NULL;
    *prefix =
        other && ((is_spacing(last) && is_block_in_front(other)) || (is_block_in_front(last) && is_spacing(other)));
    *taken = *prefix ? 2 : 1;
    return *prefix || (last && is_spacing(last));
}

/* ---- pre_tokenizer ---- */

typedef struct splits {
    ip_tokenizer *t;
    const ip_json_source *s;
    bool byte_level, metaspace;
    bool spaced; /* the normalizer leaves no space in the text */
    bool plain;  /* some component may tell U+2581 from a space */
} splits;

static ip_status add_split(splits *p, const char *component, const char *expression, size_t n, ip_behaviour behaviour) {
    ip_tokenizer *t = p->t;
    if (p->metaspace) return ip_json_refuse(p->s, component, "a step behind Metaspace is not supported");
    bool behind = p->byte_level; /* of the byte-level spelling */
    if (behind && t->after && !t->alphabet)
        return ip_json_refuse(p->s, component, "a step behind ByteLevel with add_prefix_space is not supported");
    ip_splitter **to = behind ? &t->after : &t->before;
    if (!*to) *to = ip_splitter_new();
    if (!*to) return ip_json_no_room(p->s);
    t->alphabet = t->alphabet || behind;
    p->plain = true;
    ip_error why;
    ip_status status = ip_splitter_add(*to, expression, n, behaviour, &why);
    if (status == IP_FAILED) return ip_json_no_room(p->s);
    return status == IP_OK ? IP_OK : ip_json_refuse(p->s, component, "%s", why.message);
}

static ip_status read_behaviour(const splits *p, const char *component, const ip_node *node, ip_behaviour *out) {
    static const struct {
        const char *name;
        ip_behaviour behaviour;
    } known[] = {{"Isolated", IP_ISOLATED},
                 {"Removed", IP_REMOVED},
                 {"MergedWithPrevious", IP_WITH_PREVIOUS},
                 {"MergedWithNext", IP_WITH_NEXT},
                 {"Contiguous", IP_CONTIGUOUS}};
    const char *name;
    if (!ip_node_text(ip_node_get(node, "behavior"), &name))
        return ip_json_refuse(p->s, component, "behavior is missing or not a string");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!is(name, known[i].name)) continue;
        *out = known[i].behaviour;
        return IP_OK;
    }
    return ip_json_refuse(p->s, component, "unknown behavior '%.40s'", name);
}

/* A string as an expression that matches it. */
static char *quoted(const char *text, size_t *n) {
    char *out = malloc(12 * strlen(text) + 1);
    size_t o = 0, left = strlen(text);
    for (const unsigned char *p = (const unsigned char *)text; out && left > 0;) {
        size_t step = ip_utf8_step(p, left);
        if (step == 0) step = 1;
        o += (size_t)sprintf(out + o, "\\x{%X}", (unsigned)ip_utf8_decode(p, step));
        p += step;
        left -= step;
    }
    *n = o;
    return out;
}

static ip_status read_split(splits *p, const ip_node *node) {
    static const char component[] = "pre_tokenizer: Split";
    const ip_node *pattern = ip_node_get(node, "pattern");
    const char *text;
    ip_behaviour behaviour = IP_ISOLATED;
    bool invert;
    ip_status status = read_behaviour(p, component, node, &behaviour);
    if (status == IP_OK) status = ip_json_flag(p->s, component, node, "invert", false, &invert);
    if (status != IP_OK) return status;
    if (invert && (behaviour == IP_WITH_PREVIOUS || behaviour == IP_WITH_NEXT))
        return ip_json_refuse(p->s, component, "invert together with a merging behavior is not supported");
    if (invert && behaviour == IP_REMOVED) behaviour = IP_KEPT;
    if (ip_node_text(ip_node_get(pattern, "Regex"), &text))
        return add_split(p, component, text, strlen(text), behaviour);
    if (!ip_node_text(ip_node_get(pattern, "String"), &text))
        return ip_json_refuse(p->s, component, "pattern is neither a Regex nor a String");
    if (text[0] == '\0') return IP_OK; /* matches nothing */
    /* Gemma splits at spaces after its normalizer has removed them all. */
    if (p->spaced && !p->byte_level && strchr(text, ' ') && behaviour != IP_KEPT) return IP_OK;
    size_t n;
    char *expression = quoted(text, &n);
    if (!expression) return ip_json_no_room(p->s);
    status = add_split(p, component, expression, n, behaviour);
    free(expression);
    return status;
}

static ip_status read_byte_level(splits *p, const ip_node *node) {
    static const char component[] = "pre_tokenizer: ByteLevel";
    bool prefix, use_regex;
    ip_status status = ip_json_flag(p->s, component, node, "add_prefix_space", true, &prefix);
    if (status == IP_OK) status = ip_json_flag(p->s, component, node, "use_regex", true, &use_regex);
    if (status != IP_OK) return status;
    if (p->byte_level || p->metaspace) return ip_json_refuse(p->s, component, "only one such step is supported");
    ip_tokenizer *t = p->t;
    t->form = IP_FORM_BYTES;
    if (prefix) t->change = IP_CHANGE_SPACE;
    if (use_regex) {
        ip_splitter **to = prefix ? &t->after : &t->before;
        if (!*to) *to = ip_splitter_new();
        if (!*to) return ip_json_no_room(p->s);
        ip_error why;
        status = ip_splitter_add(*to, gpt2, strlen(gpt2), IP_ISOLATED, &why);
        if (status != IP_OK) return ip_json_refuse(p->s, component, "%s", why.message);
    }
    p->byte_level = p->plain = true;
    return IP_OK;
}

static ip_status read_metaspace(splits *p, const ip_node *node) {
    static const char component[] = "pre_tokenizer: Metaspace";
    const char *replacement = BLOCK, *scheme = NULL;
    bool old_prefix;
    ip_tokenizer *t = p->t;
    ip_status status = ip_json_flag(p->s, component, node, "add_prefix_space", true, &old_prefix);
    if (status == IP_OK) status = ip_json_flag(p->s, component, node, "split", true, &t->word_split);
    if (status != IP_OK) return status;
    if (p->byte_level || p->metaspace) return ip_json_refuse(p->s, component, "only one such step is supported");
    if (ip_node_has(node, "replacement") &&
        (!ip_node_text(ip_node_get(node, "replacement"), &replacement) || !is(replacement, BLOCK)))
        return ip_json_refuse(p->s, component, "a replacement other than U+2581 is not supported");
    if (ip_node_has(node, "prepend_scheme") && !ip_node_text(ip_node_get(node, "prepend_scheme"), &scheme))
        return ip_json_refuse(p->s, component, "prepend_scheme is not a string");
    if (!scheme) scheme = old_prefix ? "always" : "never";
    if (!is(scheme, "always") && !is(scheme, "first") && !is(scheme, "never"))
        return ip_json_refuse(p->s, component, "unknown prepend_scheme '%.40s'", scheme);
    t->prefix = is(scheme, "always") ? IP_PREFIX_ALWAYS : is(scheme, "first") ? IP_PREFIX_FIRST : IP_PREFIX_NEVER;
    t->change = IP_CHANGE_METASPACE;
    t->form = IP_FORM_SPACED;
    p->metaspace = true;
    return IP_OK;
}

static ip_status read_char_delimiter(splits *p, const ip_node *node) {
    static const char component[] = "pre_tokenizer: CharDelimiterSplit";
    const char *text;
    if (!ip_node_text(ip_node_get(node, "delimiter"), &text) || text[0] == '\0')
        return ip_json_refuse(p->s, component, "delimiter is missing or not a character");
    size_t n;
    char *expression = quoted(text, &n);
    if (!expression) return ip_json_no_room(p->s);
    ip_status status = add_split(p, component, expression, n, IP_REMOVED);
    free(expression);
    return status;
}

static ip_status read_classes(splits *p, const ip_node *node, bool digits) {
    const char *component = digits ? "pre_tokenizer: Digits" : "pre_tokenizer: Punctuation";
    ip_behaviour behaviour = IP_ISOLATED;
    bool single = true;
    ip_status status = IP_OK;
    if (digits)
        status = ip_json_flag(p->s, component, node, "individual_digits", false, &single);
    else if (ip_node_has(node, "behavior"))
        status = read_behaviour(p, component, node, &behaviour);
    if (status != IP_OK) return status;
    if (behaviour == IP_CONTIGUOUS) {
        single = false;
        behaviour = IP_ISOLATED;
    }
    const char *expression = digits ? single ? "\\p{N17}" : "\\p{N17}+" : single ? "\\p{P8}" : "\\p{P8}+";
    return add_split(p, component, expression, strlen(expression), behaviour);
}

static ip_status read_pre_tokenizer(splits *p, const ip_node *node, unsigned depth) {
    const char *type;
    ip_status status = ip_json_type(p->s, "pre_tokenizer", node, &type);
    if (status != IP_OK) return status;
    if (is(type, "Split")) return read_split(p, node);
    if (is(type, "ByteLevel")) return read_byte_level(p, node);
    if (is(type, "Metaspace")) return read_metaspace(p, node);
    if (is(type, "Digits")) return read_classes(p, node, true);
    if (is(type, "Punctuation")) return read_classes(p, node, false);
    if (is(type, "CharDelimiterSplit")) return read_char_delimiter(p, node);
    static const char words[] = "\\p{W}+|[^\\p{W}\\s]+";
    if (is(type, "Whitespace")) return add_split(p, "pre_tokenizer: Whitespace", words, strlen(words), IP_KEPT);
    if (is(type, "WhitespaceSplit")) return add_split(p, "pre_tokenizer: WhitespaceSplit", "\\s", 2, IP_REMOVED);
    if (!is(type, "Sequence"))
        return ip_json_refuse(p->s, "pre_tokenizer",
                              "type '%.40s' is not supported; known: ByteLevel Metaspace Split Digits Punctuation "
                              "Whitespace WhitespaceSplit CharDelimiterSplit Sequence",
                              type);
    const ip_node *list;
    status = members(p->s, "pre_tokenizer", node, "pretokenizers", depth, &list);
    for (size_t i = 0; status == IP_OK && i < ip_node_count(list); i++)
        status = read_pre_tokenizer(p, ip_node_at(list, i), depth + 1);
    return status;
}

ip_status ip_json_steps(ip_tokenizer *t, const ip_json_source *s) {
    t->form = IP_FORM_PLAIN;
    t->normal = calloc(MOST_STEPS, sizeof *t->normal);
    if (!t->normal) return ip_json_no_room(s);
    const ip_node *normalizer = ip_node_get(s->root, "normalizer"), *pre = ip_node_get(s->root, "pre_tokenizer");
    ip_status status = normalizer ? read_normalizer(t, s, normalizer, 0) : IP_OK;
    if (status != IP_OK) return status;
    size_t taken;
    bool prefix;
    splits p = {.t = t, .s = s, .spaced = ends_spaced(t, &taken, &prefix)};
    status = pre ? read_pre_tokenizer(&p, pre, 0) : IP_OK;
    if (status != IP_OK) return status;
    if (p.spaced && !p.plain) {
        for (size_t i = 0; i < taken; i++) ip_normal_free(&t->normal[--t->normals]);
        t->form = IP_FORM_SPACED;
        t->spaced = true;
        t->space_prefix = prefix;
    }
    return t->before ? ip_splitter_quicken(t->before, s->error) : IP_OK;
}

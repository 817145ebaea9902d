/* A tokenizer from a Hugging Face tokenizer.json: vocabulary, merges or scores, added tokens, what is put around a text.
 * The law is what the `tokenizers` library does with the file. Everything in it is checked before it is used. */
#include "models/tokenizer_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"

ip_status ip_json_refuse(const ip_json_source *s, const char *component, const char *format, ...) {
    char line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return ip_fail(s->error, IP_BAD_INPUT, "%s: %s: %s", s->path, component, line);
}

ip_status ip_json_no_room(const ip_json_source *s) {
    return ip_fail(s->error, IP_FAILED, "%s: out of memory", s->path);
}

ip_status ip_json_type(const ip_json_source *s, const char *component, const ip_node *node, const char **out) {
    if (ip_node_is_object(node) && ip_node_text(ip_node_get(node, "type"), out)) return IP_OK;
    return ip_json_refuse(s, component, "is not an object with a type");
}

ip_status ip_json_flag(const ip_json_source *s, const char *component, const ip_node *node, const char *key,
                       bool fallback, bool *out) {
    *out = fallback;
    const ip_node *value = ip_node_get(node, key);
    if (!value || ip_node_bool(value, out)) return IP_OK;
    return ip_json_refuse(s, component, "%s is not true or false", key);
}

/* ---- vocabulary ---- */

/* The texts by id, before they are put into their form. */
typedef struct vocabulary {
    ip_bytes *texts; /* data NULL: no token has this id */
    size_t count;
    size_t entries, bytes;
    bool byte_fallback;
} vocabulary;

static ip_status check_id(const ip_json_source *s, const char *component, const ip_node *node, const char *text,
                          uint64_t most, uint64_t *id) {
    if (!ip_node_whole(node, id))
        return ip_json_refuse(s, component, "the id of '%.40s' is missing or not a whole number", text);
    if (*id >= most)
        return ip_json_refuse(s, component, "the id %llu of '%.40s' is too large", (unsigned long long)*id, text);
    return IP_OK;
}

/* The largest id of vocabulary and added tokens, plus one. most: no file of this size has larger ones. */
static ip_status measure(const ip_json_source *s, const ip_node *vocab, const ip_node *added, uint64_t most,
                         vocabulary *v) {
    uint64_t id, count = ip_node_is_array(vocab) ? ip_node_count(vocab) : 0;
    ip_status status = IP_OK;
    void *it = ip_node_is_object(vocab) ? ip_node_next(vocab, NULL) : NULL;
    for (; it && status == IP_OK; it = ip_node_next(vocab, it)) {
        status = check_id(s, "model.vocab", ip_node_value(it), ip_node_key(it), most, &id);
        if (status == IP_OK && id >= count) count = id + 1;
        v->bytes += strlen(ip_node_key(it));
    }
    for (size_t i = 0; status == IP_OK && i < ip_node_count(added); i++) {
        const char *content = "";
        if (!ip_node_text(ip_node_get(ip_node_at(added, i), "content"), &content))
            return ip_json_refuse(s, "added_tokens", "the content of token %zu is missing or not a string", i);
        status = check_id(s, "added_tokens", ip_node_get(ip_node_at(added, i), "id"), content, most, &id);
        if (status == IP_OK && id >= count) count = id + 1;
        v->bytes += strlen(content);
    }
    v->count = (size_t)count;
    return status;
}

static ip_status take_text(const ip_json_source *s, vocabulary *v, size_t id, const char *text) {
    if (v->texts[id].data)
        return ip_json_refuse(s, "model.vocab", "'%.40s' and '%.40s' have the same id %zu", v->texts[id].data, text,
                              id);
    v->texts[id] = (ip_bytes){text, strlen(text)};
    v->entries++;
    return IP_OK;
}

static ip_status take_vocabulary(const ip_json_source *s, const ip_node *vocab, vocabulary *v) {
    v->texts = calloc(v->count, sizeof *v->texts);
    if (!v->texts) return ip_json_no_room(s);
    ip_status status = IP_OK;
    for (void *it = ip_node_next(vocab, NULL); it && status == IP_OK; it = ip_node_next(vocab, it)) {
        uint64_t id = 0;
        ip_node_whole(ip_node_value(it), &id);
        status = take_text(s, v, (size_t)id, ip_node_key(it));
    }
    return status;
}

static void enter_vocabulary(ip_tokenizer *t, const vocabulary *v) {
    char *free_bytes = t->arena;
    for (size_t id = 0; id < v->count; id++) {
        ip_bytes text = v->texts[id];
        t->types[id] = text.data ? IP_TOKEN_NORMAL : IP_TOKEN_UNUSED;
        if (!text.data) continue;
        if (v->byte_fallback && ip_byte_token(text) >= 0) t->types[id] = IP_TOKEN_BYTE;
        /* In the spaced form the text has no spaces of its own, so a token with one is never met. */
        bool met = t->types[id] == IP_TOKEN_NORMAL && text.size > 0 &&
                   !(t->form == IP_FORM_SPACED && memchr(text.data, ' ', text.size));
        (void)ip_bpe_token(t, (int32_t)id, text, met, &free_bytes);
    }
}

/* Id of a vocabulary text as it stands in the file; -1: none. */
static int32_t id_of_text(const ip_node *vocab, const vocabulary *v, const char *text) {
    uint64_t id;
    if (ip_node_is_object(vocab)) return ip_node_whole(ip_node_get(vocab, text), &id) ? (int32_t)id : -1;
    size_t n = strlen(text);
    for (size_t i = 0; i < ip_node_count(vocab); i++)
        if (v->texts[i].size == n && memcmp(v->texts[i].data, text, n) == 0) return (int32_t)i;
    return -1;
}

/* ---- BPE ---- */

/* The parts of merge i; *pairs: -1 nothing read yet, 0 strings, 1 pairs. */
static ip_status merge_parts(const ip_json_source *s, const ip_node *item, size_t i, int *pairs, ip_bytes *left,
                             ip_bytes *right) {
    const char *a, *b;
    bool pair = ip_node_is_array(item), text = ip_node_text(item, &a);
    if (!pair && !text) return ip_json_refuse(s, "model.merges", "merge %zu is neither a string nor a pair", i);
    if (*pairs >= 0 && *pairs != pair) return ip_json_refuse(s, "model.merges", "strings and pairs are mixed");
    *pairs = pair;
    if (pair) {
        if (ip_node_count(item) != 2 || !ip_node_text(ip_node_at(item, 0), &a) ||
            !ip_node_text(ip_node_at(item, 1), &b))
            return ip_json_refuse(s, "model.merges", "merge %zu is not a pair of strings", i);
        *left = (ip_bytes){a, strlen(a)};
        *right = (ip_bytes){b, strlen(b)};
        return IP_OK;
    }
    const char *space = strchr(a, ' ');
    if (!space || strchr(space + 1, ' '))
        return ip_json_refuse(s, "model.merges", "merge %zu ('%.40s') is not two parts with a space between", i, a);
    *left = (ip_bytes){a, (size_t)(space - a)};
    *right = (ip_bytes){space + 1, strlen(space + 1)};
    return IP_OK;
}

static ip_status read_merges(ip_tokenizer *t, const ip_json_source *s, const ip_node *merges) {
    if (!ip_node_is_array(merges)) return ip_json_refuse(s, "model.merges", "missing, or not a list");
    size_t count = ip_node_count(merges), room = 0;
    if (count >= UINT32_MAX) return ip_json_refuse(s, "model.merges", "too many");
    if (!ip_merges_init(&t->merges, count)) return ip_json_no_room(s);
    char *work = NULL;
    ip_status status = IP_OK;
    int pairs = -1;
    for (size_t i = 0; status == IP_OK && i < count; i++) {
        ip_bytes left, right;
        status = merge_parts(s, ip_node_at(merges, i), i, &pairs, &left, &right);
        if (status != IP_OK) break;
        if (left.size + right.size > room) {
            free(work);
            room = 2 * (left.size + right.size) + 64;
            work = malloc(room);
        }
        const char *what = NULL;
        if (!work || !ip_bpe_merge(t, left, right, (uint32_t)i, true, work, &what))
            status = ip_json_no_room(s);
        else if (what)
            status = ip_json_refuse(s, "model.merges", "merge %zu ('%.*s' '%.*s'): %s is not a token", i,
                                    (int)(left.size < 40 ? left.size : 40), left.data,
                                    (int)(right.size < 40 ? right.size : 40), right.data, what);
    }
    free(work);
    return status;
}

static bool is_empty_text(const ip_node *node) {
    const char *text;
    return !node || (ip_node_text(node, &text) && text[0] == '\0');
}

static ip_status read_bpe(ip_tokenizer *t, const ip_json_source *s, const ip_node *model, vocabulary *v) {
    double dropout = 0;
    const char *unknown = NULL;
    if (ip_node_get(model, "dropout") && (!ip_node_number(ip_node_get(model, "dropout"), &dropout) || dropout != 0))
        return ip_json_refuse(s, "model.dropout", "only null and 0 are supported: the ids would be random");
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++)
        if (!is_empty_text(ip_node_get(model, affixes[i])))
            return ip_json_refuse(s, "model", "%s is not supported", affixes[i]);
    ip_status status = ip_json_flag(s, "model", model, "fuse_unk", false, &t->fuse_unknown);
    if (status == IP_OK) status = ip_json_flag(s, "model", model, "ignore_merges", false, &t->ignore_merges);
    if (status != IP_OK) return status;
    enter_vocabulary(t, v);
    if (ip_node_get(model, "unk_token") && !ip_node_text(ip_node_get(model, "unk_token"), &unknown))
        return ip_json_refuse(s, "model.unk_token", "is not a string");
    if (unknown) t->unknown = id_of_text(ip_node_get(model, "vocab"), v, unknown);
    status = read_merges(t, s, ip_node_get(model, "merges"));
    if (t->form == IP_FORM_SPACED) ip_bpe_find_joins(t);
    return status;
}

/* ---- Unigram ---- */

static ip_status read_unigram(ip_tokenizer *t, const ip_json_source *s, const ip_node *model, vocabulary *v) {
    const ip_node *vocab = ip_node_get(model, "vocab");
    size_t count = ip_node_count(vocab);
    v->texts = calloc(v->count, sizeof *v->texts);
    t->scores = calloc(v->count, sizeof *t->scores);
    if (!v->texts || !t->scores) return ip_json_no_room(s);
    double least = 0;
    for (size_t i = 0; i < count; i++) {
        const ip_node *item = ip_node_at(vocab, i);
        const char *text;
        double score;
        if (ip_node_count(item) != 2 || !ip_node_text(ip_node_at(item, 0), &text) ||
            !ip_node_number(ip_node_at(item, 1), &score))
            return ip_json_refuse(s, "model.vocab", "entry %zu is not a text and a number", i);
        v->texts[i] = (ip_bytes){text, strlen(text)};
        t->scores[i] = score;
        if (i == 0 || score < least) least = score;
    }
    enter_vocabulary(t, v);
    uint64_t unknown;
    if (!ip_node_whole(ip_node_get(model, "unk_id"), &unknown) || unknown >= count)
        return ip_json_refuse(s, "model.unk_id", "missing, or no id of the vocabulary");
    t->unknown = (int32_t)unknown;
    t->unigram = true;
    t->unknown_score = least - 10.0;
    return IP_OK;
}

static ip_status read_model(ip_tokenizer *t, const ip_json_source *s, uint64_t most, vocabulary *v) {
    const ip_node *model = ip_node_get(s->root, "model"), *added = ip_node_get(s->root, "added_tokens");
    if (!ip_node_is_object(model)) return ip_json_refuse(s, "model", "missing, or not an object");
    const char *type = NULL;
    if (ip_node_get(model, "type") && !ip_node_text(ip_node_get(model, "type"), &type))
        return ip_json_refuse(s, "model.type", "is not a string");
    if (!type && ip_node_has(model, "merges")) type = "BPE"; /* old files do without */
    if (!type) return ip_json_refuse(s, "model", "has no type");
    bool bpe = strcmp(type, "BPE") == 0;
    if (!bpe && strcmp(type, "Unigram") != 0)
        return ip_json_refuse(s, "model", "type '%.40s' is not supported; known: BPE Unigram", type);
    const ip_node *vocab = ip_node_get(model, "vocab");
    if (bpe ? !ip_node_is_object(vocab) : !ip_node_is_array(vocab))
        return ip_json_refuse(s, "model.vocab", "missing, or not %s", bpe ? "an object" : "a list");
    if (added && !ip_node_is_array(added)) return ip_json_refuse(s, "added_tokens", "is not a list");
    ip_status status = measure(s, vocab, added, most, v);
    if (!bpe)
        for (size_t i = 0; i < ip_node_count(vocab); i++) {
            const char *text;
            if (ip_node_text(ip_node_at(ip_node_at(vocab, i), 0), &text)) v->bytes += strlen(text);
        }
    if (status == IP_OK && v->count == 0) return ip_json_refuse(s, "model.vocab", "is empty");
    if (status == IP_OK) status = ip_json_flag(s, "model", model, "byte_fallback", false, &v->byte_fallback);
    if (status == IP_OK && bpe) status = take_vocabulary(s, vocab, v);
    if (status != IP_OK) return status;
    if (!ip_tokenizer_room(t, v->count, v->bytes)) return ip_json_no_room(s);
    static const char *const forms[] = {"byte-level", "spaces as U+2581", "plain"};
    char kind[80];
    snprintf(kind, sizeof kind, "tokenizer.json: %s, %s", type, forms[t->form]);
    t->kind = strdup(kind);
    if (!t->kind) return ip_json_no_room(s);
    return bpe ? read_bpe(t, s, model, v) : read_unigram(t, s, model, v);
}

/* ---- added tokens ---- */

/* The text as the normaliser leaves it, in the tokenizer's own memory (malloc'ed and kept in the list of normal texts). */
static ip_status normal_text(ip_tokenizer *t, const ip_json_source *s, ip_bytes text, ip_bytes *out) {
    ip_text buffers[2] = {{0}, {0}};
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    const char *normal;
    size_t n;
    ip_error why;
    if (!scratch) return ip_json_no_room(s);
    ip_status status =
        ip_normalise(t->normal, t->normals, buffers, scratch, true, text.data, text.size, &normal, &n, &why);
    if (status == IP_OK) {
        size_t prefix = t->spaced && t->space_prefix && n > 0;
        char **list = realloc(t->normal_texts, (t->normal_text_count + 1) * sizeof *list);
        char *copy = malloc(n + prefix + 1);
        if (list) t->normal_texts = list;
        if (list && copy) {
            t->normal_texts[t->normal_text_count++] = copy;
            copy[0] = ' ';
            if (n) memcpy(copy + prefix, normal, n);
            *out = (ip_bytes){copy, prefix + (t->spaced ? ip_spaced(copy + prefix, normal, n) : n)};
        } else {
            free(copy);
            status = ip_json_no_room(s);
        }
    } else {
        status = ip_json_refuse(s, "added_tokens", "'%.40s': %s", text.data, why.message);
    }
    ip_regex_scratch_free(scratch);
    free(buffers[0].data);
    free(buffers[1].data);
    return status;
}

static ip_status read_added(ip_tokenizer *t, const ip_json_source *s, const ip_node *node, const vocabulary *v,
                            char **free_bytes) {
    const char *content = NULL;
    uint64_t id = 0;
    ip_node_text(ip_node_get(node, "content"), &content);
    ip_node_whole(ip_node_get(node, "id"), &id);
    if (content[0] == '\0') return IP_OK;
    const ip_node *vocab = ip_node_get(ip_node_get(s->root, "model"), "vocab");
    int32_t in_vocabulary = id_of_text(vocab, v, content);
    if (in_vocabulary >= 0 && (uint64_t)in_vocabulary != id) {
        char line[256];
        snprintf(line, sizeof line,
                 "%.80s: added_tokens: '%.40s' has the id %llu there and %d in the vocabulary, which counts", s->path,
                 content, (unsigned long long)id, in_vocabulary);
        ip_make_printable(line);
        if (s->warn) s->warn(s->warn_context, line);
        id = (uint64_t)in_vocabulary;
    }
    ip_bytes text = ip_keep_text(free_bytes, (ip_bytes){content, strlen(content)});
    ip_added item = {.text = text, .id = (int32_t)id};
    bool normalised;
    static const char component[] = "added_tokens";
    ip_status status = ip_json_flag(s, component, node, "special", false, &item.special);
    if (status == IP_OK) status = ip_json_flag(s, component, node, "lstrip", false, &item.lstrip);
    if (status == IP_OK) status = ip_json_flag(s, component, node, "rstrip", false, &item.rstrip);
    if (status == IP_OK) status = ip_json_flag(s, component, node, "single_word", false, &item.single_word);
    if (status == IP_OK) status = ip_json_flag(s, component, node, "normalized", !item.special, &normalised);
    if (status != IP_OK) return status;
    ip_bytes in_list = v->texts[id];
    if (in_list.data && (in_list.size != text.size || memcmp(in_list.data, text.data, text.size) != 0))
        return ip_json_refuse(s, component, "'%.40s' has the id %llu of '%.40s'", content, (unsigned long long)id,
                              in_list.data);
    if (!in_list.data) t->pieces[id] = text;
    t->types[id] = item.special ? IP_TOKEN_CONTROL : IP_TOKEN_USER;
    if (normalised) status = normal_text(t, s, text, &item.text);
    if (status != IP_OK || item.text.size == 0) return status;
    return ip_added_set_add(normalised ? &t->normalised : &t->raw, item) ? IP_OK : ip_json_no_room(s);
}

static ip_status collect_added(ip_tokenizer *t, const ip_json_source *s, const vocabulary *v) {
    const ip_node *added = ip_node_get(s->root, "added_tokens");
    char *free_bytes = t->added_texts;
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < ip_node_count(added); i++)
        status = read_added(t, s, ip_node_at(added, i), v, &free_bytes);
    ip_added_set_finish(&t->raw);
    ip_added_set_finish(&t->normalised);
    return status;
}

/* ---- post-processor ---- */

static ip_status put_around(ip_tokenizer *t, const ip_json_source *s, bool front, const int32_t *ids, size_t n) {
    int32_t **list = front ? &t->front : &t->back;
    size_t *count = front ? &t->fronts : &t->backs;
    int32_t *grown = realloc(*list, (*count + n + 1) * sizeof *grown);
    if (!grown) return ip_json_no_room(s);
    *list = grown;
    /* A later processor wraps what an earlier one made. */
    if (front) memmove(grown + n, grown, *count * sizeof *grown);
    memcpy(grown + (front ? 0 : *count), ids, n * sizeof *ids);
    *count += n;
    return IP_OK;
}

enum { MOST_AROUND = 64 };

/* The ids of the special token that an item of a template names. */
static ip_status template_ids(const ip_tokenizer *t, const ip_json_source *s, const ip_node *special,
                              const ip_node *item, int32_t *ids, size_t *count) {
    static const char component[] = "post_processor: TemplateProcessing";
    const char *name;
    if (!ip_node_text(ip_node_get(item, "id"), &name))
        return ip_json_refuse(s, component, "a SpecialToken without an id");
    const ip_node *list = ip_node_get(ip_node_get(special, name), "ids");
    if (!ip_node_is_array(list)) return ip_json_refuse(s, component, "'%.40s' is not one of special_tokens", name);
    for (size_t i = 0; i < ip_node_count(list); i++) {
        uint64_t id;
        if (!ip_node_whole(ip_node_at(list, i), &id) || id >= t->count || *count == MOST_AROUND)
            return ip_json_refuse(s, component, "special_tokens: '%.40s': an id outside the vocabulary, or too many",
                                  name);
        ids[(*count)++] = (int32_t)id;
    }
    return IP_OK;
}

static ip_status read_template(ip_tokenizer *t, const ip_json_source *s, const ip_node *node) {
    static const char component[] = "post_processor: TemplateProcessing";
    const ip_node *single = ip_node_get(node, "single");
    if (!ip_node_is_array(single)) return ip_json_refuse(s, component, "single is missing, or not a list");
    int32_t front[MOST_AROUND], back[MOST_AROUND];
    size_t fronts = 0, backs = 0;
    bool text = false;
    for (size_t i = 0; i < ip_node_count(single); i++) {
        const ip_node *item = ip_node_at(single, i), *token = ip_node_get(item, "SpecialToken");
        ip_status status = IP_OK;
        if (token)
            status = template_ids(t, s, ip_node_get(node, "special_tokens"), token, text ? back : front,
                                  text ? &backs : &fronts);
        else if (!ip_node_get(item, "Sequence") || text)
            status = ip_json_refuse(s, component, "single: item %zu is neither a SpecialToken nor the one Sequence", i);
        if (status != IP_OK) return status;
        text = text || !token;
    }
    if (!text) return ip_json_refuse(s, component, "single: the text itself is not in it");
    ip_status status = put_around(t, s, true, front, fronts);
    return status == IP_OK ? put_around(t, s, false, back, backs) : status;
}

/* BertProcessing and RobertaProcessing: ["[CLS]", 101] in front, ["[SEP]", 102] behind. */
static ip_status read_cls_sep(ip_tokenizer *t, const ip_json_source *s, const ip_node *node) {
    static const char *const keys[] = {"cls", "sep"};
    for (int i = 0; i < 2; i++) {
        uint64_t id;
        if (!ip_node_whole(ip_node_at(ip_node_get(node, keys[i]), 1), &id) || id >= t->count)
            return ip_json_refuse(s, "post_processor", "%s is missing, or its id is outside the vocabulary", keys[i]);
        int32_t one = (int32_t)id;
        ip_status status = put_around(t, s, i == 0, &one, 1);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

static ip_status read_post(ip_tokenizer *t, const ip_json_source *s, const ip_node *node, unsigned depth) {
    const char *type;
    ip_status status = ip_json_type(s, "post_processor", node, &type);
    if (status != IP_OK) return status;
    if (strcmp(type, "TemplateProcessing") == 0) return read_template(t, s, node);
    if (strcmp(type, "ByteLevel") == 0) return IP_OK; /* it changes offsets only */
    if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0) return read_cls_sep(t, s, node);
    const ip_node *list = ip_node_get(node, "processors");
    if (strcmp(type, "Sequence") != 0 || !ip_node_is_array(list) || depth == 16)
        return ip_json_refuse(s, "post_processor",
                              "type '%.40s' is not supported; known: TemplateProcessing ByteLevel BertProcessing "
                              "RobertaProcessing Sequence (nested at most 16 deep)",
                              type);
    for (size_t i = 0; status == IP_OK && i < ip_node_count(list); i++)
        status = read_post(t, s, ip_node_at(list, i), depth + 1);
    return status;
}

/* ---- the file ---- */

static ip_status build(ip_tokenizer *t, const ip_json_source *s, size_t size, size_t rows) {
    /* No token is shorter than a byte of the file, so no honest id is larger than its size. */
    vocabulary v = {0};
    ip_status status = ip_json_steps(t, s);
    if (status == IP_OK) status = read_model(t, s, size < INT32_MAX ? size : INT32_MAX, &v);
    if (status == IP_OK && rows > 0 && v.count > rows)
        status = ip_json_refuse(s, "model.vocab", "its largest id is %zu, but the model's embedding has %zu rows",
                                v.count - 1, rows);
    if (status == IP_OK) status = collect_added(t, s, &v);
    const ip_node *post = ip_node_get(s->root, "post_processor");
    if (status == IP_OK && post) status = read_post(t, s, post, 0);
    free(v.texts);
    return status;
}

ip_status ip_tokenizer_open_json_memory(ip_tokenizer **out, const char *path, const void *data, size_t size,
                                        size_t rows, ip_warn warn, void *context, ip_error *error) {
    *out = NULL;
    ip_node *root = ip_node_parse(path, "tokenizer", data, size, false, error);
    if (!root) return error->status;
    ip_json_source s = {path, root, warn, context, error};
    ip_tokenizer *t = calloc(1, sizeof *t);
    ip_status status = t ? build(t, &s, size, rows) : ip_json_no_room(&s);
    ip_node_free(root);
    if (status != IP_OK) {
        ip_tokenizer_free(t);
        return status;
    }
    ip_tokenizer_settle(t);
    *out = t;
    return IP_OK;
}

char *ip_tokenizer_json_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? ip_join_path(path, "tokenizer.json") : strdup(path);
}

ip_status ip_tokenizer_open_json(ip_tokenizer **out, const char *path, size_t rows, ip_warn warn, void *context,
                                 ip_error *error) {
    *out = NULL;
    char *file = ip_tokenizer_json_file(path);
    if (!file) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_map map;
    ip_status status = ip_map_open(&map, file, error);
    if (status == IP_OK) {
        status = ip_tokenizer_open_json_memory(out, file, map.data, map.size, rows, warn, context, error);
        ip_map_close(&map);
    }
    free(file);
    return status;
}

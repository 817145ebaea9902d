/* A tokenizer from a GGUF's keys: the vocabulary, its added tokens, and what is put around a text.
 *
 *   text -> added tokens found in it -> fragments -> normal form -> pieces -> symbols -> merges -> ids
 *            tokenizer_added            bpe, spm                    tokenizer_encode, tokenizer_merge
 *
 * Where the conversion to GGUF has lost a rule of the original tokenizer (the normaliser, white space that an added
 * token swallows), the rule is known by the family and stands here or in pretokenizers.def. */
#include "models/tokenizer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/hash.h"
#include "models/tokenizer_internal.h"

void ip_tokenizer_warn(const ip_vocabulary_source *source, const char *format, ...) {
    if (!source->warn) return;
    char line[512];
    int n = snprintf(line, sizeof line, "%s: ", ip_gguf_path(source->file));
    if (n < 0 || (size_t)n >= sizeof line) n = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    ip_make_printable(line);
    source->warn(source->warn_context, line);
}

/* ---- text to id ---- */

static size_t map_place(const ip_tokenizer *t, const char *text, size_t n) {
    size_t at = ip_hash64(text, n, 0) & t->map.mask;
    for (; t->map.slots[at]; at = (at + 1) & t->map.mask) {
        ip_bytes piece = t->pieces[t->map.slots[at] - 1];
        if (piece.size == n && memcmp(piece.data, text, n) == 0) break;
    }
    return at;
}

int32_t ip_text_map_find(const ip_tokenizer *t, const char *text, size_t n) {
    return (int32_t)t->map.slots[map_place(t, text, n)] - 1;
}

int32_t ip_text_map_enter(ip_tokenizer *t, int32_t id) {
    size_t at = map_place(t, t->pieces[id].data, t->pieces[id].size);
    int32_t earlier = (int32_t)t->map.slots[at] - 1;
    t->map.slots[at] = (uint32_t)id + 1;
    return earlier;
}

/* ---- reading the file ---- */

static ip_status find_arrays(ip_vocabulary_source *source, ip_error *error) {
    const char *path = ip_gguf_path(source->file);
    source->tokens = ip_gguf_find(source->file, "tokenizer.ggml.tokens");
    if (!source->tokens || source->tokens->type != IP_GGUF_ARRAY || source->tokens->element != IP_GGUF_STRING)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.tokens: %s", path,
                       source->tokens ? "is not an array of strings" : "missing; the file has no vocabulary");
    if (source->tokens->count == 0 || source->tokens->count >= INT32_MAX)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.tokens: %llu tokens", path,
                       (unsigned long long)source->tokens->count);
    source->types = ip_gguf_find(source->file, "tokenizer.ggml.token_type");
    if (!source->types) return IP_OK;
    ip_gguf_type element = source->types->element;
    bool integers = source->types->type == IP_GGUF_ARRAY &&
                    (element <= IP_GGUF_I32 || element == IP_GGUF_U64 || element == IP_GGUF_I64);
    if (!integers)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.token_type: is not an array of integers", path);
    if (source->types->count != source->tokens->count)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.token_type: %llu types for %llu tokens", path,
                       (unsigned long long)source->types->count, (unsigned long long)source->tokens->count);
    return IP_OK;
}

static bool make_room(ip_tokenizer *t, const ip_vocabulary_source *source) {
    t->count = (size_t)source->tokens->count;
    size_t bytes = 1, slots = 16;
    for (size_t i = 0; i < t->count; i++) bytes += source->tokens->strings[i].size;
    while (slots < t->count * 2) slots *= 2;
    t->pieces = calloc(t->count, sizeof *t->pieces);
    t->types = malloc(t->count);
    /* Pieces in the first half; texts of added tokens, as they stand in the file, in the second: the tokenizer keeps
     * nothing that points into the map. */
    t->arena = malloc(2 * bytes);
    t->added_texts = t->arena ? t->arena + bytes : NULL;
    t->map.slots = calloc(slots, sizeof *t->map.slots);
    t->map.mask = slots - 1;
    if (!t->pieces || !t->types || !t->arena || !t->map.slots) return false;
    for (size_t i = 0; i < t->count; i++) {
        int64_t type = source->types ? ip_gguf_int_at(source->types, i) : IP_TOKEN_NORMAL;
        t->types[i] = type >= IP_TOKEN_NORMAL && type <= IP_TOKEN_BYTE ? (unsigned char)type : IP_TOKEN_UNUSED;
    }
    return true;
}

/* The id in a key, or fallback when the key is absent; -1 for one outside the vocabulary, which is only warned about
 * (published files carry such ids). */
static ip_status special_id(const ip_tokenizer *t, const ip_vocabulary_source *source, const char *key,
                            int64_t fallback, int32_t *out, ip_error *error) {
    const ip_gguf_value *value = ip_gguf_find(source->file, key);
    int64_t id = fallback;
    if (value) {
        uint64_t unsigned_id;
        bool found;
        ip_error none;
        /* Only the kind of the value is an error here; -1 is a common way to say "none". */
        bool integer = value->type <= IP_GGUF_I32 || value->type == IP_GGUF_U64 || value->type == IP_GGUF_I64;
        if (!integer) return ip_gguf_get_uint(source->file, key, UINT64_MAX, &unsigned_id, &found, error);
        bool good = ip_gguf_get_uint(source->file, key, INT32_MAX, &unsigned_id, &found, &none) == IP_OK;
        id = good ? (int64_t)unsigned_id : -1;
    }
    *out = id >= 0 && (uint64_t)id < t->count ? (int32_t)id : -1;
    if (value && *out < 0)
        ip_tokenizer_warn(source, "%s: %lld is outside the vocabulary of %zu tokens; ignored", key,
                          (long long)ip_gguf_int_at(value, 0), t->count);
    return IP_OK;
}

static ip_status around_text(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    bool add_bos = t->spm || (t->pre->flags & IP_PRE_ADD_BOS), add_eos = false, found;
    int32_t bos, eos;
    ip_status status = ip_gguf_get_bool(source->file, "tokenizer.ggml.add_bos_token", &add_bos, &found, error);
    if (status == IP_OK)
        status = ip_gguf_get_bool(source->file, "tokenizer.ggml.add_eos_token", &add_eos, &found, error);
    if (status == IP_OK) status = special_id(t, source, "tokenizer.ggml.bos_token_id", t->spm ? 1 : -1, &bos, error);
    if (status == IP_OK) status = special_id(t, source, "tokenizer.ggml.eos_token_id", t->spm ? 2 : -1, &eos, error);
    if (status == IP_OK)
        status = special_id(t, source, "tokenizer.ggml.unknown_token_id", t->spm ? 0 : -1, &t->unknown, error);
    if (status != IP_OK) return status;
    if ((add_bos && bos < 0) || (add_eos && eos < 0))
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.%s: asked for, but the file does not say which token that is; not added",
                          add_bos && bos < 0 ? "add_bos_token" : "add_eos_token");
    t->front[0] = bos;
    t->fronts = add_bos && bos >= 0;
    t->back[0] = eos;
    t->backs = add_eos && eos >= 0;
    return IP_OK;
}

/* ---- added tokens ---- */

/* "[PAD32011]": invented by the conversion to fill the embedding matrix; the original tokenizer does not know it. */
static bool is_padding(ip_bytes text, size_t id) {
    char name[32];
    int n = snprintf(name, sizeof name, "[PAD%zu]", id);
    return text.size == (size_t)n && memcmp(text.data, name, (size_t)n) == 0;
}

static bool is_text(ip_bytes text, const char *is) {
    return text.size == strlen(is) && memcmp(text.data, is, text.size) == 0;
}

/* Phi-3: every added token but three swallows the white space after it; only the model's name is left to tell. */
static ip_status is_phi3(const ip_tokenizer *t, const ip_vocabulary_source *source, bool *out, ip_error *error) {
    *out = false;
    if (!t->spm) return IP_OK;
    ip_bytes text = {0};
    bool found;
    ip_status status = ip_gguf_get_string(source->file, "general.architecture", &text, &found, error);
    if (status != IP_OK) return status;
    *out = found && is_text(text, "phi3");
    status = ip_gguf_get_string(source->file, "general.name", &text, &found, error);
    for (size_t i = 0; status == IP_OK && found && !*out && i + 4 <= text.size; i++)
        *out = strncasecmp(text.data + i, "phi3", 4) == 0 ||
               (i + 5 <= text.size && strncasecmp(text.data + i, "phi-3", 5) == 0);
    return status;
}

/* The text in the tokenizer's own memory. */
static ip_bytes keep_text(char **free_bytes, ip_bytes text) {
    memcpy(*free_bytes, text.data, text.size);
    text.data = *free_bytes;
    *free_bytes += text.size;
    return text;
}

static ip_status collect_added(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    bool phi3;
    ip_status status = is_phi3(t, source, &phi3, error);
    if (status != IP_OK) return status;
    char *free_bytes = t->added_texts;
    bool user_after = t->spm ? !t->space_prefix : (t->pre->flags & IP_PRE_USER_AFTER_NFC) != 0;
    for (size_t id = 0; id < t->count; id++) {
        ip_bytes text = source->tokens->strings[id];
        bool user = t->types[id] == IP_TOKEN_USER;
        if (!user && t->types[id] != IP_TOKEN_CONTROL && t->types[id] != IP_TOKEN_UNKNOWN) continue;
        if (text.size == 0 || is_padding(text, id)) continue;
        ip_added item = {keep_text(&free_bytes, text), (int32_t)id, !user, false};
        if (phi3) item.swallows = !is_text(text, "<unk>") && !is_text(text, "<s>") && !is_text(text, "<|endoftext|>");
        bool after = user && user_after;
        if (after && t->spm) item.text = t->pieces[id]; /* looked for in the form that has spaces for ▁ */
        if (!ip_added_set_add(after ? &t->normalised : &t->raw, item))
            return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(source->file));
    }
    ip_added_set_finish(&t->raw);
    ip_added_set_finish(&t->normalised);
    return IP_OK;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool may_cut(const ip_tokenizer *t, char before, char after) {
    if (!is_letter(before)) return false;
    return t->spm ? after == ' ' && !t->joins_space[(unsigned char)before] : after == ' ' || after == '\n';
}

/* Cutting is off when an added token could span a cut, or end at one: what follows an added token may be treated
 * differently (white space swallowed, a space put in front). */
static bool set_allows_cuts(const ip_tokenizer *t, const ip_added_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        ip_bytes text = set->items[i].text;
        if (is_letter(text.data[text.size - 1])) return false;
        for (size_t k = 1; k < text.size; k++)
            if (may_cut(t, text.data[k - 1], text.data[k])) return false;
    }
    return true;
}

ip_status ip_tokenizer_from_gguf(ip_tokenizer **out, const ip_gguf *file, ip_warn warn, void *context,
                                 ip_error *error) {
    *out = NULL;
    ip_vocabulary_source source = {file, NULL, NULL, warn, context};
    ip_bytes model = {0};
    bool found;
    ip_status status = ip_gguf_get_string(file, "tokenizer.ggml.model", &model, &found, error);
    if (status != IP_OK) return status;
    bool bpe = found && is_text(model, "gpt2"), spm = found && is_text(model, "llama");
    if (!bpe && !spm)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.model: %s%.*s%s; known: gpt2, llama",
                       ip_gguf_path(file), found ? "unknown kind '" : "missing",
                       (int)(model.size < 64 ? model.size : 64), found ? model.data : "", found ? "'" : "");
    status = find_arrays(&source, error);
    if (status != IP_OK) return status;
    ip_tokenizer *t = calloc(1, sizeof *t);
    if (!t || !make_room(t, &source)) {
        ip_tokenizer_free(t);
        return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(file));
    }
    status = bpe ? ip_bpe_build(t, &source, error) : ip_spm_build(t, &source, error);
    if (status == IP_OK) status = around_text(t, &source, error);
    if (status == IP_OK) status = collect_added(t, &source, error);
    if (status != IP_OK) {
        ip_tokenizer_free(t);
        return status;
    }
    t->cuttable = set_allows_cuts(t, &t->raw) && set_allows_cuts(t, &t->normalised);
    *out = t;
    return IP_OK;
}

void ip_tokenizer_free(ip_tokenizer *t) {
    if (!t) return;
    ip_added_set_free(&t->raw);
    ip_added_set_free(&t->normalised);
    ip_splitter_free(t->splitter);
    ip_merges_free(&t->merges);
    free(t->map.slots);
    free(t->pieces);
    free(t->types);
    free(t->arena);
    free(t->kind);
    free(t);
}

size_t ip_tokenizer_vocabulary(const ip_tokenizer *t) { return t->count; }

const char *ip_tokenizer_kind(const ip_tokenizer *t) { return t->kind; }

void ip_tokenizer_added(const ip_tokenizer *t, const int32_t **front, size_t *fronts, const int32_t **back,
                        size_t *backs) {
    *front = t->front;
    *fronts = t->fronts;
    *back = t->back;
    *backs = t->backs;
}

ip_bytes ip_tokenizer_piece(const ip_tokenizer *t, int32_t id) {
    return id >= 0 && (size_t)id < t->count ? t->pieces[id] : (ip_bytes){"", 0};
}

size_t ip_tokenizer_cut(const ip_tokenizer *t, const char *text, size_t from, size_t n) {
    if (!t->cuttable) return 0;
    for (size_t at = n; at-- > (from > 1 ? from : 1);)
        if (may_cut(t, text[at - 1], text[at])) return at;
    return 0;
}

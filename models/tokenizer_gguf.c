/* A tokenizer from a GGUF's keys: the vocabulary, its added tokens, and what is put around a text.
 *
 * Where the conversion to GGUF has lost a rule of the original tokenizer (the normaliser, white space that an added
 * token swallows), the rule is known by the family and stands here or in pretokenizers.def. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
    size_t bytes = 0;
    for (size_t i = 0; i < source->tokens->count; i++) bytes += source->tokens->strings[i].size;
    if (!ip_tokenizer_room(t, (size_t)source->tokens->count, bytes)) return false;
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

static ip_status around_text(ip_tokenizer *t, const ip_vocabulary_source *source, bool spm, bool add_bos,
                             ip_error *error) {
    bool add_eos = false, found;
    int32_t bos, eos, unknown;
    ip_status status = ip_gguf_get_bool(source->file, "tokenizer.ggml.add_bos_token", &add_bos, &found, error);
    if (status == IP_OK)
        status = ip_gguf_get_bool(source->file, "tokenizer.ggml.add_eos_token", &add_eos, &found, error);
    if (status == IP_OK) status = special_id(t, source, "tokenizer.ggml.bos_token_id", spm ? 1 : -1, &bos, error);
    if (status == IP_OK) status = special_id(t, source, "tokenizer.ggml.eos_token_id", spm ? 2 : -1, &eos, error);
    if (status == IP_OK)
        status = special_id(t, source, "tokenizer.ggml.unknown_token_id", spm ? 0 : -1, &unknown, error);
    if (status != IP_OK) return status;
    /* Byte-level vocabularies name one, but their tokenizers drop a byte that has no token. */
    if (t->form != IP_FORM_BYTES) t->unknown = unknown;
    if ((add_bos && bos < 0) || (add_eos && eos < 0))
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.%s: asked for, but the file does not say which token that is; not added",
                          add_bos && bos < 0 ? "add_bos_token" : "add_eos_token");
    t->front = malloc(sizeof *t->front);
    t->back = malloc(sizeof *t->back);
    if (!t->front || !t->back) return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(source->file));
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
static ip_status is_phi3(const ip_vocabulary_source *source, bool *out, ip_error *error) {
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

/* user_after: user-defined tokens are looked for after the normaliser. */
static ip_status collect_added(ip_tokenizer *t, const ip_vocabulary_source *source, bool spm, bool user_after,
                               ip_error *error) {
    bool phi3 = false;
    ip_status status = spm ? is_phi3(source, &phi3, error) : IP_OK;
    if (status != IP_OK) return status;
    char *free_bytes = t->added_texts;
    for (size_t id = 0; id < t->count; id++) {
        ip_bytes text = source->tokens->strings[id];
        bool user = t->types[id] == IP_TOKEN_USER;
        if (!user && t->types[id] != IP_TOKEN_CONTROL && t->types[id] != IP_TOKEN_UNKNOWN) continue;
        if (text.size == 0 || is_padding(text, id)) continue;
        ip_added item = {.text = ip_keep_text(&free_bytes, text), .id = (int32_t)id, .special = !user};
        if (phi3) item.rstrip = !is_text(text, "<unk>") && !is_text(text, "<s>") && !is_text(text, "<|endoftext|>");
        bool after = user && user_after;
        if (after && t->form == IP_FORM_SPACED)
            item.text = t->pieces[id]; /* looked for in the form that has spaces for ▁ */
        if (!ip_added_set_add(after ? &t->normalised : &t->raw, item))
            return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(source->file));
    }
    ip_added_set_finish(&t->raw);
    ip_added_set_finish(&t->normalised);
    return IP_OK;
}

/* ---- kinds ---- */

/* What tokenizer.ggml.model names. */
static const struct kind {
    const char *name;
    bool spm;        /* built by spm.c from scores, else by bpe.c from merges */
    const char *pre; /* its pre-tokenizer; NULL: the file names one */
    unsigned flags;  /* ip_pre_flags of the kind */
} kinds[] = {
    {"gpt2", false, NULL, 0},
    {"llama", true, NULL, 0},
    {"gemma4", false, "gemma4", IP_PRE_ADD_BOS},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *ip_tokenizer_kind_at(size_t index) { return index < KINDS ? kinds[index].name : NULL; }

static ip_status find_kind(const struct kind **out, const ip_gguf *file, ip_error *error) {
    ip_bytes model = {0};
    bool found;
    ip_status status = ip_gguf_get_string(file, "tokenizer.ggml.model", &model, &found, error);
    if (status != IP_OK) return status;
    for (*out = kinds; *out < kinds + KINDS; ++*out)
        if (found && is_text(model, (*out)->name)) return IP_OK;
    char known[128] = "";
    for (size_t i = 0, used = 0; i < KINDS; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", kinds[i].name);
    return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.model: %s%.*s%s; known: %s", ip_gguf_path(file),
                   found ? "unknown kind '" : "missing", (int)(model.size < 64 ? model.size : 64),
                   found ? model.data : "", found ? "'" : "", known);
}

ip_status ip_tokenizer_from_gguf(ip_tokenizer **out, const ip_gguf *file, ip_warn warn, void *context,
                                 ip_error *error) {
    *out = NULL;
    const struct kind *kind;
    ip_status status = find_kind(&kind, file, error);
    if (status != IP_OK) return status;
    ip_vocabulary_source source = {file, NULL, NULL, kind->pre, warn, context};
    const bool spm = kind->spm;
    status = find_arrays(&source, error);
    if (status != IP_OK) return status;
    ip_tokenizer *t = calloc(1, sizeof *t);
    if (!t || !make_room(t, &source)) {
        ip_tokenizer_free(t);
        return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(file));
    }
    unsigned flags = kind->flags;
    status = spm ? ip_spm_build(t, &source, error) : ip_bpe_build(t, &source, &flags, error);
    bool user_after = spm ? !t->space_prefix : (flags & (IP_PRE_USER_AFTER_NFC | IP_PRE_CHARACTERS)) != 0;
    if (status == IP_OK) status = around_text(t, &source, spm, spm || (flags & IP_PRE_ADD_BOS), error);
    if (status == IP_OK) status = collect_added(t, &source, spm, user_after, error);
    if (status != IP_OK) {
        ip_tokenizer_free(t);
        return status;
    }
    ip_tokenizer_settle(t);
    *out = t;
    return IP_OK;
}

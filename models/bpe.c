/* Byte-level BPE ("gpt2"): every byte has a character of its own (space is Ġ, newline Ċ), tokens and merges are written
 * in these characters. Here they are turned back into bytes once, and merging works on ids. */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

/* The alphabet: bytes that print stand for themselves, the other 68 are U+0100, U+0101 ... in increasing order. */
static bool prints(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD && byte <= 0xFF);
}

static void alphabet(int16_t byte_of[0x144]) {
    int16_t next = 0x100;
    for (unsigned i = 0; i < 0x144; i++) byte_of[i] = -1;
    for (unsigned byte = 0; byte < 256; byte++) byte_of[prints(byte) ? (int16_t)byte : next++] = (int16_t)byte;
}

/* Bytes that text stands for, to out (as many as text at most); -1 when a character is not of the alphabet. */
static ptrdiff_t to_bytes(const int16_t *byte_of, const char *text, size_t n, char *out) {
    size_t o = 0;
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step((const unsigned char *)text + i, n - i);
        uint32_t code = step ? ip_utf8_decode((const unsigned char *)text + i, step) : UINT32_MAX;
        if (code >= 0x144 || byte_of[code] < 0) return -1;
        out[o++] = (char)byte_of[code];
        i += step;
    }
    return (ptrdiff_t)o;
}

static bool is_ascii(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] >= 0x80) return false;
    return true;
}

static void read_tokens(ip_tokenizer *t, const ip_vocabulary_source *source, const int16_t *byte_of) {
    size_t twice = 0;
    int32_t one = 0, other = 0;
    char *free_bytes = t->arena;
    for (int i = 0; i < 256; i++) t->byte_id[i] = -1;
    for (size_t id = 0; id < t->count; id++) {
        ip_bytes text = source->tokens->strings[id];
        bool added =
            t->types[id] == IP_TOKEN_CONTROL || t->types[id] == IP_TOKEN_USER || t->types[id] == IP_TOKEN_UNKNOWN;
        ptrdiff_t n = to_bytes(byte_of, text.data, text.size, free_bytes);
        /* An added token stands for its own text; one that is written in ASCII can be both. */
        bool ordinary = n >= 0 && (!added || is_ascii(text.data, text.size));
        if (ordinary) {
            t->pieces[id] = (ip_bytes){free_bytes, (size_t)n};
        } else {
            memcpy(free_bytes, text.data, text.size);
            t->pieces[id] = (ip_bytes){free_bytes, text.size};
        }
        free_bytes += t->pieces[id].size;
        if (!ordinary) continue;
        int32_t earlier = ip_text_map_enter(t, (int32_t)id);
        if (earlier >= 0 && twice++ == 0) {
            one = earlier;
            other = (int32_t)id;
        }
        if (n == 1) t->byte_id[(unsigned char)t->pieces[id].data[0]] = (int32_t)id;
    }
    if (twice)
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.tokens: tokens %d and %d have the same text (%zu such duplicates); the "
                          "later one is used",
                          one, other, twice);
}

static ip_status read_merges(ip_tokenizer *t, const ip_vocabulary_source *source, const int16_t *byte_of,
                             ip_error *error) {
    const char *path = ip_gguf_path(source->file);
    const ip_gguf_value *merges = ip_gguf_find(source->file, "tokenizer.ggml.merges");
    if (!merges || merges->type != IP_GGUF_ARRAY || merges->element != IP_GGUF_STRING)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.merges: %s", path,
                       merges ? "is not an array of strings" : "missing; byte-level BPE needs it");
    if (merges->count >= UINT32_MAX) return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.merges: too many", path);
    if (!ip_merges_init(&t->merges, (size_t)merges->count)) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    size_t longest = 0;
    for (size_t i = 0; i < merges->count; i++)
        if (merges->strings[i].size > longest) longest = merges->strings[i].size;
    char *both = malloc(longest + 1);
    if (!both) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < merges->count; i++) {
        ip_bytes text = merges->strings[i];
        /* The left part has at least one character, so a space at the very start is not the separator. */
        const char *space = text.size > 1 ? memchr(text.data + 1, ' ', text.size - 1) : NULL;
        if (!space) {
            status = ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.merges: merge %zu has no space between two parts",
                             path, i);
            break;
        }
        size_t left_size = (size_t)(space - text.data);
        ptrdiff_t left = to_bytes(byte_of, text.data, left_size, both);
        ptrdiff_t right = left < 0 ? -1 : to_bytes(byte_of, space + 1, text.size - left_size - 1, both + left);
        int32_t a = -1, b = -1, result = -1;
        if (right >= 0) {
            a = ip_text_map_find(t, both, (size_t)left);
            b = ip_text_map_find(t, both + left, (size_t)right);
            result = ip_text_map_find(t, both, (size_t)(left + right));
        }
        if (a < 0 || b < 0 || result < 0)
            status = ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.merges: merge %zu ('%.*s'): %s is not a token",
                             path, i, (int)(text.size < 64 ? text.size : 64), text.data,
                             a < 0   ? "the left part"
                             : b < 0 ? "the right part"
                                     : "the result");
        else if (!ip_merges_add(&t->merges, a, b, (uint32_t)i, result))
            status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    free(both);
    return status;
}

static ip_status find_pre(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    const char *path = ip_gguf_path(source->file);
    ip_bytes name = {0}, family = {0};
    bool found, has_family;
    ip_status status = ip_gguf_get_string(source->file, "tokenizer.ggml.pre", &name, &found, error);
    if (status == IP_OK) status = ip_gguf_get_string(source->file, "general.architecture", &family, &has_family, error);
    if (status != IP_OK) return status;
    if (!found && has_family && family.size == 7 && memcmp(family.data, "gptneox", 7) == 0) {
        name = (ip_bytes){"gpt-neox", 8};
    } else if (!found) {
        name = (ip_bytes){"default", 7};
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.pre: missing; the text is split by the rule 'default', which may not be "
                          "the model's own");
    }
    t->pre = ip_pre_find(name.data, name.size);
    if (!t->pre) {
        char list[800];
        ip_pre_list(list, sizeof list);
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.pre: unknown pre-tokenizer '%.*s'; known: %s", path,
                       (int)(name.size < 64 ? name.size : 64), name.data, list);
    }
    size_t room = name.size + 16;
    t->kind = malloc(room);
    if (!t->kind) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    memcpy(t->kind, "gpt2 (", 6);
    memcpy(t->kind + 6, name.data, name.size);
    memcpy(t->kind + 6 + name.size, ")", 2);
    return ip_splitter_new(&t->splitter, t->pre, true, error);
}

ip_status ip_bpe_build(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    int16_t byte_of[0x144];
    alphabet(byte_of);
    ip_status status = find_pre(t, source, error);
    if (status != IP_OK) return status;
    read_tokens(t, source, byte_of);
    return read_merges(t, source, byte_of, error);
}

/* Pieces of text that holds no added token any more. */
static ip_status encode_pieces(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                               ip_ids *ids, ip_error *error) {
    ip_split state = {0};
    for (size_t at = 0; at < n;) {
        size_t stop;
        ip_status status = ip_split_next(t->splitter, scratch->regex, &state, text, at, n, &stop, error);
        if (status == IP_OK) status = ip_piece_encode(t, scratch, text + at, stop - at, n - at, ids, error);
        if (status != IP_OK) return status;
        at = stop;
    }
    return IP_OK;
}

ip_status ip_bpe_fragment(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n, ip_ids *ids,
                          ip_error *error) {
    char *normal = NULL;
    if (t->pre->flags & IP_PRE_NFC && !ip_nfc_is_plain(text, n)) {
        ip_status status = ip_nfc(text, n, &normal, &n, error);
        if (status != IP_OK) return status;
        text = normal;
    }
    ip_status status = IP_OK;
    for (size_t at = 0; status == IP_OK && at < n;) {
        const ip_added *hit;
        size_t place = ip_added_find(&t->normalised, text, n, at, &hit);
        status = encode_pieces(t, scratch, text + at, place - at, ids, error);
        if (status != IP_OK || place == n) break;
        if (!ip_ids_reserve(ids, 1)) {
            status = ip_fail(error, IP_FAILED, "tokenizer: out of memory");
            break;
        }
        ids->data[ids->count++] = hit->id;
        at = place + hit->text.size;
    }
    free(normal);
    return status;
}

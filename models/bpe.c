/* BPE: the forms in which tokens and text meet, tokens and merges on their way in, and the ids of one piece. Byte-level:
 * every byte has a character of its own (space is Ġ, newline Ċ), tokens and merges are written in these characters and
 * turned back into bytes once. Otherwise symbols are characters. Merging works on ids. */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

#define BLOCK "\xE2\x96\x81" /* U+2581 */

/* ---- forms ---- */

/* The alphabet: bytes that print stand for themselves, the other 68 are U+0100, U+0101 ... in increasing order: 0..20,
 * 7F..A0, AD. */
static int byte_of(uint32_t code) {
    bool itself = (code >= 0x21 && code <= 0x7E) || (code >= 0xA1 && code <= 0xFF && code != 0xAD);
    if (itself) return (int)code;
    if (code < 0x100 || code > 0x143) return -1;
    uint32_t i = code - 0x100;
    return (int)(i <= 0x20 ? i : i < 0x43 ? i - 0x21 + 0x7F : 0xAD);
}

static uint32_t code_of(unsigned byte) {
    if (byte <= 0x20) return 0x100 + byte;
    if (byte >= 0x7F && byte <= 0xA0) return 0x121 + byte - 0x7F;
    return byte == 0xAD ? 0x143 : byte;
}

ptrdiff_t ip_alphabet_bytes(const char *text, size_t n, char *out) {
    size_t o = 0;
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step((const unsigned char *)text + i, n - i);
        int byte = step ? byte_of(ip_utf8_decode((const unsigned char *)text + i, step)) : -1;
        if (byte < 0) return -1;
        out[o++] = (char)byte;
        i += step;
    }
    return (ptrdiff_t)o;
}

size_t ip_alphabet_text(const char *bytes, size_t n, char *out) {
    size_t o = 0;
    for (size_t i = 0; i < n; i++) o += ip_utf8_encode(code_of((unsigned char)bytes[i]), (unsigned char *)out + o);
    return o;
}

size_t ip_spaced(char *out, const char *text, size_t n) {
    size_t o = 0, at = 0;
    while (at < n) {
        const char *p = memmem(text + at, n - at, BLOCK, 3);
        size_t stop = p ? (size_t)(p - text) : n;
        memcpy(out + o, text + at, stop - at);
        o += stop - at;
        at = stop;
        if (p) {
            out[o++] = ' ';
            at += 3;
        }
    }
    return o;
}

int ip_byte_token(ip_bytes text) {
    if (text.size != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>') return -1;
    int value = 0;
    for (int i = 3; i < 5; i++) {
        char c = text.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* ---- tokens and merges ---- */

static bool is_ascii(ip_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] >= 0x80) return false;
    return true;
}

static ptrdiff_t in_form(const ip_tokenizer *t, ip_bytes text, char *out) {
    if (t->form == IP_FORM_BYTES) return ip_alphabet_bytes(text.data, text.size, out);
    if (t->form == IP_FORM_SPACED) return (ptrdiff_t)ip_spaced(out, text.data, text.size);
    if (text.size) memcpy(out, text.data, text.size);
    return (ptrdiff_t)text.size;
}

int32_t ip_bpe_token(ip_tokenizer *t, int32_t id, ip_bytes text, bool ordinary, char **free_bytes) {
    char *out = *free_bytes;
    int value = t->types[id] == IP_TOKEN_BYTE ? ip_byte_token(text) : -1;
    ptrdiff_t n = -1;
    if (value >= 0) {
        out[0] = (char)value;
        t->byte_id[value] = id;
    } else if (ordinary || (t->form == IP_FORM_BYTES && is_ascii(text))) {
        /* An added token stands for its own text; byte-level, one that is written in ASCII can be both. */
        n = in_form(t, text, out);
    }
    size_t size = value >= 0 ? 1 : n >= 0 ? (size_t)n : text.size;
    if (value < 0 && n < 0 && size) memcpy(out, text.data, size);
    t->pieces[id] = (ip_bytes){out, size};
    *free_bytes += size;
    if (n <= 0) return -1;
    if (t->form == IP_FORM_BYTES && n == 1) t->byte_id[(unsigned char)out[0]] = id;
    if (size > t->longest) t->longest = size;
    return ip_text_map_enter(t, id);
}

bool ip_bpe_merge(ip_tokenizer *t, ip_bytes left, ip_bytes right, uint32_t rank, bool last_wins, char *work,
                  const char **what) {
    *what = "the left part";
    ptrdiff_t n = in_form(t, left, work);
    int32_t a = n < 0 ? -1 : ip_text_map_find(t, work, (size_t)n);
    if (a < 0) return true;
    *what = "the right part";
    ptrdiff_t m = in_form(t, right, work + n);
    int32_t b = m < 0 ? -1 : ip_text_map_find(t, work + n, (size_t)m);
    if (b < 0) return true;
    *what = "the result";
    int32_t result = ip_text_map_find(t, work, (size_t)(n + m));
    if (result < 0) return true;
    *what = NULL;
    return ip_merges_add(&t->merges, a, b, rank, result, last_wins);
}

void ip_bpe_find_joins(ip_tokenizer *t) {
    for (size_t id = 0; id < t->count; id++) {
        ip_bytes piece = t->pieces[id];
        if (piece.size < 2 || ip_text_map_find(t, piece.data, piece.size) != (int32_t)id) continue;
        for (size_t at = 1; at < piece.size; at++)
            if (piece.data[at] == ' ' && piece.data[at - 1] != ' ')
                t->joins_space[(unsigned char)piece.data[at - 1]] = true;
    }
    /* A space that is no token would be an unknown one, and those fuse across words. */
    t->words = ip_text_map_find(t, " ", 1) >= 0;
}

/* ---- a GGUF's ---- */

static void read_tokens(ip_tokenizer *t, const ip_vocabulary_source *source) {
    size_t twice = 0;
    int32_t one = 0, other = 0;
    char *free_bytes = t->arena;
    for (size_t id = 0; id < t->count; id++) {
        bool added =
            t->types[id] == IP_TOKEN_CONTROL || t->types[id] == IP_TOKEN_USER || t->types[id] == IP_TOKEN_UNKNOWN;
        bool ordinary = t->form == IP_FORM_BYTES ? !added : ip_takes_part(t, id);
        int32_t earlier = ip_bpe_token(t, (int32_t)id, source->tokens->strings[id], ordinary, &free_bytes);
        if (earlier >= 0 && twice++ == 0) {
            one = earlier;
            other = (int32_t)id;
        }
    }
    if (twice)
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.tokens: tokens %d and %d have the same text (%zu such duplicates); the "
                          "later one is used",
                          one, other, twice);
}

static ip_status read_merges(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
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
        size_t left = (size_t)(space - text.data);
        const char *what;
        bool room = ip_bpe_merge(t, (ip_bytes){text.data, left}, (ip_bytes){space + 1, text.size - left - 1},
                                 (uint32_t)i, false, both, &what);
        if (!room)
            status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
        else if (what)
            status = ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.merges: merge %zu ('%.*s'): %s is not a token",
                             path, i, (int)(text.size < 64 ? text.size : 64), text.data, what);
    }
    free(both);
    return status;
}

static ip_status find_pre(ip_tokenizer *t, const ip_vocabulary_source *source, const ip_pre **pre, ip_error *error) {
    const char *path = ip_gguf_path(source->file);
    ip_bytes name = {0}, family = {0};
    bool found, has_family;
    ip_status status = ip_gguf_get_string(source->file, "tokenizer.ggml.pre", &name, &found, error);
    if (status == IP_OK) status = ip_gguf_get_string(source->file, "general.architecture", &family, &has_family, error);
    if (status != IP_OK) return status;
    if (source->pre) {
        name = (ip_bytes){source->pre, strlen(source->pre)};
    } else if (!found && has_family && family.size == 7 && memcmp(family.data, "gptneox", 7) == 0) {
        name = (ip_bytes){"gpt-neox", 8};
    } else if (!found) {
        name = (ip_bytes){"default", 7};
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.pre: missing; the text is split by the rule 'default', which may not be "
                          "the model's own");
    }
    *pre = ip_pre_find(name.data, name.size);
    if (!*pre) {
        char list[1600];
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
    return ip_splitter_of_row(&t->before, *pre, true, error);
}

/* What the row says beyond the splitting: the normaliser, the form. */
static ip_status follow_row(ip_tokenizer *t, const ip_pre *pre, const char *path, ip_error *error) {
    t->ignore_merges = (pre->flags & IP_PRE_IGNORE_MERGES) != 0;
    t->form = pre->flags & IP_PRE_CHARACTERS ? IP_FORM_SPACED
              : pre->flags & IP_PRE_PLAIN    ? IP_FORM_PLAIN
                                             : IP_FORM_BYTES;
    t->spaced = t->form == IP_FORM_SPACED;
    t->fuse_unknown = t->form != IP_FORM_BYTES;
    if (!(pre->flags & IP_PRE_NFC)) return IP_OK;
    t->normal = calloc(1, sizeof *t->normal);
    if (!t->normal) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    t->normal[0].kind = IP_NORMAL_NFC;
    t->normals = 1;
    return IP_OK;
}

ip_status ip_bpe_build(ip_tokenizer *t, const ip_vocabulary_source *source, unsigned *flags, ip_error *error) {
    const ip_pre *pre;
    ip_status status = find_pre(t, source, &pre, error);
    if (status == IP_OK) status = follow_row(t, pre, ip_gguf_path(source->file), error);
    if (status != IP_OK) return status;
    *flags |= pre->flags;
    read_tokens(t, source);
    status = read_merges(t, source, error);
    if (t->form == IP_FORM_SPACED) ip_bpe_find_joins(t);
    return status;
}

/* ---- one piece ---- */

/* Starting symbols: bytes. One without a token becomes the unknown one or, where there is none, is dropped before
 * merging, so that its neighbours meet. */
static size_t byte_symbols(const ip_tokenizer *t, const char *piece, size_t n, int32_t *out) {
    size_t count = 0;
    bool open = false; /* a run of unknown ones */
    for (size_t i = 0; i < n; i++) {
        int32_t id = t->byte_id[(unsigned char)piece[i]];
        if (id >= 0)
            out[count++] = id;
        else if (t->unknown >= 0 && !(open && t->fuse_unknown))
            out[count++] = t->unknown;
        open = id < 0;
    }
    return count;
}

/* Starting symbols: characters; one without a piece becomes its bytes' tokens if there are all of them, else the
 * unknown token, one for a run of such characters, else nothing. */
static size_t character_symbols(const ip_tokenizer *t, const char *piece, size_t n, int32_t *out) {
    size_t count = 0;
    bool pending = false; /* an unknown character that the next known one lets out */
    for (size_t at = 0; at < n;) {
        size_t step = ip_utf8_step((const unsigned char *)piece + at, n - at);
        if (step == 0) step = 1;
        int32_t id = ip_text_map_find(t, piece + at, step);
        at += step;
        if (id >= 0) {
            if (pending) out[count++] = t->unknown;
            pending = false;
            out[count++] = id;
            continue;
        }
        /* A space is U+2581 here, three bytes. */
        bool block = t->form == IP_FORM_SPACED && step == 1 && piece[at - 1] == ' ';
        const char *bytes = block ? BLOCK : piece + at - step;
        size_t n_bytes = block ? 3 : step;
        bool known = true;
        for (size_t i = 0; i < n_bytes; i++) known = known && t->byte_id[(unsigned char)bytes[i]] >= 0;
        for (size_t i = 0; known && i < n_bytes; i++) out[count++] = t->byte_id[(unsigned char)bytes[i]];
        if (known || t->unknown < 0) continue;
        if (pending && !t->fuse_unknown) out[count++] = t->unknown;
        pending = true;
    }
    if (pending) out[count++] = t->unknown;
    return count;
}

/* Symbols are made in place, behind the ids that are there already. */
ip_status ip_bpe_encode(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n, ip_ids *ids,
                        ip_error *error) {
    if (n > SIZE_MAX / 16 || !ip_ids_reserve(ids, 3 * n)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    int32_t *out = ids->data + ids->count;
    if (t->ignore_merges) {
        int32_t whole = ip_text_map_find(t, piece, n);
        if (whole >= 0) {
            out[0] = whole;
            ids->count++;
            return IP_OK;
        }
    }
    size_t count = t->form == IP_FORM_BYTES ? byte_symbols(t, piece, n, out) : character_symbols(t, piece, n, out);
    if (!ip_merge_run(&t->merges, &scratch->merge, out, &count))
        return ip_fail(error, IP_FAILED, "tokenizer: out of memory for a piece of %zu bytes", n);
    ids->count += count;
    return IP_OK;
}

/* The SentencePiece kind ("llama"): no pre-tokenizer; characters merge by the scores of the pieces they form, and
 * characters without a piece become byte tokens.
 *
 * A piece's ▁ is kept as a space here and the text's ▁ becomes one too, so both meet in the same form. Where no piece
 * holds a space behind the character before it (true of every border of words in the published vocabularies),
 * no merge can cross, and the words are merged one by one: same ids, and a cache of words serves most of a text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

#define BLOCK "\xE2\x96\x81" /* U+2581 */

/* Every split of a piece is looked up, so a longer one would cost its square; published ones stay below 200 bytes. */
enum { LONGEST_PIECE = 1024 };

static size_t step_of(const char *p, size_t n) {
    size_t step = ip_utf8_step((const unsigned char *)p, n);
    return step ? step : 1;
}

/* Copies text with every ▁ as a space; returns the bytes written. */
static size_t spaced(char *out, const char *text, size_t n) {
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

static bool takes_part(const ip_tokenizer *t, size_t id) {
    return t->types[id] == IP_TOKEN_NORMAL || t->types[id] == IP_TOKEN_USER || t->types[id] == IP_TOKEN_UNUSED;
}

/* Value of the byte token <0xXX>, or -1. */
static int byte_value(ip_bytes text) {
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

static ip_status read_tokens(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    char *free_bytes = t->arena;
    size_t twice = 0;
    int32_t one = 0, other = 0;
    for (int i = 0; i < 256; i++) t->byte_id[i] = -1;
    for (size_t id = 0; id < t->count; id++) {
        ip_bytes text = source->tokens->strings[id];
        int value = t->types[id] == IP_TOKEN_BYTE ? byte_value(text) : -1;
        size_t n;
        if (value >= 0) {
            *free_bytes = (char)value;
            n = 1;
            t->byte_id[value] = (int32_t)id;
        } else if (t->types[id] == IP_TOKEN_CONTROL || t->types[id] == IP_TOKEN_UNKNOWN) {
            memcpy(free_bytes, text.data, text.size);
            n = text.size;
        } else {
            n = spaced(free_bytes, text.data, text.size);
        }
        t->pieces[id] = (ip_bytes){free_bytes, n};
        free_bytes += n;
        if (!takes_part(t, id) || n == 0) continue;
        if (n > LONGEST_PIECE)
            return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.tokens: token %zu has %zu bytes, more than %d",
                           ip_gguf_path(source->file), id, n, LONGEST_PIECE);
        int32_t earlier = ip_text_map_enter(t, (int32_t)id);
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
    return IP_OK;
}

typedef struct scored {
    float score;
    int32_t id;
} scored;

static int by_score(const void *left, const void *right) {
    const scored *a = left, *b = right;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Every split of a piece into two pieces is a merge; equal scores have equal ranks, so the leftmost place wins. */
static bool add_splits(ip_tokenizer *t, int32_t id, uint32_t rank) {
    ip_bytes piece = t->pieces[id];
    for (size_t at = 0; at < piece.size;) {
        size_t step = step_of(piece.data + at, piece.size - at);
        if (at > 0) {
            if (piece.data[at] == ' ' && piece.data[at - 1] != ' ')
                t->joins_space[(unsigned char)piece.data[at - 1]] = true;
            int32_t left = ip_text_map_find(t, piece.data, at);
            int32_t right = left < 0 ? -1 : ip_text_map_find(t, piece.data + at, piece.size - at);
            if (right >= 0 && !ip_merges_add(&t->merges, left, right, rank, id)) return false;
        }
        at += step;
    }
    return true;
}

static ip_status make_merges(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    const char *path = ip_gguf_path(source->file);
    const ip_gguf_value *scores = ip_gguf_find(source->file, "tokenizer.ggml.scores");
    if (!scores || scores->type != IP_GGUF_ARRAY || (scores->element != IP_GGUF_F32 && scores->element != IP_GGUF_F64))
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.scores: %s", path,
                       scores ? "is not an array of floats" : "missing; this kind of tokenizer needs it");
    if (scores->count != t->count)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.scores: %llu scores for %zu tokens", path,
                       (unsigned long long)scores->count, t->count);
    scored *order = malloc(t->count * sizeof *order);
    if (!order || !ip_merges_init(&t->merges, t->count * 2)) {
        free(order);
        return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    ip_status status = IP_OK;
    for (size_t id = 0; id < t->count; id++) {
        order[id] = (scored){(float)ip_gguf_float_at(scores, id), (int32_t)id};
        if (isnan(order[id].score)) {
            status = ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.scores: score %zu is not a number", path, id);
            break;
        }
    }
    if (status == IP_OK) qsort(order, t->count, sizeof *order, by_score);
    uint32_t rank = 0;
    for (size_t i = 0; status == IP_OK && i < t->count; i++) {
        int32_t id = order[i].id;
        if (i > 0 && order[i].score != order[i - 1].score) rank++;
        if (!takes_part(t, (size_t)id) || ip_text_map_find(t, t->pieces[id].data, t->pieces[id].size) != id) continue;
        if (!add_splits(t, id, rank)) status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    free(order);
    return status;
}

ip_status ip_spm_build(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    t->spm = true;
    t->kind = strdup("llama");
    if (!t->kind) return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(source->file));
    bool found;
    t->space_prefix = true;
    ip_status status =
        ip_gguf_get_bool(source->file, "tokenizer.ggml.add_space_prefix", &t->space_prefix, &found, error);
    if (status == IP_OK) status = read_tokens(t, source, error);
    return status == IP_OK ? make_merges(t, source, error) : status;
}

/* Words: spaces, then everything up to the next space that no piece can reach. */
static ip_status encode_words(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                              ip_ids *ids, ip_error *error) {
    for (size_t at = 0; at < n;) {
        size_t stop = at;
        while (stop < n && text[stop] == ' ') stop++;
        for (;;) {
            const char *p = stop < n ? memchr(text + stop, ' ', n - stop) : NULL;
            if (!p) {
                stop = n;
                break;
            }
            stop = (size_t)(p - text);
            if (!t->joins_space[(unsigned char)text[stop - 1]]) break;
            while (stop < n && text[stop] == ' ') stop++;
        }
        ip_status status = ip_piece_encode(t, scratch, text + at, stop - at, n - at, ids, error);
        if (status != IP_OK) return status;
        at = stop;
    }
    return IP_OK;
}

ip_status ip_spm_fragment(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n, bool first,
                          ip_ids *ids, ip_error *error) {
    if (n == 0) return IP_OK;
    if (!ip_scratch_text(scratch, n + 1)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    size_t prefix = t->space_prefix && first;
    scratch->text[0] = ' ';
    n = prefix + spaced(scratch->text + prefix, text, n);
    text = scratch->text;
    for (size_t at = 0; at < n;) {
        const ip_added *hit;
        size_t place = ip_added_find(&t->normalised, text, n, at, &hit);
        ip_status status = encode_words(t, scratch, text + at, place - at, ids, error);
        if (status != IP_OK) return status;
        if (place == n) break;
        if (!ip_ids_reserve(ids, 1)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
        ids->data[ids->count++] = hit->id;
        at = place + hit->text.size;
    }
    return IP_OK;
}

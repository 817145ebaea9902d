/* From a text without added tokens to ids: the pre-tokenizer, and the cache in front of the model.
 *
 *   text -> `before` splits -> each piece changed (a space in front, or spaces to U+2581) -> `after` splits -> model
 *
 * Where U+2581 stands for the space (the SentencePiece kinds) both are kept as a space, in text and tokens. When no
 * token holds a space behind a character (true of every border of words in the published vocabularies), no merge can
 * cross, and the words are merged one by one: same ids, and the cache serves most of a text. */
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

/* ---- one piece ---- */

static ip_status encode(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n, ip_ids *ids,
                        ip_error *error) {
    return t->unigram ? ip_unigram_encode(t, scratch, piece, n, ids, error)
                      : ip_bpe_encode(t, scratch, piece, n, ids, error);
}

/* n <= IP_CACHE_BYTES bytes as three words, the length in the last byte. */
static void to_words(uint64_t words[3], const char *piece, size_t n, size_t limit) {
    if (limit >= 24) {
        /* Reading past the piece is inside the text; what does not belong is masked. The masks are by the order of
         * bytes in memory, so they hold on any machine. */
        static const unsigned char keep[48] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                               0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
        uint64_t mask[3];
        memcpy(words, piece, 24);
        memcpy(mask, keep + 24 - n, 24);
        for (int i = 0; i < 3; i++) words[i] &= mask[i];
    } else {
        memset(words, 0, 24);
        memcpy(words, piece, n);
    }
    ((unsigned char *)words)[23] = (unsigned char)n;
}

ip_status ip_piece_encode(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                          size_t limit, ip_ids *ids, ip_error *error) {
    if (n == 0) return IP_OK;
    if (n > IP_CACHE_BYTES) return encode(t, scratch, piece, n, ids, error);
    uint64_t words[3];
    to_words(words, piece, n, limit);
    uint64_t hash = (words[0] ^ words[1] * 0xC2B2AE3D27D4EB4Fu ^ words[2] * 0x165667B19E3779F9u) * 0x9E3779B97F4A7C15u;
    ip_cached *slot = &scratch->cache[(hash >> 32) % IP_CACHE_SLOTS];
    if (slot->words[0] == words[0] && slot->words[1] == words[1] && slot->words[2] == words[2]) {
        if (!ip_ids_reserve(ids, IP_CACHE_IDS)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
        memcpy(ids->data + ids->count, slot->ids, sizeof slot->ids);
        ids->count += (size_t)slot->count;
        return IP_OK;
    }
    size_t before = ids->count;
    ip_status status = encode(t, scratch, piece, n, ids, error);
    if (status == IP_OK && ids->count - before <= IP_CACHE_IDS) {
        memcpy(slot->words, words, sizeof words);
        slot->count = (int32_t)(ids->count - before);
        if (slot->count) memcpy(slot->ids, ids->data + before, (size_t)slot->count * sizeof *slot->ids);
    }
    return status;
}

/* ---- words ---- */

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

/* METASPACE with split: every space begins a piece. */
static ip_status encode_split(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                              ip_ids *ids, ip_error *error) {
    for (size_t at = 0; at < n;) {
        const char *p = at + 1 < n ? memchr(text + at + 1, ' ', n - at - 1) : NULL;
        size_t stop = p ? (size_t)(p - text) : n;
        ip_status status = ip_piece_encode(t, scratch, text + at, stop - at, n - at, ids, error);
        if (status != IP_OK) return status;
        at = stop;
    }
    return IP_OK;
}

static ip_status no_room(ip_error *error) { return ip_fail(error, IP_FAILED, "tokenizer: out of memory"); }

/* A piece in its last form but, perhaps, for U+2581. */
static ip_status encode_last(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                             size_t limit, ip_ids *ids, ip_error *error) {
    if (t->form != IP_FORM_SPACED) return ip_piece_encode(t, scratch, piece, n, limit, ids, error);
    if (!t->spaced && t->change != IP_CHANGE_METASPACE) {
        if (!ip_text_reserve(&scratch->changed, n)) return no_room(error);
        n = ip_spaced(scratch->changed.data, piece, n);
        piece = scratch->changed.data;
        limit = n;
    }
    if (t->change == IP_CHANGE_METASPACE && t->word_split) return encode_split(t, scratch, piece, n, ids, error);
    if (t->words && !t->ignore_merges && !t->unigram) return encode_words(t, scratch, piece, n, ids, error);
    return ip_piece_encode(t, scratch, piece, n, limit, ids, error);
}

/* `after`, and a piece spelled in the byte-level alphabet where it asks for that. */
static ip_status encode_after(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                              size_t limit, ip_ids *ids, ip_error *error) {
    if (!t->after) return encode_last(t, scratch, piece, n, limit, ids, error);
    const char *text = piece;
    size_t size = n;
    if (t->alphabet) {
        if (n > SIZE_MAX / 4 || !ip_text_reserve(&scratch->spelled, 2 * n)) return no_room(error);
        size = ip_alphabet_text(piece, n, scratch->spelled.data);
        text = scratch->spelled.data;
    }
    ip_split state = {0};
    for (size_t at = 0, place = 0; at < size;) {
        size_t stop;
        bool dropped;
        ip_status status = ip_split_next(t->after, scratch->regex, &state, text, at, size, &stop, &dropped, error);
        if (status != IP_OK) return status;
        size_t bytes = stop - at;
        if (t->alphabet) { /* one character of the alphabet is one byte */
            bytes = 0;
            for (size_t i = at; i < stop; i++) bytes += ((unsigned char)text[i] & 0xC0) != 0x80;
        }
        if (!dropped) status = encode_last(t, scratch, piece + place, bytes, limit - place, ids, error);
        if (status != IP_OK) return status;
        place += bytes;
        at = stop;
    }
    return IP_OK;
}

/* The change between the splitters. origin: the piece begins the text. */
static ip_status encode_changed(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                                size_t limit, bool origin, ip_ids *ids, ip_error *error) {
    if (t->change == IP_CHANGE_NONE) return encode_after(t, scratch, piece, n, limit, ids, error);
    if (!ip_text_reserve(&scratch->changed, n + 1)) return no_room(error);
    char *out = scratch->changed.data;
    bool block = n > 2 && memcmp(piece, "\xE2\x96\x81", 3) == 0, metaspace = t->change == IP_CHANGE_METASPACE;
    bool prefix = !metaspace || t->prefix == IP_PREFIX_ALWAYS || (t->prefix == IP_PREFIX_FIRST && origin);
    size_t front = prefix && piece[0] != ' ' && !(metaspace && block);
    out[0] = ' ';
    if (metaspace) {
        n = front + ip_spaced(out + front, piece, n);
    } else {
        memcpy(out + front, piece, n);
        n += front;
    }
    return encode_after(t, scratch, out, n, n, ids, error);
}

ip_status ip_pieces_encode(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                           bool origin, ip_ids *ids, ip_error *error) {
    if (n == 0) return IP_OK;
    if (!t->before) return encode_changed(t, scratch, text, n, n, origin, ids, error);
    bool plain = t->change == IP_CHANGE_NONE && !t->after && t->form != IP_FORM_SPACED;
    ip_split state = {0};
    for (size_t at = 0; at < n;) {
        size_t stop;
        bool dropped;
        ip_status status = ip_split_next(t->before, scratch->regex, &state, text, at, n, &stop, &dropped, error);
        if (status == IP_OK && !dropped)
            status = plain ? ip_piece_encode(t, scratch, text + at, stop - at, n - at, ids, error)
                           : encode_changed(t, scratch, text + at, stop - at, n - at, origin && at == 0, ids, error);
        if (status != IP_OK) return status;
        at = stop;
    }
    return IP_OK;
}

/* From a text to ids: the walk over its added tokens, and the ids of one piece. */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

ip_tokenizer_scratch *ip_tokenizer_scratch_new(const ip_tokenizer *t) {
    ip_tokenizer_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch) return NULL;
    scratch->cache = calloc(IP_CACHE_SLOTS, sizeof *scratch->cache);
    if (!t->spm) scratch->regex = ip_regex_scratch_new();
    if (!scratch->cache || (!t->spm && !scratch->regex)) {
        ip_tokenizer_scratch_free(scratch);
        return NULL;
    }
    return scratch;
}

void ip_tokenizer_scratch_free(ip_tokenizer_scratch *scratch) {
    if (!scratch) return;
    ip_regex_scratch_free(scratch->regex);
    ip_merge_work_free(&scratch->merge);
    free(scratch->cache);
    free(scratch->text);
    free(scratch);
}

bool ip_ids_reserve(ip_ids *ids, size_t n) {
    if (n <= ids->room - ids->count) return true;
    if (n > SIZE_MAX / 8 - ids->count) return false;
    size_t room = ids->count + n + ids->count / 2 + 64;
    int32_t *data = realloc(ids->data, room * sizeof *data);
    if (!data) return false;
    ids->data = data;
    ids->room = room;
    return true;
}

bool ip_scratch_text(ip_tokenizer_scratch *scratch, size_t n) {
    if (n <= scratch->text_room) return true;
    free(scratch->text);
    scratch->text_room = 0;
    scratch->text = malloc(n + n / 2);
    if (!scratch->text) return false;
    scratch->text_room = n + n / 2;
    return true;
}

/* ---- one piece ---- */

/* Starting symbols: bytes of BPE. A byte without a token is dropped before merging, so that its neighbours meet. */
static size_t byte_symbols(const ip_tokenizer *t, const char *piece, size_t n, int32_t *out) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t id = t->byte_id[(unsigned char)piece[i]];
        if (id >= 0) out[count++] = id;
    }
    return count;
}

/* Starting symbols: characters; one without a piece becomes its bytes' tokens if there are all of them, else the
 * unknown token, one for a run of such characters, else nothing. */
static size_t character_symbols(const ip_tokenizer *t, const char *piece, size_t n, int32_t *out) {
    size_t count = 0;
    bool unknown_open = false;
    for (size_t at = 0; at < n;) {
        size_t step = ip_utf8_step((const unsigned char *)piece + at, n - at);
        if (step == 0) step = 1;
        int32_t id = ip_text_map_find(t, piece + at, step);
        bool known = id >= 0;
        if (known) {
            out[count++] = id;
        } else if (piece[at] == ' ' && step == 1) {
            /* A space is U+2581 here, three bytes. */
            static const unsigned char block[3] = {0xE2, 0x96, 0x81};
            known = t->byte_id[block[0]] >= 0 && t->byte_id[block[1]] >= 0 && t->byte_id[block[2]] >= 0;
            for (size_t i = 0; known && i < 3; i++) out[count++] = t->byte_id[block[i]];
        } else {
            known = true;
            for (size_t i = 0; i < step; i++) known = known && t->byte_id[(unsigned char)piece[at + i]] >= 0;
            for (size_t i = 0; known && i < step; i++) out[count++] = t->byte_id[(unsigned char)piece[at + i]];
        }
        if (!known && !unknown_open && t->unknown >= 0) out[count++] = t->unknown;
        unknown_open = !known;
        at += step;
    }
    return count;
}

/* Symbols are made in place, behind the ids that are there already. */
static ip_status encode(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n, ip_ids *ids,
                        ip_error *error) {
    if (n > SIZE_MAX / 16 || !ip_ids_reserve(ids, t->spm ? 3 * n : n))
        return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    int32_t *out = ids->data + ids->count;
    if (!t->spm && t->pre->flags & IP_PRE_IGNORE_MERGES) {
        int32_t whole = ip_text_map_find(t, piece, n);
        if (whole >= 0) {
            out[0] = whole;
            ids->count++;
            return IP_OK;
        }
    }
    size_t count = t->spm ? character_symbols(t, piece, n, out) : byte_symbols(t, piece, n, out);
    if (!ip_merge_run(&t->merges, &scratch->merge, out, &count))
        return ip_fail(error, IP_FAILED, "tokenizer: out of memory for a piece of %zu bytes", n);
    ids->count += count;
    return IP_OK;
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

/* ---- a text ---- */

static bool append(ip_ids *ids, const int32_t *what, size_t n) {
    if (n == 0) return true;
    if (!ip_ids_reserve(ids, n)) return false;
    memcpy(ids->data + ids->count, what, n * sizeof *what);
    ids->count += n;
    return true;
}

/* End of the white space (the Unicode property) that begins at at. */
static size_t white_space_end(const char *text, size_t at, size_t n) {
    while (at < n) {
        size_t step = ip_utf8_step((const unsigned char *)text + at, n - at);
        uint32_t c = step ? ip_utf8_decode((const unsigned char *)text + at, step) : 0;
        bool white = (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
                     (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
                     c == 0x3000;
        if (!white) break;
        at += step;
    }
    return at;
}

static ip_status fragment(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n, bool first,
                          ip_ids *ids, ip_error *error) {
    return t->spm ? ip_spm_fragment(t, scratch, text, n, first, ids, error)
                  : ip_bpe_fragment(t, scratch, text, n, ids, error);
}

ip_status ip_tokenize_on(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n, bool first,
                         bool parse_special, ip_ids *ids, ip_error *error) {
    size_t begin = 0, at = 0;
    if (n == 0) return IP_OK;
    while (at < n) {
        const ip_added *hit;
        size_t place = ip_added_find(&t->raw, text, n, at, &hit);
        if (place == n) break;
        at = place + hit->text.size;
        /* A special token that is not asked for still hides shorter hits inside it, as in the reference. */
        if (hit->special && !parse_special) continue;
        ip_status status = fragment(t, scratch, text + begin, place - begin, first || begin > 0, ids, error);
        if (status != IP_OK) return status;
        if (!append(ids, &hit->id, 1)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
        if (hit->swallows) at = white_space_end(text, at, n);
        begin = at;
    }
    return fragment(t, scratch, text + begin, n - begin, first || begin > 0, ids, error);
}

ip_status ip_tokenize(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                      bool add_special, bool parse_special, ip_ids *ids, ip_error *error) {
    if (add_special && !append(ids, t->front, t->fronts)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    ip_status status = ip_tokenize_on(t, scratch, text, n, true, parse_special, ids, error);
    if (status != IP_OK) return status;
    if (add_special && !append(ids, t->back, t->backs)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    return IP_OK;
}

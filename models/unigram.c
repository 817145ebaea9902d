/* Unigram: the way through a piece whose tokens have the best sum of scores (Viterbi), from left to right over the
 * places where characters end. A character that is no token by itself counts as unknown, at the worst score minus 10;
 * unknown ones in a row are one. Sums are doubles and only a better one replaces an earlier one, as in the reference. */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

typedef struct ip_step {
    double score;
    size_t from; /* where the token that ends here begins; SIZE_MAX: not reached */
    int32_t id;
} step;

static size_t character(const char *text, size_t n) {
    size_t size = ip_utf8_step((const unsigned char *)text, n);
    return size ? size : 1;
}

static void offer(step *to, double score, size_t from, int32_t id) {
    if (to->from == SIZE_MAX || score > to->score) *to = (step){score, from, id};
}

static ip_status reserve(ip_tokenizer_scratch *scratch, size_t n, ip_error *error) {
    if (n < scratch->step_room) return IP_OK;
    if (n > SIZE_MAX / (2 * sizeof(step))) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    free(scratch->steps);
    scratch->step_room = 0;
    scratch->steps = malloc((n + n / 2 + 16) * sizeof *scratch->steps);
    if (!scratch->steps) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    scratch->step_room = n + n / 2 + 16;
    return IP_OK;
}

static void best_ways(const ip_tokenizer *t, step *steps, const char *piece, size_t n) {
    for (size_t i = 0; i <= n; i++) steps[i].from = SIZE_MAX;
    steps[0] = (step){0, 0, -1};
    for (size_t at = 0; at < n;) {
        size_t first = character(piece + at, n - at);
        bool single = false;
        for (size_t stop = at + first; stop <= n && stop - at <= t->longest;) {
            int32_t id = ip_text_map_find(t, piece + at, stop - at);
            if (id >= 0) {
                offer(&steps[stop], steps[at].score + t->scores[id], at, id);
                single = single || stop == at + first;
            }
            stop += stop < n ? character(piece + stop, n - stop) : 1;
        }
        if (!single) offer(&steps[at + first], steps[at].score + t->unknown_score, at, t->unknown);
        at += first;
    }
}

/* An unknown stretch: its bytes' tokens when there are all of them, else the unknown token. Written backwards. */
static size_t unknown_back(const ip_tokenizer *t, const char *text, size_t n, int32_t *end) {
    bool bytes = true, space = t->form == IP_FORM_SPACED;
    static const unsigned char block[3] = {0xE2, 0x96, 0x81};
    for (size_t i = 0; i < n && bytes; i++) {
        if (space && text[i] == ' ')
            for (int k = 0; k < 3; k++) bytes = bytes && t->byte_id[block[k]] >= 0;
        else
            bytes = t->byte_id[(unsigned char)text[i]] >= 0;
    }
    size_t count = 0;
    for (size_t i = n; bytes && i-- > 0;) {
        if (space && text[i] == ' ')
            for (int k = 3; k-- > 0;) end[-(ptrdiff_t)++count] = t->byte_id[block[k]];
        else
            end[-(ptrdiff_t)++count] = t->byte_id[(unsigned char)text[i]];
    }
    if (!bytes && t->unknown >= 0) end[-(ptrdiff_t)++count] = t->unknown;
    return count;
}

ip_status ip_unigram_encode(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *piece, size_t n,
                            ip_ids *ids, ip_error *error) {
    if (n > SIZE_MAX / 16 || !ip_ids_reserve(ids, 3 * n)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    ip_status status = reserve(scratch, n + 1, error);
    if (status != IP_OK) return status;
    best_ways(t, scratch->steps, piece, n);
    /* Back from the end, ids written from the end of the room and then moved to its front. */
    int32_t *begin = ids->data + ids->count, *end = begin + 3 * n, *out = end;
    for (size_t at = n; at > 0;) {
        const step *s = &scratch->steps[at];
        size_t from = s->from;
        if (s->id != t->unknown) {
            *--out = s->id;
        } else {
            while (from > 0 && scratch->steps[from].id == t->unknown) from = scratch->steps[from].from;
            out -= unknown_back(t, piece + from, at - from, out);
        }
        at = from;
    }
    size_t count = (size_t)(end - out);
    memmove(begin, out, count * sizeof *begin);
    ids->count += count;
    return IP_OK;
}

/* What all tokenizers share: the map from text to id, where a text may be cut, and the end.
 *
 *   text -> added tokens found in it -> fragments -> normal form -> pieces -> symbols -> merges -> ids
 *            tokenizer_added     tokenizer_normal   tokenizer_pieces, _pre, _scan    bpe, unigram, tokenizer_merge
 *
 * Two builders fill the struct: tokenizer_gguf from the keys of a GGUF, tokenizer_json from a tokenizer.json. */
#include "models/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "models/tokenizer_internal.h"

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

bool ip_tokenizer_room(ip_tokenizer *t, size_t count, size_t bytes) {
    size_t slots = 16;
    while (slots < count * 2) slots *= 2;
    t->count = count;
    t->pieces = calloc(count, sizeof *t->pieces);
    t->types = calloc(count, 1);
    /* Pieces in the first half; texts of added tokens, as they stand in the file, in the second: the tokenizer keeps
     * nothing that points into the file. */
    t->arena = malloc(2 * (bytes + 1));
    t->added_texts = t->arena ? t->arena + bytes + 1 : NULL;
    t->map.slots = calloc(slots, sizeof *t->map.slots);
    t->map.mask = slots - 1;
    for (int i = 0; i < 256; i++) t->byte_id[i] = -1;
    t->unknown = -1;
    return t->pieces && t->types && t->arena && t->map.slots;
}

ip_bytes ip_keep_text(char **free_bytes, ip_bytes text) {
    if (text.size) memcpy(*free_bytes, text.data, text.size);
    text.data = *free_bytes;
    *free_bytes += text.size;
    return text;
}

/* ---- cutting ---- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Between an ASCII letter and a space (byte-level: or newline) that no merge crosses. */
static bool may_cut(const ip_tokenizer *t, char before, char after) {
    if (!is_letter(before)) return false;
    if (t->form == IP_FORM_SPACED) return after == ' ' && (t->word_split || !t->joins_space[(unsigned char)before]);
    return after == ' ' || after == '\n';
}

/* Cutting is off when an added token could span a cut, or end at one: what follows an added token may be treated
 * differently (white space swallowed, a space put in front). */
static bool set_allows_cuts(const ip_tokenizer *t, const ip_added_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        ip_bytes text = set->items[i].text;
        if (is_letter(text.data[text.size - 1])) return false;
        if (set->items[i].single_word && (text.data[0] == ' ' || text.data[0] == '\n')) return false;
        for (size_t k = 1; k < text.size; k++)
            if (may_cut(t, text.data[k - 1], text.data[k])) return false;
    }
    return true;
}

/* Steps that look at one character, or at characters that combine, give the same on both sides of a cut. */
static bool normal_allows_cuts(const ip_tokenizer *t) {
    for (size_t i = 0; i < t->normals; i++) {
        const ip_normal *step = &t->normal[i];
        if (step->kind == IP_NORMAL_STRIP || step->regex) return false;
        if (step->kind == IP_NORMAL_REPLACE && step->from_n != 1) return false;
    }
    return true;
}

static bool pieces_allow_cuts(const ip_tokenizer *t) {
    bool rule = !t->before || ip_splitter_stages(t->before) == 0 || ip_splitter_cuttable(t->before);
    if (t->form == IP_FORM_SPACED) return rule && !t->after && (t->words || t->word_split);
    return t->before && ip_splitter_cuttable(t->before) && t->change == IP_CHANGE_NONE && !t->after;
}

void ip_tokenizer_settle(ip_tokenizer *t) {
    t->cuttable = pieces_allow_cuts(t) && normal_allows_cuts(t) && set_allows_cuts(t, &t->raw) &&
                  set_allows_cuts(t, &t->normalised);
}

void ip_tokenizer_free(ip_tokenizer *t) {
    if (!t) return;
    ip_added_set_free(&t->raw);
    ip_added_set_free(&t->normalised);
    for (size_t i = 0; i < t->normals; i++) ip_normal_free(&t->normal[i]);
    free(t->normal);
    ip_splitter_free(t->before);
    ip_splitter_free(t->after);
    ip_merges_free(&t->merges);
    for (size_t i = 0; i < t->normal_text_count; i++) free(t->normal_texts[i]);
    free(t->normal_texts);
    free(t->scores);
    free(t->front);
    free(t->back);
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

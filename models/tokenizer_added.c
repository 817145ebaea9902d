/* Finding added tokens. The set is sorted, so the items that agree with the text so far are one range that each
 * further byte narrows; the last complete item on the way is the longest hit. */
#include "models/tokenizer_added.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/unicode_ranges.h"

bool ip_added_set_add(ip_added_set *set, ip_added item) {
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : 16;
        ip_added *items = realloc(set->items, room * sizeof *items);
        if (!items) return false;
        set->items = items;
        set->room = room;
    }
    set->items[set->count++] = item;
    return true;
}

static int by_text(const void *left, const void *right) {
    const ip_added *a = left, *b = right;
    size_t n = a->text.size < b->text.size ? a->text.size : b->text.size;
    int order = memcmp(a->text.data, b->text.data, n);
    if (order != 0) return order;
    if (a->text.size != b->text.size) return a->text.size < b->text.size ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

void ip_added_set_finish(ip_added_set *set) {
    if (set->count) qsort(set->items, set->count, sizeof *set->items, by_text);
    size_t out = 0;
    for (size_t i = 0; i < set->count; i++) {
        const ip_added *a = &set->items[i], *b = i + 1 < set->count ? a + 1 : NULL;
        bool again = b && a->text.size == b->text.size && memcmp(a->text.data, b->text.data, a->text.size) == 0;
        if (!again) set->items[out++] = *a;
    }
    set->count = out;
    size_t at = 0;
    for (size_t byte = 0; byte <= 256; byte++) {
        while (at < out && (unsigned char)set->items[at].text.data[0] < byte) at++;
        set->first[byte] = at;
    }
}

void ip_added_set_free(ip_added_set *set) {
    free(set->items);
    set->items = NULL;
}

/* First item in low .. high whose byte at depth is not below byte; all of them are longer than depth. */
static size_t lower(const ip_added_set *set, size_t low, size_t high, size_t depth, unsigned byte) {
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((unsigned char)set->items[middle].text.data[depth] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const ip_added *longest_at(const ip_added_set *set, const char *text, size_t n) {
    const ip_added *best = NULL;
    size_t low = set->first[(unsigned char)text[0]], high = set->first[(unsigned char)text[0] + 1];
    for (size_t depth = 1; low < high; depth++) {
        if (set->items[low].text.size == depth) best = &set->items[low++];
        if (depth == n) break;
        unsigned byte = (unsigned char)text[depth];
        low = lower(set, low, high, depth, byte);
        high = lower(set, low, high, depth, byte + 1);
    }
    return best;
}

size_t ip_added_find(const ip_added_set *set, const char *text, size_t n, size_t from, const ip_added **hit) {
    if (set->count == 0) return n;
    /* One first byte for all of them, as "<": let memchr run over what cannot be a hit. */
    bool single = set->items[0].text.data[0] == set->items[set->count - 1].text.data[0];
    for (size_t at = from; at < n; at++) {
        if (single) {
            const char *p = memchr(text + at, set->items[0].text.data[0], n - at);
            if (!p) return n;
            at = (size_t)(p - text);
        }
        unsigned char c = (unsigned char)text[at];
        if (set->first[c] == set->first[c + 1]) continue;
        *hit = longest_at(set, text + at, n - at);
        if (*hit) return at;
    }
    return n;
}

static bool is_word(const char *text, size_t at, size_t n) {
    const ip_unicode_class *word = ip_unicode_class_find("W", 1);
    size_t step = ip_utf8_step((const unsigned char *)text + at, n - at);
    return step && ip_unicode_class_has(word, ip_utf8_decode((const unsigned char *)text + at, step));
}

bool ip_added_alone(const char *text, size_t first, size_t stop, size_t n) {
    size_t before = first;
    while (before > 0 && (before == first || ((unsigned char)text[before] & 0xC0) == 0x80)) before--;
    return !(first > 0 && is_word(text, before, first)) && !(stop < n && is_word(text, stop, n));
}

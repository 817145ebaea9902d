/* Cutting text into lower-cased words; this room's door to utf8proc. */
#include "core/input/words.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/base/hash.h"
#include "core/base/utf8.h"

/* Lower-case letter or digit of an ASCII byte, 0 for what stands between words. */
static const char ascii[128] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8',
    ['9'] = '9', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h',
    ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q',
    ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z'};

static bool is_in_word(uint32_t c) {
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return true;
    default: return false;
    }
}

/* Hiragana and katakana, and the ideographs of all planes. */
static bool is_alone(uint32_t c) {
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

/* The word at hand, n bytes, becomes a number. */
static bool end_word(ip_words *words, const unsigned char *word, size_t *n) {
    if (*n == 0) return true;
    if (words->count == words->room) {
        size_t room = words->room * 2 + 256;
        uint64_t *data = realloc(words->data, room * sizeof *data);
        if (!data) return false;
        words->data = data;
        words->room = room;
    }
    words->data[words->count++] = ip_hash64(word, *n, 0);
    *n = 0;
    return true;
}

bool ip_words_of(ip_words *words, const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    /* A lower-cased character takes at most four bytes, its original at least one more than half of them. */
    unsigned char *word = malloc(2 * n + 8);
    size_t size = 0;
    bool room = word != NULL;
    for (size_t i = 0; room && i < n;) {
        if (p[i] < 128) {
            char c = ascii[p[i++]];
            if (c)
                word[size++] = (unsigned char)c;
            else
                room = end_word(words, word, &size);
            continue;
        }
        size_t step = ip_utf8_step(p + i, n - i);
        uint32_t c = step ? ip_utf8_decode(p + i, step) : 0;
        bool inside = step && is_in_word(c), alone = inside && is_alone(c);
        if (!inside || alone) room = end_word(words, word, &size);
        if (inside) size += ip_utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), word + size);
        if (alone && room) room = end_word(words, word, &size);
        i += step ? step : 1;
    }
    room = room && end_word(words, word, &size);
    free(word);
    return room;
}

void ip_words_free(ip_words *words) {
    free(words->data);
    *words = (ip_words){0};
}

size_t ip_words_cut(const char *text, size_t from, size_t n) {
    for (size_t at = n; at-- > (from > 1 ? from : 1);)
        if (text[at] == ' ' || text[at] == '\n') return at;
    return 0;
}

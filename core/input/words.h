/* Words of a text, as numbers: what n-grams are made of when there is no tokenizer.
 *
 * A word is a run of letters, marks and numbers (Unicode general categories L, M, N), as long as it can be, everything
 * else stands between words; an ideograph or a kana is a word by itself, as these scripts put nothing between words.
 * Characters are lower-cased one by one (Unicode's simple mapping), and the word's number is XXH3-64 of its UTF-8: two
 * of V different words share a number with probability below V^2 / 2^65.
 */
#ifndef IP_CORE_WORDS_H
#define IP_CORE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ip_words {
    uint64_t *data;
    size_t count, room;
} ip_words;

/* Appends the words of n bytes of UTF-8; bytes that are not UTF-8 stand between words. false: out of memory. */
bool ip_words_of(ip_words *words, const char *text, size_t n);
void ip_words_free(ip_words *words);

/* The last place in text, from < place < n, where words cannot go across: before an ASCII space or line end. 0: none. */
size_t ip_words_cut(const char *text, size_t from, size_t n);

#endif

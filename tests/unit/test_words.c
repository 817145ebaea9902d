/* Words: what is in one and what stands between, lower case, and that cutting a text anywhere allowed changes nothing. */
#include "core/input/words.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/hash.h"

static void expect_words(const char *text, const char *const *expected) {
    ip_words words = {0};
    cr_assert(ip_words_of(&words, text, strlen(text)));
    size_t n = 0;
    for (; expected[n]; n++) {
        cr_assert_lt(n, words.count, "%s: only %zu words", text, words.count);
        cr_expect_eq(words.data[n], ip_hash64(expected[n], strlen(expected[n]), 0), "%s: word %zu is not %s", text, n,
                     expected[n]);
    }
    cr_expect_eq(words.count, n, "%s: %zu words", text, words.count);
    ip_words_free(&words);
}

Test(words, of_many_scripts) {
    expect_words("", (const char *[]){NULL});
    expect_words(" .,;-_!? \n\t", (const char *[]){NULL});
    expect_words("Don't STOP: 3.14", (const char *[]){"don", "t", "stop", "3", "14", NULL});
    expect_words("naïve CAFÉ—ÜBER", (const char *[]){"naïve", "café", "über", NULL});
    expect_words("cafe\xCC\x81 X", (const char *[]){"cafe\xCC\x81", "x", NULL});
    expect_words("ΑΒΓ Привет", (const char *[]){"αβγ", "привет", NULL});
    expect_words("漢字かなX、ABC한국어", (const char *[]){"漢", "字", "か", "な", "x", "abc한국어", NULL});
    /* Ⱥ takes two bytes and its lower case three: nothing else grows. */
    expect_words("ȺȺȺȺ", (const char *[]){"ⱥⱥⱥⱥ", NULL});
    expect_words("a\xFF"
                 "b \xE2\x82",
                 (const char *[]){"a", "b", NULL});
}

Test(words, cut_anywhere) {
    const char *text = "One two\nthree, four  — fünf sechs";
    size_t n = strlen(text);
    ip_words whole = {0};
    cr_assert(ip_words_of(&whole, text, n));
    size_t cuts = 0;
    for (size_t end = 1; end < n; end++) {
        size_t cut = ip_words_cut(text, 0, end);
        if (cut == 0) continue;
        ip_words parts = {0};
        cr_assert(ip_words_of(&parts, text, cut) && ip_words_of(&parts, text + cut, n - cut));
        cr_assert_eq(parts.count, whole.count);
        cr_expect_eq(memcmp(parts.data, whole.data, whole.count * sizeof *whole.data), 0, "cut at %zu", cut);
        ip_words_free(&parts);
        cuts++;
    }
    cr_expect_gt(cuts, 5);
    ip_words_free(&whole);
}

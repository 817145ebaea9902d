/* Splitting by an expression with a behaviour, and normalisers, on short texts: what the `tokenizers` library 0.23.3 gave
 * (pieces joined by bars). Nothing outside the tree is needed. */
#include "models/tokenizer_normal.h"
#include "models/tokenizer_pre.h"
#include "tests/unit/tokens_support.h"

static const struct {
    const char *expression;
    ip_behaviour behaviour;
    const char *pieces;
} cases[] = {
    {"\\d", IP_ISOLATED, "übcü |1|2|a|1|2|3|4|5|6|7| _b▁c  d!! |٣|² aab"},
    {"\\d", IP_REMOVED, "übcü |a| _b▁c  d!! |² aab"},
    {"\\d", IP_KEPT, "1|2|1|2|3|4|5|6|7|٣"},
    {"\\d", IP_WITH_PREVIOUS, "übcü 1|2|a1|2|3|4|5|6|7| _b▁c  d!! ٣|² aab"},
    {"\\d", IP_WITH_NEXT, "übcü |1|2a|1|2|3|4|5|6|7 _b▁c  d!! |٣² aab"},
    {"\\d", IP_CONTIGUOUS, "übcü |12|a|1234567| _b▁c  d!! |٣|² aab"},
    {"[a-c]+", IP_ISOLATED, "ü|bc|ü 12|a|1234567 _|b|▁|c|  d!! ٣² |aab"},
    {"[a-c]+", IP_REMOVED, "ü|ü 12|1234567 _|▁|  d!! ٣² "},
    {"[a-c]+", IP_KEPT, "bc|a|b|c|aab"},
    {"[a-c]+", IP_WITH_PREVIOUS, "übc|ü 12a|1234567 _b|▁c|  d!! ٣² aab"},
    {"[a-c]+", IP_WITH_NEXT, "ü|bcü 12|a1234567 _|b▁|c  d!! ٣² |aab"},
    {"[a-c]+", IP_CONTIGUOUS, "ü|bc|ü 12|a|1234567 _|b|▁|c|  d!! ٣² |aab"},
    {"(?=(\\d{3})+(?!\\d))", IP_ISOLATED, "übcü 12a1|234|567 _b▁c  d!! ٣² aab"},
    {"(?=(\\d{3})+(?!\\d))", IP_REMOVED, "übcü 12a1|234|567 _b▁c  d!! ٣² aab"},
    {"(?=(\\d{3})+(?!\\d))", IP_KEPT, ""},
    {"(?=(\\d{3})+(?!\\d))", IP_WITH_PREVIOUS, "übcü 12a1|234|567 _b▁c  d!! ٣² aab"},
    {"(?=(\\d{3})+(?!\\d))", IP_WITH_NEXT, "übcü 12a1|234|567 _b▁c  d!! ٣² aab"},
    {"(?=(\\d{3})+(?!\\d))", IP_CONTIGUOUS, "übcü 12a1|234|567 _b▁c  d!! ٣² aab"},
    {"\\bb|\\w\\b", IP_ISOLATED, "übc|ü| 12a123456|7| _|b|▁|c|  |d|!! ٣|²| aa|b"},
    {"\\bb|\\w\\b", IP_REMOVED, "übc| 12a123456| _|▁|  |!! ٣| aa"},
    {"\\bb|\\w\\b", IP_KEPT, "ü|7|b|c|d|²|b"},
    {"\\bb|\\w\\b", IP_WITH_PREVIOUS, "übcü| 12a1234567| _b|▁c|  d|!! ٣²| aab"},
    {"\\bb|\\w\\b", IP_WITH_NEXT, "übc|ü 12a123456|7 _|b▁|c  |d!! ٣|² aa|b"},
    {"\\bb|\\w\\b", IP_CONTIGUOUS, "übc|ü| 12a123456|7| _|b|▁|c|  |d|!! ٣|²| aa|b"},
    {"\\s|$", IP_ISOLATED, "übcü| |12a1234567| |_b▁c| | |d!!| |٣²| |aab"},
    {"\\s|$", IP_REMOVED, "übcü|12a1234567|_b▁c|d!!|٣²|aab"},
    {"\\s|$", IP_KEPT, " | | | | | "},
    {"\\s|$", IP_WITH_PREVIOUS, "übcü |12a1234567 |_b▁c | |d!! |٣² |aab"},
    {"\\s|$", IP_WITH_NEXT, "übcü| 12a1234567| _b▁c| | d!!| ٣²| aab"},
    {"\\s|$", IP_CONTIGUOUS, "übcü| |12a1234567| |_b▁c|  |d!!| |٣²| |aab"},
    {"(?i:B)|\\p{Nd}{2}", IP_ISOLATED, "ü|b|cü |12|a|12|34|56|7 _|b|▁c  d!! ٣² aa|b"},
    {"(?i:B)|\\p{Nd}{2}", IP_REMOVED, "ü|cü |a|7 _|▁c  d!! ٣² aa"},
    {"(?i:B)|\\p{Nd}{2}", IP_KEPT, "b|12|12|34|56|b|b"},
    {"(?i:B)|\\p{Nd}{2}", IP_WITH_PREVIOUS, "üb|cü 12|a12|34|56|7 _b|▁c  d!! ٣² aab"},
    {"(?i:B)|\\p{Nd}{2}", IP_WITH_NEXT, "ü|bcü |12a|12|34|567 _|b▁c  d!! ٣² aa|b"},
    {"(?i:B)|\\p{Nd}{2}", IP_CONTIGUOUS, "ü|b|cü |12|a|123456|7 _|b|▁c  d!! ٣² aa|b"},
    {"x*", IP_ISOLATED, "ü|b|c|ü| |1|2|a|1|2|3|4|5|6|7| |_|b|▁|c| | |d|!|!| |٣|²| |a|a|b"},
    {"x*", IP_REMOVED, "ü|b|c|ü| |1|2|a|1|2|3|4|5|6|7| |_|b|▁|c| | |d|!|!| |٣|²| |a|a|b"},
    {"x*", IP_KEPT, ""},
    {"x*", IP_WITH_PREVIOUS, "ü|b|c|ü| |1|2|a|1|2|3|4|5|6|7| |_|b|▁|c| | |d|!|!| |٣|²| |a|a|b"},
    {"x*", IP_WITH_NEXT, "ü|b|c|ü| |1|2|a|1|2|3|4|5|6|7| |_|b|▁|c| | |d|!|!| |٣|²| |a|a|b"},
    {"x*", IP_CONTIGUOUS, "ü|b|c|ü| |1|2|a|1|2|3|4|5|6|7| |_|b|▁|c| | |d|!|!| |٣|²| |a|a|b"},
};

Test(splitter, behaviours) {
    static const char text[] = "übcü 12a1234567 _b▁c  d!! ٣² aab";
    size_t n = sizeof text - 1;
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ip_splitter *splitter = ip_splitter_new();
        ip_error error = {0};
        cr_assert_eq(
            ip_splitter_add(splitter, cases[i].expression, strlen(cases[i].expression), cases[i].behaviour, &error),
            IP_OK, "%s", error.message);
        char got[256] = "";
        ip_split state = {0};
        for (size_t at = 0, stop; at < n; at = stop) {
            bool dropped;
            cr_assert_eq(ip_split_next(splitter, scratch, &state, text, at, n, &stop, &dropped, &error), IP_OK);
            cr_assert(stop > at && stop <= n);
            if (dropped) continue;
            if (got[0]) strcat(got, "|");
            strncat(got, text + at, stop - at);
        }
        cr_expect_str_eq(got, cases[i].pieces, "%s, behaviour %d: %s", cases[i].expression, (int)cases[i].behaviour,
                         got);
        ip_splitter_free(splitter);
    }
    ip_regex_scratch_free(scratch);
}

static void check_normal(ip_normal step, const char *text, const char *want) {
    ip_text buffers[2] = {{0}, {0}};
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    ip_error error = {0};
    const char *out;
    size_t n;
    cr_assert_eq(ip_normalise(&step, 1, buffers, scratch, true, text, strlen(text), &out, &n, &error), IP_OK);
    cr_expect(n == strlen(want) && memcmp(out, want, n) == 0, "'%s': '%.*s', wanted '%s'", text, (int)n, out, want);
    free(buffers[0].data);
    free(buffers[1].data);
    ip_regex_scratch_free(scratch);
}

Test(normaliser, forms) {
    ip_normal nfc = {.kind = IP_NORMAL_NFC};
    check_normal(nfc, "plain text\n", "plain text\n");
    check_normal(nfc, "e\u0301 x e\u0301\u0323 a", "\u00e9 x \u1eb9\u0301 a");
    check_normal(nfc, "\u0301e", "\u0301e");
    check_normal(nfc, "\u1112\u1161\u11ab \u212b\u0958", "\ud55c \u00c5\u0915\u093c");
    check_normal(nfc, "\u2018quoted\u2019 \u4e2d\u6587", "\u2018quoted\u2019 \u4e2d\u6587");
    check_normal((ip_normal){.kind = IP_NORMAL_NFD}, "\u00e9", "e\u0301");
    check_normal((ip_normal){.kind = IP_NORMAL_NFKC}, "\ufb01\u00bd", "fi1\u20442");
    check_normal((ip_normal){.kind = IP_NORMAL_LOWERCASE}, "A\u0130\u00c9\u023a", "ai\u0307\u00e9\u2c65");
    check_normal((ip_normal){.kind = IP_NORMAL_STRIP_ACCENTS}, "e\u0301a", "ea");
    check_normal((ip_normal){.kind = IP_NORMAL_STRIP, .left = true, .right = true}, " \u3000a b\n ", "a b");
    check_normal((ip_normal){.kind = IP_NORMAL_STRIP, .left = true, .right = true}, "  \u3000 ", "");
}

/* Pre-tokenizers: the scanners against the expressions on PCRE2, both against pieces that another engine gave
 * (tests/scripts/llama_bpe_check.py), and the rule of models/pretokenizers.def on which cutting relies. */
#include "models/tokenizer_pre.h"

#include "core/base/utf8.h"
#include "models/unicode_ranges.h"
#include "tests/unit/tokens_support.h"

typedef struct pieces {
    size_t end[4096], count;
} pieces;

static void split_text(const ip_splitter *splitter, ip_regex_scratch *scratch, const char *text, size_t n,
                       pieces *out) {
    ip_split state = {0};
    ip_error error = {0};
    out->count = 0;
    for (size_t at = 0; at < n;) {
        size_t stop;
        bool dropped;
        cr_assert_eq(ip_split_next(splitter, scratch, &state, text, at, n, &stop, &dropped, &error), IP_OK, "%s",
                     error.message);
        cr_assert(stop > at && stop <= n && out->count < 4096 && !dropped);
        out->end[out->count++] = at = stop;
    }
}

static uint32_t random_character(unsigned long *seed) {
    static const char often[] = "  \n\r\t''sStTlLvVeErRdDmM059aZ.,!/-(";
    switch (random_number(seed) % 8) {
    case 0: return random_number(seed) % 0x80;
    case 1: return random_number(seed) % 0x3100;
    case 2: {
        uint32_t c = random_number(seed) % 0x110000;
        return c >= 0xD800 && c < 0xE000 ? 0x17F : c;
    }
    case 3: {
        static const uint32_t special[] = {0x17F, 0x212A, 0x85,   0xA0,  0x2028,  0x3000,  0x301,
                                           0x663, 0xBD,   0x4E00, 0x1C5, 0x16D40, 0x10D40, 0x11DE0};
        return special[random_number(seed) % (sizeof special / sizeof special[0])];
    }
    default: return (unsigned char)often[random_number(seed) % (sizeof often - 1)];
    }
}

static size_t random_text(unsigned long *seed, char *text, size_t most) {
    size_t n = 0, characters = 1 + random_number(seed) % most;
    for (size_t i = 0; i < characters; i++) {
        uint32_t c = random_character(seed);
        for (unsigned k = random_number(seed) % 4 == 0 ? 1 + random_number(seed) % 4 : 1; k > 0; k--)
            n += ip_utf8_encode(c, (unsigned char *)text + n);
    }
    return n;
}

/* What a scanner exists for gives the pieces of its expressions: random texts, and every character in three places. */
Test(pretokenizer, scanners_are_the_expressions, .timeout = 300) {
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    static pieces fast, law;
    size_t scanners = 0;
    bool done[8] = {false};
    for (size_t row = 0; row < ip_pre_count(); row++) {
        const ip_pre *pre = ip_pre_at(row);
        if (pre->quick == IP_QUICK_NONE || done[pre->quick]) continue;
        done[pre->quick] = true;
        scanners++;
        ip_splitter *quick, *slow;
        ip_error error = {0};
        cr_assert_eq(ip_splitter_of_row(&quick, pre, true, &error), IP_OK, "%s", error.message);
        cr_assert_eq(ip_splitter_of_row(&slow, pre, false, &error), IP_OK, "%s", error.message);
        unsigned long seed = row + 1;
        for (int round = 0; round < 20000; round++) {
            char text[1024];
            size_t n = random_text(&seed, text, 24);
            split_text(quick, scratch, text, n, &fast);
            split_text(slow, scratch, text, n, &law);
            bool same = fast.count == law.count && memcmp(fast.end, law.end, fast.count * sizeof fast.end[0]) == 0;
            cr_assert(same, "%s: round %d: '%.*s'", pre->names, round, (int)n, text);
        }
        for (uint32_t c = 0; c < 0x110000; c++) {
            if (c >= 0xD800 && c < 0xE000) continue;
            char text[64] = "a";
            size_t n = 1;
            n += ip_utf8_encode(c, (unsigned char *)text + n);
            memcpy(text + n, "b ", 2);
            n += 2;
            n += ip_utf8_encode(c, (unsigned char *)text + n);
            memcpy(text + n, "5'", 2);
            n += 2;
            n += ip_utf8_encode(c, (unsigned char *)text + n);
            split_text(quick, scratch, text, n, &fast);
            split_text(slow, scratch, text, n, &law);
            bool same = fast.count == law.count && memcmp(fast.end, law.end, fast.count * sizeof fast.end[0]) == 0;
            cr_assert(same, "%s: U+%04X", pre->names, (unsigned)c);
        }
        ip_splitter_free(quick);
        ip_splitter_free(slow);
    }
    cr_expect_eq(scanners, 6);
    ip_regex_scratch_free(scratch);
}

/* The fixture: published expressions on Python's `regex` module. */
Test(pretokenizer, pieces_of_another_engine) {
    size_t n, rows = 0, count;
    char *table = read_whole(INFOPLANE_SOURCE_DIR "/tests/data/pretokenizer_pieces.tsv", &n), *cursor = table,
         *field[3];
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    ip_splitter *splitter[2] = {NULL, NULL};
    const ip_pre *at = NULL;
    ip_error error = {0};
    static pieces got;
    next_row(&cursor, field, 3);
    while ((count = next_row(&cursor, field, 3)) == 3) {
        const ip_pre *pre = ip_pre_find(field[0], strlen(field[0]));
        cr_assert_not_null(pre, "%s", field[0]);
        for (int quick = 0; quick < 2 && pre != at; quick++) {
            ip_splitter_free(splitter[quick]);
            cr_assert_eq(ip_splitter_of_row(&splitter[quick], pre, quick, &error), IP_OK, "%s", error.message);
        }
        at = pre;
        char text[4096];
        size_t size = strlen(field[1]) / 2;
        cr_assert(size < sizeof text);
        for (size_t i = 0; i < size; i++) {
            unsigned byte;
            sscanf(field[1] + 2 * i, "%2x", &byte);
            text[i] = (char)byte;
        }
        for (int quick = 0; quick < 2; quick++) {
            split_text(splitter[quick], scratch, text, size, &got);
            char *number = field[2];
            size_t end = 0, piece = 0;
            for (; *number; piece++) {
                end += strtoul(number, &number, 10);
                cr_assert(piece < got.count && got.end[piece] == end, "%s, quick %d, piece %zu: '%.*s'", field[0],
                          quick, piece, (int)size, text);
            }
            cr_assert_eq(piece, got.count);
        }
        rows++;
    }
    cr_expect(rows >= 500, "%zu rows", rows);
    for (int quick = 0; quick < 2; quick++) ip_splitter_free(splitter[quick]);
    ip_regex_scratch_free(scratch);
    free(table);
}

/* Every row: between an ASCII letter and a space or newline the text may be cut. */
Test(pretokenizer, letters_end_before_spaces, .timeout = 200) {
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    static pieces whole, left, right;
    for (size_t row = 0; row < ip_pre_count(); row++) {
        ip_splitter *splitter;
        ip_error error = {0};
        if (ip_pre_at(row)->flags & IP_PRE_NO_CUT) continue;
        cr_assert_eq(ip_splitter_of_row(&splitter, ip_pre_at(row), true, &error), IP_OK, "%s", error.message);
        unsigned long seed = 100 + row;
        size_t cuts = 0;
        for (int round = 0; round < 5000; round++) {
            char text[1024];
            size_t n = random_text(&seed, text, 24);
            split_text(splitter, scratch, text, n, &whole);
            for (size_t cut = 1; cut < n; cut++) {
                bool letter = (text[cut - 1] | 0x20) >= 'a' && (text[cut - 1] | 0x20) <= 'z';
                if (!letter || (text[cut] != ' ' && text[cut] != '\n')) continue;
                split_text(splitter, scratch, text, cut, &left);
                split_text(splitter, scratch, text + cut, n - cut, &right);
                bool same = left.count + right.count == whole.count;
                for (size_t i = 0; same && i < whole.count; i++)
                    same = whole.end[i] == (i < left.count ? left.end[i] : cut + right.end[i - left.count]);
                cr_assert(same, "%s: cut at %zu of '%.*s'", ip_pre_at(row)->names, cut, (int)n, text);
                cuts++;
            }
        }
        cr_expect(cuts > 500, "%zu", cuts);
        ip_splitter_free(splitter);
    }
    ip_regex_scratch_free(scratch);
}

/* A megabyte of one character: no limit of the engine is met, and the time stays linear. */
Test(pretokenizer, long_runs, .timeout = 200) {
    ip_regex_scratch *scratch = ip_regex_scratch_new();
    size_t most = 1000000;
    char *text = malloc(most);
    static const char kinds[] = " \na.5'";
    for (size_t row = 0; row < ip_pre_count(); row++) {
        ip_splitter *splitter;
        ip_error error = {0};
        cr_assert_eq(ip_splitter_of_row(&splitter, ip_pre_at(row), false, &error), IP_OK, "%s", error.message);
        /* Grouping digits from the right looks to the end of the number at each of them, by its own rule. */
        const char *first = ip_pre_at(row)->expressions[0], *second = ip_pre_at(row)->expressions[1];
        bool threes = strstr(first, "\\d{3}") || (second && strstr(second, "\\d{3}"));
        for (const char *kind = kinds; *kind; kind++) {
            size_t n = threes && *kind == '5' ? 5000 : most;
            memset(text, *kind, n);
            ip_split state = {0};
            for (size_t at = 0; at < n;) {
                size_t stop;
                bool dropped;
                cr_assert_eq(ip_split_next(splitter, scratch, &state, text, at, n, &stop, &dropped, &error), IP_OK,
                             "%s", error.message);
                cr_assert(stop > at);
                at = stop;
            }
        }
        ip_splitter_free(splitter);
    }
    free(text);
    ip_regex_scratch_free(scratch);
}

Test(pretokenizer, names) {
    cr_expect_null(ip_pre_find("no-such-pre", 11));
    cr_expect_null(ip_pre_find("", 0));
    cr_expect_null(ip_pre_find("gpt", 3));
    cr_expect_eq(ip_pre_find("llama3", 6), ip_pre_find("llama-bpe", 9));
    cr_expect(ip_pre_find("smollm", 6)->quick == IP_QUICK_GPT2_DIGITS);
}

/* The generated table: some characters whose class the standard's text fixes, and Unicode 16 against 17. */
Test(pretokenizer, unicode_table) {
    static const struct {
        const char *name;
        uint32_t code;
        bool inside;
    } facts[] = {{"L", 'a', true},
                 {"L", 0x1C89, true} /* 16.0 */,
                 {"L", 0x16D43, true} /* 16.0 */,
                 {"N", 0x10D40, true} /* 16.0 */,
                 {"N", 0x11DE0, false} /* 17.0 */,
                 {"N17", 0x11DE0, true},
                 {"N17", 0x10D40, true},
                 {"s", 0x180E, false},
                 {"s", 0x3000, true},
                 {"Lt", 0x1C5, true},
                 {"M", 0x301, true},
                 {"P", 0x2E5D, true},
                 {"S", '$', true},
                 {"P", '$', false}};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const ip_unicode_class *class = ip_unicode_class_find(facts[i].name, strlen(facts[i].name));
        cr_assert_not_null(class);
        bool inside = false;
        for (size_t k = 0; k < class->count; k++) {
            inside = inside || (facts[i].code >= class->ranges[k].first && facts[i].code <= class->ranges[k].last);
            cr_assert(class->ranges[k].first <= class->ranges[k].last &&
                      (k == 0 || class->ranges[k].first > class->ranges[k - 1].last + 1));
        }
        cr_expect_eq(inside, facts[i].inside, "%s U+%04X", facts[i].name, (unsigned)facts[i].code);
    }
}

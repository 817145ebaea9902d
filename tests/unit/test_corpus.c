/* Corpora: the rules of golden/badfiles, how files become documents, and that nothing depends on threads. The tokenizer
 * is that of the demo model in the repository: every byte has a token, <|begin|> stands in front of a document. */
#include "core/input/corpus.h"

#include <regex.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/base/npy.h"
#include "tests/unit/tokens_support.h"

static ip_gguf *file;
static ip_tokenizer *tokenizer;
static ip_pool *pool;
static char folder[] = "/tmp/infoplane-corpus-XXXXXX";
static char warnings[4096];

static void keep_warning(void *context, const char *line) {
    (void)context;
    strncat(warnings, line, sizeof warnings - strlen(warnings) - 1);
}

static void set_up(void) {
    ip_error error = {0};
    const char *path = INFOPLANE_SOURCE_DIR "/models/demo/demo.q8_0.gguf";
    cr_assert_eq(ip_gguf_open(&file, path, NULL, NULL, &error), IP_OK, "%s", error.message);
    cr_assert_eq(ip_tokenizer_from_gguf(&tokenizer, file, NULL, NULL, &error), IP_OK, "%s", error.message);
    cr_assert_not_null(pool = ip_pool_create(2));
    cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
    ip_pool_destroy(pool);
    ip_tokenizer_free(tokenizer);
    ip_gguf_close(file);
}

TestSuite(corpus, .init = set_up, .fini = tear_down, .timeout = 200);

/* Writes a file into the folder of this test; returns its path, malloc'ed. */
static char *put(const char *name, const void *data, size_t n) {
    char *path = NULL;
    cr_assert(asprintf(&path, "%s/%s", folder, name) > 0);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    cr_assert_eq(fclose(f), 0);
    return path;
}

static ip_corpus_options plain(const char *split) { return (ip_corpus_options){.split = split, .parse_special = true}; }

static ip_status read_one(ip_corpus *out, const char *path, ip_corpus_options options, ip_error *error) {
    return ip_corpus_read(out, &path, 1, &options, tokenizer, ip_tokenizer_vocabulary(tokenizer), pool, keep_warning,
                          NULL, NULL, NULL, error);
}

/* Text of document i: the bytes of its ids. malloc'ed. */
static char *text_of(const ip_corpus *corpus, size_t i, size_t *n) {
    size_t room = 1;
    char *text = malloc(1);
    *n = 0;
    for (uint64_t k = corpus->offsets[i]; k < corpus->offsets[i + 1]; k++) {
        ip_bytes piece = ip_tokenizer_piece(tokenizer, corpus->ids[k]);
        if (*n + piece.size + 1 > room) cr_assert_not_null(text = realloc(text, room = (*n + piece.size) * 2 + 1));
        memcpy(text + *n, piece.data, piece.size);
        *n += piece.size;
    }
    text[*n] = '\0';
    return text;
}

/* Texts of all documents, each followed by '|'. malloc'ed. */
static char *all_texts(const ip_corpus *corpus, size_t *n) {
    char *all = malloc(1);
    *n = 0;
    for (size_t i = 0; i < corpus->documents; i++) {
        size_t size;
        char *text = text_of(corpus, i, &size);
        cr_assert_not_null(all = realloc(all, *n + size + 2));
        memcpy(all + *n, text, size);
        all[*n + size] = '|';
        *n += size + 1;
        free(text);
    }
    all[*n] = '\0';
    return all;
}

static void expect_texts(const char *name, const void *data, size_t n, ip_corpus_options options, const char *want,
                         size_t want_n) {
    ip_corpus corpus;
    ip_error error = {0};
    char *path = put(name, data, n);
    cr_assert_eq(read_one(&corpus, path, options, &error), IP_OK, "%s", error.message);
    size_t got_n;
    char *got = all_texts(&corpus, &got_n);
    cr_expect(got_n == want_n && memcmp(got, want, want_n) == 0, "%s: '%s', wanted '%s'", name, got, want);
    free(got);
    free(path);
    ip_corpus_free(&corpus);
}

#define TEXTS(name, data, options, want) expect_texts(name, data, sizeof data - 1, options, want, sizeof want - 1)

Test(corpus, splits) {
    TEXTS("a.txt", "one\n\n  two \r\nthree", plain("line"), "one|  two |three|");
    TEXTS("a.txt", "one\nstill one\n \t\n\ntwo\r\n\r\nthree\n", plain("paragraph"), "one\nstill one|two|three|");
    TEXTS("a.txt", "one<|endoftext|>\n<|endoftext|>two<|endoftext|>", plain("<|endoftext|>"), "one|two|");
    TEXTS("a.txt", "one\n\ntwo\n", plain("file"), "one\n\ntwo\n|");
    TEXTS("a.txt", "one\n\ntwo\n", plain(NULL), "one\n\ntwo\n|");
    TEXTS("a.txt", "\xEF\xBB\xBFone\n", plain("file"), "one\n|");
    TEXTS("a.jsonl", "{\"text\": \"one\\ntwo\"}\n{\"text\": \"\"}\n", plain("line"), "one\ntwo||");
    TEXTS("b.jsonl", "{\"id\": 123456789012345678901234567890, \"body\": \"one\"}\n{\"body\": \"two\", \"x\": \"y\"}",
          plain(NULL), "one|two|");
    TEXTS("c.jsonl", "{\"content\": \"one\", \"title\": \"two\"}\n", plain(NULL), "one|");
    ip_corpus_options named = plain(NULL);
    named.text_field = "title";
    TEXTS("d.jsonl", "{\"content\": \"one\", \"title\": \"two\"}\n", named, "two|");
    ip_corpus_options format = plain("line");
    format.format = "txt";
    TEXTS("e.log", "one\ntwo\n", format, "one|two|");
}

/* chunk: consecutive pieces of the ids of the whole file, each with <|begin|> in front. */
Test(corpus, chunks) {
    size_t n = 0, room = 3 << 20;
    char *text = malloc(room);
    unsigned long seed = 3;
    while (n < room - 16)
        n += (size_t)sprintf(text + n, "%s%u%c", n % 7 ? "the " : "a rest, ", random_number(&seed) % 50,
                             n % 11 ? ' ' : '\n');
    char *path = put("long.txt", text, n);
    ip_tokenizer_scratch *scratch = ip_tokenizer_scratch_new(tokenizer);
    ip_ids whole = {0};
    ip_error error = {0};
    cr_assert_eq(ip_tokenize(tokenizer, scratch, text, n, false, true, &whole, &error), IP_OK);
    ip_corpus_options options = plain("chunk");
    options.add_special = true;
    options.max_tokens = 100;
    ip_corpus corpus;
    cr_assert_eq(read_one(&corpus, path, options, &error), IP_OK, "%s", error.message);
    cr_assert_eq(corpus.documents, (whole.count + 98) / 99);
    size_t at = 0;
    for (size_t i = 0; i < corpus.documents; i++) {
        uint64_t begin = corpus.offsets[i], size = corpus.offsets[i + 1] - begin;
        cr_assert(size == 100 || i + 1 == corpus.documents);
        cr_assert_eq(corpus.ids[begin], 0);
        cr_assert_eq(memcmp(corpus.ids + begin + 1, whole.data + at, (size - 1) * sizeof *whole.data), 0,
                     "document %zu", i);
        at += size - 1;
    }
    cr_assert_eq(at, whole.count);
    ip_corpus_free(&corpus);

    options.documents = 7; /* stops early: the same first documents */
    cr_assert_eq(read_one(&corpus, path, options, &error), IP_OK);
    cr_expect_eq(corpus.documents, 7);
    cr_expect_eq(corpus.tokens, 700);
    cr_expect_eq(memcmp(corpus.ids + 1, whole.data, 99 * sizeof *whole.data), 0);
    char hex[IP_HASH_HEX];
    ip_hash128(text, n, hex);
    cr_expect_str_eq(corpus.files[0].fingerprint, hex, "of the whole file");
    ip_corpus_free(&corpus);

    options.documents = 0;
    options.max_tokens = 0; /* one document per file; its text is the file's */
    cr_assert_eq(read_one(&corpus, path, options, &error), IP_OK);
    cr_expect_eq(corpus.documents, 1);
    cr_expect_eq(corpus.tokens, whole.count + 1);
    ip_hash128_stream *stream = ip_hash128_new();
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(n >> 8 * i);
    ip_hash128_update(stream, text, n);
    ip_hash128_update(stream, length, 8);
    ip_hash128_hex(stream, hex);
    cr_expect_str_eq(corpus.text_fingerprint, hex);
    ip_hash128_free(stream);
    ip_corpus_free(&corpus);

    options.split = "file";
    options.max_tokens = 50; /* the file's first ids; its text is still the file's */
    cr_assert_eq(read_one(&corpus, path, options, &error), IP_OK);
    cr_expect_eq(corpus.documents, 1);
    cr_expect_eq(corpus.tokens, 50);
    cr_expect_eq(memcmp(corpus.ids + 1, whole.data, 49 * sizeof *whole.data), 0);
    cr_expect_str_eq(corpus.text_fingerprint, hex);
    ip_corpus_free(&corpus);
    ip_tokenizer_scratch_free(scratch);
    free(whole.data);
    free(path);
    free(text);
}

/* Any number of threads, the same corpus; and a long line is no different from a short one. */
Test(corpus, threads) {
    size_t n = 0, room = 2 << 20;
    char *text = malloc(room);
    unsigned long seed = 5;
    while (n < room / 2) n += (size_t)sprintf(text + n, "w%u%s", random_number(&seed) % 1000, n % 13 ? " " : "\n");
    while (n < room - 16)
        n += (size_t)sprintf(text + n, "w%u ", random_number(&seed) % 1000); /* 1 MB without a line end */
    char *path = put("threads.txt", text, n);
    static const char *const splits[] = {"chunk", "line", "file"};
    for (size_t s = 0; s < 3; s++) {
        ip_corpus_options options = plain(splits[s]);
        options.max_tokens = s == 1 ? 0 : 512;
        ip_corpus one, four;
        ip_error error = {0};
        ip_pool *single = ip_pool_create(1), *more = ip_pool_create(4);
        const char *paths[1] = {path};
        size_t vocabulary = ip_tokenizer_vocabulary(tokenizer);
        cr_assert_eq(
            ip_corpus_read(&one, paths, 1, &options, tokenizer, vocabulary, single, NULL, NULL, NULL, NULL, &error),
            IP_OK);
        cr_assert_eq(
            ip_corpus_read(&four, paths, 1, &options, tokenizer, vocabulary, more, NULL, NULL, NULL, NULL, &error),
            IP_OK);
        cr_expect_eq(one.documents, four.documents);
        cr_expect_eq(one.tokens, four.tokens);
        cr_expect_str_eq(one.ids_fingerprint, four.ids_fingerprint);
        cr_expect_str_eq(one.text_fingerprint, four.text_fingerprint);
        cr_expect_eq(memcmp(one.ids, four.ids, one.tokens * sizeof *one.ids), 0);
        ip_corpus_free(&one);
        ip_corpus_free(&four);
        ip_pool_destroy(single);
        ip_pool_destroy(more);
    }
    free(path);
    free(text);
}

/* A document cut at max_tokens begins as the whole one does; what is behind the last document is not judged. */
Test(corpus, limits) {
    char *path = put("limits.jsonl", "{\"text\": \"one two three four five\"}\n{\"text\": \"two\"}\nnot JSON\n", 62);
    ip_corpus_options options = plain(NULL);
    options.add_special = true;
    ip_corpus corpus;
    ip_error error = {0};
    cr_expect_eq(read_one(&corpus, path, options, &error), IP_BAD_INPUT);
    cr_expect(strstr(error.message, "line 3"), "%s", error.message);
    options.documents = 2;
    options.max_tokens = 3;
    cr_assert_eq(read_one(&corpus, path, options, &error), IP_OK, "%s", error.message);
    cr_expect_eq(corpus.documents, 2);
    cr_expect_eq(corpus.offsets[1], 3);
    cr_expect_eq(corpus.ids[0], 0);
    ip_corpus_free(&corpus);
    options.max_tokens = 1;
    cr_expect_eq(read_one(&corpus, path, options, &error), IP_USAGE);
    options.max_tokens = 0;
    options.format = "xml";
    cr_expect_eq(read_one(&corpus, path, options, &error), IP_USAGE);
    options.format = NULL;
    cr_expect_eq(read_one(&corpus, "nowhere.txt", options, &error), IP_BAD_INPUT);
    cr_expect_eq(read_one(&corpus, "-", options, &error), IP_USAGE);
    cr_expect_eq(read_one(&corpus, "name.csv", options, &error), IP_USAGE);
    cr_expect_eq(read_one(&corpus, "name.parquet", options, &error), IP_BAD_INPUT);
    cr_expect(strstr(error.message, "export"), "%s", error.message);
    cr_expect_eq(read_one(&corpus, folder, options, &error), IP_USAGE);
    free(path);
}

static char *put_ids(const char *name, const char *descr, unsigned dims, const uint64_t *shape, const void *data,
                     size_t n) {
    char *path = NULL;
    cr_assert(asprintf(&path, "%s/%s", folder, name) > 0);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(ip_npy_header(f, descr, dims, shape), IP_OK);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
    return path;
}

Test(corpus, ids) {
    const int32_t ids[6] = {5, 6, 7, 8, 9, 10};
    const int64_t borders[4] = {0, 1, 1, 6};
    ip_corpus corpus;
    ip_error error = {0};
    ip_corpus_options options = plain(NULL);
    char *square = put_ids("square.npy", "<i4", 2, (uint64_t[]){2, 3}, ids, sizeof ids);
    cr_assert_eq(read_one(&corpus, square, options, &error), IP_OK, "%s", error.message);
    cr_expect_eq(corpus.documents, 2);
    cr_expect_eq(corpus.offsets[1], 3);
    cr_expect_str_eq(corpus.text_fingerprint, "");
    ip_corpus_free(&corpus);
    options.max_tokens = 2;
    cr_assert_eq(read_one(&corpus, square, options, &error), IP_OK);
    cr_expect_eq(corpus.tokens, 4);
    cr_expect_eq(corpus.ids[2], 8);
    ip_corpus_free(&corpus);
    options.max_tokens = 0;

    char *flat = put_ids("flat.npy", "<i4", 1, (uint64_t[]){6}, ids, sizeof ids);
    cr_assert_eq(read_one(&corpus, flat, options, &error), IP_OK);
    cr_expect_eq(corpus.documents, 1);
    ip_corpus_free(&corpus);
    char *beside = put_ids("flat.offsets.npy", "<i8", 1, (uint64_t[]){4}, borders, sizeof borders);
    cr_assert_eq(read_one(&corpus, flat, options, &error), IP_OK, "%s", error.message);
    cr_expect_eq(corpus.documents, 3);
    cr_expect_eq(corpus.offsets[2], 1);
    cr_expect_eq(corpus.tokens, 6);
    ip_corpus_free(&corpus);
    char *wrong = put_ids("wrong.npy", "<i8", 1, (uint64_t[]){3}, borders, 24);
    options.offsets = wrong;
    cr_expect_eq(read_one(&corpus, flat, options, &error), IP_BAD_INPUT);
    options.offsets = NULL;

    const int32_t outside[2] = {5, 896};
    char *large = put_ids("large.npy", "<i4", 2, (uint64_t[]){1, 2}, outside, sizeof outside);
    cr_expect_eq(read_one(&corpus, large, options, &error), IP_BAD_INPUT);
    cr_expect(strstr(error.message, "896"), "%s", error.message);
    free(square);
    free(flat);
    free(beside);
    free(wrong);
    free(large);
}

Test(corpus, raw) {
    ip_corpus corpus;
    ip_error error = {0};
    ip_corpus_options options = plain(NULL);
    char *path = put("raw.bin", "\xEF\xBB\xBFone\n\xFFtwo", 11);
    cr_assert_eq(ip_corpus_read_raw(&corpus, path, &options, tokenizer, pool, NULL, NULL, &error), IP_OK, "%s",
                 error.message);
    size_t n;
    char *text = text_of(&corpus, 0, &n);
    cr_expect_str_eq(text, "\xEF\xBB\xBFone\n\xEF\xBF\xBDtwo");
    cr_expect_eq(corpus.replaced, 1);
    free(text);
    ip_corpus_free(&corpus);
    char *empty = put("empty.bin", "", 0);
    cr_assert_eq(ip_corpus_read_raw(&corpus, empty, &options, tokenizer, pool, NULL, NULL, &error), IP_OK, "%s",
                 error.message);
    cr_expect_eq(corpus.documents, 1);
    cr_expect_eq(corpus.tokens, 0);
    ip_corpus_free(&corpus);
    free(path);
    free(empty);
}

/* The corpus rows of expected.tsv; accepted ones with the texts of accepted.json. */
Test(corpus, badfiles) {
    need_shared("golden/badfiles/expected.tsv");
    static const char *const accepted[][2] = {{"ok_plain.jsonl", "one|two|three|"},
                                              {"ok_no_last_newline.jsonl", "one|two|three|"},
                                              {"ok_bom.jsonl", "one|two|three|"},
                                              {"ok_crlf.jsonl", "one|two|three|"},
                                              {"ok_blank_lines.jsonl", "one|two|three|"},
                                              {"ok_escapes.jsonl", "a\xC3\xA9\xF0\x9F\x98\x80\n\t\"\\/\b\f|"},
                                              {"ok_duplicate_key.jsonl", "last|"},
                                              {"ok_extra_fields.jsonl", "one|"},
                                              {"ok_empty_text.jsonl", "|two|"},
                                              {"ok_separator_u2028.jsonl", "a\xE2\x80\xA8"
                                                                           "b\xC2\x85"
                                                                           "c|"},
                                              {"ok_members.jsonl.gz", "one|two|"},
                                              {"ok_frames.jsonl.zst", "one|two|"},
                                              {"ok_invalid_utf8.txt", "a\xEF\xBF\xBD"
                                                                      "b\xEF\xBF\xBD"
                                                                      "c\xEF\xBF\xBD"
                                                                      "d\n|"},
                                              {"ok_bom.txt", "hello\n|"},
                                              {"ok_no_newline.txt", "hello|"}};
    char *path = shared_path("golden/badfiles/expected.tsv");
    size_t n, rows = 0, compared = 0, count;
    char *table = read_whole(path, &n), *cursor = table, *field[7];
    while ((count = next_row(&cursor, field, 7)) > 0) {
        if (count < 6 || strcmp(field[1], "corpus") != 0) continue;
        char *relative = NULL;
        cr_assert(asprintf(&relative, "golden/badfiles/%s", field[0]) > 0);
        char *name = shared_path(relative);
        ip_corpus corpus;
        ip_error error = {0};
        warnings[0] = '\0';
        ip_status status = read_one(&corpus, name, plain("file"), &error);
        bool accept = strcmp(field[3], "accept") == 0;
        cr_expect_eq(status, accept ? IP_OK : IP_BAD_INPUT, "%s: %s", field[0], error.message);
        regex_t word;
        cr_assert_eq(regcomp(&word, field[4], REG_EXTENDED | REG_ICASE | REG_NOSUB), 0);
        const char *said = accept ? warnings : error.message + strlen(name);
        if (*field[4])
            cr_expect_eq(regexec(&word, said, 0, NULL, 0), 0, "%s: '%s' does not match %s", field[0], said, field[4]);
        if (!accept) cr_expect(strncmp(error.message, name, strlen(name)) == 0, "%s", error.message);
        regfree(&word);
        for (size_t i = 0; accept && status == IP_OK && i < sizeof accepted / sizeof accepted[0]; i++) {
            if (strcmp(field[0] + strlen("corpus/"), accepted[i][0]) != 0) continue;
            size_t size;
            char *texts = all_texts(&corpus, &size);
            cr_expect_str_eq(texts, accepted[i][1], "%s", field[0]);
            compared++;
            free(texts);
        }
        if (accept && status == IP_OK) {
            size_t size;
            char *text = text_of(&corpus, 0, &size);
            if (strstr(field[0], "ok_huge_line")) cr_expect_eq(size, 3000000);
            if (strstr(field[0], "ok_nul_escape")) cr_expect(size == 3 && memcmp(text, "a\0b", 3) == 0);
            if (strstr(field[0], "ok_nul.txt")) cr_expect(size == 13 && memcmp(text, "before\0after\n", 13) == 0);
            free(text);
        }
        if (status == IP_OK) ip_corpus_free(&corpus);
        free(name);
        free(relative);
        rows++;
    }
    cr_expect(rows >= 50, "%zu rows", rows);
    cr_expect_eq(compared, sizeof accepted / sizeof accepted[0]);
    free(table);
    free(path);
}

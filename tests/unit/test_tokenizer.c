/* Tokenizers from GGUF against the ids that the reference library gives (golden/tokenizers), and rules that hold for
 * every text: cutting, decoding, threads' scratches. */
#include "models/tokenizer.h"

#include <regex.h>

#include "core/base/npy.h"
#include "core/base/utf8.h"
#include "models/json.h"
#include "tests/unit/tokens_support.h"

static void print_warning(void *context, const char *line) {
    (void)context;
    fprintf(stderr, "warning: %s\n", line);
}

typedef struct loaded {
    ip_gguf *file;
    ip_tokenizer *tokenizer;
    ip_tokenizer_scratch *scratch;
} loaded;

static loaded load_path(const char *path) {
    loaded l = {0};
    ip_error error = {0};
    size_t n = strlen(path);
    if (n < 5 || strcmp(path + n - 5, ".gguf") != 0) {
        cr_assert_eq(ip_tokenizer_open_json(&l.tokenizer, path, 0, print_warning, NULL, &error), IP_OK, "%s",
                     error.message);
    } else {
        cr_assert_eq(ip_gguf_open(&l.file, path, print_warning, NULL, &error), IP_OK, "%s", error.message);
        cr_assert_eq(ip_tokenizer_from_gguf(&l.tokenizer, l.file, print_warning, NULL, &error), IP_OK, "%s",
                     error.message);
        ip_gguf_close(l.file); /* the tokenizer does not need it any more */
    }
    cr_assert_not_null(l.scratch = ip_tokenizer_scratch_new(l.tokenizer));
    return l;
}

static loaded load(const char *name) {
    char *path = shared_path(name);
    loaded l = load_path(path);
    free(path);
    return l;
}

static void unload(loaded *l) {
    ip_tokenizer_scratch_free(l->scratch);
    ip_tokenizer_free(l->tokenizer);
}

static char *golden_text(const char *name, size_t *n) {
    char *relative = NULL;
    cr_assert(asprintf(&relative, "golden/tokenizers/texts/%s", name) > 0);
    char *path = shared_path(relative);
    size_t raw, replaced;
    char *bytes = read_whole(path, &raw);
    char *text = ip_utf8_replace((unsigned char *)bytes, raw, n, &replaced);
    free(bytes);
    free(path);
    free(relative);
    return text;
}

/* Every row of index.tsv of one tokenizer. */
static void golden_rows(const char *tokenizer, const char *path) {
    need_shared("golden/tokenizers/ids.npy");
    loaded l = load_path(path);
    ip_error error = {0};
    ip_npy want;
    char *ids_path = shared_path("golden/tokenizers/ids.npy"), *index_path = shared_path("golden/tokenizers/index.tsv");
    cr_assert_eq(ip_npy_open(&want, ids_path, &error), IP_OK, "%s", error.message);
    size_t n, rows = 0, wrong = 0;
    char *index = read_whole(index_path, &n), *cursor = index, *field[6];
    while (next_row(&cursor, field, 6) == 6) {
        if (strcmp(field[0], tokenizer) != 0) continue;
        size_t size;
        char *text = golden_text(field[1], &size);
        ip_ids ids = {0};
        ip_status status =
            ip_tokenize(l.tokenizer, l.scratch, text, size, field[2][0] == '1', field[3][0] == '1', &ids, &error);
        cr_assert_eq(status, IP_OK, "%s", error.message);
        uint64_t offset = strtoull(field[4], NULL, 10), count = strtoull(field[5], NULL, 10);
        bool same = ids.count == count;
        for (uint64_t i = 0; same && i < count; i++) same = ids.data[i] == ip_npy_int(&want, offset + i);
        if (!same) {
            wrong++;
            fprintf(stderr, "%s: %s add %s parse %s: %zu ids, wanted %llu\n", tokenizer, field[1], field[2], field[3],
                    ids.count, (unsigned long long)count);
        }
        rows++;
        free(ids.data);
        free(text);
    }
    cr_expect(rows >= 2 * 113, "%zu rows", rows);
    cr_expect_eq(wrong, 0, "%s: %zu of %zu rows wrong", tokenizer, wrong, rows);
    free(index);
    free(ids_path);
    free(index_path);
    ip_npy_close(&want);
    unload(&l);
}

static void check_golden(const char *tokenizer, const char *file) {
    need_shared(file);
    char *path = shared_path(file);
    golden_rows(tokenizer, path);
    free(path);
}

Test(tokenizer_golden, smollm2) { check_golden("gguf-smollm2", "models/SmolLM2-135M-Instruct.Q4_1.gguf"); }
Test(tokenizer_golden, gpt2) { check_golden("gguf-gpt-2", "data/ggml-vocabs/ggml-vocab-gpt-2.gguf"); }
Test(tokenizer_golden, llama) { check_golden("gguf-llama-spm", "data/ggml-vocabs/ggml-vocab-llama-spm.gguf"); }
Test(tokenizer_golden, starcoder) { check_golden("gguf-starcoder", "data/ggml-vocabs/ggml-vocab-starcoder.gguf"); }
Test(tokenizer_golden, phi3) { check_golden("gguf-phi-3", "data/ggml-vocabs/ggml-vocab-phi-3.gguf"); }
Test(tokenizer_golden, gpt_neox) { check_golden("gguf-gpt-neox", "data/ggml-vocabs/ggml-vocab-gpt-neox.gguf"); }
Test(tokenizer_golden, falcon) { check_golden("gguf-falcon", "data/ggml-vocabs/ggml-vocab-falcon.gguf"); }

static void check_json(const char *name) {
    char *folder = NULL;
    cr_assert(asprintf(&folder, "data/tokenizers/%s", name) > 0);
    check_golden(name, folder);
    free(folder);
}

Test(tokenizer_json, llama3_2) { check_json("llama3_2"); }
Test(tokenizer_json, qwen2_5) { check_json("qwen2_5"); }
Test(tokenizer_json, gpt2) { check_json("gpt2"); }
Test(tokenizer_json, mistral_nemo) { check_json("mistral_nemo"); }
Test(tokenizer_json, mistral_v0_1) { check_json("mistral_v0_1"); }
Test(tokenizer_json, command_r_plus) { check_json("command_r_plus"); }
Test(tokenizer_json, gemma2) { check_json("gemma2"); }

/* golden/tokenizers/pieces.tsv: the bytes of single ids. */
Test(tokenizer_golden, pieces) {
    need_shared("golden/tokenizers/pieces.tsv");
    static const char *const files[][2] = {{"gguf-smollm2", "models/SmolLM2-135M-Instruct.Q4_1.gguf"},
                                           {"gguf-gpt-2", "data/ggml-vocabs/ggml-vocab-gpt-2.gguf"},
                                           {"gguf-llama-spm", "data/ggml-vocabs/ggml-vocab-llama-spm.gguf"},
                                           {"gguf-phi-3", "data/ggml-vocabs/ggml-vocab-phi-3.gguf"}};
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        loaded l = load(files[f][1]);
        char *path = shared_path("golden/tokenizers/pieces.tsv");
        size_t n, checked = 0;
        char *table = read_whole(path, &n), *cursor = table, *field[3];
        while (next_row(&cursor, field, 3) == 3) {
            if (strcmp(field[0], files[f][0]) != 0) continue;
            ip_bytes piece = ip_tokenizer_piece(l.tokenizer, atoi(field[1]));
            char hex[4096] = "";
            for (size_t i = 0; i < piece.size && i < 2000; i++)
                sprintf(hex + 2 * i, "%02x", (unsigned char)piece.data[i]);
            cr_expect_str_eq(hex, field[2], "%s id %s", field[0], field[1]);
            checked++;
        }
        cr_expect(checked > 200, "%s: %zu", files[f][0], checked);
        free(table);
        free(path);
        unload(&l);
    }
}

/* Any text cut where ip_tokenizer_cut says gives the ids of the whole. */
static void check_cuts(const char *file) {
    need_shared("golden/tokenizers/texts");
    loaded l = load(file);
    static const char *const names[] = {"excerpt_english",    "excerpt_code", "excerpt_multilingual",
                                        "random_pieces",      "special_phi",  "special_pads",
                                        "contractions_upper", "random_runs",  "markdown"};
    unsigned long seed = 7;
    size_t cuts = 0;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        size_t n;
        char *text = golden_text(names[k], &n);
        ip_error error = {0};
        ip_ids whole = {0}, parts = {0};
        cr_assert_eq(ip_tokenize_on(l.tokenizer, l.scratch, text, n, true, true, &whole, &error), IP_OK);
        for (size_t at = 0; at < n;) {
            size_t size = 1 + random_number(&seed) % 400, cut = 0, from = 0;
            /* Without a place to cut the part grows, and only what is new is looked through. */
            while (cut == 0 && at + size < n) {
                cut = ip_tokenizer_cut(l.tokenizer, text + at, from, size);
                from = size - 1;
                size *= 2;
            }
            cuts += cut != 0;
            if (cut == 0) cut = n - at;
            cr_assert_eq(ip_tokenize_on(l.tokenizer, l.scratch, text + at, cut, at == 0, true, &parts, &error), IP_OK);
            at += cut;
        }
        cr_assert_eq(parts.count, whole.count, "%s in %s: %zu ids, whole %zu", file, names[k], parts.count,
                     whole.count);
        cr_assert_eq(memcmp(parts.data, whole.data, whole.count * sizeof *whole.data), 0);
        free(whole.data);
        free(parts.data);
        free(text);
    }
    cr_expect(cuts > 100, "%s: only %zu cuts", file, cuts);
    unload(&l);
}

Test(tokenizer_rules, cuts_smollm2) { check_cuts("models/SmolLM2-135M-Instruct.Q4_1.gguf"); }
Test(tokenizer_rules, cuts_gpt_neox) { check_cuts("data/ggml-vocabs/ggml-vocab-gpt-neox.gguf"); }
Test(tokenizer_rules, cuts_falcon) { check_cuts("data/ggml-vocabs/ggml-vocab-falcon.gguf"); }
Test(tokenizer_rules, cuts_llama) { check_cuts("data/ggml-vocabs/ggml-vocab-llama-spm.gguf"); }
Test(tokenizer_rules, cuts_json_llama3) { check_cuts("data/tokenizers/llama3_2"); }
Test(tokenizer_rules, cuts_json_qwen) { check_cuts("data/tokenizers/qwen2_5"); }
Test(tokenizer_rules, cuts_json_tekken) { check_cuts("data/tokenizers/mistral_nemo"); }
Test(tokenizer_rules, cuts_json_mistral) { check_cuts("data/tokenizers/mistral_v0_1"); }
Test(tokenizer_rules, cuts_phi3) { check_cuts("data/ggml-vocabs/ggml-vocab-phi-3.gguf"); }

/* A GPT-2 vocabulary has every byte: the pieces of the ids put together are the text. */
Test(tokenizer_rules, decode_is_identity) {
    need_shared("data/ggml-vocabs/ggml-vocab-gpt-2.gguf");
    loaded l = load("data/ggml-vocabs/ggml-vocab-gpt-2.gguf");
    unsigned long seed = 11;
    for (int round = 0; round < 300; round++) {
        char text[1200];
        size_t n = 0;
        while (n < 1100 && (n == 0 || random_number(&seed) % 200)) {
            unsigned kind = random_number(&seed) % 8;
            uint32_t c = kind < 4   ? random_number(&seed) % 128
                         : kind < 6 ? random_number(&seed) % 0x3000
                                    : random_number(&seed) % 0x110000;
            if (c >= 0xD800 && c < 0xE000) c = ' ';
            n += ip_utf8_encode(c, (unsigned char *)text + n);
        }
        ip_ids ids = {0};
        ip_error error = {0};
        cr_assert_eq(ip_tokenize(l.tokenizer, l.scratch, text, n, false, true, &ids, &error), IP_OK);
        size_t at = 0;
        for (size_t i = 0; i < ids.count; i++) {
            ip_bytes piece = ip_tokenizer_piece(l.tokenizer, ids.data[i]);
            cr_assert(at + piece.size <= n && memcmp(text + at, piece.data, piece.size) == 0, "round %d", round);
            at += piece.size;
        }
        cr_assert_eq(at, n);
        free(ids.data);
    }
    unload(&l);
}

/* A million characters of one kind: neither quadratic nor deep. */
static void check_long_run(const char *file, char c) {
    need_shared(file);
    loaded l = load(file);
    size_t n = 1000000;
    char *text = malloc(n);
    memset(text, c, n);
    ip_ids ids = {0};
    ip_error error = {0};
    cr_assert_eq(ip_tokenize(l.tokenizer, l.scratch, text, n, false, true, &ids, &error), IP_OK, "%s", error.message);
    size_t bytes = 0;
    for (size_t i = 0; i < ids.count; i++) bytes += ip_tokenizer_piece(l.tokenizer, ids.data[i]).size;
    cr_expect(bytes == n || bytes == n + 1, "%zu bytes", bytes); /* one more: the space in front */
    free(ids.data);
    free(text);
    unload(&l);
}

Test(tokenizer_rules, long_runs, .timeout = 200) {
    check_long_run("models/SmolLM2-135M-Instruct.Q4_1.gguf", ' ');
    check_long_run("models/SmolLM2-135M-Instruct.Q4_1.gguf", 'a');
    check_long_run("data/ggml-vocabs/ggml-vocab-falcon.gguf", ' ');
    check_long_run("data/ggml-vocabs/ggml-vocab-falcon.gguf", '\n');
    check_long_run("data/ggml-vocabs/ggml-vocab-llama-spm.gguf", ' ');
    check_long_run("data/ggml-vocabs/ggml-vocab-llama-spm.gguf", 'a');
}

/* The rows of badfiles/expected.tsv that are the tokenizer's. */
Test(tokenizer_badfiles, expected) {
    need_shared("golden/badfiles/expected.tsv");
    char *path = shared_path("golden/badfiles/expected.tsv");
    size_t n, rejected = 0;
    char *table = read_whole(path, &n), *cursor = table, *field[7];
    size_t count;
    while ((count = next_row(&cursor, field, 7)) > 0) {
        if (count < 6 || strcmp(field[1], "gguf") != 0) continue;
        bool tokenizer = strcmp(field[2], "tokenizer") == 0, accept = strcmp(field[3], "accept") == 0;
        if (!tokenizer && !accept) continue;
        char *relative = NULL;
        cr_assert(asprintf(&relative, "golden/badfiles/%s", field[0]) > 0);
        char *file_path = shared_path(relative);
        ip_gguf *file = NULL;
        ip_tokenizer *t = NULL;
        ip_error error = {0};
        cr_assert_eq(ip_gguf_open(&file, file_path, NULL, NULL, &error), IP_OK, "%s: %s", field[0], error.message);
        ip_status status = ip_tokenizer_from_gguf(&t, file, NULL, NULL, &error);
        if (accept) {
            cr_expect_eq(status, IP_OK, "%s: %s", field[0], error.message);
        } else {
            bool named = strstr(error.message, "tokenizer.ggml.") || strstr(error.message, "merge");
            cr_expect(status == IP_BAD_INPUT && named && strstr(error.message, field[0]), "%s: %d %s", field[0], status,
                      error.message);
            rejected++;
        }
        ip_tokenizer_free(t);
        ip_gguf_close(file);
        free(file_path);
        free(relative);
    }
    cr_expect(rejected >= 10, "%zu", rejected);
    free(table);
    free(path);
}

/* Ids of an accepted file's text as the reference gives them (accepted.json). */
static void check_accepted(const ip_tokenizer *t, const char *name, const ip_node *accepted) {
    const ip_node *row = ip_node_get(accepted, name), *want = ip_node_get(row, "ids");
    const char *text;
    cr_assert(ip_node_text(ip_node_get(row, "text"), &text), "%s", name);
    ip_ids ids = {0};
    ip_error error = {0};
    ip_tokenizer_scratch *scratch = ip_tokenizer_scratch_new(t);
    cr_assert_eq(ip_tokenize(t, scratch, text, strlen(text), true, true, &ids, &error), IP_OK, "%s", error.message);
    cr_expect_eq(ids.count, ip_node_count(want), "%s: %zu ids", name, ids.count);
    for (size_t i = 0; i < ids.count && i < ip_node_count(want); i++) {
        int64_t id;
        cr_assert(ip_node_int(ip_node_at(want, i), &id));
        cr_expect_eq(ids.data[i], id, "%s: id %zu is %d", name, i, ids.data[i]);
    }
    free(ids.data);
    ip_tokenizer_scratch_free(scratch);
}

/* Every tokenizer.json of badfiles/expected.tsv. The model that they stand beside has 128 rows. */
Test(tokenizer_badfiles, json) {
    need_shared("golden/badfiles/expected.tsv");
    char *path = shared_path("golden/badfiles/expected.tsv"), *list = shared_path("golden/badfiles/accepted.json");
    size_t n, accepts = 0, rejects = 0, count;
    char *known = read_whole(list, &n);
    for (char *nul = known; (nul = strstr(nul, "\\u0000"));) memcpy(nul, "\\u0001", 6); /* of other files' texts */
    ip_error error = {0};
    ip_node *accepted = ip_node_parse(list, "list", known, n, false, &error);
    cr_assert_not_null(accepted, "%s", error.message);
    char *table = read_whole(path, &n), *cursor = table, *field[7];
    while ((count = next_row(&cursor, field, 7)) > 0) {
        if (count < 6 || strcmp(field[1], "tokenizer.json") != 0) continue;
        char *relative = NULL;
        cr_assert(asprintf(&relative, "golden/badfiles/%s", field[0]) > 0);
        char *file = shared_path(relative);
        size_t size;
        char *bytes = read_whole(file, &size);
        ip_tokenizer *t = NULL;
        ip_status status =
            ip_tokenizer_open_json_memory(&t, "dir/tokenizer.json", bytes, size, 128, NULL, NULL, &error);
        if (strcmp(field[3], "accept") == 0) {
            cr_expect_eq(status, IP_OK, "%s: %s", field[0], error.message);
            if (t) check_accepted(t, field[0], accepted);
            accepts++;
        } else {
            regex_t word;
            cr_assert_eq(regcomp(&word, field[4], REG_EXTENDED | REG_ICASE | REG_NOSUB), 0);
            cr_expect(status == IP_BAD_INPUT && regexec(&word, error.message, 0, NULL, 0) == 0, "%s: %d %s", field[0],
                      status, error.message);
            cr_expect_null(strchr(error.message, '\n'));
            regfree(&word);
            rejects++;
        }
        ip_tokenizer_free(t);
        free(bytes);
        free(file);
        free(relative);
    }
    cr_expect(accepts >= 6 && rejects >= 35, "%zu accepted, %zu rejected", accepts, rejects);
    ip_node_free(accepted);
    free(known);
    free(table);
    free(path);
    free(list);
}

/* Every GGUF row of golden/badfiles/expected.tsv: refused at the stage named at the latest, with a message that gives
 * the right reason and the file, or accepted and read as gguf-py reads it (accepted_gguf.json). */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gguf.h"
#include "models/model.h"
#include "models/tokenizer.h"
#include "tests/unit/shared_data.h"

TestSuite(badfiles_gguf, .timeout = 120);

static const char *const stages[] = {"parse", "model", "tokenizer", "data", "accepted"};
enum { PARSE, MODEL, TOKENIZER, DATA, ACCEPTED };

/* Warnings gathered into one text. */
typedef struct notes {
    char text[4096];
} notes;

static void note(void *context, const char *line) {
    notes *n = context;
    size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "%s\n", line);
}

/* Takes a file through all stages; returns the one that refused it. */
static int furthest(const char *path, notes *n, ip_error *error) {
    ip_gguf *file;
    if (ip_gguf_open(&file, path, note, n, error) != IP_OK) return PARSE;
    bool weights = ip_gguf_tensor_count(file) > 0;
    ip_tokenizer *tokenizer = NULL;
    ip_model *model = NULL;
    int stage = ACCEPTED;
    ip_error tokenizer_error;
    bool tokenizes = ip_tokenizer_from_gguf(&tokenizer, file, note, n, &tokenizer_error) == IP_OK;
    ip_tokenizer_free(tokenizer);
    ip_gguf_close(file);
    if (weights && ip_model_open(&model, path, NULL, NULL, NULL, error) != IP_OK) return MODEL;
    if (!tokenizes) {
        stage = TOKENIZER;
        *error = tokenizer_error;
    }
    for (size_t i = 0; stage == ACCEPTED && model && i < ip_gguf_tensor_count(ip_model_gguf(model)); i++) {
        const ip_tensor *t = ip_gguf_tensor_at(ip_model_gguf(model), i);
        if (ip_tensor_check_finite(t, ip_model_tensor_path(model, t), error) != IP_OK) stage = DATA;
    }
    ip_model_close(model);
    return stage;
}

static bool matches(const char *pattern, const char *text) {
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) return false;
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static bool printable(const char *text, bool lines) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 && !(lines && *text == '\n')) return false;
    return true;
}

/* The message without the path given, which may hold the word looked for. */
static const char *without_path(const char *message, const char *path) {
    static char rest[2048];
    size_t n = 0;
    while (*message && n + 1 < sizeof rest) {
        if (strncmp(message, path, strlen(path)) == 0)
            message += strlen(path);
        else
            rest[n++] = *message++;
    }
    rest[n] = '\0';
    return rest;
}

/* One row; returns whether it is as expected, and says why not. */
static bool check_row(const char *name, int latest, bool reject, const char *word) {
    const char *path = shared_path("golden/badfiles/%s", name);
    notes n = {""};
    ip_error error = {.message = ""};
    int stage = furthest(path, &n, &error);
    const char *why = NULL;
    if (!printable(n.text, true) || !printable(error.message, false))
        why = "control bytes";
    else if (reject && stage == ACCEPTED)
        why = "was accepted";
    else if (!reject && stage != ACCEPTED)
        why = "was refused";
    else if (reject && stage > latest)
        why = "was refused too late";
    else if (reject && error.status != IP_BAD_INPUT)
        why = "has the wrong status";
    else if (reject && !strstr(error.message, path))
        why = "message without the file";
    else if (reject && word[0] && !matches(word, without_path(error.message, path)))
        why = "message without the reason";
    else if (!reject && word[0] && !matches(word, n.text))
        why = "no warning";
    if (why)
        fprintf(stderr, "%s: %s (at %s; wanted %s %s /%s/): %s | %s\n", name, why, stages[stage],
                reject ? "refused at" : "accepted", stages[latest], word, error.message, n.text);
    return why == NULL;
}

Test(badfiles_gguf, every_row_is_as_expected) {
    const char *list = shared_path("golden/badfiles/expected.tsv");
    if (shared_missing(list)) return;
    FILE *f = fopen(list, "r");
    cr_assert_not_null(f);
    char line[4096];
    int rows = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        char *column[7] = {0}, *at = line;
        for (int i = 0; i < 7; i++) column[i] = strsep(&at, "\t\n");
        if (!column[1] || strcmp(column[1], "gguf") != 0) continue;
        int latest = PARSE;
        while (latest < ACCEPTED && strcmp(stages[latest], column[2]) != 0) latest++;
        cr_assert_neq(latest, ACCEPTED, "unknown stage %s", column[2]);
        rows++;
        wrong += !check_row(column[0], latest, strcmp(column[3], "reject") == 0, column[4]);
    }
    fclose(f);
    cr_assert_gt(rows, 200);
    cr_assert_eq(wrong, 0, "%d of %d rows are not as expected", wrong, rows);
}

static double number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

static void check_tensor(const char *name, const ip_gguf *file, const json_t *wanted) {
    const char *label = json_string_value(json_object_get(wanted, "name"));
    const ip_tensor *t = ip_gguf_tensor(file, label);
    cr_assert_not_null(t, "%s: no tensor %s", name, label);
    cr_assert_str_eq(t->type->name, json_string_value(json_object_get(wanted, "type")));
    const json_t *ne = json_object_get(wanted, "ne"), *first = json_object_get(wanted, "first");
    cr_assert_eq(t->dims, json_array_size(ne));
    size_t count = 1;
    for (size_t d = 0; d < 4; d++) {
        uint64_t want = d < t->dims ? (uint64_t)json_integer_value(json_array_get(ne, d)) : 1;
        cr_assert_eq(t->ne[d], want, "%s: %s dimension %zu", name, label, d);
        count *= t->ne[d];
    }
    ip_bytes bytes = ip_gguf_part_bytes(file, ip_gguf_tensor_part(file, t));
    uint64_t offset =
        (uint64_t)(t->data - (const unsigned char *)bytes.data) - ip_gguf_part_data(file, ip_gguf_tensor_part(file, t));
    cr_assert_eq(offset, (uint64_t)number(wanted, "offset"), "%s: %s offset", name, label);
    cr_assert_eq(t->row_bytes * (count / t->ne[0]), (size_t)number(wanted, "bytes"));
    float *values = malloc(count * sizeof *values);
    double sum = 0;
    t->type->to_float(values, t->data, count);
    for (size_t i = 0; i < count; i++) sum += values[i];
    cr_assert_float_eq(sum, number(wanted, "sum"), 1e-9 * (1 + fabs(sum)), "%s: %s sum %.17g", name, label, sum);
    for (size_t i = 0; i < json_array_size(first); i++)
        cr_assert_eq(values[i], (float)json_number_value(json_array_get(first, i)), "%s: %s value %zu", name, label, i);
    free(values);
}

Test(badfiles_gguf, accepted_files_read_as_gguf_py_reads_them) {
    const char *list = shared_path("golden/badfiles/accepted_gguf.json");
    if (shared_missing(list)) return;
    json_t *all = json_load_file(list, 0, NULL), *wanted;
    const char *name;
    cr_assert_not_null(all);
    int files = 0, tensors = 0;
    json_object_foreach(all, name, wanted) {
        unsigned part;
        /* Parts of the split set are opened with its first one; their tensors are looked up there. */
        const char *numbered = strstr(name, "/m-0000"), *given = name;
        if (numbered && sscanf(numbered, "/m-%u", &part) == 1)
            given = "gguf/split_ok/m-00001-of-00003.gguf";
        else
            part = 1;
        ip_gguf *file;
        ip_error error;
        cr_assert_eq(ip_gguf_open(&file, shared_path("golden/badfiles/%s", given), NULL, NULL, &error), IP_OK, "%s",
                     error.message);
        cr_assert_eq(ip_gguf_part_bytes(file, part - 1).size, (size_t)number(wanted, "bytes"));
        cr_assert_eq(ip_gguf_part_alignment(file, part - 1), (uint64_t)number(wanted, "alignment"));
        if (json_array_size(json_object_get(wanted, "tensors")) > 0)
            cr_assert_eq(ip_gguf_part_data(file, part - 1), (uint64_t)number(wanted, "data_start"), "%s", name);
        if (part == 1) cr_assert_eq(ip_gguf_version(file), (uint32_t)number(wanted, "version"));
        size_t keys = 0;
        for (size_t i = 0; i < ip_gguf_value_count(file); i++) keys += ip_gguf_value_at(file, i)->part == part - 1;
        cr_assert_eq(keys, (size_t)number(wanted, "n_kv"), "%s: %zu keys", name, keys);
        size_t i;
        const json_t *tensor;
        json_array_foreach(json_object_get(wanted, "tensors"), i, tensor) {
            check_tensor(name, file, tensor);
            tensors++;
        }
        files++;
        ip_gguf_close(file);
    }
    json_decref(all);
    cr_assert(files == 26 && tensors == 291, "%d files, %d tensors", files, tensors);
}

/* Pairs: the golden parsing examples, every form of record, malformed files by their line, where replies begin. */
#include "core/preference/pairs_tokens.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/shared_data.h"

TestSuite(pairs, .timeout = 120);

static json_t *golden(const char *name) {
    const char *path = shared_path("golden/preference/%s", name);
    if (shared_missing(path)) return NULL;
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    cr_assert(root, "%s: %s", name, error.text);
    return root;
}

static const char *text_of(json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    cr_assert(text, "no %s", key);
    return text;
}

static ip_pairs read_all(const char *path) {
    ip_pairs pairs;
    ip_error error = {0};
    cr_assert_eq(ip_pairs_read(&pairs, path, 0, &error), IP_OK, "%s", error.message);
    return pairs;
}

Test(pairs, whole_dialogues) {
    json_t *root = golden("hh_splits.json");
    if (!root) return;
    ip_pairs pairs = read_all(shared_path("data/hh-rlhf-harmless/test.jsonl"));
    json_t *bytes = json_object_get(root, "all_records_prompt_bytes"), *record;
    size_t i;
    cr_assert_eq(pairs.count, json_array_size(bytes));
    json_array_foreach(bytes, i, record) {
        cr_expect(pairs.items[i].is_texts);
        cr_expect_eq((json_int_t)strlen(pairs.items[i].prompt), json_integer_value(record), "line %zu", i + 1);
    }
    json_array_foreach(json_object_get(root, "records"), i, record) {
        const ip_pair *pair = &pairs.items[json_integer_value(json_object_get(record, "line")) - 1];
        cr_expect_str_eq(pair->prompt, text_of(record, "prompt"));
        cr_expect_str_eq(pair->chosen, text_of(record, "chosen"));
        cr_expect_str_eq(pair->rejected, text_of(record, "rejected"));
    }
    ip_pairs_free(&pairs);
    json_decref(root);
}

static void expect_messages(const ip_pair *pair, json_t *record) {
    json_t *message;
    size_t i;
    cr_expect_not(pair->is_texts);
    cr_assert_eq(pair->prompt_messages.count, json_array_size(json_object_get(record, "prompt_messages")));
    json_array_foreach(json_object_get(record, "prompt_messages"), i, message) {
        cr_expect_str_eq(pair->prompt_messages.messages[i].role, text_of(message, "role"));
        cr_expect_str_eq(pair->prompt_messages.messages[i].text, text_of(message, "content"));
    }
    const ip_dialogue *replies[2] = {&pair->chosen_messages, &pair->rejected_messages};
    static const char *const names[2] = {"chosen", "rejected"};
    for (int side = 0; side < 2; side++) {
        cr_assert_eq(replies[side]->count, 1);
        cr_expect_str_eq(replies[side]->messages[0].role, "assistant");
        cr_expect_str_eq(replies[side]->messages[0].text, text_of(record, names[side]));
    }
}

Test(pairs, conversations) {
    json_t *root = golden("dpo_splits.json"), *record;
    if (!root) return;
    ip_pairs pairs = read_all(shared_path("data/dpo-en-demo/dpo_en_demo.json"));
    size_t i;
    cr_assert_gt(json_array_size(json_object_get(root, "records")), 0);
    json_array_foreach(json_object_get(root, "records"), i, record)
        expect_messages(&pairs.items[json_integer_value(json_object_get(record, "record"))], record);
    ip_pairs_free(&pairs);
    json_decref(root);
}

Test(pairs, chat_lists) {
    json_t *root = golden("chat_list_expected.json"), *record;
    if (!root) return;
    ip_pairs pairs = read_all(shared_path("golden/preference/chat_list.jsonl"));
    size_t i;
    cr_assert_eq(pairs.count, json_array_size(root));
    json_array_foreach(root, i, record) expect_messages(&pairs.items[i], record);
    ip_pairs_free(&pairs);
    json_decref(root);
}

/* ---- files made here ---- */

static ip_status read_text(ip_pairs *pairs, const char *text, uint64_t most, ip_error *error) {
    char path[] = "/tmp/infoplane-pairs-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    ip_status status = ip_pairs_read(pairs, path, most, error);
    unlink(path);
    return status;
}

Test(pairs, lists_lines_and_limits) {
    static const char *const files[] = {"{\"prompt\":\"p\",\"chosen\":\" a\",\"rejected\":\" "
                                        "b\"}\n\n{\"prompt\":\"q\",\"chosen\":\"\",\"rejected\":\"}\\\"{\"}",
                                        "\xEF\xBB\xBF[ {\"prompt\":\"p\",\"chosen\":\" a\",\"rejected\":\" b\"} ,\n"
                                        "{\"id\":NaN,\"prompt\":\"q\",\"chosen\":\"\",\"rejected\":\"}\\\"{\"} ]\n"};
    for (int i = 0; i < 2; i++) {
        ip_pairs pairs;
        ip_error error = {0};
        cr_assert_eq(read_text(&pairs, files[i], 0, &error), IP_OK, "%s", error.message);
        cr_assert_eq(pairs.count, 2);
        cr_expect_eq(pairs.items[1].record, i == 0 ? 3 : 2);
        cr_expect_str_eq(pairs.items[0].chosen, " a");
        cr_expect_str_eq(pairs.items[1].chosen, "");
        cr_expect_str_eq(pairs.items[1].rejected, "}\"{");
        cr_expect_eq(strlen(pairs.fingerprint), 32);
        ip_pairs_free(&pairs);
        cr_assert_eq(read_text(&pairs, files[i], 1, &error), IP_OK, "%s", error.message);
        cr_expect_eq(pairs.count, 1);
        ip_pairs_free(&pairs);
    }
}

Test(pairs, malformed) {
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "is empty: there is no pair"},
        {"[]", "is empty: there is no pair"},
        {"\n \n", "is empty: there is no pair"},
        {"{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"}\n{\"prompt\":\"p\",\"chosen\":\"a\"}",
         "line 2: has no field 'rejected'"},
        {"{\"prompt\":\"p\",\"rejected\":\"a\"}", "line 1: has no field 'chosen'"},
        {"{\"chosen\":\"a\",\"rejected\":\"b\"}", "line 1: has no 'prompt'"},
        {"{\"chosen\":[{\"role\":\"user\",\"content\":\"a\"}],\"rejected\":[{\"role\":\"user\",\"content\":\"b\"}]}",
         "line 1: has no 'prompt'"},
        {"{\"prompt\":\"p\",\"chosen\":7,\"rejected\":\"b\"}", "'chosen' is neither a text nor a list of messages"},
        {"{\"prompt\":[7],\"chosen\":\"a\",\"rejected\":\"b\"}", "'prompt': message 1 is not an object"},
        {"{\"prompt\":[{\"content\":\"x\"}],\"chosen\":\"a\",\"rejected\":\"b\"}",
         "'prompt': message 1 has no text 'role'"},
        {"{\"prompt\":[{\"from\":\"human\"}],\"chosen\":\"a\",\"rejected\":\"b\"}", "message 1 has no text 'value'"},
        {"{\"prompt\":\"p\",", "line 1 is not valid JSON"},
        {"[{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"},", "record 2: is not a JSON object"},
        {"[{\"prompt\":\"p\"", "record 1: the file ends inside it"},
        {"[{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"} 7", "behind record 1: a comma"},
        {"[{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"}] x", "behind the end of the list"},
        {"[7]", "record 1: is not a JSON object"},
        {"\xFF\xFE[", "UTF-16"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ip_pairs pairs;
        ip_error error = {0};
        cr_expect_eq(read_text(&pairs, rows[i].text, 0, &error), IP_BAD_INPUT, "row %zu", i);
        cr_expect(strstr(error.message, rows[i].says), "row %zu says: %s", i, error.message);
        cr_expect_not(strchr(error.message, '\n'));
        ip_pairs_free(&pairs);
    }
}

static ip_pair parse(const char *text) {
    ip_pair pair;
    ip_error error = {0};
    cr_assert_eq(ip_pair_parse(&pair, "file", "line 1", text, strlen(text), &error), IP_OK, "%s", error.message);
    return pair;
}

/* A prompt as text beside whole dialogues is in them already; beside replies it is the user's message. */
Test(pairs, prompt_beside_messages) {
    ip_pair pair =
        parse("{\"prompt\":\"q\",\"chosen\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
              "\"a\"}],"
              "\"rejected\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"b\"}]}");
    cr_expect_eq(pair.prompt_messages.count, 1);
    cr_expect_eq(pair.chosen_messages.count, 1);
    ip_pair_free(&pair);
    pair = parse("{\"prompt\":\"q\",\"chosen\":{\"from\":\"gpt\",\"value\":\"a\"},\"rejected\":{\"from\":\"gpt\","
                 "\"value\":\"b\"}}");
    cr_assert_eq(pair.prompt_messages.count, 1);
    cr_expect_str_eq(pair.prompt_messages.messages[0].role, "user");
    cr_expect_str_eq(pair.rejected_messages.messages[0].text, "b");
    size_t n, border;
    char *text = ip_pair_plain_text(&pair, true, &n, &border);
    cr_expect_str_eq(text, "\n\nHuman: q\n\nAssistant: a");
    cr_expect_eq(border, strlen("\n\nHuman: q\n\nAssistant:"));
    free(text);
    ip_pair_free(&pair);
}

/* Equal dialogues keep their last message as the reply; dialogues as text come back as messages. */
Test(pairs, equal_and_cut_dialogues) {
    ip_pair pair =
        parse("{\"chosen\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}],"
              "\"rejected\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]}");
    cr_expect_eq(pair.prompt_messages.count, 1);
    cr_expect_eq(pair.rejected_messages.count, 1);
    ip_pair_free(&pair);
    pair = parse("{\"chosen\":\"\\n\\nHuman: q\\n\\nAssistant: a\\n\\nHuman: r\\n\\nAssistant: c\","
                 "\"rejected\":\"\\n\\nHuman: q\\n\\nAssistant:\"}");
    cr_expect_str_eq(pair.prompt, "\n\nHuman: q\n\nAssistant:");
    cr_expect_str_eq(pair.rejected, "");
    cr_assert(ip_pair_to_messages(&pair));
    cr_expect_eq(pair.prompt_messages.count, 1);
    cr_expect_str_eq(pair.prompt_messages.messages[0].text, "q");
    cr_expect_eq(pair.chosen_messages.count, 3);
    cr_expect_str_eq(pair.chosen_messages.messages[1].role, "user");
    cr_expect_eq(pair.rejected_messages.count, 0);
    ip_pair_free(&pair);
}

/* ---- tokens ---- */

static ip_tokenizer *open_gguf_tokenizer(const char *path) {
    ip_gguf *file;
    ip_tokenizer *tokenizer;
    ip_error error = {0};
    cr_assert_eq(ip_gguf_open(&file, path, NULL, NULL, &error), IP_OK, "%s", error.message);
    cr_assert_eq(ip_tokenizer_from_gguf(&tokenizer, file, NULL, NULL, &error), IP_OK, "%s", error.message);
    ip_gguf_close(file);
    return tokenizer;
}

/* Ids and first positions of all 120 sequences of the worked example. */
Test(pairs, sequences) {
    json_t *root = golden("sequences.json"), *row;
    if (!root) return;
    ip_tokenizer *tokenizer = open_gguf_tokenizer(shared_path("models/stories260K.gguf"));
    ip_pairs pairs = read_all(shared_path("golden/preference/pairs.jsonl"));
    ip_pool *pool = ip_pool_create(2);
    ip_pair_options options = {.max_tokens = 512, .add_special = true, .parse_special = true};
    ip_corpus corpus = {0};
    ip_reply *replies;
    ip_error error = {0};
    cr_assert_eq(
        ip_pairs_tokenize(&corpus, &replies, &pairs, "pairs.jsonl", &options, tokenizer, pool, NULL, NULL, &error),
        IP_OK, "%s", error.message);
    cr_assert_eq(corpus.documents, json_array_size(root));
    size_t i, k;
    json_array_foreach(root, i, row) {
        json_t *ids = json_object_get(row, "ids"), *id;
        cr_assert_eq(corpus.offsets[i + 1] - corpus.offsets[i], json_array_size(ids));
        json_array_foreach(ids, k, id) cr_assert_eq(corpus.ids[corpus.offsets[i] + k], json_integer_value(id));
        cr_expect_eq(replies[i].first, json_integer_value(json_object_get(row, "first_completion_position")));
        cr_expect_eq(replies[i].stop, json_array_size(ids));
    }
    free(replies);
    ip_corpus_free(&corpus);
    ip_pool_destroy(pool);
    ip_pairs_free(&pairs);
    ip_tokenizer_free(tokenizer);
    json_decref(root);
}

/* Against the offsets of the tokenizers library: tests/data/reply_begin.jsonl. */
Test(pairs, where_replies_begin) {
    FILE *file = fopen(INFOPLANE_SOURCE_DIR "/tests/data/reply_begin.jsonl", "r");
    cr_assert_not_null(file);
    char *line = NULL, name[64] = "";
    size_t room = 0, rows = 0;
    ip_tokenizer *tokenizer = NULL;
    ip_tokenizer_scratch *scratch = NULL;
    while (getline(&line, &room, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);
        ip_error error = {0};
        if (strcmp(name, text_of(row, "tokenizer")) != 0) {
            snprintf(name, sizeof name, "%s", text_of(row, "tokenizer"));
            ip_tokenizer_scratch_free(scratch);
            ip_tokenizer_free(tokenizer);
            const char *path = shared_path("data/tokenizers/%s/tokenizer.json", name);
            if (shared_missing(path)) return;
            cr_assert_eq(ip_tokenizer_open_json(&tokenizer, path, 0, NULL, NULL, &error), IP_OK, "%s", error.message);
            scratch = ip_tokenizer_scratch_new(tokenizer);
        }
        const char *prompt = text_of(row, "prompt");
        char *text = NULL;
        ip_ids ids = {0};
        size_t first, n = (size_t)asprintf(&text, "%s%s", prompt, text_of(row, "reply"));
        cr_assert_eq(ip_tokenize_on(tokenizer, scratch, text, n, true, true, &ids, &error), IP_OK);
        cr_expect_eq((json_int_t)ids.count, json_integer_value(json_object_get(row, "ids")));
        cr_assert_eq(
            ip_reply_begin(&first, tokenizer, scratch, text, n, strlen(prompt), true, ids.data, ids.count, &error),
            IP_OK);
        cr_expect_eq((json_int_t)first, json_integer_value(json_object_get(row, "first")),
                     "%s, row %zu: %zu of %zu: %s", name, rows + 1, first, ids.count, line);
        free(ids.data);
        free(text);
        json_decref(row);
        rows++;
    }
    cr_expect_gt(rows, 200);
    free(line);
    fclose(file);
    ip_tokenizer_scratch_free(scratch);
    ip_tokenizer_free(tokenizer);
}

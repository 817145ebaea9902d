/* Chat templates against Jinja: tests/data/chat_templates.jsonl, made by tests/scripts/chat_template_check.py. */
#include "core/preference/chat.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "models/gguf.h"
#include "tests/unit/shared_data.h"

TestSuite(chat, .timeout = 120);

/* The template of a file of the shared folder, malloc'ed; NULL: the file is not there. */
static char *template_of(const char *source) {
    const char *path = shared_path("%s", source);
    if (shared_missing(path)) return NULL;
    ip_error error = {0};
    char *text = NULL;
    if (strstr(source, ".gguf")) {
        ip_gguf *file;
        ip_bytes bytes;
        bool found;
        cr_assert_eq(ip_gguf_open(&file, path, NULL, NULL, &error), IP_OK, "%s", error.message);
        cr_assert_eq(ip_gguf_get_string(file, "tokenizer.chat_template", &bytes, &found, &error), IP_OK);
        cr_assert(found);
        text = strndup(bytes.data, bytes.size);
        ip_gguf_close(file);
        return text;
    }
    json_t *config = json_load_file(shared_path("%s/tokenizer_config.json", source), JSON_DECODE_INT_AS_REAL, NULL);
    cr_assert_not_null(config);
    json_t *value = json_object_get(config, "chat_template"), *one;
    size_t i;
    json_array_foreach(value, i, one) {
        if (strcmp(json_string_value(json_object_get(one, "name")), "default") == 0)
            text = strdup(json_string_value(json_object_get(one, "template")));
    }
    if (!text) text = strdup(json_string_value(value));
    json_decref(config);
    return text;
}

static ip_dialogue dialogue(json_t *list) {
    ip_dialogue out = {calloc(json_array_size(list) + 1, sizeof(ip_message)), json_array_size(list)};
    for (size_t i = 0; i < out.count; i++) {
        json_t *message = json_array_get(list, i);
        out.messages[i].role = strdup(json_string_value(json_array_get(message, 0)));
        out.messages[i].text = strdup(json_string_value(json_array_get(message, 1)));
    }
    return out;
}

static void check_row(json_t *row, size_t number, size_t *checked) {
    const char *source = json_string_value(json_object_get(row, "source"));
    char *text = source ? template_of(source) : strdup(json_string_value(json_object_get(row, "template")));
    if (!text) return;
    ip_chat *chat;
    ip_error error = {0};
    ip_status status =
        ip_chat_recognise(&chat, "file", text, strlen(text), json_string_value(json_object_get(row, "bos")),
                          json_string_value(json_object_get(row, "eos")), &error);
    cr_assert_eq(status, IP_OK, "row %zu: %s", number, error.message);
    cr_expect_str_eq(ip_chat_name(chat), json_string_value(json_object_get(row, "family")), "row %zu", number);
    ip_pair pair = {.record = number,
                    .prompt_messages = dialogue(json_object_get(row, "prompt")),
                    .chosen_messages = dialogue(json_object_get(row, "reply"))};
    char *made;
    size_t n, border;
    status = ip_chat_render_pair(chat, &pair, true, &made, &n, &border, "file", &error);
    if (json_object_get(row, "refused")) {
        cr_expect_eq(status, IP_BAD_INPUT, "row %zu", number);
    } else {
        cr_assert_eq(status, IP_OK, "row %zu: %s", number, error.message);
        cr_expect_str_eq(made, json_string_value(json_object_get(row, "text")), "row %zu", number);
        cr_expect_eq((json_int_t)border, json_integer_value(json_object_get(row, "border")), "row %zu: border %zu",
                     number, border);
    }
    free(made);
    ip_pair_free(&pair);
    ip_chat_free(chat);
    free(text);
    (*checked)++;
}

Test(chat, as_jinja_renders_them) {
    FILE *file = fopen(INFOPLANE_SOURCE_DIR "/tests/data/chat_templates.jsonl", "r");
    cr_assert_not_null(file);
    char *line = NULL;
    size_t room = 0, number = 0, checked = 0;
    while (getline(&line, &room, file) > 0) {
        json_error_t error;
        json_t *row = json_loads(line, 0, &error);
        cr_assert(row, "line %zu: %s", number + 1, error.text);
        check_row(row, ++number, &checked);
        json_decref(row);
    }
    free(line);
    fclose(file);
    cr_expect_gt(checked, 80);
}

/* What is not one of the families word for word is refused, and the message names those that are. */
Test(chat, refuses) {
    static const char *const templates[] = {
        "",
        "{{ messages }}",
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' "
        "}}"
        "{% endfor %}",
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}",
        "{{ '<think>' }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
        "+ "
        "'<|im_end|>\\n' }}{% endfor %}",
        "{% set system_message = 'Be good.' %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' "
        "+ "
        "message['content'] + '<|im_end|>\\n' }}{% endfor %}",
        "{{ strftime_now('%d') }}{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + "
        "message.content "
        "+ '<|im_end|>\\n' }}{% endfor %}",
        "{{ 'unfinished",
        "{# ",
        "{{ '\\",
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        ip_chat *chat;
        ip_error error = {0};
        cr_expect_eq(ip_chat_recognise(&chat, "model.gguf", templates[i], strlen(templates[i]), NULL, NULL, &error),
                     IP_BAD_INPUT, "template %zu", i);
        cr_expect(strstr(error.message, "model.gguf: its chat template is not understood"), "%s", error.message);
        cr_expect(strstr(error.message, ip_chat_family_at(0)));
        cr_expect_null(chat);
    }
}

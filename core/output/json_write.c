/* Writing JSON text. Strings are expected to be UTF-8; bytes that are not become U+FFFD. */
#include "core/output/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/number.h"
#include "core/base/utf8.h"

void ip_json_begin(ip_json *json, FILE *file) { *json = (ip_json){file, 0, true, 0}; }

static void text(ip_json *json, const char *s) {
    const unsigned char *p = (const unsigned char *)s;
    size_t n = strlen(s);
    fputc('"', json->file);
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step(p + i, n - i);
        if (step == 0) {
            fputs("\\ufffd", json->file);
            i += ip_utf8_bad(p + i, n - i);
        } else if (p[i] == '"' || p[i] == '\\') {
            fprintf(json->file, "\\%c", p[i++]);
        } else if (p[i] < 0x20 || p[i] == 0x7F) {
            fprintf(json->file, "\\u%04x", p[i++]);
        } else {
            fwrite(p + i, 1, step, json->file);
            i += step;
        }
    }
    fputc('"', json->file);
}

static void place(ip_json *json, const char *key) {
    bool flat = json->flat > 0 && json->depth >= json->flat;
    if (!json->first) fputc(',', json->file);
    if (flat) {
        if (!json->first) fputc(' ', json->file);
    } else if (json->depth > 0) {
        fprintf(json->file, "\n%*s", (int)json->depth, "");
    }
    json->first = false;
    if (key) {
        text(json, key);
        fputs(": ", json->file);
    }
}

void ip_json_open(ip_json *json, const char *key, char bracket, bool flat) {
    place(json, key);
    fputc(bracket, json->file);
    json->depth++;
    json->first = true;
    if (flat && json->flat == 0) json->flat = json->depth;
}

void ip_json_close(ip_json *json, char bracket) {
    bool flat = json->flat > 0 && json->depth >= json->flat;
    if (json->flat == json->depth) json->flat = 0;
    json->depth--;
    if (!flat && !json->first) fprintf(json->file, "\n%*s", (int)json->depth, "");
    fputc(bracket, json->file);
    json->first = false;
}

void ip_json_string(ip_json *json, const char *key, const char *value) {
    place(json, key);
    if (value) {
        text(json, value);
    } else {
        fputs("null", json->file);
    }
}

void ip_json_text(ip_json *j, const char *key, const char *text) {
    ip_json_string(j, key, text && text[0] != '\0' ? text : NULL);
}

void ip_json_uint(ip_json *json, const char *key, uint64_t value) {
    place(json, key);
    fprintf(json->file, "%" PRIu64, value);
}

void ip_json_double(ip_json *json, const char *key, double value) {
    char room[IP_NUMBER_ROOM];
    place(json, key);
    fputs(ip_number_text(value, room), json->file);
}

void ip_json_null(ip_json *json, const char *key) {
    place(json, key);
    fputs("null", json->file);
}

void ip_json_bool(ip_json *json, const char *key, bool value) {
    place(json, key);
    fputs(value ? "true" : "false", json->file);
}

void ip_json_files(ip_json *j, const ip_file_name *files, size_t count, bool flat) {
    ip_json_open(j, "files", '[', flat);
    for (size_t i = 0; i < count; i++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "path", files[i].path);
        ip_json_text(j, "fingerprint", files[i].fingerprint);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

void ip_json_end(ip_json *json) { fputc('\n', json->file); }

/* JSON lines: the door to jansson in this room. Integers are read as reals: other fields may hold any number, and
 * jansson would refuse those beyond 64 bits. */
#include "core/input/json_lines.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

static ip_status parse(const char *line, size_t n, ip_line_place place, json_t **out, ip_error *error) {
    *out = NULL;
    size_t good = ip_utf8_valid_prefix((const unsigned char *)line, n);
    if (good < n)
        return ip_fail(error, IP_BAD_INPUT, "%s: line %" PRIu64 ": invalid UTF-8 at byte %zu of the line", place.path,
                       place.line, good);
    json_error_t fault;
    json_t *root = json_loadb(line, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &fault);
    if (!root)
        return ip_fail(error, IP_BAD_INPUT, "%s: line %" PRIu64 ": invalid JSON at column %d: %s", place.path,
                       place.line, fault.column, fault.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return ip_fail(error, IP_BAD_INPUT, "%s: line %" PRIu64 ": is not a JSON object", place.path, place.line);
    }
    *out = root;
    return IP_OK;
}

ip_status ip_json_line_field(const char *line, size_t n, ip_line_place place, char **field, ip_error *error) {
    json_t *root, *value;
    ip_status status = parse(line, n, place, &root, error);
    if (status != IP_OK) return status;
    const char *key, *only = NULL;
    size_t strings = 0;
    json_object_foreach(root, key, value) {
        if (!json_is_string(value)) continue;
        only = key;
        strings++;
    }
    const char *name = json_object_get(root, "text")      ? "text"
                       : json_object_get(root, "content") ? "content"
                       : strings == 1                     ? only
                                                          : NULL;
    *field = name ? strdup(name) : NULL;
    if (!name)
        status = ip_fail(error, IP_BAD_INPUT,
                         "%s: line %" PRIu64 ": no field 'text' or 'content', and %zu fields are strings; name "
                         "the field of the text with --text-field",
                         place.path, place.line, strings);
    else if (!*field)
        status = ip_fail(error, IP_FAILED, "%s: out of memory", place.path);
    json_decref(root);
    return status;
}

ip_status ip_json_line_text(const char *line, size_t n, ip_line_place place, const char *field, char **text,
                            size_t *text_n, ip_error *error) {
    *text = NULL;
    json_t *root;
    ip_status status = parse(line, n, place, &root, error);
    if (status != IP_OK) return status;
    const json_t *value = json_object_get(root, field);
    if (!json_is_string(value)) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: line %" PRIu64 ": %s '%s'%s", place.path, place.line,
                         value ? "field" : "no field", field, value ? " is not a string" : "");
    } else {
        *text_n = json_string_length(value);
        *text = malloc(*text_n + 1);
        if (*text)
            memcpy(*text, json_string_value(value), *text_n + 1);
        else
            status = ip_fail(error, IP_FAILED, "%s: out of memory", place.path);
    }
    json_decref(root);
    return status;
}

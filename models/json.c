/* The room's door to jansson. */
#include "models/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 72 };

/* Python writes NaN, Infinity and -Infinity, which are no JSON. Each becomes a string of the same length, so that what
 * is not used does no harm and what is used is refused as no number. */
static void quote_word(char *at, size_t length) {
    at[0] = at[length - 1] = '"';
    memset(at + 1, 'x', length - 2);
}

static void quote_python_numbers(char *text, size_t size) {
    static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
    bool inside = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') inside = !inside;
        if (inside && text[i] == '\\') i++;
        for (size_t w = 0; !inside && w < 3; w++) {
            size_t length = strlen(words[w]);
            if (size - i < length || memcmp(text + i, words[w], length) != 0) continue;
            quote_word(text + i, length);
            i += length - 1;
            break;
        }
    }
}

ip_node *ip_node_parse(const char *path, const char *what, const void *data, size_t size, bool python,
                       ip_error *error) {
    json_error_t problem;
    char *copy = python ? malloc(size + 1) : NULL;
    if (python && !copy) {
        ip_fail(error, IP_FAILED, "%s: out of memory", path);
        return NULL;
    }
    if (copy) {
        if (size > 0) memcpy(copy, data, size);
        quote_python_numbers(copy, size);
    }
    const char *text = copy ? copy : data;
    json_t *root = json_loadb(size > 0 ? text : "", size, JSON_REJECT_DUPLICATES, &problem);
    /* Python's integers have no end (tokenizer configurations write 10^30 for "no limit"): then all become reals. */
    if (!root && python && json_error_code(&problem) == json_error_numeric_overflow)
        root = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &problem);
    if (root && !json_is_object(root)) {
        ip_fail(error, IP_BAD_INPUT, "%s: the %s is not a JSON object", path, what);
        json_decref(root);
        root = NULL;
    } else if (!root) {
        size_t at = problem.position > 0 && (size_t)problem.position < size ? (size_t)problem.position : size;
        size_t from = at > CONTEXT ? at - CONTEXT : 0;
        ip_fail(error, IP_BAD_INPUT, "%s: the %s is not valid JSON, byte %zu: %s, behind: %.*s", path, what, at,
                problem.text, (int)(at - from), size > 0 ? text + from : "");
    }
    free(copy);
    return root;
}

void ip_node_free(ip_node *root) { json_decref(root); }

const ip_node *ip_node_get(const ip_node *node, const char *key) {
    const json_t *value = json_object_get(node, key);
    return json_is_null(value) ? NULL : value;
}

bool ip_node_has(const ip_node *node, const char *key) { return json_object_get(node, key) != NULL; }
bool ip_node_is_object(const ip_node *node) { return json_is_object(node); }
bool ip_node_is_array(const ip_node *node) { return json_is_array(node); }

size_t ip_node_count(const ip_node *node) {
    return json_is_array(node) ? json_array_size(node) : json_is_object(node) ? json_object_size(node) : 0;
}

const ip_node *ip_node_at(const ip_node *array, size_t index) { return json_array_get(array, index); }

/* jansson's iterators want an object that is not const; they do not change it. */
static json_t *mutable(const ip_node *node) { return (json_t *)(uintptr_t)node; }

void *ip_node_next(const ip_node *object, void *it) {
    return it ? json_object_iter_next(mutable(object), it) : json_object_iter(mutable(object));
}

const char *ip_node_key(void *it) { return json_object_iter_key(it); }
const ip_node *ip_node_value(void *it) { return json_object_iter_value(it); }

bool ip_node_text(const ip_node *node, const char **out) {
    if (!json_is_string(node)) return false;
    *out = json_string_value(node);
    return true;
}

bool ip_node_int(const ip_node *node, int64_t *out) {
    double real = json_is_real(node) ? json_real_value(node) : 0;
    if (!json_is_integer(node) && !(json_is_real(node) && real == trunc(real) && fabs(real) < 0x1p53)) return false;
    *out = json_is_integer(node) ? json_integer_value(node) : (int64_t)real;
    return true;
}

bool ip_node_whole(const ip_node *node, uint64_t *out) {
    if (!json_is_integer(node) || json_integer_value(node) < 0) return false;
    *out = (uint64_t)json_integer_value(node);
    return true;
}

bool ip_node_number(const ip_node *node, double *out) {
    if (!json_is_number(node)) return false;
    *out = json_number_value(node);
    return isfinite(*out);
}

bool ip_node_bool(const ip_node *node, bool *out) {
    if (!json_is_boolean(node)) return false;
    *out = json_is_true(node);
    return true;
}

void ip_node_describe(const ip_node *node, char *out, size_t n) {
    out[0] = '\0';
    if (json_is_array(node) && json_array_size(node) > 16) {
        snprintf(out, n, "[%zu values]", json_array_size(node));
        return;
    }
    char *text = node ? json_dumps(node, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9) | JSON_COMPACT) : NULL;
    if (text) snprintf(out, n, "%s", text);
    free(text);
    ip_make_printable(out);
}

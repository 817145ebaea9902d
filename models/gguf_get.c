/* Values of keys as numbers and texts: integers of any width serve as integers, f32 and f64 as floats, and nothing
 * turns into anything else. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/gguf.h"

static uint64_t load(const unsigned char *p, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value |= (uint64_t)p[i] << 8 * i;
    return value;
}

int64_t ip_gguf_int_at(const ip_gguf_value *value, size_t index) {
    const unsigned char *p = value->data;
    switch (value->element) {
    case IP_GGUF_U8:
    case IP_GGUF_BOOL: return p[index];
    case IP_GGUF_I8: return (int8_t)p[index];
    case IP_GGUF_U16: return (uint16_t)load(p + 2 * index, 2);
    case IP_GGUF_I16: return (int16_t)load(p + 2 * index, 2);
    case IP_GGUF_U32: return (uint32_t)load(p + 4 * index, 4);
    case IP_GGUF_I32: return (int32_t)load(p + 4 * index, 4);
    case IP_GGUF_U64:
    case IP_GGUF_I64: return (int64_t)load(p + 8 * index, 8);
    default: return 0;
    }
}

double ip_gguf_float_at(const ip_gguf_value *value, size_t index) {
    if (value->element == IP_GGUF_F64) {
        uint64_t bits = load(value->data + 8 * index, 8);
        double wide;
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    }
    uint32_t bits = (uint32_t)load(value->data + 4 * index, 4);
    float narrow;
    memcpy(&narrow, &bits, sizeof narrow);
    return narrow;
}

static bool is_integer(ip_gguf_type type) { return type <= IP_GGUF_I32 || type == IP_GGUF_U64 || type == IP_GGUF_I64; }

ip_status ip_gguf_get_uint(const ip_gguf *file, const char *key, uint64_t most, uint64_t *out, bool *found,
                           ip_error *error) {
    const ip_gguf_value *value = ip_gguf_find(file, key);
    *found = value != NULL;
    if (!value) return IP_OK;
    if (!is_integer(value->type))
        return ip_fail(error, IP_BAD_INPUT, "%s: key '%s' is not an integer", ip_gguf_path(file), key);
    int64_t number = ip_gguf_int_at(value, 0);
    bool negative = number < 0 && value->type != IP_GGUF_U64;
    if (negative || (uint64_t)number > most) {
        char text[24];
        if (negative)
            snprintf(text, sizeof text, "%" PRId64, number);
        else
            snprintf(text, sizeof text, "%" PRIu64, (uint64_t)number);
        return ip_fail(error, IP_BAD_INPUT, "%s: key '%s' is %s, out of its range of 0 to %" PRIu64, ip_gguf_path(file),
                       key, text, most);
    }
    *out = (uint64_t)number;
    return IP_OK;
}

ip_status ip_gguf_get_float(const ip_gguf *file, const char *key, double *out, bool *found, ip_error *error) {
    const ip_gguf_value *value = ip_gguf_find(file, key);
    *found = value != NULL;
    if (!value) return IP_OK;
    if (value->type != IP_GGUF_F32 && value->type != IP_GGUF_F64)
        return ip_fail(error, IP_BAD_INPUT, "%s: key '%s' is not a floating-point number", ip_gguf_path(file), key);
    *out = ip_gguf_float_at(value, 0);
    return IP_OK;
}

ip_status ip_gguf_get_bool(const ip_gguf *file, const char *key, bool *out, bool *found, ip_error *error) {
    const ip_gguf_value *value = ip_gguf_find(file, key);
    *found = value != NULL;
    if (!value) return IP_OK;
    if (value->type != IP_GGUF_BOOL)
        return ip_fail(error, IP_BAD_INPUT, "%s: key '%s' is not a bool", ip_gguf_path(file), key);
    *out = value->data[0] != 0;
    return IP_OK;
}

ip_status ip_gguf_get_string(const ip_gguf *file, const char *key, ip_bytes *out, bool *found, ip_error *error) {
    const ip_gguf_value *value = ip_gguf_find(file, key);
    *found = value != NULL;
    if (!value) return IP_OK;
    if (value->type != IP_GGUF_STRING)
        return ip_fail(error, IP_BAD_INPUT, "%s: key '%s' is not a string", ip_gguf_path(file), key);
    *out = (ip_bytes){(const char *)value->data, value->size};
    return IP_OK;
}

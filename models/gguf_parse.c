/* One GGUF file: header, keys, tensor records, each checked before it is believed.
 *
 *   "GGUF" | version u32 | tensors u64 | keys u64
 *   keys     name | type u32 | value            (strings: length u64, bytes; arrays: type u32, count u64, elements)
 *   tensors  name | dims u32 | ne u64 [dims] | type u32 | offset u64
 *   zeros up to a multiple of the alignment, then the data, each tensor padded to the alignment
 *
 * Offsets carry no information: each has to be the padded end of the tensor before it. So the records are read first
 * with a running sum, and data pointers are laid out afterwards, when the start of the data is known. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cursor.h"
#include "core/base/utf8.h"
#include "models/gguf_file.h"

enum {
    HEADER = 24,          /* bytes */
    SHORTEST_KEY = 14,    /* length 8, one byte of key, type 4, one byte of value */
    SHORTEST_TENSOR = 24, /* length 8, dims 4, type 4, offset 8 */
    LONGEST_KEY = 65535,
    LONGEST_LIST = 1 << 30, /* bytes of a string, elements of an array, records */
    LARGEST_ALIGNMENT = 1 << 20,
    SHOWN = 80 /* bytes of a name that a message shows */
};

typedef struct reader {
    ip_cursor c;
    ip_gguf *file;
    size_t part;
    const char *path;
    ip_error *error;
} reader;

#define TEXT(b) (int)((b).size < SHOWN ? (b).size : SHOWN), (b).data

static ip_status out_of_memory(const reader *r) { return ip_fail(r->error, IP_FAILED, "%s: out of memory", r->path); }

/* Bytes of a scalar of this type; 0 for strings and arrays. */
static size_t scalar_size(uint32_t type) {
    static const unsigned char size[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return size[type];
}

/* A string at the cursor: NULL, or why there is none. */
static const char *take_string(reader *r, ip_bytes *out) {
    uint64_t length = ip_cursor_u64(&r->c);
    if (r->c.failed) return "truncated: the file ends inside a length";
    if (length > ip_cursor_left(&r->c)) return "its length goes beyond the end of the file: truncated or damaged";
    if (length > LONGEST_LIST) return "its length is above 2^30 bytes";
    out->data = (const char *)ip_cursor_take(&r->c, length);
    out->size = (size_t)length;
    return NULL;
}

/* A name has to be printable as far as it is text at all. NULL, or what is wrong. */
static const char *name_fault(ip_bytes name) {
    if (name.size == 0) return "is empty";
    if (memchr(name.data, '\0', name.size)) return "holds a NUL byte";
    if (ip_utf8_valid_prefix((const unsigned char *)name.data, name.size) != name.size) return "is not valid UTF-8";
    return NULL;
}

static ip_status read_header(reader *r, uint64_t *tensors, uint64_t *keys) {
    const unsigned char *data = r->c.data;
    size_t size = r->c.size;
    static const char pointer[] = "version https://git-lfs";
    if (size == 0) return ip_fail(r->error, IP_BAD_INPUT, "%s: the file is empty", r->path);
    if (size >= sizeof pointer - 1 && memcmp(data, pointer, sizeof pointer - 1) == 0)
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: a Git-LFS pointer stands here, the model itself was not downloaded (try git lfs pull)",
                       r->path);
    if (size >= 4 && memcmp(data, "GGUF", 4) != 0)
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: not a GGUF file: its magic is %02x %02x %02x %02x instead of 'GGUF'", r->path, data[0],
                       data[1], data[2], data[3]);
    if (size < HEADER)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: truncated: %zu bytes, and a GGUF header alone has %d", r->path,
                       size, HEADER);
    ip_cursor_take(&r->c, 4);
    uint32_t version = ip_cursor_u32(&r->c);
    if (version != 0 && (version & 0xFFFF) == 0)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: a big-endian GGUF file, which is not supported; convert it again",
                       r->path);
    if (version != 2 && version != 3)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: GGUF version %" PRIu32 " is not supported, only 2 and 3", r->path,
                       version);
    r->file->parts[r->part].version = version;
    *tensors = ip_cursor_u64(&r->c);
    *keys = ip_cursor_u64(&r->c);
    size_t left = ip_cursor_left(&r->c);
    if (*keys > left / SHORTEST_KEY || *keys > LONGEST_LIST)
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: the number of keys is %" PRIu64 ", more than the file can hold: truncated or damaged",
                       r->path, *keys);
    if (*tensors > left / SHORTEST_TENSOR || *tensors > LONGEST_LIST)
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: the number of tensors is %" PRIu64 ", more than the file can hold: truncated or damaged",
                       r->path, *tensors);
    return IP_OK;
}

static ip_status read_strings(reader *r, ip_gguf_value *value) {
    if (value->count > ip_cursor_left(&r->c) / 8)
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: key '%.*s': an array of %" PRIu64 " strings is longer than the file: truncated or damaged",
                       r->path, TEXT(value->key), value->count);
    if (value->count == 0) return IP_OK;
    ip_bytes *strings = malloc((size_t)value->count * sizeof *strings);
    if (!strings) return out_of_memory(r);
    for (size_t i = 0; i < value->count; i++) {
        const char *fault = take_string(r, &strings[i]);
        if (fault) {
            free(strings);
            return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s', string %zu of its array: %s", r->path,
                           TEXT(value->key), i, fault);
        }
    }
    value->strings = strings;
    return IP_OK;
}

static ip_status check_bools(const reader *r, const ip_gguf_value *value) {
    for (size_t i = 0; i < value->size; i++)
        if (value->data[i] > 1)
            return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': a bool is %u, neither 0 nor 1", r->path,
                           TEXT(value->key), value->data[i]);
    return IP_OK;
}

static ip_status read_array(reader *r, ip_gguf_value *value) {
    uint32_t element = ip_cursor_u32(&r->c);
    uint64_t count = ip_cursor_u64(&r->c);
    if (r->c.failed)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': truncated: the file ends at the start of an array",
                       r->path, TEXT(value->key));
    if (element > IP_GGUF_F64)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': an array of unknown type %" PRIu32, r->path,
                       TEXT(value->key), element);
    if (element == IP_GGUF_ARRAY)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': an array of arrays", r->path, TEXT(value->key));
    if (count > LONGEST_LIST)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': an array of %" PRIu64 " elements, above 2^30", r->path,
                       TEXT(value->key), count);
    value->element = (ip_gguf_type)element;
    value->count = count;
    value->data = r->c.data + r->c.at;
    if (element == IP_GGUF_STRING) {
        size_t start = r->c.at;
        ip_status status = read_strings(r, value);
        value->size = r->c.at - start;
        return status;
    }
    uint64_t bytes = count * scalar_size(element); /* at most 2^33 */
    if (!ip_cursor_take(&r->c, bytes))
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: key '%.*s': an array of %" PRIu64 " elements is longer than the file: truncated or damaged",
                       r->path, TEXT(value->key), count);
    value->size = (size_t)bytes;
    return IP_OK;
}

static ip_status read_value(reader *r, ip_gguf_value *value) {
    uint32_t type = ip_cursor_u32(&r->c);
    if (r->c.failed)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': truncated: the file ends before its value", r->path,
                       TEXT(value->key));
    if (type > IP_GGUF_F64)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': unknown value type %" PRIu32, r->path, TEXT(value->key),
                       type);
    value->type = value->element = (ip_gguf_type)type;
    value->count = 1;
    if (type == IP_GGUF_ARRAY) {
        ip_status status = read_array(r, value);
        if (status != IP_OK) return status;
    } else if (type == IP_GGUF_STRING) {
        ip_bytes text;
        const char *fault = take_string(r, &text);
        if (fault) return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': %s", r->path, TEXT(value->key), fault);
        value->data = (const unsigned char *)text.data;
        value->size = text.size;
    } else {
        value->size = scalar_size(type);
        value->data = ip_cursor_take(&r->c, value->size);
        if (!value->data)
            return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s': truncated: the file ends inside its value", r->path,
                           TEXT(value->key));
    }
    return value->element == IP_GGUF_BOOL ? check_bools(r, value) : IP_OK;
}

static ip_status read_key(reader *r, size_t index, uint64_t keys) {
    ip_gguf_value value = {.part = r->part};
    const char *fault = take_string(r, &value.key);
    if (fault)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key %zu of %" PRIu64 ": %s", r->path, index + 1, keys, fault);
    if (value.key.size > LONGEST_KEY)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key %zu of %" PRIu64 " is %zu bytes long, at most %d are allowed",
                       r->path, index + 1, keys, value.key.size, LONGEST_KEY);
    fault = name_fault(value.key);
    if (fault) return ip_fail(r->error, IP_BAD_INPUT, "%s: key %zu of %" PRIu64 " %s", r->path, index + 1, keys, fault);
    if (ip_gguf_key_index(r->file, r->part, value.key) != SIZE_MAX)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%.*s' is given twice", r->path, TEXT(value.key));
    ip_status status = read_value(r, &value);
    if (status != IP_OK) return status;
    if (!ip_gguf_add_value(r->file, &value)) {
        free((void *)value.strings);
        return out_of_memory(r);
    }
    return IP_OK;
}

static ip_status read_alignment(reader *r) {
    static const char name[] = "general.alignment";
    ip_gguf_part *part = &r->file->parts[r->part];
    size_t at = ip_gguf_key_index(r->file, r->part, (ip_bytes){name, sizeof name - 1});
    part->alignment = 32;
    if (at == SIZE_MAX) return IP_OK;
    const ip_gguf_value *value = &r->file->values[at];
    if (value->type != IP_GGUF_U32) return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%s' is not a u32", r->path, name);
    uint64_t alignment = (uint64_t)ip_gguf_int_at(value, 0);
    if (alignment < 8 || alignment > LARGEST_ALIGNMENT || (alignment & (alignment - 1)) != 0)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: key '%s' is %" PRIu64 ", not a power of two from 8 to %d", r->path,
                       name, alignment, LARGEST_ALIGNMENT);
    part->alignment = alignment;
    return IP_OK;
}

static inline uint64_t pad(uint64_t n, uint64_t alignment) { return (n + alignment - 1) & ~(alignment - 1); }

/* Bytes of a tensor whose shape was checked by tensor_shape. */
static uint64_t tensor_bytes(const ip_tensor *t) { return (uint64_t)t->row_bytes * t->ne[1] * t->ne[2] * t->ne[3]; }

/* Type and shape: NULL, or what is wrong. Empty dimensions count as one in the products, so that no product of any
 * dimensions can overflow anywhere later. */
static const char *tensor_shape(ip_tensor *t, uint32_t type) {
    t->type = ip_type_by_id(type);
    if (!t->type) return "its type is unknown or was removed from the format";
    uint64_t elements = 1, bytes;
    for (unsigned d = 0; d < 4; d++) {
        if (t->ne[d] > INT64_MAX) return "a dimension is negative";
        if (!ip_mul_u64(elements, t->ne[d] > 0 ? t->ne[d] : 1, &elements) || elements > INT64_MAX)
            return "the product of its dimensions overflows";
    }
    if (t->ne[0] % t->type->block != 0) return "its rows are not whole blocks of its type";
    if (!ip_mul_u64(t->ne[0] / t->type->block, t->type->bytes, &bytes) || bytes > SIZE_MAX / 2)
        return "its size in bytes overflows";
    t->row_bytes = (size_t)bytes;
    for (unsigned d = 1; d < 4; d++)
        if (!ip_mul_u64(bytes, t->ne[d] > 0 ? t->ne[d] : 1, &bytes) || bytes > SIZE_MAX / 2)
            return "its size in bytes overflows";
    return NULL;
}

static const char *last_name(const reader *r) { return r->file->names[r->file->tensor_count - 1]; }

/* One record; *end is the padded end of the tensor before it and becomes that of this one. */
static ip_status read_tensor(reader *r, size_t index, uint64_t tensors, uint64_t *end) {
    uint64_t alignment = r->file->parts[r->part].alignment;
    ip_tensor t = {.ne = {1, 1, 1, 1}};
    ip_bytes name;
    const char *fault = take_string(r, &name);
    if (fault)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: tensor %zu of %" PRIu64 ", its name: %s", r->path, index + 1,
                       tensors, fault);
    fault = name.size >= IP_GGUF_NAME ? "is longer than 63 bytes" : name_fault(name);
    if (fault)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: tensor %zu of %" PRIu64 ": its name %s", r->path, index + 1,
                       tensors, fault);
    size_t before = ip_gguf_tensor_index(r->file, name);
    if (before != SIZE_MAX)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: two tensors are called '%.*s'%s%s", r->path, TEXT(name),
                       r->file->tensor_part[before] == r->part ? "" : "; the other is in ",
                       r->file->tensor_part[before] == r->part ? ""
                                                               : r->file->parts[r->file->tensor_part[before]].path);
    t.dims = ip_cursor_u32(&r->c);
    if (t.dims > 4)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: tensor '%.*s': %u dimensions, at most 4 are allowed", r->path,
                       TEXT(name), t.dims);
    for (unsigned d = 0; d < t.dims; d++) t.ne[d] = ip_cursor_u64(&r->c);
    uint32_t type = ip_cursor_u32(&r->c);
    uint64_t offset = ip_cursor_u64(&r->c);
    if (r->c.failed)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: tensor '%.*s': truncated: the file ends inside its record", r->path,
                       TEXT(name));
    fault = tensor_shape(&t, type);
    if (fault)
        return ip_fail(
            r->error, IP_BAD_INPUT,
            "%s: tensor '%.*s', type %" PRIu32 " (%s), %" PRIu64 " x %" PRIu64 " x %" PRIu64 " x %" PRIu64 ": %s",
            r->path, TEXT(name), type, t.type ? t.type->name : "?", t.ne[0], t.ne[1], t.ne[2], t.ne[3], fault);
    if (offset % alignment != 0)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: tensor '%.*s': its offset %" PRIu64 " is not aligned to %" PRIu64,
                       r->path, TEXT(name), offset, alignment);
    if (offset != *end)
        return ip_fail(r->error, IP_BAD_INPUT,
                       "%s: tensor '%.*s': its offset is %" PRIu64 ", but the data before it ('%s') end "
                       "at %" PRIu64 " (%s)",
                       r->path, TEXT(name), offset, index > 0 ? last_name(r) : "none", *end,
                       offset < *end ? "an overlap" : "a gap");
    uint64_t most = SIZE_MAX / 2 - alignment;
    if (*end > most || tensor_bytes(&t) > most - *end)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: tensor '%.*s': the sizes of the tensors overflow", r->path,
                       TEXT(name));
    *end = pad(*end + tensor_bytes(&t), alignment);
    return ip_gguf_add_tensor(r->file, &t, name, r->part) ? IP_OK : out_of_memory(r);
}

/* Data pointers of the part's tensors, from number `first` on. *end becomes the end of the last one's data. */
static ip_status place_tensors(reader *r, size_t first, uint64_t *end) {
    ip_gguf_part *part = &r->file->parts[r->part];
    part->data = pad(r->c.at, part->alignment);
    *end = r->c.at;
    uint64_t offset = 0;
    for (size_t i = first; i < r->file->tensor_count; i++) {
        ip_tensor *t = &r->file->tensors[i];
        uint64_t begin = part->data + offset, bytes = tensor_bytes(t);
        if (begin > part->map.size || bytes > part->map.size - begin)
            return ip_fail(r->error, IP_BAD_INPUT,
                           "%s: tensor '%s': its data (%" PRIu64 " bytes from %" PRIu64
                           ") go beyond the end of the file (%zu bytes): truncated",
                           r->path, r->file->names[i], bytes, begin, part->map.size);
        t->data = part->map.data + begin;
        *end = begin + bytes;
        offset = pad(offset + bytes, part->alignment);
    }
    return IP_OK;
}

ip_status ip_gguf_parse(ip_gguf *file, size_t part, ip_warn warn, void *context, ip_error *error) {
    const ip_map *map = &file->parts[part].map;
    reader r = {.c = {.data = map->data, .size = map->size},
                .file = file,
                .part = part,
                .path = file->parts[part].path,
                .error = error};
    uint64_t tensors = 0, keys = 0, end = 0;
    ip_status status = read_header(&r, &tensors, &keys);
    for (size_t i = 0; status == IP_OK && i < keys; i++) status = read_key(&r, i, keys);
    if (status == IP_OK) status = read_alignment(&r);
    size_t first = file->tensor_count;
    for (size_t i = 0; status == IP_OK && i < tensors; i++) status = read_tensor(&r, i, tensors, &end);
    if (status == IP_OK) status = place_tensors(&r, first, &end);
    if (status == IP_OK && warn && map->size > end && map->size - end > file->parts[part].alignment) {
        ip_error line;
        ip_fail(&line, IP_OK, "%s: %" PRIu64 " bytes follow the last tensor and are ignored", r.path, map->size - end);
        warn(context, line.message);
    }
    return status;
}

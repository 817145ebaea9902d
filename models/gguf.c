/* GGUF: opening a file or a split set, and looking things up in it.
 *
 * A split set is <prefix>-00001-of-0000N.gguf and its brothers. The first holds all keys that matter; each has its own
 * header and tensors. Names of keys and tensors are found by hash; nothing here is quadratic in what a file holds. */
#include "models/gguf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "models/gguf_file.h"

/* ---- hash look-up ---- */

static uint64_t key_hash(size_t part, ip_bytes key) { return ip_hash64(key.data, key.size, part); }

static uint64_t value_hash(const ip_gguf *file, size_t record) {
    return key_hash(file->values[record].part, file->values[record].key);
}

static uint64_t tensor_hash(const ip_gguf *file, size_t record) {
    return ip_hash64(file->names[record], strlen(file->names[record]), 0);
}

static void put(ip_index *index, uint64_t hash, size_t record) {
    size_t at = (size_t)hash & (index->room - 1);
    while (index->slots[at] != 0) at = (at + 1) & (index->room - 1);
    index->slots[at] = (uint32_t)(record + 1);
    index->used++;
}

/* Enters record index->used; at most half of the slots are taken. */
static bool enter(ip_index *index, const ip_gguf *file, uint64_t (*hash)(const ip_gguf *, size_t)) {
    if (2 * (index->used + 1) > index->room) {
        size_t records = index->used;
        ip_index larger = {.room = index->room ? 2 * index->room : 64};
        larger.slots = calloc(larger.room, sizeof *larger.slots);
        if (!larger.slots) return false;
        for (size_t i = 0; i < records; i++) put(&larger, hash(file, i), i);
        free(index->slots);
        *index = larger;
    }
    put(index, hash(file, index->used), index->used);
    return true;
}

size_t ip_gguf_key_index(const ip_gguf *file, size_t part, ip_bytes key) {
    const ip_index *index = &file->keys;
    if (index->room == 0) return SIZE_MAX;
    for (size_t at = (size_t)key_hash(part, key);; at++) {
        uint32_t slot = index->slots[at & (index->room - 1)];
        if (slot == 0) return SIZE_MAX;
        const ip_gguf_value *v = &file->values[slot - 1];
        if (v->part == part && v->key.size == key.size && memcmp(v->key.data, key.data, key.size) == 0) return slot - 1;
    }
}

size_t ip_gguf_tensor_index(const ip_gguf *file, ip_bytes name) {
    const ip_index *index = &file->tensor_names;
    if (index->room == 0 || name.size >= IP_GGUF_NAME) return SIZE_MAX;
    for (size_t at = (size_t)ip_hash64(name.data, name.size, 0);; at++) {
        uint32_t slot = index->slots[at & (index->room - 1)];
        if (slot == 0) return SIZE_MAX;
        const char *known = file->names[slot - 1];
        if (strlen(known) == name.size && memcmp(known, name.data, name.size) == 0) return slot - 1;
    }
}

/* The array with room for one more record (room doubles when count has reached it), or NULL. */
static void *grown(void *array, size_t count, size_t room, size_t size) {
    if (count < room) return array;
    size_t more = room ? 2 * room : 64;
    return more > SIZE_MAX / size ? NULL : realloc(array, more * size);
}

bool ip_gguf_add_value(ip_gguf *file, const ip_gguf_value *value) {
    size_t count = file->value_count, room = file->value_room;
    void *values = grown(file->values, count, room, sizeof *file->values);
    if (!values) return false;
    file->values = values;
    if (count == room) file->value_room = room ? 2 * room : 64;
    file->values[count] = *value;
    if (!enter(&file->keys, file, value_hash)) return false;
    file->value_count++;
    return true;
}

bool ip_gguf_add_tensor(ip_gguf *file, const ip_tensor *tensor, ip_bytes name, size_t part) {
    size_t count = file->tensor_count, room = file->tensor_room;
    void *tensors = grown(file->tensors, count, room, sizeof *file->tensors);
    if (tensors) file->tensors = tensors;
    void *parts = grown(file->tensor_part, count, room, sizeof *file->tensor_part);
    if (parts) file->tensor_part = parts;
    void *names = grown(file->names, count, room, sizeof *file->names);
    if (names) file->names = names;
    if (!tensors || !parts || !names) return false;
    if (count == room) file->tensor_room = room ? 2 * room : 64;
    file->tensors[count] = *tensor;
    file->tensor_part[count] = part;
    memcpy(file->names[count], name.data, name.size);
    file->names[count][name.size] = '\0';
    if (!enter(&file->tensor_names, file, tensor_hash)) return false;
    file->tensor_count++;
    return true;
}

/* ---- opening ---- */

static ip_status add_part(ip_gguf *file, const char *path, ip_error *error) {
    ip_gguf_part *parts = realloc(file->parts, (file->part_count + 1) * sizeof *parts);
    if (!parts) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    file->parts = parts;
    ip_gguf_part *part = &parts[file->part_count];
    *part = (ip_gguf_part){.path = strdup(path)};
    if (!part->path) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    file->part_count++;
    return IP_OK;
}

/* A split.* key of one part. */
static ip_status split_key(const ip_gguf *file, size_t part, const char *key, uint64_t *out, bool *found,
                           ip_error *error) {
    size_t at = ip_gguf_key_index(file, part, (ip_bytes){key, strlen(key)});
    *found = at != SIZE_MAX;
    if (!*found) return IP_OK;
    const ip_gguf_value *v = &file->values[at];
    int64_t value = v->type == IP_GGUF_ARRAY || v->type == IP_GGUF_STRING || v->type == IP_GGUF_F32 ||
                            v->type == IP_GGUF_F64 || v->type == IP_GGUF_BOOL
                        ? -1
                        : ip_gguf_int_at(v, 0);
    if (value < 0)
        return ip_fail(error, IP_BAD_INPUT, "%s: key '%s' is not an integer from 0 on", file->parts[part].path, key);
    *out = (uint64_t)value;
    return IP_OK;
}

/* Length of the path before "-NNNNN-of-NNNNN.gguf" and the two numbers in it; false when it does not end so. */
static bool split_name(const char *path, size_t *prefix, unsigned *number, unsigned *count) {
    static const char shape[] = "-ddddd-of-ddddd.gguf";
    size_t n = strlen(path), m = sizeof shape - 1;
    if (n < m) return false;
    const char *tail = path + n - m;
    for (size_t i = 0; i < m; i++)
        if (shape[i] == 'd' ? tail[i] < '0' || tail[i] > '9' : tail[i] != shape[i]) return false;
    *prefix = n - m;
    *number = (unsigned)strtoul(tail + 1, NULL, 10);
    *count = (unsigned)strtoul(tail + 10, NULL, 10);
    return true;
}

/* Opens and reads part number `part` of count (from 0) of the set whose names begin with the first `prefix` bytes. */
static ip_status open_part(ip_gguf *file, size_t prefix, size_t part, unsigned count, ip_warn warn, void *context,
                           ip_error *error) {
    size_t room = prefix + sizeof "-00000-of-00000.gguf" + 24;
    char *path = malloc(room);
    if (!path) return ip_fail(error, IP_FAILED, "%s: out of memory", file->parts[0].path);
    snprintf(path, room, "%.*s-%05zu-of-%05u.gguf", (int)prefix, file->parts[0].path, part + 1, count);
    ip_status status = add_part(file, path, error);
    free(path);
    if (status == IP_OK) status = ip_map_open(&file->parts[part].map, file->parts[part].path, error);
    if (status == IP_OK) status = ip_gguf_parse(file, part, warn, context, error);
    uint64_t value = 0;
    bool found = false;
    if (status == IP_OK) status = split_key(file, part, "split.no", &value, &found, error);
    if (status == IP_OK && (!found || value != part))
        status = ip_fail(error, IP_BAD_INPUT, "%s: its split.no should be %zu and is not: the parts are mixed up",
                         file->parts[part].path, part);
    if (status == IP_OK) status = split_key(file, part, "split.count", &value, &found, error);
    if (status == IP_OK && (!found || value != count))
        status =
            ip_fail(error, IP_BAD_INPUT, "%s: its split.count should be %u and is not", file->parts[part].path, count);
    return status;
}

/* The other parts, if the first one says that there are any. */
static ip_status open_others(ip_gguf *file, ip_warn warn, void *context, ip_error *error) {
    const char *path = file->parts[0].path;
    uint64_t count = 1, number = 0, total = 0;
    bool has_count, has_number, has_total;
    ip_status status = split_key(file, 0, "split.count", &count, &has_count, error);
    if (status != IP_OK || !has_count || count <= 1) return status;
    if ((status = split_key(file, 0, "split.no", &number, &has_number, error)) != IP_OK) return status;
    if ((status = split_key(file, 0, "split.tensors.count", &total, &has_total, error)) != IP_OK) return status;
    size_t prefix = 0;
    unsigned named = 0, of = 0;
    bool shaped = split_name(path, &prefix, &named, &of);
    if (!has_number || number != 0)
        return shaped ? ip_fail(error, IP_BAD_INPUT,
                                "%s: a later part of a split model (split.no); give its first part, "
                                "%.*s-00001-of-%05u.gguf",
                                path, (int)prefix, path, of)
                      : ip_fail(error, IP_BAD_INPUT,
                                "%s: a later part of a split model (split.no); give its first part", path);
    if (!shaped || named != 1)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: the first of %" PRIu64 " parts of a split model, whose name has to end in "
                       "-00001-of-%05" PRIu64 ".gguf for the others to be found",
                       path, count, count);
    if (count != of)
        return ip_fail(error, IP_BAD_INPUT, "%s: split.count is %" PRIu64 ", but the name says %u parts", path, count,
                       of);
    if (!has_total) return ip_fail(error, IP_BAD_INPUT, "%s: key 'split.tensors.count' is missing", path);
    for (size_t part = 1; part < count; part++) {
        status = open_part(file, prefix, part, of, warn, context, error);
        if (status != IP_OK) {
            ip_error inner = {.status = status};
            if (error) inner = *error;
            return ip_fail(error, status, "%s (part %zu of the model %s)", inner.message, part + 1,
                           file->parts[0].path);
        }
    }
    if (total != file->tensor_count)
        return ip_fail(error, IP_BAD_INPUT, "%s: split.tensors.count is %" PRIu64 ", but the parts hold %zu tensors",
                       file->parts[0].path, total, file->tensor_count);
    return IP_OK;
}

/* data NULL: the file at path is mapped. */
static ip_status open_first(ip_gguf **out, const char *path, const void *data, size_t size, ip_warn warn, void *context,
                            ip_error *error) {
    *out = NULL;
    ip_gguf *file = calloc(1, sizeof *file);
    if (!file) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_status status = add_part(file, path, error);
    if (status == IP_OK && data) file->parts[0] = (ip_gguf_part){file->parts[0].path, {data, size}, true, 0, 0, 0};
    if (status == IP_OK && !data) status = ip_map_open(&file->parts[0].map, path, error);
    if (status == IP_OK) status = ip_gguf_parse(file, 0, warn, context, error);
    if (status == IP_OK) status = open_others(file, warn, context, error);
    for (size_t i = 0; status == IP_OK && i < file->tensor_count; i++) file->tensors[i].name = file->names[i];
    if (status == IP_OK)
        *out = file;
    else
        ip_gguf_close(file);
    return status;
}

ip_status ip_gguf_open(ip_gguf **out, const char *path, ip_warn warn, void *context, ip_error *error) {
    return open_first(out, path, NULL, 0, warn, context, error);
}

ip_status ip_gguf_open_memory(ip_gguf **out, const char *path, const void *data, size_t size, ip_warn warn,
                              void *context, ip_error *error) {
    return open_first(out, path, size > 0 ? data : "", size, warn, context, error);
}

void ip_gguf_close(ip_gguf *file) {
    if (!file) return;
    for (size_t i = 0; i < file->value_count; i++) free((void *)file->values[i].strings);
    for (size_t i = 0; i < file->part_count; i++) {
        if (!file->parts[i].borrowed) ip_map_close(&file->parts[i].map);
        free(file->parts[i].path);
    }
    free(file->parts);
    free(file->values);
    free(file->tensors);
    free(file->tensor_part);
    free(file->names);
    free(file->keys.slots);
    free(file->tensor_names.slots);
    free(file);
}

/* ---- answers ---- */

const char *ip_gguf_path(const ip_gguf *file) { return file->parts[0].path; }
uint32_t ip_gguf_version(const ip_gguf *file) { return file->parts[0].version; }
size_t ip_gguf_parts(const ip_gguf *file) { return file->part_count; }
const char *ip_gguf_part_path(const ip_gguf *file, size_t part) { return file->parts[part].path; }
uint64_t ip_gguf_part_data(const ip_gguf *file, size_t part) { return file->parts[part].data; }
uint64_t ip_gguf_part_alignment(const ip_gguf *file, size_t part) { return file->parts[part].alignment; }

ip_bytes ip_gguf_part_bytes(const ip_gguf *file, size_t part) {
    return (ip_bytes){(const char *)file->parts[part].map.data, file->parts[part].map.size};
}

size_t ip_gguf_value_count(const ip_gguf *file) { return file->value_count; }
const ip_gguf_value *ip_gguf_value_at(const ip_gguf *file, size_t index) { return &file->values[index]; }

const ip_gguf_value *ip_gguf_find(const ip_gguf *file, const char *key) {
    size_t at = ip_gguf_key_index(file, 0, (ip_bytes){key, strlen(key)});
    return at == SIZE_MAX ? NULL : &file->values[at];
}

size_t ip_gguf_tensor_count(const ip_gguf *file) { return file->tensor_count; }
const ip_tensor *ip_gguf_tensor_at(const ip_gguf *file, size_t index) { return &file->tensors[index]; }

const ip_tensor *ip_gguf_tensor(const ip_gguf *file, const char *name) {
    size_t at = ip_gguf_tensor_index(file, (ip_bytes){name, strlen(name)});
    return at == SIZE_MAX ? NULL : &file->tensors[at];
}

size_t ip_gguf_tensor_part(const ip_gguf *file, const ip_tensor *tensor) {
    return file->tensor_part[tensor - file->tensors];
}

/* The safetensors reader.
 *
 *   0      u64 N, little endian          the length of the header
 *   8      {"name": {"dtype": "BF16", "shape": [out, in], "data_offsets": [begin, end]}, ...} padded with spaces
 *   8 + N  bytes of the tensors          begin and end count from here; sorted, the tensors tile the rest of the file
 */
#include "models/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/json.h"
#include "models/types_hf.h"

enum { HEADER_MOST = 100000000, NAME_MOST = 65535 };

typedef struct entry {
    ip_tensor tensor;
    uint64_t begin, end;
} entry;

static ip_status bad(ip_error *error, const char *path, const char *name, const char *what) {
    return ip_fail(error, IP_BAD_INPUT, "%s: tensor '%.200s': %s", path, name, what);
}

/* The header's bytes, from 8 to 8 + N. */
static ip_status find_header(const ip_safetensors *file, const char *path, size_t *length, ip_error *error) {
    static const char lfs[] = "version https://git-lfs";
    const ip_map *map = &file->map;
    if (map->size >= sizeof lfs - 1 && memcmp(map->data, lfs, sizeof lfs - 1) == 0)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: a Git-LFS pointer stands in place of the file: it was not downloaded (git lfs pull)", path);
    if (map->size < 8)
        return ip_fail(error, IP_BAD_INPUT, "%s: too short for a safetensors header: %zu bytes", path, map->size);
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) n = n << 8 | map->data[i];
    if (n > HEADER_MOST || n > map->size - 8)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: not a safetensors file, or truncated: its header would have %" PRIu64
                       " bytes, behind its length stand %zu",
                       path, n, map->size - 8);
    if (n < 2 || map->data[8] != '{')
        return ip_fail(error, IP_BAD_INPUT, "%s: not a safetensors file: its header does not begin with {", path);
    *length = (size_t)n;
    return IP_OK;
}

static ip_status check_metadata(const ip_node *metadata, const char *path, ip_error *error) {
    if (!ip_node_is_object(metadata))
        return ip_fail(error, IP_BAD_INPUT, "%s: __metadata__ of the header is not an object of texts", path);
    const char *text;
    for (void *it = ip_node_next(metadata, NULL); it; it = ip_node_next(metadata, it))
        if (!ip_node_text(ip_node_value(it), &text))
            return ip_fail(error, IP_BAD_INPUT, "%s: __metadata__ of the header: '%.100s' is not a text", path,
                           ip_node_key(it));
    return IP_OK;
}

/* Shape as our dimensions (the last is contiguous); those beyond four are folded into the fourth. */
static ip_status read_shape(const ip_node *shape, ip_tensor *t, uint64_t *elements, const char *path, ip_error *error) {
    if (!ip_node_is_array(shape)) return bad(error, path, t->name, "its shape is missing or no list");
    size_t dims = ip_node_count(shape);
    *elements = 1;
    for (int i = 0; i < 4; i++) t->ne[i] = 1;
    t->dims = (unsigned)dims;
    for (size_t d = 0; d < dims; d++) {
        uint64_t n;
        if (!ip_node_whole(ip_node_at(shape, dims - 1 - d), &n))
            return bad(error, path, t->name, "its shape has an entry that is no whole number");
        uint64_t *ne = &t->ne[d < 4 ? d : 3];
        if (__builtin_mul_overflow(*elements, n, elements) || __builtin_mul_overflow(*ne, n, ne) ||
            *elements > INT64_MAX)
            return bad(error, path, t->name, "its shape overflows 64 bits");
    }
    return IP_OK;
}

static ip_status read_entry(const ip_node *node, entry *e, const ip_safetensors *file, const char *path,
                            ip_error *error) {
    ip_tensor *t = &e->tensor;
    const char *dtype;
    uint64_t elements = 0;
    if (!ip_node_is_object(node)) return bad(error, path, t->name, "its entry in the header is not an object");
    if (!ip_node_text(ip_node_get(node, "dtype"), &dtype))
        return bad(error, path, t->name, "its dtype is missing or no text");
    t->type = ip_dtype_by_name(dtype);
    if (!t->type)
        return ip_fail(error, IP_BAD_INPUT, "%s: tensor '%.200s': there is no dtype '%.40s'", path, t->name, dtype);
    ip_status status = read_shape(ip_node_get(node, "shape"), t, &elements, path, error);
    if (status != IP_OK) return status;
    const ip_node *offsets = ip_node_get(node, "data_offsets");
    if (!ip_node_is_array(offsets) || ip_node_count(offsets) != 2 ||
        !ip_node_whole(ip_node_at(offsets, 0), &e->begin) || !ip_node_whole(ip_node_at(offsets, 1), &e->end))
        return bad(error, path, t->name, "its data_offsets are not two whole numbers");
    if (e->begin > e->end) return bad(error, path, t->name, "its data_offsets end before they begin");
    uint64_t blocks = elements / t->type->block, bytes;
    if (elements % t->type->block != 0)
        return ip_fail(error, IP_BAD_INPUT, "%s: tensor '%.200s': %" PRIu64 " elements of %s are no whole bytes", path,
                       t->name, elements, t->type->name);
    if (__builtin_mul_overflow(blocks, (uint64_t)t->type->bytes, &bytes) || bytes != e->end - e->begin)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: tensor '%.200s': data_offsets give it %" PRIu64 " bytes, its shape and %s need %" PRIu64
                       " elements of them",
                       path, t->name, e->end - e->begin, t->type->name, elements);
    size_t room = file->map.size - file->data;
    if (e->end > room)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: tensor '%.200s': data_offsets end at %" PRIu64
                       ", the file has %zu bytes of data: truncated?",
                       path, t->name, e->end, room);
    t->data = file->map.data + file->data + e->begin;
    t->row_bytes = (size_t)(t->ne[0] / t->type->block * t->type->bytes);
    return IP_OK;
}

/* By first byte; empty tensors before the one that begins where they stand; then by name. */
static int by_place(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

static ip_status check_tiling(const entry *entries, size_t count, size_t room, const char *path, ip_error *error) {
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].begin != at)
            return ip_fail(
                error, IP_BAD_INPUT,
                "%s: tensor '%.200s': its offsets begin at %" PRIu64 ", the one before ends at %" PRIu64 ": %s", path,
                entries[i].tensor.name, entries[i].begin, at, entries[i].begin > at ? "a hole" : "an overlap");
        at = entries[i].end;
    }
    if (at != room)
        return ip_fail(error, IP_BAD_INPUT, "%s: %zu bytes stand behind the end of the last tensor", path,
                       room - (size_t)at);
    return IP_OK;
}

static ip_status read_entries(ip_safetensors *file, const ip_node *root, entry *entries, const char *path,
                              ip_error *error) {
    size_t n = 0;
    ip_status status = IP_OK;
    for (void *it = ip_node_next(root, NULL); status == IP_OK && it; it = ip_node_next(root, it)) {
        const char *name = ip_node_key(it);
        if (strcmp(name, "__metadata__") == 0) {
            if (ip_node_get(root, name)) status = check_metadata(ip_node_value(it), path, error);
            continue;
        }
        if (strlen(name) > NAME_MOST) return bad(error, path, name, "its name is longer than 65535 bytes");
        entries[n].tensor.name = name;
        status = read_entry(ip_node_value(it), &entries[n++], file, path, error);
    }
    if (status != IP_OK) return status;
    if (n > 0) qsort(entries, n, sizeof *entries, by_place);
    status = check_tiling(entries, n, file->map.size - file->data, path, error);
    if (status != IP_OK) return status;
    file->tensors = calloc(n > 0 ? n : 1, sizeof *file->tensors);
    if (!file->tensors) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    for (; file->count < n; file->count++) {
        ip_tensor *t = &file->tensors[file->count];
        *t = entries[file->count].tensor;
        t->name = strdup(t->name); /* the header goes */
        if (!t->name) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    return IP_OK;
}

static ip_status parse(ip_safetensors *file, const char *path, ip_error *error) {
    size_t length = 0;
    ip_status status = find_header(file, path, &length, error);
    if (status != IP_OK) return status;
    file->data = 8 + length;
    ip_node *root = ip_node_parse(path, "header", file->map.data + 8, length, false, error);
    if (!root) return error->status;
    size_t members = ip_node_count(root);
    entry *entries = calloc(members + 1, sizeof *entries);
    if (!entries) {
        status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    } else {
        status = read_entries(file, root, entries, path, error);
    }
    free(entries);
    ip_node_free(root);
    return status;
}

ip_status ip_safetensors_open(ip_safetensors *out, const char *path, ip_error *error) {
    memset(out, 0, sizeof *out);
    ip_status status = ip_map_open(&out->map, path, error);
    return status == IP_OK ? parse(out, path, error) : status;
}

ip_status ip_safetensors_open_memory(ip_safetensors *out, const char *path, const void *data, size_t size,
                                     ip_error *error) {
    *out = (ip_safetensors){.map = {data, size}, .borrowed = true};
    return parse(out, path, error);
}

void ip_safetensors_close(ip_safetensors *file) {
    for (size_t i = 0; i < file->count; i++) free((char *)(uintptr_t)file->tensors[i].name);
    free(file->tensors);
    if (!file->borrowed) ip_map_close(&file->map);
    memset(file, 0, sizeof *file);
}

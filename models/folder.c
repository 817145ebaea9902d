/* Opening a model folder. With an index, a tensor is looked for in the file that the index names and nowhere else, and
 * what the index does not name does not exist; without one, model.safetensors holds all. */
#include "models/folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/hash.h"

static const char CONFIG[] = "config.json", INDEX[] = "model.safetensors.index.json", SINGLE[] = "model.safetensors";

static ip_status no_memory(const ip_folder *f, ip_error *error) {
    return ip_fail(error, IP_FAILED, "%s: out of memory", f->path ? f->path : "model folder");
}

static bool exists(const char *folder, const char *name) {
    char *path = ip_join_path(folder, name);
    bool there = path && access(path, F_OK) == 0;
    free(path);
    return there;
}

static ip_node *read_json(const char *path, const char *what, bool python, ip_error *error) {
    ip_map map;
    if (ip_map_open(&map, path, error) != IP_OK) return NULL;
    ip_node *root = ip_node_parse(path, what, map.data, map.size, python, error);
    ip_map_close(&map);
    return root;
}

/* Quantised repositories other than the float8 ones hold codes that mean nothing to us. */
static ip_status check_quantisation(const ip_folder *f, ip_error *error) {
    const ip_node *q = ip_node_get(f->config, "quantization_config");
    if (!q) q = ip_node_get(f->text, "quantization_config");
    const char *method = "an unnamed method";
    if (!q) return IP_OK;
    ip_node_text(ip_node_get(q, "quant_method"), &method);
    if (strcmp(method, "fp8") == 0) return IP_OK;
    return ip_fail(error, IP_BAD_INPUT,
                   "%s: quantization_config: weights quantised by '%.40s' are not supported; supported are F32, F16, "
                   "BF16, F64 and fp8 with block scales",
                   f->config_path, method);
}

static ip_status open_file(ip_folder *f, const char *name, size_t *number, ip_error *error) {
    size_t prefix = strlen(f->path) + 1;
    for (*number = 0; *number < f->file_count; ++*number)
        if (strcmp(f->file_paths[*number] + prefix, name) == 0) return IP_OK;
    ip_safetensors *files = realloc(f->files, (f->file_count + 1) * sizeof *files);
    if (files) f->files = files;
    char **paths = files ? realloc(f->file_paths, (f->file_count + 1) * sizeof *paths) : NULL;
    if (paths) f->file_paths = paths;
    size_t room = prefix + strlen(name) + 1;
    char *path = paths ? malloc(room) : NULL;
    if (!path) return no_memory(f, error);
    snprintf(path, room, "%s/%s", f->path, name);
    f->file_paths[f->file_count] = path;
    return ip_safetensors_open(&f->files[f->file_count++], path, error);
}

static const ip_tensor *tensor_in(const ip_safetensors *file, const char *name, size_t *hint) {
    for (size_t i = 0; i < file->count; i++) {
        size_t at = (*hint + i) % file->count; /* an index mostly names them in the order of the file */
        if (strcmp(file->tensors[at].name, name) != 0) continue;
        *hint = at + 1;
        return &file->tensors[at];
    }
    return NULL;
}

static bool plain_name(const char *name) {
    return name[0] != '\0' && !strchr(name, '/') && !strchr(name, '\\') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static ip_status add_mapped(ip_folder *f, const char *name, const ip_node *value, size_t *hint, ip_error *error) {
    const char *file_name;
    size_t number;
    if (!ip_node_text(value, &file_name) || !plain_name(file_name))
        return ip_fail(error, IP_BAD_INPUT, "%s: weight_map: tensor '%.200s' is not in a plain file name: '%.100s'",
                       f->index_path, name, ip_node_text(value, &file_name) ? file_name : "no text");
    ip_status status = open_file(f, file_name, &number, error);
    if (status != IP_OK) return status;
    const ip_tensor *t = tensor_in(&f->files[number], name, hint);
    if (!t)
        return ip_fail(error, IP_BAD_INPUT, "%s: tensor '%.200s' is not there, where %s says it is",
                       f->file_paths[number], name, INDEX);
    f->tensors[f->tensor_count] = *t;
    f->tensor_file[f->tensor_count++] = number;
    return IP_OK;
}

static bool allocate_tensors(ip_folder *f, size_t count) {
    f->tensors = calloc(count + 1, sizeof *f->tensors);
    f->tensor_file = calloc(count + 1, sizeof *f->tensor_file);
    return f->tensors && f->tensor_file;
}

static ip_status open_indexed(ip_folder *f, ip_error *error) {
    ip_node *root = read_json(f->index_path, "index", false, error);
    if (!root) return error->status;
    const ip_node *map = ip_node_get(root, "weight_map");
    ip_status status = IP_OK;
    size_t hint = 0;
    if (!ip_node_is_object(map) || ip_node_count(map) == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: weight_map is missing, empty or not an object", f->index_path);
    else if (!allocate_tensors(f, ip_node_count(map)))
        status = no_memory(f, error);
    for (void *it = ip_node_next(map, NULL); status == IP_OK && it; it = ip_node_next(map, it))
        status = add_mapped(f, ip_node_key(it), ip_node_value(it), &hint, error);
    ip_node_free(root);
    return status;
}

static ip_status open_single(ip_folder *f, ip_error *error) {
    size_t number;
    if (!exists(f->path, SINGLE))
        return ip_fail(error, IP_BAD_INPUT, "%s: neither %s nor %s is there%s", f->path, SINGLE, INDEX,
                       exists(f->path, "pytorch_model.bin") ? "; pytorch_model.bin is not supported: convert it" : "");
    ip_status status = open_file(f, SINGLE, &number, error);
    if (status != IP_OK) return status;
    const ip_safetensors *file = &f->files[number];
    if (!allocate_tensors(f, file->count)) return no_memory(f, error);
    for (; f->tensor_count < file->count; f->tensor_count++)
        f->tensors[f->tensor_count] = file->tensors[f->tensor_count];
    return IP_OK;
}

typedef struct placed {
    ip_tensor tensor;
    size_t file;
} placed;

static int by_name(const void *a, const void *b) {
    return strcmp(((const placed *)a)->tensor.name, ((const placed *)b)->tensor.name);
}

static bool sort_tensors(ip_folder *f) {
    placed *all = calloc(f->tensor_count + 1, sizeof *all);
    if (!all) return false;
    for (size_t i = 0; i < f->tensor_count; i++) all[i] = (placed){f->tensors[i], f->tensor_file[i]};
    qsort(all, f->tensor_count, sizeof *all, by_name);
    for (size_t i = 0; i < f->tensor_count; i++) {
        f->tensors[i] = all[i].tensor;
        f->tensor_file[i] = all[i].file;
    }
    free(all);
    return true;
}

static ip_status name_folder(ip_folder *f, const char *path, ip_error *error) {
    f->path = strdup(path);
    if (!f->path) return no_memory(f, error);
    size_t n = strlen(f->path);
    while (n > 1 && f->path[n - 1] == '/') f->path[--n] = '\0';
    f->config_path = ip_join_path(f->path, CONFIG);
    return f->config_path ? IP_OK : no_memory(f, error);
}

static ip_status take_config(ip_folder *f, ip_node *config, ip_error *error) {
    f->config = config;
    if (!config) return error->status;
    const ip_node *text = ip_node_get(config, "text_config");
    f->text = ip_node_is_object(text) ? text : config;
    return check_quantisation(f, error);
}

static ip_status open_folder(ip_folder *f, const char *path, ip_error *error) {
    ip_status status = name_folder(f, path, error);
    if (status == IP_OK) status = take_config(f, read_json(f->config_path, "configuration", true, error), error);
    if (status != IP_OK) return status;
    if (exists(f->path, INDEX)) {
        f->index_path = ip_join_path(f->path, INDEX);
        status = f->index_path ? open_indexed(f, error) : no_memory(f, error);
    } else {
        status = open_single(f, error);
    }
    if (status == IP_OK && !sort_tensors(f)) status = no_memory(f, error);
    return status;
}

ip_status ip_folder_open(ip_folder **out, const char *path, ip_error *error) {
    *out = calloc(1, sizeof **out);
    return *out ? open_folder(*out, path, error) : ip_fail(error, IP_FAILED, "%s: out of memory", path);
}

ip_status ip_folder_open_memory(ip_folder **out, const char *path, ip_bytes config, ip_bytes weights, ip_error *error) {
    ip_folder *f = *out = calloc(1, sizeof *f);
    if (!f) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_status status = name_folder(f, path, error);
    if (status == IP_OK)
        status = take_config(f, ip_node_parse(f->config_path, "configuration", config.data, config.size, true, error),
                             error);
    if (status != IP_OK) return status;
    f->files = calloc(1, sizeof *f->files);
    f->file_paths = calloc(1, sizeof *f->file_paths);
    if (!f->files || !f->file_paths || !(f->file_paths[0] = ip_join_path(f->path, SINGLE))) return no_memory(f, error);
    f->file_count = 1;
    status = ip_safetensors_open_memory(&f->files[0], f->file_paths[0], weights.data, weights.size, error);
    if (status != IP_OK) return status;
    if (!allocate_tensors(f, f->files[0].count)) return no_memory(f, error);
    f->tensor_count = f->files[0].count;
    for (size_t i = 0; i < f->tensor_count; i++) f->tensors[i] = f->files[0].tensors[i];
    return sort_tensors(f) ? IP_OK : no_memory(f, error);
}

void ip_folder_close(ip_folder *folder) {
    if (!folder) return;
    for (size_t i = 0; i < folder->file_count; i++) {
        ip_safetensors_close(&folder->files[i]);
        free(folder->file_paths[i]);
    }
    free(folder->files);
    free(folder->file_paths);
    free(folder->tensors);
    free(folder->tensor_file);
    ip_node_free(folder->config);
    free(folder->index_path);
    free(folder->config_path);
    free(folder->path);
    free(folder);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static ip_status hash_file(ip_hash128_stream *all, const char *path, ip_error *error) {
    ip_map map;
    ip_status status = ip_map_open(&map, path, error);
    if (status != IP_OK) return status;
    char hex[33];
    ip_hash128(map.data, map.size, hex);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    ip_hash128_update(all, name, strlen(name) + 1);
    ip_hash128_update(all, hex, sizeof hex);
    ip_map_close(&map);
    return IP_OK;
}

ip_status ip_folder_fingerprint(const ip_folder *folder, char out[33], ip_error *error) {
    static const char *const tokenizers[] = {"tokenizer.json", "tokenizer_config.json"};
    size_t count = 0;
    char **paths = calloc(folder->file_count + 4, sizeof *paths), *owned[2] = {NULL, NULL};
    ip_hash128_stream *stream = ip_hash128_new();
    ip_status status = paths && stream ? IP_OK : no_memory(folder, error);
    if (status == IP_OK) {
        paths[count++] = folder->config_path;
        if (folder->index_path) paths[count++] = folder->index_path;
        for (size_t i = 0; i < folder->file_count; i++) paths[count++] = folder->file_paths[i];
        for (int i = 0; i < 2; i++)
            if (exists(folder->path, tokenizers[i]) && (owned[i] = ip_join_path(folder->path, tokenizers[i])))
                paths[count++] = owned[i];
        qsort(paths, count, sizeof *paths, by_text);
    }
    for (size_t i = 0; status == IP_OK && i < count; i++) status = hash_file(stream, paths[i], error);
    if (status == IP_OK) ip_hash128_hex(stream, out);
    ip_hash128_free(stream);
    free(paths);
    free(owned[0]);
    free(owned[1]);
    return status;
}

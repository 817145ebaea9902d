/* One face for GGUF files and model folders. */
#include "models/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/hash.h"

ip_status ip_checkpoint_open(ip_checkpoint *out, const char *path, ip_warn warn, void *context, ip_error *error) {
    *out = (ip_checkpoint){NULL, NULL};
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return ip_folder_open(&out->folder, path, error);
    return ip_gguf_open(&out->gguf, path, warn, context, error);
}

void ip_checkpoint_close(ip_checkpoint *checkpoint) {
    ip_gguf_close(checkpoint->gguf);
    ip_folder_close(checkpoint->folder);
    *checkpoint = (ip_checkpoint){NULL, NULL};
}

const char *ip_checkpoint_path(const ip_checkpoint *c) {
    return c->gguf ? ip_gguf_path(c->gguf) : c->folder->config_path;
}

size_t ip_checkpoint_tensor_count(const ip_checkpoint *c) {
    return c->gguf ? ip_gguf_tensor_count(c->gguf) : c->folder->tensor_count;
}

const ip_tensor *ip_checkpoint_tensor_at(const ip_checkpoint *c, size_t index) {
    return c->gguf ? ip_gguf_tensor_at(c->gguf, index) : &c->folder->tensors[index];
}

static int by_name(const void *name, const void *tensor) { return strcmp(name, ((const ip_tensor *)tensor)->name); }

const ip_tensor *ip_checkpoint_tensor(const ip_checkpoint *c, const char *name) {
    if (c->gguf) return ip_gguf_tensor(c->gguf, name);
    const ip_folder *f = c->folder;
    return bsearch(name, f->tensors, f->tensor_count, sizeof *f->tensors, by_name);
}

size_t ip_checkpoint_tensor_number(const ip_checkpoint *c, const ip_tensor *tensor) {
    return (size_t)(tensor - ip_checkpoint_tensor_at(c, 0));
}

const char *ip_checkpoint_tensor_path(const ip_checkpoint *c, const ip_tensor *tensor) {
    if (c->gguf) return ip_gguf_part_path(c->gguf, ip_gguf_tensor_part(c->gguf, tensor));
    return c->folder->file_paths[c->folder->tensor_file[ip_checkpoint_tensor_number(c, tensor)]];
}

ip_status ip_checkpoint_fingerprint(const ip_checkpoint *c, char out[33], ip_error *error) {
    if (c->folder) return ip_folder_fingerprint(c->folder, out, error);
    ip_hash128_stream *stream = ip_hash128_new();
    if (!stream) return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(c->gguf));
    for (size_t part = 0; part < ip_gguf_parts(c->gguf); part++) {
        ip_bytes bytes = ip_gguf_part_bytes(c->gguf, part);
        ip_hash128_update(stream, bytes.data, bytes.size);
    }
    ip_hash128_hex(stream, out);
    ip_hash128_free(stream);
    return IP_OK;
}

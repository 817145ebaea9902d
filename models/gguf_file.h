/* Inside the GGUF reader: what an open file consists of. gguf.c opens, closes and answers;
 * gguf_parse.c reads one part. */
#ifndef IP_MODELS_GGUF_FILE_H
#define IP_MODELS_GGUF_FILE_H

#include "core/base/file.h"
#include "models/gguf.h"

enum { IP_GGUF_NAME = 64 }; /* bytes of a tensor's name with its NUL */

/* Open addressing over numbered records: a slot holds the record's number + 1, or 0; room is a power of two. */
typedef struct ip_index {
    uint32_t *slots;
    size_t room, used;
} ip_index;

typedef struct ip_gguf_part {
    char *path;
    ip_map map;
    bool borrowed; /* the bytes belong to the caller */
    uint32_t version;
    uint64_t alignment, data; /* data: first byte of tensor data */
} ip_gguf_part;

struct ip_gguf {
    ip_gguf_part *parts;
    size_t part_count;
    ip_gguf_value *values;
    size_t value_count, value_room;
    ip_tensor *tensors; /* their names are set when all parts are read: names moves while it grows */
    size_t *tensor_part;
    char (*names)[IP_GGUF_NAME];
    size_t tensor_count, tensor_room;
    ip_index keys, tensor_names;
};

/* Number of the value or tensor of that name, or SIZE_MAX. */
size_t ip_gguf_key_index(const ip_gguf *file, size_t part, ip_bytes key);
size_t ip_gguf_tensor_index(const ip_gguf *file, ip_bytes name);

/* Append a record; the caller has seen that its name is new (and fits). False: out of memory. */
bool ip_gguf_add_value(ip_gguf *file, const ip_gguf_value *value);
bool ip_gguf_add_tensor(ip_gguf *file, const ip_tensor *tensor, ip_bytes name, size_t part);

/* Reads and checks the header, keys and tensor records of parts[part], and appends them. */
ip_status ip_gguf_parse(ip_gguf *file, size_t part, ip_warn warn, void *context, ip_error *error);

#endif

/* GGUF files, version 2 and 3, on a read-only map; split sets are opened by their first part. */
#ifndef IP_MODELS_GGUF_H
#define IP_MODELS_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "models/model.h"
#include "models/tensor.h"

typedef enum ip_gguf_type {
    IP_GGUF_U8,
    IP_GGUF_I8,
    IP_GGUF_U16,
    IP_GGUF_I16,
    IP_GGUF_U32,
    IP_GGUF_I32,
    IP_GGUF_F32,
    IP_GGUF_BOOL,
    IP_GGUF_STRING,
    IP_GGUF_ARRAY,
    IP_GGUF_U64,
    IP_GGUF_I64,
    IP_GGUF_F64
} ip_gguf_type;

/* Bytes inside the map; not NUL-terminated. */
typedef struct ip_bytes {
    const char *data;
    size_t size;
} ip_bytes;

/* One key and its value, pointing into the map. For arrays: element type, count, and the packed elements. */
typedef struct ip_gguf_value {
    ip_bytes key;
    ip_gguf_type type, element;
    uint64_t count;            /* 1 for scalars */
    const unsigned char *data; /* first byte of the value or of the first element */
    size_t size;
    const ip_bytes *strings; /* array of strings: count of them, else NULL */
    size_t part;             /* which file of a split set */
} ip_gguf_value;

/* Opens a file, or the set whose first part path is. Everything in the container is checked here (every string, count,
 * name, shape, offset against the bytes that are there); refusals are IP_BAD_INPUT. Afterwards read-only and shared by
 * threads; every pointer handed out lives until ip_gguf_close, which may be given NULL. */
ip_status ip_gguf_open(ip_gguf **out, const char *path, ip_warn warn, void *context, ip_error *error);
/* The same for one file in memory, which stays the caller's and must outlive the ip_gguf; path is for messages. */
ip_status ip_gguf_open_memory(ip_gguf **out, const char *path, const void *data, size_t size, ip_warn warn,
                              void *context, ip_error *error);
void ip_gguf_close(ip_gguf *file);

const char *ip_gguf_path(const ip_gguf *file);
uint32_t ip_gguf_version(const ip_gguf *file); /* of the first part */
size_t ip_gguf_parts(const ip_gguf *file);
const char *ip_gguf_part_path(const ip_gguf *file, size_t part);
/* Bytes of one part; where its tensor data begin in them, and to how many bytes tensors are aligned there. */
ip_bytes ip_gguf_part_bytes(const ip_gguf *file, size_t part);
uint64_t ip_gguf_part_data(const ip_gguf *file, size_t part);
uint64_t ip_gguf_part_alignment(const ip_gguf *file, size_t part);

/* Keys of all parts, those of the first (the only ones that are looked up) in front, each in file order. */
size_t ip_gguf_value_count(const ip_gguf *file);
const ip_gguf_value *ip_gguf_value_at(const ip_gguf *file, size_t index);
const ip_gguf_value *ip_gguf_find(const ip_gguf *file, const char *key); /* NULL: absent */

size_t ip_gguf_tensor_count(const ip_gguf *file);
const ip_tensor *ip_gguf_tensor_at(const ip_gguf *file, size_t index);
const ip_tensor *ip_gguf_tensor(const ip_gguf *file, const char *name); /* NULL: absent */
size_t ip_gguf_tensor_part(const ip_gguf *file, const ip_tensor *tensor);

/* Scalars. found is false when the key is absent. A value of another kind (an integer of any width serves an integer,
 * f32 or f64 a float; nothing else converts) or out of range is IP_BAD_INPUT naming the key. */
ip_status ip_gguf_get_uint(const ip_gguf *file, const char *key, uint64_t most, uint64_t *out, bool *found,
                           ip_error *error);
ip_status ip_gguf_get_float(const ip_gguf *file, const char *key, double *out, bool *found, ip_error *error);
ip_status ip_gguf_get_bool(const ip_gguf *file, const char *key, bool *out, bool *found, ip_error *error);
ip_status ip_gguf_get_string(const ip_gguf *file, const char *key, ip_bytes *out, bool *found, ip_error *error);
/* Element of an integer array, or f32/f64 array, by index; the caller has checked type and index. */
int64_t ip_gguf_int_at(const ip_gguf_value *value, size_t index);
double ip_gguf_float_at(const ip_gguf_value *value, size_t index);

#endif

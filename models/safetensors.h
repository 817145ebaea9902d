/* Safetensors files on a read-only map: an eight-byte length, a JSON header that lists tensors, their bytes side by side. */
#ifndef IP_MODELS_SAFETENSORS_H
#define IP_MODELS_SAFETENSORS_H

#include "core/base/file.h"
#include "core/base/status.h"
#include "models/tensor.h"

typedef struct ip_safetensors {
    ip_map map;
    bool borrowed;
    ip_tensor *tensors; /* in the order of their data; names belong to the file */
    size_t count;
    size_t data; /* first byte of tensor data */
} ip_safetensors;

/* Opens a file. Everything in the container is checked: header length against the file, the header as strict JSON, types,
 * shapes and offsets, and that the tensors fill the file without gap or overlap. Close it whatever was returned. */
ip_status ip_safetensors_open(ip_safetensors *out, const char *path, ip_error *error);
/* The same for a file in memory, which stays the caller's; path is for messages. */
ip_status ip_safetensors_open_memory(ip_safetensors *out, const char *path, const void *data, size_t size,
                                     ip_error *error);
void ip_safetensors_close(ip_safetensors *file);

#endif

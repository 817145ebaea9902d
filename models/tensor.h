/* Tensors as they stand in a model file, and the list of tensor types. */
#ifndef IP_MODELS_TENSOR_H
#define IP_MODELS_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A tensor type: one row of models/types.def. */
typedef struct ip_type {
    uint32_t id;      /* the number in a GGUF file */
    const char *name; /* "Q4_1" */
    unsigned block;   /* elements per block */
    unsigned bytes;   /* bytes per block */
    /* k elements (a multiple of block) of one row to floats, bit-equal to ggml's to_float. */
    void (*to_float)(float *out, const unsigned char *row, size_t k);
    /* The row as signed codes with group scales: value = code * scale + min (min already carries its sign).
     * NULL for float types. group is 16 or 32; min is NULL unless has_min. */
    void (*to_codes)(int8_t *codes, float *scale, float *min, const unsigned char *row, size_t k);
    unsigned group;
    bool has_min;
    unsigned scale_at, scales; /* f16 fields of a block, side by side from byte scale_at, that decide alone whether its
                                  values are finite; scales 0: the values themselves have to be looked at */
    bool weight;               /* may hold weights of a model (false: named only to be refused with its name) */
} ip_type;

const ip_type *ip_type_by_id(uint32_t id); /* NULL: unknown or removed */
size_t ip_type_count(void);
const ip_type *ip_type_at(size_t index); /* in the order of the list */

/* A tensor: ne[0] is the contiguous dimension (inputs of a matrix), ne[1] its rows (outputs). */
typedef struct ip_tensor {
    const char *name;
    const ip_type *type;
    unsigned dims;
    uint64_t ne[4];
    const unsigned char *data; /* in the map; aligned to nothing */
    size_t row_bytes;
} ip_tensor;

static inline const unsigned char *ip_tensor_row(const ip_tensor *t, size_t row) {
    return t->data + row * t->row_bytes;
}

#endif

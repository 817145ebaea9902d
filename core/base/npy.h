/* NumPy's .npy files: reading (any byte order, C or Fortran, versions 1 to 3) and writing (version 1, C order). */
#ifndef IP_BASE_NPY_H
#define IP_BASE_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/file.h"
#include "core/base/status.h"

typedef struct ip_npy {
    ip_map map;
    char *path;
    char kind;     /* 'f', 'i' or 'u' */
    unsigned size; /* bytes per element: f 2 4 8, i and u 1 2 4 8 */
    bool swapped;  /* byte order differs from this machine's */
    bool fortran;
    unsigned dims; /* 0 .. 4 */
    uint64_t shape[4];
    uint64_t count;            /* elements in all */
    const unsigned char *data; /* not aligned */
} ip_npy;

/* Maps and checks a file (magic, version, header, dtype, shape against the file's size, no allocation by the header's
 * word). Every refusal is IP_BAD_INPUT with one line naming path and what is wrong. */
ip_status ip_npy_open(ip_npy *npy, const char *path, ip_error *error);
void ip_npy_close(ip_npy *npy);

/* Row r of a two-dimensional float array as doubles or floats (f64 rounded to nearest), columns shape[1]. */
void ip_npy_row_f64(const ip_npy *npy, uint64_t row, double *out);
void ip_npy_row_f32(const ip_npy *npy, uint64_t row, float *out);
/* Element i (C order) of an integer array; u64 values above INT64_MAX wrap, which keeps them distinct. */
int64_t ip_npy_int(const ip_npy *npy, uint64_t i);

/* Writes a C-order array with that header (descr ends with the bytes of an element); the file appears whole or not at all. */
ip_status ip_npy_write(const char *path, const char *descr, unsigned dims, const uint64_t *shape, const void *values,
                       ip_error *error);

/* Writes the 128-byte header of a C-order array ("<f4", "<i4", "<f8", "<u4") to an open file. */
ip_status ip_npy_header(FILE *file, const char *descr, unsigned dims, const uint64_t *shape);

#endif

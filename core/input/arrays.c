/* Checking arrays of the caller as strictly as files: their data is trusted to be there, what describes it is not. */
#include "core/input/arrays.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cursor.h"

const char *ip_input_name(const ip_input *input) {
    if (input->path) return input->path;
    return input->array->name ? input->array->name : "array";
}

static bool known_type(const ip_array *a) {
    if (a->kind == 'f') return a->size == 2 || a->size == 4 || a->size == 8;
    return (a->kind == 'i' || a->kind == 'u') && (a->size == 1 || a->size == 2 || a->size == 4 || a->size == 8);
}

static ip_status wrap(ip_npy *npy, const ip_array *a, const char *name, ip_error *error) {
    if (!known_type(a))
        return ip_fail(error, IP_BAD_INPUT, "%s: dtype is none that is read here (f2 f4 f8, i1 to i8, u1 to u8)", name);
    if (a->dims > 4) return ip_fail(error, IP_BAD_INPUT, "%s: %u dimensions; at most 4 are read", name, a->dims);
    uint64_t count = 1, bytes = a->size;
    bool fits = true, none = false;
    for (unsigned i = 0; i < a->dims; i++) {
        none = none || a->shape[i] == 0;
        fits = fits && ip_mul_u64(count, a->shape[i], &count) && ip_mul_u64(bytes, a->shape[i], &bytes);
    }
    if (none) count = bytes = 0;
    if ((!fits && !none) || bytes > SIZE_MAX)
        return ip_fail(error, IP_BAD_INPUT, "%s: shape is too large: its size overflows", name);
    if (!a->data && bytes > 0) return ip_fail(error, IP_BAD_INPUT, "%s: has no data", name);
    *npy = (ip_npy){.kind = a->kind,
                    .size = a->size,
                    .fortran = a->fortran,
                    .dims = a->dims,
                    .count = count,
                    .data = a->data,
                    .path = strdup(name)};
    memcpy(npy->shape, a->shape, sizeof npy->shape);
    return npy->path ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", name);
}

ip_status ip_input_open(ip_npy *npy, const ip_input *input, ip_error *error) {
    if (input->path) return ip_npy_open(npy, input->path, error);
    memset(npy, 0, sizeof *npy);
    return wrap(npy, input->array, ip_input_name(input), error);
}

/* Arrays in memory and .npy files as one kind of input: an ip_array becomes an ip_npy that borrows the caller's data. */
#ifndef IP_CORE_ARRAYS_H
#define IP_CORE_ARRAYS_H

#include "core/base/npy.h"
#include "core/infoplane.h"

/* A file by its path, or an array. */
typedef struct ip_input {
    const char *path; /* NULL: the array */
    const ip_array *array;
} ip_input;

/* What error lines and reports call it: the path, the array's name, or "array". */
const char *ip_input_name(const ip_input *input);

/* Opens either. Closed by ip_npy_close, which leaves an array's data alone. */
ip_status ip_input_open(ip_npy *npy, const ip_input *input, ip_error *error);

#endif

/* One file of a result folder, which appears whole or not at all. */
#ifndef IP_CORE_FOLDER_WRITE_H
#define IP_CORE_FOLDER_WRITE_H

#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"

typedef void (*ip_text_writer)(const void *result, FILE *file);

ip_status ip_folder_write(const char *folder, const char *name, ip_text_writer writer, const void *result,
                          ip_error *error);

/* An array as ip_npy_write takes it. */
ip_status ip_folder_write_array(const char *folder, const char *name, const char *descr, unsigned dims,
                                const uint64_t *shape, const void *values, ip_error *error);

#endif

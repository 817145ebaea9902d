/* Scratch files: nameless, gone with the process, reserved in full before use so that a full disk shows at the start. */
#ifndef IP_CORE_SCRATCH_H
#define IP_CORE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_scratch {
    int fd; /* -1: none */
    uint64_t bytes;
    bool ram_disk; /* the folder is kept in memory: spilling there saves nothing */
} ip_scratch;

ip_status ip_scratch_open(ip_scratch *scratch, const char *folder, uint64_t bytes, ip_error *error);
ip_status ip_scratch_write(const ip_scratch *scratch, uint64_t at, const void *data, size_t n, ip_error *error);
ip_status ip_scratch_read(const ip_scratch *scratch, uint64_t at, void *data, size_t n, ip_error *error);
void ip_scratch_close(ip_scratch *scratch);

#endif

/* Fuzzes the .npy reader: whatever opens must have all its elements inside the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("npy", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ip_npy npy;
    ip_error error;
    if (ip_npy_open(&npy, path, &error) == IP_OK) {
        int64_t mix = 0;
        if (npy.kind != 'f')
            for (uint64_t i = 0; i < npy.count; i++) mix ^= ip_npy_int(&npy, i);
        if (npy.kind == 'f' && npy.dims == 2 && npy.count > 0) {
            double *row = malloc(npy.shape[1] * sizeof *row);
            float *narrow = malloc(npy.shape[1] * sizeof *narrow);
            if (!row || !narrow) abort();
            for (uint64_t r = 0; r < npy.shape[0]; r++) {
                ip_npy_row_f64(&npy, r, row);
                ip_npy_row_f32(&npy, r, narrow);
            }
            free(row);
            free(narrow);
        }
        if (mix == 0x5EED) putenv((char *)"IP_FUZZ=1"); /* keeps the reads above from being optimised away */
        ip_npy_close(&npy);
    }
    close(fd);
    return 0;
}

/* Storing soft assignments. */
#include "core/estimators/soft.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/map_guard.h"
#include "core/base/memory.h"

static size_t row_bytes(const ip_soft *soft) { return soft->blocks * soft->positions * IP_LANES * sizeof(float); }

size_t ip_soft_bytes(size_t positions, size_t m, int spilled) {
    size_t blocks = (m + IP_LANES - 1) / IP_LANES;
    return positions * (sizeof(int64_t) + (spilled ? 0 : blocks * IP_LANES * sizeof(float)));
}

ip_status ip_soft_open(ip_soft *soft, size_t positions, size_t m, const char *folder, ip_error *error) {
    memset(soft, 0, sizeof *soft);
    soft->positions = positions;
    soft->m = m;
    soft->blocks = (m + IP_LANES - 1) / IP_LANES;
    soft->scratch.fd = -1;
    ip_status status = IP_OK;
    soft->entropy = ip_big_alloc(positions * sizeof *soft->entropy);
    if (folder) {
        status = ip_scratch_open(&soft->scratch, folder, row_bytes(soft), error);
        if (status == IP_OK && row_bytes(soft) > 0) {
            soft->rows = mmap(NULL, row_bytes(soft), PROT_READ, MAP_SHARED, soft->scratch.fd, 0);
            if (soft->rows == MAP_FAILED) soft->rows = NULL;
            if (soft->rows) ip_map_watch(soft->rows, row_bytes(soft), "the scratch file of the soft assignments");
        }
    } else {
        soft->rows = ip_big_alloc(row_bytes(soft));
    }
    if (status == IP_OK && (!soft->entropy || (!soft->rows && row_bytes(soft) > 0)))
        status = ip_fail(error, IP_FAILED, "out of memory for the soft assignments of %zu positions", positions);
    if (status != IP_OK) ip_soft_close(soft);
    return status;
}

void ip_soft_close(ip_soft *soft) {
    if (soft->scratch.fd >= 0) {
        if (soft->rows) {
            ip_map_unwatch(soft->rows);
            munmap(soft->rows, row_bytes(soft));
        }
        ip_scratch_close(&soft->scratch);
    } else {
        ip_big_free(soft->rows, row_bytes(soft));
    }
    ip_big_free(soft->entropy, soft->positions * sizeof *soft->entropy);
    memset(soft, 0, sizeof *soft);
    soft->scratch.fd = -1;
}

ip_status ip_soft_put(ip_soft *soft, const ip_kernels *kernels, size_t first, const float *p, size_t n,
                      ip_error *error) {
    enum { CHUNK = 64 };
    size_t stride = soft->blocks * IP_LANES;
    for (size_t i = 0; i < n; i++) soft->entropy[first + i] = kernels->entropy_row(p + i * stride, soft->m);
    for (size_t b = 0; b < soft->blocks; b++) {
        if (soft->scratch.fd < 0) {
            float *to = soft->rows + (b * soft->positions + first) * IP_LANES;
            for (size_t i = 0; i < n; i++)
                memcpy(to + i * IP_LANES, p + i * stride + b * IP_LANES, IP_LANES * sizeof(float));
            continue;
        }
        float chunk[CHUNK * IP_LANES];
        for (size_t i = 0; i < n; i += CHUNK) {
            size_t rows = n - i < CHUNK ? n - i : CHUNK;
            for (size_t r = 0; r < rows; r++)
                memcpy(chunk + r * IP_LANES, p + (i + r) * stride + b * IP_LANES, IP_LANES * sizeof(float));
            uint64_t at = (b * soft->positions + first + i) * IP_LANES * sizeof(float);
            ip_status status = ip_scratch_write(&soft->scratch, at, chunk, rows * IP_LANES * sizeof(float), error);
            if (status != IP_OK) return status;
        }
    }
    return IP_OK;
}

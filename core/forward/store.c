/* Rows of the residual stream, in memory and in a scratch file. */
#include "core/forward/store.h"

#include <string.h>

#include "core/base/memory.h"

static size_t resident_bytes(const ip_store *store) { return (size_t)store->resident * store->width * sizeof(float); }

ip_status ip_store_open(ip_store *store, uint64_t rows, size_t width, uint64_t resident, const char *folder,
                        ip_error *error) {
    *store = (ip_store){.rows = rows, .resident = resident, .width = width, .scratch = {.fd = -1}};
    store->memory = ip_big_alloc(resident_bytes(store));
    if (!store->memory) return ip_fail(error, IP_FAILED, "out of memory for the hidden states");
    if (resident == rows) return IP_OK;
    ip_status status = ip_scratch_open(&store->scratch, folder, (rows - resident) * width * sizeof(float), error);
    if (status != IP_OK) ip_store_close(store);
    return status;
}

void ip_store_close(ip_store *store) {
    ip_big_free(store->memory, resident_bytes(store));
    ip_scratch_close(&store->scratch);
    store->memory = NULL;
}

float *ip_store_take(const ip_store *store, uint64_t row, size_t count, float *buffer, bool fresh, ip_error *error) {
    if (row < store->resident) return store->memory + (size_t)row * store->width;
    if (fresh) return buffer;
    uint64_t at = (row - store->resident) * store->width * sizeof(float);
    ip_status status = ip_scratch_read(&store->scratch, at, buffer, count * store->width * sizeof(float), error);
    return status == IP_OK ? buffer : NULL;
}

ip_status ip_store_give(const ip_store *store, uint64_t row, size_t count, const float *rows, ip_error *error) {
    if (row < store->resident) return IP_OK;
    uint64_t at = (row - store->resident) * store->width * sizeof(float);
    return ip_scratch_write(&store->scratch, at, rows, count * store->width * sizeof(float), error);
}

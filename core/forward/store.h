/* The residual stream of the whole corpus between two layers: [tokens][width] floats, as many rows in memory as the bound
 * allows, the rest in a scratch file. Accesses come by tiles; a tile is wholly on one side. */
#ifndef IP_CORE_STORE_H
#define IP_CORE_STORE_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/forward/scratch.h"

typedef struct ip_store {
    uint64_t rows, resident; /* rows 0 .. resident-1 are in memory */
    size_t width;
    float *memory;
    ip_scratch scratch;
} ip_store;

/* resident must be a tile's border or rows. folder: where the scratch file goes if resident < rows. */
ip_status ip_store_open(ip_store *store, uint64_t rows, size_t width, uint64_t resident, const char *folder,
                        ip_error *error);
void ip_store_close(ip_store *store);

/* Rows row .. row+count-1: in place when resident, else buffer, into which they are read unless fresh. NULL on failure. */
float *ip_store_take(const ip_store *store, uint64_t row, size_t count, float *buffer, bool fresh, ip_error *error);
/* Writes them back when they are not resident. */
ip_status ip_store_give(const ip_store *store, uint64_t row, size_t count, const float *rows, ip_error *error);

#endif

/* Cutting a corpus into items, tiles and segments. */
#include "core/forward/tiles.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/kernels.h"

ip_status ip_tiling_make(ip_tiling *out, const ip_corpus *corpus, ip_error *error) {
    *out = (ip_tiling){.corpus = corpus};
    /* A document of n tokens adds at most n / (TILE - 16) + 2 segments; a tile is never emptier than that either. */
    uint64_t most = corpus->tokens / (IP_TILE_ROWS - IP_QUERY_TILE) + 2 * (uint64_t)corpus->documents + 2;
    out->segments = malloc((size_t)most * sizeof *out->segments);
    out->tiles = malloc((size_t)most * sizeof *out->tiles);
    out->items = malloc(((size_t)corpus->documents + 1) * sizeof *out->items);
    out->long_items = malloc(((size_t)corpus->documents + 1) * sizeof *out->long_items);
    if (!out->segments || !out->tiles || !out->items || !out->long_items) {
        ip_tiling_free(out);
        return ip_fail(error, IP_FAILED, "out of memory for the schedule of %zu documents", corpus->documents);
    }
    uint64_t item_rows = 0; /* of the open item; 0: none is open */
    ip_item *item = NULL;
    ip_tile *tile = NULL; /* the open tile */
    for (size_t d = 0; d < corpus->documents; d++) {
        uint64_t begin = corpus->offsets[d], n = corpus->offsets[d + 1] - begin;
        if (n > out->longest) out->longest = (size_t)n;
        if (n == 0) continue;
        bool alone = n > IP_LONG_ROWS;
        if (!alone && n > out->longest_short) out->longest_short = (size_t)n;
        if (item_rows == 0 || alone) {
            item = alone ? &out->long_items[out->long_count++] : &out->items[out->item_count++];
            *item = (ip_item){out->tile_count, 0};
            item_rows = 0;
            tile = NULL;
        }
        for (uint64_t position = 0; position < n;) {
            uint64_t left = n - position, room = tile ? IP_TILE_ROWS - tile->rows : 0;
            if (left > room) room &= ~(uint64_t)(IP_QUERY_TILE - 1); /* the rest must begin at a multiple of 16 */
            if (room == 0) {
                tile = &out->tiles[out->tile_count++];
                *tile = (ip_tile){begin + position, 0, 0, out->segment_count};
                item->tiles++;
                continue;
            }
            uint32_t rows = (uint32_t)(left < room ? left : room);
            out->segments[out->segment_count++] = (ip_segment){(uint32_t)d, (uint32_t)position, rows};
            tile->rows += rows;
            tile->segments++;
            position += rows;
        }
        item_rows += n;
        if (item_rows >= IP_ITEM_ROWS || alone) item_rows = 0;
    }
    return IP_OK;
}

void ip_tiling_free(ip_tiling *tiling) {
    free(tiling->segments);
    free(tiling->tiles);
    free(tiling->items);
    free(tiling->long_items);
    memset(tiling, 0, sizeof *tiling);
}

/* How a corpus is cut for the forward pass: runs of rows that go through a layer together.
 *
 *   item     what one thread takes through a layer: whole documents, about IP_ITEM_ROWS rows
 *   tile     at most IP_TILE_ROWS rows of an item: their activations stay in the private cache
 *   segment  a run of rows of one document inside a tile; begins at a multiple of 16 of the document, as attention wants
 *
 * A document of more than IP_LONG_ROWS tokens is an item of its own, and all threads go through its tiles together: first
 * its keys and values, then the rest (layers.c). None of it can be seen in a result.
 */
#ifndef IP_CORE_TILES_H
#define IP_CORE_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/input/corpus.h"

enum { IP_TILE_ROWS = 192, IP_ITEM_ROWS = 512, IP_LONG_ROWS = 4096 };

typedef struct ip_segment {
    uint32_t document;
    uint32_t position; /* of its first row in the document */
    uint32_t rows;
} ip_segment;

typedef struct ip_tile {
    uint64_t row; /* first row in the corpus */
    uint32_t rows;
    uint32_t segments;
    size_t first_segment;
} ip_tile;

typedef struct ip_item {
    size_t first_tile, tiles;
} ip_item;

typedef struct ip_tiling {
    ip_segment *segments;
    ip_tile *tiles;
    ip_item *items; /* of documents that are not long */
    ip_item *long_items;
    size_t segment_count, tile_count, item_count, long_count;
    const ip_corpus *corpus;       /* of which it is made, and which outlives it */
    size_t longest, longest_short; /* tokens of the longest document, and of the longest one that is not long */
} ip_tiling;

ip_status ip_tiling_make(ip_tiling *out, const ip_corpus *corpus, ip_error *error);
void ip_tiling_free(ip_tiling *tiling);

#endif

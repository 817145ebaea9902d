/* The schedule: the whole corpus through layer 0, then through layer 1, and so on. */
#ifndef IP_CORE_LAYERS_H
#define IP_CORE_LAYERS_H

#include "core/forward/forward.h"
#include "core/forward/store.h"
#include "core/forward/tiles.h"
#include "core/input/session.h"

/* What is to be done with the hidden states as they come. h: [tile rows][width], layer 0 .. L (the last one after the
 * final norm). tile is called from all workers at once, on different tiles; layer_done once all of a layer's are done. */
typedef struct ip_visitor {
    void *context;
    ip_status (*tile)(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                      ip_error *error);
    ip_status (*layer_done)(void *context, size_t layer, ip_error *error);
} ip_visitor;

typedef struct ip_layers {
    ip_session *session;
    const ip_tiling *tiling;
    ip_forward *forward;
    ip_store *store;
    size_t first;   /* layer to begin with: 0, or behind those whose states the store already holds */
    float *buffers; /* [threads][IP_TILE_ROWS][width] for rows that are not resident; NULL when all are */
} ip_layers;

ip_status ip_layers_run(const ip_layers *layers, const ip_visitor *visitor, ip_error *error);

/* Document and position of a row of a tile, for messages. */
void ip_tile_locate(const ip_tiling *tiling, const ip_tile *tile, size_t row, uint32_t *document, uint32_t *position);

#endif

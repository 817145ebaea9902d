/* Layer by layer over the corpus: items are dealt to threads, a thread takes an item's tiles in order. */
#include "core/forward/layers.h"

typedef struct layer_job {
    const ip_layers *layers;
    const ip_visitor *visitor;
    size_t layer;
    const ip_item *item; /* the long document at hand */
} layer_job;

void ip_tile_locate(const ip_tiling *tiling, const ip_tile *tile, size_t row, uint32_t *document, uint32_t *position) {
    const ip_segment *s = tiling->segments + tile->first_segment;
    while (row >= s->rows) row -= (s++)->rows;
    *document = s->document;
    *position = s->position + (uint32_t)row;
}

static ip_status overflow(const layer_job *job, const ip_tile *tile, size_t row, ip_status status, ip_error *error) {
    uint32_t document, position;
    ip_tile_locate(job->layers->tiling, tile, row, &document, &position);
    return ip_fail(error, status,
                   "layer %zu: the states near document %u, position %u are not finite: the model overflows in this "
                   "arithmetic (try --compute f32)",
                   job->layer, document, position);
}

static float *tile_rows(const layer_job *job, const ip_tile *tile, unsigned worker, bool fresh, ip_error *error) {
    const ip_layers *l = job->layers;
    float *buffer = l->buffers ? l->buffers + (size_t)worker * IP_TILE_ROWS * l->forward->plan->width : NULL;
    return ip_store_take(l->store, tile->row, tile->rows, buffer, fresh, error);
}

static ip_status run_tile(const layer_job *job, ip_tile_part part, const ip_tile *tile, unsigned worker,
                          ip_error *error) {
    const ip_layers *l = job->layers;
    float *h = tile_rows(job, tile, worker, job->layer == 0, error);
    if (!h) return error->status;
    ip_status status = IP_OK;
    size_t bad = 0;
    if (job->layer == 0) {
        status = ip_forward_embed(l->forward, l->tiling, tile, h, error);
    } else {
        bool last = job->layer == l->forward->plan->layers;
        status = ip_forward_tile(l->forward, worker, job->layer - 1, part, l->tiling, tile, h, last, &bad, error);
        if (status != IP_OK) return overflow(job, tile, bad, status, error);
    }
    if (status == IP_OK) status = job->visitor->tile(job->visitor->context, job->layer, worker, tile, h, error);
    if (status == IP_OK) status = ip_store_give(l->store, tile->row, tile->rows, h, error);
    if (status == IP_OK) status = ip_session_advance(l->session, tile->rows, error);
    return status;
}

/* Items first, then the tasks that pack the next layer: they fill the threads that run out of items. */
static ip_status run_item(void *context, size_t task, unsigned worker, ip_error *error) {
    const layer_job *job = context;
    const ip_tiling *tiling = job->layers->tiling;
    if (task >= tiling->item_count)
        return ip_pack_task(&job->layers->forward->packing, task - tiling->item_count, error);
    const ip_item *item = &tiling->items[task];
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < item->tiles; i++)
        status = run_tile(job, IP_TILE_WHOLE, &tiling->tiles[item->first_tile + i], worker, error);
    return status;
}

/* ---- long documents: one after another, all threads over the tiles of one ---- */

static ip_status long_keys(void *context, size_t task, unsigned worker, ip_error *error) {
    const layer_job *job = context;
    const ip_layers *l = job->layers;
    const ip_tile *tile = &l->tiling->tiles[job->item->first_tile + task];
    const float *h = tile_rows(job, tile, worker, false, error);
    if (!h) return error->status;
    size_t bad = 0;
    ip_status status = ip_forward_keys(l->forward, worker, job->layer - 1, l->tiling, tile, h, &bad, error);
    return status == IP_OK ? IP_OK : overflow(job, tile, bad, status, error);
}

static ip_status long_rest(void *context, size_t task, unsigned worker, ip_error *error) {
    const layer_job *job = context;
    return run_tile(job, IP_TILE_REST, &job->layers->tiling->tiles[job->item->first_tile + task], worker, error);
}

static ip_status run_long(layer_job *job, const ip_item *item, ip_pool *pool, ip_error *error) {
    job->item = item;
    ip_status status = IP_OK;
    if (job->layer > 0) status = ip_pool_run(pool, item->tiles, long_keys, job, error);
    if (status == IP_OK) status = ip_pool_run(pool, item->tiles, long_rest, job, error);
    return status;
}

/* Packs a block before its layer runs, when there is no memory for two. */
static ip_status pack_alone(const ip_layers *layers, size_t block, ip_error *error) {
    ip_session_stage(layers->session, "pack", 0, "");
    ip_forward_prepare(layers->forward, block);
    return ip_pack_run(&layers->forward->packing, layers->session->pool, error);
}

static ip_status run_layer(const ip_layers *layers, const ip_visitor *visitor, size_t layer, ip_error *error) {
    ip_session *session = layers->session;
    size_t count = layers->forward->plan->layers, packing = 0;
    ip_status status = IP_OK;
    bool packed = layers->forward->ahead && layer > layers->first; /* while the layer before ran */
    if (layer > 0 && !packed) status = pack_alone(layers, layer - 1, error);
    if (status != IP_OK) return status;
    ip_session_stage(session, "forward", session->corpus.tokens, "tokens");
    if (layers->forward->ahead && layer < count) {
        ip_forward_prepare(layers->forward, layer);
        packing = layers->forward->packing.tasks;
    }
    layer_job job = {layers, visitor, layer, NULL};
    status = ip_pool_run(session->pool, layers->tiling->item_count + packing, run_item, &job, error);
    for (size_t i = 0; status == IP_OK && i < layers->tiling->long_count; i++)
        status = run_long(&job, &layers->tiling->long_items[i], session->pool, error);
    return status == IP_OK ? visitor->layer_done(visitor->context, layer, error) : status;
}

ip_status ip_layers_run(const ip_layers *layers, const ip_visitor *visitor, ip_error *error) {
    ip_session *session = layers->session;
    size_t count = layers->forward->plan->layers;
    session->step_name = "layer";
    session->steps = (unsigned)count;
    ip_status status = IP_OK;
    for (size_t layer = layers->first; status == IP_OK && layer <= count; layer++) {
        session->step = (unsigned)layer;
        status = run_layer(layers, visitor, layer, error);
    }
    ip_session_end(session);
    session->step = session->steps = 0;
    return status;
}

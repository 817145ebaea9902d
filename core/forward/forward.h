/* The forward pass: one decoder block over the tiles of a corpus, and the embedding before the first.
 *
 * Nothing here knows a model family: the plan says what to do. Everything is sized before the run; a tile's work uses the
 * worker's own buffers and the packed weights of the layer, and allocates nothing.
 */
#ifndef IP_CORE_FORWARD_H
#define IP_CORE_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/kernels.h"
#include "core/base/pool.h"
#include "core/base/status.h"
#include "core/forward/tiles.h"
#include "core/input/weights.h"
#include "models/model.h"

/* Packed matrices of a block; those that it does not have are left alone. */
typedef struct ip_layer {
    ip_matrix q, k, v, o, router, shared_gate, gate, up, down, side_model, side_gate, side_out;
    ip_matrix *experts; /* gate, up, down of each */
} ip_layer;

/* A row that an expert takes. */
typedef struct ip_routed {
    uint32_t expert, row;
    float weight;
} ip_routed;

/* One thread's buffers, rows of tiles in all of them (see forward_block.c for the shapes). */
typedef struct ip_bench {
    float *norm, *q, *k, *v, *mixed, *part[2], *branch, *logits, *gathered, *given, *sum, *side[2];
    float *turn; /* frequencies, cos and sin of one position, for ropes that depend on the document's length */
    void *act[2], *hidden;
    ip_routed *routed[2]; /* rows by row, then by expert */
} ip_bench;

/* Keys and values of one document: keys [kv head][room / 64][head][64], values [room][kv heads * head]. */
typedef struct ip_cache {
    float *keys, *values;
    size_t room; /* positions, a multiple of 64 */
} ip_cache;

/* cos and sin of one rope for all positions, [longest][rotary / 2]; the second pair for documents that are longer than the
 * rope's original context (longrope), else NULL. */
typedef struct ip_turns {
    float *cosine[2], *sine[2];
} ip_turns;

enum { IP_FORWARD_ROPES = 2 };

typedef struct ip_forward {
    const ip_model *model;
    const ip_plan *plan;
    const ip_kernels *kernels;
    ip_compute compute;
    size_t longest; /* tokens of the longest document */
    unsigned threads;
    ip_cache *caches;    /* one per thread, for documents that are not long */
    ip_cache long_cache; /* shared by all threads, for the long document at hand; room 0 when there is none */
    /* The block that runs and, when there is memory for it, the next one, packed meanwhile. */
    ip_layer layers[2];
    ip_matrix *expert_matrices; /* of both */
    void *layer_memory[2];
    size_t layer_bytes; /* of one */
    bool ahead;         /* there are two */
    ip_pack *packs;     /* of the largest block */
    ip_pack_job packing;
    void *bench_memory;
    size_t bench_bytes; /* per thread */
    void *long_memory;
    size_t long_bytes;
    ip_bench *benches;
    void *table_memory;
    size_t table_bytes;
    ip_turns turns[IP_FORWARD_ROPES]; /* of plan->ropes */
    float *temperature;               /* factor on queries per position; NULL: none */
    float *key_bias;                  /* ALiBi, [heads][longest]; NULL: none */
    /* Keys and values that later blocks read, [tokens][2 * kv width] per block that is read; NULL for all others. */
    float **shared;
    void *shared_memory;
    size_t shared_bytes;
} ip_forward;

/* Bytes of one packed block, the largest. */
uint64_t ip_forward_layer_bytes(const ip_model *model, const ip_kernels *kernels, ip_compute compute);
/* Anonymous bytes that ip_forward_open will take, with one packed block. */
uint64_t ip_forward_bytes(const ip_model *model, const ip_kernels *kernels, ip_compute compute, const ip_tiling *tiling,
                          unsigned threads);
/* IP_USAGE when a document is longer than a model with learned positions can take. */
ip_status ip_forward_open(ip_forward *f, const ip_model *model, const ip_kernels *kernels, ip_compute compute,
                          const ip_tiling *tiling, bool ahead, ip_pool *pool, ip_error *error);
void ip_forward_close(ip_forward *f);

/* Begins packing block `block` (0-based): f->packing then has the tasks. With ahead the block before it may run
 * meanwhile. The file's pages of the block after it are asked for. */
void ip_forward_prepare(ip_forward *f, size_t block);

/* Layer 0: what block 0 reads for the rows of a tile, to h [rows][width]. */
ip_status ip_forward_embed(const ip_forward *f, const ip_tiling *tiling, const ip_tile *tile, float *h,
                           ip_error *error);

/* Keys and values of one tile of a long document into the shared cache; h is only read. All tiles of the document come
 * before ip_forward_tile with IP_TILE_REST takes any of them. */
ip_status ip_forward_keys(const ip_forward *f, unsigned worker, size_t block, const ip_tiling *tiling,
                          const ip_tile *tile, const float *h, size_t *bad_row, ip_error *error);

/* The final norm of rows of h into buffer, [rows][width] both: buffer, h where the model has no such norm, or NULL with the
 * row in *bad_row where the result is not finite. */
const float *ip_forward_final_norm(const ip_forward *f, size_t rows, const float *h, float *buffer, size_t *bad_row);

/* The loaded block over one tile, in place: h [rows][width]. IP_TILE_WHOLE: tiles of an item must come in order on one
 * worker. IP_TILE_REST: keys and values are in the shared cache already, tiles come in any order on any worker. With
 * final_norm the model's last norm follows. Fails (IP_FAILED, message without layer or document) where a value inside the
 * block is not finite; *bad_row is then a row of the tile at or before which that happened. */
typedef enum ip_tile_part { IP_TILE_WHOLE, IP_TILE_REST } ip_tile_part;
ip_status ip_forward_tile(const ip_forward *f, unsigned worker, size_t block, ip_tile_part part,
                          const ip_tiling *tiling, const ip_tile *tile, float *h, bool final_norm, size_t *bad_row,
                          ip_error *error);

#endif

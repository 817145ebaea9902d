/* Inside the forward pass: what its files share.
 *
 *   forward.c        sizes, memory, packing, embedding
 *   forward_turns.c  what depends on positions: rotation, temperatures, ALiBi
 *   forward_block.c  attention, and the order of a block
 *   forward_mlp.c    feed-forward layers, experts, per-layer inputs */
#ifndef IP_CORE_FORWARD_INTERNAL_H
#define IP_CORE_FORWARD_INTERNAL_H

#include "core/forward/forward.h"

/* Outputs of a product that are finished together: as many panels as a product takes at once. */
enum { IP_PART_PANELS = 8, IP_PART = IP_PART_PANELS * IP_LANES };

static inline size_t ip_up16(size_t n) { return (n + 15) & ~(size_t)15; }
static inline size_t ip_up64(size_t n) { return (n + 63) & ~(size_t)63; }
static inline size_t ip_larger(size_t a, size_t b) { return a > b ? a : b; }

/* Where a tile's work stands. */
typedef struct ip_tile_work {
    const ip_forward *f;
    ip_bench *bench;
    ip_cache *cache;
    const ip_tiling *tiling;
    const ip_tile *tile;
    size_t index; /* of the block */
    const ip_block *block;
    const ip_layer *layer;
    const ip_segment *segments;
    size_t segment_count, rows;
    size_t *bad_row;
    ip_error *error;
} ip_tile_work;

ip_status ip_tile_not_finite(const ip_tile_work *w, size_t row);

/* `count` vectors of norm->n values per row, rows `stride` apart, from x to y (which may be x). A norm of kind NONE does
 * nothing. */
ip_status ip_tile_normalise(const ip_tile_work *w, const ip_norm *norm, size_t count, float *y, size_t y_stride,
                            const float *x, size_t x_stride);

/* Packs x [rows][inputs], whose rows are `inputs` apart, into memory for products with m. */
ip_status ip_tile_pack(const ip_tile_work *w, ip_act *act, void *memory, const ip_matrix *m, const float *x,
                       size_t inputs);
/* Packs x for each of `count` matrices, once per arithmetic: acts[j] is the input of matrices[j]. At most two
 * arithmetics occur: integers, and floats where a type has no codes. */
ip_status ip_tile_pack_all(const ip_tile_work *w, ip_act *acts, const ip_matrix *const *matrices, size_t count,
                           const float *x, size_t inputs);
/* Panels of a product with its bias: y has `stride` floats per row and begins at the first of these outputs. */
void ip_tile_multiply(const ip_tile_work *w, float *y, size_t stride, const ip_matrix *m, const ip_weight *weight,
                      size_t panel, size_t panels, const ip_act *act);
/* The whole product, rows up16(outputs) apart. */
void ip_tile_product(const ip_tile_work *w, float *y, const ip_matrix *m, const ip_weight *weight, const ip_act *act);

/* What a branch gives, rows up16(width) apart and overwritten, through its norm and scale, added to h. */
ip_status ip_tile_add(const ip_tile_work *w, const ip_norm *norm, float scale, float *branch, float *h);

/* M of x [rows][width] to out, rows up16(width) apart. x is not needed afterwards where it is the bench's norm. */
ip_status ip_tile_mlp(const ip_tile_work *w, const float *x, float *out);
/* The per-layer input of the block, added to h. */
ip_status ip_tile_side(const ip_tile_work *w, float *h);

/* ---- forward_turns.c ---- */

/* Lays tables over memory (NULL: only measures). Returns the bytes they take. */
size_t ip_turns_lay(ip_forward *f, char *memory, const ip_plan *plan, const ip_tiling *tiling);
/* Fills them. */
ip_status ip_turns_fill(ip_forward *f, ip_pool *pool, ip_error *error);
/* Floats of bench->turn. */
size_t ip_turns_scratch(const ip_plan *plan);
/* Rotates x [rows][heads * head] (rows up16 apart) in place. */
void ip_turns_rotate(const ip_tile_work *w, float *x, size_t heads);
/* Multiplies queries by their temperatures. */
void ip_turns_warm(const ip_tile_work *w, float *q);

/* Rows of the embedding, one per id, as block 0 reads them but for positions and norm. */
ip_status ip_forward_rows(const ip_forward *f, const int32_t *ids, size_t rows, float *h, ip_error *error);

#endif

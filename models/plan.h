/* The plan of a model: data that the forward pass interprets. A family (models/families/) reads a file's metadata and
 * tensors into this; core/ runs it and knows no family. */
#ifndef IP_MODELS_PLAN_H
#define IP_MODELS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/tensor.h"

typedef enum ip_norm_kind { IP_NORM_RMS } ip_norm_kind;      /* y = w * x / sqrt(mean(x^2) + eps) */
typedef enum ip_block_shape { IP_BLOCK_PRE } ip_block_shape; /* x += A(N1 x); x += M(N2 x) */
typedef enum ip_mlp_kind { IP_MLP_GATED_SILU } ip_mlp_kind;  /* down(silu(gate x) * (up x)) */

/* A norm: its gain as floats (n of them), owned by the model. */
typedef struct ip_norm {
    const float *gain;
    size_t n;
} ip_norm;

/* A matrix of the file, [outputs, inputs], with an optional bias, and how its rows are to be taken. Its rows begin at
 * row0 of the tensor (fused matrices hold several one after the other). When unpermute > 0, the first `rotary` rows of
 * each head of `unpermute` rows stand in the file with rotary pairs side by side, and we rotate halves: output
 * h * unpermute + s * rotary / 2 + j (s in {0, 1}, j < rotary / 2) is row h * unpermute + 2 * j + s of the matrix. */
typedef struct ip_weight {
    const ip_tensor *tensor; /* NULL: this matrix does not exist */
    const float *bias;       /* NULL or outputs floats, in our row order */
    size_t outputs, inputs;
    size_t row0;
    size_t unpermute, rotary;
} ip_weight;

/* Row of output i in the tensor. */
static inline size_t ip_weight_row(const ip_weight *w, size_t i) {
    if (w->unpermute == 0) return w->row0 + i;
    size_t head = i / w->unpermute, r = i % w->unpermute, half = w->rotary / 2;
    if (r < w->rotary) r = 2 * (r % half) + r / half;
    return w->row0 + head * w->unpermute + r;
}

/* One decoder block. */
typedef struct ip_block {
    ip_norm attention_norm, mlp_norm;
    ip_weight q, k, v, o;
    ip_weight gate, up, down;
    size_t heads, kv_heads;
    size_t window; /* keys a query sees, itself counted; 0: all before it */
    bool rotate;   /* false: no rotary position in this block */
} ip_block;

/* The whole model. */
typedef struct ip_plan {
    ip_norm_kind norm;
    ip_block_shape shape;
    ip_mlp_kind mlp;
    size_t vocabulary, width, layers, head; /* head: width of one attention head */
    size_t context_length;                  /* positions the model was trained for */
    float norm_eps;
    float attention_scale;          /* usually 1 / sqrt(head) */
    float embedding_scale;          /* 1 for most */
    size_t rotary;                  /* rotated dimensions of a head, even; 0: none */
    const float *inverse_frequency; /* rotary / 2 floats, angle = (float)position * inverse_frequency[j] */
    float rotary_magnitude;         /* factor on cos and sin (yarn), else 1 */
    const ip_tensor *embedding;     /* [vocabulary, width] */
    ip_weight head_weight;          /* [vocabulary, width]; the embedding when tied; tensor NULL: none */
    ip_norm final_norm;
    const ip_block *blocks; /* layers of them */
    uint64_t parameters;    /* elements of all tensors of the file (a tied head counts once) */
} ip_plan;

#endif

/* The plan of a model: data that the forward pass interprets. A family (models/families/) says how a checkpoint's
 * hyper-parameters and tensors become this; core/ runs it and knows no family.
 *
 * A block, N the norms that exist (a norm of kind NONE leaves its input alone), A attention, M the MLP, s branch_scale:
 *
 *   x += s * Nao(A(Na x));  x += s * Nmo(M(Nm x))                   one after the other, or
 *   x += s * Nao(A(Na x)) + s * Nmo(M(Nm x))                        parallel: both read the same x
 *   x += Npo(Po(act(Pg x) * u));  x *= output_scale                 where the block has them
 */
#ifndef IP_MODELS_PLAN_H
#define IP_MODELS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/kernels.h"
#include "models/tensor.h"

typedef enum ip_norm_kind {
    IP_NORM_NONE,
    IP_NORM_RMS,  /* y = gain * x / sqrt(mean(x^2) + eps) */
    IP_NORM_LAYER /* y = gain * (x - mean) / sqrt(variance + eps) + bias */
} ip_norm_kind;

/* A norm over n values. Gains are floats owned by the model, [rows][n]: vector i of several (heads) takes row i modulo
 * rows. */
typedef struct ip_norm {
    ip_norm_kind kind;
    const float *gain;
    const float *bias; /* NULL: none */
    size_t n, rows;
} ip_norm;

/* Factors of a matrix that stands in the file as F8 codes: value (o, i) is code * values[o / out_block * columns +
 * i / in_block]. */
typedef struct ip_scales {
    const float *values;
    size_t out_block, in_block, columns;
} ip_scales;

/* A matrix of the checkpoint, [outputs, inputs], with an optional bias, and how its rows are to be taken.
 *
 *   - Rows begin at row0 of the tensor, `chunk` of them side by side, a chunk every `chunk_step` rows: fused matrices
 *     hold several one after the other, or head by head (chunk 0: all side by side).
 *   - unpermute > 0: the first `rotary` rows of each head of `unpermute` rows stand with rotary pairs side by side, and
 *     we rotate halves: output h * unpermute + s * rotary / 2 + j (s in {0, 1}, j < rotary / 2) is row
 *     h * unpermute + 2 * j + s.
 *   - transposed: the tensor is [inputs, outputs]; what is said of rows above holds for its columns, and its inputs
 *     begin at row input0. */
typedef struct ip_weight {
    const ip_tensor *tensor; /* NULL: this matrix does not exist */
    const float *bias;       /* NULL or outputs floats, in our row order */
    size_t outputs, inputs;
    size_t row0, chunk, chunk_step;
    size_t unpermute, rotary;
    bool transposed;
    size_t input0;
    const ip_scales *scales; /* NULL: none */
    bool as_stored;          /* never requantised: routers, as in the files of ggml's tools */
} ip_weight;

/* Row (or column) of output i in the tensor. */
static inline size_t ip_weight_row(const ip_weight *w, size_t i) {
    if (w->unpermute > 0) {
        size_t r = i % w->unpermute, half = w->rotary / 2;
        if (r < w->rotary) i += 2 * (r % half) + r / half - r;
    }
    return w->row0 + (w->chunk > 0 ? i / w->chunk * w->chunk_step + i % w->chunk : i);
}

/* Outputs first .. first + count - 1 of a matrix as floats, `stride` apart. */
void ip_weight_read(const ip_weight *w, size_t first, size_t count, float *out, size_t stride);

/* One kind of rotary positions. Angle of pair j at position p: (float)p * inverse[j]. */
typedef struct ip_rope {
    size_t rotary;        /* rotated dimensions of a head, even */
    const float *inverse; /* rotary / 2 floats */
    float magnitude;      /* factor on cos and sin (yarn, longrope), else 1 */
    /* longrope: documents of more than `original` tokens take these. NULL: none. */
    const float *long_inverse;
    /* dynamic: documents of more than `original` tokens take a larger base. factor 0: none. */
    double base, factor;
    size_t original;
    /* Queries grow by 1 + temperature * ln(1 + floor(p / temperature_from)). 0: they do not. */
    double temperature;
    size_t temperature_from;
} ip_rope;

/* The frequencies of a dynamic rope for a document of `length` > original tokens. */
void ip_rope_stretch(const ip_rope *rope, size_t length, float *inverse);

/* Mixture of experts: each row takes `used` of `count` experts, those of the largest router logits. */
typedef struct ip_experts {
    size_t count, used;                /* count 0: none */
    bool among_chosen;                 /* weights are a softmax over the chosen logits; false: over all of them, and */
    bool normalise;                    /* then divided by the sum of the chosen */
    ip_weight router;                  /* [count, width] */
    const ip_weight *gate, *up, *down; /* count of each */
} ip_experts;

/* Per-layer inputs (Gemma 4): u = (rms(model x0 * model_scale) + table_scale * table[token]) * mix, of `width` values for
 * this block; x0 is what block 0 reads. width 0: none. */
typedef struct ip_side_input {
    size_t width;
    ip_weight model, gate, out; /* [width, d], [width, d], [d, width] */
    ip_norm norm, out_norm;
    const ip_tensor *table; /* [vocabulary, layers * width] */
    size_t column;          /* first column of this block in the table */
    float model_scale, table_scale, mix;
} ip_side_input;

enum { IP_NO_ROPE = -1 };

/* One decoder block. */
typedef struct ip_block {
    bool parallel;
    ip_norm attention_norm, attention_out_norm, mlp_norm, mlp_out_norm;
    ip_weight q, k, v, o;
    ip_norm q_norm, k_norm, v_norm; /* over heads, or over all of them together */
    bool norm_rotated;              /* q and k are normed after the rotation, not before */
    float clip;                     /* q, k, v are held within -clip .. clip; 0: not */
    size_t heads, kv_heads, head;   /* head: width of one */
    float attention_scale, softcap; /* softcap 0: none */
    const float *sinks;             /* per head, a logit that only adds to the denominator; NULL: none */
    const float *slopes;            /* ALiBi, per head; NULL: none */
    size_t window;                  /* keys a query sees, itself counted; 0: all before it */
    int rope;                       /* index into plan.ropes, or IP_NO_ROPE */
    size_t kv_from;                 /* block whose keys and values this one reads: itself for most */
    ip_weight gate, up, down;       /* gate absent: down(act(up x)); all absent: experts only */
    ip_experts experts;             /* beside them the MLP above is a shared expert, and */
    ip_weight shared_gate;          /* [1, width] its weight is the sigmoid of this */
    float xielu[4];                 /* alpha_p, alpha_n (after softplus, beta added), beta, eps */
    float branch_scale, output_scale;
    ip_side_input side;
} ip_block;

/* The whole model. */
typedef struct ip_plan {
    ip_activation activation;
    size_t vocabulary, width, layers;
    size_t context_length; /* positions the model was trained for */
    float norm_eps;
    float embedding_scale; /* 1 for most */
    bool slopes_bf16;      /* ALiBi: slope and slope * position are rounded to bf16 and scaled with the score */
    const ip_rope *ropes;  /* rope_count of them */
    size_t rope_count;
    const ip_tensor *embedding; /* [vocabulary, width] */
    const ip_tensor *positions; /* learned positions [*, width], added to the embedding; NULL: none */
    size_t position0;           /* row of position 0 */
    ip_norm embedding_norm;
    ip_weight head_weight; /* [vocabulary, width]; the embedding when tied; tensor NULL: none */
    float logit_scale;     /* 1 for most */
    float logit_softcap;   /* 0: none */
    ip_norm final_norm;
    const ip_block *blocks; /* layers of them */
    uint64_t parameters;    /* elements of all tensors of the file (a tied head counts once) */
} ip_plan;

/* The matrices of a block, all that exist, in the order in which they are packed: calls take(context, weight). */
void ip_block_each(const ip_block *block, void (*take)(void *context, const ip_weight *weight), void *context);

#endif

/* Inside this room: making a plan of a checkpoint. Every helper reports its own error, naming file and key or tensor, so
 * that callers only pass statuses on. What nobody claims is refused at the end.
 *
 *   build_keys.c     hyper-parameters with ranges
 *   build_tensors.c  tensors with exact shapes
 *   build_shape.c    the hyper-parameters that all families share
 *   build_blocks.c   the plan from both
 *   rope*.c          rotary positions */
#ifndef IP_MODELS_BUILD_H
#define IP_MODELS_BUILD_H

#include <math.h>

#include "models/checkpoint.h"
#include "models/family.h"

/* What differs from layer to layer. */
typedef struct ip_layer_shape {
    uint64_t heads, kv_heads, head, hidden;
    bool sliding;        /* the window applies */
    int rope;            /* index into the ropes, or IP_NO_ROPE */
    double scale;        /* of attention; 0: 1 / sqrt(head) */
    bool sparse;         /* experts stand in place of the MLP */
    bool values_of_keys; /* there is no v matrix: k serves as v */
    size_t kv_from;
} ip_layer_shape;

enum { IP_ROPES = 2 };

struct ip_build {
    ip_checkpoint *file;
    const char *path; /* of the file that has the hyper-parameters, for messages */
    const ip_family *family;
    ip_traits traits;      /* the family's, adjusted by what the checkpoint says */
    char architecture[64]; /* prefix of a GGUF file's keys */
    char prefix[64];       /* of a folder's tensors */
    const ip_name *names;  /* the family's for this kind of checkpoint; configure may choose others */
    const ip_node *config; /* of a folder: where hyper-parameters are looked for; NULL for GGUF files */
    ip_error *error;
    bool *claimed; /* per tensor */
    uint64_t window;
    uint64_t expert_hidden, shared_hidden; /* widths; 0: no shared expert */
    ip_layer_shape *shapes;                /* per layer */
    ip_plan plan;
    ip_block *blocks; /* plan.blocks, ropes and so on while they are being filled */
    ip_rope ropes[IP_ROPES];
    const ip_scales *scales; /* of the tensor claimed last, if it is scaled */
    void **owned;            /* memory of the plan; the model frees it */
    size_t owned_count;
};

/* Zeroed memory that lives as long as the model; NULL, with the error set, when there is none. */
void *ip_build_alloc(ip_build *b, size_t count, size_t size);

/* ---- hyper-parameters: `gguf` is what stands behind "<architecture>.", `folder` the key of config.json or several,
 * separated by |, the first of which that is there counts. NULL: this kind of checkpoint has no such key, and the fallback
 * holds. null in config.json is absent. ---- */

#define IP_REQUIRED       UINT64_MAX  /* as a fallback: the key has to be there */
#define IP_REQUIRED_FLOAT (-INFINITY) /* the same for floats */

typedef struct ip_key {
    char text[128];
} ip_key;
/* The full key of a GGUF file. */
ip_key ip_build_key(const ip_build *b, const char *gguf);
/* Whether the checkpoint has it. */
bool ip_build_has(const ip_build *b, const char *gguf, const char *folder);
/* The value in config.json, NULL if absent; *key (if not NULL) is then its name. */
const ip_node *ip_build_node(const ip_build *b, const char *folder, ip_key *key);
/* "<path>: key '<key>' <text>". gguf or folder by the kind of checkpoint. */
ip_status ip_build_bad(ip_build *b, const char *gguf, const char *folder, const char *text);

/* An integer from least to most. */
ip_status ip_build_uint(ip_build *b, const char *gguf, const char *folder, uint64_t least, uint64_t most,
                        uint64_t fallback, uint64_t *out);
/* A finite float. */
ip_status ip_build_float(ip_build *b, const char *gguf, const char *folder, double fallback, double *out);
ip_status ip_build_bool(ip_build *b, const char *gguf, const char *folder, bool fallback, bool *out);
/* One integer for all layers or an array with one per layer: take(b, layer, value). */
ip_status ip_build_layers_uint(ip_build *b, const char *gguf, const char *folder, uint64_t least, uint64_t most,
                               uint64_t fallback, void (*take)(ip_layer_shape *shape, uint64_t value));
/* Refuses a GGUF file if the key is there with a value that is neither 0 nor neutral: it would change the computation in
 * a way that this family does not know. */
ip_status ip_build_neutral(ip_build *b, const char *gguf, double neutral);

/* ---- tensors ---- */

typedef struct ip_tensor_name {
    char text[192];
} ip_tensor_name;
/* The name of a role's tensor in this checkpoint, of block or expert where it has one, with a suffix such as ".bias". */
ip_tensor_name ip_build_name(const ip_build *b, ip_role role, size_t block, size_t expert, const char *suffix);
/* Whether it is there. */
bool ip_build_there(const ip_build *b, ip_tensor_name name);
/* Finds the prefix of a folder's names; the embedding has to be there. */
ip_status ip_build_prefix(ip_build *b);

/* Claims a tensor of exactly inputs x outputs x count (outputs 1 for a vector) and of a type that holds weights. *out is
 * NULL if it is absent; unless it is required, that is fine. */
ip_status ip_build_tensor(ip_build *b, ip_tensor_name name, bool required, uint64_t inputs, uint64_t outputs,
                          uint64_t count, const ip_tensor **out);
/* The same for a vector, as finite floats. */
ip_status ip_build_vector(ip_build *b, ip_tensor_name name, bool required, uint64_t n, const float **out);
/* rows gains of n values (and biases) as a norm of the family's main kind; plus_one adds 1 to gains of a folder. */
typedef struct ip_norm_shape {
    ip_norm_kind kind;
    bool bias, plus_one, free;
    uint64_t n, rows;
} ip_norm_shape;
ip_status ip_build_norm(ip_build *b, ip_role role, size_t block, const ip_norm_shape *shape, ip_norm *out);
/* A norm over n values with gain 1. */
ip_status ip_build_plain_norm(ip_build *b, ip_norm_kind kind, uint64_t n, ip_norm *out);

/* How a matrix is taken. bias: of a folder's matrix, whether there is one; GGUF files have what they have. head > 0: rows
 * of each head of `head` rows are put into half-split order, of which `rotary` take part in the rotation. */
typedef struct ip_matrix_shape {
    uint64_t outputs, inputs;
    bool required, bias;
    size_t head, rotary;
} ip_matrix_shape;
ip_status ip_build_matrix(ip_build *b, ip_role role, size_t block, size_t expert, const ip_matrix_shape *shape,
                          ip_weight *out);
/* A tensor of `rows` outputs that holds several matrices, with its bias if it has one; the parts are taken from it. */
typedef struct ip_fused {
    const ip_tensor *tensor;
    const float *bias;
    const ip_scales *scales;
    uint64_t inputs;
    bool transposed;
    uint64_t input0;
} ip_fused;
ip_status ip_build_fused(ip_build *b, ip_role role, size_t block, uint64_t rows, uint64_t inputs, bool bias,
                         ip_fused *out);
/* Outputs of a fused tensor: row0, chunk, chunk_step, unpermute, rotary and outputs stand in *out already. */
ip_status ip_build_part(ip_build *b, const ip_fused *from, ip_weight *out);

/* Refuses tensors that nobody claimed, but for names that are known to mean nothing, and, in folders, for what stands
 * outside the decoder's blocks. */
ip_status ip_build_finish(ip_build *b);

/* ---- steps ---- */

ip_status ip_build_shape(ip_build *b);  /* keys to traits, shapes and sizes of the plan */
void ip_build_place_ropes(ip_build *b); /* which rope each layer has; configure calls it again after a change */
void ip_build_no_windows(ip_build *b);  /* for checkpoints of a family whose window key means nothing */
ip_status ip_build_blocks(ip_build *b); /* tensors to the plan */
ip_status ip_build_experts(ip_build *b, size_t block);

/* ---- rotary positions ---- */

typedef struct ip_rope_keys {
    enum { IP_ROPE_PLAIN, IP_ROPE_LINEAR, IP_ROPE_YARN, IP_ROPE_LLAMA3, IP_ROPE_DYNAMIC, IP_ROPE_PROPORTIONAL } kind;
    double base, factor;
    double original; /* context of the training, in tokens */
    double beta_fast, beta_slow, low, high, magnitude;
    bool untruncated;
    const float *divisors;      /* one per pair, or NULL */
    const float *long_divisors; /* longrope: for documents longer than original */
    double part;                /* proportional: the share of pairs that turn */
} ip_rope_keys;

/* The plan's rope of these numbers. */
ip_status ip_rope_make(ip_build *b, const ip_rope_keys *keys, size_t rotary, ip_rope *out);
double ip_rope_growth(double factor, double k); /* 0.1 k ln factor + 1; 1 if factor <= 1 */

/* Read the ropes of the model (b->ropes, plan.rope_count): the main one and, where sliding layers have their own, that. */
ip_status ip_rope_of_file(ip_build *b);
ip_status ip_rope_of_folder(ip_build *b);

/* ---- what several families read alike (build_relatives.c), for their configure ---- */

/* Granite: factors on the embedding, the branches and the scores; the logits are divided by their number. In GGUF files 0
 * means as usual. */
ip_status ip_build_multipliers(ip_build *b);
/* Gemma 2 and 3: the scale of attention from query_pre_attn_scalar, which GGUF files do not have: there it is the width of
 * a head, but for the largest model, which is known by its number of layers. */
ip_status ip_build_query_scalar(ip_build *b, size_t largest);
/* Qwen's folders: layers that decoder_sparse_step or mlp_only_layers leave without experts. */
ip_status ip_build_dense_layers(ip_build *b);

#endif

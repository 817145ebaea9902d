/* Inside this room: what a family uses to make a plan of a file. A family is one function that reads hyper-parameters,
 * claims tensors with their exact shapes and fills in the plan; every helper below reports its own error, naming file
 * and key or tensor, so that a family only passes statuses on. What no family claims is refused at the end. */
#ifndef IP_MODELS_BUILD_H
#define IP_MODELS_BUILD_H

#include <math.h>

#include "models/gguf.h"
#include "models/plan.h"

typedef struct ip_build {
    const ip_gguf *file;
    const char *path;      /* of the first part, for messages about keys */
    const char *family;    /* its name */
    char architecture[64]; /* prefix of the hyper-parameter keys */
    ip_error *error;
    bool *claimed; /* per tensor of the file */
    ip_plan plan;
    ip_block *blocks; /* plan.blocks while it is being filled */
    void **owned;     /* memory of the plan; the model frees it */
    size_t owned_count;
} ip_build;

/* One per row of families.def. */
#define IP_FAMILY(name, bind) ip_status bind(ip_build *b);
#include "models/families/families.def"
#undef IP_FAMILY

/* Zeroed memory that lives as long as the model; NULL, with the error set, when there is none. */
void *ip_build_alloc(ip_build *b, size_t count, size_t size);

/* ---- hyper-parameters: key is what stands behind "<architecture>." ---- */

#define IP_REQUIRED       UINT64_MAX  /* as a fallback: the key has to be there */
#define IP_REQUIRED_FLOAT (-INFINITY) /* the same for floats */

typedef struct ip_key {
    char text[128];
} ip_key;
ip_key ip_build_key(const ip_build *b, const char *key);

/* An integer from least to most. */
ip_status ip_build_uint(ip_build *b, const char *key, uint64_t least, uint64_t most, uint64_t fallback, uint64_t *out);
/* A finite float. */
ip_status ip_build_float(ip_build *b, const char *key, double fallback, double *out);
ip_status ip_build_bool(ip_build *b, const char *key, bool fallback, bool *out);
/* One integer for all layers or an array with one per layer, into out[layers]. */
ip_status ip_build_layers_uint(ip_build *b, const char *key, uint64_t least, uint64_t most, uint64_t fallback,
                               uint64_t *out);
/* Refuses the file if the key is there with a value that is neither 0 nor neutral: it would change the computation in a
 * way that this family does not know. */
ip_status ip_build_neutral(ip_build *b, const char *key, double neutral);

/* ---- tensors ---- */

/* Claims a tensor of exactly inputs x outputs (outputs 1 for a vector) and of a type that holds weights. *out is NULL
 * if it is absent; unless it is required, that is fine. */
ip_status ip_build_tensor(ip_build *b, const char *name, bool required, uint64_t inputs, uint64_t outputs,
                          const ip_tensor **out);
/* The same for a vector, as finite floats. */
ip_status ip_build_vector(ip_build *b, const char *name, bool required, uint64_t n, const float **out);
/* name.weight of n values as a norm's gain. */
ip_status ip_build_norm(ip_build *b, const char *name, uint64_t n, ip_norm *out);
/* name.weight and, if there is one, name.bias. head > 0: rows of each head of `head` rows are put into half-split
 * order, of which plan.rotary take part in the rotation. */
ip_status ip_build_matrix(ip_build *b, const char *name, bool required, uint64_t outputs, uint64_t inputs, size_t head,
                          ip_weight *out);
/* Queries, keys and values of block i: attn_q, attn_k, attn_v, or all of them in attn_qkv. */
ip_status ip_build_qkv(ip_build *b, size_t i, uint64_t q_rows, uint64_t kv_rows, uint64_t inputs, size_t head);

/* Refuses tensors that nobody claimed, but for a few names that old files carry along. */
ip_status ip_build_finish(ip_build *b);

/* ---- rotary positions (rope.c) ---- */

/* Reads the rope.* keys and rope_freqs.weight and sets the plan's rotary dimensions, frequencies and magnitude, for
 * heads of width plan.head. */
ip_status ip_build_rope(ip_build *b);

#endif

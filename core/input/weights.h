/* Matrices of a model file, requantised if asked for, packed into the panels that this machine multiplies fastest, once per layer and run. */
#ifndef IP_CORE_WEIGHTS_H
#define IP_CORE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/kernels.h"
#include "core/base/pool.h"
#include "core/base/status.h"
#include "models/model.h"

/* The arithmetic that the user asked for. auto: quantised weights in int16, float weights in f32. */
typedef enum ip_compute_name {
    IP_COMPUTE_AUTO,
    IP_COMPUTE_F32,
    IP_COMPUTE_BF16,
    IP_COMPUTE_INT16,
    IP_COMPUTE_INT8
} ip_compute_name;

/* How weights are read and multiplied. With requantise every matrix counts as if the file held it in that type: those
 * that are multiplied and the embedding alike, as in a file that ggml's tools have quantised (and a tied head is the
 * embedding). Vectors (norms, biases) stay what they are, as does a matrix that has the type already. */
typedef struct ip_compute {
    ip_compute_name name;
    const ip_type *requantise; /* of models/quantise.h; NULL: as stored */
} ip_compute;

/* The type that a tensor is read as. */
const ip_type *ip_weight_type(ip_compute compute, const ip_tensor *tensor);

/* The arithmetic in which it is multiplied. */
ip_arith ip_weight_arith(ip_compute compute, const ip_tensor *tensor);

/* One row of a tensor as floats of that type. False when its scales overflow (out is then unspecified): never without
 * requantise. */
bool ip_weight_floats(ip_compute compute, const ip_tensor *tensor, size_t row, float *out);

/* The error of a tensor whose scales overflow: IP_BAD_INPUT, naming file, tensor and type. */
ip_status ip_weight_too_large(ip_compute compute, const ip_model *model, const ip_tensor *tensor, ip_error *error);

/* What holds for one matrix of a plan: those that stay as stored are not requantised. */
ip_compute ip_weight_compute(ip_compute compute, const ip_weight *weight);

/* Packed bytes of `outputs` rows of a weight. */
size_t ip_weight_bytes(const ip_kernels *kernels, ip_compute compute, const ip_weight *weight, size_t outputs);

/* One matrix to be packed: rows first .. first+outputs-1 of weight into memory (64-byte aligned, ip_weight_bytes). */
typedef struct ip_pack {
    const ip_weight *weight;
    size_t first, outputs;
    void *memory;
    ip_matrix *matrix; /* out */
} ip_pack;

/* Packing a set of matrices, cut into tasks that may run in any order, beside other work. */
typedef struct ip_pack_job {
    const ip_pack *packs;
    size_t count;
    size_t checks; /* the first tasks: tensors to be checked for NaN and infinity */
    size_t tasks;  /* in all */
    ip_compute compute;
    const ip_model *model;
    const ip_kernels *kernels;
} ip_pack_job;

/* Lays the matrices over their memory and counts the tasks. Unless trusted, every weight is checked to be finite
 * (IP_BAD_INPUT names file and tensor); the head, packed block by block, is checked by its first block. */
void ip_pack_begin(ip_pack_job *job, const ip_pack *packs, size_t count, bool trusted, const ip_model *model,
                   const ip_kernels *kernels, ip_compute compute);
ip_status ip_pack_task(const ip_pack_job *job, size_t task, ip_error *error);

/* All tasks of a job by all threads. */
ip_status ip_pack_run(const ip_pack_job *job, ip_pool *pool, ip_error *error);

/* Asks the system to read the tensors of these matrices ahead. */
void ip_pack_read_ahead(const ip_weight *const *weights, size_t count);

#endif

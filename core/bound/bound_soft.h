/* Soft encoders of a joint: Blahut-Arimoto (iterative information bottleneck; Tishby, Pereira, Bialek 1999) in the log
 * domain and in double.
 *
 *   q [nx][width]  p(z|x), width = m rounded up to 16, zeros behind m
 *   l [ny][width]  first p(y, z), then log p(y|z)
 *
 * x and y are cut into fixed chunks; every sum goes through its chunk in order and then over the chunks in order, so that
 * the digits do not depend on the threads.
 */
#ifndef IP_CORE_BOUND_SOFT_H
#define IP_CORE_BOUND_SOFT_H

#include "arch/kernels.h"
#include "core/base/pool.h"
#include "core/bound/bound_hard.h"

typedef struct ip_soft_bound {
    const ip_joint *joint;
    const ip_kernels *kernels;
    ip_pool *pool;
    uint32_t m;
    size_t width, chunks; /* chunks of x */
    double *l, *pz, *bias, *shift;
    double *chunk_pz, *chunk_sum; /* [chunks][width], [chunks of x or y, whatever is more] */
    double *scratch;              /* [threads][width] */
    uint32_t *iota;
    double *q; /* of the step at hand */
    double beta;
    uint32_t *labels;
} ip_soft_bound;

ip_status ip_soft_bound_open(ip_soft_bound *out, const ip_joint *joint, uint32_t m, const ip_kernels *kernels,
                             ip_pool *pool, ip_error *error);
void ip_soft_bound_close(ip_soft_bound *s);

/* Doubles of an encoder. */
size_t ip_encoder_size(const ip_joint *joint, uint32_t m);
size_t ip_soft_bound_bytes(const ip_joint *joint, uint32_t m);

/* share on the label, the rest spread evenly. */
void ip_encoder_soften(ip_soft_bound *s, double *q, const uint32_t *labels, double share);

typedef struct ip_descent {
    double functional; /* I(X;Z) - beta I(Y;Z) that the last step stood at; what q gives is no higher */
    double change;     /* by how much the last step lowered it */
    unsigned steps;
} ip_descent;

/* Steps from q, in place, at most so many, until one lowers the functional by less than tolerance. */
ip_descent ip_encoder_descend(ip_soft_bound *s, double *q, double beta, unsigned most, double tolerance);

/* Where q lies, from the definitions, and in how many different codewords it has mass. */
ip_plane_point ip_encoder_evaluate(ip_soft_bound *s, double *q, uint64_t *codewords);

/* The likeliest codeword of every x. */
void ip_encoder_labels(ip_soft_bound *s, double *q, uint32_t *labels);

#endif

/* Which n-grams carry the information: a label's part of I(V;Z) is n_v/N KL(P_v || P_Z), the parts of all labels add up
 * to I. Summed over layers 1..L, divided by their number. */
#ifndef IP_CORE_TOP_H
#define IP_CORE_TOP_H

#include "core/base/pool.h"
#include "core/estimators/soft.h"
#include "core/infoplane.h"
#include "core/ngrams/ngrams.h"

typedef struct ip_top {
    const ip_partition *const *partitions;
    size_t sets, layers; /* layers that were added */
    double
        *parts[2 * IP_ORDERS_MAX]; /* nats per label: those of two or more positions, then the others, as they stand */
} ip_top;

/* The bytes that a token id stands for. */
typedef struct ip_pieces {
    ip_bytes (*piece)(const void *context, int32_t id);
    const void *context;
} ip_pieces;

ip_status ip_top_open(ip_top *out, const ip_partition *const *partitions, size_t sets, ip_error *error);
void ip_top_close(ip_top *top);
size_t ip_top_bytes(size_t positions, size_t sets);

/* Adds the parts that a layer's labels have. */
ip_status ip_top_add(ip_top *top, const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool, ip_error *error);
/* Together, after the last layer: every rank has worked on its share of the labels; all get all. */
ip_status ip_top_gather(ip_top *top, const ip_ranks *ranks, ip_error *error);

/* The `count` largest per set into run->top_x (sets 0 .. orders-1) and run->top_y, equal ones in the order of labels. */
ip_status ip_top_list(ip_run *run, const ip_top *top, unsigned count, const ip_corpus *corpus,
                      const uint64_t *position_base, const ip_label_rule *rule, const ip_pieces *pieces,
                      ip_error *error);

#endif

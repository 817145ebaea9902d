/* A partition of the counted positions by one label: what an estimate of I(V;Z) needs of a label set.
 *
 * order holds all positions: first those of labels that occur at least twice, label after label, positions rising, label
 * g at order[start[g] .. start[g+1]); behind them, from start[groups] on, the positions whose label occurs once. A label
 * that occurs once needs no sum: its conditional entropy is that of its one position.
 */
#ifndef IP_CORE_PARTITION_H
#define IP_CORE_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_partition {
    uint32_t *order; /* positions of them */
    uint32_t *start; /* groups + 1 of them */
    size_t positions, groups;
    uint64_t labels; /* distinct labels, singletons included */
} ip_partition;

/* Memory for so many positions, order and start not yet filled. */
ip_status ip_partition_open(ip_partition *out, size_t positions, ip_error *error);

/* From a label per position, labels < label_bound (dense enough to count by). */
ip_status ip_partition_build(ip_partition *out, const uint32_t *labels, size_t positions, size_t label_bound,
                             ip_error *error);

/* From arbitrary 64-bit labels. */
ip_status ip_partition_from_values(ip_partition *out, const int64_t *values, size_t positions, ip_error *error);

/* One label for all positions: its conditional entropy is H(Z). */
ip_status ip_partition_whole(ip_partition *out, size_t positions, ip_error *error);

void ip_partition_free(ip_partition *partition);

/* Bytes that a partition of so many positions can take at most. */
size_t ip_partition_bytes(size_t positions);

#endif

/* Anybody's vectors, from files or memory: what they must be, and a row of them as floats. */
#ifndef IP_CORE_VECTORS_H
#define IP_CORE_VECTORS_H

#include "core/base/npy.h"

/* Floats of shape [rows, width], both at least 1. */
ip_status ip_vectors_check(const ip_npy *vectors, ip_error *error);

/* Integers, one for each of rows vectors. */
ip_status ip_labels_check(const ip_npy *labels, uint64_t rows, ip_error *error);

/* A row as floats; wide has room for width doubles. Doubles may lie outside of float's range; only the direction counts,
 * so each row is first scaled by the power of two that brings its largest element near 1 (exact). */
void ip_vectors_row(const ip_npy *vectors, uint64_t row, float *out, double *wide);

/* The line for a row that ip_anchors_assign refused. */
ip_status ip_vectors_bad_row(const ip_npy *vectors, uint64_t row, int kind, ip_error *error);

#endif

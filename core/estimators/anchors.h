/* The anchors of the soft assignment, and assigning rows to them. */
#ifndef IP_CORE_ANCHORS_H
#define IP_CORE_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/kernels.h"
#include "core/base/status.h"
#include "core/estimators/temperature.h"
#include "core/input/arrays.h"

typedef struct ip_anchors {
    size_t m, d;
    double temperature;
    ip_matrix matrix; /* f32 panels of the anchors */
    void *memory;
    size_t bytes;
    char fingerprint[33]; /* of the anchors' file; empty when they are drawn from the seed */
} ip_anchors;

/* m anchors of width d drawn from seed (independent normal rows divided by their norms), or the rows of an .npy file
 * [m, d] of floats as they stand (m is then the file's). IP_USAGE when the calibration is undefined at this width. */
ip_status ip_anchors_make(ip_anchors *out, size_t d, size_t m, uint64_t seed, const char *file,
                          ip_calibration calibration, const ip_kernels *kernels, ip_error *error);
/* The same, where the rows may be an array in memory; rows NULL: drawn from seed. */
ip_status ip_anchors_make_from(ip_anchors *out, size_t d, size_t m, uint64_t seed, const ip_input *rows,
                               ip_calibration calibration, const ip_kernels *kernels, ip_error *error);
/* How many anchors there will be: those of the file, or m without one. */
ip_status ip_anchors_count(size_t *count, const char *file, size_t d, size_t m, ip_error *error);
void ip_anchors_free(ip_anchors *anchors);

/* m floats rows [m][d] drawn from seed, as ip_anchors_make uses them. */
void ip_anchors_draw(float *rows, size_t d, size_t m, uint64_t seed, double *work);

/* Room that ip_anchors_assign needs for so many rows. */
size_t ip_assign_bytes(const ip_kernels *kernels, const ip_anchors *anchors, size_t rows);

/* Soft assignments of rows (stride d floats) to p [rows][m rounded up to 16] (room for rows rounded up to a multiple of
 * 16). A zero or non-finite row fails with *bad_row its index and *bad_kind 1 (zero) or 2 (not finite): returns false. */
bool ip_anchors_assign(const ip_anchors *anchors, const ip_kernels *kernels, const float *rows, size_t count, float *p,
                       void *work, size_t *bad_row, int *bad_kind);

/* The anchor of the largest score of each row (of equals the first); dots has the room that p has there. */
bool ip_anchors_nearest(const ip_anchors *anchors, const ip_kernels *kernels, const float *rows, size_t count,
                        uint32_t *nearest, float *dots, void *work, size_t *bad_row, int *bad_kind);

#endif

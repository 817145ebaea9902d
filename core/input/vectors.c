/* Checks and reading of vectors and labels that come from outside. */
#include "core/input/vectors.h"

#include <math.h>

void ip_vectors_row(const ip_npy *vectors, uint64_t row, float *out, double *wide) {
    size_t d = (size_t)vectors->shape[1];
    if (vectors->size < 8) {
        ip_npy_row_f32(vectors, row, out);
        return;
    }
    ip_npy_row_f64(vectors, row, wide);
    double largest = 0.0;
    bool finite = true;
    for (size_t i = 0; i < d; i++) {
        finite = finite && isfinite(wide[i]);
        largest = fabs(wide[i]) > largest ? fabs(wide[i]) : largest;
    }
    int exponent = 0;
    if (finite && largest > 0.0) frexp(largest, &exponent);
    for (size_t i = 0; i < d; i++) out[i] = (float)ldexp(wide[i], -exponent);
}

ip_status ip_vectors_check(const ip_npy *v, ip_error *error) {
    if (v->kind != 'f')
        return ip_fail(error, IP_BAD_INPUT, "%s: vectors of dtype %c%u: floats (f2, f4, f8) are needed", v->path,
                       v->kind, v->size);
    if (v->dims != 2)
        return ip_fail(error, IP_BAD_INPUT, "%s: vectors must have shape [rows, width], not %u dimension(s)", v->path,
                       v->dims);
    if (v->shape[0] == 0) return ip_fail(error, IP_BAD_INPUT, "%s: shape says 0 rows: empty", v->path);
    if (v->shape[1] == 0) return ip_fail(error, IP_BAD_INPUT, "%s: shape says width 0 (no columns)", v->path);
    if (v->shape[0] >= UINT32_MAX) return ip_fail(error, IP_BAD_INPUT, "%s: more than 2^32 - 2 rows", v->path);
    return IP_OK;
}

ip_status ip_labels_check(const ip_npy *labels, uint64_t rows, ip_error *error) {
    if (labels->kind == 'f')
        return ip_fail(error, IP_BAD_INPUT, "%s: labels of dtype f%u: integers are needed", labels->path, labels->size);
    if (labels->dims != 1)
        return ip_fail(error, IP_BAD_INPUT, "%s: labels must have one dimension, the shape has %u", labels->path,
                       labels->dims);
    if (labels->shape[0] != rows)
        return ip_fail(error, IP_BAD_INPUT, "%s: %llu labels for %llu rows of vectors", labels->path,
                       (unsigned long long)labels->shape[0], (unsigned long long)rows);
    return IP_OK;
}

ip_status ip_vectors_bad_row(const ip_npy *vectors, uint64_t row, int kind, ip_error *error) {
    return ip_fail(error, IP_BAD_INPUT, "%s: row %llu %s", vectors->path, (unsigned long long)row,
                   kind == 1 ? "is all zero: it has no direction" : "holds NaN or infinity: it must be finite");
}

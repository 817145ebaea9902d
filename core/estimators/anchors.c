/* Anchors from the counter-based generator or from a file; unit vectors, scores, softmax. */
#include "core/estimators/anchors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/base/npy.h"
#include "core/numbers/philox.h"

void ip_anchors_draw(float *rows, size_t d, size_t m, uint64_t seed, double *work) {
    for (size_t row = 0; row < m; row++) {
        ip_philox_normals(work, d, seed, (uint32_t)row, IP_DRAW_ANCHORS);
        double norm2 = 0.0;
        for (size_t i = 0; i < d; i++) norm2 += work[i] * work[i];
        double norm = sqrt(norm2);
        for (size_t i = 0; i < d; i++) rows[row * d + i] = (float)(work[i] / norm);
    }
}

/* Rows of a file or an array as floats, malloc'ed; *m is their number. */
static ip_status read_rows(float **rows, size_t d, size_t *m, const ip_input *input, char fingerprint[33],
                           ip_error *error) {
    const char *file = ip_input_name(input);
    ip_npy npy;
    ip_status status = ip_input_open(&npy, input, error);
    if (status != IP_OK) return status;
    if (npy.kind != 'f' || npy.dims != 2) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: anchors must be floats of shape [anchors, width]", file);
    } else if (npy.shape[1] != d) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: anchors of width %llu, the states have width %zu", file,
                         (unsigned long long)npy.shape[1], d);
    } else if (npy.shape[0] < 2 || npy.shape[0] > 65536) {
        status = ip_fail(error, IP_BAD_INPUT, "%s: %llu anchors; 2 to 65536 can be used", file,
                         (unsigned long long)npy.shape[0]);
    }
    if (status == IP_OK) {
        *m = (size_t)npy.shape[0];
        *rows = malloc(*m * d * sizeof **rows);
        if (!*rows) status = ip_fail(error, IP_FAILED, "%s: out of memory", file);
    }
    for (size_t row = 0; status == IP_OK && row < *m; row++) {
        ip_npy_row_f32(&npy, row, *rows + row * d);
        for (size_t i = 0; i < d; i++) {
            if (!isfinite((*rows)[row * d + i])) {
                status = ip_fail(error, IP_BAD_INPUT, "%s: row %zu holds a value that is not finite", file, row);
                break;
            }
        }
    }
    const bool mapped = npy.map.size > 0;
    if (status == IP_OK)
        ip_hash128(mapped ? npy.map.data : npy.data, mapped ? npy.map.size : (size_t)npy.count * npy.size, fingerprint);
    ip_npy_close(&npy);
    return status;
}

ip_status ip_anchors_make(ip_anchors *out, size_t d, size_t m, uint64_t seed, const char *file,
                          ip_calibration calibration, const ip_kernels *kernels, ip_error *error) {
    const ip_input input = {.path = file};
    return ip_anchors_make_from(out, d, m, seed, file ? &input : NULL, calibration, kernels, error);
}

ip_status ip_anchors_make_from(ip_anchors *out, size_t d, size_t m, uint64_t seed, const ip_input *input,
                               ip_calibration calibration, const ip_kernels *kernels, ip_error *error) {
    memset(out, 0, sizeof *out);
    if (calibration == IP_VMF_BOUND && d <= 3)
        return ip_fail(error, IP_USAGE, "--calibration vmf-bound is of no use at width %zu: take vmf-exact", d);
    if (d < 2) return ip_fail(error, IP_USAGE, "vectors of width %zu have no direction to assign: 2 is the least", d);
    float *rows = NULL;
    ip_status status = IP_OK;
    if (input) {
        status = read_rows(&rows, d, &m, input, out->fingerprint, error);
    } else {
        rows = malloc(m * d * sizeof *rows);
        double *work = malloc(d * sizeof *work);
        if (rows && work) {
            ip_anchors_draw(rows, d, m, seed, work);
        } else {
            status = ip_fail(error, IP_FAILED, "out of memory for %zu anchors", m);
        }
        free(work);
    }
    if (status == IP_OK) {
        out->m = m;
        out->d = d;
        out->temperature = ip_temperature(calibration, d, m);
        out->bytes = ip_matrix_bytes(kernels, IP_ARITH_F32, m, d, IP_GROUP, false);
        out->memory = ip_big_alloc(out->bytes);
        if (!out->memory) status = ip_fail(error, IP_FAILED, "out of memory for %zu anchors", m);
    }
    if (status == IP_OK) {
        ip_matrix_layout(&out->matrix, out->memory, kernels, IP_ARITH_F32, m, d, IP_GROUP, false);
        for (size_t panel = 0; panel * IP_LANES < m; panel++) {
            size_t left = m - panel * IP_LANES;
            kernels->pack_f32((float *)(void *)(out->matrix.codes + panel * out->matrix.panel_bytes),
                              rows + panel * IP_LANES * d, d, left < IP_LANES ? left : IP_LANES, d);
        }
    }
    free(rows);
    return status;
}

ip_status ip_anchors_count(size_t *count, const char *file, size_t d, size_t m, ip_error *error) {
    *count = m;
    if (!file) return IP_OK;
    ip_npy npy;
    ip_status status = ip_npy_open(&npy, file, error);
    if (status != IP_OK) return status;
    if (npy.kind != 'f' || npy.dims != 2 || npy.shape[1] != d)
        status = ip_fail(error, IP_BAD_INPUT, "%s: anchors must be floats of shape [anchors, %zu]", file, d);
    *count = (size_t)npy.shape[0];
    ip_npy_close(&npy);
    return status;
}

void ip_anchors_free(ip_anchors *anchors) {
    ip_big_free(anchors->memory, anchors->bytes);
    memset(anchors, 0, sizeof *anchors);
}

static size_t round64(size_t n) { return (n + 63) & ~(size_t)63; }

size_t ip_assign_bytes(const ip_kernels *kernels, const ip_anchors *anchors, size_t rows) {
    return round64(rows * anchors->d * sizeof(float)) + ip_act_bytes(kernels, IP_ARITH_F32, rows, anchors->d);
}

/* Scores of rows before the temperature, to dots [count][m rounded up to 16]. */
static bool score(const ip_anchors *anchors, const ip_kernels *kernels, const float *rows, size_t count, float *dots,
                  void *work, size_t *bad_row, int *bad_kind) {
    size_t d = anchors->d, stride = (anchors->m + IP_LANES - 1) / IP_LANES * IP_LANES;
    float *units = work;
    for (size_t i = 0; i < count; i++) {
        int kind = kernels->unit(units + i * d, rows + i * d, d);
        if (kind != 0) {
            *bad_row = i;
            *bad_kind = kind;
            return false;
        }
    }
    ip_act act;
    ip_act_layout(&act, (char *)work + round64(count * d * sizeof(float)), kernels, IP_ARITH_F32, count, d);
    kernels->act_f32(&act, units, d, 0, d);
    kernels->gemm_f32(dots, stride, &anchors->matrix, 0, stride / IP_LANES, &act);
    return true;
}

bool ip_anchors_assign(const ip_anchors *anchors, const ip_kernels *kernels, const float *rows, size_t count, float *p,
                       void *work, size_t *bad_row, int *bad_kind) {
    size_t stride = (anchors->m + IP_LANES - 1) / IP_LANES * IP_LANES;
    if (!score(anchors, kernels, rows, count, p, work, bad_row, bad_kind)) return false;
    float inverse = (float)(1.0 / anchors->temperature);
    for (size_t i = 0; i < count; i++) kernels->soft_assign(p + i * stride, p + i * stride, anchors->m, inverse);
    return true;
}

bool ip_anchors_nearest(const ip_anchors *anchors, const ip_kernels *kernels, const float *rows, size_t count,
                        uint32_t *nearest, float *dots, void *work, size_t *bad_row, int *bad_kind) {
    size_t stride = (anchors->m + IP_LANES - 1) / IP_LANES * IP_LANES;
    if (!score(anchors, kernels, rows, count, dots, work, bad_row, bad_kind)) return false;
    for (size_t i = 0; i < count; i++, dots += stride) {
        uint32_t best = 0;
        for (uint32_t j = 1; j < anchors->m; j++) best = dots[j] > dots[best] ? j : best;
        nearest[i] = best;
    }
    return true;
}

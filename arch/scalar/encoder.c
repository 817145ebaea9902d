/* The steps of Blahut-Arimoto in double: the scalar law in plain loops. */
#include <math.h>
#include <stddef.h>

#include "arch/scalar/scalar.h"
#include "arch/vmath.h"

void ip_mix_f64_scalar(double *out, const double *rows, size_t width, const uint32_t *index, const double *weights,
                       size_t n) {
    for (size_t j = 0; j < width; j++) out[j] = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *row = rows + (size_t)index[i] * width;
        for (size_t j = 0; j < width; j++) out[j] = fma(weights[i], row[j], out[j]);
    }
}

void ip_log_f64_scalar(double *y, const double *x, const double *shift, size_t n) {
    for (size_t j = 0; j < n; j++) y[j] = vm_log_f64(x[j] > 1e-300 ? x[j] : 1e-300) - shift[j];
}

double ip_encode_f64_scalar(double *q, const double *bias, double factor, size_t n) {
    double top[IP_LANES], s[IP_LANES] = {0};
    for (size_t i = 0; i < IP_LANES; i++) top[i] = -INFINITY;
    for (size_t j = 0; j < n; j++) {
        q[j] = fma(factor, q[j], bias[j]);
        top[j % IP_LANES] = top[j % IP_LANES] > q[j] ? top[j % IP_LANES] : q[j];
    }
    for (size_t half = IP_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) top[i] = top[i] > top[i + half] ? top[i] : top[i + half];
    }
    for (size_t j = 0; j < n; j++) {
        q[j] = vm_exp_f64(q[j] - top[0]);
        s[j % IP_LANES] = s[j % IP_LANES] + q[j];
    }
    for (size_t half = IP_LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] = s[i] + s[i + half];
    }
    for (size_t j = 0; j < n; j++) q[j] = q[j] / s[0];
    return top[0] + vm_log_f64(s[0]);
}

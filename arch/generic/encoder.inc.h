/* The steps of Blahut-Arimoto in double: rows mixed, logs, an encoder's row. Rows are multiples of 16 long. */

enum { MIX_AHEAD = 6 }; /* rows lie anywhere: ask for them some steps ahead of their turn */

/* Two vectors of the row at a time stay in registers through all rows. */
IP_INLINE void mix_columns(double *out, const double *rows, size_t width, const uint32_t *index, const double *weights,
                           size_t n, bool two) {
    v16d a = vd_set(0.0), b = a;
    for (size_t i = 0; i < n; i++) {
        const double *row = rows + (size_t)index[i] * width;
        if (i + MIX_AHEAD < n) {
            const double *ahead = rows + (size_t)index[i + MIX_AHEAD] * width;
            IP_UNROLL for (size_t j = 0; j < 2 * IP_LANES; j += 8) __builtin_prefetch(ahead + j);
        }
        v16d w = vd_set(weights[i]);
        a = vd_fma(w, vd_load(row), a);
        if (two) b = vd_fma(w, vd_load(row + IP_LANES), b);
    }
    vd_store(out, a);
    if (two) vd_store(out + IP_LANES, b);
}

void NAME(mix_f64)(double *out, const double *rows, size_t width, const uint32_t *index, const double *weights,
                   size_t n) {
    size_t j = 0;
    for (; j + 2 * IP_LANES <= width; j += 2 * IP_LANES) mix_columns(out + j, rows + j, width, index, weights, n, true);
    if (j < width) mix_columns(out + j, rows + j, width, index, weights, n, false);
}

void NAME(log_f64)(double *y, const double *x, const double *shift, size_t n) {
    v16d least = vd_set(1e-300);
    for (size_t j = 0; j < n; j += IP_LANES)
        vd_store(y + j, vd_sub(vd_log(vd_max(vd_load(x + j), least)), vd_load(shift + j)));
}

double NAME(encode_f64)(double *q, const double *bias, double factor, size_t n) {
    v16d top = vd_set(-INFINITY), times = vd_set(factor), s = vd_set(0.0);
    for (size_t j = 0; j < n; j += IP_LANES) {
        v16d a = vd_fma(times, vd_load(q + j), vd_load(bias + j));
        vd_store(q + j, a);
        top = vd_max(top, a);
    }
    double mx = vd_tree_max(top);
    v16d shift = vd_set(mx);
    for (size_t j = 0; j < n; j += IP_LANES) {
        v16d e = vd_exp(vd_sub(vd_load(q + j), shift));
        vd_store(q + j, e);
        s = vd_add(s, e);
    }
    double t = vd_tree_sum(s);
    v16d whole = vd_set(t);
    for (size_t j = 0; j < n; j += IP_LANES) vd_store(q + j, vd_div(vd_load(q + j), whole));
    return mx + vm_log_f64(t);
}

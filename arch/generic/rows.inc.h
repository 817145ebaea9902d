/* Kernels along rows, in the vocabulary of vec.h: what scalar/rows.c says, 16 lanes at a time. */

int NAME(rms_norm)(float *y, const float *x, const float *gain, size_t n, float eps) {
    v16f s = vf_set(0.0f);
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16f v = rows_load(x, n, i, 0.0f);
        s = vf_fma(v, v, s);
    }
    float q = vf_tree_sum(s);
    v16f r = vf_set(1.0f / sqrtf(q / (float)n + eps));
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16f v = vf_mul(rows_load(x, n, i, 0.0f), r);
        rows_store(y, vf_mul(v, rows_load(gain, n, i, 0.0f)), n, i);
    }
    return !isfinite(q);
}

void NAME(rope)(float *x, const float *cosine, const float *sine, size_t half) {
    for (size_t j = 0; j < half; j += IP_LANES) {
        v16f a = rows_load(x, half, j, 0.0f), b = rows_load(x + half, half, j, 0.0f);
        v16f c = rows_load(cosine, half, j, 0.0f), s = rows_load(sine, half, j, 0.0f);
        rows_store(x, vf_fma(a, c, vf_neg(vf_mul(b, s))), half, j);
        rows_store(x + half, vf_fma(b, c, vf_mul(a, s)), half, j);
    }
}

void NAME(add)(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i += IP_LANES) {
        rows_store(x, vf_add(rows_load(x, n, i, 0.0f), rows_load(y, n, i, 0.0f)), n, i);
    }
}

void NAME(round_bf16)(float *x, size_t n) {
    for (size_t i = 0; i < n; i += IP_LANES) rows_store(x, vf_round_bf16(rows_load(x, n, i, 0.0f)), n, i);
}

int NAME(unit)(float *y, const float *z, size_t n) {
    v16d s = vd_set(0.0);
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16d v = vd_from_f(rows_load(z, n, i, 0.0f));
        s = vd_fma(v, v, s);
    }
    double norm2 = vd_tree_sum(s);
    if (!isfinite(norm2)) return 2;
    if (norm2 == 0.0) return 1;
    v16d norm = vd_set(sqrt(norm2));
    for (size_t i = 0; i < n; i += IP_LANES) {
        rows_store(y, vd_to_f(vd_div(vd_from_f(rows_load(z, n, i, 0.0f)), norm)), n, i);
    }
    return 0;
}

void NAME(soft_assign)(float *p, const float *dots, size_t m, float inverse_temperature) {
    v16f top = vf_set(-INFINITY), factor = vf_set(inverse_temperature), s = vf_set(0.0f);
    for (size_t j = 0; j < m; j += IP_LANES) {
        v16f v = vf_mul(rows_load(dots, m, j, 0.0f), factor);
        vf_store(p + j, v);
        top = vf_max(top, vf_lanes(v, 0, rows_left(m, j), -INFINITY));
    }
    v16f mx = vf_set(vf_tree_max(top));
    for (size_t j = 0; j < m; j += IP_LANES) {
        v16f e = vf_lanes(vf_exp(vf_sub(vf_load(p + j), mx)), 0, rows_left(m, j), 0.0f);
        vf_store(p + j, e);
        s = vf_add(s, e);
    }
    v16f t = vf_set(vf_tree_sum(s));
    for (size_t j = 0; j < m; j += IP_LANES) vf_store(p + j, vf_div(vf_load(p + j), t));
}

/* One block of 16 anchors, given their x: -round(b * 2^32). */
IP_INLINE int64_t rows_entropy(v16d x) { return -llrint(vd_tree_sum(vd_xlogx(x)) * 0x1p32); }

int64_t NAME(entropy_row)(const float *p, size_t m) {
    v16d whole = vd_set(0x1p32);
    int64_t result = 0;
    for (size_t j = 0; j < m; j += IP_LANES) {
        result += rows_entropy(vd_div(vd_units(rows_load(p, m, j, 0.0f)), whole));
    }
    return result;
}

/* The rows lie anywhere: ask for them some steps ahead of their turn. */
enum { GATHER_AHEAD = 12 };

void NAME(sum_gather)(uint64_t *sums, const float *rows, const uint32_t *positions, size_t n) {
    v16u total = vu_load(sums);
    size_t i = 0;
    for (; i + GATHER_AHEAD < n; i++) {
        __builtin_prefetch(rows + (size_t)positions[i + GATHER_AHEAD] * IP_LANES);
        total = vu_add_units(total, vf_load(rows + (size_t)positions[i] * IP_LANES));
    }
    for (; i < n; i++) total = vu_add_units(total, vf_load(rows + (size_t)positions[i] * IP_LANES));
    vu_store(sums, total);
}

int64_t NAME(entropy_sums)(const uint64_t *sums, uint64_t count, size_t m) {
    v16d whole = vd_set((double)count * 0x1p32);
    int64_t result = 0;
    size_t j = 0;
    for (; m - j >= IP_LANES; j += IP_LANES) result += rows_entropy(vd_div(vd_from_u64(sums + j), whole));
    if (j < m) {
        uint64_t last[IP_LANES] = {0};
        memcpy(last, sums + j, (m - j) * sizeof *sums);
        result += rows_entropy(vd_div(vd_from_u64(last), whole));
    }
    return result;
}

IP_INLINE float rows_panel_max(const ip_lse *state, const float *logits, size_t n) {
    v16f top = vf_set(-INFINITY);
    for (size_t j = 0; j < n; j += IP_LANES) top = vf_max(top, rows_load(logits, n, j, -INFINITY));
    float pm = vf_tree_max(top);
    return state->max > pm ? state->max : pm;
}

void NAME(log_sum_exp)(ip_lse *state, const float *logits, size_t n) {
    float mx = rows_panel_max(state, logits, n);
    v16f shift = vf_set(mx), s = vf_set(0.0f);
    for (size_t j = 0; j < n; j += IP_LANES) {
        v16f e = vf_exp(vf_sub(rows_load(logits, n, j, 0.0f), shift));
        s = vf_add(s, vf_lanes(e, 0, rows_left(n, j), 0.0f));
    }
    float a = state->max == -INFINITY ? 0.0f : vm_exp_f32(state->max - mx);
    state->sum = fma(state->sum, (double)a, (double)vf_tree_sum(s));
    state->max = mx;
}

void NAME(lse_entropy)(ip_lse *state, double *weighted, const float *logits, size_t n) {
    float mx = rows_panel_max(state, logits, n);
    v16f shift = vf_set(mx), least = vf_set(-128.0f), s = vf_set(0.0f), w = vf_set(0.0f);
    for (size_t j = 0; j < n; j += IP_LANES) {
        v16f d = vf_sub(rows_load(logits, n, j, 0.0f), shift), e = vf_lanes(vf_exp(d), 0, rows_left(n, j), 0.0f);
        s = vf_add(s, e);
        w = vf_fma(e, vf_max(d, least), w);
    }
    float past = state->max - mx, a = state->max == -INFINITY ? 0.0f : vm_exp_f32(past);
    double step = past > -128.0f ? (double)past : -128.0;
    *weighted = fma((double)a, fma(step, state->sum, *weighted), (double)vf_tree_sum(w));
    state->sum = fma(state->sum, (double)a, (double)vf_tree_sum(s));
    state->max = mx;
}

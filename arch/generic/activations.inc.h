/* Layer norm, activations, soft caps in the vocabulary of vec.h: what scalar/activations.c says, 16 lanes at a time. */

int NAME(layer_norm)(float *y, const float *x, const float *gain, const float *bias, size_t n, float eps) {
    v16f s = vf_set(0.0f), v = vf_set(0.0f);
    for (size_t i = 0; i < n; i += IP_LANES) s = vf_add(s, rows_load(x, n, i, 0.0f));
    v16f mean = vf_set(vf_tree_sum(s) / (float)n);
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16f d = vf_lanes(vf_sub(rows_load(x, n, i, 0.0f), mean), 0, rows_left(n, i), 0.0f);
        v = vf_fma(d, d, v);
    }
    float q = vf_tree_sum(v);
    v16f r = vf_set(1.0f / sqrtf(q / (float)n + eps));
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16f d = vf_mul(vf_sub(rows_load(x, n, i, 0.0f), mean), r);
        v16f out = vf_mul(d, rows_load(gain, n, i, 0.0f));
        if (bias) out = vf_add(out, rows_load(bias, n, i, 0.0f));
        rows_store(y, out, n, i);
    }
    return !isfinite(q);
}

IP_INLINE v16f act_min(v16f a, v16f b) { return vf_neg(vf_max(vf_neg(a), vf_neg(b))); }

IP_INLINE v16f act_horner(const float *c, size_t n, v16f x) {
    v16f p = vf_set(c[n - 1]);
    for (size_t i = n - 1; i > 0; i--) p = vf_fma(p, x, vf_set(c[i - 1]));
    return p;
}

/* Both branches of erf.h, and a choice by lane: max(|x|, 1) is 1 where the first holds. */
IP_INLINE v16f act_erf(v16f x) {
    v16f t = vf_abs(x), one = vf_set(1.0f);
    v16f small = vf_mul(x, act_horner(ip_erf_small, IP_ERF_SMALL, vf_mul(x, x)));
    v16f q = act_horner(ip_erf_large, IP_ERF_LARGE, act_min(vf_set(4.0f), t));
    v16f e = vf_sub(one, vf_exp(vf_neg(q)));
    return vf_if_equal(vf_max(t, one), one, small, vf_if_equal(x, t, e, vf_neg(e)));
}

IP_INLINE v16f act_sigmoid_times(v16f x, v16f g) { return vf_div(x, vf_add(vf_set(1.0f), vf_exp(vf_neg(g)))); }

IP_INLINE v16f act_xielu(v16f g, const float *n) {
    v16f zero = vf_set(0.0f), p = vf_max(zero, g), m = act_min(zero, g);
    v16f rising = vf_mul(vf_mul(vf_set(n[0]), p), p);
    v16f falling = vf_mul(vf_sub(vf_expm1(act_min(vf_set(n[3]), m)), m), vf_set(n[1]));
    return vf_add(vf_if_equal(p, zero, falling, rising), vf_mul(vf_set(n[2]), g));
}

IP_INLINE v16f act_gelu_tanh(v16f g) {
    v16f inner = vf_fma(vf_set(0.044715f), vf_mul(vf_mul(g, g), g), g);
    v16f t = vf_tanh(vf_mul(vf_set(0.7978845608f), inner));
    return vf_mul(vf_mul(vf_set(0.5f), g), vf_add(vf_set(1.0f), t));
}

IP_INLINE v16f act_function(ip_activation kind, v16f g, const float *numbers) {
    v16f p = vf_max(vf_set(0.0f), g);
    switch (kind) {
    case IP_ACT_GELU_TANH: return act_gelu_tanh(g);
    case IP_ACT_GELU_ERF:
        return vf_mul(vf_mul(vf_set(0.5f), g), vf_add(vf_set(1.0f), act_erf(vf_mul(g, vf_set(0.70710678f)))));
    case IP_ACT_RELU: return p;
    case IP_ACT_RELU2: return vf_mul(p, p);
    case IP_ACT_XIELU: return act_xielu(g, numbers);
    case IP_ACT_CLAMPED:
    case IP_ACT_SILU: break;
    }
    return act_sigmoid_times(g, g);
}

void NAME(activate)(float *y, const float *gate, const float *up, size_t n, ip_activation kind, const float *numbers) {
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16f g = rows_load(gate, n, i, 0.0f), out;
        if (kind == IP_ACT_CLAMPED) {
            v16f seven = vf_set(7.0f), u = vf_max(vf_set(-7.0f), act_min(seven, rows_load(up, n, i, 0.0f)));
            g = act_min(seven, g);
            out = vf_mul(vf_add(u, vf_set(1.0f)), act_sigmoid_times(g, vf_mul(vf_set(1.702f), g)));
        } else {
            out = act_function(kind, g, numbers);
            if (up) out = vf_mul(out, rows_load(up, n, i, 0.0f));
        }
        rows_store(y, out, n, i);
    }
}

void NAME(soft_cap)(float *x, size_t n, float scale, float cap) {
    v16f factor = vf_set(scale), c = vf_set(cap);
    for (size_t i = 0; i < n; i += IP_LANES) {
        v16f v = vf_mul(rows_load(x, n, i, 0.0f), factor);
        if (cap > 0.0f) v = vf_mul(c, vf_tanh(vf_div(v, c)));
        rows_store(x, v, n, i);
    }
}

/* Packing and products of the float arithmetics, in the vocabulary of vec.h.
 *
 * Outer products: a panel of 16 outputs stays, groups of F32_ROWS rows pass; per k one vector of weights and one
 * broadcast per row. Weights [k][16], activations [k][F32_ROWS]. bf16 where the CPU has no products of its own: the
 * weights lie as bf16 and are widened when they are loaded, the activations are rounded and lie as f32. */

void NAME(pack_f32)(float *panel, const float *rows, size_t stride, size_t count, size_t k) {
    for (size_t j = 0; j < k; j++) {
        for (size_t lane = 0; lane < count; lane++) panel[j * IP_LANES + lane] = rows[lane * stride + j];
        for (size_t lane = count; lane < IP_LANES; lane++) panel[j * IP_LANES + lane] = 0.0f;
    }
}

void NAME(pack_bf16)(void *panel, const float *rows, size_t stride, size_t count, size_t k) {
    uint16_t *out = panel;
    size_t kp = ip_padded_k(IP_ARITH_BF16, k);
    for (size_t j = 0; j < kp; j++) {
        float column[IP_LANES] = {0};
        for (size_t lane = 0; lane < count && j < k; lane++) column[lane] = rows[lane * stride + j];
        vf_store_bf16(out + j * IP_LANES, vf_load(column));
    }
}

/* Inputs from .. from + count - 1 of all rows, 16 at a time, each a column of F32_ROWS; round: to bf16. */
IP_INLINE void act_floats(ip_act *a, const float *x, size_t stride, size_t from, size_t count, bool round) {
    const size_t end = from + count == a->k ? a->kp : from + count;
    for (size_t row = 0; row < a->rows; row += F32_ROWS) {
        float *out = (float *)(void *)(a->codes + row / F32_ROWS * a->group_bytes);
        for (size_t j = from; j < end; j += IP_LANES) {
            v16f rows[F32_ROWS];
            IP_UNROLL for (size_t t = 0; t < F32_ROWS; t++) {
                bool there = row + t < a->rows && j < a->k;
                v16f v = there ? rows_load(x + (row + t) * stride, a->k - from, j - from, 0.0f) : vf_set(0.0f);
                rows[t] = round ? vf_round_bf16(v) : v;
            }
            vf_put_columns(out + j * F32_ROWS, F32_ROWS, rows, rows_left(end, j));
        }
    }
}

void NAME(act_f32)(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    act_floats(a, x, stride, from, count, false);
}

void NAME(act_bf16)(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    act_floats(a, x, stride, from, count, true);
}

/* A block of k of one panel times one group of rows; first: c holds nothing yet. */
IP_INLINE void float_tile(float *c, size_t ldc, const unsigned char *panel, const float *x, size_t k, bool bf16,
                          bool first) {
    v16f acc[F32_ROWS];
    IP_UNROLL for (size_t t = 0; t < F32_ROWS; t++) acc[t] = first ? vf_set(0.0f) : vf_load(c + t * ldc);
    for (size_t j = 0; j < k; j++) {
        v16f w = bf16 ? vf_load_bf16((const uint16_t *)(const void *)panel + j * IP_LANES)
                      : vf_load((const float *)(const void *)panel + j * IP_LANES);
        IP_UNROLL for (size_t t = 0; t < F32_ROWS; t++) acc[t] = vf_fma(w, vf_set(x[t]), acc[t]);
        x += F32_ROWS;
    }
    IP_UNROLL for (size_t t = 0; t < F32_ROWS; t++) vf_store(c + t * ldc, acc[t]);
}

typedef struct float_job {
    float *c;
    size_t ldc, panel;
    const ip_matrix *w;
    const ip_act *a;
} float_job;

IP_INLINE void float_step(const float_job *job, size_t j, size_t k, size_t count, size_t r, bool bf16) {
    const size_t k_bytes = IP_LANES * (bf16 ? sizeof(uint16_t) : sizeof(float));
    const unsigned char *codes = job->w->codes + (job->panel + j) * job->w->panel_bytes + k * k_bytes;
    const float *x = (const float *)(const void *)(job->a->codes + r * job->a->group_bytes) + k * F32_ROWS;
    float_tile(job->c + r * F32_ROWS * job->ldc + j * IP_LANES, job->ldc, codes, x, count, bf16, k == 0);
}

IP_INLINE void f32_step(const void *context, size_t j, size_t k, size_t count, size_t r) {
    float_step(context, j, k, count, r, false);
}

IP_INLINE void bf16_step(const void *context, size_t j, size_t k, size_t count, size_t r) {
    float_step(context, j, k, count, r, true);
}

void NAME(gemm_f32)(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    float_job job = {.c = c, .ldc = ldc, .panel = panel, .w = w, .a = a};
    const walk_operands operands = walk_over(w, panel, panels, a, w->kp, sizeof(float), sizeof(float));
    walk_blocks(&operands, f32_step, &job);
}

void NAME(gemm_bf16)(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    float_job job = {.c = c, .ldc = ldc, .panel = panel, .w = w, .a = a};
    const walk_operands operands = walk_over(w, panel, panels, a, w->kp, sizeof(uint16_t), sizeof(float));
    walk_blocks(&operands, bf16_step, &job);
}

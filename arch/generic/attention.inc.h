/* Causal attention of one head in the vocabulary of vec.h; the law stands in kernels.h and scalar/attention.c.
 *
 *   scores   lanes are the 16 queries of the tile: s[u][16] += k[u][d] * q[d][16], KEY_TILE keys side by side. The keys
 *            lie transposed ([d][64]), so the broadcasts of one step come from one or two cache lines.
 *   softmax  per query, that is per lane, plain order over the keys of the block.
 *   output   lanes are 16 dimensions of v; QUERY_SUBTILE queries side by side, each with its p broadcast.
 */

typedef struct att_tile {
    _Alignas(64) float q[IP_HEAD_MAX * IP_QUERY_TILE];  /* [d][16], zeros for queries that do not exist */
    _Alignas(64) float s[IP_KEY_BLOCK * IP_QUERY_TILE]; /* [u][16] scores, then probabilities */
    _Alignas(64) float o[IP_QUERY_TILE * IP_HEAD_MAX];  /* [16][d up to 16] running output */
    _Alignas(64) float a[IP_QUERY_TILE];                /* factor on what earlier blocks gave */
    v16f m, l;
    size_t start, live; /* position of the first query; queries that exist */
} att_tile;

/* d in vectors of 16 inside o. */
IP_INLINE size_t att_width(size_t head) { return (head + IP_LANES - 1) / IP_LANES * IP_LANES; }

/* Scores of keys u0 .. u0 + KEY_TILE - 1 of the block against the tile's queries, scaled and capped, not masked. */
IP_INLINE void att_scores(const ip_attention *job, att_tile *t, const float *kt, size_t u0) {
    v16f acc[KEY_TILE];
    IP_UNROLL for (size_t u = 0; u < KEY_TILE; u++) acc[u] = vf_set(0.0f);
    const float *k = kt + u0;
    for (size_t d = 0; d < job->head; d++) {
        v16f q = vf_load(t->q + d * IP_QUERY_TILE);
        IP_UNROLL for (size_t u = 0; u < KEY_TILE; u++) acc[u] = vf_fma(q, vf_set(k[u]), acc[u]);
        k += IP_KEY_BLOCK;
    }
    IP_UNROLL for (size_t u = 0; u < KEY_TILE; u++) {
        vf_store(t->s + (u0 + u) * IP_QUERY_TILE, vf_mul(vf_set(job->scale), acc[u]));
    }
    if (job->softcap > 0.0f) {
        v16f cap = vf_set(job->softcap);
        for (size_t u = u0; u < u0 + KEY_TILE; u++) {
            float *s = t->s + u * IP_QUERY_TILE;
            vf_store(s, vf_mul(cap, vf_tanh(vf_div(vf_load(s), cap))));
        }
    }
}

/* Adds what the keys first .. end - 1 of the block bring with them. */
IP_INLINE void att_bias(const ip_attention *job, att_tile *t, size_t base, size_t first, size_t end) {
    for (size_t u = first; u < end; u++) {
        float *s = t->s + u * IP_QUERY_TILE;
        vf_store(s, vf_add(vf_load(s), vf_set(job->key_bias[base + u])));
    }
}

/* Hides what a query may not see: key u (position) is seen by lanes from u - start, and with a window up to
 * u + window - start. first and end are offsets in the block that begins at position base. */
IP_INLINE void att_mask(const ip_attention *job, att_tile *t, size_t base, size_t first, size_t end) {
    if (base + end <= t->start + 1 && job->window == 0) return;
    for (size_t i = first; i < end; i++) {
        size_t u = base + i, lo = u > t->start ? u - t->start : 0, hi = IP_QUERY_TILE;
        if (job->window > 0 && u + job->window < t->start + hi) hi = u + job->window - t->start;
        if (lo == 0 && hi == IP_QUERY_TILE) continue;
        float *s = t->s + i * IP_QUERY_TILE;
        vf_store(s, vf_lanes(vf_load(s), lo, hi, -INFINITY));
    }
}

IP_INLINE void att_softmax(const ip_attention *job, att_tile *t, size_t first, size_t end) {
    v16f none = vf_set(-INFINITY), zero = vf_set(0.0f), mx = t->m;
    for (size_t i = first; i < end; i++) mx = vf_max(vf_load(t->s + i * IP_QUERY_TILE), mx);
    v16f a = vf_if_equal(t->m, none, zero, vf_exp(vf_sub(t->m, mx)));
    v16f l = vf_mul(t->l, a);
    for (size_t i = first; i < end; i++) {
        float *s = t->s + i * IP_QUERY_TILE;
        v16f v = vf_load(s), p = vf_if_equal(v, none, zero, vf_exp(vf_sub(v, mx)));
        l = vf_add(l, p);
        vf_store(s, job->bf16 ? vf_round_bf16(p) : p);
    }
    vf_store(t->a, a);
    t->m = mx;
    t->l = l;
}

/* o of 16 dimensions from d for the queries of one subtile; n of the dimensions exist. */
IP_INLINE void att_output_step(const ip_attention *job, att_tile *t, const float *v, size_t first, size_t end,
                               size_t query, size_t d, size_t n) {
    v16f acc[QUERY_SUBTILE];
    size_t width = att_width(job->head);
    IP_UNROLL for (size_t i = 0; i < QUERY_SUBTILE; i++) {
        acc[i] = vf_mul(vf_load(t->o + (query + i) * width + d), vf_set(t->a[query + i]));
    }
    for (size_t u = first; u < end; u++) {
        const float *row = v + u * job->v_stride + d, *p = t->s + u * IP_QUERY_TILE + query;
        v16f x = n == IP_LANES ? vf_load(row) : vf_load_part(row, n, 0.0f);
        IP_UNROLL for (size_t i = 0; i < QUERY_SUBTILE; i++) acc[i] = vf_fma(x, vf_set(p[i]), acc[i]);
    }
    IP_UNROLL for (size_t i = 0; i < QUERY_SUBTILE; i++) vf_store(t->o + (query + i) * width + d, acc[i]);
}

/* One block of keys that begins at position base: offsets first .. end - 1 may be seen by some query. */
static void NAME(att_block)(const ip_attention *job, att_tile *t, size_t base, size_t first, size_t end) {
    const float *kt = job->kt + base * job->head, *v = job->v + base * job->v_stride;
    for (size_t u = first / KEY_TILE * KEY_TILE; u < end; u += KEY_TILE) att_scores(job, t, kt, u);
    if (job->key_bias) att_bias(job, t, base, first, end);
    att_mask(job, t, base, first, end);
    att_softmax(job, t, first, end);
    for (size_t query = 0; query < IP_QUERY_TILE; query += QUERY_SUBTILE) {
        size_t d = 0;
        for (; d + IP_LANES <= job->head; d += IP_LANES) {
            att_output_step(job, t, v, first, end, query, d, IP_LANES);
        }
        if (d < job->head) att_output_step(job, t, v, first, end, query, d, job->head - d);
    }
}

IP_INLINE void att_begin(const ip_attention *job, att_tile *t, size_t row) {
    size_t left = job->rows - row;
    t->start = job->position + row;
    t->live = left < IP_QUERY_TILE ? left : IP_QUERY_TILE;
    t->m = vf_set(job->sink ? *job->sink : -INFINITY);
    t->l = vf_set(job->sink ? 1.0f : 0.0f);
    memset(t->o, 0, IP_QUERY_TILE * att_width(job->head) * sizeof(float));
    for (size_t d = 0; d < job->head; d += IP_LANES) {
        v16f q[IP_QUERY_TILE];
        for (size_t i = 0; i < IP_QUERY_TILE; i++)
            q[i] = i < t->live ? rows_load(job->q + (row + i) * job->q_stride, job->head, d, 0.0f) : vf_set(0.0f);
        vf_put_columns(t->q + d * IP_QUERY_TILE, IP_QUERY_TILE, q, rows_left(job->head, d));
    }
}

IP_INLINE void att_end(const ip_attention *job, const att_tile *t, size_t row) {
    float l[IP_LANES];
    vf_store(l, t->l);
    for (size_t i = 0; i < t->live; i++) {
        float *out = job->out + (row + i) * job->out_stride;
        const float *o = t->o + i * att_width(job->head);
        for (size_t d = 0; d < job->head; d += IP_LANES) {
            rows_store(out, vf_div(vf_load(o + d), vf_set(l[i])), job->head, d);
        }
    }
}

void NAME(attention)(const ip_attention *job) {
    att_tile t;
    for (size_t row = 0; row < job->rows; row += IP_QUERY_TILE) {
        att_begin(job, &t, row);
        size_t end = t.start + t.live;
        size_t first = job->window > 0 && t.start + 1 > job->window ? t.start + 1 - job->window : 0;
        while (first < end) {
            size_t base = first / IP_KEY_BLOCK * IP_KEY_BLOCK, next = base + IP_KEY_BLOCK;
            NAME(att_block)(job, &t, base, first - base, (next < end ? next : end) - base);
            first = next;
        }
        att_end(job, &t, row);
    }
}

void NAME(pack_keys)(float *kt, const float *k, size_t stride, size_t position, size_t rows, size_t head) {
    for (size_t r = 0; r < rows;) {
        size_t u = (position + r) % IP_KEY_BLOCK, n = IP_KEY_BLOCK - u < rows - r ? IP_KEY_BLOCK - u : rows - r;
        float *block = kt + (position + r) / IP_KEY_BLOCK * IP_KEY_BLOCK * head + u;
        for (size_t d = 0; d < head; d++) {
            for (size_t i = 0; i < n; i++) block[d * IP_KEY_BLOCK + i] = k[(r + i) * stride + d];
        }
        r += n;
    }
}

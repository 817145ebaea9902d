/* Causal attention of one head: the scalar law. Tiles of 16 queries, blocks of 64 keys, online softmax. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "arch/bits.h"
#include "arch/scalar/scalar.h"
#include "arch/vmath.h"

enum { QUERIES = IP_QUERY_TILE, KEYS = IP_KEY_BLOCK };

void ip_pack_keys_scalar(float *kt, const float *k, size_t stride, size_t position, size_t rows, size_t head) {
    for (size_t r = 0; r < rows; r++) {
        size_t u = position + r;
        for (size_t d = 0; d < head; d++) kt[(u / KEYS * head + d) * KEYS + u % KEYS] = k[r * stride + d];
    }
}

/* State of the online softmax over the blocks of one tile. */
typedef struct tile {
    size_t row, start, live;       /* first query's row and position; queries that exist */
    float m[QUERIES], l[QUERIES];  /* running maximum and sum */
    float o[QUERIES][IP_HEAD_MAX]; /* running, unnormalised output */
    float s[KEYS][QUERIES];        /* scores, then probabilities of the block */
} tile;

/* Score of query i of the tile against key u, -infinity where it may not look. */
static float score(const ip_attention *job, const tile *t, size_t i, size_t u) {
    size_t at = t->start + i;
    if (u > at || (job->window > 0 && u + job->window <= at)) return -INFINITY;
    float dot = 0.0f;
    for (size_t d = 0; d < job->head; d++) {
        float q = i < t->live ? job->q[(t->row + i) * job->q_stride + d] : 0.0f;
        dot = fmaf(q, job->kt[(u / KEYS * job->head + d) * KEYS + u % KEYS], dot);
    }
    float s = job->scale * dot;
    if (job->softcap > 0.0f) s = job->softcap * vm_tanh_f32(s / job->softcap);
    return job->key_bias ? s + job->key_bias[u] : s;
}

/* Keys first .. end - 1 of one block: those that any query of the tile may see. */
static void block(const ip_attention *job, tile *t, size_t first, size_t end) {
    for (size_t i = 0; i < QUERIES; i++) {
        float mx = t->m[i];
        for (size_t u = first; u < end; u++) {
            float s = score(job, t, i, u);
            t->s[u - first][i] = s;
            mx = s > mx ? s : mx;
        }
        float a = t->m[i] == -INFINITY ? 0.0f : vm_exp_f32(t->m[i] - mx);
        t->m[i] = mx;
        t->l[i] = t->l[i] * a;
        for (size_t u = first; u < end; u++) {
            float *p = &t->s[u - first][i];
            *p = *p == -INFINITY ? 0.0f : vm_exp_f32(*p - mx);
            t->l[i] = t->l[i] + *p;
            if (job->bf16) *p = ip_f32_from_bf16(ip_bf16_from_f32(*p));
        }
        for (size_t d = 0; d < job->head; d++) {
            float o = t->o[i][d] * a;
            for (size_t u = first; u < end; u++) o = fmaf(job->v[u * job->v_stride + d], t->s[u - first][i], o);
            t->o[i][d] = o;
        }
    }
}

void ip_attention_scalar(const ip_attention *job) {
    for (size_t row = 0; row < job->rows; row += QUERIES) {
        tile t;
        t.row = row;
        t.start = job->position + row;
        t.live = job->rows - row < QUERIES ? job->rows - row : QUERIES;
        for (size_t i = 0; i < QUERIES; i++) {
            t.m[i] = job->sink ? *job->sink : -INFINITY;
            t.l[i] = job->sink ? 1.0f : 0.0f;
            for (size_t d = 0; d < job->head; d++) t.o[i][d] = 0.0f;
        }
        size_t end = t.start + t.live;
        size_t first = job->window > 0 && t.start + 1 > job->window ? t.start + 1 - job->window : 0;
        while (first < end) {
            size_t next = (first / KEYS + 1) * KEYS;
            block(job, &t, first, next < end ? next : end);
            first = next;
        }
        for (size_t i = 0; i < t.live; i++) {
            float *out = job->out + (row + i) * job->out_stride;
            for (size_t d = 0; d < job->head; d++) out[d] = t.o[i][d] / t.l[i];
        }
    }
}

/* What depends on positions: cos and sin of rotations, temperatures of queries, biases of keys. Tables are made once, for
 * the longest document; a rope whose base grows with the document's length is computed row by row. */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/forward/forward_internal.h"

enum { TABLE_ROWS = 256 };

static size_t half_of(const ip_rope *rope) { return rope->rotary / 2; }

size_t ip_turns_lay(ip_forward *f, char *memory, const ip_plan *plan, const ip_tiling *tiling) {
    size_t longest = tiling->longest, at = 0;
    for (size_t r = 0; r < plan->rope_count; r++) {
        const ip_rope *rope = &plan->ropes[r];
        size_t variants = rope->long_inverse && longest > rope->original ? 2 : 1;
        size_t bytes = ip_up64(longest * half_of(rope) * sizeof(float));
        for (size_t v = 0; v < variants; v++, at += 2 * bytes) {
            if (!memory) continue;
            f->turns[r].cosine[v] = (float *)(void *)(memory + at);
            f->turns[r].sine[v] = (float *)(void *)(memory + at + bytes);
        }
    }
    if (plan->rope_count > 0 && plan->ropes[0].temperature > 0) {
        if (memory) f->temperature = (float *)(void *)(memory + at);
        at += ip_up64(longest * sizeof(float));
    }
    if (plan->blocks[0].slopes) {
        if (memory) f->key_bias = (float *)(void *)(memory + at);
        at += ip_up64(plan->blocks[0].heads * longest * sizeof(float));
    }
    return at;
}

size_t ip_turns_scratch(const ip_plan *plan) {
    size_t most = 0;
    for (size_t r = 0; r < plan->rope_count; r++)
        if (plan->ropes[r].factor > 0) most = ip_larger(most, 3 * half_of(&plan->ropes[r]));
    return most;
}

/* Angles as Hugging Face forms them: float position times float frequency. */
static void fill_row(const ip_rope *rope, const float *inverse, size_t position, float *cosine, float *sine) {
    for (size_t j = 0; j < half_of(rope); j++) {
        float angle = (float)position * inverse[j];
        cosine[j] = (float)ip_cos(angle) * rope->magnitude;
        sine[j] = (float)ip_sin(angle) * rope->magnitude;
    }
}

static float round_bf16(const ip_forward *f, float x) {
    f->kernels->round_bf16(&x, 1);
    return x;
}

/* Slope times position, in units of scores. */
static float bias_of(const ip_forward *f, size_t head, size_t position) {
    const ip_block *b = &f->plan->blocks[0];
    float slope = b->slopes[head];
    if (!f->plan->slopes_bf16) return slope * (float)position;
    return round_bf16(f, round_bf16(f, slope) * (float)position) * b->attention_scale;
}

static ip_status fill_rows(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    ip_forward *f = context;
    const ip_plan *plan = f->plan;
    for (size_t p = task * TABLE_ROWS; p < f->longest && p < (task + 1) * TABLE_ROWS; p++) {
        for (size_t r = 0; r < plan->rope_count; r++) {
            const ip_rope *rope = &plan->ropes[r];
            size_t at = p * half_of(rope);
            for (int v = 0; v < 2; v++)
                if (f->turns[r].cosine[v])
                    fill_row(rope, v ? rope->long_inverse : rope->inverse, p, f->turns[r].cosine[v] + at,
                             f->turns[r].sine[v] + at);
        }
        if (f->temperature) {
            const ip_rope *rope = &plan->ropes[0];
            double steps = (double)(p / rope->temperature_from);
            f->temperature[p] = (float)(1 + rope->temperature * ip_log(1 + steps));
        }
        for (size_t h = 0; f->key_bias && h < plan->blocks[0].heads; h++)
            f->key_bias[h * f->longest + p] = bias_of(f, h, p);
    }
    return IP_OK;
}

ip_status ip_turns_fill(ip_forward *f, ip_pool *pool, ip_error *error) {
    return ip_pool_run(pool, (f->longest + TABLE_ROWS - 1) / TABLE_ROWS, fill_rows, f, error);
}

void ip_turns_rotate(const ip_tile_work *w, float *x, size_t heads) {
    const ip_block *b = w->block;
    const ip_rope *rope = &w->f->plan->ropes[b->rope];
    const ip_turns *turns = &w->f->turns[b->rope];
    const uint64_t *offsets = w->tiling->corpus->offsets;
    size_t half = half_of(rope), stride = ip_up16(heads * b->head), r = 0;
    for (size_t s = 0; s < w->segment_count; s++) {
        const ip_segment *segment = &w->segments[s];
        size_t length = (size_t)(offsets[segment->document + 1] - offsets[segment->document]);
        bool stretched = rope->factor > 0 && length > rope->original;
        int variant = turns->cosine[1] && length > rope->original;
        float *own = w->bench->turn;
        if (stretched) ip_rope_stretch(rope, length, own);
        for (size_t i = 0; i < segment->rows; i++, r++) {
            size_t position = segment->position + i;
            const float *cosine = turns->cosine[variant] + position * half;
            const float *sine = turns->sine[variant] + position * half;
            if (stretched) {
                fill_row(rope, own, position, own + half, own + 2 * half);
                cosine = own + half;
                sine = own + 2 * half;
            }
            for (size_t h = 0; h < heads; h++) w->f->kernels->rope(x + r * stride + h * b->head, cosine, sine, half);
        }
    }
}

void ip_turns_warm(const ip_tile_work *w, float *q) {
    size_t stride = ip_up16(w->block->q.outputs), r = 0;
    for (size_t s = 0; s < w->segment_count; s++)
        for (size_t i = 0; i < w->segments[s].rows; i++, r++) {
            float factor = w->f->temperature[w->segments[s].position + i];
            for (size_t d = 0; d < w->block->q.outputs; d++) q[r * stride + d] *= factor;
        }
}

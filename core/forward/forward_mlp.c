/* Feed-forward layers of a block: dense, a mixture of experts, and the per-layer inputs behind them.
 *
 * Experts: every row takes some of them. The pairs of row and expert are sorted by expert, an expert's rows are gathered
 * and go through it as one product, and what it gives is added to the rows with their weights. A row's sum runs through
 * its experts in ascending order, whatever else is in the tile, so nothing depends on how a corpus is cut. */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/forward/forward_internal.h"

/* Runs of at most IP_PART outputs of a matrix. */
typedef struct output_run {
    size_t panel, panels; /* of this run */
    size_t first, count;  /* outputs */
} output_run;

static bool next_run(output_run *p, const ip_matrix *m) {
    p->panel += p->panels;
    p->first = p->panel * IP_LANES;
    if (p->first >= m->n) return false;
    size_t left = m->n - p->first;
    p->count = left < IP_PART ? left : IP_PART;
    p->panels = (p->count + IP_LANES - 1) / IP_LANES;
    return true;
}

/* Three matrices, or two where there is no gate. */
typedef struct dense {
    const ip_matrix *gate, *up, *down;
    const ip_weight *gate_weight, *up_weight, *down_weight;
} dense;

static void activate(const ip_tile_work *w, float *gate, float *up, size_t n, bool gated) {
    const ip_kernels *kernels = w->f->kernels;
    const ip_activation kind = w->f->plan->activation;
    float *from = gated ? gate : up;
    for (size_t r = 0; r < w->rows; r++) {
        float *x = from + r * IP_PART, *second = gated ? up + r * IP_PART : NULL;
        kernels->activate(x, x, second, n, kind, w->block->xielu);
    }
}

static ip_status run_dense(const ip_tile_work *w, const dense *d, const float *x, float *out) {
    const ip_kernels *kernels = w->f->kernels;
    const bool gated = d->gate_weight->tensor != NULL;
    float *gate = w->bench->part[0], *up = w->bench->part[1];
    const ip_matrix *const matrices[] = {d->up, d->gate};
    ip_act in[2], hidden;
    ip_status status = ip_tile_pack_all(w, in, matrices, gated ? 2 : 1, x, w->f->plan->width);
    if (status != IP_OK) return status;
    ip_act_layout(&hidden, w->bench->hidden, kernels, d->down->arith, w->rows, d->down_weight->inputs);
    for (output_run p = {0}; next_run(&p, d->up);) {
        if (gated) ip_tile_multiply(w, gate, IP_PART, d->gate, d->gate_weight, p.panel, p.panels, &in[1]);
        ip_tile_multiply(w, up, IP_PART, d->up, d->up_weight, p.panel, p.panels, &in[0]);
        activate(w, gate, up, p.count, gated);
        if (ip_act_fill_part(&hidden, kernels, gated ? gate : up, IP_PART, p.first, p.count) != 0)
            return ip_tile_not_finite(w, 0);
    }
    ip_tile_product(w, out, d->down, d->down_weight, &hidden);
    return IP_OK;
}

/* ---- experts ---- */

/* The `used` largest logits of a row, the lower expert first among equals, in ascending order of experts. False: a logit
 * is not finite. */
static bool choose(const ip_experts *x, const float *logits, uint32_t row, ip_routed *to) {
    for (size_t e = 0; e < x->count; e++)
        if (!isfinite(logits[e])) return false;
    size_t n = 0;
    for (size_t e = 0; e < x->count; e++) {
        size_t at = n;
        if (n == x->used) { /* full: in for the smallest, if larger */
            at = 0;
            for (size_t i = 1; i < n; i++)
                if (logits[to[i].expert] <= logits[to[at].expert]) at = i;
            if (!(logits[e] > logits[to[at].expert])) continue;
            memmove(to + at, to + at + 1, (n - 1 - at) * sizeof *to);
            at = --n;
        }
        to[n++] = (ip_routed){.expert = (uint32_t)e, .row = row};
    }
    return true;
}

static void weigh(const ip_experts *x, const float *logits, ip_routed *chosen) {
    float most = logits[chosen[0].expert];
    for (size_t i = 1; i < x->used; i++) most = logits[chosen[i].expert] > most ? logits[chosen[i].expert] : most;
    double all = 0, some = 0;
    for (size_t e = 0; !x->among_chosen && e < x->count; e++) all += ip_exp((double)logits[e] - (double)most);
    for (size_t i = 0; i < x->used; i++) some += ip_exp((double)logits[chosen[i].expert] - (double)most);
    const double sum = x->among_chosen || x->normalise ? some : all;
    for (size_t i = 0; i < x->used; i++)
        chosen[i].weight = (float)(ip_exp((double)logits[chosen[i].expert] - (double)most) / sum);
}

/* All pairs of row and expert, by expert, rows in ascending order. */
static ip_status route(const ip_tile_work *w, const float *x, ip_routed **by_expert) {
    const ip_experts *experts = &w->block->experts;
    const size_t stride = ip_up16(experts->count), used = experts->used, pairs = w->rows * used;
    ip_routed *by_row = w->bench->routed[0], *sorted = w->bench->routed[1];
    ip_act act;
    ip_status status = ip_tile_pack(w, &act, w->bench->act[0], &w->layer->router, x, w->f->plan->width);
    if (status != IP_OK) return status;
    ip_tile_product(w, w->bench->logits, &w->layer->router, &experts->router, &act);
    for (size_t r = 0; r < w->rows; r++) {
        const float *logits = w->bench->logits + r * stride;
        if (!choose(experts, logits, (uint32_t)r, by_row + r * used)) return ip_tile_not_finite(w, r);
        weigh(experts, logits, by_row + r * used);
    }
    /* A row's experts ascend: cursors over rows meet each expert's pairs in order. */
    size_t n = 0;
    for (uint32_t e = 0; e < experts->count && n < pairs; e++)
        for (size_t i = 0; i < pairs; i++)
            if (by_row[i].expert == e) sorted[n++] = by_row[i];
    *by_expert = sorted;
    return IP_OK;
}

/* One expert over its rows. */
static ip_status run_expert(const ip_tile_work *w, const ip_routed *pairs, size_t count, const float *x, float *sum) {
    const ip_experts *experts = &w->block->experts;
    const size_t width = w->f->plan->width, stride = ip_up16(width), e = pairs[0].expert;
    const ip_matrix *m = w->layer->experts + 3 * e;
    const dense d = {m, m + 1, m + 2, &experts->gate[e], &experts->up[e], &experts->down[e]};
    ip_tile_work own = *w;
    own.rows = count;
    for (size_t i = 0; i < count; i++)
        memcpy(w->bench->gathered + i * width, x + pairs[i].row * width, width * sizeof(float));
    ip_status status = run_dense(&own, &d, w->bench->gathered, w->bench->given);
    if (status != IP_OK) return ip_tile_not_finite(w, pairs[0].row);
    for (size_t i = 0; i < count; i++) {
        float *to = sum + pairs[i].row * stride;
        const float *from = w->bench->given + i * stride;
        for (size_t j = 0; j < width; j++) to[j] += from[j] * pairs[i].weight;
    }
    return IP_OK;
}

/* The shared expert, weighed by a sigmoid of its own. */
static ip_status run_shared(const ip_tile_work *w, const float *x, float *sum) {
    const ip_block *b = w->block;
    const ip_layer *l = w->layer;
    const size_t width = w->f->plan->width, stride = ip_up16(width);
    const dense d = {&l->gate, &l->up, &l->down, &b->gate, &b->up, &b->down};
    float *weight = w->bench->logits; /* 16 floats per row; those of the router are not needed any more */
    ip_act act;
    ip_status status = run_dense(w, &d, x, w->bench->given);
    if (status == IP_OK) status = ip_tile_pack(w, &act, w->bench->act[0], &l->shared_gate, x, width);
    if (status != IP_OK) return status;
    ip_tile_product(w, weight, &l->shared_gate, &b->shared_gate, &act);
    for (size_t r = 0; r < w->rows; r++) {
        float share = (float)(1.0 / (1.0 + ip_exp(-(double)weight[r * IP_LANES])));
        const float *from = w->bench->given + r * stride;
        for (size_t j = 0; j < width; j++) sum[r * stride + j] += from[j] * share;
    }
    return IP_OK;
}

static ip_status run_experts(const ip_tile_work *w, const float *x, float *out) {
    const size_t stride = ip_up16(w->f->plan->width), pairs = w->rows * w->block->experts.used;
    float *sum = w->bench->sum;
    ip_routed *routed = NULL;
    ip_status status = route(w, x, &routed);
    memset(sum, 0, w->rows * stride * sizeof *sum);
    for (size_t i = 0, n; status == IP_OK && i < pairs; i += n) {
        for (n = 1; i + n < pairs && routed[i + n].expert == routed[i].expert;) n++;
        status = run_expert(w, routed + i, n, x, sum);
    }
    if (status == IP_OK && w->block->shared_gate.tensor) status = run_shared(w, x, sum);
    if (status == IP_OK) memcpy(out, sum, w->rows * stride * sizeof *sum);
    return status;
}

ip_status ip_tile_mlp(const ip_tile_work *w, const float *x, float *out) {
    const ip_block *b = w->block;
    const ip_layer *l = w->layer;
    if (b->experts.count > 0) return run_experts(w, x, out);
    return run_dense(w, &(dense){&l->gate, &l->up, &l->down, &b->gate, &b->up, &b->down}, x, out);
}

/* ---- per-layer inputs ---- */

/* u of every row, [rows][up16(width)]: see ip_side_input. */
static ip_status side_input(const ip_tile_work *w, float *u) {
    const ip_side_input *side = &w->block->side;
    const size_t n = side->width, stride = ip_up16(n);
    const int32_t *ids = w->tiling->corpus->ids + w->tile->row;
    const ip_type *type = side->table->type;
    float *row = w->bench->part[0];
    ip_act act;
    ip_status status = ip_forward_rows(w->f, ids, w->rows, w->bench->norm, w->error);
    if (status != IP_OK) return status;
    status = ip_tile_pack(w, &act, w->bench->act[0], &w->layer->side_model, w->bench->norm, w->f->plan->width);
    if (status != IP_OK) return status;
    ip_tile_product(w, u, &w->layer->side_model, &side->model, &act);
    for (size_t i = 0; i < w->rows * stride; i++) u[i] *= side->model_scale;
    status = ip_tile_normalise(w, &side->norm, 1, u, stride, u, stride);
    for (size_t r = 0; status == IP_OK && r < w->rows; r++) {
        const unsigned char *data = ip_tensor_row(side->table, (size_t)ids[r]);
        type->to_float(row, data + side->column / type->block * type->bytes, n);
        for (size_t i = 0; i < n; i++) u[r * stride + i] = (u[r * stride + i] + row[i] * side->table_scale) * side->mix;
    }
    return status;
}

ip_status ip_tile_side(const ip_tile_work *w, float *h) {
    const ip_side_input *side = &w->block->side;
    const size_t n = side->width, stride = ip_up16(n);
    float *u = w->bench->side[0], *g = w->bench->side[1];
    ip_act act;
    ip_status status = side_input(w, u);
    if (status == IP_OK) status = ip_tile_pack(w, &act, w->bench->act[0], &w->layer->side_gate, h, w->f->plan->width);
    if (status != IP_OK) return status;
    ip_tile_product(w, g, &w->layer->side_gate, &side->gate, &act);
    /* Rows close up, as the next product reads them densely. */
    for (size_t r = 0; r < w->rows; r++)
        w->f->kernels->activate(g + r * n, g + r * stride, u + r * stride, n, w->f->plan->activation, w->block->xielu);
    status = ip_tile_pack(w, &act, w->bench->hidden, &w->layer->side_out, g, n);
    if (status != IP_OK) return status;
    ip_tile_product(w, w->bench->norm, &w->layer->side_out, &side->out, &act);
    return ip_tile_add(w, &side->out_norm, 1.0f, w->bench->norm, h);
}

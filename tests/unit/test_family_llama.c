/* The plan of a llama file means what Hugging Face computes: a plain forward pass in double, written here from the
 * fields of the plan and nothing else, against the hidden states of golden/families. What the pass leaves to the plan
 * is what is proved: row orders, biases, head counts, rotary frequencies and their scaling, epsilon, scale,
 * tied head. (golden/families.sh proves the other families, through the engine.) */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/model.h"
#include "tests/unit/shared_data.h"

TestSuite(family_llama, .timeout = 120);

enum { POSITIONS = 64, WIDTH = 256 };

static const unsigned char *npy_data(const ip_map *map) { return map->data + 10 + (map->data[8] | map->data[9] << 8); }

static void product(double *y, const ip_weight *w, const double *x) {
    float row[WIDTH];
    for (size_t o = 0; o < w->outputs; o++) {
        w->tensor->type->to_float(row, ip_tensor_row(w->tensor, ip_weight_row(w, o)), w->inputs);
        y[o] = w->bias ? (double)w->bias[o] : 0;
        for (size_t i = 0; i < w->inputs; i++) y[o] += (double)row[i] * x[i];
    }
}

static void normalise(double *y, const ip_norm *norm, const double *x, double eps) {
    double sum = 0;
    for (size_t i = 0; i < norm->n; i++) sum += x[i] * x[i];
    for (size_t i = 0; i < norm->n; i++) y[i] = x[i] / sqrt(sum / (double)norm->n + eps) * (double)norm->gain[i];
}

static void rotate(double *x, const ip_rope *rope, size_t head, size_t heads, size_t position) {
    size_t half = rope->rotary / 2;
    for (size_t h = 0; h < heads; h++, x += head)
        for (size_t j = 0; j < half; j++) {
            double angle = (double)((float)position * rope->inverse[j]), a = x[j], b = x[j + half];
            double c = cos(angle) * (double)rope->magnitude, s = sin(angle) * (double)rope->magnitude;
            x[j] = a * c - b * s;
            x[j + half] = b * c + a * s;
        }
}

static void attend(double *out, const ip_block *block, double (*k)[WIDTH], double (*v)[WIDTH], const double *q,
                   size_t t) {
    size_t d = block->head;
    for (size_t h = 0; h < block->heads; h++) {
        size_t kv = h / (block->heads / block->kv_heads);
        size_t first = block->window > 0 && t + 1 > block->window ? t + 1 - block->window : 0;
        double score[POSITIONS], total = 0, most = -INFINITY;
        for (size_t u = first; u <= t; u++) {
            score[u] = 0;
            for (size_t i = 0; i < d; i++) score[u] += q[h * d + i] * k[u][kv * d + i];
            score[u] *= (double)block->attention_scale;
            most = fmax(most, score[u]);
        }
        for (size_t u = first; u <= t; u++) total += score[u] = exp(score[u] - most);
        for (size_t i = 0; i < d; i++) {
            out[h * d + i] = 0;
            for (size_t u = first; u <= t; u++) out[h * d + i] += score[u] / total * v[u][kv * d + i];
        }
    }
}

static void run_block(double (*x)[WIDTH], const ip_plan *plan, const ip_block *block, size_t positions) {
    static double k[POSITIONS][WIDTH], v[POSITIONS][WIDTH];
    for (size_t t = 0; t < positions; t++) {
        double h[WIDTH], q[WIDTH], mixed[WIDTH], y[WIDTH], gate[WIDTH], up[WIDTH];
        normalise(h, &block->attention_norm, x[t], (double)plan->norm_eps);
        product(q, &block->q, h);
        product(k[t], &block->k, h);
        product(v[t], &block->v, h);
        rotate(q, &plan->ropes[block->rope], block->head, block->heads, t);
        rotate(k[t], &plan->ropes[block->rope], block->head, block->kv_heads, t);
        attend(mixed, block, k, v, q, t);
        product(y, &block->o, mixed);
        for (size_t i = 0; i < plan->width; i++) x[t][i] += y[i];
        normalise(h, &block->mlp_norm, x[t], (double)plan->norm_eps);
        product(gate, &block->gate, h);
        product(up, &block->up, h);
        for (size_t i = 0; i < block->gate.outputs; i++) up[i] *= gate[i] / (1 + exp(-gate[i]));
        product(y, &block->down, up);
        for (size_t i = 0; i < plan->width; i++) x[t][i] += y[i];
    }
}

/* Largest error of a layer over its largest value. */
static double error_of(double (*x)[WIDTH], const float *wanted, size_t positions, size_t width) {
    double error = 0, most = 0;
    for (size_t t = 0; t < positions; t++)
        for (size_t i = 0; i < width; i++) {
            error = fmax(error, fabs(x[t][i] - (double)wanted[t * width + i]));
            most = fmax(most, fabs((double)wanted[t * width + i]));
        }
    return error / most;
}

static double run_case(const char *name) {
    ip_map ids, hidden;
    ip_error error;
    ip_model *model;
    cr_assert_eq(ip_map_open(&ids, shared_path("golden/families/%s/ids.npy", name), &error), IP_OK);
    cr_assert_eq(ip_map_open(&hidden, shared_path("golden/families/%s/hidden.npy", name), &error), IP_OK);
    ip_status status =
        ip_model_open(&model, shared_path("golden/families/%s/model.gguf", name), NULL, NULL, NULL, &error);
    cr_assert_eq(status, IP_OK, "%s", error.message);
    const ip_plan *plan = ip_model_plan(model);
    size_t positions = (size_t)(ids.data + ids.size - npy_data(&ids)) / 8, size = positions * plan->width;
    float *wanted = malloc((plan->layers + 1) * 2 * size * sizeof *wanted);
    memcpy(wanted, npy_data(&hidden), (plan->layers + 1) * 2 * size * sizeof *wanted);
    double worst = 0;
    for (size_t sequence = 0; sequence < 2; sequence++) {
        static double x[POSITIONS][WIDTH];
        for (size_t t = 0; t < positions; t++) {
            float row[WIDTH];
            int32_t id;
            memcpy(&id, npy_data(&ids) + 4 * (sequence * positions + t), 4);
            plan->embedding->type->to_float(row, ip_tensor_row(plan->embedding, (size_t)id), plan->width);
            for (size_t i = 0; i < plan->width; i++) x[t][i] = (double)(row[i] * plan->embedding_scale);
        }
        worst = fmax(worst, error_of(x, wanted + sequence * size, positions, plan->width));
        for (size_t layer = 1; layer <= plan->layers; layer++) {
            run_block(x, plan, &plan->blocks[layer - 1], positions);
            for (size_t t = 0; layer == plan->layers && t < positions; t++)
                normalise(x[t], &plan->final_norm, x[t], (double)plan->norm_eps);
            worst = fmax(worst, error_of(x, wanted + (2 * layer + sequence) * size, positions, plan->width));
        }
    }
    free(wanted);
    ip_model_close(model);
    ip_map_close(&ids);
    ip_map_close(&hidden);
    return worst;
}

Test(family_llama, plans_compute_what_transformers_computes) {
    static const char *const cases[] = {"llama-plain",  "llama-headdim-bias", "llama-base-export", "llama-llama3",
                                        "llama-linear", "llama-yarn",         "mistral-nemo"};
    int ran = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (shared_missing(shared_path("golden/families/%s/model.gguf", cases[i]))) continue;
        double worst = run_case(cases[i]);
        fprintf(stderr, "%s: largest relative error %.1e\n", cases[i], worst);
        cr_assert_lt(worst, 5e-6, "%s: %g", cases[i], worst);
        ran++;
    }
    cr_assert(ran == 0 || ran == 7);
}

static void gather(void *context, const char *line) { snprintf(context, 512, "%s", line); }

/* Rows and biases of one matrix in two plans are the same. */
static void compare(const ip_weight *a, const ip_weight *b, const char *what) {
    cr_assert(a->outputs == b->outputs && a->inputs == b->inputs && !a->bias == !b->bias, "%s", what);
    for (size_t o = 0; o < a->outputs; o++) {
        float x[WIDTH], y[WIDTH];
        a->tensor->type->to_float(x, ip_tensor_row(a->tensor, ip_weight_row(a, o)), a->inputs);
        b->tensor->type->to_float(y, ip_tensor_row(b->tensor, ip_weight_row(b, o)), b->inputs);
        cr_assert_arr_eq(x, y, a->inputs * sizeof *x, "%s, row %zu", what, o);
        if (a->bias) cr_assert_eq(a->bias[o], b->bias[o], "%s, bias %zu", what, o);
    }
}

/* One model in two files, q, k and v apart or fused, with biases. It is a qwen2, and read as a llama on request: that
 * changes the order of rows, alike in both; one with sinks in its attention cannot be made of it. */
Test(family_llama, fused_matrices_are_taken_apart) {
    const char *apart = shared_path("golden/families/qwen2/model.gguf");
    const char *fused = shared_path("golden/families/qwen2/model-fused.gguf");
    if (shared_missing(fused)) return;
    ip_model *a, *b;
    ip_error error;
    char warning[512] = "";
    cr_assert_eq(ip_model_open(&a, apart, NULL, NULL, NULL, &error), IP_OK, "%s", error.message);
    cr_assert_str_eq(ip_model_family(a), "qwen2");
    ip_model_close(a);
    cr_assert_eq(ip_model_open(&a, apart, "gpt-oss", NULL, NULL, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_model_open(&a, apart, "lama", NULL, NULL, &error), IP_USAGE);
    cr_assert_eq(ip_model_open(&a, apart, "llama", gather, warning, &error), IP_OK, "%s", error.message);
    cr_assert(strstr(warning, "qwen2"));
    cr_assert_eq(ip_model_open(&b, fused, "llama", NULL, NULL, &error), IP_OK, "%s", error.message);
    const ip_plan *p = ip_model_plan(a), *r = ip_model_plan(b);
    cr_assert(r->blocks[0].k.row0 == r->blocks[0].q.outputs && r->blocks[0].q.bias);
    for (size_t i = 0; i < p->layers; i++) {
        compare(&p->blocks[i].q, &r->blocks[i].q, "q");
        compare(&p->blocks[i].k, &r->blocks[i].k, "k");
        compare(&p->blocks[i].v, &r->blocks[i].v, "v");
    }
    ip_model_close(a);
    ip_model_close(b);
}

/* Un-permuting takes every row of the file once, keeps heads together, and leaves what is not rotated in its place. */
Test(family_llama, row_orders_are_permutations) {
    static const size_t heads[][2] = {{8, 8}, {10, 4}, {64, 2}, {6, 6}};
    for (size_t c = 0; c < 4; c++) {
        size_t head = heads[c][0], rotary = heads[c][1];
        ip_weight w = {.outputs = 3 * head, .inputs = 1, .row0 = 5, .unpermute = head, .rotary = rotary};
        bool seen[3 * 64 + 5] = {false};
        for (size_t i = 0; i < w.outputs; i++) {
            size_t row = ip_weight_row(&w, i), r = i % head;
            cr_assert(row >= 5 && (row - 5) / head == i / head && !seen[row]);
            seen[row] = true;
            if (r >= rotary) cr_assert_eq(row, 5 + i);
            /* The pair that is rotated together stood side by side. */
            if (r < rotary / 2) cr_assert_eq(ip_weight_row(&w, i + rotary / 2), row + 1);
        }
    }
}

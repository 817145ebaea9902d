/* How far the other arithmetics are from f32 on a real model and a real text: every H and I of every layer, and the loss.
 * The same tokens, anchors and labels; only the products differ. int8 is what inference programs do: its deviation is a
 * finding about them, not an error of this program. */
#include <math.h>
#include <stdio.h>

#include "bench/support.h"

static const char usage[] =
    "bench-deviation MODEL CORPUS [--documents 200] [--orders 4] [--isa best] [--threads N] [--bins 100] [--seed 0]";

/* The largest and the mean distance of one kind of figure, and where the largest is. */
typedef struct distance {
    double largest, sum;
    size_t layer, count;
} distance;

static void compare(distance *d, double value, double reference, size_t layer) {
    double off = fabs(value - reference);
    d->sum += off;
    d->count++;
    if (off > d->largest) {
        d->largest = off;
        d->layer = layer;
    }
}

static void print_distance(const char *name, const distance *d) {
    printf("  %-12s largest %.3e (layer %zu), mean %.3e, over %zu figures\n", name, d->largest, d->layer,
           d->sum / (double)d->count, d->count);
}

static void print_run(const ip_run *run, const ip_run *reference) {
    distance H = {0}, context = {0}, x = {0}, y = {0};
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *a = &run->layer[l], *b = &reference->layer[l];
        compare(&H, a->H, b->H, l);
        compare(&context, a->context, b->context, l);
        for (unsigned k = 0; k < run->orders; k++) {
            compare(&x, a->x[k].I, b->x[k].I, l);
            compare(&y, a->y[k].I, b->y[k].I, l);
        }
    }
    printf("%s against %s, nats\n", run->compute, reference->compute);
    print_distance("H(Z)", &H);
    print_distance("I(C;Z)", &context);
    print_distance("I(X;Z)", &x);
    print_distance("I(Y;Z)", &y);
    printf("  %-12s %+.3e (%.6f against %.6f per token)\n", "loss",
           run->loss.nats_per_token - reference->loss.nats_per_token, run->loss.nats_per_token,
           reference->loss.nats_per_token);
}

int main(int argc, char **argv) {
    static const char *const computes[] = {"f32", "int16", "bf16", "int8"};
    bench_args args = {0};
    ip_settings_default(&args.settings);
    args.settings.documents = 200;
    args.settings.orders = 4;
    args.settings.loss = true;
    if (!bench_parse(&args, argc, argv, 2, usage)) return IP_USAGE;
    ip_run *reference = NULL;
    ip_error error;
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < sizeof computes / sizeof *computes; i++) {
        args.settings.compute = computes[i];
        ip_run *run;
        status = ip_analyze(&run, args.positional[0], &args.positional[1], 1, &args.settings, NULL, NULL, &error);
        if (status != IP_OK) break;
        if (!reference) {
            printf("%s: %llu documents, %llu tokens, %llu positions, %llu layers\n", run->model_name,
                   (unsigned long long)run->documents, (unsigned long long)run->tokens,
                   (unsigned long long)run->positions, (unsigned long long)run->layers);
            reference = run;
            continue;
        }
        print_run(run, reference);
        fflush(stdout);
        ip_run_free(run);
    }
    ip_run_free(reference);
    if (status != IP_OK) fprintf(stderr, "%s\n", error.message);
    return status;
}

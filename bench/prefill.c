/* Prefill: documents of one length through all layers, hidden states only, nothing estimated.
 *
 * The rate is tokens over the time of a whole pass, the packing of every layer's weights included. --parts adds one more
 * pass on a table of timed kernels and says what each kernel took. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/support.h"
#include "bench/timed_kernels.h"

static const char usage[] =
    "bench-prefill MODEL [CORPUS] [--documents 16] [--tokens 512] [--compute auto] [--isa best] [--threads N]\n"
    "       [--repeats 5] [--parts]\n"
    "CORPUS: the documents are cut from its tokens; without it ids are drawn by a fixed seed.";

static int by_seconds(const void *a, const void *b) {
    const timed_kernel *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static ip_status print_parts(bench_run *run, ip_error *error) {
    double seconds;
    ip_status status = bench_pass(run, timed_kernels_begin(run->session.kernels), &seconds, error);
    if (status != IP_OK) return status;
    const timed_kernel *rows;
    timed_kernel sorted[64];
    size_t count = timed_kernels_end(&rows);
    for (size_t i = 0; i < count; i++) sorted[i] = rows[i];
    qsort(sorted, count, sizeof *sorted, by_seconds);
    double all = seconds * ip_pool_threads(run->session.pool), rest = all;
    printf("\nkernel             calls    seconds    share   (all threads; with the clocks %.2f s)\n", all);
    for (size_t i = 0; i < count && sorted[i].calls > 0; i++) {
        rest -= sorted[i].seconds;
        printf("  %-12s %9llu %10.3f %7.1f %%\n", sorted[i].name, (unsigned long long)sorted[i].calls,
               sorted[i].seconds, 100 * sorted[i].seconds / all);
    }
    printf("  %-12s %9s %10.3f %7.1f %%   dequantisation, copies, waiting, the clocks\n", "the rest", "", rest,
           100 * rest / all);
    return IP_OK;
}

static ip_status measure(bench_run *run, const bench_args *args, ip_error *error) {
    double *times = calloc(args->repeats, sizeof *times), seconds;
    if (!times) return ip_fail(error, IP_FAILED, "out of memory");
    ip_status status = bench_pass(run, NULL, &seconds, error); /* pages of the model, clocks of the CPU */
    for (size_t i = 0; status == IP_OK && i < args->repeats; i++) status = bench_pass(run, NULL, &times[i], error);
    if (status == IP_OK) {
        double tokens = (double)run->session.corpus.tokens, median = bench_median(times, args->repeats);
        printf("tokens/s %.1f (median of %zu, %.1f to %.1f)\n", tokens / median, args->repeats,
               tokens / times[args->repeats - 1], tokens / times[0]);
        if (args->parts) status = print_parts(run, error);
    }
    free(times);
    return status;
}

int main(int argc, char **argv) {
    bench_args args = {.tokens = 512, .repeats = 5};
    ip_settings_default(&args.settings);
    args.settings.documents = 16;
    if (!bench_parse(&args, argc, argv, 1, usage)) return IP_USAGE;
    bench_run run;
    ip_error error = {IP_OK, ""};
    ip_status status = bench_open(&run, args.positional[0], args.positional[1], args.tokens, &args.settings, &error);
    if (status == IP_OK) {
        char arithmetic[32];
        ip_compute_describe(&run.session, arithmetic, sizeof arithmetic);
        printf("%s, %s, %u thread%s, %zu documents of %zu tokens\n", run.session.kernels->name, arithmetic,
               ip_pool_threads(run.session.pool), ip_pool_threads(run.session.pool) > 1 ? "s" : "",
               run.session.corpus.documents, args.tokens);
        status = measure(&run, &args, &error);
    }
    bench_close(&run);
    if (status != IP_OK) fprintf(stderr, "%s\n", error.message);
    return status;
}

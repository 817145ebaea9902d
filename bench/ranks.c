/* How the time of an analysis grows smaller with the number of ranks, on one machine: of N ranks the one with the most
 * tokens is run alone, through a door that sends nothing but counts every byte and every call. What it computes is what a rank of N computes (its
 * figures are wrong, its work is not: what others would send is filled in), and its time and its bytes give the time of
 * the whole on a given network:
 *
 *     seconds computed + bytes received / bandwidth + calls * ceil(log2 N) * latency
 *
 * The others wait for this rank, so its time is the job's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"
#include "core/base/ranks_door.h"

static const char usage[] =
    "bench-ranks MODEL CORPUS [--documents 256] [--orders 3] [--compute auto] [--threads 1] [--loss]";

static struct { uint64_t received, calls; } traffic;

static void count_sum(uint64_t *numbers, size_t n, bool wide) {
    (void)numbers;
    traffic.calls++;
    traffic.received += n * (wide ? 16 : 8);
}

static void count_swap(const ip_parcel *out, size_t out_count, const ip_parcel *in, size_t in_count) {
    (void)out;
    (void)out_count;
    traffic.calls += in_count > 0 || out_count > 0;
    for (size_t i = 0; i < in_count; i++) {
        float *to = in[i].data;
        for (uint64_t k = 0; k < in[i].bytes / sizeof *to; k++) to[k] = 0.01f;
        traffic.received += in[i].bytes;
    }
}

static unsigned rank_now, ranks_now;

static void count_spread(void *data, const uint64_t *borders) {
    (void)data;
    traffic.calls++;
    traffic.received += borders[ranks_now] - (borders[rank_now + 1] - borders[rank_now]);
}

static const ip_ranks_door door = {
    .version = IP_RANKS_DOOR, .sum = count_sum, .swap = count_swap, .spread = count_spread};

static double on_network(double seconds, unsigned of, double bandwidth, double latency) {
    return seconds + (double)traffic.received / bandwidth + (double)traffic.calls * ceil(log2(of)) * latency;
}

static unsigned fullest(const ip_corpus *corpus, unsigned of) {
    uint64_t deal[65];
    unsigned best = 0;
    ip_deal_documents(deal, corpus, 1, of);
    uint64_t most = 0;
    for (unsigned r = 0; r < of; r++) {
        uint64_t tokens = corpus->offsets[deal[r + 1]] - corpus->offsets[deal[r]];
        if (tokens > most) best = r;
        if (tokens > most) most = tokens;
    }
    return best;
}

static ip_status one(const bench_args *args, const ip_corpus *corpus, unsigned of, double *alone, ip_error *error) {
    rank_now = fullest(corpus, of);
    ip_ranks ranks = {.rank = rank_now, .of = of, .local = 1, .machine = "bench", .door = &door};
    ip_host host = {.ranks = of > 1 ? &ranks : NULL};
    ip_run *run;
    ranks_now = of;
    memset(&traffic, 0, sizeof traffic);
    ip_status status =
        ip_analyze(&run, args->positional[0], &args->positional[1], 1, &args->settings, NULL, &host, error);
    if (status != IP_OK) return status;
    if (of == 1) *alone = run->seconds;
    double fast = on_network(run->seconds, of, 1.25e9, 30e-6), slow = on_network(run->seconds, of, 1.25e8, 100e-6);
    double estimate = 0;
    for (size_t i = 0; i < run->stage_count; i++)
        if (strcmp(run->stages[i].name, "estimate") == 0) estimate = run->stages[i].seconds;
    printf("%5u %10.2f %10.2f %12.1f %8llu %12.2f %6.1f %12.2f %6.1f %10.1f\n", of, run->seconds, estimate,
           (double)traffic.received / 1e6, (unsigned long long)traffic.calls, fast, *alone / fast, slow, *alone / slow,
           (double)run->peak_memory / 0x1p20);
    fflush(stdout);
    ip_run_free(run);
    return IP_OK;
}

int main(int argc, char **argv) {
    bench_args args = {0};
    ip_error error;
    ip_settings_default(&args.settings);
    args.settings.documents = 256;
    args.settings.threads = 1;
    if (!bench_parse(&args, argc, argv, 2, usage)) return IP_USAGE;
    args.settings.loss = args.loss;
    puts("        computed   of it in     received             10 Gbit/s, 30 us       1 Gbit/s, 100 us    anonymous\n"
         "ranks          s    estimate           MB    calls            s      x            s      x          MiB");
    double alone = 0;
    bench_run run;
    ip_status status = bench_open(&run, args.positional[0], args.positional[1], 0, &args.settings, &error);
    if (status == IP_OK && run.session.corpus.documents < 64)
        status = ip_fail(&error, IP_BAD_INPUT, "%s: 64 ranks need as many documents", args.positional[1]);
    for (unsigned of = 1; status == IP_OK && of <= 64; of *= 2)
        status = one(&args, &run.session.corpus, of, &alone, &error);
    bench_close(&run);
    if (status != IP_OK) fprintf(stderr, "bench-ranks: %s\n", error.message);
    return (int)status;
}

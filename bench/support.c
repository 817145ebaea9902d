/* Runs for the benches. */
#include "bench/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- documents ---- */

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* settings->documents documents of `tokens` ids each, taken from the front of the corpus or drawn. */
static ip_status cut_documents(ip_session *session, size_t tokens, bool drawn, ip_error *error) {
    ip_corpus *corpus = &session->corpus;
    size_t documents = (size_t)session->settings->documents, all = documents * tokens;
    if (!drawn && corpus->tokens < all)
        return ip_fail(error, IP_BAD_INPUT, "the corpus has %llu tokens, %zu documents of %zu are asked for",
                       (unsigned long long)corpus->tokens, documents, tokens);
    int32_t *ids = malloc((all + 1) * sizeof *ids);
    uint64_t *offsets = malloc((documents + 1) * sizeof *offsets);
    if (!ids || !offsets) {
        free(ids);
        free(offsets);
        return ip_fail(error, IP_FAILED, "out of memory for %zu tokens", all);
    }
    uint64_t state = 1, vocabulary = ip_model_plan(session->model)->vocabulary;
    for (size_t i = 0; i < all; i++) ids[i] = drawn ? (int32_t)(next_random(&state) % vocabulary) : corpus->ids[i];
    for (size_t d = 0; d <= documents; d++) offsets[d] = d * tokens;
    ip_corpus_free(corpus);
    *corpus = (ip_corpus){.ids = ids, .offsets = offsets, .documents = documents, .tokens = all};
    return IP_OK;
}

static ip_status open_corpus(bench_run *run, const char *corpus, size_t tokens, ip_error *error) {
    if (tokens == 0) return ip_session_corpus(&run->session, &corpus, 1, error);
    ip_settings asked = run->settings;
    run->settings.documents = 0;
    run->settings.max_tokens = 0;
    ip_status status = corpus ? ip_session_corpus(&run->session, &corpus, 1, error) : IP_OK;
    run->settings = asked;
    return status == IP_OK ? cut_documents(&run->session, tokens, !corpus, error) : status;
}

ip_status bench_open(bench_run *run, const char *model, const char *corpus, size_t tokens, const ip_settings *settings,
                     ip_error *error) {
    memset(run, 0, sizeof *run);
    run->store.scratch.fd = -1;
    run->settings = *settings;
    ip_session *session = &run->session;
    ip_status status = ip_session_open(session, &run->settings, NULL, error);
    if (status == IP_OK) status = ip_session_model(session, model, error);
    if (status == IP_OK) status = open_corpus(run, corpus, tokens, error);
    if (status == IP_OK) status = ip_tiling_make(&run->tiling, &session->corpus, error);
    if (status == IP_OK)
        status = ip_forward_open(&run->forward, session->model, session->kernels, session->compute, &run->tiling, true,
                                 session->pool, error);
    if (status == IP_OK)
        status = ip_store_open(&run->store, session->corpus.tokens, run->forward.plan->width, session->corpus.tokens,
                               "", error);
    return status;
}

void bench_close(bench_run *run) {
    ip_store_close(&run->store);
    ip_forward_close(&run->forward);
    ip_tiling_free(&run->tiling);
    ip_session_close(&run->session, IP_OK, NULL);
}

/* ---- passes ---- */

static ip_status drop_tile(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                           ip_error *error) {
    (void)context;
    (void)layer;
    (void)worker;
    (void)tile;
    (void)h;
    (void)error;
    return IP_OK;
}

static ip_status drop_layer(void *context, size_t layer, ip_error *error) {
    (void)context;
    (void)layer;
    (void)error;
    return IP_OK;
}

ip_status bench_pass(bench_run *run, const ip_kernels *kernels, double *seconds, ip_error *error) {
    const ip_kernels *chosen = run->session.kernels;
    if (kernels) run->session.kernels = run->forward.kernels = kernels;
    ip_layers layers = {
        .session = &run->session, .tiling = &run->tiling, .forward = &run->forward, .store = &run->store};
    ip_visitor visitor = {NULL, drop_tile, drop_layer};
    double start = ip_seconds();
    ip_status status = ip_layers_run(&layers, &visitor, error);
    *seconds = ip_seconds() - start;
    run->session.kernels = run->forward.kernels = chosen;
    return status;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t n) {
    qsort(values, n, sizeof *values, by_value);
    return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/* ---- command lines ---- */

static bool take_number(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

/* 1: taken, with its value; 0: unknown or a bad value. */
static int take_value(bench_args *args, const char *name, const char *value) {
    uint64_t n = 0;
    bool number = take_number(value, &n);
    if (strcmp(name, "--compute") == 0)
        args->settings.compute = value;
    else if (strcmp(name, "--isa") == 0)
        args->settings.isa = value;
    else if (strcmp(name, "--memory") == 0)
        return ip_parse_size(value, &args->settings.memory);
    else if (!number)
        return 0;
    else if (strcmp(name, "--documents") == 0)
        args->settings.documents = n;
    else if (strcmp(name, "--orders") == 0)
        args->settings.orders = (unsigned)n;
    else if (strcmp(name, "--threads") == 0)
        args->settings.threads = (unsigned)n;
    else if (strcmp(name, "--bins") == 0)
        args->settings.bins = n;
    else if (strcmp(name, "--seed") == 0)
        args->settings.seed = n;
    else if (strcmp(name, "--tokens") == 0)
        args->tokens = (size_t)n;
    else if (strcmp(name, "--repeats") == 0 && n > 0)
        args->repeats = (size_t)n;
    else
        return 0;
    return 1;
}

bool bench_parse(bench_args *args, int argc, char **argv, size_t least, const char *usage) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--parts") == 0) {
            args->parts = true;
        } else if (strcmp(argv[i], "--loss") == 0) {
            args->loss = args->settings.loss = true;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            if (i + 1 >= argc || !take_value(args, argv[i], argv[i + 1])) {
                fprintf(stderr, "%s %s: unknown, or no good value\nusage: %s\n", argv[i],
                        i + 1 < argc ? argv[i + 1] : "", usage);
                return false;
            }
            i++;
        } else if (args->count < BENCH_POSITIONAL) {
            args->positional[args->count++] = argv[i];
        }
    }
    if (args->count >= least) return true;
    fprintf(stderr, "usage: %s\n", usage);
    return false;
}

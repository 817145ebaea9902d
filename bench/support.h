/* What the benches share: a model and documents opened as the engine opens them, passes through all layers, and little
 * statistics. */
#ifndef IP_BENCH_SUPPORT_H
#define IP_BENCH_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/forward/layers.h"
#include "core/infoplane.h"

/* Everything that stands ready before the first pass. It holds pointers into itself: not to be copied. */
typedef struct bench_run {
    ip_settings settings;
    ip_session session;
    ip_tiling tiling;
    ip_forward forward;
    ip_store store;
} bench_run;

/* Opens model and corpus. `tokens` > 0: the corpus' ids are joined and cut again into settings->documents documents of
 * exactly so many tokens, and corpus may be NULL: then ids are drawn from the vocabulary by a fixed seed. tokens 0: the
 * documents as they stand. Close it whatever was returned. */
ip_status bench_open(bench_run *run, const char *model, const char *corpus, size_t tokens, const ip_settings *settings,
                     ip_error *error);
void bench_close(bench_run *run);

/* All documents through all layers, packing included; the states go nowhere. kernels: a table to run on in place of the
 * chosen one, or NULL. */
ip_status bench_pass(bench_run *run, const ip_kernels *kernels, double *seconds, ip_error *error);

/* Median of n values; sorts them. */
double bench_median(double *values, size_t n);

/* ---- command lines: positional arguments and "--name value", the settings of the engine among them ---- */

enum { BENCH_POSITIONAL = 4 };

typedef struct bench_args {
    const char *positional[BENCH_POSITIONAL];
    size_t count;
    ip_settings settings; /* --documents, --orders, --compute, --isa, --threads, --memory, --bins, --seed */
    size_t tokens;        /* --tokens */
    size_t repeats;       /* --repeats */
    bool parts, loss;     /* --parts, --loss */
} bench_args;

/* False after a line on stderr: what is wrong, and usage. The caller has set defaults. */
bool bench_parse(bench_args *args, int argc, char **argv, size_t least, const char *usage);

#endif

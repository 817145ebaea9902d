/* A whole analysis, stage by stage, beside the bare forward pass over the same documents.
 *
 * Passes and analyses run in turns, so that both see the same machine. "The estimator on top" is what the analysis takes
 * beyond the pass: soft assignments (they run inside the stage "forward", tile by tile), label sums, n-gram tables;
 * tokenizing, the fingerprint of the model file and the loss are not the estimator's and are told apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"

static const char usage[] = "bench-stages MODEL CORPUS [--documents 200] [--orders 3] [--compute auto] [--isa best] "
                            "[--threads N] [--memory SIZE]\n"
                            "       [--loss] [--repeats 3]";

enum { STAGES = 8 };

typedef struct table {
    size_t stages, repeats;
    const char *name[STAGES];
    double *seconds[STAGES]; /* [repeats] */
    double *pass, *analysis;
    uint64_t peak;
} table;

static double *row_of(table *t, const char *name) {
    size_t i = 0;
    while (i < t->stages && strcmp(t->name[i], name) != 0) i++;
    if (i == STAGES) return NULL;
    if (i == t->stages) {
        t->name[t->stages] = name;
        t->seconds[t->stages++] = calloc(t->repeats, sizeof(double));
    }
    return t->seconds[i];
}

static ip_status one_analysis(table *t, size_t i, const bench_args *args, ip_error *error) {
    ip_run *run;
    ip_status status =
        ip_analyze(&run, args->positional[0], &args->positional[1], 1, &args->settings, NULL, NULL, error);
    if (status != IP_OK) return status;
    t->analysis[i] = run->seconds;
    t->peak = run->peak_memory > t->peak ? run->peak_memory : t->peak;
    for (size_t s = 0; s < run->stage_count; s++) {
        double *row = row_of(t, run->stages[s].name);
        if (row) row[i] = run->stages[s].seconds;
    }
    ip_run_free(run);
    return IP_OK;
}

static bool estimators(const char *stage) {
    return strcmp(stage, "labels") == 0 || strcmp(stage, "estimate") == 0 || strcmp(stage, "forward") == 0 ||
           strcmp(stage, "pack") == 0;
}

static void print(table *t, uint64_t tokens, uint64_t planned) {
    double all = bench_median(t->analysis, t->repeats), pass = bench_median(t->pass, t->repeats), with = 0, named = 0;
    printf("analysis  %10.3f s %10.1f tokens/s   (medians of %zu)\n", all, (double)tokens / all, t->repeats);
    for (size_t i = 0; i < t->stages; i++) {
        double seconds = bench_median(t->seconds[i], t->repeats);
        named += seconds;
        if (estimators(t->name[i])) with += seconds;
        printf("  %-12s %7.3f s %6.1f %%%s\n", t->name[i], seconds, 100 * seconds / all,
               strcmp(t->name[i], "forward") == 0 ? "   with the soft assignments" : "");
    }
    printf("  %-12s %7.3f s %6.1f %%\n", "the rest", all - named, 100 * (all - named) / all);
    printf("prefill   %10.3f s %10.1f tokens/s   the same documents, nothing estimated\n", pass, (double)tokens / pass);
    printf("the estimator on top of it: %.1f %%\n", 100 * (with / pass - 1));
    printf("peak anonymous memory %.1f MiB, --plan says %.1f MiB: %.3f of it\n", (double)t->peak / 0x1p20,
           (double)planned / 0x1p20, (double)t->peak / (double)planned);
}

static ip_status measure(const bench_args *args, table *t, bench_run *run, ip_error *error) {
    ip_plan_report plan;
    ip_status status =
        ip_analyze_plan(&plan, args->positional[0], &args->positional[1], 1, &args->settings, NULL, error);
    if (status != IP_OK) return status;
    uint64_t planned = plan.memory;
    ip_plan_report_free(&plan);
    for (size_t i = 0; status == IP_OK && i < t->repeats; i++) {
        status = bench_open(run, args->positional[0], args->positional[1], 0, &args->settings, error);
        if (status == IP_OK) status = bench_pass(run, NULL, &t->pass[i], error);
        bench_close(run); /* it would count as the analysis' memory */
        if (status == IP_OK) status = one_analysis(t, i, args, error);
    }
    if (status != IP_OK) return status;
    status = bench_open(run, args->positional[0], args->positional[1], 0, &args->settings, error);
    if (status == IP_OK) {
        char arithmetic[32];
        ip_compute_describe(&run->session, arithmetic, sizeof arithmetic);
        printf("%s, %s, %u threads, orders 1-%u: %zu documents, %llu tokens\n", run->session.kernels->name, arithmetic,
               ip_pool_threads(run->session.pool), args->settings.orders, run->session.corpus.documents,
               (unsigned long long)run->session.corpus.tokens);
        print(t, run->session.corpus.tokens, planned);
    }
    bench_close(run);
    return status;
}

int main(int argc, char **argv) {
    bench_args args = {.repeats = 3};
    ip_settings_default(&args.settings);
    args.settings.documents = 200;
    if (!bench_parse(&args, argc, argv, 2, usage)) return IP_USAGE;
    table t = {.repeats = args.repeats};
    t.pass = calloc(2 * args.repeats, sizeof *t.pass);
    if (!t.pass) return IP_FAILED;
    t.analysis = t.pass + args.repeats;
    bench_run run;
    ip_error error = {IP_OK, ""};
    ip_status status = measure(&args, &t, &run, &error);
    for (size_t i = 0; i < t.stages; i++) free(t.seconds[i]);
    free(t.pass);
    if (status != IP_OK) fprintf(stderr, "%s\n", error.message);
    return status;
}

/* The bench: rounds over all jobs, the table, and what happens with the samples. */
#define _DEFAULT_SOURCE
#include "tests/kernels/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/dispatch.h"
#include "core/base/status.h"
#include "tests/kernels/bench_stats.h"
#include "tests/kernels/peak.h"

enum { CHAIN = 64 * 4096 }; /* additions: about 0.1 ms */

/* Processor time of this one-threaded program: other work on the machine disturbs it least. */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool bench_is_peak(const char *kernel) { return strncmp(kernel, "peak_", 5) == 0; }

bool bench_wanted(const bench_options *o, const char *isa, const char *kernel, const char *what) {
    char all[3 * BENCH_NAME + 2];
    snprintf(all, sizeof all, "%s %s %s", isa, kernel, what);
    if (o->isa && strcmp(o->isa, isa) != 0) return false;
    /* The peaks stay: they tell whether the machine moved. */
    if (bench_is_peak(kernel)) return true;
    return (!o->kernel || strcmp(o->kernel, kernel) == 0) && (!o->filter || strstr(all, o->filter));
}

/* How often a job is called for a sample, from calls that take at least a tenth of one. */
static size_t calls_for(bench_arena *arena, const bench_job *job, double sample) {
    for (size_t calls = 1;; calls *= 4) {
        double start = seconds();
        for (size_t i = 0; i < calls; i++) bench_call(arena, job);
        double spent = seconds() - start;
        if (spent >= sample / 10) {
            size_t wanted = (size_t)(sample / spent * (double)calls + 0.5);
            return wanted > 0 ? wanted : 1;
        }
    }
}

static double chain(void) {
    double start = seconds();
    peak_chain(CHAIN);
    return seconds() - start;
}

static void take_sample(bench_arena *arena, bench_job *job, bench_row *row, double sample) {
    bench_prepare(arena, job);
    if (job->calls == 0) job->calls = calls_for(arena, job, sample);
    bench_call(arena, job); /* operands come into the cache */
    double before = chain(), start = seconds();
    for (size_t i = 0; i < job->calls; i++) bench_call(arena, job);
    double spent = seconds() - start, hz = 2 * CHAIN / (before + chain());
    double each = spent / ((double)job->calls * job->elements);
    row->ns[row->count] = each * 1e9;
    row->cycles[row->count++] = each * hz;
}

/* Cycles per multiply-accumulate of the peak that a product's row is measured against. */
static double peak_of(const bench_run *run, const bench_job *jobs, const bench_job *job) {
    for (size_t i = 0; job->has_peak && i < run->count; i++)
        if (bench_is_peak(run->rows[i].kernel) && jobs[i].kernels == job->kernels && jobs[i].arith == job->arith)
            return bench_median(run->rows[i].cycles, run->rows[i].count);
    return 0;
}

static void append(char *out, size_t room, const char *before, const char *text) {
    size_t used = strlen(out);
    snprintf(out + used, room - used, "%s%s", before, text);
}

static void describe(bench_run *run) {
    ip_arch_cpu_name(run->cpu, sizeof run->cpu);
    ip_make_printable(run->cpu);
#if defined(__clang__)
    snprintf(run->compiler, sizeof run->compiler, "%s", __VERSION__);
#else
    snprintf(run->compiler, sizeof run->compiler, "gcc %s", __VERSION__);
#endif
    for (size_t i = 0; i < ip_arch_count(); i++) {
        ip_isa_info info;
        if (ip_arch_info(i, &info) != IP_OK || !info.usable) continue;
        append(run->features, sizeof run->features, run->features[0] ? " " : "", info.name);
        for (size_t f = 0; info.features[f]; f++)
            if (info.feature_usable[f]) append(run->features, sizeof run->features, "+", info.features[f]);
    }
}

/* Jobs that nobody asked for leave the list. */
static size_t keep_wanted(const bench_options *o, bench_job *jobs, size_t n) {
    size_t kept = 0, kernels = 0;
    for (size_t i = 0; i < n; i++) {
        const bench_job *j = &jobs[i];
        if (!bench_wanted(o, j->kernels->name, j->kernel, j->what)) continue;
        kernels += !bench_is_peak(j->kernel);
        jobs[kept++] = *j;
    }
    return kernels > 0 ? kept : 0;
}

/* 0, or an exit code. */
static int measure(bench_run *run, const ip_kernels *const *tables, size_t n, const bench_options *o) {
    size_t rounds = o->quick ? BENCH_ROUNDS_QUICK : BENCH_ROUNDS, count;
    double sample = o->quick ? 1e-3 : 4e-3;
    bench_job *jobs = bench_jobs(tables, n, o->quick, &count);
    count = keep_wanted(o, jobs, count);
    if (count == 0) {
        fprintf(stderr, "check-kernels: no kernel and shape of this machine has '%s' in its name\n",
                o->filter   ? o->filter
                : o->kernel ? o->kernel
                            : "");
        free(jobs);
        return IP_USAGE;
    }
    describe(run);
    run->quick = o->quick;
    run->rows = calloc(count, sizeof *run->rows);
    bench_arena *arena = bench_arena_create(jobs, count);
    if (!run->rows || !arena) {
        fprintf(stderr, "check-kernels: no memory for the bench's buffers\n");
        bench_arena_free(arena);
        free(jobs);
        return IP_FAILED;
    }
    run->count = count;
    for (size_t i = 0; i < count; i++) {
        snprintf(run->rows[i].isa, BENCH_NAME, "%s", jobs[i].kernels->name);
        snprintf(run->rows[i].kernel, BENCH_NAME, "%s", jobs[i].kernel);
        snprintf(run->rows[i].what, BENCH_NAME, "%s", jobs[i].what);
    }
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++) take_sample(arena, &jobs[i], &run->rows[i], sample);
    for (size_t i = 0; i < count; i++) run->rows[i].peak = peak_of(run, jobs, &jobs[i]);
    bench_arena_free(arena);
    free(jobs);
    return IP_OK;
}

static void print_table(const bench_options *o, const bench_run *run) {
    const char *emulated = getenv("INFOPLANE_EMULATED");
    printf("\n%s; %s; %s\n", run->cpu, run->features, run->compiler);
    if (!o->read && emulated && strcmp(emulated, "1") == 0) printf("emulated: these are the emulator's times\n");
    printf(
        "ns, cycles, G/s: per element, which is a multiply-accumulate of gemm_*, attention and peak_*, else a number\n"
        "read. Medians of %zu samples in rounds over all kernels; cycles by a chain of dependent additions beside\n"
        "each sample; [ ]: holds the median of cycles with 95 %%; of peak: of what the product's own instruction\n"
        "does in registers (peak_*).\n\n",
        run->rows[0].count);
    printf("%-26s %-12s %-28s %9s %9s   %-22s %9s %8s\n", "isa", "kernel", "shape", "ns", "cycles", "[ 95 % interval ]",
           "G/s", "of peak");
    for (size_t i = 0; i < run->count; i++) {
        const bench_row *r = &run->rows[i];
        if (!bench_wanted(o, r->isa, r->kernel, r->what)) continue;
        double ns = bench_median(r->ns, r->count), cycles = bench_median(r->cycles, r->count), low, high;
        bench_median_interval(r->cycles, r->count, &low, &high);
        printf("%-26s %-12s %-28s %#9.4g %#9.4g   [ %#8.4g, %#8.4g ] %#9.4g", r->isa, r->kernel, r->what, ns, cycles,
               low, high, 1 / ns);
        if (r->peak > 0) printf(" %6.1f %%", 100 * r->peak / cycles);
        printf("\n");
    }
}

int bench(const ip_kernels *const *tables, size_t n, const bench_options *o) {
    bench_run now = {0}, old = {0};
    int status = o->against ? bench_load(&old, o->against) : 0; /* before minutes are spent */
    if (status == 0) status = o->read ? bench_load(&now, o->read) : measure(&now, tables, n, o);
    if (status == 0) print_table(o, &now);
    if (status == 0 && o->save) status = bench_save(&now, o->save);
    if (status == 0 && o->against && now.quick != old.quick)
        printf("\nnote: one of the two runs is --quick, with fewer shapes and shorter samples\n");
    if (status == 0 && o->against && bench_compare(o, &now, &old) > 0) status = 1;
    free(now.rows);
    free(old.rows);
    return status;
}

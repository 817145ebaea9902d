/* The kernel writer's bench: what its files share.
 *
 * The idea. A job is one kernel of one table on one shape. All jobs are timed in turn, round after round, so that a
 * disturbance of the machine hits one round of many kernels and not all rounds of one; a sample is one visit. Beside
 * each sample a chain of dependent additions, one cycle each, tells the clock of that moment: cycles need no counter
 * of the kernel's. What is reported are medians with intervals from order statistics, what is compared are the samples
 * themselves (bench_stats.h). */
#ifndef IP_TESTS_KERNELS_BENCH_H
#define IP_TESTS_KERNELS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/kernels.h"

enum { BENCH_ROUNDS = 15, BENCH_ROUNDS_QUICK = 9, BENCH_SAMPLES = 30, BENCH_NAME = 64 };

/* What a kernel writer reads and a file holds. */
typedef struct bench_row {
    char isa[BENCH_NAME], kernel[BENCH_NAME], what[BENCH_NAME]; /* what: the shape */
    size_t count;
    double ns[BENCH_SAMPLES], cycles[BENCH_SAMPLES]; /* per element */
    double peak;                                     /* cycles per element of the peak; 0: none is defined */
} bench_row;

/* A run, measured or read. */
typedef struct bench_run {
    char cpu[128], features[256], compiler[128];
    bool quick;
    bench_row *rows;
    size_t count;
} bench_run;

/* Instruction peaks stand among the rows; they tell about the machine, not about a kernel. */
bool bench_is_peak(const char *kernel);

/* ---- one job (bench_jobs.c) ---- */

typedef struct bench_job {
    const ip_kernels *kernels;
    const char *kernel;
    char what[BENCH_NAME];
    double elements; /* of one call; of products and attention: multiply-accumulates */
    bool has_peak;
    ip_arith arith;
    size_t n, k;
    unsigned group, bits;
    bool has_min;
    size_t calls; /* that make a sample; 0: not known yet */
} bench_job;

/* Buffers of the largest job, shared by all; memory is that of one job at a time. */
typedef struct bench_arena bench_arena;

/* The jobs of some tables, without those an earlier table has with the same code. Freed by the caller; NULL: none. */
bench_job *bench_jobs(const ip_kernels *const *tables, size_t n, bool quick, size_t *count);
bench_arena *bench_arena_create(const bench_job *jobs, size_t count);
void bench_arena_free(bench_arena *arena);
/* Fills the buffers as this job wants them; then calls can be timed. */
void bench_prepare(bench_arena *arena, const bench_job *job);
void bench_call(bench_arena *arena, const bench_job *job);

/* ---- files (bench_file.c): 0 done, else an exit code, its line printed ---- */

int bench_save(const bench_run *run, const char *path);
int bench_load(bench_run *run, const char *path);

/* ---- comparison (bench_compare.c) ---- */

typedef struct bench_options {
    const char *isa, *kernel; /* as the checker's */
    const char *filter;       /* part of "isa kernel shape" */
    const char *save, *against, *read;
    bool quick;
    double threshold; /* a slower kernel within it is no regression: 0.05 */
} bench_options;

bool bench_wanted(const bench_options *o, const char *isa, const char *kernel, const char *what);
/* Prints the ratios; the number of regressions. */
size_t bench_compare(const bench_options *o, const bench_run *now, const bench_run *old);

/* The whole: 0 done, 1 something regressed or could not be written, 3 a bad file. */
int bench(const ip_kernels *const *tables, size_t n, const bench_options *o);

#endif

/* Two runs, kernel by kernel: the ratio of medians with its interval, and which slower ones are no accident.
 *
 * A regression is all of: slower by more than the threshold, an interval of the ratio that lies above 1, and a rank
 * test that stays significant when the number of kernels is reckoned with (Benjamini and Hochberg, 1 % of what is
 * flagged may be false). The instruction peaks are printed first: where they moved, the machine did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/bench.h"
#include "tests/kernels/bench_stats.h"

#define FALSE_RATE 0.01

typedef struct pair {
    const bench_row *now, *old;
    double ratio, low, high, slower, faster; /* the last two: p, then adjusted */
} pair;

static const bench_row *find(const bench_run *run, const bench_row *like) {
    for (size_t i = 0; i < run->count; i++) {
        const bench_row *r = &run->rows[i];
        if (strcmp(r->kernel, like->kernel) == 0 && strcmp(r->isa, like->isa) == 0 && strcmp(r->what, like->what) == 0)
            return r;
    }
    return NULL;
}

static void name_lonely(const bench_options *o, const bench_run *run, const bench_run *other, const char *where) {
    size_t lonely = 0;
    for (size_t i = 0; i < run->count; i++) {
        const bench_row *r = &run->rows[i];
        if (!bench_wanted(o, r->isa, r->kernel, r->what) || find(other, r)) continue;
        printf("%s %s: %s %s, %s\n", lonely++ ? "    " : "only", where, r->isa, r->kernel, r->what);
    }
}

static void measure(pair *p) {
    p->ratio = bench_median(p->now->cycles, p->now->count) / bench_median(p->old->cycles, p->old->count);
    bench_ratio_interval(p->now->cycles, p->now->count, p->old->cycles, p->old->count, &p->low, &p->high);
    p->slower = bench_above(p->now->cycles, p->now->count, p->old->cycles, p->old->count);
    p->faster = bench_above(p->old->cycles, p->old->count, p->now->cycles, p->now->count);
}

static int by_ratio(const void *a, const void *b) {
    double x = ((const pair *)a)->ratio, y = ((const pair *)b)->ratio;
    return (x > y) - (x < y);
}

/* p to adjusted p, in place, for one of the two sides. */
static void adjust(pair *pairs, double *scratch, size_t n, size_t offset) {
    for (size_t i = 0; i < n; i++) scratch[i] = *(const double *)((const char *)&pairs[i] + offset);
    bench_adjust(scratch, n);
    for (size_t i = 0; i < n; i++) *(double *)((char *)&pairs[i] + offset) = scratch[i];
}

static void print_peaks(const pair *peaks, size_t n) {
    if (n == 0) return;
    printf("instruction peaks, now / then: %.3f to %.3f", peaks[0].ratio, peaks[n - 1].ratio);
    bool moved = peaks[0].ratio < 0.97 || peaks[n - 1].ratio > 1.03;
    printf("%s\n", moved ? "; they measure the machine alone: it was not equally undisturbed in both runs" : "");
}

static size_t print_pairs(const bench_options *o, const pair *pairs, size_t n) {
    size_t regressions = 0, gains = 0;
    printf("\n%-26s %-12s %-28s %7s   %-15s\n", "isa", "kernel", "shape", "ratio", "95 % interval");
    for (size_t i = 0; i < n; i++) {
        const pair *p = &pairs[i];
        bool worse = p->ratio > 1 + o->threshold && p->low > 1 && p->slower <= FALSE_RATE;
        bool better = p->ratio < 1 / (1 + o->threshold) && p->high < 1 && p->faster <= FALSE_RATE;
        regressions += worse;
        gains += better;
        printf("%-26s %-12s %-28s %7.3f   %6.3f - %6.3f%s\n", p->now->isa, p->now->kernel, p->now->what, p->ratio,
               p->low, p->high,
               worse    ? "  SLOWER"
               : better ? "  faster"
                        : "");
    }
    printf("\n%zu kernels and shapes compared, middle ratio %.3f: %zu slower, %zu faster beyond %.0f %% and beyond "
           "chance\n",
           n, pairs[n / 2].ratio, regressions, gains, 100 * o->threshold);
    return regressions;
}

size_t bench_compare(const bench_options *o, const bench_run *now, const bench_run *old) {
    pair *pairs = calloc(now->count + 1, sizeof *pairs), *peaks = calloc(now->count + 1, sizeof *peaks);
    double *scratch = calloc(now->count + 1, sizeof *scratch);
    size_t n = 0, m = 0, regressions = 0;
    printf("\ncycles per element now / then (%s); above 1: slower now\n", o->against);
    if (strcmp(now->cpu, old->cpu) != 0 || strcmp(now->features, old->features) != 0)
        printf("warning: another machine's file (%s; %s): the ratios compare machines\n", old->cpu, old->features);
    if (strcmp(now->compiler, old->compiler) != 0)
        printf("note: compiled by %s then, %s now\n", old->compiler, now->compiler);
    for (size_t i = 0; pairs && peaks && scratch && i < now->count; i++) {
        const bench_row *r = &now->rows[i], *then = find(old, r);
        if (!then || !bench_wanted(o, r->isa, r->kernel, r->what)) continue;
        pair *p = bench_is_peak(r->kernel) ? &peaks[m++] : &pairs[n++];
        *p = (pair){.now = r, .old = then};
        measure(p);
    }
    name_lonely(o, now, old, "now");
    name_lonely(o, old, now, "then");
    if (n > 0) {
        adjust(pairs, scratch, n, offsetof(pair, slower));
        adjust(pairs, scratch, n, offsetof(pair, faster));
        qsort(pairs, n, sizeof *pairs, by_ratio);
        qsort(peaks, m, sizeof *peaks, by_ratio);
        print_peaks(peaks, m);
        regressions = print_pairs(o, pairs, n);
    } else {
        printf("nothing in common: no kernel and shape stands in both\n");
    }
    free(pairs);
    free(peaks);
    free(scratch);
    return regressions;
}

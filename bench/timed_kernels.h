/* A kernel table that measures itself: every call goes to the kernel behind it and is timed, per thread. */
#ifndef IP_BENCH_TIMED_KERNELS_H
#define IP_BENCH_TIMED_KERNELS_H

#include <stdint.h>

#include "arch/kernels.h"

typedef struct timed_kernel {
    const char *name;
    uint64_t calls;
    double seconds; /* over all threads, the clock's own time taken off */
} timed_kernel;

/* A table that calls `kernels`. One at a time per process; the counts begin at zero. */
const ip_kernels *timed_kernels_begin(const ip_kernels *kernels);

/* What was spent since, one row per kernel of the list; the rows live until the next begin. No kernel may be running. */
size_t timed_kernels_end(const timed_kernel **rows);

#endif

#include "bench/huge_pages.h"

#include <stdlib.h>
#include <unistd.h>

void bench_huge_pages(char **argv) {
    if (getenv("GLIBC_TUNABLES")) return; /* ours, or the user's own wish */
    if (setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1) == 0) execv("/proc/self/exe", argv);
}

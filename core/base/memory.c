/* Large buffers as anonymous maps. */
#include "core/base/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

void *ip_big_alloc(size_t bytes) {
    if (bytes == 0) bytes = 1;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= (size_t)4 << 20) madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

void ip_big_free(void *p, size_t bytes) {
    if (p) munmap(p, bytes == 0 ? 1 : bytes);
}

void *ip_alloc64(size_t bytes) {
    if (bytes > (size_t)-1 - 64) return NULL;
    size_t rounded = (bytes + 63) & ~(size_t)63;
    return aligned_alloc(64, rounded == 0 ? 64 : rounded);
}

/* Large buffers, sized before a run. They come straight from the kernel (a map), so that what is freed is gone
 * from the resident set at once and a memory bound can be kept; small objects use malloc. */
#ifndef IP_BASE_MEMORY_H
#define IP_BASE_MEMORY_H

#include <stddef.h>

/* bytes of zeroed memory aligned to a page (transparent huge pages advised); NULL when refused or bytes overflows. */
void *ip_big_alloc(size_t bytes);
void ip_big_free(void *p, size_t bytes);

/* malloc'ed memory aligned to 64 bytes, not zeroed; NULL when refused. Free with free(). */
void *ip_alloc64(size_t bytes);

#endif

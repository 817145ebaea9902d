/* Memory as the engine has it: large blocks in huge pages (core/base/memory.c). What a bench allocates, and what the
 * libraries beside it allocate, comes from malloc, which glibc puts into huge pages when asked before a program starts. */
#ifndef IP_BENCH_HUGE_PAGES_H
#define IP_BENCH_HUGE_PAGES_H

/* Starts the program anew with glibc's malloc in huge pages; returns where that is done already or cannot be done. */
void bench_huge_pages(char **argv);

#endif

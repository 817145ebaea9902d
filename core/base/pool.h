/* A small pool of POSIX threads. Tasks are taken in order from one counter; a result must not depend on who took
 * which. Every thread, the caller's included, runs with the engine's floating-point control (round to nearest, no
 * flush to zero) and gets its own back. */
#ifndef IP_BASE_POOL_H
#define IP_BASE_POOL_H

#include <stddef.h>

#include "core/base/cores.h"
#include "core/base/status.h"

typedef struct ip_pool ip_pool;

/* threads >= 1 (the caller is one of them). NULL when the system refuses. */
ip_pool *ip_pool_create(unsigned threads);
/* The same with all tasks on these cores; the caller's thread keeps to them within ip_pool_run only. */
ip_pool *ip_pool_create_on(unsigned threads, const ip_core_set *cores);
void ip_pool_destroy(ip_pool *pool);
unsigned ip_pool_threads(const ip_pool *pool);

/* One task; worker is 0 .. threads-1 and indexes per-thread buffers. A status other than IP_OK stops the hand-out
 * of further tasks; the first such task's status is returned by ip_pool_run with its error. */
typedef ip_status (*ip_task)(void *context, size_t task, unsigned worker, ip_error *error);

ip_status ip_pool_run(ip_pool *pool, size_t tasks, ip_task run, void *context, ip_error *error);

/* Turns: a stretch of each task that must run in the order of the task numbers, such as handing out room in an array
 * whose content must not depend on the threads. Between enter and leave a task is alone, and all tasks before it have
 * left. Every task must enter and leave once, whatever else fails: the tasks behind it wait. */
typedef struct ip_turns ip_turns;
ip_turns *ip_turns_create(void); /* NULL: out of memory */
void ip_turns_destroy(ip_turns *turns);
void ip_turns_restart(ip_turns *turns); /* between jobs: task 0 is next */
void ip_turns_enter(ip_turns *turns, size_t task);
void ip_turns_leave(ip_turns *turns);

/* Processors this process may use (affinity and cgroup quota respected), at least 1. */
unsigned ip_processors(void);

#endif

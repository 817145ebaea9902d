/* Ranks: processes on one or many machines that do one job together, started by mpirun.
 *
 * analyze, preference, trajectory and bound under a host with ranks are one job: every rank calls the same function with
 * the same arguments and gets the whole result, equal to the bit to that of one process. Rank 0 writes it.
 * All functions take NULL for a process that is alone.
 */
#ifndef IP_BASE_RANKS_H
#define IP_BASE_RANKS_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ip_ranks ip_ranks;

/* Whether this process was started as one of several; *out NULL: it is alone. IP_USAGE when it was, and there is no MPI
 * to speak with. Call it once in a process; every call that works together comes from the thread that called this. */
ip_status ip_ranks_join(ip_ranks **out, ip_error *error);
/* Returns once all ranks have called it. */
void ip_ranks_leave(ip_ranks *ranks);
/* Ends all ranks at once with an exit status; does not return where there are ranks. */
void ip_ranks_stop(const ip_ranks *ranks, ip_status status);

unsigned ip_ranks_number(const ip_ranks *ranks); /* from 0; 0 alone */
unsigned ip_ranks_count(const ip_ranks *ranks);  /* 1 alone */
/* "rank 1 of 4 on board-2", counted from 0 as mpirun counts. */
void ip_ranks_name(const ip_ranks *ranks, char *out, size_t room);

#ifdef __cplusplus
}
#endif

#endif

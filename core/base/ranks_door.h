/* What ranks say to each other. It goes through a small table of functions (the door), which core/mpi/ fills with MPI; no
 * other file knows MPI. Everything that is added up is an integer, so the number of ranks cannot be seen in a result.
 *
 * All functions take NULL for a process that is alone, and then do nothing. Those marked "together" return once every
 * rank has called them, with the same sizes. What the network cannot do ends the job: a rank without the others has
 * nothing to return.
 */
#ifndef IP_BASE_RANKS_DOOR_H
#define IP_BASE_RANKS_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/ranks.h"

/* Bytes that go to a rank or come from it. */
typedef struct ip_parcel {
    unsigned rank;
    void *data;
    uint64_t bytes;
} ip_parcel;

enum { IP_RANKS_DOOR = 1 }; /* goes up when the door changes: a module of another build is refused */

typedef struct ip_ranks_door {
    unsigned version;
    bool (*join)(unsigned *rank, unsigned *of, unsigned *local, char *machine, size_t room);
    void (*leave)(void);
    void (*stop)(int code);
    void (*sum)(uint64_t *numbers, size_t n, bool wide); /* wide: n pairs, low word first */
    void (*swap)(const ip_parcel *out, size_t out_count, const ip_parcel *in, size_t in_count);
    void (*spread)(void *data, const uint64_t *borders); /* [of + 1] */
} ip_ranks_door;

struct ip_ranks {
    unsigned rank, of, local; /* local: how many of them are on this machine */
    char machine[64];
    const ip_ranks_door *door;
};

unsigned ip_ranks_local(const ip_ranks *ranks); /* on this machine; 1 alone */
/* Of the processors that this process may use, those that are its own when the ranks of the machine share them. */
unsigned ip_ranks_threads(const ip_ranks *ranks, unsigned processors);

/* Together: each number becomes its sum over the ranks, modulo 2^64; or each pair (low word, high word) modulo 2^128. */
void ip_ranks_sum(const ip_ranks *ranks, uint64_t *numbers, size_t n);
void ip_ranks_sum_wide(const ip_ranks *ranks, void *pairs, size_t n);
/* Parcels of this rank to others, and from them; several parcels between two ranks arrive in their order. Both sides must
 * agree on who sends what. */
void ip_ranks_swap(const ip_ranks *ranks, const ip_parcel *out, size_t out_count, const ip_parcel *in, size_t in_count);
/* Together: rank r holds bytes borders[r] .. borders[r+1] of data; afterwards all hold all. */
void ip_ranks_spread(const ip_ranks *ranks, void *data, const uint64_t *borders);

#endif

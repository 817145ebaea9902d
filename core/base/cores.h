/* Kinds of processor cores. Boards (and some laptops) mix fast cores with small ones; a program may want only one kind:
 * the fast ones because small ones are waited for, or the small ones because fast ones grow hot. */
#ifndef IP_BASE_CORES_H
#define IP_BASE_CORES_H

#include <stdbool.h>
#include <stdint.h>

/* Processors by number, as the system counts them. */
enum { IP_CORES_MAX = 1024 };
typedef struct ip_core_set {
    uint64_t bits[IP_CORES_MAX / 64];
} ip_core_set;

unsigned ip_core_set_count(const ip_core_set *set);

typedef struct ip_cores {
    ip_core_set all, big, little; /* of those that this process may use; with one kind big and little are all */
    bool mixed;
    uint64_t weakest, strongest; /* of the measure, 0: unknown */
    const char *measure;         /* "cpu_capacity" or "cpuinfo_max_freq"; "" when the system tells neither */
} ip_cores;

/* Little are the cores whose measure is within a tenth of the least (makers of one kind of core let some clock a little
 * higher), big are the others. root is the folder of the system that holds cpu0, cpu1 ..., NULL for the usual one;
 * allowed NULL: what the system lets this process use. A core that tells no measure makes all of one kind. */
void ip_cores_read(ip_cores *out, const char *root, const ip_core_set *allowed);

/* Those that the calling thread may run on. */
void ip_cores_allowed(ip_core_set *out);

/* The calling thread runs on these cores only, until ip_cores_restore with what *before has got. Where the system
 * cannot do that nothing happens. */
void ip_cores_pin(const ip_core_set *set, ip_core_set *before);
void ip_cores_restore(const ip_core_set *before);

#endif

/* How much memory there is, and how much of it this process holds. */
#ifndef IP_CORE_RESIDENT_H
#define IP_CORE_RESIDENT_H

#include <stdint.h>

uint64_t ip_resident_anonymous(void); /* RssAnon of this process; 0 where the system does not tell */
uint64_t ip_memory_available(void);   /* what a new process could take without swapping; 0 if unknown */

#endif

/* Maps that fail while they are read. A file that is cut or a disk that gives up turns a read of its map into SIGBUS. With
 * the guard installed the rest of that map reads as zeros and the map is marked; whoever ends a piece of work asks
 * ip_map_check and throws the result away. The signal's handler belongs to the process, so only a program installs it. */
#ifndef IP_BASE_MAP_GUARD_H
#define IP_BASE_MAP_GUARD_H

#include <stddef.h>

#include "core/base/status.h"

/* Installs the handler; a fault outside of watched maps goes to the default action. */
void ip_map_guard(void);

/* Watches a map under a name for messages, which is copied. Beyond 1024 maps none is added. */
void ip_map_watch(const void *at, size_t bytes, const char *path);
void ip_map_unwatch(const void *at);

/* IP_FAILED when a map that is still watched has failed, naming it. */
ip_status ip_map_check(ip_error *error);

#endif

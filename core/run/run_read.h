/* A finished run back from its files, for everything that compares, correlates or draws runs. */
#ifndef IP_CORE_RUN_READ_H
#define IP_CORE_RUN_READ_H

#include <stddef.h>

#include "core/infoplane.h"
#include "models/json.h"

/* A run.json in memory, without the files beside it (without, token_loss NULL); path is for messages. */
ip_status ip_run_parse(ip_run **out, const char *path, const void *data, size_t size, ip_error *error);

/* The members that ip_run_write_description writes, of a document of that schema; free *out also when it failed. */
ip_status ip_run_parse_description(ip_run **out, const char *path, const ip_node *root, const char *schema,
                                   ip_error *error);

#endif

/* The list of model families by name (rows of families/families.def). */
#ifndef IP_MODELS_FAMILY_H
#define IP_MODELS_FAMILY_H

#include <stddef.h>

size_t ip_family_count(void);
const char *ip_family_at(size_t index); /* index < ip_family_count() */

#endif

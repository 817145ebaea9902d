/* What the files of the scalar law share: prototypes of its kernels and its tile. */
#ifndef IP_ARCH_SCALAR_SCALAR_H
#define IP_ARCH_SCALAR_SCALAR_H

#include "arch/kernels.h"

enum { IP_SCALAR_TILE = 4 }; /* rows per activation group; any number would do */

#define IP_KERNEL(type, kernel, arguments) type ip_##kernel##_scalar arguments;
#include "arch/kernels.def"
#undef IP_KERNEL

#endif

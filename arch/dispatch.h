/* Which instruction sets this program holds, which this machine can run, and which was chosen, and why. */
#ifndef IP_ARCH_DISPATCH_H
#define IP_ARCH_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/kernels.h"
#include "core/base/status.h"

/* Kernels for a request: NULL or "" or "best" takes the best; else a name of isa.def, optionally followed by
 * ",-feature" to switch one off ("avx512,-vnni,-bf16"). An unknown name or feature and a level this machine cannot
 * run are two different errors (IP_USAGE), each naming what there is. The table lives as long as the process and may
 * be shared by threads. INFOPLANE_ISA is read by the command line, not here. */
ip_status ip_arch_select(const ip_kernels **out, const char *request, ip_error *error);

/* One line per instruction set of this program, for `infoplane cpu` and the checker. */
typedef struct ip_isa_info {
    const char *name;
    bool compiled;               /* kernels are in this program */
    bool usable;                 /* the CPU and the operating system can run it */
    char reason[160];            /* what was found or what is missing */
    const char *const *features; /* optional features it uses, NULL-terminated */
    bool feature_usable[8];
} ip_isa_info;

size_t ip_arch_count(void);
ip_status ip_arch_info(size_t index, ip_isa_info *info);

/* The CPU's name as the system tells it, or "unknown". */
void ip_arch_cpu_name(char *out, size_t n);

#endif

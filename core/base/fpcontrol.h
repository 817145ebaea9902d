/* The floating-point control register: results must not depend on what a host program has set. */
#ifndef IP_BASE_FPCONTROL_H
#define IP_BASE_FPCONTROL_H

#include <stdint.h>

/* Sets round-to-nearest-even, no flush to zero, no denormals-are-zero, exceptions masked; returns what was there. */
uint64_t ip_fp_enter(void);
void ip_fp_leave(uint64_t saved);

#endif

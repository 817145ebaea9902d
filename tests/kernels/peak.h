/* What an instruction can do at most on this core. */
#ifndef IP_TESTS_KERNELS_PEAK_H
#define IP_TESTS_KERNELS_PEAK_H

#include "arch/kernels.h"

/* Multiply-accumulates of one peak_run: of the instruction that this table's product rests on, in a loop that touches
 * registers only; 0 where that is not defined (scalar), and peak_run must not be called. */
double peak_macs(const ip_kernels *kernels, ip_arith arith);
void peak_run(const ip_kernels *kernels, ip_arith arith);

/* So many dependent additions (a multiple of 64), a cycle each: the clock is their number by their time. */
void peak_chain(size_t adds);

#endif

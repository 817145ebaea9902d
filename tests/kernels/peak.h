/* What an instruction can do at most on this core. */
#ifndef IP_TESTS_KERNELS_PEAK_H
#define IP_TESTS_KERNELS_PEAK_H

#include "arch/kernels.h"

/* Multiply-accumulates per second of the instruction that this table's product rests on, from a loop that touches
 * registers only; 0 where that is not measured (scalar). */
double peak_rate(const ip_kernels *kernels, ip_arith arith);

double bench_seconds(void);

#endif

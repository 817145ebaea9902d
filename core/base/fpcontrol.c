/* MXCSR on x86, FPCR on AArch64, FPSCR on ARM. The C library's fenv knows nothing of flush-to-zero. */
#include "core/base/fpcontrol.h"

#if defined(__x86_64__) || defined(__i386__)

uint64_t ip_fp_enter(void) {
    uint32_t saved, wanted = 0x1F80; /* all exceptions masked, nearest, FTZ and DAZ off: the value at reset */
    __asm__ volatile("stmxcsr %0" : "=m"(saved));
    __asm__ volatile("ldmxcsr %0" : : "m"(wanted));
    return saved;
}

void ip_fp_leave(uint64_t saved) {
    uint32_t value = (uint32_t)saved;
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

#elif defined(__aarch64__)

uint64_t ip_fp_enter(void) {
    uint64_t saved, wanted = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(wanted));
    return saved;
}

void ip_fp_leave(uint64_t saved) { __asm__ volatile("msr fpcr, %0" : : "r"(saved)); }

#elif defined(__arm__)

uint64_t ip_fp_enter(void) {
    uint32_t saved, wanted = 0;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(saved));
    __asm__ volatile("vmsr fpscr, %0" : : "r"(wanted));
    return saved;
}

void ip_fp_leave(uint64_t saved) {
    uint32_t value = (uint32_t)saved;
    __asm__ volatile("vmsr fpscr, %0" : : "r"(value));
}

#else
#error "no floating-point control known for this processor: add it here"
#endif

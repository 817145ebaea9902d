/* Loops whose trip count is a constant and whose body must become straight code, so that arrays of vectors live in
 * registers; loops that must stay loops (unrolled, their loads are moved ahead and spill accumulators); and functions
 * that must be inlined for their constant arguments to count. */
#ifndef IP_ARCH_GENERIC_UNROLL_H
#define IP_ARCH_GENERIC_UNROLL_H

#if defined(__clang__)
#define IP_UNROLL    _Pragma("clang loop unroll(full)")
#define IP_KEEP_LOOP _Pragma("clang loop unroll(disable)")
#else
#define IP_UNROLL    _Pragma("GCC unroll 64")
#define IP_KEEP_LOOP _Pragma("GCC unroll 1")
#endif

/* Keeps a vector register in its place across the steps of a loop. Without it gcc 12 carries accumulators from one
 * step to the next through copies, which costs up to a third of the speed. It computes nothing. */
#if defined(__x86_64__)
#define IP_PIN(vector) __asm__("" : "+v"(vector))
#else
#define IP_PIN(vector) __asm__("" : "+w"(vector))
#endif

#define IP_INLINE static inline __attribute__((always_inline))

#endif

/* The scale of 32 activations from the largest size among them (kernels.h: act_int16, act_int8). */
#ifndef IP_ARCH_GENERIC_SCALES_H
#define IP_ARCH_GENERIC_SCALES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arch/generic/unroll.h"
#include "arch/kernels.h"

/* In the bits of a float: added to amax, SCALE_CARRY moves the exponent up just where the mantissa is above that of
 * Q = 16319; SCALE_DOWN are the 13 powers of two between amax and its scale. */
enum {
    SCALE_CARRY = 0x0103ff,
    SCALE_EXPONENT = 0x7f800000,
    SCALE_DOWN = 13 << 23,
    SCALE_LEAST = (127 - 62) << 23,
    SCALE_MOST = (127 + 62) << 23,
    SCALE_ONE_TWICE = 254 << 23 /* less the bits of a power of two: those of its inverse */
};

/* False: there is no scale for it. */
typedef bool (*act_scale)(float amax, float *scale, float *inverse);

IP_INLINE bool scale_int16(float amax, float *scale, float *inverse) {
    int32_t bits;
    memcpy(&bits, &amax, sizeof bits);
    int32_t up = ((bits + SCALE_CARRY) & SCALE_EXPONENT) - SCALE_DOWN;
    if (up < SCALE_LEAST) up = SCALE_LEAST;
    int32_t down = SCALE_ONE_TWICE - up;
    memcpy(scale, &up, sizeof up);
    memcpy(inverse, &down, sizeof down);
    return up <= SCALE_MOST;
}

IP_INLINE bool scale_int8(float amax, float *scale, float *inverse) {
    bool zero = amax < 0x1p-100f;
    *scale = zero ? 0.0f : amax / IP_Q8_MAX;
    *inverse = zero ? 0.0f : IP_Q8_MAX / amax;
    return true;
}

#endif

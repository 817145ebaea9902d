/* Bits of floats, and bf16: the upper half of a float. Plain C, shared by every instruction set's packing code. */
#ifndef IP_ARCH_BITS_H
#define IP_ARCH_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t ip_f32_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float ip_f32_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Rounds to bf16, to nearest even: adding 0x7fff, or 0x8000 when the kept part is odd, carries exactly when it must,
 * into infinity too. A NaN keeps sign and upper payload and is made quiet, so that the cut cannot turn it into
 * infinity. */
static inline uint16_t ip_bf16_from_f32(float x) {
    uint32_t bits = ip_f32_bits(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float ip_f32_from_bf16(uint16_t half) { return ip_f32_from_bits((uint32_t)half << 16); }

#endif

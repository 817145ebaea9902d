/* Inside this room: the decoders that models/types.def names, and the conversions that they share. */
#ifndef IP_MODELS_TYPES_H
#define IP_MODELS_TYPES_H

#include <stdint.h>
#include <string.h>

#include "models/tensor.h"

#define IP_FLOATS(name) void name(float *out, const unsigned char *row, size_t k)
#define IP_CODES(name)  void name(int8_t *codes, float *scale, float *min, const unsigned char *row, size_t k)

IP_FLOATS(ip_f32_to_float);
IP_FLOATS(ip_f16_to_float);
IP_FLOATS(ip_bf16_to_float);
IP_FLOATS(ip_q4_0_to_float);
IP_FLOATS(ip_q4_1_to_float);
IP_FLOATS(ip_q5_0_to_float);
IP_FLOATS(ip_q5_1_to_float);
IP_FLOATS(ip_q8_0_to_float);
IP_FLOATS(ip_q4_k_to_float);
IP_FLOATS(ip_q5_k_to_float);
IP_FLOATS(ip_q6_k_to_float);
IP_CODES(ip_q4_0_to_codes);
IP_CODES(ip_q4_1_to_codes);
IP_CODES(ip_q5_0_to_codes);
IP_CODES(ip_q5_1_to_codes);
IP_CODES(ip_q8_0_to_codes);
IP_CODES(ip_q4_k_to_codes);
IP_CODES(ip_q5_k_to_codes);
IP_CODES(ip_q6_k_to_codes);

static inline uint16_t ip_load_u16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline uint32_t ip_load_u32(const unsigned char *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline float ip_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t ip_bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Half to float, exact. Subnormals go through an integer, so that a host's denormals-are-zero cannot touch them. */
static inline float ip_half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3FF;
    uint32_t small = ip_bits_of_float((float)mantissa * 0x1p-24f);
    uint32_t normal = (exponent + 112) << 23 | mantissa << 13;
    uint32_t special = 0x7F800000u | mantissa << 13;
    return ip_float_of_bits(sign | (exponent == 0 ? small : exponent == 31 ? special : normal));
}

/* Float to half, to nearest even; what is too large becomes infinity. */
uint16_t ip_float_to_half(float value);

#endif

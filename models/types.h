/* Inside this room: the decoders that models/types.def names, and the conversions that they share. */
#ifndef IP_MODELS_TYPES_H
#define IP_MODELS_TYPES_H

#include <stdint.h>
#include <string.h>

#include "models/tensor.h"

#define IP_FLOATS(name) void name(float *out, const unsigned char *row, size_t k)
#define IP_CODES(name)  void name(int8_t *codes, float *scale, float *min, const unsigned char *row, size_t k)

#define IP_DECODERS(name)                                                                                              \
    IP_FLOATS(ip_##name##_to_float);                                                                                   \
    IP_CODES(ip_##name##_to_codes)

IP_FLOATS(ip_f32_to_float);
IP_FLOATS(ip_f16_to_float);
IP_FLOATS(ip_bf16_to_float);
IP_FLOATS(ip_f64_to_float);
IP_DECODERS(q4_0);
IP_DECODERS(q4_1);
IP_DECODERS(q5_0);
IP_DECODERS(q5_1);
IP_DECODERS(q8_0);
IP_DECODERS(q2_k);
IP_DECODERS(q3_k);
IP_DECODERS(q4_k);
IP_DECODERS(q5_k);
IP_DECODERS(q6_k);
IP_DECODERS(q8_k);
IP_DECODERS(iq4_nl);
IP_DECODERS(iq4_xs);
IP_DECODERS(mxfp4);
IP_DECODERS(nvfp4);
IP_DECODERS(tq1_0);
IP_DECODERS(tq2_0);
IP_DECODERS(q1_0);
IP_DECODERS(q2_0);
IP_DECODERS(iq1_s);
IP_DECODERS(iq1_m);
IP_DECODERS(iq2_xxs);
IP_DECODERS(iq2_xs);
IP_DECODERS(iq2_s);
IP_DECODERS(iq3_xxs);
IP_DECODERS(iq3_s);

/* Both decoders of a type of codes, from one that takes a block apart:
 *     static inline void <name>_block(int8_t *codes, float *scale, const unsigned char *block)
 * or, with IP_CODED_MIN, (codes, scale, min, block). A value is scale * code, then + min, each rounded: with min holding
 * its sign, a - b is a + (-b) to the bit. Scales are exact (a half has 11 bits, what it is multiplied by at most 8) and
 * come first in ggml's order too, so the floats are ggml's. */
#define IP_CODED(name, elements, size, inputs)                                                                         \
    IP_CODES(ip_##name##_to_codes) {                                                                                   \
        (void)min;                                                                                                     \
        for (size_t b = 0; b < k / (elements); b++)                                                                    \
            name##_block(codes + b * (elements), scale + b * ((elements) / (inputs)), row + b * (size));               \
    }                                                                                                                  \
    IP_FLOATS(ip_##name##_to_float) {                                                                                  \
        for (size_t b = 0; b < k / (elements); b++, out += (elements)) {                                               \
            int8_t codes[elements];                                                                                    \
            float scale[(elements) / (inputs)];                                                                        \
            name##_block(codes, scale, row + b * (size));                                                              \
            for (int g = 0; g < (elements) / (inputs); g++)                                                            \
                for (int i = g * (inputs); i < (g + 1) * (inputs); i++) out[i] = scale[g] * (float)codes[i];           \
        }                                                                                                              \
    }

#define IP_CODED_MIN(name, elements, size, inputs)                                                                     \
    IP_CODES(ip_##name##_to_codes) {                                                                                   \
        for (size_t b = 0; b < k / (elements); b++)                                                                    \
            name##_block(codes + b * (elements), scale + b * ((elements) / (inputs)),                                  \
                         min + b * ((elements) / (inputs)), row + b * (size));                                         \
    }                                                                                                                  \
    IP_FLOATS(ip_##name##_to_float) {                                                                                  \
        for (size_t b = 0; b < k / (elements); b++, out += (elements)) {                                               \
            int8_t codes[elements];                                                                                    \
            float scale[(elements) / (inputs)], min[(elements) / (inputs)];                                            \
            name##_block(codes, scale, min, row + b * (size));                                                         \
            for (int g = 0; g < (elements) / (inputs); g++)                                                            \
                for (int i = g * (inputs); i < (g + 1) * (inputs); i++) out[i] = scale[g] * (float)codes[i] + min[g];  \
        }                                                                                                              \
    }

static inline uint16_t ip_load_u16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline uint32_t ip_load_u32(const unsigned char *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t ip_load_u64(const unsigned char *p) {
    return ip_load_u32(p) | (uint64_t)ip_load_u32(p + 4) << 32;
}

/* Eight bytes at once, the lowest first (compilers make one store of it). */
static inline void ip_store_u64(int8_t *p, uint64_t value) {
    p[0] = (int8_t)value;
    p[1] = (int8_t)(value >> 8);
    p[2] = (int8_t)(value >> 16);
    p[3] = (int8_t)(value >> 24);
    p[4] = (int8_t)(value >> 32);
    p[5] = (int8_t)(value >> 40);
    p[6] = (int8_t)(value >> 48);
    p[7] = (int8_t)(value >> 56);
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

/* Half to float, exact, without branches, so that loops over it become vectors. Subnormals go through an integer, so that
 * a host's denormals-are-zero cannot touch them; the exponent of infinities and NaNs is filled up with ones. */
static inline float ip_half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3FF;
    uint32_t subnormal = 0u - (exponent == 0), special = 0u - (exponent == 31);
    uint32_t small = ip_bits_of_float((float)(int32_t)mantissa * 0x1p-24f);
    uint32_t normal = (exponent + 112) << 23 | mantissa << 13;
    return ip_float_of_bits(sign | (small & subnormal) | (normal & ~subnormal) | (special & 0x7F800000u));
}

static inline float ip_half_at(const unsigned char *p) { return ip_half_to_float(ip_load_u16(p)); }

/* Float to half, to nearest even; what is too large becomes infinity. */
uint16_t ip_float_to_half(float value);

/* Whether the k elements of a row (a multiple of the block) are finite. */
bool ip_row_finite(const ip_type *type, const unsigned char *row, size_t k);

#endif

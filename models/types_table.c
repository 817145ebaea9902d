/* Types whose nibbles are looked up in a table of 16 values.
 *
 *   IQ4_NL  (32)   d f16 | 16 bytes of nibbles                                          d * T[q]
 *   IQ4_XS  (256)  d f16 | u16 of high scale bits | 4 bytes of low ones | 128 bytes      d * (s - 32) * T[q]
 *   MXFP4   (32)   e | 16 bytes of nibbles                                              2^(e - 128) * F[q]
 *   NVFP4   (64)   4 scale bytes, one per 16 elements | 32 bytes of nibbles              s / 2 * F[q]
 *
 * T is a curve fitted to weights; F holds the numbers of a 4-bit float, doubled so that they are whole, which is why the
 * scales of both are halved. Nibbles are split in halves: the low ones of n bytes, then their high ones. */
#include "models/types.h"

static const int8_t curve[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const int8_t float4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static inline void look_up(int8_t *codes, const int8_t table[16], const unsigned char *qs, int n) {
    for (int j = 0; j < n; j++) {
        codes[j] = table[qs[j] & 15];
        codes[j + n] = table[qs[j] >> 4];
    }
}

static inline void iq4_nl_block(int8_t *codes, float *scale, const unsigned char *block) {
    *scale = ip_half_at(block);
    look_up(codes, curve, block + 2, 16);
}

static inline void iq4_xs_block(int8_t *codes, float *scale, const unsigned char *block) {
    float d = ip_half_at(block);
    unsigned high = ip_load_u16(block + 2);
    for (int g = 0; g < 8; g++) {
        unsigned s = (block[4 + g / 2] >> 4 * (g & 1) & 15u) | (high >> 2 * g & 3) << 4;
        scale[g] = d * (float)((int)s - 32);
        look_up(codes + 32 * g, curve, block + 8 + 16 * g, 16);
    }
}

/* 2^(e - 128): the two smallest are subnormal. */
static inline void mxfp4_block(int8_t *codes, float *scale, const unsigned char *block) {
    uint32_t e = block[0];
    *scale = ip_float_of_bits(e < 2 ? 0x00200000u << e : (e - 1) << 23);
    look_up(codes, float4, block + 1, 16);
}

/* Half of an unsigned float with four bits of exponent (bias 7) and three of mantissa; 0x7F is zero, and with the unused
 * top bit it is not. */
static inline float half_e4m3(unsigned char byte) {
    if (byte == 0x7F) return 0.0f;
    unsigned exponent = byte >> 3 & 15, mantissa = byte & 7;
    if (exponent == 0) return (float)mantissa * 0x1p-10f;
    return ip_float_of_bits((exponent + 119) << 23 | mantissa << 20);
}

static inline void nvfp4_block(int8_t *codes, float *scale, const unsigned char *block) {
    for (int g = 0; g < 4; g++) {
        scale[g] = half_e4m3(block[g]);
        look_up(codes + 16 * g, float4, block + 4 + 8 * g, 8);
    }
}

IP_CODED(iq4_nl, 32, 18, 32)
IP_CODED(iq4_xs, 256, 136, 32)
IP_CODED(mxfp4, 32, 17, 32)
IP_CODED(nvfp4, 64, 36, 16)

/* Types in super-blocks of 256 whose group scales are small integers.
 *
 *   Q2_K  16 bytes, scale low and min high | 64 bytes of bit pairs | d f16 | dmin f16
 *   Q3_K  32 bytes of third bits | 64 bytes of bit pairs | 12 bytes of 6-bit scales | d f16
 *   Q4_K  d f16 | dmin f16 | 12 bytes of 6-bit scales and mins | 128 bytes of nibbles
 *   Q5_K  d f16 | dmin f16 | 12 bytes of 6-bit scales and mins | 32 bytes of fifth bits | 128 bytes of nibbles
 *   Q6_K  128 bytes of low nibbles | 64 bytes of high bit pairs | 16 signed scales | d f16
 *   Q8_K  d f32 | 256 signed bytes | sums of 16 bytes each, which only a product with them needs
 *
 * Planes: 32 bytes side by side hold groups of 32 elements in different bits. Bit pairs of 32 bytes hold four groups
 * (a half, 128 elements), nibbles two, single bits eight. */
#include "models/types.h"

enum { SUPER = 256 };

/* Bit pairs of 64 bytes as 256 codes 0 .. 3. */
static inline void pairs(int8_t *restrict codes, const unsigned char *restrict qs) {
    for (int half = 0; half < 2; half++)
        for (int j = 0; j < 4; j++)
            for (int l = 0; l < 32; l++) codes[128 * half + 32 * j + l] = (int8_t)(qs[32 * half + l] >> 2 * j & 3);
}

static inline void q2_k_block(int8_t *codes, float *scale, float *min, const unsigned char *block) {
    float d = ip_half_at(block + 80), dmin = ip_half_at(block + 82);
    for (int g = 0; g < 16; g++) {
        scale[g] = d * (float)(block[g] & 15);
        min[g] = -(dmin * (float)(block[g] >> 4));
    }
    pairs(codes, block + 16);
}

/* The third bit takes 4 away where it is not set. */
static inline void thirds(int8_t *restrict codes, const unsigned char *restrict hmask) {
    for (int g = 0; g < 8; g++)
        for (int l = 0; l < 32; l++) codes[32 * g + l] = (int8_t)(codes[32 * g + l] - (4 - (hmask[l] >> g & 1) * 4));
}

static inline void q3_k_block(int8_t *codes, float *scale, const unsigned char *block) {
    const unsigned char *s = block + 96;
    float d = ip_half_at(block + 108);
    for (int g = 0; g < 16; g++) {
        int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4, high = s[8 + g % 4] >> 2 * (g / 4) & 3;
        scale[g] = d * (float)((low | high << 4) - 32);
    }
    pairs(codes, block + 32);
    thirds(codes, block);
}

/* What Q4_K and Q5_K share: eight group scales and mins, six bits each. */
static inline void sixes(float *scale, float *min, const unsigned char *block) {
    float d = ip_half_at(block), dmin = ip_half_at(block + 2);
    const unsigned char *s = block + 4;
    for (int g = 0; g < 4; g++) {
        scale[g] = d * (float)(s[g] & 63);
        min[g] = -(dmin * (float)(s[g + 4] & 63));
        scale[g + 4] = d * (float)((s[g + 8] & 15) | (s[g] >> 6) << 4);
        min[g + 4] = -(dmin * (float)(s[g + 8] >> 4 | (s[g + 4] >> 6) << 4));
    }
}

/* Nibbles of 128 bytes: each 32 bytes hold a group low and the next one high. */
static inline void nibbles(int8_t *restrict codes, const unsigned char *restrict qs) {
    for (int p = 0; p < 4; p++) {
        for (int l = 0; l < 32; l++) codes[64 * p + l] = (int8_t)(qs[32 * p + l] & 15);
        for (int l = 0; l < 32; l++) codes[64 * p + 32 + l] = (int8_t)(qs[32 * p + l] >> 4);
    }
}

static inline void fifths(int8_t *restrict codes, const unsigned char *restrict qh) {
    for (int g = 0; g < 8; g++)
        for (int l = 0; l < 32; l++) codes[32 * g + l] = (int8_t)(codes[32 * g + l] | (qh[l] >> g & 1) << 4);
}

static inline void q4_k_block(int8_t *codes, float *scale, float *min, const unsigned char *block) {
    sixes(scale, min, block);
    nibbles(codes, block + 16);
}

static inline void q5_k_block(int8_t *codes, float *scale, float *min, const unsigned char *block) {
    sixes(scale, min, block);
    nibbles(codes, block + 48);
    fifths(codes, block + 16);
}

/* Four bits from ql, two from qh, minus 32. */
static inline void six_bits(int8_t *restrict codes, const unsigned char *restrict ql,
                            const unsigned char *restrict qh) {
    for (int half = 0; half < 2; half++, ql += 64, qh += 32)
        for (int j = 0; j < 4; j++)
            for (int l = 0; l < 32; l++)
                codes[128 * half + 32 * j + l] =
                    (int8_t)(((ql[32 * (j & 1) + l] >> 4 * (j >> 1) & 15) | (qh[l] >> 2 * j & 3) << 4) - 32);
}

static inline void q6_k_block(int8_t *codes, float *scale, const unsigned char *block) {
    float d = ip_half_at(block + 208);
    for (int g = 0; g < 16; g++) scale[g] = d * (float)(int8_t)block[192 + g];
    six_bits(codes, block, block + 128);
}

static inline void q8_k_block(int8_t *codes, float *scale, const unsigned char *block) {
    for (int g = 0; g < 8; g++) scale[g] = ip_float_of_bits(ip_load_u32(block));
    memcpy(codes, block + 4, SUPER);
}

IP_CODED_MIN(q2_k, SUPER, 84, 16)
IP_CODED(q3_k, SUPER, 110, 16)
IP_CODED_MIN(q4_k, SUPER, 144, 32)
IP_CODED_MIN(q5_k, SUPER, 176, 32)
IP_CODED(q6_k, SUPER, 210, 16)
IP_CODED(q8_k, SUPER, 292, 32)

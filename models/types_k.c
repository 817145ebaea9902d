/* Types in super-blocks of 256: Q4_K, Q5_K, Q6_K.
 *
 *   Q4_K  d f16 | dmin f16 | 12 bytes of 6-bit scales and mins | 128 bytes of nibbles
 *   Q5_K  d f16 | dmin f16 | 12 bytes of 6-bit scales and mins | 32 bytes of fifth bits | 128 bytes of nibbles
 *   Q6_K  128 bytes of low nibbles | 64 bytes of high bit pairs | 16 signed scales | d f16
 *
 * Each run of 32 nibble bytes holds group 2p (32 elements) low and group 2p + 1 high. A value is (d * sc) * q - (dmin *
 * mn), of Q6_K (d * sc) * (q - 32). d has 11 bits and sc at most 8, so d * sc is exact: codes with the group scale
 * d * sc and the min -(dmin * mn) give the same floats. Built with -ffp-contract=off for the subtraction. */
#include "models/types.h"

enum { SUPER = 256 };

/* Scale and min of group g, six bits each. */
static inline void scale_min(const unsigned char *s, int g, unsigned *scale, unsigned *min) {
    if (g < 4) {
        *scale = s[g] & 63;
        *min = s[g + 4] & 63;
    } else {
        *scale = (s[g + 4] & 15u) | (s[g - 4] >> 6 & 3u) << 4;
        *min = s[g + 4] >> 4 | (s[g] >> 6 & 3u) << 4;
    }
}

/* The head that Q4_K and Q5_K share: eight group scales and mins. */
static inline void head(const unsigned char *block, float *scale, float *min) {
    float d = ip_half_to_float(ip_load_u16(block)), dmin = ip_half_to_float(ip_load_u16(block + 2));
    for (int g = 0; g < 8; g++) {
        unsigned sc, mn;
        scale_min(block + 4, g, &sc, &mn);
        scale[g] = d * (float)sc;
        min[g] = -(dmin * (float)mn);
    }
}

static inline void q4_codes(int8_t *codes, const unsigned char *qs) {
    for (int p = 0; p < 4; p++)
        for (int l = 0; l < 32; l++) {
            codes[64 * p + l] = (int8_t)(qs[32 * p + l] & 15);
            codes[64 * p + 32 + l] = (int8_t)(qs[32 * p + l] >> 4);
        }
}

static inline void q5_codes(int8_t *codes, const unsigned char *qh, const unsigned char *qs) {
    q4_codes(codes, qs);
    for (int g = 0; g < 8; g++)
        for (int l = 0; l < 32; l++) codes[32 * g + l] = (int8_t)(codes[32 * g + l] | (qh[l] >> g & 1) << 4);
}

static inline void q6_codes(int8_t *codes, const unsigned char *ql, const unsigned char *qh) {
    for (int c = 0; c < 2; c++)
        for (int j = 0; j < 4; j++)
            for (int l = 0; l < 32; l++) {
                int low = ql[64 * c + 32 * (j & 1) + l] >> 4 * (j >> 1) & 15, high = qh[32 * c + l] >> 2 * j & 3;
                codes[128 * c + 32 * j + l] = (int8_t)((low | high << 4) - 32);
            }
}

static inline void q6_scales(float *scale, const unsigned char *block) {
    float d = ip_half_to_float(ip_load_u16(block + 208));
    int8_t sc[16];
    memcpy(sc, block + 192, sizeof sc);
    for (int g = 0; g < 16; g++) scale[g] = d * (float)sc[g];
}

/* min carries its sign, and a - b is a + (-b) to the bit. */
static inline void floats_of(float *out, const int8_t *codes, const float *scale, const float *min) {
    for (int g = 0; g < 8; g++)
        for (int l = 0; l < 32; l++) out[32 * g + l] = scale[g] * (float)codes[32 * g + l] + min[g];
}

IP_CODES(ip_q4_k_to_codes) {
    for (size_t b = 0; b < k / SUPER; b++, row += 144) {
        head(row, scale + 8 * b, min + 8 * b);
        q4_codes(codes + SUPER * b, row + 16);
    }
}

IP_CODES(ip_q5_k_to_codes) {
    for (size_t b = 0; b < k / SUPER; b++, row += 176) {
        head(row, scale + 8 * b, min + 8 * b);
        q5_codes(codes + SUPER * b, row + 16, row + 48);
    }
}

IP_CODES(ip_q6_k_to_codes) {
    (void)min;
    for (size_t b = 0; b < k / SUPER; b++, row += 210) {
        q6_scales(scale + 16 * b, row);
        q6_codes(codes + SUPER * b, row, row + 128);
    }
}

IP_FLOATS(ip_q4_k_to_float) {
    for (size_t b = 0; b < k / SUPER; b++, row += 144) {
        int8_t codes[SUPER];
        float scale[8], min[8];
        head(row, scale, min);
        q4_codes(codes, row + 16);
        floats_of(out + SUPER * b, codes, scale, min);
    }
}

IP_FLOATS(ip_q5_k_to_float) {
    for (size_t b = 0; b < k / SUPER; b++, row += 176) {
        int8_t codes[SUPER];
        float scale[8], min[8];
        head(row, scale, min);
        q5_codes(codes, row + 16, row + 48);
        floats_of(out + SUPER * b, codes, scale, min);
    }
}

IP_FLOATS(ip_q6_k_to_float) {
    for (size_t b = 0; b < k / SUPER; b++, row += 210) {
        int8_t codes[SUPER];
        float scale[16];
        q6_scales(scale, row);
        q6_codes(codes, row, row + 128);
        for (int i = 0; i < SUPER; i++) out[SUPER * b + (size_t)i] = scale[i / 16] * (float)codes[i];
    }
}

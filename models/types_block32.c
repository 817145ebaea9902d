/* Types in blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, and the quantiser of Q8_0.
 *
 * Nibbles are split in halves: byte j holds element j low and element j + 16 high. Q5 types keep the fifth bits of all
 * elements in 32 bits, element i in bit i. A decoder gives first the codes, from which both forms are made:
 *     Q4_0 (q - 8) * d     Q5_0 (q - 16) * d     Q8_0 q * d     Q4_1, Q5_1 q * d + m
 * Built with -ffp-contract=off: q * d + m rounds twice, as in ggml. */
#include "models/types.h"

#include <float.h>

enum { BLOCK = 32 };

/* Nibbles of 16 bytes, minus offset. */
static inline void nibbles(int8_t *codes, const unsigned char *qs, int offset) {
    for (int j = 0; j < 16; j++) {
        codes[j] = (int8_t)((qs[j] & 15) - offset);
        codes[j + 16] = (int8_t)((qs[j] >> 4) - offset);
    }
}

/* The same with a fifth bit. */
static inline void fives(int8_t *codes, const unsigned char *qs, uint32_t high, int offset) {
    for (int j = 0; j < 16; j++) {
        codes[j] = (int8_t)(((qs[j] & 15) | (high >> j & 1) << 4) - (uint32_t)offset);
        codes[j + 16] = (int8_t)(((uint32_t)(qs[j] >> 4) | (high >> (j + 16) & 1) << 4) - (uint32_t)offset);
    }
}

static inline void scaled(float *out, const int8_t *codes, float d) {
    for (int i = 0; i < BLOCK; i++) out[i] = (float)codes[i] * d;
}

static inline void scaled_min(float *out, const int8_t *codes, float d, float m) {
    for (int i = 0; i < BLOCK; i++) out[i] = (float)codes[i] * d + m;
}

IP_CODES(ip_q4_0_to_codes) {
    (void)min;
    for (size_t b = 0; b < k / BLOCK; b++, row += 18) {
        scale[b] = ip_half_to_float(ip_load_u16(row));
        nibbles(codes + b * BLOCK, row + 2, 8);
    }
}

IP_CODES(ip_q4_1_to_codes) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 20) {
        scale[b] = ip_half_to_float(ip_load_u16(row));
        min[b] = ip_half_to_float(ip_load_u16(row + 2));
        nibbles(codes + b * BLOCK, row + 4, 0);
    }
}

IP_CODES(ip_q5_0_to_codes) {
    (void)min;
    for (size_t b = 0; b < k / BLOCK; b++, row += 22) {
        scale[b] = ip_half_to_float(ip_load_u16(row));
        fives(codes + b * BLOCK, row + 6, ip_load_u32(row + 2), 16);
    }
}

IP_CODES(ip_q5_1_to_codes) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 24) {
        scale[b] = ip_half_to_float(ip_load_u16(row));
        min[b] = ip_half_to_float(ip_load_u16(row + 2));
        fives(codes + b * BLOCK, row + 8, ip_load_u32(row + 4), 0);
    }
}

IP_CODES(ip_q8_0_to_codes) {
    (void)min;
    for (size_t b = 0; b < k / BLOCK; b++, row += 34) {
        scale[b] = ip_half_to_float(ip_load_u16(row));
        memcpy(codes + b * BLOCK, row + 2, BLOCK);
    }
}

IP_FLOATS(ip_q4_0_to_float) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 18) {
        int8_t codes[BLOCK];
        nibbles(codes, row + 2, 8);
        scaled(out + b * BLOCK, codes, ip_half_to_float(ip_load_u16(row)));
    }
}

IP_FLOATS(ip_q4_1_to_float) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 20) {
        int8_t codes[BLOCK];
        nibbles(codes, row + 4, 0);
        scaled_min(out + b * BLOCK, codes, ip_half_to_float(ip_load_u16(row)), ip_half_to_float(ip_load_u16(row + 2)));
    }
}

IP_FLOATS(ip_q5_0_to_float) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 22) {
        int8_t codes[BLOCK];
        fives(codes, row + 6, ip_load_u32(row + 2), 16);
        scaled(out + b * BLOCK, codes, ip_half_to_float(ip_load_u16(row)));
    }
}

IP_FLOATS(ip_q5_1_to_float) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 24) {
        int8_t codes[BLOCK];
        fives(codes, row + 8, ip_load_u32(row + 4), 0);
        scaled_min(out + b * BLOCK, codes, ip_half_to_float(ip_load_u16(row)), ip_half_to_float(ip_load_u16(row + 2)));
    }
}

IP_FLOATS(ip_q8_0_to_float) {
    for (size_t b = 0; b < k / BLOCK; b++, row += 34) {
        int8_t codes[BLOCK];
        memcpy(codes, row + 2, BLOCK);
        scaled(out + b * BLOCK, codes, ip_half_to_float(ip_load_u16(row)));
    }
}

/* To the nearest integer, halves away from zero; |x| < 2^31. The remainder is exact. */
static inline int round_away(float x) {
    int whole = (int)x;
    float rest = x - (float)whole;
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

void ip_quantise_q8_0(int8_t *codes, float *scale, const float *x, size_t k) {
    for (size_t at = 0; at < k; at += BLOCK, codes += BLOCK, scale++) {
        size_t n = k - at < BLOCK ? k - at : BLOCK;
        float most = 0;
        for (size_t i = 0; i < n; i++) {
            float a = x[at + i] < 0 ? -x[at + i] : x[at + i];
            most = a > most || a != a ? a : most; /* a NaN stays */
        }
        float d = most / 127.0f, inverse = d > 0 ? 1.0f / d : 0.0f;
        *scale = ip_half_to_float(ip_float_to_half(d));
        memset(codes, 0, BLOCK);
        /* Not finite: the scale says so. So small that 1 / d overflows: the scale is zero anyway. */
        if (!(most <= FLT_MAX) || inverse > FLT_MAX) continue;
        for (size_t i = 0; i < n; i++) codes[i] = (int8_t)round_away(x[at + i] * inverse);
    }
}

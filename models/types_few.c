/* Types of two, three or four values per weight.
 *
 *   Q1_0   (128)  d f16 | 16 bytes, element i in bit i     +d where set, else -d
 *   Q2_0   (64)   d f16 | 16 bytes of bit pairs             (q - 1) * d, four elements per byte
 *   TQ1_0  (256)  48 + 4 bytes of five (four) trits each | d f16
 *   TQ2_0  (256)  64 bytes of bit pairs in planes | d f16   (q - 1) * d
 *
 * TQ1_0: a byte is a fraction in base 3, rounded up, so that the n-th trit is the whole part of 3 * frac(3^n * byte /
 * 256). The first 32 bytes hold elements 0 .. 159, trit n of byte l element 32 * n + l, the next 16 bytes 80 elements
 * alike, the last four 16. */
#include "models/types.h"

static inline void q1_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    for (int g = 0; g < 4; g++) scale[g] = ip_half_at(block);
    for (int i = 0; i < 128; i++) codes[i] = (int8_t)((block[2 + i / 8] >> i % 8 & 1) * 2 - 1);
}

static inline void q2_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    scale[0] = scale[1] = ip_half_at(block);
    for (int i = 0; i < 64; i++) codes[i] = (int8_t)((block[2 + i / 4] >> 2 * (i % 4) & 3) - 1);
}

/* `trits` trits of each of `bytes` bytes. */
static inline void trits_of(int8_t *codes, const unsigned char *qs, int bytes, int trits) {
    unsigned power = 1;
    for (int n = 0; n < trits; n++, power *= 3)
        for (int l = 0; l < bytes; l++) codes[n * bytes + l] = (int8_t)(((qs[l] * power & 255) * 3 >> 8) - 1);
}

static inline void tq1_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    for (int g = 0; g < 8; g++) scale[g] = ip_half_at(block + 52);
    trits_of(codes, block, 32, 5);
    trits_of(codes + 160, block + 32, 16, 5);
    trits_of(codes + 240, block + 48, 4, 4);
}

static inline void tq2_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    for (int g = 0; g < 8; g++) scale[g] = ip_half_at(block + 64);
    for (int half = 0; half < 2; half++)
        for (int j = 0; j < 4; j++)
            for (int l = 0; l < 32; l++)
                codes[128 * half + 32 * j + l] = (int8_t)((block[32 * half + l] >> 2 * j & 3) - 1);
}

IP_CODED(q1_0, 128, 18, 32)
IP_CODED(q2_0, 64, 18, 32)
IP_CODED(tq1_0, 256, 54, 32)
IP_CODED(tq2_0, 256, 66, 32)

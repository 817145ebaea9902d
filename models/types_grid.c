/* Codebook types: 256 weights in groups b of 32, each of four runs l of eight; a run is a point of a grid
 * (models/iq_grids.c), with signs apart or inside.
 *
 *   IQ2_XXS  d f16 | per group: 4 grid bytes, u32 = 4 x 7 sign bits, 4 scale bits
 *   IQ2_XS   d f16 | 32 u16 = 9 grid bits, 7 sign bits | 8 bytes of two scales
 *   IQ2_S    d f16 | 32 grid bytes | 32 sign bytes | 8 bytes of high grid bits | 8 bytes of two scales
 *   IQ3_XXS  d f16 | 64 grid bytes, two per run | per group: u32 as in IQ2_XXS
 *   IQ3_S    d f16 | 64 grid bytes | 8 bytes of ninth bits | 32 sign bytes | 4 bytes of two scales
 *   IQ1_S    d f16 | 32 grid bytes | 8 u16 = 4 x 3 high grid bits, 3 scale bits, sign of delta
 *   IQ1_M    32 grid bytes | 16 bytes = 2 x (3 high grid bits, sign of delta) | 4 u16 = 4 x 3 scale bits, 4 bits of d
 *
 * Seven sign bits stand for eight: the last makes the number of ones even. The value of IQ1 types is grid + delta, delta
 * = 1/8 or -1/8: as codes 8 * grid + 1 or - 1 with an eighth of the scale, which is the same number. */
#include "models/iq_grids.h"
#include "models/types.h"

static inline int8_t signed_code(int value, unsigned signs, int k) {
    int minus = -(int)(signs >> k & 1);
    return (int8_t)((value ^ minus) - minus);
}

static inline unsigned even_signs(unsigned seven) {
    unsigned parity = seven ^ seven >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return seven | (parity & 1) << 7;
}

/* Eight elements of an IQ2 grid. */
static inline void run2(int8_t *codes, unsigned entry, unsigned signs) {
    static const int8_t alphabet[4] = {8, 25, 43, 43};
    for (int k = 0; k < 8; k++) codes[k] = signed_code(alphabet[entry >> 2 * k & 3], signs, k);
}

static const int8_t alphabet_xxs[8] = {4, 12, 20, 28, 36, 44, 52, 62};
static const int8_t alphabet_s[8] = {1, 3, 5, 7, 9, 11, 13, 15};

/* Eight elements of an IQ3 grid, four from each entry. */
static inline void run3(int8_t *codes, const int8_t alphabet[8], unsigned first, unsigned second, unsigned signs) {
    for (int k = 0; k < 4; k++) {
        codes[k] = signed_code(alphabet[first >> 3 * k & 7], signs, k);
        codes[k + 4] = signed_code(alphabet[second >> 3 * k & 7], signs, k + 4);
    }
}

/* Eight elements of the IQ1 grid, in eighths. */
static inline void run1(int8_t *codes, unsigned index, bool minus) {
    unsigned entry = ip_grid_iq1s[index];
    for (int k = 0; k < 8; k++) codes[k] = (int8_t)(8 * ((int)(entry >> 2 * k & 3) - 1) + (minus ? -1 : 1));
}

static inline void iq2_xxs_block(int8_t *codes, float *scale, const unsigned char *block) {
    float d = ip_half_at(block);
    for (int b = 0; b < 8; b++) {
        const unsigned char *group = block + 2 + 8 * b;
        uint32_t word = ip_load_u32(group + 4);
        scale[b] = d * (0.5f + (float)(word >> 28)) * 0.25f;
        for (int l = 0; l < 4; l++, codes += 8) run2(codes, ip_grid_iq2xxs[group[l]], even_signs(word >> 7 * l & 127));
    }
}

/* Scales of IQ2_XS and IQ2_S, two per byte, each of 16 elements. */
static inline void nibble_scales(float *scale, float d, const unsigned char *nibbles) {
    for (int g = 0; g < 16; g++) scale[g] = d * (0.5f + (float)(nibbles[g / 2] >> 4 * (g & 1) & 15)) * 0.25f;
}

static inline void iq2_xs_block(int8_t *codes, float *scale, const unsigned char *block) {
    nibble_scales(scale, ip_half_at(block), block + 66);
    for (int r = 0; r < 32; r++) {
        unsigned v = ip_load_u16(block + 2 + 2 * r);
        run2(codes + 8 * r, ip_grid_iq2xs[v & 511], even_signs(v >> 9));
    }
}

static inline void iq2_s_block(int8_t *codes, float *scale, const unsigned char *block) {
    nibble_scales(scale, ip_half_at(block), block + 74);
    for (int r = 0; r < 32; r++) {
        unsigned high = block[66 + r / 4] >> 2 * (r % 4) & 3;
        run2(codes + 8 * r, ip_grid_iq2s[block[2 + r] | high << 8], block[34 + r]);
    }
}

static inline void iq3_xxs_block(int8_t *codes, float *scale, const unsigned char *block) {
    float d = ip_half_at(block);
    for (int b = 0; b < 8; b++) {
        const unsigned char *qs = block + 2 + 8 * b;
        uint32_t word = ip_load_u32(block + 66 + 4 * b);
        scale[b] = d * (0.5f + (float)(word >> 28)) * 0.5f;
        for (int l = 0; l < 4; l++, codes += 8)
            run3(codes, alphabet_xxs, ip_grid_iq3xxs[qs[2 * l]], ip_grid_iq3xxs[qs[2 * l + 1]],
                 even_signs(word >> 7 * l & 127));
    }
}

static inline void iq3_s_block(int8_t *codes, float *scale, const unsigned char *block) {
    float d = ip_half_at(block);
    for (int b = 0; b < 8; b++) {
        const unsigned char *qs = block + 2 + 8 * b;
        unsigned high = block[66 + b];
        scale[b] = d * (float)(1 + 2 * (block[106 + b / 2] >> 4 * (b & 1) & 15));
        for (int l = 0; l < 4; l++, codes += 8)
            run3(codes, alphabet_s, ip_grid_iq3s[qs[2 * l] | (high >> 2 * l & 1) << 8],
                 ip_grid_iq3s[qs[2 * l + 1] | (high >> (2 * l + 1) & 1) << 8], block[74 + 4 * b + l]);
    }
}

static inline void iq1_s_block(int8_t *codes, float *scale, const unsigned char *block) {
    float d = ip_half_at(block);
    for (int b = 0; b < 8; b++) {
        unsigned word = ip_load_u16(block + 34 + 2 * b);
        scale[b] = d * (float)(2 * (word >> 12 & 7) + 1) * 0.125f;
        for (int l = 0; l < 4; l++, codes += 8)
            run1(codes, block[2 + 4 * b + l] | (word >> 3 * l & 7) << 8, (word & 0x8000) != 0);
    }
}

/* d is spread over the top bits of the four scale words. */
static inline void iq1_m_block(int8_t *codes, float *scale, const unsigned char *block) {
    unsigned s[4];
    for (int i = 0; i < 4; i++) s[i] = ip_load_u16(block + 48 + 2 * i);
    float d = ip_half_to_float((uint16_t)(s[0] >> 12 | (s[1] >> 12) << 4 | (s[2] >> 12) << 8 | (s[3] >> 12) << 12));
    for (int g = 0; g < 16; g++) scale[g] = d * (float)(2 * (s[g / 4] >> 3 * (g % 4) & 7) + 1) * 0.125f;
    for (int r = 0; r < 32; r++) {
        unsigned nibble = block[32 + r / 2] >> 4 * (r & 1) & 15;
        run1(codes + 8 * r, block[r] | (nibble & 7) << 8, (nibble & 8) != 0);
    }
}

IP_CODED(iq2_xxs, 256, 66, 32)
IP_CODED(iq2_xs, 256, 74, 16)
IP_CODED(iq2_s, 256, 82, 16)
IP_CODED(iq3_xxs, 256, 98, 32)
IP_CODED(iq3_s, 256, 110, 32)
IP_CODED(iq1_s, 256, 50, 32)
IP_CODED(iq1_m, 256, 56, 16)

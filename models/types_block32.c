/* Types in blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
 *
 *   Q4_0  d f16 |          16 bytes of nibbles      (q - 8) * d
 *   Q4_1  d f16 | m f16 |  16 bytes of nibbles       q * d + m
 *   Q5_0  d f16 |          32 fifth bits | nibbles  (q - 16) * d
 *   Q5_1  d f16 | m f16 |  32 fifth bits | nibbles   q * d + m
 *   Q8_0  d f16 |          32 signed bytes           q * d
 *
 * Nibbles are split in halves: byte j holds element j low and element j + 16 high; the fifth bit of element i is bit i.
 * Loops are over bytes of fixed counts and restrict pointers, which compilers turn into vectors. */
#include "models/types.h"

enum { BLOCK = 32 };

/* Nibbles of 16 bytes, minus offset. */
static inline void nibbles(int8_t *restrict codes, const unsigned char *restrict qs, int offset) {
    for (int j = 0; j < 16; j++) codes[j] = (int8_t)((qs[j] & 15) - offset);
    for (int j = 0; j < 16; j++) codes[j + 16] = (int8_t)((qs[j] >> 4) - offset);
}

/* Eight bits as eight bytes of 0 or 1: copies of the bits, in copy i only bit i, which + 127 carries into bit 7. */
static inline uint64_t spread(unsigned bits) {
    uint64_t one = bits * 0x0101010101010101u & 0x8040201008040201u;
    return (one + 0x7F7F7F7F7F7F7F7Fu) >> 7 & 0x0101010101010101u;
}

/* Nibbles with a fifth bit, eight codes at a time: nibble | set where the bit is set, nibble | clear where it is not. */
static inline void fives(int8_t *restrict codes, const unsigned char *restrict qs, const unsigned char *restrict high,
                         unsigned set, unsigned clear) {
    for (int half = 0; half < 2; half++) {
        uint64_t q = ip_load_u64(qs + 8 * half), nibble = 0x0F0F0F0F0F0F0F0Fu, none = clear * 0x0101010101010101u;
        ip_store_u64(codes + 8 * half, (q & nibble) | (spread(high[half]) * (set ^ clear) ^ none));
        ip_store_u64(codes + 16 + 8 * half, (q >> 4 & nibble) | (spread(high[half + 2]) * (set ^ clear) ^ none));
    }
}

static inline void q4_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    *scale = ip_half_at(block);
    nibbles(codes, block + 2, 8);
}

static inline void q4_1_block(int8_t *codes, float *scale, float *min, const unsigned char *block) {
    *scale = ip_half_at(block);
    *min = ip_half_at(block + 2);
    nibbles(codes, block + 4, 0);
}

static inline void q5_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    *scale = ip_half_at(block);
    fives(codes, block + 6, block + 2, 0, 0xF0); /* q - 16 */
}

static inline void q5_1_block(int8_t *codes, float *scale, float *min, const unsigned char *block) {
    *scale = ip_half_at(block);
    *min = ip_half_at(block + 2);
    fives(codes, block + 8, block + 4, 0x10, 0);
}

static inline void q8_0_block(int8_t *codes, float *scale, const unsigned char *block) {
    *scale = ip_half_at(block);
    memcpy(codes, block + 2, BLOCK);
}

IP_CODED(q4_0, BLOCK, 18, 32)
IP_CODED_MIN(q4_1, BLOCK, 20, 32)
IP_CODED(q5_0, BLOCK, 22, 32)
IP_CODED_MIN(q5_1, BLOCK, 24, 32)
IP_CODED(q8_0, BLOCK, 34, 32)

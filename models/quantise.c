/* The quantisers, one block at a time, as ggml's reference code has them: f32 throughout, each step rounded
 * (-ffp-contract=off), codes made with the scale before it is rounded to a half.
 *
 *   Q8_0        d = largest |x| / 127; q = x / d to the nearest, halves away from zero
 *   Q4_0, Q5_0  m = the first x of largest magnitude; d = m / -8 (-16), so that it takes the code that has no opposite;
 *               q = whole part of x / d + 8.5 (16.5), at most 15 (31)
 *   Q4_1, Q5_1  d = (largest - smallest) / 15 (31); q = whole part of (x - smallest) / d + 0.5
 *   F16, BF16   to the nearest, even
 *
 * x / d is x * (1 / d), and 0 where d is 0. Where d is so small that 1 / d overflows, the reference is undefined; the
 * scale is stored as zero then, and codes are as for d = 0. */
#include "models/quantise.h"

#include <float.h>
#include <stdio.h>
#include <strings.h>

#include "models/types.h"

enum { BLOCK = 32, CHUNK = 512 /* elements at a time, whole blocks of every type */ };

static void store_u16(unsigned char *to, unsigned value) {
    to[0] = (unsigned char)value;
    to[1] = (unsigned char)(value >> 8);
}

static float inverse_of(float d) {
    float inverse = d != 0.0f ? 1.0f / d : 0.0f;
    return inverse >= -FLT_MAX && inverse <= FLT_MAX ? inverse : 0.0f;
}

/* Codes of up to five bits: nibbles split in halves at `nibbles`; the fifth bits at `fifth` unless that is NULL. */
static void store_codes(unsigned char *nibbles, unsigned char *fifth, const uint8_t q[BLOCK]) {
    for (int j = 0; j < 16; j++) nibbles[j] = (unsigned char)((q[j] & 15) | (q[j + 16] & 15) << 4);
    if (!fifth) return;
    uint32_t bits = 0;
    for (int i = 0; i < BLOCK; i++) bits |= (uint32_t)(q[i] >> 4) << i;
    store_u16(fifth, bits & 0xFFFF);
    store_u16(fifth + 2, bits >> 16);
}

/* To the nearest integer, halves away from zero; |x| < 2^31. The remainder is exact. */
static int round_away(float x) {
    int whole = (int)x;
    float rest = x - (float)whole;
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

/* The bits of a magnitude; they grow with it, and whole numbers may be compared in any order, in vectors. */
static int32_t magnitude(float x) { return (int32_t)(ip_bits_of_float(x) & 0x7FFFFFFFu); }

static int32_t largest(const float *x) {
    int32_t most = 0;
    for (int i = 0; i < BLOCK; i++) most = magnitude(x[i]) > most ? magnitude(x[i]) : most;
    return most;
}

static void q8_0_of(unsigned char *block, const float *x) {
    float d = ip_float_of_bits((uint32_t)largest(x)) / 127.0f, inverse = inverse_of(d);
    store_u16(block, ip_float_to_half(d));
    for (int i = 0; i < BLOCK; i++) block[2 + i] = (unsigned char)round_away(x[i] * inverse);
}

/* Q4_0 and Q5_0: codes around `middle` = 8 or 16. */
static void around(unsigned char *block, unsigned char *nibbles, unsigned char *fifth, const float *x, int middle) {
    int32_t most = largest(x);
    int first = 0;
    while (magnitude(x[first]) != most) first++;
    float m = most > 0 ? x[first] : 0.0f; /* of zeros +0, whatever their sign */
    float d = m / (float)-middle, inverse = inverse_of(d), half = (float)middle + 0.5f;
    uint8_t q[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        int code = (int)(x[i] * inverse + half);
        q[i] = (uint8_t)(code < 2 * middle ? code : 2 * middle - 1);
    }
    store_u16(block, ip_float_to_half(d));
    store_codes(nibbles, fifth, q);
}

static void q4_0_of(unsigned char *block, const float *x) { around(block, block + 2, NULL, x, 8); }
static void q5_0_of(unsigned char *block, const float *x) { around(block, block + 6, block + 2, x, 16); }

/* Q4_1 and Q5_1: codes up from the smallest, at most `top` = 15 or 31. */
static void upwards(unsigned char *block, unsigned char *nibbles, unsigned char *fifth, const float *x, int top) {
    float low = x[0], high = x[0];
    for (int i = 1; i < BLOCK; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float d = (high - low) / (float)top, inverse = inverse_of(d);
    uint8_t q[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        float code = (x[i] - low) * inverse + 0.5f;
        q[i] = (uint8_t)(code < (float)top ? (int)code : top);
    }
    store_u16(block, ip_float_to_half(d));
    store_u16(block + 2, ip_float_to_half(low));
    store_codes(nibbles, fifth, q);
}

static void q4_1_of(unsigned char *block, const float *x) { upwards(block, block + 4, NULL, x, 15); }
static void q5_1_of(unsigned char *block, const float *x) { upwards(block, block + 8, block + 4, x, 31); }

static void f16_of(unsigned char *block, const float *x) { store_u16(block, ip_float_to_half(*x)); }

static void bf16_of(unsigned char *block, const float *x) {
    uint32_t bits = ip_bits_of_float(*x);
    store_u16(block, (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* The list: the type's name, and what makes one block of it. */
static const struct {
    const char *name;
    void (*block_of)(unsigned char *block, const float *x);
} quantisers[] = {
    {"Q8_0", q8_0_of}, {"Q5_1", q5_1_of}, {"Q5_0", q5_0_of}, {"Q4_1", q4_1_of},
    {"Q4_0", q4_0_of}, {"BF16", bf16_of}, {"F16", f16_of},
};

enum { QUANTISERS = sizeof quantisers / sizeof quantisers[0] };

static const ip_type *type_named(const char *name) {
    for (size_t i = 0; i < ip_type_count(); i++)
        if (strcasecmp(ip_type_at(i)->name, name) == 0) return ip_type_at(i);
    return NULL;
}

size_t ip_quantise_count(void) { return QUANTISERS; }
const ip_type *ip_quantise_at(size_t index) { return type_named(quantisers[index].name); }

const ip_type *ip_quantise_type(const char *name) {
    for (size_t i = 0; i < QUANTISERS; i++)
        if (strcasecmp(quantisers[i].name, name) == 0) return type_named(name);
    return NULL;
}

void ip_quantise_names(char *out, size_t room) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < QUANTISERS && at < room; i++) {
        at += (size_t)snprintf(out + at, room - at, "%s%s", i > 0 ? ", " : "", quantisers[i].name);
    }
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
}

void ip_quantise_blocks(const ip_type *type, unsigned char *blocks, const float *x, size_t k) {
    size_t q = 0;
    while (strcmp(quantisers[q].name, type->name) != 0) q++;
    for (; k >= type->block; k -= type->block, x += type->block, blocks += type->bytes)
        quantisers[q].block_of(blocks, x);
    if (k == 0) return;
    float last[BLOCK] = {0};
    memcpy(last, x, k * sizeof *x);
    quantisers[q].block_of(blocks, last);
}

/* k floats, at most a chunk, as blocks, *n the elements of these; false when a float or a scale is not finite. */
static bool chunk_of(const ip_type *type, unsigned char *blocks, size_t *n, const float *x, size_t k) {
    uint32_t bad = 0;
    for (size_t i = 0; i < k; i++) bad |= (ip_bits_of_float(x[i]) & 0x7F800000u) == 0x7F800000u;
    if (bad) return false;
    ip_quantise_blocks(type, blocks, x, k);
    *n = (k + type->block - 1) / type->block * type->block;
    return ip_row_finite(type, blocks, *n);
}

bool ip_quantise_codes(const ip_type *type, int8_t *codes, float *scale, float *min, const float *x, size_t k) {
    unsigned char blocks[CHUNK * 2];
    for (size_t at = 0; at < k; at += CHUNK) {
        size_t n, group = at / type->group;
        if (!chunk_of(type, blocks, &n, x + at, k - at < CHUNK ? k - at : CHUNK)) return false;
        type->to_codes(codes + at, scale + group, type->has_min ? min + group : NULL, blocks, n);
    }
    return true;
}

bool ip_quantise_floats(const ip_type *type, float *x, size_t k) {
    unsigned char blocks[CHUNK * 2];
    float values[CHUNK];
    for (size_t at = 0; at < k; at += CHUNK) {
        size_t n, now = k - at < CHUNK ? k - at : CHUNK;
        if (!chunk_of(type, blocks, &n, x + at, now)) return false;
        type->to_float(values, blocks, n);
        memcpy(x + at, values, now * sizeof *x);
    }
    return true;
}

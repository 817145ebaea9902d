/* int8 products of AVX2.
 *
 * vpmaddubsw multiplies unsigned by signed bytes and adds pairs in 16 bits, saturating. A panel whose codes span few
 * values is stored unsigned, code + offset, as [k / 4][16 outputs][4]; the 16-bit sums of two, four or eight steps of
 * four inputs fit, and only then does a vpmaddwd with ones widen them:
 *
 *     codes span at most     16     32     64
 *     steps                   8      4      2       steps * 2 * span * 127 < 2^15
 *
 * What the offset (a power of two) adds, offset * sum of q, is taken off per group. Each panel says in its head how it is
 * stored; one whose codes span more goes in pairs of 16 bits (pairs.h). Activations lie in both forms (act_block). */
#include <stdbool.h>
#include <string.h>

#include "arch/avx2/fours.h"
#include "arch/avx2/pairs.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

/* For walk.inc.h: the steps of a narrow panel, and of all that an activation takes. */
enum { ROWS_OF_CODES = IP_AVX2_TILE, CODE_STEP = 1, ACT_STEP = 4 };

#include "arch/generic/pairs.inc.h"
#include "arch/generic/quantise.inc.h"

typedef struct panel_head {
    int32_t steps; /* 0: pairs of 16 bits */
    int32_t shift; /* offset = 2^shift; NO_OFFSET: none */
} panel_head;

enum { NO_OFFSET = -1 };

_Static_assert(sizeof(panel_head) <= IP_AVX2_HEAD, "the head of a panel");

/* The form for codes from low to high. */
static panel_head form_of(int low, int high) {
    static const panel_head narrow[] = {{8, 3}, {4, 4}, {2, 5}};
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
        int half = 1 << narrow[i].shift;
        if (low >= 0 && high <= 2 * half) return (panel_head){narrow[i].steps, NO_OFFSET};
        if (low >= -half && high <= half) return narrow[i];
    }
    return (panel_head){0, NO_OFFSET};
}

void ip_pack_int8_avx2(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    int low = 0, high = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < k; j++) {
            int code = codes[i * stride + j];
            low = code < low ? code : low;
            high = code > high ? code : high;
        }
    }
    panel_head head = form_of(low, high);
    unsigned char *out = panel;
    memset(out, 0, IP_AVX2_HEAD);
    memcpy(out, &head, sizeof head);
    out += IP_AVX2_HEAD;
    if (head.steps == 0) {
        pack_pairs(out, codes, stride, count, k);
        return;
    }
    const uint32_t offset = head.shift == NO_OFFSET ? 0 : 0x01010101u << head.shift;
    for (size_t j = 0; j < k; j += 4) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            uint32_t four = 0;
            if (lane < count) memcpy(&four, codes + lane * stride + j, sizeof four);
            /* Bytes are added without carries between them: the lower seven bits, then the highest. */
            four = ((four & 0x7f7f7f7fu) + offset) ^ (four & 0x80808080u);
            memcpy(out + (j * IP_LANES + lane * 4), &four, sizeof four);
        }
    }
}

/* Activations of 32 inputs. */
typedef struct act_block {
    fours_block fours;
    int16_t pairs[IP_GROUP / 2][IP_AVX2_TILE][2];
    unsigned char rest[120];
} act_block;

_Static_assert(sizeof(act_block) == IP_GROUP * IP_AVX2_TILE * ACT_STEP, "a block of activations");

IP_INLINE void put_both(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    act_block *block = (act_block *)(void *)group + g16 / 2;
    const size_t half = g16 % 2;
    fours_put(&block->fours, t, half, q, 1);
    for (size_t i = 0; i < IP_LANES; i++) {
        size_t k = half * IP_LANES + i;
        block->pairs[k / 2][t][k % 2] = q[i];
    }
}

int ip_act_int8_avx2(ip_act *a, const float *x, size_t stride, size_t from, size_t count) {
    return quantise_rows(a, x, stride, from, count, scale_int8, put_both);
}

/* 16-bit sums of `steps` steps of four inputs, two registers per row, widened and added to sum (first: in place of it). */
IP_INLINE void narrow_steps(__m256i sum[2 * IP_AVX2_TILE], const unsigned char *codes, const int32_t *x,
                            const size_t steps, const bool first) {
    __m256i part[2 * IP_AVX2_TILE];
    const __m256i ones = _mm256_set1_epi16(1);
    IP_UNROLL for (size_t k = 0; k < steps; k++) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 64));
        __m256i w1 = _mm256_loadu_si256((const __m256i *)(const void *)(codes + k * 64 + 32));
        IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
            __m256i four = _mm256_set1_epi32(x[k * IP_AVX2_TILE + t]);
            __m256i p0 = _mm256_maddubs_epi16(w0, four), p1 = _mm256_maddubs_epi16(w1, four);
            part[2 * t] = k == 0 ? p0 : _mm256_add_epi16(part[2 * t], p0);
            part[2 * t + 1] = k == 0 ? p1 : _mm256_add_epi16(part[2 * t + 1], p1);
            IP_PIN(part[2 * t]);
            IP_PIN(part[2 * t + 1]);
        }
    }
    IP_UNROLL for (size_t t = 0; t < 2 * IP_AVX2_TILE; t++) {
        __m256i wide = _mm256_madd_epi16(part[t], ones);
        sum[t] = first ? wide : _mm256_add_epi32(sum[t], wide);
    }
}

IP_INLINE void narrow_tile(const int_tile *tile, const size_t group, const bool has_min, const size_t steps,
                           const int shift) {
    const unsigned char *codes = tile->panel + IP_AVX2_HEAD + tile->k * IP_LANES;
    const act_block *block = (const act_block *)(const void *)tile->x;
    scaled s;
    scaled_begin(&s, tile);
    for (size_t g = 0; g < tile->groups; g++) {
        const size_t half = group == IP_GROUP ? 0 : g % 2;
        const int32_t *x = (const int32_t *)(const void *)block->fours.codes[half * (IP_LANES / 4)];
        __m256i sum[2 * IP_AVX2_TILE];
        IP_UNROLL for (size_t k = 0; k < group / 4; k += steps)
            narrow_steps(sum, codes + k * 64, x + k * IP_AVX2_TILE, steps, k == 0);
        if (shift != NO_OFFSET) {
            const int32_t *q = block->fours.sums[group == IP_GROUP ? 2 : half];
            IP_UNROLL for (size_t t = 0; t < IP_AVX2_TILE; t++) {
                __m256i taken = _mm256_slli_epi32(_mm256_set1_epi32(q[t]), shift);
                sum[2 * t] = _mm256_sub_epi32(sum[2 * t], taken);
                sum[2 * t + 1] = _mm256_sub_epi32(sum[2 * t + 1], taken);
            }
        }
        scaled_add(&s, sum, has_min);
        scaled_next(&s, g, group, has_min);
        codes += group * IP_LANES;
        if (group == IP_GROUP || half == 1) block++;
    }
    scaled_end(&s, tile);
}

/* The same for panels in pairs of 16 bits. */
IP_INLINE void wide_tile(const int_tile *tile, const size_t group, const bool has_min) {
    const int16_t *codes = (const int16_t *)(const void *)(tile->panel + IP_AVX2_HEAD) + tile->k * IP_LANES;
    const act_block *block = (const act_block *)(const void *)tile->x;
    scaled s;
    scaled_begin(&s, tile);
    for (size_t g = 0; g < tile->groups; g++) {
        const size_t half = group == IP_GROUP ? 0 : g % 2;
        __m256i sum[2 * IP_AVX2_TILE];
        group_sums(sum, codes, (const int32_t *)(const void *)block->pairs[half * (IP_LANES / 2)], group);
        scaled_add(&s, sum, has_min);
        scaled_next(&s, g, group, has_min);
        codes += group * IP_LANES;
        if (group == IP_GROUP || half == 1) block++;
    }
    scaled_end(&s, tile);
}

/* Straight code for every form. */
#define FORM(steps, shift) ((steps)*16 + (shift) + 1)
#define NARROW(number, shift)                                                                                          \
    case FORM(number, shift):                                                                                          \
        narrow_tile(tile, group, has_min, (number) < group / 4 ? (number) : group / 4, shift);                         \
        break;

IP_INLINE void integer_tile(const int_tile *tile, const size_t group, const bool has_min) {
    panel_head head;
    memcpy(&head, tile->panel, sizeof head);
    switch (FORM(head.steps, head.shift)) {
        NARROW(8, NO_OFFSET)
        NARROW(8, 3)
        NARROW(4, NO_OFFSET)
        NARROW(4, 4)
        NARROW(2, NO_OFFSET)
        NARROW(2, 5)
    default: wide_tile(tile, group, has_min); break;
    }
}

#include "arch/generic/walk.inc.h"

void ip_gemm_int8_avx2(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk(c, ldc, w, panel, panels, a);
}

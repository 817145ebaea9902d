/* The kernel checker: what its files share.
 *
 * Every kernel of an instruction set is compared with scalar, byte for byte (the bf16 products: within their bound),
 * on seeded inputs that lie flush against pages that must not be touched. A failure names the case and the seed that
 * replays it. Plain C without a test framework: it runs on bare boards and under emulators. */
#ifndef IP_TESTS_KERNELS_CHECK_H
#define IP_TESTS_KERNELS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/kernels.h"

typedef struct check {
    const ip_kernels *law, *kernels; /* scalar, and what is under test */
    const char *kernel;              /* its name, for messages and the seed */
    uint64_t seed, state;            /* of the run; of the generator */
    bool quick;
    size_t passed, failed;
    uint64_t digest; /* FNV-1a of what the law gave in check_law */
    char what[160];  /* the case at hand */
} check;

/* A case begins: its name, and a generator that depends on seed, kernel and name only. */
void check_case(check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Counts one check; false is a failure with a line that says how to replay it. */
void check_that(check *c, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* memcmp of n floats, 64-bit integers or doubles; the first difference is printed. */
void check_floats(check *c, const float *got, const float *want, size_t n);
void check_words(check *c, const void *got, const void *want, size_t n);

/* ---- inputs (inputs.c) ---- */

uint64_t random_bits(check *c);
size_t random_below(check *c, size_t n);
float random_normal(check *c);

typedef enum kind {
    KIND_NORMAL, /* about N(0, 1) */
    KIND_WIDE,   /* magnitudes 2^-30 .. 2^30 */
    KIND_TINY,   /* denormals and zeros of both signs */
    KIND_SPARSE, /* mostly zeros of both signs, a few outliers */
    KIND_EQUAL,  /* one value everywhere */
    KIND_LARGE,  /* magnitudes around 2^60: squares still fit */
    KINDS
} kind;
const char *kind_name(kind k);
void fill_floats(check *c, kind k, float *out, size_t n);
/* Codes: random, or all extremes -128 and 127. */
void fill_codes(check *c, bool extreme, int8_t *out, size_t n);

/* Buffers between pages that fault. Slot numbers 0 .. SLOTS-1; a slot's former contents are gone. at_end: the last byte
 * lies against the page behind, else the first against the page in front; the free side carries a pattern that
 * slots_check looks at. The contents are 0xa5 bytes. */
enum { SLOTS = 24 };
void *slot(unsigned index, size_t bytes, bool at_end);
void slots_check(check *c);

/* ---- checks: one per kernel of kernels.def; the three that make a product are checked together ---- */

void check_product_f32(check *c);
void check_product_bf16(check *c);
void check_product_int16(check *c);
void check_product_int8(check *c);
#define check_pack_f32   check_product_f32
#define check_act_f32    check_product_f32
#define check_gemm_f32   check_product_f32
#define check_pack_bf16  check_product_bf16
#define check_act_bf16   check_product_bf16
#define check_gemm_bf16  check_product_bf16
#define check_pack_int16 check_product_int16
#define check_act_int16  check_product_int16
#define check_gemm_int16 check_product_int16
#define check_pack_int8  check_product_int8
#define check_act_int8   check_product_int8
#define check_gemm_int8  check_product_int8
void check_pack_keys(check *c);
void check_attention(check *c);
void check_rms_norm(check *c);
void check_layer_norm(check *c);
void check_activate(check *c);
void check_soft_cap(check *c);
void check_rope(check *c);
void check_add(check *c);
void check_round_bf16(check *c);
void check_unit(check *c);
void check_soft_assign(check *c);
void check_entropy_row(check *c);
void check_sum_gather(check *c);
void check_entropy_sums(check *c);
void check_log_sum_exp(check *c);
void check_lse_entropy(check *c);
void check_mix_f64(check *c);
void check_log_f64(check *c);
void check_encode_f64(check *c);

/* ---- the law itself against plain double arithmetic (reference.c), and SLEEF's bits ---- */

void check_law(check *c);
void check_sleef(check *c);

/* ---- requests and sizes (dispatch.c) ---- */

void check_dispatch(check *c);

#endif

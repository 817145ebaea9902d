/* The kernels: what each computes, to the bit.
 *
 * Scalar is the law. Every kernel exists once per instruction set (arch/<isa>/) and gives the bits of the scalar one;
 * only the bf16 products are held to a bound instead. What makes this cheap is that the order of operations is fixed
 * here and never depends on the width of a register:
 *
 *   lanes     All laws think in 16 lanes (IP_LANES): one zmm, two ymm, four NEON registers, or a C array.
 *   products  One accumulator per output that runs through k in order; registers only say how many outputs go
 *             side by side (outer products). No sum over k is ever split.
 *   rows      A reduction along a row in memory (norm, maximum, log-sum-exp) keeps 16 partial results, element i in
 *             partial i mod 16, elements in order; then the tree: 8 + 8, 4 + 4, 2 + 2, 1 + 1, that is
 *             s[i] = s[i] op s[i + half] for half = 8, 4, 2, 1. A short last vector is masked: its missing lanes
 *             leave their partial as it is.
 *   maximum   a > b ? a : b, a the partial so far. Inputs are finite wherever a maximum is taken.
 *   rounding  + - * / sqrt fma and int -> float conversions, all to nearest even. Fused where written fma below and
 *             nowhere else. exp, log: SLEEF's finz family, u10 (the same bits for every width).
 *
 * Packed operands. A weight matrix [n outputs, k inputs] is cut into panels of 16 outputs; a panel holds its 16
 * outputs side by side for every k. Activations [rows, k] are cut into groups of `tile` rows (a constant of the
 * instruction set) that hold their rows side by side for every k. Layouts of codes inside are the business of each
 * instruction set: pack, act and gemm kernels of one table belong together.
 *
 * Integer products. k is padded with zeros to a multiple of 32 (kp). A weight is code * scale + min with a signed
 * 8-bit code; scale and min are f32 per output and group of `group` = 16 or 32 inputs (min only if has_min).
 * An activation is q * scale, one scale per row and 32 inputs, |q| <= IP_Q16_MAX (int16) or IP_Q8_MAX (int8). Scales of
 * int16 activations are powers of two from 2^-62 to 2^62, and every weight scale beside them is 1 (with codes that are
 * zero) or of a size from 2^-62 to 2^62 (ip_scale_for_int16): the product of the two is then exact, a sum of exponents,
 * and never leaves the normal numbers.
 * An output is, groups g in order, acc = 0 at the start:
 *     i    = sum over the group of code * q                      (exact, int32)
 *     acc  = fma((float)i, wscale[g] * xscale[g32], acc)          (the product of the scales rounded to f32)
 *     acc  = fma(wmin[g], xsum[g], acc)                           (only if has_min)
 * with xsum[g] = xscale[g32] * (float)(sum of q over the group), rounded to f32.
 */
#ifndef IP_ARCH_KERNELS_H
#define IP_ARCH_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IP_LANES = 16,      /* outputs per panel, lanes of every law */
    IP_GROUP = 32,      /* inputs per activation scale */
    IP_KEY_BLOCK = 64,  /* keys per step of the online softmax, counted from position 0 of the document */
    IP_QUERY_TILE = 16, /* queries side by side in attention, counted from position 0 of the document */
    IP_HEAD_MAX = 512,  /* widest attention head */
    IP_Q16_MAX = 16319, /* 128 * hi + lo fits two signed bytes; 32 * 127 * 16319 < 2^31 */
    IP_Q8_MAX = 127,
    IP_TILE_MAX = 16 /* no instruction set groups more rows */
};

/* The arithmetic of a matrix product. */
typedef enum ip_arith { IP_ARITH_F32, IP_ARITH_BF16, IP_ARITH_INT16, IP_ARITH_INT8, IP_ARITHS } ip_arith;

/* Functions of the MLP; activate below says what each computes. */
typedef enum ip_activation {
    IP_ACT_SILU,
    IP_ACT_GELU_TANH,
    IP_ACT_GELU_ERF,
    IP_ACT_RELU,
    IP_ACT_RELU2,
    IP_ACT_XIELU,  /* arXiv:2411.13010 */
    IP_ACT_CLAMPED /* of gpt-oss */
} ip_activation;

/* A packed weight matrix. Panel p starts at codes + p * panel_bytes; its scales at scale + p * (kp / group) * 16,
 * laid out [kp / group][16]; its mins likewise. Outputs beyond n are zeros. */
typedef struct ip_matrix {
    ip_arith arith;
    size_t n, k; /* outputs, inputs */
    size_t kp;   /* inputs with padding: to 32 (integers), to 2 (bf16), none (f32) */
    unsigned group;
    bool has_min;
    size_t panel_bytes;
    unsigned char *codes;
    float *scale, *min;
} ip_matrix;

/* Packed activations. Group r of `tile` rows starts at codes + r * group_bytes. scale is [groups][kp/32][tile],
 * sum32 the xsum of 32-groups in the same layout, sum16 that of 16-groups [groups][kp/16][tile]; extra is for the
 * instruction set's own use, [groups][kp/32][3][tile]. Rows beyond `rows` in the last group are zeros. */
typedef struct ip_act {
    ip_arith arith;
    size_t rows, k, kp;
    unsigned tile;
    size_t group_bytes;
    unsigned char *codes;
    float *scale, *sum16, *sum32;
    int32_t *extra;
} ip_act;

/* Attention of one query head over one run of positions of one document. Query row r stands at position + r;
 * position is a multiple of 16. kt: keys of this head as pack_keys lays them out, for positions 0 .. position+rows-1;
 * v: row u at v + u * v_stride. Per tile of 16 queries and block of 64 keys, in order of blocks (blocks wholly
 * outside the window of every query of the tile are skipped, as are blocks after the last query):
 *     s[u]  = scale * (fma chain over the head of q[d] * k[u][d], from 0); if softcap > 0: cap * tanh(s / cap)
 *     if key_bias: s[u] = s[u] + key_bias[u]
 *     s[u]  = -infinity where u > t or (window > 0 and u + window <= t)
 *     mx    = m; for u in the block, in order: mx = s[u] > mx ? s[u] : mx        (m = -infinity at the start; with a sink m = sink, and l = 1)
 *     a     = exp(m - mx), and 0 if m = -infinity;  p[u] = exp(s[u] - mx), and 0 where s[u] = -infinity
 *     l     = l * a, then l = l + p[u] for u in order
 *     o[d]  = o[d] * a, then o[d] = fma(v[u][d], p[u], o[d]) for u in order      (u: keys of the block that any
 *                                                                                 query of the tile may see)
 * and out[d] = o[d] / l at the end. Queries of a tile beyond the last row are computed from zeros and dropped.
 * bf16: p is rounded to bf16 before it multiplies v (l sums the unrounded p). */
typedef struct ip_attention {
    float *out;
    const float *q, *kt, *v;
    size_t out_stride, q_stride, v_stride;
    size_t position, rows;
    size_t head; /* width of q, k and v of one head, at most IP_HEAD_MAX */
    float scale, softcap;
    size_t window;         /* 0: none */
    const float *key_bias; /* per position, added to scores behind scale and cap (ALiBi); NULL: none */
    const float *sink;     /* a logit that only adds to the denominator; NULL: none */
    bool bf16;
} ip_attention;

/* Running log-sum-exp of one row: max = -infinity and sum = 0 at the start. */
typedef struct ip_lse {
    float max;
    double sum;
} ip_lse;

/*
 * pack_f32     panel[k][16] from `count` <= 16 rows of k floats, `stride` floats apart; missing rows are zeros.
 * pack_bf16    the same rounded to bf16 (nearest even), k padded with zeros (to 2, or to k_step).
 * pack_int16/8 the same for signed codes; k is already a multiple of 32.
 * act_f32      packs inputs from .. from + count - 1 of all a->rows rows; x holds just these, rows `stride` floats
 *              apart. from is a multiple of 32, and so is count unless the inputs end there; with the last of them
 *              what pads k becomes zeros.
 * act_bf16     the same, rounded to bf16.
 * act_int16    per row and 32 inputs (the last group padded with zeros): amax = max |x|; scale = the smallest power of
 *              two with amax <= scale * Q, but at least 2^-62; q = round to nearest even (x / scale). Returns 1 if any
 *              x is not finite or above Q * 2^62 (what is packed is then unspecified), else 0.
 * act_int8     amax likewise; if amax < 2^-100: scale 0, q 0; else scale = amax / Q, inverse = Q / amax, q = round to
 *              nearest even (x * inverse). Returns 1 if any x is not finite.
 * gemm_*       c[row * ldc + 16 * j + lane] for panels panel .. panel + panels - 1 (j from 0). Writes whole groups:
 *              c needs room for rows rounded up to a multiple of a->tile. f32: acc = fma(x, w, acc) from 0, k in order.
 *              bf16: products of bf16 numbers summed in f32 in pairs of k; each instruction set rounds in its own way,
 *              within k * 2^-23 * sum |x w| of the exact sum.
 * pack_keys    kt[block][d][64] from rows k[r] (stride floats apart) at positions position .. position+rows-1;
 *              other positions of the blocks are left alone.
 * rms_norm     q = sum of x*x (row law with fma); r = 1 / sqrt(q / n + eps); y = (x * r) * gain. y may be x.
 *              Returns 1 if q is not finite.
 * layer_norm   s = sum of x (row law); mean = s / n; d = x - mean; q = sum of d*d (row law with fma);
 *              r = 1 / sqrt(q / n + eps); y = (d * r) * gain, then y + bias unless bias is NULL. y may be x. Returns 1 if q
 *              is not finite.
 * rope         a = x[j], b = x[j + half]: x[j] = fma(a, cos, -(b * sin)), x[j + half] = fma(b, cos, a * sin),
 *              the inner product rounded.
 * activate     y = f(gate), then y * up unless up is NULL; y may be gate or up, or overlap either from in front (rows
 *              closing up). With g for gate, max(a, b) = a > b ? a : b and min(a, b) = -max(-a, -b):
 *                SILU       g / (1 + exp(-g))
 *                GELU_TANH  (0.5 g) * (1 + tanh(0.7978845608 * fma(0.044715, (g * g) * g, g)))
 *                GELU_ERF   (0.5 g) * (1 + erf(g * 0.70710678)), erf as in arch/erf.h
 *                RELU       max(0, g)
 *                RELU2      max(0, g)^2
 *                XIELU      numbers ap, an, beta, eps; p = max(0, g), m = min(0, g):
 *                           (p == 0 ? (expm1(min(eps, m)) - m) * an : (ap * p) * p) + beta * g
 *                CLAMPED    g = min(7, g), u = max(-7, min(7, up)): (u + 1) * (g / (1 + exp(-(1.702 g)))); up is never NULL
 * soft_cap     x = x * scale; if cap > 0: x = cap * tanh(x / cap).
 * add          x = x + y.
 * round_bf16   every x rounded to bf16 (nearest even) and widened again; NaN stays NaN.
 * unit         norm2 = sum of squares in double (row law, fma, 16 partials); norm = sqrt(norm2);
 *              y = (float)((double)z / norm). Returns 0; 1 when all z are zero; 2 when norm2 is not finite (y is then
 *              left alone).
 * soft_assign  s = dots * inverse_temperature; mx by the row law over m; e = exp(s - mx); t = sum of e (row law);
 *              p = e / t. p is written for m rounded up to 16, zeros behind m; dots has that room too. p may be dots.
 * entropy_row  p in units of 2^-32: u = (int64) round to nearest even (p * 2^32); the entropy of u / 2^32 as
 *              entropy_sums has it with count = 1.
 * sum_gather   for i in 0 .. n-1: sums[j] += u[j] (as above) of the 16 floats at rows + 16 * positions[i], j < 16 (a
 *              block of 16 anchors, 64-byte aligned rows; positions in any order). 0 <= p <= 1.
 * entropy_sums x = (double)sums / (double)(count * 2^32); per block of 16 anchors: b = tree sum of x * log(x)
 *              (0 where x = 0; the product rounded), result += -round to nearest even (b * 2^32).
 *              Returns sum over blocks: the entropy in nats in units of 2^-32. sums < 2^53.
 * log_sum_exp  one panel of n logits: pm = maximum by the row law; mx = state max > pm ? state max : pm;
 *              t = sum of exp(x - mx) (row law, f32); sum = fma(sum, (double)exp(state max - mx), (double)t), the exp
 *              in f32 and 0 if state max is -infinity; max = mx.
 * lse_entropy  log_sum_exp, and beside it the sum of exp(x - max) * (x - max), 0 at the start, so that the entropy of the
 *              softmax is log(sum) - weighted / sum: with d = x - mx (f32) and e = exp(d) as there,
 *              w = sum of e * max(d, -128) (row law with fma; e is 0 below, and d may be -infinity); with the shift
 *              s = max(state max - mx, -128) (f32), a = exp(state max - mx) and the sum before this panel
 *              weighted = fma(a, fma(s, sum, weighted), w) in double.
 * The next three are the steps of Blahut-Arimoto in double (core/bound/bound_soft.c); all rows are multiples of 16 long.
 * mix_f64      out[j] = 0, then out[j] = fma(weights[i], rows[index[i] * width + j], out[j]) for i in 0 .. n-1, in order.
 * log_f64      y = log(x > 1e-300 ? x : 1e-300) - shift. y may be x.
 * encode_f64   a = fma(factor, q, bias); mx by the row law; e = exp(a - mx); t = sum of e (row law); q = e / t.
 *              Returns mx + log(t). a is finite; -1e300 as a bias gives probability 0.
 */
typedef struct ip_kernels {
    const char *name;                 /* as in isa.def, with switched-off features: "avx512,-vnni" */
    unsigned tile[IP_ARITHS];         /* rows per activation group, at most IP_TILE_MAX */
    unsigned act_bytes[IP_ARITHS];    /* bytes of one packed activation */
    unsigned weight_bytes[IP_ARITHS]; /* bytes of one packed weight */
    unsigned k_step[IP_ARITHS];       /* packed operands have room for a multiple of so many inputs; 0: for kp */
    unsigned head_bytes[IP_ARITHS];   /* bytes before the codes of a panel, for the instruction set's own use */
#define IP_KERNEL(type, kernel, arguments) type(*kernel) arguments;
#include "arch/kernels.def"
#undef IP_KERNEL
} ip_kernels;

/* ---- operands: sizes and layout, the same code for every instruction set (arch/operands.c) ---- */

/* k padded as the arithmetic wants it. */
size_t ip_padded_k(ip_arith arith, size_t k);

/* Bytes of packed memory for a matrix (64-byte parts), and the struct laid over it. memory is 64-byte aligned. */
size_t ip_matrix_bytes(const ip_kernels *kernels, ip_arith arith, size_t n, size_t k, unsigned group, bool has_min);
void ip_matrix_layout(ip_matrix *w, void *memory, const ip_kernels *kernels, ip_arith arith, size_t n, size_t k,
                      unsigned group, bool has_min);

/* The same for activations. */
size_t ip_act_bytes(const ip_kernels *kernels, ip_arith arith, size_t rows, size_t k);
void ip_act_layout(ip_act *a, void *memory, const ip_kernels *kernels, ip_arith arith, size_t rows, size_t k);

/* Fills a (act_<arith>) from rows of a->k floats; 1 when a value is not finite (integer arithmetics only). */
int ip_act_fill(ip_act *a, const ip_kernels *kernels, const float *x, size_t stride);
/* Some of the inputs: from and count as kernels.h has them. */
int ip_act_fill_part(ip_act *a, const ip_kernels *kernels, const float *x, size_t stride, size_t from, size_t count);

/* Makes a group's scale one that int16 products can take: *scale becomes 1 and the answer IP_SCALE_ZERO (the group's
 * codes have to become zeros) where it is below 2^-62 in size; IP_SCALE_TOO_LARGE above 2^62. */
typedef enum ip_scale { IP_SCALE_FITS, IP_SCALE_ZERO, IP_SCALE_TOO_LARGE } ip_scale;
ip_scale ip_scale_for_int16(float *scale);

/* The product by the kernel of w's arithmetic. */
void ip_gemm(const ip_kernels *kernels, float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels,
             const ip_act *a);

#endif

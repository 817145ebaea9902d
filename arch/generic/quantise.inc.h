/* Activations to integer codes, in the vocabulary of vec.h. The including file gives ROWS_OF_CODES (rows per group)
 * and passes a function that puts codes where its products want them. */

#include "arch/generic/scales.h"

/* Where 16 codes of row t of a group go; g16 counts inputs in sixteens. */
typedef void (*put_codes)(unsigned char *group, size_t t, size_t g16, const int16_t *q);

/* 16 inputs of row `row` from `at`, zeros beyond the row's end and in rows that do not exist; x begins at `from`. */
IP_INLINE v16f quantise_load(const ip_act *a, const float *x, size_t stride, size_t from, size_t row, size_t at) {
    return row < a->rows && at < a->k ? rows_load(x + row * stride, a->k - from, at - from, 0.0f) : vf_set(0.0f);
}

/* The codes of 16 inputs put in their places; returns their sum. Whole numbers below 2^24: the float sum is exact;
 * + 0 turns a sum of negative zeros into +0. */
IP_INLINE float quantise_half(unsigned char *group, size_t t, size_t g16, v16f x, v16f inverse, put_codes put) {
    int16_t q[IP_LANES];
    v16f rounded = vf_rint(vf_mul(x, inverse));
    vf_store_i16(q, rounded);
    put(group, t, g16, q);
    return vf_tree_sum(rounded) + 0.0f;
}

/* Fills codes, scales and sums of all rows for inputs from .. from + count - 1. */
IP_INLINE int quantise_rows(ip_act *a, const float *x, size_t stride, size_t from, size_t count, act_scale scale_of,
                            put_codes put) {
    const size_t tile = ROWS_OF_CODES, groups32 = a->kp / IP_GROUP, row_groups = (a->rows + tile - 1) / tile;
    const size_t first = from / IP_GROUP, end = (from + count + IP_GROUP - 1) / IP_GROUP;
    /* Block by block of 32 inputs and `tile` rows: a block's codes lie together. */
    for (size_t i = 0; i < row_groups * (end - first); i++) {
        size_t group = i / (end - first), g = first + i % (end - first), block = group * groups32 + g;
        for (size_t t = 0; t < tile; t++) {
            size_t row = group * tile + t;
            v16f x0 = quantise_load(a, x, stride, from, row, g * IP_GROUP);
            v16f x1 = quantise_load(a, x, stride, from, row, g * IP_GROUP + IP_LANES);
            float scale, inverse;
            if (!scale_of(vf_tree_max(vf_max(vf_abs(x0), vf_abs(x1))), &scale, &inverse)) return 1;
            unsigned char *codes = a->codes + group * a->group_bytes;
            float sum0 = quantise_half(codes, t, 2 * g, x0, vf_set(inverse), put);
            float sum1 = quantise_half(codes, t, 2 * g + 1, x1, vf_set(inverse), put);
            /* A value that is not finite leaves a sum that is not: infinity makes the inverse 0, and 0 times infinity
             * is NaN; a NaN stays one, whatever the maximum made of it. */
            if (!isfinite(sum0 + sum1)) return 1;
            a->scale[block * tile + t] = scale;
            a->sum32[block * tile + t] = scale * (sum0 + sum1);
            a->sum16[block * 2 * tile + t] = scale * sum0;
            a->sum16[(block * 2 + 1) * tile + t] = scale * sum1;
        }
    }
    return 0;
}

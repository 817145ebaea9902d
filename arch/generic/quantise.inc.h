/* Activations to integer codes, in the vocabulary of vec.h. The including file gives ROWS_OF_CODES (rows per group)
 * and passes a function that puts codes where its products want them. */

/* Where 16 codes of row t of a group go; g16 counts inputs in sixteens. */
typedef void (*put_codes)(unsigned char *group, size_t t, size_t g16, const int16_t *q);

/* 16 inputs of row `row` from `at`, zeros beyond the row's end and in rows that do not exist. */
IP_INLINE v16f quantise_load(const ip_act *a, const float *x, size_t stride, size_t row, size_t at) {
    return row < a->rows && at < a->k ? rows_load(x + row * stride, a->k, at, 0.0f) : vf_set(0.0f);
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

/* Fills codes, scales and sums of all rows. extra, where the products want it, is -128 times the sums of q over the
 * first half, the second half and all of each group of 32. */
IP_INLINE int quantise_rows(ip_act *a, const float *x, size_t stride, float most, bool extra, put_codes put) {
    const size_t tile = ROWS_OF_CODES, groups32 = a->kp / IP_GROUP, row_groups = (a->rows + tile - 1) / tile;
    /* Block by block of 32 inputs and `tile` rows: a block's codes lie together. */
    for (size_t block = 0; block < row_groups * groups32; block++) {
        size_t group = block / groups32, g = block % groups32;
        for (size_t t = 0; t < tile; t++) {
            size_t row = group * tile + t;
            v16f x0 = quantise_load(a, x, stride, row, g * IP_GROUP);
            v16f x1 = quantise_load(a, x, stride, row, g * IP_GROUP + IP_LANES);
            float amax = vf_tree_max(vf_max(vf_abs(x0), vf_abs(x1)));
            bool zero = amax < 0x1p-100f;
            float scale = zero ? 0.0f : amax / most;
            v16f inverse = vf_set(zero ? 0.0f : most / amax);
            unsigned char *codes = a->codes + group * a->group_bytes;
            float sum0 = quantise_half(codes, t, 2 * g, x0, inverse, put);
            float sum1 = quantise_half(codes, t, 2 * g + 1, x1, inverse, put);
            /* A value that is not finite leaves a sum that is not: infinity makes the inverse 0, and 0 times infinity
             * is NaN; a NaN stays one, whatever the maximum made of it. */
            if (!isfinite(sum0 + sum1)) return 1;
            a->scale[block * tile + t] = scale;
            a->sum32[block * tile + t] = scale * (sum0 + sum1);
            a->sum16[block * 2 * tile + t] = scale * sum0;
            a->sum16[(block * 2 + 1) * tile + t] = scale * sum1;
            if (extra) {
                int32_t *e = a->extra + block * 3 * tile + t;
                e[0] = -128 * (int32_t)sum0;
                e[tile] = -128 * (int32_t)sum1;
                e[2 * tile] = e[0] + e[tile];
            }
        }
    }
    return 0;
}

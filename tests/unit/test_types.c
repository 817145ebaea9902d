/* Tensor types: decoders and the quantiser against ggml's own results, bit by bit (golden/quants), and properties that
 * hold without them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/model.h"
#include "models/types.h"
#include "tests/unit/shared_data.h"

TestSuite(types, .timeout = 120);

/* The data of a version-1 .npy file of known type. */
static const unsigned char *npy_data(const ip_map *map) { return map->data + 10 + (map->data[8] | map->data[9] << 8); }

static bool same(float a, float b) {
    uint32_t x, y;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    return x == y || (isnan(a) && isnan(b));
}

/* code * scale + min gives the float of to_float. Codes of a type without min are exact products. */
static void check_codes(const ip_type *type, const unsigned char *blocks, const float *expected, size_t count) {
    int8_t *codes = malloc(count);
    float *scale = malloc(count / type->group * sizeof *scale), *min = malloc(count / type->group * sizeof *min);
    type->to_codes(codes, scale, type->has_min ? min : NULL, blocks, count);
    for (size_t i = 0; i < count; i++) {
        float product = (float)codes[i] * scale[i / type->group];
        float value = type->has_min ? product + min[i / type->group] : product;
        cr_assert(same(value, expected[i]), "%s: element %zu as a code: %a, not %a", type->name, i, (double)value,
                  (double)expected[i]);
    }
    free(codes);
    free(scale);
    free(min);
}

Test(types, decoders_equal_ggml) {
    if (shared_missing(shared_path("golden/quants/manifest.json"))) return;
    size_t checked = 0;
    for (size_t t = 0; t < ip_type_count(); t++) {
        const ip_type *type = ip_type_at(t);
        if (!type->weight) continue;
        ip_map blocks, expected;
        ip_error error;
        cr_assert_eq(ip_map_open(&blocks, shared_path("golden/quants/%s.blocks.bin", type->name), &error), IP_OK);
        cr_assert_eq(ip_map_open(&expected, shared_path("golden/quants/%s.expected.npy", type->name), &error), IP_OK);
        size_t count = blocks.size / type->bytes * type->block;
        float *wanted = malloc(count * sizeof *wanted), *got = malloc(count * sizeof *got);
        cr_assert_eq(blocks.size % type->bytes, 0);
        cr_assert_eq((size_t)(expected.data + expected.size - npy_data(&expected)), count * sizeof *wanted);
        memcpy(wanted, npy_data(&expected), count * sizeof *wanted);
        type->to_float(got, blocks.data, count);
        for (size_t i = 0; i < count; i++)
            cr_assert(same(got[i], wanted[i]), "%s: element %zu is %a, not %a", type->name, i, (double)got[i],
                      (double)wanted[i]);
        if (type->to_codes) check_codes(type, blocks.data, wanted, count);
        checked += count;
        free(wanted);
        free(got);
        ip_map_close(&blocks);
        ip_map_close(&expected);
    }
    cr_assert_gt(checked, 350000);
}

Test(types, quantiser_equals_ggml) {
    const char *folder = "golden/quants/quantise";
    if (shared_missing(shared_path("%s/rows.npy", folder))) return;
    ip_map rows, blocks;
    ip_error error;
    cr_assert_eq(ip_map_open(&rows, shared_path("%s/rows.npy", folder), &error), IP_OK);
    cr_assert_eq(ip_map_open(&blocks, shared_path("%s/Q8_0.blocks.bin", folder), &error), IP_OK);
    size_t count = blocks.size / 34;
    cr_assert_eq((size_t)(rows.data + rows.size - npy_data(&rows)), count * 32 * sizeof(float));
    const ip_type *type = ip_type_by_id(8);
    for (size_t r = 0; r < count; r++) {
        float x[32], scale, wanted_scale;
        int8_t codes[32], wanted[32];
        memcpy(x, npy_data(&rows) + r * sizeof x, sizeof x);
        ip_quantise_q8_0(codes, &scale, x, 32);
        type->to_codes(wanted, &wanted_scale, NULL, blocks.data + r * 34, 32);
        cr_assert(same(scale, wanted_scale), "row %zu: scale %a, not %a", r, (double)scale, (double)wanted_scale);
        cr_assert_arr_eq(codes, wanted, 32, "row %zu: codes differ", r);
    }
    ip_map_close(&rows);
    ip_map_close(&blocks);
}

Test(types, quantiser_pads_and_survives_bad_rows) {
    float x[40] = {0}, scale[2];
    int8_t codes[64];
    for (int i = 0; i < 40; i++) x[i] = (float)(i - 20);
    ip_quantise_q8_0(codes, scale, x, 40);
    cr_assert_eq(codes[32 + 7], 127);
    for (int i = 40; i < 64; i++) cr_assert_eq(codes[i], 0);
    x[3] = NAN;
    x[33] = INFINITY;
    ip_quantise_q8_0(codes, scale, x, 40);
    cr_assert(isnan(scale[0]) && isinf(scale[1]));
    for (int i = 0; i < 40; i++) x[i] = 0x1p-149f;
    ip_quantise_q8_0(codes, scale, x, 40);
    cr_assert(scale[0] == 0 && codes[0] == 0);
}

/* Halves: every code survives the way to float and back; every float between two neighbours goes to the nearer one, and
 * the one in the middle to the even one. */
Test(types, halves_round_to_nearest_even) {
    for (uint32_t code = 0; code < 0x10000; code++) {
        float value = ip_half_to_float((uint16_t)code);
        if (isnan(value)) continue;
        cr_assert_eq(ip_float_to_half(value), code, "half %04x", code);
        if ((code & 0x7FFF) >= 0x7BFF) continue;
        float next = ip_half_to_float((uint16_t)(code + 1)), middle = (value + next) / 2;
        cr_assert_eq(ip_float_to_half(middle), code & 1 ? code + 1 : code, "middle after %04x", code);
        cr_assert_eq(ip_float_to_half(nextafterf(middle, value)), code);
        cr_assert_eq(ip_float_to_half(nextafterf(middle, next)), code + 1);
    }
    cr_assert_eq(ip_float_to_half(65519.99609375f), 0x7BFF);
    cr_assert_eq(ip_float_to_half(65520), 0x7C00);
    cr_assert_eq(ip_float_to_half(-1e30f), 0xFC00);
    cr_assert_eq(ip_float_to_half(0x1p-25f), 0);
    cr_assert_eq(ip_float_to_half(nextafterf(0x1p-25f, 1)), 1);
}

Test(types, list_is_sound) {
    for (size_t i = 0; i < ip_type_count(); i++) {
        const ip_type *type = ip_type_at(i);
        cr_assert_eq(ip_type_by_id(type->id), type);
        cr_assert_eq(1024 % type->block, 0);
        if (type->to_codes) cr_assert(type->weight && (type->group == 16 || type->group == 32));
        cr_assert_leq(type->scale_at + 2 * type->scales, type->bytes);
    }
    static const uint32_t removed[] = {4, 5, 31, 32, 33, 36, 37, 38, 43, 255};
    for (size_t i = 0; i < sizeof removed / sizeof removed[0]; i++) cr_assert_null(ip_type_by_id(removed[i]));
}

/* A value that is not finite is found wherever it stands, in every type, and nothing else is. */
Test(types, finite_check_finds_every_scale) {
    for (size_t i = 0; i < ip_type_count(); i++) {
        const ip_type *type = ip_type_at(i);
        if (!type->weight) continue;
        enum { ROWS = 3, BLOCKS = 5 };
        unsigned char data[ROWS * BLOCKS * 256] = {0};
        ip_tensor t = {.name = "t",
                       .type = type,
                       .dims = 2,
                       .ne = {BLOCKS * type->block, ROWS, 1, 1},
                       .data = data,
                       .row_bytes = (size_t)BLOCKS * type->bytes};
        ip_error error;
        cr_assert_eq(ip_tensor_check_finite(&t, "file", &error), IP_OK);
        unsigned fields = type->scales > 0 ? type->scales : 1;
        for (unsigned f = 0; f < fields; f++) {
            unsigned char *field = data + t.row_bytes + 4 * type->bytes + type->scale_at + 2 * f;
            if (type->id == 0)
                field[2] = 0x80, field[3] = 0xFF; /* F32: -infinity */
            else if (type->id == 30)
                field[0] = 0xC1, field[1] = 0x7F; /* BF16: NaN */
            else
                field[0] = 0x00, field[1] = 0x7C; /* half: infinity */
            cr_assert_eq(ip_tensor_check_finite(&t, "file", &error), IP_BAD_INPUT, "%s", type->name);
            cr_assert(strstr(error.message, "row 1") && strstr(error.message, "'t'") && strstr(error.message, "file"));
            memset(data, 0, sizeof data);
        }
    }
}

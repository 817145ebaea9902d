/* Tensor types: decoders and quantisers against ggml's own results, bit by bit (golden/quants), and properties that
 * hold without them. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/iq_grids.h"
#include "models/model.h"
#include "models/quantise.h"
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

static void check_decoders(const ip_type *type) {
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
    free(wanted);
    free(got);
    ip_map_close(&blocks);
    ip_map_close(&expected);
}

/* Every type of the golden list, and every type that may hold weights. */
Test(types, decoders_equal_ggml) {
    const char *list = shared_path("golden/quants/manifest.json");
    if (shared_missing(list)) return;
    json_t *manifest = json_load_file(list, 0, NULL), *types = json_object_get(manifest, "types"), *row;
    const char *name;
    size_t listed = 0, weights = 0;
    json_object_foreach(types, name, row) {
        const ip_type *type = ip_type_by_id((uint32_t)json_integer_value(json_object_get(row, "id")));
        cr_assert(type && strcmp(type->name, name) == 0 && type->weight, "%s", name);
        cr_assert_eq(type->block, (unsigned)json_integer_value(json_object_get(row, "block_elems")));
        cr_assert_eq(type->bytes, (unsigned)json_integer_value(json_object_get(row, "block_bytes")));
        check_decoders(type);
        listed++;
    }
    for (size_t i = 0; i < ip_type_count(); i++) weights += ip_type_at(i)->weight;
    cr_assert(listed == weights && listed >= 30, "%zu listed, %zu hold weights", listed, weights);
    json_decref(manifest);
}

/* Blocks of random bytes, their scales and first bytes set to extreme patterns in turn: the codes and scales mean the
 * floats, bit by bit, wherever in a row a block stands. */
Test(types, codes_mean_the_floats) {
    static const uint16_t extreme[] = {0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF};
    enum { PATTERNS = sizeof extreme / sizeof extreme[0], BLOCKS = 64 * PATTERNS };
    uint32_t seed = 12345;
    size_t tried = 0;
    for (size_t t = 0; t < ip_type_count(); t++) {
        const ip_type *type = ip_type_at(t);
        if (!type->to_codes) continue;
        unsigned char *blocks = malloc((size_t)BLOCKS * type->bytes);
        for (size_t i = 0; i < (size_t)BLOCKS * type->bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            blocks[i] = (unsigned char)(seed >> 24);
        }
        for (unsigned b = 0; b < BLOCKS; b++) {
            unsigned char *field = blocks + b * type->bytes + type->scale_at;
            for (unsigned s = 0; s < type->scales; s++, field += 2) {
                uint16_t bits = extreme[(b + 3 * s) % PATTERNS];
                field[0] = (unsigned char)bits;
                field[1] = (unsigned char)(bits >> 8);
            }
            /* a scale byte of MXFP4, of NVFP4; the float of Q8_K stays random */
            if (type->scales == 0) blocks[b * type->bytes] = (unsigned char)(b % 256);
        }
        size_t count = (size_t)BLOCKS * type->block;
        float *floats = malloc(count * sizeof *floats), last[256];
        type->to_float(floats, blocks, count);
        check_codes(type, blocks, floats, count);
        type->to_float(last, blocks + (BLOCKS - 1) * type->bytes, type->block);
        for (size_t i = 0; i < type->block; i++) cr_assert(same(last[i], floats[count - type->block + i]));
        free(floats);
        free(blocks);
        tried++;
    }
    cr_assert_geq(tried, 26);
}

/* The packed grids hold the points of ggml's tables. */
Test(types, grids_equal_ggml) {
    static const int iq2[] = {8, 25, 43}, xxs[] = {4, 12, 20, 28, 36, 44, 52, 62}, s[] = {1, 3, 5, 7, 9, 11, 13, 15},
                     iq1[] = {-1, 0, 1};
    const struct {
        const char *name;
        const uint16_t *grid;
        size_t entries, elements;
        const int *alphabet;
    } grids[] = {
        {"iq2xxs", ip_grid_iq2xxs, 256, 8, iq2}, {"iq2xs", ip_grid_iq2xs, 512, 8, iq2},
        {"iq2s", ip_grid_iq2s, 1024, 8, iq2},    {"iq3xxs", ip_grid_iq3xxs, 256, 4, xxs},
        {"iq3s", ip_grid_iq3s, 512, 4, s},       {"iq1s", ip_grid_iq1s, 2048, 8, iq1},
    };
    if (shared_missing(shared_path("golden/quants/tables/iq1s.npy"))) return;
    for (size_t g = 0; g < sizeof grids / sizeof grids[0]; g++) {
        ip_map map;
        ip_error error;
        cr_assert_eq(ip_map_open(&map, shared_path("golden/quants/tables/%s.npy", grids[g].name), &error), IP_OK);
        size_t count = grids[g].entries * grids[g].elements, bits = grids[g].elements == 8 ? 2 : 3;
        cr_assert_eq((size_t)(map.data + map.size - npy_data(&map)), count);
        for (size_t i = 0; i < count; i++) {
            unsigned index =
                grids[g].grid[i / grids[g].elements] >> bits * (i % grids[g].elements) & ((1u << bits) - 1);
            cr_assert(bits == 3 || index < 3);
            cr_assert_eq((int8_t)npy_data(&map)[i], grids[g].alphabet[index], "%s: element %zu", grids[g].name, i);
        }
        ip_map_close(&map);
    }
}

/* Packed bytes of every golden row, and what codes and floats are made of them; the rows whose scales overflow are
 * packed with an infinite scale, as ggml does, and refused as codes and as floats. */
static size_t check_quantiser(const ip_type *type, const unsigned char *rows, size_t count) {
    ip_map blocks;
    ip_error error;
    cr_assert_eq(ip_map_open(&blocks, shared_path("golden/quants/quantise/%s.blocks.bin", type->name), &error), IP_OK);
    size_t bytes = 32 / type->block * type->bytes, overflows = 0;
    cr_assert_eq(blocks.size, count * bytes);
    for (size_t r = 0; r < count; r++) {
        const unsigned char *wanted = blocks.data + r * bytes;
        unsigned char packed[64];
        float x[32], floats[32], scale, min = 0, wanted_scale, wanted_min = 0;
        int8_t codes[32], wanted_codes[32];
        memcpy(x, rows + r * sizeof x, sizeof x);
        ip_quantise_blocks(type, packed, x, 32);
        cr_assert_arr_eq(packed, wanted, bytes, "%s: row %zu: bytes differ", type->name, r);
        bool fits = ip_row_finite(type, wanted, 32);
        overflows += !fits;
        if (type->to_codes) {
            cr_assert_eq(ip_quantise_codes(type, codes, &scale, type->has_min ? &min : NULL, x, 32), fits);
            type->to_codes(wanted_codes, &wanted_scale, type->has_min ? &wanted_min : NULL, wanted, 32);
            if (fits) {
                cr_assert_arr_eq(codes, wanted_codes, 32, "%s: row %zu: codes", type->name, r);
                cr_assert(same(scale, wanted_scale) && same(min, wanted_min));
            }
        }
        type->to_float(floats, wanted, 32);
        cr_assert_eq(ip_quantise_floats(type, x, 32), fits);
        for (int i = 0; fits && i < 32; i++) cr_assert(same(x[i], floats[i]), "%s: row %zu: floats", type->name, r);
    }
    ip_map_close(&blocks);
    return overflows;
}

Test(types, quantisers_equal_ggml) {
    const char *list = shared_path("golden/quants/quantise/rows.npy");
    if (shared_missing(list)) return;
    ip_map rows;
    ip_error error;
    cr_assert_eq(ip_map_open(&rows, list, &error), IP_OK);
    size_t count = (size_t)(rows.data + rows.size - npy_data(&rows)) / (32 * sizeof(float)), overflows = 0;
    cr_assert_eq(count, 318);
    cr_assert_eq(ip_quantise_count(), 7);
    for (size_t i = 0; i < ip_quantise_count(); i++)
        overflows += check_quantiser(ip_quantise_at(i), npy_data(&rows), count);
    cr_assert_gt(overflows, 10);
    ip_map_close(&rows);
}

/* Rows longer than what is taken at a time, with a last short group: as the row filled up with zeros. */
Test(types, quantisers_fill_up_with_zeros) {
    enum { N = 1100, WHOLE = 1120 };
    float x[WHOLE] = {0}, whole[WHOLE], scale[WHOLE / 32], wanted_scale[WHOLE / 32], min[WHOLE / 32], wanted_min[35];
    int8_t codes[WHOLE], wanted[WHOLE];
    unsigned char blocks[2 * WHOLE];
    for (int i = 0; i < N; i++) x[i] = (float)((i * 37 + 11) % 101 - 40) * 0.01f;
    for (size_t q = 0; q < ip_quantise_count(); q++) {
        const ip_type *type = ip_quantise_at(q);
        ip_quantise_blocks(type, blocks, x, WHOLE);
        if (type->to_codes) {
            type->to_codes(wanted, wanted_scale, type->has_min ? wanted_min : NULL, blocks, WHOLE);
            cr_assert(ip_quantise_codes(type, codes, scale, type->has_min ? min : NULL, x, N));
            cr_assert_arr_eq(codes, wanted, sizeof codes, "%s", type->name);
            cr_assert_arr_eq(scale, wanted_scale, sizeof scale);
            if (type->has_min) cr_assert_arr_eq(min, wanted_min, sizeof min);
        }
        float floats[WHOLE];
        type->to_float(whole, blocks, WHOLE);
        memcpy(floats, x, sizeof floats);
        floats[N] = 77.0f;
        cr_assert(ip_quantise_floats(type, floats, N));
        cr_assert_arr_eq(floats, whole, N * sizeof *floats, "%s", type->name);
        cr_assert_eq(floats[N], 77.0f);
    }
}

Test(types, quantisers_survive_bad_rows) {
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    int8_t codes[32];
    float scale, min;
    for (size_t q = 0; q < ip_quantise_count(); q++) {
        const ip_type *type = ip_quantise_at(q);
        for (size_t b = 0; b < 3; b++) {
            float x[32] = {1.0f, -2.0f};
            x[7] = bad[b];
            if (type->to_codes) cr_assert(!ip_quantise_codes(type, codes, &scale, &min, x, 32), "%s", type->name);
            cr_assert(!ip_quantise_floats(type, x, 32), "%s", type->name);
        }
        /* The largest floats overflow every half; the smallest vanish in every type but the float with f32's range. */
        float large[32] = {-3.4e38f, 3.4e38f}, small[32] = {0x1p-149f, -0x1p-149f, 0x1p-140f};
        cr_assert_eq(ip_quantise_floats(type, large, 32), false, "%s", type->name);
        cr_assert(ip_quantise_floats(type, small, 32));
        if (type->to_codes)
            for (int i = 0; i < 32; i++) cr_assert_eq(small[i], 0.0f, "%s", type->name);
    }
}

Test(types, quantisers_are_found_by_name) {
    char names[256];
    ip_quantise_names(names, sizeof names);
    cr_assert_eq(ip_quantise_type("q4_1"), ip_type_by_id(3));
    cr_assert_eq(ip_quantise_type("Q8_0"), ip_type_by_id(8));
    cr_assert_null(ip_quantise_type("q4_k"));
    cr_assert_null(ip_quantise_type("q8_1"));
    cr_assert_null(ip_quantise_type(""));
    for (size_t i = 0; i < ip_quantise_count(); i++) {
        const ip_type *type = ip_quantise_at(i);
        cr_assert(type && type->weight && (!type->to_codes || type->group == 32));
        cr_assert_eq(ip_quantise_type(type->name), type);
    }
    cr_assert(strstr(names, "q8_0") && strstr(names, "q4_0"));
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

/* Sets the f-th value or scale of a block to something that is not finite; false when the type has none such. */
static bool spoil(const ip_type *type, unsigned char *block, unsigned f) {
    static const unsigned char half[] = {0x00, 0x7C};
    if (type->scales > 0) return memcpy(block + type->scale_at + 2 * f, half, 2) && true;
    if (strcmp(type->name, "NVFP4") == 0) return false; /* every scale byte is a finite number */
    if (strcmp(type->name, "MXFP4") == 0) {
        block[0] = 255;  /* 2^127 */
        block[9] = 0x20; /* times 2 */
    } else if (strcmp(type->name, "IQ1_M") == 0) {
        block[55] = 0x70; /* exponent of d, its last bits in the word before */
        block[53] = 0xC0;
    } else {
        /* Floats of 2, 4 or 8 bytes: all bits of the exponent; Q8_K begins with one of 4, which counts for every code. */
        unsigned size = type->bytes > 8 ? 4 : type->bytes;
        memset(block + size - 2, 0xFF, 2);
        if (type->bytes > 8) block[4] = 1;
    }
    return true;
}

/* A value that is not finite is found wherever it stands, in every type, and nothing else is. */
Test(types, finite_check_finds_every_scale) {
    for (size_t i = 0; i < ip_type_count(); i++) {
        const ip_type *type = ip_type_at(i);
        if (!type->weight) continue;
        enum { ROWS = 3, BLOCKS = 5 };
        unsigned char data[ROWS * BLOCKS * 300] = {0};
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
            if (!spoil(type, data + t.row_bytes + 4 * type->bytes, f)) continue;
            cr_assert_eq(ip_tensor_check_finite(&t, "file", &error), IP_BAD_INPUT, "%s", type->name);
            cr_assert(strstr(error.message, "row 1") && strstr(error.message, "'t'") && strstr(error.message, "file"));
            memset(data, 0, sizeof data);
        }
    }
}

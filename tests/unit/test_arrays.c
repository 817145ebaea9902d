/* Arrays in memory: read as the files that hold the same, refused when what describes them is wrong; the accumulator. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/infoplane.h"
#include "core/input/arrays.h"

enum { ROWS = 700, WIDTH = 33, SETS = 2 };

static float vectors[ROWS * WIDTH];
static int64_t labels[SETS][ROWS];

/* Vectors that depend on their labels, from a small generator. */
static void fill(void) {
    uint64_t state = 88172645463325252ull;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t d = 0; d < WIDTH; d++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            vectors[i * WIDTH + d] = (float)(state >> 40) / 0x1p23f - 1.0f + (float)(i % 5) * 0.2f;
        }
        labels[0][i] = (int64_t)(i % 5) * 1000000007 - 3;
        labels[1][i] = (int64_t)(i * i / 400);
    }
}

static ip_array matrix(size_t first, size_t rows) {
    return (ip_array){
        .name = "z", .data = vectors + first * WIDTH, .kind = 'f', .size = 4, .dims = 2, .shape = {rows, WIDTH}};
}

static ip_array column(size_t set, size_t first, size_t rows) {
    return (ip_array){.data = labels[set] + first, .kind = 'i', .size = 8, .dims = 1, .shape = {rows}};
}

static ip_settings defaults(void) {
    ip_settings settings;
    ip_settings_default(&settings);
    settings.threads = 3;
    return settings;
}

static char *written(const char *folder, const char *name, const char *descr, unsigned dims, const uint64_t *shape,
                     const void *data, size_t bytes) {
    char *path = malloc(strlen(folder) + strlen(name) + 2);
    sprintf(path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file && ip_npy_header(file, descr, dims, shape) == IP_OK && fwrite(data, 1, bytes, file) == bytes);
    cr_assert_eq(fclose(file), 0);
    return path;
}

Test(arrays, entropy_is_that_of_the_files) {
    fill();
    char folder[] = "/tmp/test-arrays-XXXXXX";
    cr_assert(mkdtemp(folder));
    char *z = written(folder, "z.npy", "<f4", 2, (uint64_t[]){ROWS, WIDTH}, vectors, sizeof vectors);
    char *y = written(folder, "y.npy", "<i8", 1, (uint64_t[]){ROWS}, labels[0], sizeof labels[0]);
    char *v = written(folder, "v.npy", "<i8", 1, (uint64_t[]){ROWS}, labels[1], sizeof labels[1]);
    ip_settings settings = defaults();
    settings.groups = 7;
    ip_error error;
    ip_entropy_result *file, *memory;
    cr_assert_eq(ip_entropy(&file, z, (const char *const[]){y}, 1, v, &settings, NULL, NULL, &error), IP_OK, "%s",
                 error.message);
    ip_array matrix_ = matrix(0, ROWS), y_ = column(0, 0, ROWS), v_ = column(1, 0, ROWS);
    cr_assert_eq(ip_entropy_arrays(&memory, &matrix_, &y_, 1, &v_, NULL, &settings, NULL, NULL, &error), IP_OK, "%s",
                 error.message);
    cr_expect(file->H == memory->H && file->context == memory->context);
    cr_expect(file->sets[0].estimate.I == memory->sets[0].estimate.I);
    cr_expect(file->sets[0].estimate.low == memory->sets[0].estimate.low);
    cr_expect_str_eq(memory->sets[0].path, "array");
    ip_entropy_free(file);
    ip_entropy_free(memory);
    for (char **path = (char *[]){z, y, v, NULL}; *path; path++) {
        unlink(*path);
        free(*path);
    }
    rmdir(folder);
}

Test(arrays, wrong_descriptions_are_refused) {
    static const float data[4];
    const struct {
        ip_array array;
        const char *says;
    } cases[] = {
        {{.data = data, .kind = 'c', .size = 4, .dims = 1, .shape = {4}}, "dtype"},
        {{.data = data, .kind = 'f', .size = 1, .dims = 1, .shape = {4}}, "dtype"},
        {{.data = data, .kind = 'f', .size = 16, .dims = 1, .shape = {1}}, "dtype"},
        {{.data = data, .kind = 'i', .size = 3, .dims = 1, .shape = {4}}, "dtype"},
        {{.data = data, .kind = 'f', .size = 4, .dims = 5, .shape = {1, 1, 1, 1}}, "5 dimensions"},
        {{.data = data, .kind = 'f', .size = 4, .dims = 2, .shape = {UINT64_MAX / 2, 4}}, "overflows"},
        {{.data = data, .kind = 'f', .size = 8, .dims = 1, .shape = {UINT64_MAX / 4}}, "overflows"},
        {{.data = NULL, .kind = 'f', .size = 4, .dims = 1, .shape = {4}}, "no data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ip_npy npy;
        ip_error error;
        cr_expect_eq(ip_input_open(&npy, &(ip_input){.array = &cases[i].array}, &error), IP_BAD_INPUT, "%zu", i);
        cr_expect(strstr(error.message, cases[i].says), "%zu: %s", i, error.message);
    }
    ip_npy npy;
    ip_error error;
    const ip_array empty = {.kind = 'f', .size = 4, .dims = 2, .shape = {0, UINT64_MAX}};
    cr_assert_eq(ip_input_open(&npy, &(ip_input){.array = &empty}, &error), IP_OK);
    cr_expect_eq(npy.count, 0);
    ip_npy_close(&npy);
}

static ip_status add(ip_accumulator *a, size_t first, size_t rows, ip_error *error) {
    const ip_array z = matrix(first, rows), y[SETS] = {column(0, first, rows), column(1, first, rows)};
    return ip_accumulator_add(a, &z, y, (const uint32_t[]){4, 0}, SETS, error);
}

Test(arrays, accumulator_is_entropy_to_the_bit) {
    fill();
    ip_settings settings = defaults();
    settings.null = 0;
    ip_error error;
    ip_accumulator *a;
    cr_assert_eq(ip_accumulator_open(&a, WIDTH, NULL, &settings, &error), IP_OK, "%s", error.message);
    ip_accumulated total;
    cr_assert_eq(ip_accumulator_total(a, &total, &error), IP_OK);
    cr_expect(isnan(total.H) && total.positions == 0 && total.bins == 100);
    const size_t sizes[] = {1, 256, 0, 257, 100, 86};
    for (size_t i = 0, first = 0; i < sizeof sizes / sizeof *sizes; first += sizes[i++])
        cr_assert_eq(add(a, first, sizes[i], &error), sizes[i] > 0 ? IP_OK : IP_BAD_INPUT, "%s", error.message);
    const ip_array z = matrix(0, ROWS), y[SETS] = {column(0, 0, ROWS), column(1, 0, ROWS)};
    ip_entropy_result *whole;
    cr_assert_eq(ip_entropy_arrays(&whole, &z, y, SETS, NULL, NULL, &settings, NULL, NULL, &error), IP_OK);
    cr_assert_eq(ip_accumulator_total(a, &total, &error), IP_OK);
    cr_expect(total.positions == ROWS && total.H == whole->H && total.context == whole->context);
    for (uint32_t i = 0; i < SETS; i++) {
        ip_accumulated_set set;
        cr_assert_eq(ip_accumulator_set(a, (const uint32_t[]){4, 0}[i], &set, &error), IP_OK);
        cr_expect(set.conditional == whole->sets[i].conditional, "%.17g, %.17g", set.conditional,
                  whole->sets[i].conditional);
        cr_expect(set.labels == whole->sets[i].estimate.distinct && set.singletons == whole->sets[i].singletons);
        cr_expect_eq(set.values[0], labels[i][0]);
        uint64_t counted = 0;
        for (uint64_t l = 0; l < set.labels; l++) counted += set.counts[l];
        cr_expect_eq(counted, ROWS);
    }
    ip_entropy_free(whole);
    ip_accumulator_free(a);
}

Test(arrays, a_refused_batch_leaves_the_accumulator) {
    fill();
    ip_settings settings = defaults();
    ip_error error;
    ip_accumulator *a;
    cr_assert_eq(ip_accumulator_open(&a, WIDTH, NULL, &settings, &error), IP_OK);
    cr_assert_eq(add(a, 0, 300, &error), IP_OK);
    ip_accumulated before, after;
    ip_accumulator_total(a, &before, &error);
    vectors[350 * WIDTH] = NAN;
    cr_expect_eq(add(a, 300, 100, &error), IP_BAD_INPUT);
    cr_expect(strstr(error.message, "row 50"), "%s", error.message);
    const ip_array z = matrix(0, 10), narrow = {.data = vectors, .kind = 'f', .size = 4, .dims = 2, .shape = {10, 32}},
                   y[2] = {column(0, 0, 10), column(1, 0, 9)};
    const struct {
        const ip_array *vectors;
        uint32_t sets[2];
        size_t count;
        ip_status status;
        const char *says;
    } cases[] = {
        {&narrow, {0, 1}, 1, IP_BAD_INPUT, "width 32"},
        {&z, {0, 1}, 2, IP_BAD_INPUT, "9 labels for 10"},
        {&z, {65536, 1}, 1, IP_USAGE, "label set 65536"},
        {&y[0], {0, 1}, 1, IP_BAD_INPUT, "floats"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(ip_accumulator_add(a, cases[i].vectors, y, cases[i].sets, cases[i].count, &error), cases[i].status,
                     "%zu", i);
        cr_expect(strstr(error.message, cases[i].says), "%zu: %s", i, error.message);
    }
    const ip_array twice[2] = {column(0, 0, 10), column(0, 0, 10)};
    cr_expect_eq(ip_accumulator_add(a, &z, twice, (const uint32_t[]){3, 3}, 2, &error), IP_USAGE);
    ip_accumulator_total(a, &after, &error);
    cr_expect(before.H == after.H && before.positions == after.positions && before.context == after.context);
    ip_accumulated_set set;
    cr_assert_eq(ip_accumulator_set(a, 9, &set, &error), IP_OK);
    cr_expect(set.positions == 0 && isnan(set.conditional));
    ip_accumulator_reset(a);
    ip_accumulator_total(a, &after, &error);
    cr_expect(isnan(after.H));
    ip_accumulator_free(a);
    settings.bins = 1;
    cr_expect_eq(ip_accumulator_open(&a, WIDTH, NULL, &settings, &error), IP_USAGE);
    cr_expect_null(a);
}

/* .npy: the rows of golden/badfiles (parse level: what a command makes of shape and kind is its own test), values of
 * accepted files, and a round trip. */
#include "core/base/npy.h"

#include <math.h>
#include <regex.h>
#include <unistd.h>

#include "tests/unit/tokens_support.h"

/* accepted.json: sum, first four and last value of the float arrays (all but two hold the same numbers). */
static void check_values(const char *name, const ip_npy *npy) {
    double sum = 0, row[16], first[4] = {0}, last = 0;
    cr_assert(npy->dims == 2 && npy->shape[0] == 8 && npy->shape[1] == 16, "%s", name);
    for (uint64_t r = 0; r < 8; r++) {
        float narrow[16];
        ip_npy_row_f64(npy, r, row);
        ip_npy_row_f32(npy, r, narrow);
        for (int c = 0; c < 16; c++) {
            sum += row[c];
            cr_expect(narrow[c] == (float)row[c], "%s", name);
        }
        if (r == 0) memcpy(first, row, sizeof first);
        last = row[15];
    }
    bool half = strstr(name, "ok_f2") != NULL;
    const double want[2][6] = {
        {-2.2020986638963223, 2.040919065475464, -2.5556650161743164, 0.4180988371372223, -0.5677695870399475,
         0.1554178148508072},
        {-2.1983070373535156, 2.041015625, -2.556640625, 0.418212890625, -0.56787109375, 0.1553955078125}};
    cr_expect(fabs(sum - want[half][0]) < 1e-12, "%s: sum %.17g", name, sum);
    for (int i = 0; i < 4; i++) cr_expect_eq(first[i], want[half][1 + i], "%s: %.17g", name, first[i]);
    cr_expect_eq(last, want[half][5], "%s: %.17g", name, last);
}

static void check_labels(const char *name, const ip_npy *npy) {
    cr_assert(npy->dims == 1 && npy->shape[0] == 8, "%s", name);
    if (strstr(name, "negative")) {
        const int64_t want[8] = {-1, 5, INT64_MIN, INT64_MAX, 5, -1, 0, 0};
        for (uint64_t i = 0; i < 8; i++) cr_expect_eq(ip_npy_int(npy, i), want[i]);
        return;
    }
    int64_t sum = 0;
    for (uint64_t i = 0; i < 8; i++) sum += ip_npy_int(npy, i);
    cr_expect_eq(sum, 7, "%s", name);
    cr_expect(ip_npy_int(npy, 0) == 0 && ip_npy_int(npy, 1) == 1 && ip_npy_int(npy, 2) == 2 && ip_npy_int(npy, 3) == 0,
              "%s", name);
    cr_expect_eq(ip_npy_int(npy, 7), 1, "%s", name);
}

Test(npy, badfiles) {
    need_shared("golden/badfiles/expected.tsv");
    /* Files that are sound as files; the estimators refuse them for what they hold. */
    static const char *const later[] = {"z_int32",    "rank_",   "zero_rows", "zero_columns", "z_nan",
                                        "z_zero_row", "y_float", "y_short",   "y_rank_0"};
    char *path = shared_path("golden/badfiles/expected.tsv");
    size_t n, count, accepted = 0, refused = 0;
    char *table = read_whole(path, &n), *cursor = table, *field[7];
    while ((count = next_row(&cursor, field, 7)) > 0) {
        if (count < 6 || strcmp(field[1], "npy") != 0) continue;
        bool sound = strcmp(field[3], "accept") == 0;
        for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) sound = sound || strstr(field[0], later[i]);
        char *relative = NULL;
        cr_assert(asprintf(&relative, "golden/badfiles/%s", field[0]) > 0);
        char *name = shared_path(relative);
        ip_npy npy;
        ip_error error = {0};
        ip_status status = ip_npy_open(&npy, name, &error);
        cr_expect_eq(status, sound ? IP_OK : IP_BAD_INPUT, "%s: %s", field[0], error.message);
        if (!sound && status != IP_OK) {
            regex_t word;
            cr_assert_eq(regcomp(&word, field[4], REG_EXTENDED | REG_ICASE | REG_NOSUB), 0);
            cr_expect_eq(regexec(&word, error.message + strlen(name), 0, NULL, 0), 0, "%s: %s", field[0],
                         error.message);
            cr_expect(strncmp(error.message, name, strlen(name)) == 0, "%s", error.message);
            regfree(&word);
            refused++;
        }
        if (strcmp(field[3], "accept") == 0 && status == IP_OK) {
            if (npy.kind == 'f')
                check_values(field[0], &npy);
            else
                check_labels(field[0], &npy);
            accepted++;
        }
        if (status == IP_OK) ip_npy_close(&npy);
        free(name);
        free(relative);
    }
    cr_expect(accepted >= 19 && refused >= 25, "%zu accepted, %zu refused", accepted, refused);
    free(table);
    free(path);
}

static char *written(const char *descr, unsigned dims, const uint64_t *shape, const void *data, size_t n) {
    char name[] = "/tmp/infoplane-npy-XXXXXX";
    int fd = mkstemp(name);
    cr_assert(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    cr_assert_eq(ip_npy_header(f, descr, dims, shape), IP_OK);
    cr_assert_eq(ftell(f), 128);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
    return strdup(name);
}

Test(npy, round_trip) {
    const double values[6] = {1, -2.5, 3e300, 4, 5, 6};
    char *path = written("<f8", 2, (uint64_t[]){2, 3}, values, sizeof values);
    ip_npy npy;
    ip_error error = {0};
    cr_assert_eq(ip_npy_open(&npy, path, &error), IP_OK, "%s", error.message);
    double row[3];
    ip_npy_row_f64(&npy, 1, row);
    cr_expect(row[0] == 4 && row[1] == 5 && row[2] == 6);
    ip_npy_close(&npy);
    unlink(path);
    free(path);
    const int32_t ids[3] = {7, -8, 9};
    path = written("<i4", 1, (uint64_t[]){3}, ids, sizeof ids);
    cr_assert_eq(ip_npy_open(&npy, path, &error), IP_OK, "%s", error.message);
    cr_expect(npy.kind == 'i' && npy.count == 3 && ip_npy_int(&npy, 1) == -8);
    ip_npy_close(&npy);
    unlink(path);
    free(path);
}

/* Every half-precision number, as the formula of the format gives it. */
Test(npy, half_precision) {
    uint16_t all[0x10000];
    for (unsigned i = 0; i < 0x10000; i++) all[i] = (uint16_t)i;
    char *path = written("<f2", 2, (uint64_t[]){0x10000, 1}, all, sizeof all);
    ip_npy npy;
    ip_error error = {0};
    cr_assert_eq(ip_npy_open(&npy, path, &error), IP_OK, "%s", error.message);
    for (unsigned i = 0; i < 0x10000; i++) {
        int exponent = (int)(i >> 10 & 31), fraction = (int)(i & 1023);
        double want = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25), got;
        if (i & 0x8000) want = -want;
        if (exponent == 31) want = fraction ? NAN : i & 0x8000 ? -INFINITY : INFINITY;
        ip_npy_row_f64(&npy, i, &got);
        cr_assert(got == want || (isnan(got) && isnan(want)), "%04x: %g, wanted %g", i, got, want);
    }
    ip_npy_close(&npy);
    unlink(path);
    free(path);
}

/* hard, binning and matrix against plain numpy (tests/scripts/estimators_check.py); kmeans against an evaluation of the
 * codes that it found, on clusters that are known; all of them for any threads, instruction set and kind of float. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/dispatch.h"
#include "core/base/npy.h"
#include "core/estimators/method.h"
#include "core/infoplane.h"
#include "core/ngrams/partition.h"
#include "tests/unit/shared_data.h"

enum { GROUPS = 20 };

static const char *in(const char *folder, const char *format, const char *name) {
    static char paths[8][4200];
    static unsigned turn;
    char file[100], *out = paths[turn++ % 8];
    snprintf(file, sizeof file, format, name);
    snprintf(out, sizeof paths[0], "%s/%s", folder, file);
    return out;
}

static json_t *load(const char *path) {
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    cr_assert(root, "%s: %s", path, error.text);
    return root;
}

static double number(json_t *object, const char *key) {
    json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "%s", key);
    return json_number_value(value);
}

static ip_entropy_result *entropy(const char *folder, const char *vectors, json_t *names, const char *estimator,
                                  uint64_t bins, const char *anchors, unsigned threads, const char *isa) {
    ip_settings settings;
    ip_settings_default(&settings);
    settings.estimator = estimator;
    settings.bins = bins;
    settings.anchors = anchors;
    settings.threads = threads;
    settings.isa = isa;
    const char *paths[4];
    size_t count = json_array_size(names);
    for (size_t i = 0; i < count; i++)
        paths[i] = in(folder, "labels_%s.npy", json_string_value(json_array_get(names, i)));
    ip_entropy_result *result;
    ip_error error = {0};
    ip_status status = ip_entropy(&result, vectors ? vectors : in(folder, "%s.npy", "z"), paths, count,
                                  in(folder, "%s.npy", "doc"), &settings, NULL, NULL, &error);
    cr_assert_eq(status, IP_OK, "%s: %s", estimator, error.message);
    return result;
}

/* Codes are counted exactly: what is left is the rounding of logs to 2^-32. */
static void compare_counted(const char *what, json_t *names, json_t *expected, const ip_entropy_result *r) {
    cr_assert(fabs(r->H - number(expected, "H")) < 1e-9, "%s: H %.12f, wanted %.12f", what, r->H,
              number(expected, "H"));
    cr_assert_eq(r->context, r->H, "%s: a code has no entropy of its own", what);
    json_t *sets = json_object_get(expected, "I");
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *want = json_object_get(sets, json_string_value(json_array_get(names, i)));
        const ip_estimate *e = &r->sets[i].estimate;
        cr_assert(fabs(e->I - number(want, "I")) < 1e-9, "%s: I %.12f, wanted %.12f", what, e->I, number(want, "I"));
        double mean = 0, squares = 0;
        json_t *without = json_object_get(want, "without");
        cr_assert_eq(json_array_size(without), GROUPS);
        for (size_t g = 0; g < GROUPS; g++) mean += json_number_value(json_array_get(without, g)) / GROUPS;
        for (size_t g = 0; g < GROUPS; g++) squares += pow(json_number_value(json_array_get(without, g)) - mean, 2);
        double se = sqrt((GROUPS - 1.0) / GROUPS * squares), bias = (GROUPS - 1.0) * (mean - number(want, "I"));
        cr_assert(fabs(e->se - se) < 1e-7, "%s: se %.9f, wanted %.9f", what, e->se, se);
        cr_assert(fabs(e->bias - bias) < 1e-7, "%s: bias %.9f, wanted %.9f", what, e->bias, bias);
        double spread = number(want, "null_sd") / 2, null = number(want, "null_mean");
        cr_assert(fabs(e->null - null) <= 5 * spread + 1e-9, "%s: null %.9f, wanted %.9f +- %.9f", what, e->null, null,
                  spread);
    }
}

static void compare_folder(const char *folder, const char *file) {
    json_t *root = load(file), *names = json_object_get(root, "labels");
    const char *anchors = json_string_value(json_object_get(root, "anchors"));
    ip_entropy_result *r = entropy(folder, NULL, names, "hard", 100, in(folder, "%s", anchors), 2, NULL);
    compare_counted("hard", names, json_object_get(root, "hard"), r);
    cr_assert(isnan(r->temperature) && !r->calibration);
    ip_entropy_free(r);
    const char *bins;
    json_t *expected;
    size_t cases = 0;
    json_object_foreach(json_object_get(root, "binning"), bins, expected) {
        r = entropy(folder, NULL, names, "binning", strtoull(bins, NULL, 10), NULL, 2, NULL);
        compare_counted(bins, names, expected, r);
        ip_entropy_free(r);
        cases++;
    }
    cr_assert_eq(cases, 3);
    json_t *matrix = json_object_get(root, "matrix"), *sets = json_object_get(matrix, "I");
    r = entropy(folder, NULL, names, "matrix", 100, NULL, 2, NULL);
    cr_assert(fabs(r->H - number(matrix, "H")) < 1e-10, "S %.14f, wanted %.14f", r->H, number(matrix, "H"));
    cr_assert(fabs(r->effective_rank / number(matrix, "effective_rank") - 1) < 1e-10);
    cr_assert_eq(r->groups, 0);
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *want = json_object_get(sets, json_string_value(json_array_get(names, i)));
        double I = r->sets[i].estimate.I;
        cr_assert(json_is_null(want) ? isnan(I) : fabs(I - json_number_value(want)) < 1e-10, "I %.14f", I);
    }
    ip_entropy_free(r);
    json_decref(root);
}

Test(estimators, numpy) {
    compare_folder(INFOPLANE_SOURCE_DIR "/tests/data/estimators",
                   INFOPLANE_SOURCE_DIR "/tests/data/estimators/expected.json");
}

Test(estimators, numpy_golden_set, .timeout = 120) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", shared_path("golden/estimator/a"));
    if (shared_missing(in(folder, "%s.npy", "z"))) return;
    compare_folder(folder, INFOPLANE_SOURCE_DIR "/tests/data/estimators/expected_a.json");
}

/* ---- the same whatever runs, and whatever the floats are ---- */

static void write_doubles(const char *path, const ip_npy *z, bool big, double scale) {
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    size_t d = (size_t)z->shape[1];
    double *row = calloc(d, sizeof *row);
    ip_npy_header(file, big ? ">f8" : "<f8", 2, z->shape);
    for (uint64_t r = 0; r < z->shape[0]; r++) {
        ip_npy_row_f64(z, r, row);
        for (size_t i = 0; i < d; i++) {
            unsigned char bytes[8];
            double x = row[i] * scale;
            memcpy(bytes, &x, 8);
            for (int b = 0; b < 8; b++) fputc(bytes[big ? 7 - b : b], file);
        }
    }
    free(row);
    fclose(file);
}

static void same(const char *what, const ip_entropy_result *a, const ip_entropy_result *b) {
    cr_assert_eq(a->H, b->H, "%s: H", what);
    for (size_t i = 0; i < a->set_count; i++) {
        const ip_estimate *x = &a->sets[i].estimate, *y = &b->sets[i].estimate;
        cr_assert(x->I == y->I && x->null == y->null && x->se == y->se && x->bias == y->bias, "%s: set %zu", what, i);
    }
}

Test(estimators, same_digits) {
    const char *folder = INFOPLANE_SOURCE_DIR "/tests/data/estimators", *kinds[] = {"hard", "binning", "kmeans"};
    char big[] = "/tmp/infoplane-z-XXXXXX", wide[] = "/tmp/infoplane-z-XXXXXX";
    cr_assert(close(mkstemp(big)) == 0 && close(mkstemp(wide)) == 0);
    json_t *names = json_pack("[s, s]", "few", "many");
    ip_npy z;
    ip_error error = {0};
    cr_assert_eq(ip_npy_open(&z, in(folder, "%s.npy", "z"), &error), IP_OK, "%s", error.message);
    write_doubles(big, &z, true, 1.0);
    write_doubles(wide, &z, false, 0x1p400); /* far outside of float: directions and bins are the same */
    for (size_t k = 0; k < 3; k++) {
        ip_entropy_result *a = entropy(folder, NULL, names, kinds[k], 7, NULL, 1, "scalar");
        ip_entropy_result *b = entropy(folder, NULL, names, kinds[k], 7, NULL, 3, NULL);
        ip_entropy_result *c = entropy(folder, big, names, kinds[k], 7, NULL, 2, NULL);
        same(kinds[k], a, b);
        same(kinds[k], a, c);
        if (k < 2) {
            ip_entropy_result *d = entropy(folder, wide, names, kinds[k], 7, NULL, 2, NULL);
            same(kinds[k], a, d);
            ip_entropy_free(d);
        }
        ip_entropy_free(a);
        ip_entropy_free(b);
        ip_entropy_free(c);
    }
    ip_npy_close(&z);
    json_decref(names);
    unlink(big);
    unlink(wide);
}

/* ---- kmeans ---- */

/* Clusters on a circle of radius 10, each with a spread of about 0.1, in a plane of 5 dimensions, far from the origin. */
enum { CLUSTERS = 8, EACH = 300, WIDTH = 5, ROWS = CLUSTERS * EACH };

static uint64_t state = 88172645463325252u;
static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static ip_status read_rows(void *context, size_t first, size_t count, double *out, ip_error *error) {
    (void)error;
    memcpy(out, (const double *)context + first * WIDTH, count * WIDTH * sizeof *out);
    return IP_OK;
}

static ip_status bad_row(void *context, size_t position, const char *what, ip_error *error) {
    (void)context;
    return ip_fail(error, IP_BAD_INPUT, "row %zu %s", position, what);
}

static double *clusters(void) {
    double *z = calloc(ROWS * WIDTH, sizeof *z);
    for (size_t r = 0; r < ROWS; r++) {
        double angle = 2 * acos(-1.0) * (double)(r % CLUSTERS) / CLUSTERS;
        for (size_t i = 0; i < WIDTH; i++) z[r * WIDTH + i] = 100 + 0.2 * (uniform() - 0.5);
        z[r * WIDTH] += 10 * cos(angle);
        z[r * WIDTH + 1] += 10 * sin(angle);
    }
    return z;
}

/* H(codes | label), by the definition. */
static double plug_in(const uint32_t *code, const uint32_t *label, size_t labels, size_t codes) {
    double total = 0;
    for (size_t v = 0; v < labels; v++) {
        double *count = calloc(codes, sizeof *count), n = 0, h = 0;
        for (size_t r = 0; r < ROWS; r++) {
            if (label[r] != v) continue;
            count[code[r]]++;
            n++;
        }
        for (size_t c = 0; c < codes; c++)
            if (count[c] > 0) h -= count[c] / n * log(count[c] / n);
        total += n / ROWS * h;
        free(count);
    }
    return total;
}

/* Sum of squared distances to the means of the codes, per row. */
static double inertia(const double *z, const uint32_t *code, size_t codes) {
    double *mean = calloc(codes * WIDTH, sizeof *mean), *count = calloc(codes, sizeof *count), sum = 0;
    for (size_t r = 0; r < ROWS; r++) {
        count[code[r]]++;
        for (size_t i = 0; i < WIDTH; i++) mean[code[r] * WIDTH + i] += z[r * WIDTH + i];
    }
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < WIDTH; i++) sum += pow(z[r * WIDTH + i] - mean[code[r] * WIDTH + i] / count[code[r]], 2);
    free(mean);
    free(count);
    return sum / ROWS;
}

Test(estimators, kmeans_finds_clusters) {
    double *z = clusters();
    const ip_kernels *kernels;
    ip_error error = {0};
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
    ip_pool *pool = ip_pool_create(2);
    ip_rows rows = {z, ROWS, WIDTH, read_rows, bad_row};
    ip_settings settings;
    ip_settings_default(&settings);
    uint32_t label[ROWS];
    for (size_t r = 0; r < ROWS; r++) label[r] = (uint32_t)(r % 7 < 3 ? r % CLUSTERS : r % 3);
    for (settings.bins = CLUSTERS; settings.bins <= 3 * CLUSTERS; settings.bins *= 3) {
        ip_method e;
        ip_partition whole, set;
        ip_resampling plain = {0};
        ip_soft_figures *figures;
        cr_assert_eq(ip_method_open(&e, IP_METHOD_KMEANS, &settings, NULL, ROWS, WIDTH, kernels, pool, &error), IP_OK);
        cr_assert_eq(ip_method_look(&e, &rows, &error), IP_OK, "%s", error.message);
        ip_partition_whole(&whole, ROWS, &error);
        ip_partition_build(&set, label, ROWS, CLUSTERS, &error);
        const ip_partition *sets[] = {&whole, &set};
        ip_soft_figures_open(&figures, 2, &plain, &error);
        cr_assert_eq(ip_method_figures(&e, &rows, sets, 2, &plain, figures, &error), IP_OK);
        uint32_t one[ROWS] = {0};
        cr_assert(fabs(figures[0].plain - plug_in(e.code, one, 1, e.bins)) < 1e-9);
        cr_assert(fabs(figures[1].plain - plug_in(e.code, label, CLUSTERS, e.bins)) < 1e-9);
        /* Uniform noise of width 0.2 in 5 dimensions: 5 * 0.04 / 12 = 0.0167 of one centre per cluster. */
        double spread = inertia(z, e.code, e.bins);
        cr_assert(spread < 0.0172, "%zu centres leave %.5f", e.bins, spread);
        if (e.bins == CLUSTERS) {
            for (size_t r = 0; r < ROWS; r++) cr_assert_eq(e.code[r], e.code[r % CLUSTERS], "row %zu", r);
        } else {
            cr_assert(spread < 0.0150, "%zu centres leave %.5f", e.bins, spread);
        }
        free(figures);
        ip_partition_free(&whole);
        ip_partition_free(&set);
        ip_method_close(&e);
    }
    ip_pool_destroy(pool);
    free(z);
}

/* ---- what is refused ---- */

static void refused(const char *estimator, uint64_t bins, const char *anchors, ip_status wanted, const char *says) {
    const char *folder = INFOPLANE_SOURCE_DIR "/tests/data/estimators", *labels = in(folder, "labels_%s.npy", "few");
    ip_settings settings;
    ip_settings_default(&settings);
    settings.estimator = estimator;
    settings.bins = bins;
    settings.anchors = anchors;
    ip_entropy_result *result;
    ip_error error = {0};
    cr_assert_eq(ip_entropy(&result, in(folder, "%s.npy", "z"), &labels, 1, NULL, &settings, NULL, NULL, &error),
                 wanted);
    cr_assert(strstr(error.message, says) != NULL, "%s", error.message);
}

Test(estimators, refusals) {
    refused("softest", 100, NULL, IP_USAGE, "there are soft, hard, binning");
    refused("binning", 1, NULL, IP_USAGE, "--bins: 2 to 65536");
    refused("kmeans", 10, "x.npy", IP_USAGE, "--anchors: the estimator kmeans has none");
}

/* A row of zeros has no nearest anchor, but it has bins; NaN has nothing. */
Test(estimators, rows_without_direction) {
    const char *labels = INFOPLANE_SOURCE_DIR "/tests/data/estimators/labels_few.npy";
    for (int nan_there = 0; nan_there < 2; nan_there++) {
        char path[] = "/tmp/infoplane-z-XXXXXX";
        int fd = mkstemp(path);
        FILE *file = fdopen(fd, "wb");
        const uint64_t shape[] = {400, 3};
        ip_npy_header(file, "<f4", 2, shape);
        for (size_t i = 0; i < 1200; i++) {
            float x = i / 3 == 123 ? (nan_there ? NAN : 0.0f) : 1.0f + (float)(i % 11);
            fwrite(&x, sizeof x, 1, file);
        }
        fclose(file);
        const char *kinds[] = {"hard", "binning", "kmeans", "matrix"};
        for (size_t k = 0; k < 4; k++) {
            ip_settings settings;
            ip_settings_default(&settings);
            settings.estimator = kinds[k];
            settings.bins = 4;
            ip_entropy_result *result = NULL;
            ip_error error = {0};
            ip_status status = ip_entropy(&result, path, &labels, 1, NULL, &settings, NULL, NULL, &error);
            bool bad = nan_there || k == 0;
            cr_assert_eq(status, bad ? IP_BAD_INPUT : IP_OK, "%s: %s", kinds[k], error.message);
            if (bad) cr_assert(strstr(error.message, "row 123 ") != NULL, "%s: %s", kinds[k], error.message);
            ip_entropy_free(result);
        }
        unlink(path);
    }
}

/* The estimator against a double-precision reference (../shared/golden/estimator): every set, calibration, number of
 * anchors and label set; and the seeded anchors. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dispatch.h"
#include "core/base/npy.h"
#include "core/estimators/anchors.h"
#include "core/infoplane.h"
#include "core/numbers/philox.h"
#include "tests/unit/shared_data.h"

static const char *const label_names[] = {"few", "zipf", "wide", "single", "one"};
enum { LABELS = 5 };

static double nats(json_t *object, const char *key) {
    json_t *value = json_object_get(json_object_get(object, key), "nats");
    cr_assert(json_is_number(value), "%s", key);
    return json_number_value(value);
}

static void compare_entry(char set, json_t *entry) {
    int m = (int)json_integer_value(json_object_get(entry, "m"));
    const char *calibration = json_string_value(json_object_get(entry, "calibration"));
    /* set e is nearly a hard assignment (epsilon 2e-4): f32 scores cost more there */
    double tolerance = set == 'e' ? 5e-6 : 2e-6;
    char anchors[4096], labels[LABELS][4096];
    const char *paths[LABELS];
    snprintf(anchors, sizeof anchors, "%s", shared_path("golden/estimator/%c/anchors_m%d.npy", set, m));
    for (int i = 0; i < LABELS; i++) {
        snprintf(labels[i], sizeof labels[i], "%s",
                 shared_path("golden/estimator/%c/labels_%s.npy", set, label_names[i]));
        paths[i] = labels[i];
    }
    ip_settings settings;
    ip_settings_default(&settings);
    settings.anchors = anchors;
    settings.calibration = calibration;
    ip_entropy_result *result;
    ip_error error = {0};
    ip_status status = ip_entropy(&result, shared_path("golden/estimator/%c/z.npy", set), paths, LABELS, NULL,
                                  &settings, NULL, NULL, &error);
    if (json_is_null(json_object_get(entry, "epsilon"))) {
        cr_assert_eq(status, IP_USAGE, "set %c: %s is undefined there", set, calibration);
        return;
    }
    cr_assert_eq(status, IP_OK, "set %c: %s", set, error.message);
    double epsilon = json_number_value(json_object_get(entry, "epsilon"));
    cr_assert(fabs(result->temperature - epsilon) <= 1e-12 * epsilon);
    cr_assert(fabs(result->H - nats(entry, "H_Z")) <= tolerance, "set %c m %d %s: H(Z) %.9f, golden %.9f", set, m,
              calibration, result->H, nats(entry, "H_Z"));
    cr_assert(fabs(result->context - nats(entry, "context_information")) <= tolerance);
    json_t *sets = json_object_get(entry, "label_sets");
    for (int i = 0; i < LABELS; i++) {
        json_t *golden = json_object_get(sets, label_names[i]);
        cr_assert(fabs(result->sets[i].estimate.I - nats(golden, "I")) <= tolerance,
                  "set %c m %d %s %s: I %.9f, golden %.9f", set, m, calibration, label_names[i],
                  result->sets[i].estimate.I, nats(golden, "I"));
        cr_assert(fabs(result->sets[i].conditional - nats(golden, "H_Z_given_V")) <= tolerance);
    }
    cr_assert_eq(result->sets[1].estimate.I, result->sets[2].estimate.I, "zipf and wide are one partition");
    cr_assert_eq(result->sets[3].estimate.I, result->context,
                 "every position its own label: I is the context information");
    cr_assert_eq(result->sets[4].estimate.I, 0.0);
    ip_entropy_free(result);
}

Test(estimator, golden) {
    for (char set = 'a'; set <= 'f'; set++) {
        const char *path = shared_path("golden/estimator/%c/expected.json", set);
        if (shared_missing(path)) return;
        json_error_t error;
        json_t *root = json_load_file(path, 0, &error);
        cr_assert(root, "%s", error.text);
        json_t *entries = json_object_get(root, "estimates");
        cr_assert_eq(json_array_size(entries), 6);
        for (size_t i = 0; i < 6; i++) compare_entry(set, json_array_get(entries, i));
        json_decref(root);
    }
}

/* Sets a and f differ by powers of two that must not be seen. */
Test(estimator, scale_does_not_matter) {
    if (shared_missing(shared_path("golden/estimator/f/z.npy"))) return;
    ip_npy a, f;
    ip_error error;
    cr_assert_eq(ip_npy_open(&a, shared_path("golden/estimator/a/z.npy"), &error), IP_OK);
    cr_assert_eq(ip_npy_open(&f, shared_path("golden/estimator/f/z.npy"), &error), IP_OK);
    const ip_kernels *kernels;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
    float x[64], y[64], ux[64], uy[64];
    for (uint64_t row = 0; row < f.shape[0]; row++) {
        ip_npy_row_f32(&a, row, x);
        ip_npy_row_f32(&f, row, y);
        cr_assert_eq(kernels->unit(ux, x, 64), 0);
        cr_assert_eq(kernels->unit(uy, y, 64), 0);
        cr_assert_arr_eq(ux, uy, sizeof ux, "row %d", (int)row);
    }
    ip_npy_close(&a);
    ip_npy_close(&f);
}

Test(estimator, first_assignments) {
    const char *path = shared_path("golden/estimator/a/rows_m100_vmf-bound.npy");
    if (shared_missing(path)) return;
    ip_npy rows, z;
    ip_error error;
    cr_assert_eq(ip_npy_open(&rows, path, &error), IP_OK);
    cr_assert_eq(ip_npy_open(&z, shared_path("golden/estimator/a/z.npy"), &error), IP_OK);
    const ip_kernels *kernels;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
    ip_anchors anchors;
    cr_assert_eq(ip_anchors_make(&anchors, 64, 0, 0, shared_path("golden/estimator/a/anchors_m100.npy"), IP_VMF_BOUND,
                                 kernels, &error),
                 IP_OK, "%s", error.message);
    float *x = malloc(16 * 64 * sizeof *x), *p = malloc(32 * 112 * sizeof *p);
    void *work = aligned_alloc(64, (ip_assign_bytes(kernels, &anchors, 16) + 63) & ~(size_t)63);
    for (uint64_t r = 0; r < 16; r++) ip_npy_row_f32(&z, r, x + r * 64);
    size_t bad_row;
    int bad_kind;
    cr_assert(ip_anchors_assign(&anchors, kernels, x, 16, p, work, &bad_row, &bad_kind));
    for (uint64_t r = 0; r < 16; r++) {
        double expected[100];
        ip_npy_row_f64(&rows, r, expected);
        for (int j = 0; j < 100; j++) cr_assert(fabs(p[r * 112 + (size_t)j] - expected[j]) < 1e-5);
        for (int j = 100; j < 112; j++) cr_assert_eq(p[r * 112 + (size_t)j], 0.0f);
    }
    free(x);
    free(p);
    free(work);
    ip_anchors_free(&anchors);
    ip_npy_close(&rows);
    ip_npy_close(&z);
}

Test(estimator, bad_rows_are_named) {
    const ip_kernels *kernels;
    ip_error error;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
    ip_anchors anchors;
    cr_assert_eq(ip_anchors_make(&anchors, 8, 20, 1, NULL, IP_VMF_EXACT, kernels, &error), IP_OK);
    float x[3 * 8] = {1, 2, 3}, p[32 * 32];
    x[8] = 1;
    void *work = aligned_alloc(64, (ip_assign_bytes(kernels, &anchors, 16) + 63) & ~(size_t)63);
    size_t bad_row;
    int bad_kind;
    cr_assert_not(ip_anchors_assign(&anchors, kernels, x, 3, p, work, &bad_row, &bad_kind));
    cr_assert(bad_row == 2 && bad_kind == 1);
    x[16] = INFINITY;
    cr_assert_not(ip_anchors_assign(&anchors, kernels, x, 3, p, work, &bad_row, &bad_kind));
    cr_assert(bad_row == 2 && bad_kind == 2);
    free(work);
    ip_anchors_free(&anchors);
    cr_assert_eq(ip_anchors_make(&anchors, 3, 20, 1, NULL, IP_VMF_BOUND, kernels, &error), IP_USAGE);
    cr_assert(strstr(error.message, "vmf-exact") != NULL);
}

/* Known-answer vectors of Philox4x32-10 as its authors published them (Random123). */
Test(philox, known_answers) {
    static const struct {
        uint32_t counter[4];
        uint64_t key;
        uint32_t out[4];
    } known[] = {
        {{0, 0, 0, 0}, 0, {0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}},
        {{~0u, ~0u, ~0u, ~0u}, ~(uint64_t)0, {0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}},
        {{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344},
         0x299F31D0A4093822,
         {0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        ip_philox(known[i].counter, known[i].key, out);
        cr_assert_arr_eq(out, known[i].out, sizeof out);
    }
}

Test(philox, golden_anchors) {
    const char *path = shared_path("golden/estimator/philox_anchors.npy");
    if (shared_missing(path)) return;
    ip_npy golden;
    ip_error error;
    cr_assert_eq(ip_npy_open(&golden, path, &error), IP_OK);
    float rows[5 * 37];
    double work[37];
    ip_anchors_draw(rows, 37, 5, 0x0123456789ABCDEF, work);
    for (uint64_t r = 0; r < 5; r++) {
        float expected[37];
        ip_npy_row_f32(&golden, r, expected);
        /* the host's log, cos and sin may differ in the last place before the rounding to f32 */
        for (int i = 0; i < 37; i++)
            cr_assert(fabsf(rows[r * 37 + (uint64_t)i] - expected[i]) <= 6e-8f * fabsf(expected[i]));
    }
    ip_npy_close(&golden);
}

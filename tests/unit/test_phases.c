/* Phases of made-up training runs as the golden statistics judge them; the order of checkpoints; paired differences. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/dispatch.h"
#include "core/base/npy.h"
#include "core/base/number.h"
#include "core/output/csv.h"
#include "core/series/checkpoints.h"
#include "core/series/paired.h"
#include "core/series/phases.h"
#include "tests/unit/shared_data.h"

static void setup(void) {
    const ip_kernels *kernels;
    ip_error error;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
}

enum { STEPS = 12, RESAMPLES = 300 };

/* 95 % interval of the differences of resamples between two checkpoints of a quantity. */
static ip_range paired_percentiles(const ip_npy *npy, unsigned quantity, size_t minuend, size_t subtrahend) {
    double differences[RESAMPLES];
    ip_npy flat = *npy;
    flat.dims = 2;
    flat.shape[0] = npy->shape[0] * npy->shape[1];
    flat.shape[1] = STEPS;
    for (size_t r = 0; r < RESAMPLES; r++) {
        double row[STEPS];
        ip_npy_row_f64(&flat, quantity * RESAMPLES + r, row);
        differences[r] = row[minuend] - row[subtrahend];
    }
    ip_sort_doubles(differences, RESAMPLES);
    return (ip_range){ip_quantile(differences, RESAMPLES, 0.025), ip_quantile(differences, RESAMPLES, 0.975)};
}

static void check_range(const json_t *golden, const char *key, ip_range range) {
    const json_t *pair = json_object_get(golden, key);
    cr_assert(fabs(range.low - json_number_value(json_array_get(pair, 0))) < 1e-12, "%s", key);
    cr_assert(fabs(range.high - json_number_value(json_array_get(pair, 1))) < 1e-12, "%s", key);
}

static void check_series(const json_t *golden) {
    const char *name = json_string_value(json_object_get(golden, "case"));
    double values[4][STEPS]; /* step, loss, complexity, expressivity */
    ip_csv csv;
    ip_npy npy;
    ip_error error;
    cr_assert_eq(ip_csv_open(&csv, shared_path("golden/stats/trajectory_%s.csv", name), &error), IP_OK);
    cr_assert_eq(csv.rows, STEPS);
    for (size_t i = 0; i < STEPS; i++)
        for (size_t c = 0; c < 4; c++) cr_assert(ip_number_parse(ip_csv_cell(&csv, i, c), &values[c][i]));
    ip_csv_free(&csv);
    cr_assert_eq(ip_npy_open(&npy, shared_path("golden/stats/trajectory_%s_resamples.npy", name), &error), IP_OK);
    size_t peak = ip_phases_peak(values[2], STEPS), last = STEPS - 1;
    ip_phases p =
        ip_phases_judge(peak, STEPS, values[2][peak] - values[2][last], paired_percentiles(&npy, 0, peak, last),
                        values[3][last] - values[3][peak], paired_percentiles(&npy, 1, last, peak));
    cr_assert_eq(peak, (size_t)json_number_value(json_object_get(golden, "peak_index")), "%s", name);
    cr_assert(fabs(p.fall - json_number_value(json_object_get(golden, "fall"))) < 1e-12);
    cr_assert(fabs(p.change - json_number_value(json_object_get(golden, "expressivity_change_after_peak"))) < 1e-12);
    check_range(golden, "fall_interval_95", p.fall_range);
    check_range(golden, "expressivity_change_interval_95", p.change_range);
    cr_assert_eq(p.compression, json_is_true(json_object_get(golden, "compression")), "%s", name);
    cr_assert_eq(p.holds, json_is_true(json_object_get(golden, "expressivity_holds")), "%s", name);
    cr_assert_str_eq(ip_phases_verdict(&p), json_string_value(json_object_get(golden, "verdict")));
    cr_assert_eq(ip_phases_levelled(values[1], STEPS),
                 (size_t)json_number_value(json_object_get(golden, "loss_levelled_index")), "%s", name);
    ip_npy_close(&npy);
}

Test(phases, seven_series, .init = setup) {
    const char *path = shared_path("golden/stats/trajectory.json");
    if (shared_missing(path)) return;
    json_t *golden = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL), *entry;
    size_t i;
    json_array_foreach(golden, i, entry) check_series(entry);
    cr_assert_eq(i, 7);
    json_decref(golden);
}

Test(phases, unknown_values) {
    const double values[] = {NAN, 1.0, 2.0, 2.0, NAN}, none[] = {NAN, NAN};
    cr_assert_eq(ip_phases_peak(values, 5), 2, "the first largest that is known");
    cr_assert_eq(ip_phases_peak(none, 2), 2);
    cr_assert_eq(ip_phases_levelled(values, 5), 5);
    const double falling[] = {4.0, 3.0, 2.0}, flat[] = {3.0, 2.0, 1.99, 1.985}, rising[] = {2.0, 2.5, 3.0};
    cr_assert_eq(ip_phases_levelled(falling, 3), 2);
    cr_assert_eq(ip_phases_levelled(flat, 4), 1);
    cr_assert_eq(ip_phases_levelled(rising, 3), 0);
}

/* ---- checkpoints ---- */

Test(checkpoints, steps_in_names) {
    static const struct {
        const char *name;
        uint64_t step; /* UINT64_MAX: none */
    } rows[] = {{"step-000448", 448},
                {"checkpoint-1000", 1000},
                {"step143000-tokens2b.gguf", 143000},
                {"pythia-70m-step512", 512},
                {"demo.q8_0.gguf", 0},
                {"run7-iter_20", 20},
                {"ckpt.12.gguf", 12},
                {"model", UINT64_MAX},
                {"99999999999999999999999", UINT64_MAX},
                {"", UINT64_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t step = 7;
        bool found = ip_checkpoint_step(rows[i].name, &step);
        cr_assert_eq(found, rows[i].step != UINT64_MAX, "%s", rows[i].name);
        cr_assert(!found || step == rows[i].step, "%s: %llu", rows[i].name, (unsigned long long)step);
    }
}

Test(checkpoints, folders_and_patterns_in_order_of_steps) {
    char folder[] = "/tmp/infoplane-checkpoints-XXXXXX", path[128], pattern[64], command[64];
    cr_assert(mkdtemp(folder) != NULL);
    static const char *const names[] = {"step-10", "step-9", "step-100", "other", ".step-3"};
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
        snprintf(path, sizeof path, "%s/%s/config.json", folder, names[i]);
        FILE *file = i == 3 ? NULL : fopen(path, "w");
        if (file) fclose(file);
    }
    ip_checkpoint_list list = {NULL, 0};
    ip_error error;
    snprintf(pattern, sizeof pattern, "%s/step-1*", folder);
    cr_assert_eq(ip_checkpoints_add(&list, pattern, false, &error), IP_OK);
    cr_assert_eq(list.count, 2);
    cr_assert_eq(ip_checkpoints_add(&list, folder, false, &error), IP_OK);
    cr_assert_eq(list.count, 3, "what is there already is left out, as is what is no checkpoint");
    cr_assert_eq(ip_checkpoints_sort(&list, &error), IP_OK);
    cr_assert_str_eq(list.items[0].name, "step-9");
    cr_assert_str_eq(list.items[2].name, "step-100");
    uint64_t before = ip_checkpoint_look(list.items[0].path);
    snprintf(path, sizeof path, "%s/weights", list.items[0].path);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL);
    uint64_t there = ip_checkpoint_look(list.items[0].path);
    fputs("more", file);
    fclose(file);
    cr_assert(before != there && there != ip_checkpoint_look(list.items[0].path), "a file that grows is seen");
    ip_checkpoints_free(&list);
    snprintf(path, sizeof path, "%s/other", folder);
    cr_assert_eq(ip_checkpoints_add(&list, path, false, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_checkpoints_add(&list, path, true, &error), IP_OK);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

/* ---- pairs ---- */

/* A run of one layer and four groups whose I(X;Z) is the mean of four values, so that the jackknife is the textbook
 * standard error of a mean. */
static ip_run made_up(const double values[4], ip_layer_result layer[2], double without[2 * 4 * 4], double other) {
    double mean = (values[0] + values[1] + values[2] + values[3]) / 4.0;
    memset(layer, 0, 2 * sizeof *layer);
    for (size_t l = 0; l < 2; l++) {
        layer[l].H = layer[l].context = layer[l].y[0].I = other;
        layer[l].x[0].I = mean;
        for (size_t q = 0; q < 4; q++)
            for (size_t g = 0; g < 4; g++)
                without[(l * 4 + q) * 4 + g] = q == 2 ? (4.0 * mean - values[g]) / 3.0 : other;
    }
    ip_run run = {.layers = 1, .width = 8, .documents = 4, .bins = 100, .orders = 1, .groups = 4};
    run.calibration = "vmf-bound";
    run.layer = layer;
    run.without = without;
    snprintf(run.text_fingerprint, sizeof run.text_fingerprint, "aa");
    return run;
}

static ip_pair_room room; /* none: no resamples */

Test(paired, differences_of_means, .init = setup) {
    static const double a[] = {1.0, 5.0, 9.0, 30.0}, b[] = {0.5, 4.0, 8.5, 28.0}; /* differences 0.5 1 0.5 2 */
    ip_layer_result layers[2][2];
    double without[2][32];
    ip_run x = made_up(a, layers[0], without[0], 2.0), y = made_up(b, layers[1], without[1], 2.0);
    ip_paired p = ip_pair_figure(&x, &y, IP_MEAN_LAYER, 2, &room);
    double se = sqrt((0.25 + 0.0 + 0.25 + 1.0) / 3.0 / 4.0); /* standard error of the mean of the differences */
    cr_assert(fabs(p.difference - 1.0) < 1e-14 && fabs(p.interval.se - se) < 1e-13 && fabs(p.interval.bias) < 1e-13);
    cr_assert(fabs(p.interval.high - (1.0 + 3.1824463052837078 * se)) < 1e-12);
    ip_paired same = ip_pair_figure(&x, &x, 1, 2, &room);
    cr_assert(same.difference == 0.0 && same.interval.low == 0.0 && same.interval.high == 0.0);
    cr_assert_eq(ip_figures(&x), 5);
    cr_assert(fabs(ip_pair_figure(&x, &y, 1, 4, &room).a - 2.0 / 11.25) < 1e-15, "optimality is the ratio");
    char name[IP_QUANTITY_ROOM];
    ip_figure_name(&x, 4, name);
    cr_assert_str_eq(name, "optimality1");
}

Test(paired, losses_by_document, .init = setup) {
    ip_layer_result layers[2];
    double without[32], none[4] = {0};
    ip_run x = made_up(none, layers, without, 1.0), y;
    float loss_x[] = {1, 2, 3, 4, 5, 6}, loss_y[] = {1, 1, 3, 3, 5, 5};
    uint64_t offsets[] = {0, 1, 3, 5, 6};
    ip_paired p;
    cr_assert_not(ip_pair_loss(&p, &x, &x, false, &room));
    x.has_loss = true;
    x.token_loss = loss_x;
    x.loss_offsets = offsets;
    y = x;
    y.token_loss = loss_y;
    cr_assert(ip_pair_loss(&p, &x, &y, false, &room));
    cr_assert(fabs(p.a - 3.5) < 1e-15 && fabs(p.b - 3.0) < 1e-15);
    /* without each document: differences 3/5, 2/4, 2/4, 2/5 */
    double mean = 0.5, squares = 0.01 + 0.01;
    cr_assert(fabs(p.interval.se - sqrt(0.75 * squares)) < 1e-14 && fabs(p.interval.bias - 3.0 * (mean - 0.5)) < 1e-14);
    cr_assert(ip_pair_loss(&p, &x, &y, true, &room));
    cr_assert(fabs(p.a - 21.0 / 4.0) < 1e-15);
}

/* Four resamples of one layer; the third holds no position of A. */
Test(paired, percentiles_over_shared_resamples, .init = setup) {
    static const double a[] = {1.0, 5.0, 9.0, 30.0}, b[] = {0.5, 4.0, 8.5, 28.0};
    ip_layer_result layers[2][2];
    double without[2][32], resampled[2][32] = {{0}, {0}};
    ip_run x = made_up(a, layers[0], without[0], 2.0), y = made_up(b, layers[1], without[1], 2.0);
    ip_pair_room own;
    ip_error error;
    const double of_x[] = {3.0, 7.0, NAN, 8.0}, of_y[] = {1.0, 6.0, 2.0, 4.0}; /* differences 2, 1, none, 4 */
    for (int i = 0; i < 4; i++) {
        resampled[0][(4 + 2) * 4 + i] = of_x[i];
        resampled[1][(4 + 2) * 4 + i] = of_y[i];
    }
    x.bootstrap = y.bootstrap = 4;
    x.resampled = resampled[0];
    y.resampled = resampled[1];
    cr_assert_eq(ip_pair_resamples(&x, &y), 4);
    cr_assert_eq(ip_pair_room_open(&own, 4, x.documents, &error), IP_OK);
    ip_paired p = ip_pair_figure(&x, &y, 1, 2, &own);
    cr_assert(fabs(p.boot.low - 1.05) < 1e-14 && fabs(p.boot.high - 3.9) < 1e-14, "%.17g %.17g", p.boot.low,
              p.boot.high);
    p = ip_pair_figure(&x, &y, IP_MEAN_LAYER, 2, &own); /* one layer: its own mean */
    cr_assert(fabs(p.boot.low - 1.05) < 1e-14 && fabs(p.boot.high - 3.9) < 1e-14);
    p = ip_pair_figure(&x, &y, 1, 2, &room);
    cr_assert(isnan(p.boot.low) && isfinite(p.interval.low), "without room only the jackknife");
    y.seed = 7;
    p = ip_pair_figure(&x, &y, 1, 2, &own);
    cr_assert(isnan(p.boot.low) && isnan(p.boot.high), "draws of another seed are no pairs");
    ip_pair_room_close(&own);
}

static void refused(const ip_run *a, const ip_run *b, const char *what) {
    ip_error error = {0};
    cr_assert_eq(ip_pair_check(a, "one", b, "two", &error), IP_BAD_INPUT, "%s", what);
    cr_assert(strstr(error.message, what) && strstr(error.message, "one and two"), "%s", error.message);
}

Test(paired, what_does_not_pair_is_named) {
    ip_layer_result layers[2];
    double without[32], none[4] = {0};
    const ip_run x = made_up(none, layers, without, 1.0);
    ip_run y = x;
    ip_error error;
    cr_assert_eq(ip_pair_check(&x, "one", &y, "two", &error), IP_OK);
    y.text_fingerprint[0] = 'b';
    refused(&x, &y, "the text after splitting");
    y = x;
    y.groups = 3;
    refused(&x, &y, "--groups");
    y = x;
    y.orders = 2;
    refused(&x, &y, "--orders");
    y = x;
    y.backoff = true;
    refused(&x, &y, "--labels");
    y = x;
    y.bins = 50;
    refused(&x, &y, "--bins");
    y = x;
    y.calibration = "vmf-exact";
    refused(&x, &y, "--calibration");
    y = x;
    y.seed = 1;
    refused(&x, &y, "--seed");
    y = x;
    snprintf(y.anchors_fingerprint, sizeof y.anchors_fingerprint, "cc");
    refused(&x, &y, "--anchors");
    y = x;
    y.max_tokens = 5;
    y.ids_fingerprint[0] = 'x';
    refused(&x, &y, "--max-tokens");
}

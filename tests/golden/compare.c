/* Compares what the program wrote with golden data; the golden scripts call it. Prints the largest difference and fails
 * when it is above the tolerance.
 *
 *   golden-compare estimates RUN.json EXPECTED.json RULE TOLERANCE    RULE: exact, backoff2, backoff5; nats
 *   golden-compare loss RUN.json NATS_PER_TOKEN TOLERANCE
 *   golden-compare token-loss A.npy B.npy TOLERANCE                   A may hold the first documents of B
 *   golden-compare states FOLDER HIDDEN.npy ROWS.tsv TOLERANCE        relative to the norm of each state
 *   golden-compare norms FOLDER NORMS.npy TOLERANCE                   relative
 *   golden-compare layers FOLDER HIDDEN.npy TOLERANCE                 [layers, documents, tokens, width]: of each layer's
 *                                                                     largest value
 *   golden-compare logits TOKEN-LOSS.npy LOGITS.npy IDS.npy TOLERANCE losses of the last tokens, from logits [documents, 8,
 *                                                                     vocabulary], of the largest logit
 *   golden-compare preference PREFERENCE.json EXPECTED.json MODE KEY TOLERANCE   H and the golden's I under KEY, nats
 *   golden-compare preference-null PREFERENCE.json EXPECTED.json MODE            of 500 draws: means within 5 sd/sqrt(500),
 *                                                                     spreads within 15 %
 *   golden-compare ids A.npy B.npy COUNT                              the first COUNT ids are equal
 */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/npy.h"

static void die(const char *what, const char *which) {
    fprintf(stderr, "golden-compare: %s: %s\n", which, what);
    exit(2);
}

static json_t *load(const char *path) {
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root) die(error.text, path);
    return root;
}

static ip_npy open_npy(const char *path) {
    ip_npy npy;
    ip_error error;
    if (ip_npy_open(&npy, path, &error) != IP_OK) die(error.message, path);
    return npy;
}

static double number(json_t *value, const char *what) {
    if (!json_is_number(value)) die("no number here", what);
    return json_number_value(value);
}

static int verdict(const char *what, double worst, double tolerance) {
    printf("%s: largest difference %.3g, tolerance %.3g\n", what, worst, tolerance);
    if (worst <= tolerance) return 0; /* NaN fails */
    fprintf(stderr, "FAILED: %s: %.6g is above %.3g\n", what, worst, tolerance);
    return 1;
}

static void wider(double *worst, double a, double b) {
    double d = fabs(a - b);
    if (!(d <= *worst)) *worst = d;
}

static void compare_row(double *worst, json_t *ours, json_t *golden, const char *rule) {
    wider(worst, number(json_object_get(ours, "H"), "H"), number(json_object_get(golden, "H_Z"), "H_Z"));
    wider(worst, number(json_object_get(ours, "context"), "context"),
          number(json_object_get(golden, "context_information"), "context_information"));
    json_t *by_rule = json_object_get(golden, rule);
    static const char *const sides[2][2] = {{"X", "I_X"}, {"Y", "I_Y"}};
    for (int s = 0; s < 2; s++) {
        json_t *a = json_object_get(ours, sides[s][0]), *b = json_object_get(by_rule, sides[s][1]);
        if (json_array_size(a) == 0 || json_array_size(a) != json_array_size(b)) die("other orders", rule);
        for (size_t k = 0; k < json_array_size(a); k++)
            wider(worst, number(json_object_get(json_array_get(a, k), "I"), "I"), number(json_array_get(b, k), rule));
    }
    json_t *a = json_object_get(ours, "optimality"), *b = json_object_get(by_rule, "optimality");
    for (size_t k = 0; k < json_array_size(a); k++)
        wider(worst, number(json_array_get(a, k), "optimality"), number(json_array_get(b, k), "optimality"));
}

static int estimates(char **argv) {
    json_t *run = load(argv[0]), *golden = load(argv[1]);
    json_t *ours = json_object_get(run, "layers"), *theirs = json_object_get(golden, "layers");
    double worst = 0.0;
    if (json_array_size(ours) == 0 || json_array_size(ours) != json_array_size(theirs)) die("other layers", argv[0]);
    for (size_t l = 0; l < json_array_size(ours); l++)
        compare_row(&worst, json_array_get(ours, l), json_array_get(theirs, l), argv[2]);
    compare_row(&worst, json_object_get(run, "mean"), json_object_get(golden, "mean_over_layers_1_to_L"), argv[2]);
    json_t *estimator = json_object_get(run, "estimator");
    wider(&worst, number(json_object_get(estimator, "temperature"), "temperature"),
          number(json_object_get(golden, "epsilon"), "epsilon"));
    json_t *positions = json_object_get(json_object_get(run, "corpus"), "positions");
    if (json_integer_value(positions) != json_integer_value(json_object_get(golden, "positions")))
        die("positions", argv[0]);
    json_decref(run);
    json_decref(golden);
    char what[64];
    snprintf(what, sizeof what, "H, I, optimality (%s)", argv[2]);
    return verdict(what, worst, atof(argv[3]));
}

static int loss(char **argv) {
    json_t *run = load(argv[0]);
    double worst = 0.0;
    wider(&worst, number(json_object_get(json_object_get(run, "loss"), "nats_per_token"), "loss"), atof(argv[1]));
    json_decref(run);
    return verdict("loss per token", worst, atof(argv[2]));
}

/* One-dimensional arrays of floats are read as one row. */
static double *floats(ip_npy *npy) {
    double *out = malloc((size_t)npy->count * sizeof *out);
    if (!out || npy->fortran || npy->kind != 'f') die("cannot be read as floats", npy->path);
    ip_npy row = *npy;
    row.dims = 2;
    row.shape[0] = 1;
    row.shape[1] = npy->count;
    ip_npy_row_f64(&row, 0, out);
    return out;
}

static int token_loss(char **argv) {
    ip_npy a = open_npy(argv[0]), b = open_npy(argv[1]);
    if (a.count == 0 || a.count > b.count) die("more losses than the golden has", argv[0]);
    double *x = floats(&a), *y = floats(&b), worst = 0.0;
    for (size_t i = 0; i < a.count; i++) wider(&worst, x[i], y[i]);
    free(x);
    free(y);
    ip_npy_close(&a);
    ip_npy_close(&b);
    return verdict("loss of a token", worst, atof(argv[2]));
}

/* Row of the states that holds a token: positions.npy is sorted. */
static size_t find_row(const ip_npy *positions, int64_t document, int64_t position) {
    size_t low = 0, high = (size_t)positions->shape[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int64_t d = ip_npy_int(positions, 2 * middle), t = ip_npy_int(positions, 2 * middle + 1);
        if (d < document || (d == document && t < position)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low >= positions->shape[0] || ip_npy_int(positions, 2 * low) != document)
        die("position is not there", positions->path);
    return low;
}

static ip_npy open_layer(const char *folder, size_t layer) {
    char path[4096];
    snprintf(path, sizeof path, "%s/layer-%02zu.npy", folder, layer);
    return open_npy(path);
}

static ip_npy open_positions(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/positions.npy", folder);
    return open_npy(path);
}

static int states(char **argv) {
    ip_npy golden = open_npy(argv[1]), positions = open_positions(argv[0]);
    size_t layers = (size_t)golden.shape[0], rows = (size_t)golden.shape[1], width = (size_t)golden.shape[2];
    double *expected = floats(&golden), worst = 0.0;
    double *state = malloc(width * sizeof *state);
    size_t *where = malloc(rows * sizeof *where);
    FILE *list = fopen(argv[2], "r");
    char line[256];
    if (!list || !state || !where) die("cannot be read", argv[2]);
    size_t n = 0;
    while (fgets(line, sizeof line, list)) {
        long long row, document, position;
        if (sscanf(line, "%lld %lld %lld", &row, &document, &position) == 3 && n < rows)
            where[n++] = find_row(&positions, document, position);
    }
    fclose(list);
    if (n != rows) die("other rows than the golden", argv[2]);
    for (size_t l = 0; l < layers; l++) {
        ip_npy layer = open_layer(argv[0], l);
        if (layer.shape[1] != width) die("other width", layer.path);
        for (size_t r = 0; r < rows; r++) {
            const double *e = expected + (l * rows + r) * width;
            double norm2 = 0.0, difference2 = 0.0;
            ip_npy_row_f64(&layer, where[r], state);
            for (size_t i = 0; i < width; i++) {
                norm2 += e[i] * e[i];
                difference2 += (state[i] - e[i]) * (state[i] - e[i]);
            }
            wider(&worst, sqrt(difference2 / norm2), 0.0);
        }
        ip_npy_close(&layer);
    }
    free(expected);
    free(state);
    free(where);
    ip_npy_close(&golden);
    ip_npy_close(&positions);
    return verdict("hidden states, relative", worst, atof(argv[3]));
}

static int norms(char **argv) {
    ip_npy golden = open_npy(argv[1]);
    size_t layers = (size_t)golden.shape[0], rows = (size_t)golden.shape[1];
    double *expected = floats(&golden), worst = 0.0;
    for (size_t l = 0; l < layers; l++) {
        ip_npy layer = open_layer(argv[0], l);
        size_t width = (size_t)layer.shape[1];
        double *state = malloc(width * sizeof *state);
        if (!state || layer.shape[0] < rows) die("fewer tokens than the golden", layer.path);
        for (size_t r = 0; r < rows; r++) {
            double norm2 = 0.0;
            ip_npy_row_f64(&layer, r, state);
            for (size_t i = 0; i < width; i++) norm2 += state[i] * state[i];
            wider(&worst, sqrt(norm2) / expected[l * rows + r], 1.0);
        }
        free(state);
        ip_npy_close(&layer);
    }
    free(expected);
    ip_npy_close(&golden);
    return verdict("norms of the states, relative", worst, atof(argv[2]));
}

static int layers(char **argv) {
    ip_npy golden = open_npy(argv[1]);
    size_t count = (size_t)golden.shape[0], rows = (size_t)(golden.shape[1] * golden.shape[2]);
    size_t width = (size_t)golden.shape[3];
    double *expected = floats(&golden), *state = malloc(width * sizeof *state), worst = 0.0;
    if (golden.dims != 4 || !state) die("not four dimensions", argv[1]);
    for (size_t l = 0; l < count; l++) {
        ip_npy layer = open_layer(argv[0], l);
        if (layer.shape[0] != rows || layer.shape[1] != width) die("another shape", layer.path);
        double error = 0.0, most = 0.0;
        for (size_t r = 0; r < rows; r++) {
            ip_npy_row_f64(&layer, r, state);
            for (size_t i = 0; i < width; i++) {
                double e = expected[(l * rows + r) * width + i];
                wider(&error, state[i], e);
                most = fmax(most, fabs(e));
            }
        }
        wider(&worst, error / most, 0.0);
        ip_npy_close(&layer);
    }
    free(expected);
    free(state);
    ip_npy_close(&golden);
    return verdict("hidden states, of each layer's largest", worst, atof(argv[2]));
}

/* Logits at the last n tokens of each document give the losses of all of them but the first. */
static int logits(char **argv) {
    ip_npy ours = open_npy(argv[0]), golden = open_npy(argv[1]), tokens = open_npy(argv[2]);
    size_t documents = (size_t)golden.shape[0], n = (size_t)golden.shape[1], vocabulary = (size_t)golden.shape[2];
    size_t length = (size_t)tokens.shape[1];
    if (ours.count != documents * (length - 1)) die("other documents than the golden", argv[0]);
    double *losses = floats(&ours), *z = floats(&golden), worst = 0.0, most = 0.0;
    for (size_t d = 0; d < documents; d++) {
        for (size_t i = 0; i + 1 < n; i++) {
            const double *row = z + (d * n + i) * vocabulary;
            double top = row[0], sum = 0.0;
            for (size_t v = 0; v < vocabulary; v++) {
                top = fmax(top, row[v]);
                most = fmax(most, fabs(row[v]));
            }
            for (size_t v = 0; v < vocabulary; v++) sum += exp(row[v] - top);
            size_t at = length - n + i;
            double loss = top + log(sum) - row[ip_npy_int(&tokens, d * length + at + 1)];
            wider(&worst, losses[d * (length - 1) + at], loss);
        }
    }
    free(losses);
    free(z);
    ip_npy_close(&ours);
    ip_npy_close(&golden);
    ip_npy_close(&tokens);
    return verdict("losses, of the largest logit", worst / most, atof(argv[3]));
}

/* Layers of our result beside those of one mode of the golden. */
static size_t preference_rows(char **argv, json_t **ours, json_t **theirs) {
    *ours = json_object_get(load(argv[0]), "layers");
    *theirs = json_object_get(json_object_get(json_object_get(load(argv[1]), "modes"), argv[2]), "layers");
    size_t n = json_array_size(*ours);
    if (n == 0 || n != json_array_size(*theirs)) die("other layers", argv[0]);
    return n;
}

static double member(json_t *row, const char *key) { return number(json_object_get(row, key), key); }

static int preference(char **argv) {
    json_t *ours, *theirs;
    size_t n = preference_rows(argv, &ours, &theirs);
    bool completion = strcmp(argv[3], "I_nats") == 0;
    double worst = 0.0;
    for (size_t l = 0; l < n; l++) {
        json_t *a = json_array_get(ours, l), *b = json_array_get(theirs, l);
        wider(&worst, member(a, "I"), member(b, argv[3]));
        if (completion) wider(&worst, member(a, "H"), member(b, "H_nats"));
    }
    return verdict(argv[3], worst, atof(argv[4]));
}

static int preference_null(char **argv) {
    static const char *const keys[2][4] = {
        {"null_swap", "null_swap_sd", "pair_swap_null_mean_nats", "pair_swap_null_sd_nats"},
        {"null_permuted", "null_permuted_sd", "null_mean_nats", "null_sd_nats"}};
    json_t *ours, *theirs;
    size_t n = preference_rows(argv, &ours, &theirs);
    double means = 0.0, spreads = 0.0;
    for (size_t l = 0; l < n; l++) {
        json_t *a = json_array_get(ours, l), *b = json_array_get(theirs, l);
        for (int k = 0; k < 2; k++) {
            double sd = member(b, keys[k][3]);
            wider(&means, member(a, keys[k][0]) / (sd / sqrt(500.0)), member(b, keys[k][2]) / (sd / sqrt(500.0)));
            wider(&spreads, member(a, keys[k][1]) / sd, 1.0);
        }
    }
    int failed = verdict("null means, in sd/sqrt(500)", means, 5.0);
    return failed | verdict("null spreads, relative", spreads, 0.15);
}

static int ids(char **argv) {
    ip_npy a = open_npy(argv[0]), b = open_npy(argv[1]);
    uint64_t count = strtoull(argv[2], NULL, 10), differ = 0;
    if (count == 0 || a.count < count || b.count < count) die("too few ids", argv[0]);
    for (uint64_t i = 0; i < count; i++) differ += ip_npy_int(&a, i) != ip_npy_int(&b, i);
    ip_npy_close(&a);
    ip_npy_close(&b);
    return verdict("token ids that differ", (double)differ, 0.0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int arguments;
        int (*run)(char **argv);
    } kinds[] = {{"estimates", 4, estimates},   {"loss", 3, loss},
                 {"token-loss", 3, token_loss}, {"states", 4, states},
                 {"norms", 3, norms},           {"ids", 3, ids},
                 {"layers", 3, layers},         {"logits", 4, logits},
                 {"preference", 5, preference}, {"preference-null", 3, preference_null}};
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0 && argc - 2 == kinds[i].arguments) return kinds[i].run(argv + 2);
    fputs("golden-compare: see the head of compare.c for the arguments\n", stderr);
    return 2;
}

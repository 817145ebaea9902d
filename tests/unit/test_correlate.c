/* `correlate` from its files to its JSON: the golden table of models, the public leaderboard's columns, results files of
 * lm-evaluation-harness, runs matched by name. What the JSON says is compared with figures computed elsewhere. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/infoplane.h"
#include "tests/unit/shared_data.h"

static char folder[] = "/tmp/infoplane-correlate-XXXXXX";
static char told[65536];

static void make_folder(void) { cr_assert(mkdtemp(folder) != NULL); }

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

static const char *in_folder(const char *name) {
    static char paths[16][256];
    static unsigned turn;
    char *out = paths[turn++ % 16];
    snprintf(out, sizeof paths[0], "%s/%s", folder, name);
    return out;
}

static const char *write_file(const char *name, const char *text) {
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    fwrite(text, 1, strlen(text), file);
    fclose(file);
    return path;
}

static void tell(void *context, const char *line) {
    (void)context;
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s\n", line);
}

static ip_status correlate(json_t **json, const char *const *runs, size_t run_count, ip_correlate_settings settings,
                           ip_error *error) {
    ip_host host = {.warn = tell};
    ip_correlation *found;
    told[0] = '\0';
    *json = NULL;
    ip_status status = ip_correlate(&found, runs, run_count, &settings, &host, error);
    if (status != IP_OK) return status;
    FILE *file = tmpfile();
    ip_correlation_write(found, true, file);
    rewind(file);
    json_error_t fault;
    *json = json_loadf(file, JSON_DECODE_INT_AS_REAL, &fault);
    cr_assert(*json, "%s", fault.text);
    fclose(file);
    ip_correlation_free(found);
    return IP_OK;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "no number %s", key);
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void near(const json_t *ours, const char *key, const json_t *golden, const char *golden_key) {
    double a = number(ours, key), b = number(golden, golden_key);
    cr_assert(fabs(a - b) <= 1e-12 * fmax(1.0, fabs(b)), "%s: %.17g, wanted %.17g", golden_key, a, b);
}

static void near_pair(const json_t *ours, const char *key, const json_t *golden, const char *golden_key) {
    for (size_t i = 0; i < 2; i++) {
        double a = json_number_value(json_array_get(json_object_get(ours, key), i));
        double b = json_number_value(json_array_get(json_object_get(golden, golden_key), i));
        cr_assert(fabs(a - b) <= 1e-12, "%s: %.17g, wanted %.17g", golden_key, a, b);
    }
}

static json_t *entry_of(const json_t *json, const char *measure, const char *task) {
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(json, "entries"), i,
                       entry) if (strcmp(text(entry, "measure"), measure) == 0 &&
                                  strcmp(text(entry, "task"), task) == 0) return entry;
    cr_assert(false, "no entry %s, %s", measure, task);
    return NULL;
}

static json_t *golden(const char *name) {
    const char *path = shared_path("golden/stats/%s", name);
    json_t *root = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
    cr_assert(root, "%s", path);
    return root;
}

static void check_entry(const json_t *ours, const json_t *wanted) {
    static const char *const methods[] = {"pearson", "spearman"}, *const given[] = {"partial|log10_params",
                                                                                    "partial|log10_params+loss"};
    cr_assert_eq(number(ours, "n"), number(wanted, "n"));
    near(ours, "kendall_tau_b", wanted, "kendall_tau_b");
    for (size_t m = 0; m < 2; m++) {
        char p[32], fisher[32];
        snprintf(p, sizeof p, "%s_p_t", methods[m]);
        snprintf(fisher, sizeof fisher, "%s_fisher_95", methods[m]);
        const json_t *figure = json_object_get(ours, methods[m]);
        near(figure, "r", wanted, methods[m]);
        near(figure, "p_t", wanted, p);
        near_pair(figure, "fisher_95", wanted, fisher);
        for (size_t g = 0; g < 2; g++) {
            const json_t *partial = json_array_get(json_object_get(ours, "partial"), g);
            const json_t *there = json_object_get(wanted, given[g]);
            near(partial, "df", there, "df");
            figure = json_object_get(partial, methods[m]);
            near(figure, "r", there, methods[m]);
            near(figure, "p_t", there, p);
            near_pair(figure, "fisher_95", there, fisher);
        }
    }
    near(json_object_get(ours, "pearson"), "p_bh", wanted, "pearson_p_bh");
}

Test(correlate, the_golden_table) {
    const char *path = shared_path("golden/stats/models.csv");
    if (shared_missing(path)) return;
    ip_correlate_settings settings;
    ip_correlate_settings_default(&settings);
    settings.table = path;
    ip_error error = {0};
    json_t *json, *entry, *row, *root = golden("models_correlations.json");
    cr_assert_eq(correlate(&json, NULL, 0, settings, &error), IP_OK, "%s", error.message);
    size_t i, k;
    json_array_foreach(json_object_get(root, "entries"), i, entry)
        check_entry(entry_of(json, text(entry, "measure"), text(entry, "task")), entry);
    cr_assert_eq(i, json_array_size(json_object_get(json, "entries")));
    json_array_foreach(json_object_get(json_object_get(root, "permutation_monte_carlo"), "entries"), i, entry) {
        const json_t *got =
            json_object_get(json_object_get(entry_of(json, text(entry, "measure"), "mean"), "pearson"), "permutation");
        double p = number(got, "p"), wanted = number(entry, "p"), draws = number(got, "permutations");
        cr_assert(fabs(p - wanted) <= 4.0 * sqrt(wanted / draws + 1.0 / draws / draws), "%g for %g", p, wanted);
    }
    json_decref(root);
    root = golden("leave_one_family_out.json");
    json_array_foreach(root, i, entry) {
        const json_t *rows = json_object_get(entry_of(json, text(entry, "measure"), "mean"), "leave_one_family_out");
        json_array_foreach(json_object_get(entry, "rows"), k, row) {
            const json_t *ours = json_array_get(rows, k);
            cr_assert_str_eq(text(ours, "left_out"), text(row, "left_out"));
            near(ours, "n", row, "n");
            near(ours, "pearson", row, "pearson");
            near(ours, "spearman", row, "spearman");
            near(ours, "partial_log10_params", row, "partial_log10_params");
        }
        cr_assert_eq(k, json_array_size(rows));
    }
    json_decref(root);
    root = golden("size_matched.json");
    json_array_foreach(json_object_get(root, "entries"), i, entry) {
        const json_t *ours = json_object_get(entry_of(json, text(entry, "measure"), "mean"), "size_matched");
        cr_assert(json_equal(json_object_get(json_object_get(json, "size_matched_pairs"), "one_to_one"),
                             json_object_get(root, "one_to_one")));
        near(json_object_get(ours, "all"), "r_through_origin", json_object_get(entry, "all"), "r_through_origin");
        near(json_object_get(ours, "one_to_one"), "sign_test_p", json_object_get(entry, "one_to_one"), "sign_test_p");
    }
    json_decref(root);
    root = golden("bootstrap.json");
    json_array_foreach(root, i, entry) {
        const json_t *ours =
            json_object_get(json_object_get(entry_of(json, text(entry, "measure"), "mean"), "pearson"), "bootstrap");
        const json_t *se = json_object_get(entry, "se_of_quantile_at_10000_resamples");
        for (k = 0; k < 2; k++) {
            double a = json_number_value(json_array_get(json_object_get(ours, "percentile_95"), k));
            double b = json_number_value(json_array_get(json_object_get(entry, "percentile_95"), k));
            cr_assert(fabs(a - b) <= 5.0 * number(se, k ? "0.975" : "0.025"));
        }
    }
    json_decref(root);
    json_decref(json);
}

/* ---- runs, leaderboard, results files ---- */

/* A folder with a run.json of that name and mean figures; one layer, two groups of documents. */
static const char *make_run(const char *where, const char *name, double x, double y, double parameters) {
    char *file = malloc(8192);
    const char *path = in_folder(where);
    cr_assert(mkdir(path, 0700) == 0);
    snprintf(
        file, 8192,
        "{\"schema\": \"infoplane.run/1\", \"infoplane\": {\"version\": \"0\", \"isa\": \"scalar\", \"compute\": "
        "\"f32\", \"threads\": 1}, \"run\": {\"seconds\": 1, \"started\": \"\"}, \"model\": {\"path\": \"m\", "
        "\"name\": \"%s\", \"fingerprint\": null, \"family\": \"llama\", \"parameters\": %.0f, \"layers\": 1, "
        "\"width\": 8, \"vocabulary\": 9, \"weights\": \"F32\", \"weights_stored\": \"F32\"}, \"corpus\": {\"files\": "
        "[], \"documents\": 4, \"tokens\": 40, \"positions\": 30, \"max_tokens\": 512, \"text_fingerprint\": \"aa\", "
        "\"ids_fingerprint\": \"bb\"}, \"estimator\": {\"bins\": 100, \"calibration\": \"vmf-bound\", "
        "\"temperature\": 0.1, \"seed\": 0, \"anchors\": null, \"orders\": 1, \"labels\": \"exact\", \"min_count\": "
        "2, \"count_at\": \"corpus\"}, \"loss\": null, \"layers\": [",
        name, parameters);
    for (int l = 0; l < 2; l++) {
        size_t n = strlen(file);
        snprintf(file + n, 8192 - n,
                 "%s{\"layer\": %d, \"H\": 2, \"context\": 1.9, \"X\": [{\"I\": %.17g, \"distinct\": 3}], \"Y\": "
                 "[{\"I\": %.17g, \"distinct\": 3}]}",
                 l ? ", " : "", l, x, y);
    }
    strcat(file, "]}");
    char inside[64];
    snprintf(inside, sizeof inside, "%s/run.json", where);
    write_file(inside, file);
    free(file);
    return path;
}

static double r_of(const json_t *json, const char *measure, const char *task) {
    return number(json_object_get(entry_of(json, measure, task), "pearson"), "r");
}

static bool names(const json_t *json, const char *key, const char *name) {
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, key), i, item) if (strcmp(json_string_value(item), name) == 0) return true;
    return false;
}

/* Byte-order mark, CRLF, quoted names with commas, quotes and line breaks in them, a model twice. */
static const char leaderboard[] =
    "\xEF\xBB\xBF,fullname,Model,Average \xE2\xAC\x86,#Params (B),CO2,A Raw,A,\"B, or so Raw\",\"B, or so\"\r\n"
    "0,one/m1,\"<a>\"\"x\"\",\r\n</a>\",5.0,1.5,7,0.1,10,0.2,20\r\n"
    "1,one/m2,x,6,3,8,0.2,20,0.1,10\r\n"
    "2,two/m3,x,7,3.1,9,0.3,35,0.3,31\r\n"
    "3,two/m4,x,1,7,1,0,1,0,1\r\n"
    "4,two/m4,x,8,7,2,0.4,40,0.5,50\r\n"
    "5,three/m5,x,9,0,3,0.5,50,0.4,40\r\n";

Test(correlate, runs_against_the_leaderboard, .init = make_folder, .fini = remove_folder) {
    const char *runs[] = {make_run("a", "one/m1", 1.0, 0.5, 1.5e9), make_run("b", "one/m2", 1.2, 0.7, 3e9),
                          make_run("c", "m3", 1.1, 0.6, 3.1e9), make_run("d", "two/m4", 0.9, 0.7, 7e9),
                          make_run("e", "four/m6", 0.9, 0.7, 7e9)};
    const char *scores = write_file("scores.csv", leaderboard), *partial = "CO2";
    ip_correlate_settings settings;
    ip_correlate_settings_default(&settings);
    settings.scores = &scores;
    settings.score_count = 1;
    settings.partial = &partial;
    settings.partial_count = 1;
    ip_error error = {0};
    json_t *json;
    cr_assert_eq(correlate(&json, runs, 5, settings, &error), IP_OK, "%s", error.message);
    /* numpy.corrcoef of (1.0, 1.2, 1.1, 0.9) with (10, 20, 35, 40) and (20, 10, 31, 50) */
    cr_assert(fabs(r_of(json, "complexity", "A") - -0.32816506165694664) < 1e-12);
    cr_assert(fabs(r_of(json, "complexity", "B, or so") - -0.8212685161315917) < 1e-12, "%.17g",
              r_of(json, "complexity", "B, or so"));
    cr_assert_eq(number(entry_of(json, "optimality", "mean"), "n"), 4.0);
    const json_t *exact = json_object_get(json_object_get(entry_of(json, "complexity", "A"), "pearson"), "permutation");
    cr_assert_eq(number(exact, "permutations"), 24.0);
    cr_assert(names(json, "runs_without_scores", "four/m6"));
    cr_assert(names(json, "scores_without_runs", "three/m5"));
    cr_assert(strstr(told, "two/m4 has 2 rows: the one of line 7, average 8, is taken") != NULL, "%s", told);
    cr_assert(strstr(told, "m3: taken for two/m3") != NULL && strstr(told, "four/m6") && strstr(told, "three/m5"));
    const json_t *given =
        json_object_get(json_array_get(json_object_get(entry_of(json, "complexity", "A"), "partial"), 1), "given");
    cr_assert_str_eq(json_string_value(json_array_get(given, 1)), "CO2");
    json_decref(json);
    runs[4] = make_run("f", "one/m1", 1.0, 0.5, 1.0);
    cr_assert_eq(correlate(&json, runs, 5, settings, &error), IP_BAD_INPUT);
    cr_assert(strstr(error.message, "both called 'one/m1'") != NULL, "%s", error.message);
}

Test(correlate, results_of_the_harness, .init = make_folder, .fini = remove_folder) {
    const char *runs[] = {make_run("a", "one/m1", 1.0, 0.5, 1e9), make_run("b", "one/m2", 1.2, 0.7, 2e9),
                          make_run("c", "two/m3", 1.1, 0.6, 3e9), make_run("d", "two/m4", 0.9, 0.7, 4e9)};
    cr_assert(mkdir(in_folder("results"), 0700) == 0);
    for (int m = 1; m <= 4; m++) {
        char name[64], file[1024];
        snprintf(name, sizeof name, "results/results_%d.json", m);
        /* a group with its own figure hides its parts; "N/A" and NaN are no figures; a string or an object of arguments */
        snprintf(
            file, sizeof file,
            "{\"results\": {\"bbh\": {\"alias\": \"bbh\", \"acc_norm,none\": 0.%d, \"acc_norm_stderr,none\": 0.01, "
            "\"acc,none\": 0.9}, \"bbh_part\": {\"acc_norm,none\": 0.3, \"acc_norm_stderr,none\": \"N/A\"}, \"gsm\": "
            "{\"exact_match,strict\": 0.2, \"exact_match,flexible\": 0.%d, \"x\": NaN}}, \"group_subtasks\": {\"bbh\": "
            "[\"bbh_part\"], \"gsm\": []}, \"config\": {\"model_args\": %s%s/m%d%s, \"model_num_parameters\": 5}}",
            m, 5 - m % 3, m % 2 ? "\"dtype=auto,pretrained=" : "{\"pretrained\": \"", m < 3 ? "one" : "two", m,
            m % 2 ? ",revision=main\"" : "\"}");
        write_file(name, file);
    }
    const char *scores = in_folder("results");
    ip_correlate_settings settings;
    ip_correlate_settings_default(&settings);
    settings.scores = &scores;
    settings.score_count = 1;
    settings.resamples = 200;
    ip_error error = {0};
    json_t *json;
    cr_assert_eq(correlate(&json, runs, 4, settings, &error), IP_OK, "%s", error.message);
    cr_assert_eq(json_array_size(json_object_get(json, "entries")), 3 * 3, "bbh, gsm and the mean");
    cr_assert(fabs(r_of(json, "complexity", "bbh") - -0.4) < 1e-12, "%.17g", r_of(json, "complexity", "bbh"));
    const json_t *first = json_array_get(json_object_get(json, "models"), 0), *given = json_object_get(first, "scores");
    cr_assert_eq(number(given, "bbh"), 0.1);
    cr_assert_eq(number(given, "gsm"), 0.4);
    cr_assert_eq(number(first, "parameters"), 1e9);
    json_decref(json);
}

static void refused(const char *table, const char *expected) {
    const char *path = write_file("t.csv", table);
    ip_correlate_settings settings;
    ip_correlate_settings_default(&settings);
    settings.table = path;
    ip_error error = {0};
    json_t *json;
    ip_status status = correlate(&json, NULL, 0, settings, &error);
    cr_assert_eq(status, IP_BAD_INPUT, "%s", expected);
    cr_assert(strstr(error.message, expected) != NULL, "%s, wanted %s", error.message, expected);
    cr_assert(strstr(error.message, "t.csv") != NULL && strchr(error.message, '\n') == NULL);
}

Test(correlate, broken_tables_are_refused_by_line, .init = make_folder, .fini = remove_folder) {
    refused("", "is empty");
    refused("\n\n", "blank lines only");
    refused("model,a\nx,1\ny\n", "line 3: 1 fields where the header has 2");
    refused("model,a\n\"x,1\ny,2\n", "line 2: a quoted field is not closed");
    refused("model,a\n\"x\"y,1\n", "line 2: text behind a closing quote");
    refused("model,a,a\nx,1,2\n", "two columns are called 'a'");
    refused("model,complexity,b\nx,1,2\nx,1,2\n", "line 3: a second row of 'x'");
    refused("model,complexity,b\nx,much,2\n", "line 2: column 'complexity': 'much' is no number");
    refused("model,complexity\nx,1\n", "no column of scores");
    refused("a,b\n1,2\n", "no column 'model'");
    refused("model,b\nx,1\n", "no column complexity");
    refused("model,complexity,b\nx,1,2\ny,1,2\nz,3,4\n", "3 models");
    refused("\xFF\xFEm", "UTF-16");
    refused("model,a\nx,\x80\n", "line 2: invalid UTF-8");
}

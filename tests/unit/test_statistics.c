/* Correlations, p-values, intervals, pairs and multiple testing against the golden statistics, which were computed by
 * definition in numpy and again by scipy, pingouin and statsmodels. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dispatch.h"
#include "arch/scalar_math.h"
#include "core/base/npy.h"
#include "core/base/number.h"
#include "core/numbers/special.h"
#include "core/numbers/statistics.h"
#include "core/output/csv.h"
#include "tests/unit/shared_data.h"

static void setup(void) {
    const ip_kernels *kernels;
    ip_error error;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
}

static json_t *load(const char *name) {
    const char *path = shared_path("golden/stats/%s", name);
    if (shared_missing(path)) return NULL;
    json_error_t error;
    json_t *root = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
    cr_assert(root, "%s: %s", path, error.text);
    return root;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "no number %s", key);
    return json_number_value(value);
}

static double item(const json_t *object, const char *key, size_t i) {
    return json_number_value(json_array_get(json_object_get(object, key), i));
}

/* A column of a golden table; freed by the caller. */
static double *column(const ip_csv *csv, const char *name) {
    size_t c = ip_csv_find(csv, name);
    cr_assert(c < csv->columns, "no column %s", name);
    double *out = malloc((csv->rows + 1) * sizeof *out);
    for (size_t i = 0; i < csv->rows; i++) cr_assert(ip_number_parse(ip_csv_cell(csv, i, c), &out[i]));
    return out;
}

static ip_csv table(const char *name) {
    ip_csv csv;
    ip_error error;
    cr_assert_eq(ip_csv_open(&csv, shared_path("golden/stats/%s", name), &error), IP_OK, "%s", error.message);
    return csv;
}

/* Relative, of values below a thousandth as if they were that. */
static void near(const char *what, double got, double wanted, double tolerance) {
    cr_assert(fabs(got - wanted) <= tolerance * fmax(fabs(wanted), 1e-3), "%s: %.17g, wanted %.17g", what, got, wanted);
}

/* A p-value: relative, and as exactly as r near 1 determines it (1 - r loses what r rounds). */
static void near_p(const char *what, double got, double wanted, double r) {
    double tolerance = 1e-12 + (wanted < 1e-15 ? 1e-9 : 0.0) + 1e-15 / (1.0 - fabs(r) + 1e-16);
    cr_assert(fabs(got - wanted) <= tolerance * wanted, "%s: %.17g, wanted %.17g", what, got, wanted);
}

static void check_fisher(const char *what, const json_t *golden, const char *key, double r, size_t n, unsigned k) {
    if (!json_object_get(golden, key)) return;
    ip_range range = ip_fisher_interval(r, n, k);
    double tolerance = 1e-12 + 1e-15 / (1.0 - fabs(r));
    near(what, range.low, item(golden, key, 0), tolerance);
    near(what, range.high, item(golden, key, 1), tolerance);
}

static void check_block(const json_t *golden, const double *x, const double *y, size_t n) {
    static const char *const names[] = {"pearson", "spearman"};
    ip_sample sample;
    cr_assert(ip_sample_open(&sample, x, y, NULL, 0, n));
    near("tau-b", ip_kendall(x, y, n), number(golden, "kendall_tau_b"), 1e-12);
    for (int ranked = 0; ranked < 2; ranked++) {
        char key[64];
        double r = ip_sample_r(&sample, ranked, NULL);
        near(names[ranked], r, number(golden, names[ranked]), 1e-12);
        snprintf(key, sizeof key, "%s_p_t", names[ranked]);
        double wanted = number(golden, names[ranked]);
        near_p(key, ip_correlation_p(wanted, (double)n - 2.0), number(golden, key), 0.0);
        near_p(key, ip_correlation_p(r, (double)n - 2.0), number(golden, key), r);
        snprintf(key, sizeof key, "%s_fisher_95", names[ranked]);
        check_fisher(key, golden, key, r, n, 0);
        snprintf(key, sizeof key, "%s_exact", names[ranked]);
        const json_t *exact = json_object_get(golden, key);
        if (!exact) continue;
        ip_permutation p = ip_permutation_p(&sample, ranked, 0, 0);
        cr_assert(p.exact);
        cr_assert_eq(p.permutations, (uint64_t)number(exact, "permutations"));
        cr_assert_eq(p.hits, (uint64_t)number(exact, "hits"), "%s: %llu hits", key, (unsigned long long)p.hits);
        near(key, p.p, number(exact, "p"), 1e-15);
    }
    ip_sample_free(&sample);
}

Test(statistics, small_tables, .init = setup) {
    json_t *golden = load("small.json");
    if (!golden) return;
    ip_csv csv = table("small.csv");
    double *which = column(&csv, "case"), *x = column(&csv, "x"), *y = column(&csv, "y");
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(golden); i++) {
        size_t n = 0;
        while (at + n < csv.rows && which[at + n] == (double)i) n++;
        check_block(json_array_get(golden, i), x + at, y + at, n);
        at += n;
    }
    cr_assert_eq(at, csv.rows);
    free(which);
    free(x);
    free(y);
    ip_csv_free(&csv);
    json_decref(golden);
}

Test(statistics, two_hundred_rows_with_ties, .init = setup) {
    json_t *golden = load("n200.json");
    if (!golden) return;
    ip_csv csv = table("n200.csv");
    double *x = column(&csv, "x"), *y = column(&csv, "y");
    check_block(golden, x, y, csv.rows);
    free(x);
    free(y);
    ip_csv_free(&csv);
    json_decref(golden);
}

/* ---- the table of models ---- */

typedef struct models {
    ip_csv csv;
    double *log_size, *loss, *mean, *size;
    uint32_t *family;
    size_t n;
} models;

static models open_models(void) {
    models m = {.csv = table("models.csv")};
    m.n = m.csv.rows;
    m.size = column(&m.csv, "params_b");
    m.log_size = column(&m.csv, "params_b");
    for (size_t i = 0; i < m.n; i++) m.log_size[i] = ip_log(m.size[i]) / ip_log(10.0);
    m.loss = column(&m.csv, "loss");
    m.mean = column(&m.csv, "mean");
    m.family = calloc(m.n, sizeof *m.family);
    size_t c = ip_csv_find(&m.csv, "family");
    for (size_t i = 0; i < m.n; i++)
        while (strcmp(ip_csv_cell(&m.csv, m.family[i], c), ip_csv_cell(&m.csv, i, c)) != 0) m.family[i]++;
    return m;
}

static void close_models(models *m) {
    free(m->size);
    free(m->log_size);
    free(m->loss);
    free(m->mean);
    free(m->family);
    ip_csv_free(&m->csv);
}

static void check_partial(const json_t *golden, const double *x, const double *y, const double *const *given,
                          unsigned k, size_t n) {
    ip_sample sample;
    cr_assert(ip_sample_open(&sample, x, y, given, k, n));
    double r = ip_sample_r(&sample, false, NULL), rho = ip_sample_r(&sample, true, NULL),
           df = (double)n - 2.0 - (double)k;
    cr_assert_eq(df, number(golden, "df"));
    cr_assert(fabs(r - number(golden, "pearson")) < 1e-13);
    cr_assert(fabs(rho - number(golden, "spearman")) < 1e-13);
    cr_assert(fabs(ip_correlation_p(r, df) - number(golden, "pearson_p_t")) < 1e-12);
    cr_assert(fabs(ip_correlation_p(rho, df) - number(golden, "spearman_p_t")) < 1e-12);
    check_fisher("partial", golden, "pearson_fisher_95", r, n, k);
    check_fisher("partial", golden, "spearman_fisher_95", rho, n, k);
    ip_sample_free(&sample);
}

Test(statistics, models_and_scores, .init = setup) {
    json_t *golden = load("models_correlations.json");
    if (!golden) return;
    models m = open_models();
    json_t *entries = json_object_get(golden, "entries"), *entry;
    size_t i, count = json_array_size(entries);
    double *p = malloc(count * sizeof *p), *adjusted = malloc(count * sizeof *adjusted);
    json_array_foreach(entries, i, entry) {
        double *x = column(&m.csv, json_string_value(json_object_get(entry, "measure")));
        double *y = column(&m.csv, json_string_value(json_object_get(entry, "task")));
        const double *given[] = {m.log_size, m.loss};
        check_block(entry, x, y, m.n);
        check_partial(json_object_get(entry, "partial|log10_params"), x, y, given, 1, m.n);
        check_partial(json_object_get(entry, "partial|log10_params+loss"), x, y, given, 2, m.n);
        ip_sample sample;
        cr_assert(ip_sample_open(&sample, x, y, NULL, 0, m.n));
        p[i] = ip_correlation_p(ip_sample_r(&sample, false, NULL), (double)m.n - 2.0);
        ip_sample_free(&sample);
        free(x);
        free(y);
    }
    cr_assert_eq(count, 28);
    cr_assert(ip_benjamini_hochberg(adjusted, p, count));
    json_array_foreach(entries, i, entry) cr_assert(fabs(adjusted[i] - number(entry, "pearson_p_bh")) < 1e-12);
    /* drawn permutations: within four standard errors of both */
    entries = json_object_get(json_object_get(golden, "permutation_monte_carlo"), "entries");
    json_array_foreach(entries, i, entry) {
        double *x = column(&m.csv, json_string_value(json_object_get(entry, "measure")));
        ip_sample sample;
        cr_assert(ip_sample_open(&sample, x, m.mean, NULL, 0, m.n));
        ip_permutation got = ip_permutation_p(&sample, false, 200000, 7);
        double wanted = number(entry, "p"), se = number(entry, "se_of_p");
        cr_assert_not(got.exact);
        cr_assert(fabs(got.p - wanted) <= 4.0 * sqrt(2.0) * se, "p %.3g, wanted %.3g", got.p, wanted);
        ip_sample_free(&sample);
        free(x);
    }
    free(p);
    free(adjusted);
    close_models(&m);
    json_decref(golden);
}

Test(statistics, one_family_left_out_by_weights, .init = setup) {
    json_t *golden = load("leave_one_family_out.json");
    if (!golden) return;
    models m = open_models();
    size_t family_column = ip_csv_find(&m.csv, "family"), i, j;
    double *weights = malloc(m.n * sizeof *weights);
    json_t *entry, *row;
    json_array_foreach(golden, i, entry) {
        double *x = column(&m.csv, json_string_value(json_object_get(entry, "measure")));
        const double *given[] = {m.log_size};
        ip_sample plain, partial;
        cr_assert(ip_sample_open(&plain, x, m.mean, NULL, 0, m.n));
        cr_assert(ip_sample_open(&partial, x, m.mean, given, 1, m.n));
        json_array_foreach(json_object_get(entry, "rows"), j, row) {
            const char *out = json_string_value(json_object_get(row, "left_out"));
            for (size_t k = 0; k < m.n; k++) weights[k] = strcmp(ip_csv_cell(&m.csv, k, family_column), out) != 0;
            near(out, ip_sample_r(&plain, false, weights), number(row, "pearson"), 1e-12);
            near(out, ip_sample_r(&plain, true, weights), number(row, "spearman"), 1e-12);
            near(out, ip_sample_r(&partial, false, weights), number(row, "partial_log10_params"), 1e-12);
        }
        ip_sample_free(&plain);
        ip_sample_free(&partial);
        free(x);
    }
    free(weights);
    close_models(&m);
    json_decref(golden);
}

static void check_pairs(const json_t *golden, const ip_pair *pairs, size_t count) {
    cr_assert_eq(count, json_array_size(golden));
    for (size_t k = 0; k < count; k++) {
        const json_t *pair = json_array_get(golden, k);
        cr_assert_eq(pairs[k].i, (uint32_t)json_number_value(json_array_get(pair, 0)));
        cr_assert_eq(pairs[k].j, (uint32_t)json_number_value(json_array_get(pair, 1)));
    }
}

static void check_agreement(const json_t *golden, ip_pair_figures f) {
    cr_assert_eq(f.pairs, (uint64_t)number(golden, "pairs"));
    cr_assert_eq(f.concordant, (uint64_t)number(golden, "concordant"));
    cr_assert_eq(f.discordant, (uint64_t)number(golden, "discordant"));
    near("share", f.share, number(golden, "share_concordant"), 1e-12);
    near("through the origin", f.r_origin, number(golden, "r_through_origin"), 1e-12);
    if (json_object_get(golden, "sign_test_p"))
        near("sign test", ip_sign_test(f.concordant, f.discordant), number(golden, "sign_test_p"), 1e-12);
}

Test(statistics, pairs_of_one_size, .init = setup) {
    json_t *golden = load("size_matched.json");
    if (!golden) return;
    models m = open_models();
    ip_pair *all, *matched;
    size_t all_count, matched_count, i;
    cr_assert(ip_size_matched(m.size, m.family, m.n, 1.25, &all, &all_count, &matched, &matched_count));
    check_pairs(json_object_get(golden, "all_pairs"), all, all_count);
    check_pairs(json_object_get(golden, "one_to_one"), matched, matched_count);
    json_t *entry;
    json_array_foreach(json_object_get(golden, "entries"), i, entry) {
        double *x = column(&m.csv, json_string_value(json_object_get(entry, "measure")));
        check_agreement(json_object_get(entry, "all"), ip_pair_agreement(all, all_count, x, m.mean));
        check_agreement(json_object_get(entry, "one_to_one"), ip_pair_agreement(matched, matched_count, x, m.mean));
        free(x);
    }
    free(all);
    free(matched);
    close_models(&m);
    json_decref(golden);
}

Test(statistics, bootstrap_of_models, .init = setup) {
    json_t *golden = load("bootstrap.json");
    if (!golden) return;
    models m = open_models();
    json_t *entry;
    size_t i;
    json_array_foreach(golden, i, entry) {
        double *x = column(&m.csv, json_string_value(json_object_get(entry, "measure")));
        ip_sample sample;
        ip_bootstrap b;
        cr_assert(ip_sample_open(&sample, x, m.mean, NULL, 0, m.n));
        cr_assert(ip_sample_bootstrap(&b, &sample, false, 10000, 1));
        const json_t *se = json_object_get(entry, "se_of_quantile_at_10000_resamples");
        double low = 5.0 * number(se, "0.025"), high = 5.0 * number(se, "0.975");
        cr_assert(fabs(b.percentile.low - item(entry, "percentile_95", 0)) < low);
        cr_assert(fabs(b.percentile.high - item(entry, "percentile_95", 1)) < high);
        near("acceleration", b.acceleration, number(entry, "acceleration"), 1e-10);
        cr_assert(fabs(b.z0 - number(entry, "z0")) < 5.0 * 1.2533 / 100.0); /* se of the median's place */
        /* the levels lie further out, where fewer resamples are, and move with z0: twice that */
        cr_assert(fabs(b.bca.low - item(entry, "bca_95", 0)) < 2.0 * low);
        cr_assert(fabs(b.bca.high - item(entry, "bca_95", 1)) < 2.0 * high);
        cr_assert(fabs(b.sd / number(entry, "bootstrap_sd") - 1.0) < 5.0 / sqrt(2.0 * 10000.0));
        ip_sample_free(&sample);
        free(x);
    }
    close_models(&m);
    json_decref(golden);
}

/* All 6^6 resamples by hand: quantiles, z0, acceleration and BCa exactly. */
Test(statistics, bootstrap_in_full, .init = setup) {
    json_t *golden = load("boot6.json");
    if (!golden) return;
    ip_csv csv = table("boot6.csv");
    double *x = column(&csv, "x"), *y = column(&csv, "y"), theta = 0.0, without[6];
    enum { ALL = 46656 };
    double *means = malloc(ALL * sizeof *means), *rs = malloc(ALL * sizeof *rs);
    ip_sample sample;
    cr_assert(ip_sample_open(&sample, x, y, NULL, 0, 6));
    for (int b = 0; b < ALL; b++) {
        double weights[6] = {0};
        means[b] = 0.0;
        for (int i = 0, code = b; i < 6; i++, code /= 6) {
            weights[code % 6] += 1.0;
            means[b] += x[code % 6];
        }
        means[b] /= 6.0;
        rs[b] = ip_sample_r(&sample, false, weights);
    }
    for (int i = 0; i < 6; i++) theta += x[i];
    theta /= 6.0; /* rounded as the resamples' means are: z0 counts those that are equal to it */
    for (int i = 0; i < 6; i++) without[i] = (6.0 * theta - x[i]) / 5.0;
    const json_t *mean = json_object_get(golden, "mean"), *pearson = json_object_get(golden, "pearson");
    ip_bootstrap b = ip_bootstrap_of(theta, means, ALL, without, 6);
    near("sd", b.sd, number(mean, "sd"), 1e-12);
    near("acceleration", b.acceleration, number(mean, "acceleration"), 1e-12);
    near("percentile", b.percentile.low, item(mean, "percentile_95", 0), 1e-12);
    near("percentile", b.percentile.high, item(mean, "percentile_95", 1), 1e-12);
    near("z0", b.z0, number(mean, "z0"), 1e-12);
    for (int side = 0; side < 2; side++) {
        near("level", b.levels[side], item(mean, "bca_levels", (size_t)side), 1e-12);
        near("BCa", side ? b.bca.high : b.bca.low, item(mean, "bca_95", (size_t)side), 1e-12);
    }
    ip_bootstrap r = ip_bootstrap_of(ip_sample_r(&sample, false, NULL), rs, ALL, without, 6);
    cr_assert_eq(r.degenerate, (uint64_t)number(pearson, "degenerate"));
    near("sd of r", r.sd, number(pearson, "sd"), 1e-12);
    const json_t *quantiles = json_object_get(pearson, "quantiles"), *value;
    const char *q;
    json_object_foreach((json_t *)quantiles, q, value)
        near(q, ip_quantile(rs, ALL - r.degenerate, atof(q)), json_number_value(value), 1e-12);
    ip_sample_free(&sample);
    free(means);
    free(rs);
    free(x);
    free(y);
    ip_csv_free(&csv);
    json_decref(golden);
}

Test(statistics, benjamini_hochberg, .init = setup) {
    json_t *golden = load("benjamini_hochberg.json"), *set;
    if (!golden) return;
    size_t i;
    json_array_foreach(golden, i, set) {
        double p[64], adjusted[64];
        size_t n = json_array_size(json_object_get(set, "p"));
        cr_assert(n <= 64);
        for (size_t k = 0; k < n; k++) p[k] = item(set, "p", k);
        cr_assert(ip_benjamini_hochberg(adjusted, p, n));
        for (size_t k = 0; k < n; k++) near("adjusted", adjusted[k], item(set, "adjusted", k), 1e-14);
    }
    json_decref(golden);
    double p[3] = {0.02, NAN, 0.01}, adjusted[3];
    cr_assert(ip_benjamini_hochberg(adjusted, p, 3));
    cr_assert(fabs(adjusted[0] - 0.02) < 1e-17 && isnan(adjusted[1]) && fabs(adjusted[2] - 0.02) < 1e-17);
}

Test(statistics, what_r_and_n_imply, .init = setup) {
    json_t *golden = load("published.json");
    if (!golden) return;
    static const struct {
        const char *name;
        double r;
    } rows[] = {{"complexity", -0.38}, {"expressivity", 0.08}, {"optimality", 0.52}, {"preference", 0.76}};
    for (size_t i = 0; i < 4; i++) {
        ip_range range = ip_fisher_interval(rows[i].r, 47, 0);
        near_p(rows[i].name, ip_correlation_p(rows[i].r, 45.0),
               number(json_object_get(golden, "implied_t_p"), rows[i].name), 0.0);
        near(rows[i].name, range.low, item(json_object_get(golden, "implied_fisher_95"), rows[i].name, 0), 1e-12);
        near(rows[i].name, range.high, item(json_object_get(golden, "implied_fisher_95"), rows[i].name, 1), 1e-12);
    }
    json_decref(golden);
}

Test(statistics, paired_differences_of_resamples, .init = setup) {
    json_t *golden = load("paired.json");
    if (!golden) return;
    ip_npy npy;
    ip_error error;
    cr_assert_eq(ip_npy_open(&npy, shared_path("golden/stats/paired_expected.npy"), &error), IP_OK);
    size_t n = npy.shape[1];
    double *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b), *d = malloc(n * sizeof *d);
    ip_npy_row_f64(&npy, 0, a);
    ip_npy_row_f64(&npy, 1, b);
    for (size_t i = 0; i < n; i++) d[i] = b[i] - a[i];
    ip_sort_doubles(a, n);
    ip_sort_doubles(b, n);
    ip_sort_doubles(d, n);
    static const double q[] = {0.025, 0.975};
    for (size_t i = 0; i < 2; i++) {
        near("difference", ip_quantile(d, n, q[i]), item(golden, "difference_percentile_95", i), 1e-12);
        near("a", ip_quantile(a, n, q[i]), item(golden, "unpaired_interval_of_a_95", i), 1e-12);
        near("b", ip_quantile(b, n, q[i]), item(golden, "unpaired_interval_of_b_95", i), 1e-12);
    }
    free(a);
    free(b);
    free(d);
    ip_npy_close(&npy);
    json_decref(golden);
}

/* ---- the distributions themselves: scipy.special, mpmath ---- */

Test(statistics, distributions, .init = setup) {
    static const struct {
        double z, p;
    } normal[] = {{-8.0, 6.220960574271786e-16},
                  {-3.0, 0.0013498980316300946},
                  {-2.5, 0.006209665325776132},
                  {-1.0, 0.15865525393145705},
                  {0.0, 0.5},
                  {1.5, 0.9331927987311419}};
    for (size_t i = 0; i < 6; i++) {
        cr_assert(fabs(ip_normal_cdf(normal[i].z) / normal[i].p - 1.0) < 1e-13, "%.17g", ip_normal_cdf(normal[i].z));
        cr_assert(fabs(ip_normal_quantile(normal[i].p) - normal[i].z) < 1e-13);
    }
    cr_assert(fabs(ip_normal_quantile(0.975) - 1.959963984540054) < 1e-14);
    cr_assert(isinf(ip_normal_quantile(0.0)) && isinf(ip_normal_quantile(1.0)));
    /* Gamma(1/2) = sqrt(pi), Gamma(n) = (n-1)! */
    cr_assert(fabs(ip_log_gamma(0.5) - 0.5723649429247001) < 1e-14);
    cr_assert(fabs(ip_log_gamma(1.0)) < 1e-14 && fabs(ip_log_gamma(20.0) - 39.339884187199495) < 1e-13);
    /* I_x(1, b) = 1 - (1-x)^b; I_x(a, 1) = x^a; halves add up */
    cr_assert(fabs(ip_incomplete_beta(1.0, 3.0, 0.2, 0.8) - (1.0 - 0.512)) < 1e-14);
    cr_assert(fabs(ip_incomplete_beta(2.5, 1.0, 0.09, 0.91) / 0.00243 - 1.0) < 1e-13);
    cr_assert(fabs(ip_incomplete_beta(7.0, 7.0, 0.5, 0.5) - 0.5) < 1e-14);
}

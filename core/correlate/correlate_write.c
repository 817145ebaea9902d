/* Correlations as JSON and CSV. */
#include <math.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/number.h"
#include "core/correlate/correlate.h"
#include "core/output/folder_write.h"
#include "core/output/json_write.h"

static void write_range(ip_json *j, const char *key, ip_range range) {
    ip_json_open(j, key, '[', true);
    ip_json_double(j, NULL, range.low);
    ip_json_double(j, NULL, range.high);
    ip_json_close(j, ']');
}

static void write_figure(ip_json *j, const char *key, const ip_figure *f) {
    ip_json_open(j, key, '{', true);
    ip_json_double(j, "r", f->r);
    ip_json_double(j, "p_t", f->p_t);
    ip_json_double(j, "p_bh", f->p_bh);
    if (f->permutation.permutations > 0) {
        ip_json_open(j, "permutation", '{', true);
        ip_json_double(j, "p", f->permutation.p);
        ip_json_uint(j, "hits", f->permutation.hits);
        ip_json_uint(j, "permutations", f->permutation.permutations);
        ip_json_bool(j, "exact", f->permutation.exact);
        ip_json_close(j, '}');
    } else {
        ip_json_null(j, "permutation");
    }
    write_range(j, "fisher_95", f->fisher);
    ip_json_open(j, "bootstrap", '{', true);
    write_range(j, "percentile_95", f->bootstrap.percentile);
    write_range(j, "bca_95", f->bootstrap.bca);
    ip_json_double(j, "sd", f->bootstrap.sd);
    ip_json_uint(j, "resamples", f->bootstrap.resamples);
    ip_json_uint(j, "degenerate", f->bootstrap.degenerate);
    ip_json_close(j, '}');
    ip_json_close(j, '}');
}

static void write_given(ip_json *j, const ip_given *given) {
    ip_json_open(j, "given", '[', true);
    for (unsigned i = 0; i < given->count; i++) ip_json_string(j, NULL, given->name[i]);
    ip_json_close(j, ']');
}

static void write_pair_figures(ip_json *j, const char *key, const ip_pair_figures *f, bool test) {
    ip_json_open(j, key, '{', true);
    ip_json_uint(j, "pairs", f->pairs);
    ip_json_uint(j, "concordant", f->concordant);
    ip_json_uint(j, "discordant", f->discordant);
    ip_json_uint(j, "tied", f->pairs - f->concordant - f->discordant);
    ip_json_double(j, "share_concordant", f->share);
    ip_json_double(j, "r_through_origin", f->r_origin);
    if (test) ip_json_double(j, "sign_test_p", ip_sign_test(f->concordant, f->discordant));
    ip_json_close(j, '}');
}

static void write_entry(ip_json *j, const ip_correlation *c, const ip_entry *e) {
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "measure", e->measure->name);
    ip_json_string(j, "task", e->task->name);
    ip_json_uint(j, "n", e->n);
    write_figure(j, "pearson", &e->pearson);
    write_figure(j, "spearman", &e->spearman);
    ip_json_double(j, "kendall_tau_b", e->kendall);
    ip_json_open(j, "partial", '[', false);
    for (unsigned g = 0; g < c->given_count; g++) {
        ip_json_open(j, NULL, '{', false);
        write_given(j, &c->given[g]);
        ip_json_uint(j, "n", e->partial[g].n);
        ip_json_double(j, "df", e->partial[g].freedom);
        write_figure(j, "pearson", &e->partial[g].pearson);
        write_figure(j, "spearman", &e->partial[g].spearman);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_open(j, "leave_one_family_out", '[', false);
    for (size_t f = 0; f < c->family_count; f++) {
        const ip_left_out *out = &e->left_out[f];
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "left_out", out->family);
        ip_json_uint(j, "n", out->n);
        ip_json_double(j, "pearson", out->pearson);
        ip_json_double(j, "spearman", out->spearman);
        ip_json_double(j, "partial_log10_params", out->partial);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_open(j, "size_matched", '{', false);
    write_pair_figures(j, "all", &e->all, false);
    write_pair_figures(j, "one_to_one", &e->matched, true);
    ip_json_close(j, '}');
    ip_json_close(j, '}');
}

static void write_values(ip_json *j, const char *key, const ip_series_list *list, size_t model) {
    ip_json_open(j, key, '{', true);
    for (size_t i = 0; i < list->count; i++) ip_json_double(j, list->items[i].name, list->items[i].values[model]);
    ip_json_close(j, '}');
}

static void write_models(ip_json *j, const ip_correlation *c) {
    const ip_panel *panel = &c->panel;
    ip_json_open(j, "models", '[', false);
    for (size_t i = 0; i < panel->models; i++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "name", panel->name[i]);
        ip_json_string(j, "family", panel->family[i]);
        ip_json_double(j, "parameters", panel->parameters[i]);
        ip_json_double(j, "loss", panel->loss[i]);
        write_values(j, "measures", &panel->measures, i);
        write_values(j, "scores", &panel->tasks, i);
        write_values(j, "other", &panel->other, i);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
}

static void write_pairs(ip_json *j, const char *key, const ip_pair *pairs, size_t count) {
    ip_json_open(j, key, '[', true);
    for (size_t k = 0; k < count; k++) {
        ip_json_open(j, NULL, '[', true);
        ip_json_uint(j, NULL, pairs[k].i);
        ip_json_uint(j, NULL, pairs[k].j);
        ip_json_close(j, ']');
    }
    ip_json_close(j, ']');
}

static void write_names(ip_json *j, const char *key, ip_names names) {
    ip_json_open(j, key, '[', false);
    for (size_t i = 0; i < names.count; i++) ip_json_string(j, NULL, names.items[i]);
    ip_json_close(j, ']');
}

static void write_json(const void *result, FILE *file) {
    const ip_correlation *c = result;
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.correlate/1");
    ip_json_open(j, "infoplane", '{', true);
    ip_json_string(j, "version", INFOPLANE_VERSION);
    ip_json_close(j, '}');
    ip_json_open(j, "settings", '{', true);
    ip_json_string(j, "source", c->source);
    if (strcmp(c->source, "runs") == 0) {
        ip_json_uint(j, "order", c->order);
    } else {
        ip_json_null(j, "order");
    }
    ip_json_uint(j, "permutations", c->permutations);
    ip_json_uint(j, "exact_up_to", IP_EXACT_MAX);
    ip_json_uint(j, "resamples", c->resamples);
    ip_json_uint(j, "seed", c->seed);
    ip_json_double(j, "size_ratio", IP_MATCH_RATIO);
    ip_json_close(j, '}');
    write_models(j, c);
    write_names(j, "runs_without_scores", c->panel.unscored);
    write_names(j, "scores_without_runs", c->panel.unmeasured);
    ip_json_open(j, "entries", '[', false);
    for (size_t i = 0; i < c->entries; i++) write_entry(j, c, &c->entry[i]);
    ip_json_close(j, ']');
    ip_json_open(j, "size_matched_pairs", '{', false);
    write_pairs(j, "all", c->pairs, c->pair_count);
    write_pairs(j, "one_to_one", c->matched, c->matched_count);
    ip_json_close(j, '}');
    ip_json_close(j, '}');
    ip_json_end(j);
}

/* ---- CSV: a row per measure, task and way of correlating ---- */

static void write_field(FILE *file, const char *text) {
    bool plain = strpbrk(text, ",\"\r\n") == NULL;
    if (!plain) fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    if (!plain) fputc('"', file);
}

static void write_number(FILE *file, double value) {
    char room[IP_NUMBER_ROOM];
    fputc(',', file);
    if (isfinite(value)) fputs(ip_number_text(value, room), file);
}

static void write_row(FILE *file, const ip_entry *e, const char *method, const ip_given *given, size_t n,
                      const ip_figure *f) {
    write_field(file, e->measure->name);
    fputc(',', file);
    write_field(file, e->task->name);
    fprintf(file, ",%s,", method);
    for (unsigned i = 0; given && i < given->count; i++) {
        if (i > 0) fputs("; ", file);
        write_field(file, given->name[i]);
    }
    fprintf(file, ",%zu", n);
    const double values[] = {f->r,
                             f->p_t,
                             f->p_bh,
                             f->permutation.p,
                             f->fisher.low,
                             f->fisher.high,
                             f->bootstrap.percentile.low,
                             f->bootstrap.percentile.high,
                             f->bootstrap.bca.low,
                             f->bootstrap.bca.high};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) write_number(file, values[i]);
    fputc('\n', file);
}

static void write_csv(const void *result, FILE *file) {
    const ip_correlation *c = result;
    fputs("measure,task,method,given,n,r,p_t,p_bh,p_permutation,fisher_low,fisher_high,percentile_low,percentile_high,"
          "bca_low,bca_high\n",
          file);
    for (size_t i = 0; i < c->entries; i++) {
        const ip_entry *e = &c->entry[i];
        write_row(file, e, "pearson", NULL, e->n, &e->pearson);
        write_row(file, e, "spearman", NULL, e->n, &e->spearman);
        for (unsigned g = 0; g < c->given_count; g++) {
            write_row(file, e, "pearson", &c->given[g], e->partial[g].n, &e->partial[g].pearson);
            write_row(file, e, "spearman", &c->given[g], e->partial[g].n, &e->partial[g].spearman);
        }
    }
}

void ip_correlation_write(const ip_correlation *correlation, bool json, FILE *file) {
    if (json) {
        write_json(correlation, file);
    } else {
        ip_correlation_write_table(correlation, file);
    }
}

ip_status ip_correlation_write_folder(const ip_correlation *correlation, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK) status = ip_folder_write(folder, "correlate.csv", write_csv, correlation, error);
    if (status == IP_OK) status = ip_folder_write(folder, "correlate.json", write_json, correlation, error);
    return status;
}

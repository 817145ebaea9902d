/* Across models: every measure against every task, with what sizes, losses and families explain taken into account. */
#include "core/correlate/correlate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dispatch.h"
#include "arch/scalar_math.h"
#include "core/base/pool.h"
#include "core/numbers/special.h"

typedef struct work {
    ip_correlation *c;
    const ip_host *host;
} work;

static ip_status out_of_memory(ip_error *error) { return ip_fail(error, IP_FAILED, "out of memory"); }

/* ---- one entry ---- */

/* The rows where x, y and what is held constant are known, close together. */
typedef struct rows {
    size_t n;
    double *column[2 + IP_COVARIATES_MAX + 1];
    size_t *from; /* model of each row */
    void *memory;
} rows;

static bool gather(rows *r, const ip_entry *e, const ip_given *given, size_t models) {
    unsigned covariates = given ? given->count : 0;
    double *memory = malloc((models + 1) * ((2 + covariates) * sizeof(double) + sizeof(size_t)));
    *r = (rows){.memory = memory};
    if (!memory) return false;
    for (unsigned c = 0; c < 2 + covariates; c++) r->column[c] = memory + c * models;
    r->from = (size_t *)(void *)(memory + (2 + covariates) * models);
    for (size_t i = 0; i < models; i++) {
        bool known = isfinite(e->measure->values[i]) && isfinite(e->task->values[i]);
        for (unsigned c = 0; c < covariates && known; c++) known = isfinite(given->values[c][i]);
        if (!known) continue;
        r->column[0][r->n] = e->measure->values[i];
        r->column[1][r->n] = e->task->values[i];
        for (unsigned c = 0; c < covariates; c++) r->column[2 + c][r->n] = given->values[c][i];
        r->from[r->n++] = i;
    }
    return true;
}

static bool sample_of(ip_sample *s, const rows *r, unsigned covariates) {
    const double *given[IP_COVARIATES_MAX + 1];
    for (unsigned c = 0; c < covariates; c++) given[c] = r->column[2 + c];
    return ip_sample_open(s, r->column[0], r->column[1], given, covariates, r->n);
}

static bool find_figure(ip_figure *f, const ip_correlation *c, ip_sample *s, bool ranked) {
    f->r = ip_sample_r(s, ranked, NULL);
    f->p_t = ip_correlation_p(f->r, (double)s->n - 2.0 - (double)s->covariates);
    f->p_bh = NAN;
    f->fisher = ip_fisher_interval(f->r, s->n, s->covariates);
    f->permutation.p = NAN;
    if (s->covariates == 0) f->permutation = ip_permutation_p(s, ranked, c->permutations, c->seed);
    return ip_sample_bootstrap(&f->bootstrap, s, ranked, c->resamples, c->seed);
}

static bool find_plain(ip_entry *e, const ip_correlation *c) {
    rows r;
    ip_sample s = {0};
    bool whole = gather(&r, e, NULL, c->panel.models) && sample_of(&s, &r, 0);
    e->n = r.n;
    whole = whole && find_figure(&e->pearson, c, &s, false) && find_figure(&e->spearman, c, &s, true);
    if (whole) e->kendall = ip_kendall(r.column[0], r.column[1], r.n);
    ip_sample_free(&s);
    free(r.memory);
    return whole;
}

static bool find_partial(ip_entry *e, const ip_correlation *c, unsigned g) {
    rows r;
    ip_sample s = {0};
    ip_partial *p = &e->partial[g];
    bool whole = gather(&r, e, &c->given[g], c->panel.models) && sample_of(&s, &r, c->given[g].count);
    p->n = r.n;
    p->freedom = (double)r.n - 2.0 - (double)c->given[g].count;
    whole = whole && find_figure(&p->pearson, c, &s, false) && find_figure(&p->spearman, c, &s, true);
    ip_sample_free(&s);
    free(r.memory);
    return whole;
}

static bool find_left_out(ip_entry *e, const ip_correlation *c) {
    rows plain, sized;
    ip_sample s = {0}, p = {0};
    double *weights = malloc((c->panel.models + 1) * sizeof *weights);
    bool whole = gather(&plain, e, NULL, c->panel.models);
    whole = gather(&sized, e, &c->given[0], c->panel.models) && whole && weights && sample_of(&s, &plain, 0) &&
            sample_of(&p, &sized, 1);
    for (size_t f = 0; whole && f < c->family_count; f++) {
        ip_left_out *out = &e->left_out[f];
        out->family = c->families[f];
        out->n = 0;
        for (size_t i = 0; i < plain.n; i++) {
            weights[i] = c->family[plain.from[i]] != f;
            out->n += weights[i] > 0.0;
        }
        out->pearson = ip_sample_r(&s, false, weights);
        out->spearman = ip_sample_r(&s, true, weights);
        for (size_t i = 0; i < sized.n; i++) weights[i] = c->family[sized.from[i]] != f;
        out->partial = ip_sample_r(&p, false, weights);
    }
    ip_sample_free(&s);
    ip_sample_free(&p);
    free(plain.memory);
    free(sized.memory);
    free(weights);
    return whole;
}

static ip_status find_entry(void *context, size_t index, unsigned worker, ip_error *error) {
    const work *w = context;
    const ip_correlation *c = w->c;
    ip_entry *e = &w->c->entry[index];
    (void)worker;
    if (w->host && w->host->cancelled && w->host->cancelled(w->host->context))
        return ip_fail(error, IP_INTERRUPTED, "interrupted: nothing was written");
    bool whole = find_plain(e, c) && find_left_out(e, c);
    for (unsigned g = 0; g < c->given_count && whole; g++) whole = find_partial(e, c, g);
    e->all = ip_pair_agreement(c->pairs, c->pair_count, e->measure->values, e->task->values);
    e->matched = ip_pair_agreement(c->matched, c->matched_count, e->measure->values, e->task->values);
    return whole ? IP_OK : out_of_memory(error);
}

/* ---- all entries ---- */

/* p_bh of the figures at `offset` of every entry. */
static bool adjust(ip_correlation *c, size_t offset) {
    double *p = malloc((2 * c->entries + 1) * sizeof *p);
    if (!p) return false;
    for (size_t i = 0; i < c->entries; i++)
        p[i] = ((const ip_figure *)(const void *)((const char *)&c->entry[i] + offset))->p_t;
    bool whole = ip_benjamini_hochberg(p + c->entries, p, c->entries);
    for (size_t i = 0; whole && i < c->entries; i++)
        ((ip_figure *)(void *)((char *)&c->entry[i] + offset))->p_bh = p[c->entries + i];
    free(p);
    return whole;
}

static bool adjust_all(ip_correlation *c) {
    bool whole = adjust(c, offsetof(ip_entry, pearson)) && adjust(c, offsetof(ip_entry, spearman));
    for (unsigned g = 0; g < c->given_count && whole; g++) {
        size_t at = offsetof(ip_entry, partial) + g * sizeof(ip_partial);
        whole = adjust(c, at + offsetof(ip_partial, pearson)) && adjust(c, at + offsetof(ip_partial, spearman));
    }
    return whole;
}

static ip_status find_entries(ip_correlation *c, const ip_correlate_settings *settings, const ip_host *host,
                              ip_error *error) {
    const ip_panel *panel = &c->panel;
    c->entries = panel->measures.count * panel->tasks.count;
    c->entry = calloc(c->entries + 1, sizeof *c->entry);
    if (!c->entry) return out_of_memory(error);
    for (size_t i = 0; i < c->entries; i++) {
        c->entry[i].measure = &panel->measures.items[i / panel->tasks.count];
        c->entry[i].task = &panel->tasks.items[i % panel->tasks.count];
        c->entry[i].left_out = calloc(c->family_count + 1, sizeof *c->entry[i].left_out);
        if (!c->entry[i].left_out) return out_of_memory(error);
    }
    work w = {.c = c, .host = host};
    ip_pool *pool = ip_pool_create(settings->threads > 0 ? settings->threads : ip_processors());
    if (!pool) return ip_fail(error, IP_FAILED, "cannot start threads");
    ip_status status = ip_pool_run(pool, c->entries, find_entry, &w, error);
    ip_pool_destroy(pool);
    return status == IP_OK && !adjust_all(c) ? out_of_memory(error) : status;
}

/* ---- what is known of the models ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool number_families(ip_correlation *c) {
    size_t n = c->panel.models;
    c->families = malloc((n + 1) * sizeof *c->families);
    c->family = malloc((n + 1) * sizeof *c->family);
    if (!c->families || !c->family) return false;
    for (size_t i = 0; i < n; i++) c->families[i] = c->panel.family[i];
    qsort(c->families, n, sizeof *c->families, by_text);
    for (size_t i = 0; i < n; i++)
        if (c->family_count == 0 || strcmp(c->families[c->family_count - 1], c->families[i]) != 0)
            c->families[c->family_count++] = c->families[i];
    for (size_t i = 0; i < n; i++) {
        const char **at = bsearch(&c->panel.family[i], c->families, c->family_count, sizeof *c->families, by_text);
        c->family[i] = (uint32_t)(at - c->families);
    }
    return true;
}

static bool any_known(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i])) return true;
    return false;
}

static void give(ip_given *given, const char *name, const double *values) {
    given->name[given->count] = name;
    given->values[given->count++] = values;
}

/* The sets of what is held constant. The first is always there; without known sizes its figures are null. */
static ip_status choose_given(ip_correlation *c, const ip_correlate_settings *s, ip_error *error) {
    const ip_panel *panel = &c->panel;
    give(&c->given[0], "log10_params", c->log_parameters);
    c->given_count = 1;
    if (any_known(panel->loss, panel->models)) {
        give(&c->given[1], "log10_params", c->log_parameters);
        give(&c->given[1], "loss", panel->loss);
        c->given_count = 2;
    }
    if (s->partial_count == 0) return IP_OK;
    if (s->partial_count >= IP_COVARIATES_MAX)
        return ip_fail(error, IP_USAGE, "--partial: at most %d columns", IP_COVARIATES_MAX - 1);
    ip_given *named = &c->given[c->given_count++];
    give(named, "log10_params", c->log_parameters);
    for (size_t i = 0; i < s->partial_count; i++) {
        const char *name = s->partial[i];
        const ip_series *column = ip_series_find(&panel->other, name);
        if (!column) column = ip_series_find(&panel->measures, name);
        bool loss = strcmp(name, "loss") == 0;
        if (strcmp(name, "log10_params") == 0) continue;
        if (!column && !loss) return ip_fail(error, IP_USAGE, "--partial %s: no column of numbers of that name", name);
        give(named, name, loss ? panel->loss : column->values);
    }
    return IP_OK;
}

static ip_status prepare(ip_correlation *c, const ip_correlate_settings *s, ip_error *error) {
    size_t n = c->panel.models;
    bool runs = strcmp(c->source, "runs") == 0;
    if (n < 4 && (runs || c->panel.measures.count > 0))
        return ip_fail(error, IP_BAD_INPUT, "%s: %zu models with scores: four are the least to correlate", c->source,
                       n);
    if (c->panel.measures.count == 0)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: no column complexity, expressivity, optimality or preference: a table of scores alone goes "
                       "with --scores and runs",
                       c->source);
    c->log_parameters = malloc((n + 1) * sizeof *c->log_parameters);
    if (!c->log_parameters) return out_of_memory(error);
    for (size_t i = 0; i < n; i++)
        c->log_parameters[i] = c->panel.parameters[i] > 0.0 ? ip_log(c->panel.parameters[i]) / ip_log(10.0) : NAN;
    if (!number_families(c)) return out_of_memory(error);
    if (!ip_size_matched(c->panel.parameters, c->family, n, IP_MATCH_RATIO, &c->pairs, &c->pair_count, &c->matched,
                         &c->matched_count))
        return out_of_memory(error);
    return choose_given(c, s, error);
}

static bool is_csv(const char *path) {
    size_t n = strlen(path);
    return n >= 4 && strcmp(path + n - 4, ".csv") == 0;
}

static ip_status read_scores(ip_panel *scores, const ip_correlate_settings *s, ip_names partial, ip_tell tell,
                             ip_error *error) {
    memset(scores, 0, sizeof *scores);
    size_t tables = 0;
    for (size_t i = 0; i < s->score_count; i++) tables += is_csv(s->scores[i]);
    if (tables == 0) return ip_panel_read_harness(scores, s->scores, s->score_count, tell, error);
    if (s->score_count > 1)
        return ip_fail(error, IP_USAGE, "--scores: one .csv, or results files of lm-evaluation-harness, not both");
    return ip_panel_read_csv(scores, s->scores[0], false, partial, tell, error);
}

static ip_status read_panel(ip_correlation *c, const char *const *runs, size_t run_count,
                            const ip_correlate_settings *s, ip_tell tell, ip_error *error) {
    ip_names partial = {NULL, 0};
    ip_status status = IP_OK;
    for (size_t i = 0; i < s->partial_count && status == IP_OK; i++)
        if (!ip_names_add(&partial, s->partial[i])) status = out_of_memory(error);
    if (status == IP_OK && s->table) {
        status = ip_panel_read_csv(&c->panel, s->table, true, partial, tell, error);
    } else if (status == IP_OK) {
        ip_panel scores;
        status = read_scores(&scores, s, partial, tell, error);
        if (status == IP_OK) status = ip_panel_join(&c->panel, &scores, runs, run_count, c->order, tell, error);
        ip_panel_free(&scores);
    }
    for (size_t i = 0; i < partial.count; i++) free(partial.items[i]);
    free(partial.items);
    return status;
}

/* Names what found no partner, the first ten of each kind; the JSON has all. */
static void tell_unmatched(const ip_correlation *c, ip_tell tell) {
    for (int kind = 0; kind < 2; kind++) {
        const ip_names *names = kind == 0 ? &c->panel.unscored : &c->panel.unmeasured;
        char line[900] = "";
        for (size_t i = 0; i < names->count && i < 10; i++) {
            size_t n = strlen(line);
            snprintf(line + n, sizeof line - n, "%s%.80s", i > 0 ? ", " : "", names->items[i]);
        }
        if (names->count > 0)
            ip_tell_line(tell, "%zu %s: %s%s", names->count, kind == 0 ? "runs have no score" : "scores have no run",
                         line, names->count > 10 ? " ... (all of them in the JSON)" : "");
    }
}

void ip_correlate_settings_default(ip_correlate_settings *settings) {
    *settings = (ip_correlate_settings){.order = 1, .permutations = 10000, .resamples = 10000};
}

static ip_status run_all(ip_correlation *c, const char *const *runs, size_t run_count, const ip_correlate_settings *s,
                         const ip_host *host, ip_error *error) {
    const ip_kernels *kernels;
    ip_tell tell = {host};
    ip_status status = ip_arch_select(&kernels, NULL, error); /* scalar_math needs it */
    if (status == IP_OK) status = read_panel(c, runs, run_count, s, tell, error);
    if (status == IP_OK) tell_unmatched(c, tell);
    if (status == IP_OK) status = prepare(c, s, error);
    if (status == IP_OK) status = find_entries(c, s, host, error);
    return status;
}

ip_status ip_correlate(ip_correlation **out, const char *const *runs, size_t run_count,
                       const ip_correlate_settings *settings, const ip_host *host, ip_error *error) {
    *out = NULL;
    if (settings->table ? run_count > 0 || settings->score_count > 0 : settings->score_count == 0)
        return ip_fail(error, IP_USAGE, "correlate: runs with --scores FILE, or --table FILE alone");
    if (settings->resamples > 10000000 || settings->permutations > UINT32_MAX)
        return ip_fail(error, IP_USAGE, "correlate: at most 10000000 resamples and 4294967295 permutations");
    if (settings->order < 1 || settings->order > IP_MAX_ORDERS)
        return ip_fail(error, IP_USAGE, "--order %llu: 1 to %d", (unsigned long long)settings->order, IP_MAX_ORDERS);
    ip_correlation *c = calloc(1, sizeof *c);
    if (!c) return out_of_memory(error);
    c->order = (unsigned)settings->order;
    c->permutations = settings->permutations;
    c->resamples = settings->resamples;
    c->seed = settings->seed;
    c->source = strdup(settings->table ? settings->table : "runs");
    ip_status status = c->source ? run_all(c, runs, run_count, settings, host, error) : out_of_memory(error);
    if (status == IP_OK) {
        *out = c;
    } else {
        ip_correlation_free(c);
    }
    return status;
}

void ip_correlation_free(ip_correlation *c) {
    if (!c) return;
    for (size_t i = 0; c->entry && i < c->entries; i++) free(c->entry[i].left_out);
    free(c->entry);
    free(c->pairs);
    free(c->matched);
    free(c->log_parameters);
    free(c->family);
    free(c->families);
    free(c->source);
    ip_panel_free(&c->panel);
    free(c);
}

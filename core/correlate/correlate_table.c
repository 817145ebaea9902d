/* Correlations for the terminal: a block per measure, what the columns are said above them. */
#include <math.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/correlate/correlate.h"

/* Characters of a name that is shown; more is cut. */
enum { NAME_WIDTH = 22 };

static void put_name(FILE *file, const char *name) {
    int width = 0;
    for (size_t i = 0, n = strlen(name); i < n && width < NAME_WIDTH; width++) {
        size_t step = ip_utf8_step((const unsigned char *)name + i, n - i);
        bool shown = step > 0 && (unsigned char)name[i] >= 0x20 && (unsigned char)name[i] != 0x7F;
        fprintf(file, "%.*s", shown ? (int)step : 1, shown ? name + i : "?");
        i += step > 0 ? step : 1;
    }
    fprintf(file, "%*s", NAME_WIDTH - width, "");
}

static void put_r(FILE *file, double r) {
    if (isfinite(r)) {
        fprintf(file, " %6.3f", r);
    } else {
        fprintf(file, " %6s", "-");
    }
}

static void put_range(FILE *file, ip_range range) {
    if (isfinite(range.low) && isfinite(range.high)) {
        fprintf(file, " %5.2f to %5.2f", range.low, range.high);
    } else {
        fprintf(file, " %14s", "-");
    }
}

static void put_p(FILE *file, double p) {
    if (!isfinite(p)) {
        fprintf(file, " %7s", "-");
    } else if (p < 0.0001) {
        fprintf(file, " %7s", "<0.0001");
    } else {
        fprintf(file, " %7.4f", p);
    }
}

static void put_legend(const ip_correlation *c, FILE *file) {
    const ip_panel *panel = &c->panel;
    fprintf(file, "%zu models of %zu families", panel->models, c->family_count);
    if (strcmp(c->source, "runs") == 0) {
        fprintf(file, ", n-grams of order %u, means over layers", c->order);
    } else {
        char source[200];
        snprintf(source, sizeof source, "%s", c->source);
        ip_make_printable(source);
        fprintf(file, ", measures as in %s", source);
    }
    fprintf(file,
            "\n\nr: Pearson, with its 95 %% bootstrap interval (BCa, %llu resamples); rho: Spearman. p: permutations "
            "(all\nof them up to %d models, else %llu drawn). p_BH: after Benjamini and Hochberg over the %zu tests. "
            "given:\npartial correlation, with p by Student's t",
            (unsigned long long)c->resamples, IP_EXACT_MAX, (unsigned long long)c->permutations, c->entries);
    for (unsigned g = 0; g < c->given_count; g++) {
        fprintf(file, "%s ", g == 0 ? ":" : ";");
        for (unsigned i = 0; i < c->given[g].count; i++)
            fprintf(file, "%s%.60s", i == 0 ? "" : " and ", c->given[g].name[i]);
        fprintf(file, " (%c)", 'A' + (int)g);
    }
    fputs(".\n", file);
}

static void put_entry(const ip_correlation *c, const ip_entry *e, FILE *file) {
    put_name(file, e->task->name);
    fprintf(file, " %4zu", e->n);
    put_r(file, e->pearson.r);
    put_range(file, e->pearson.bootstrap.bca);
    put_p(file, e->pearson.permutation.p);
    put_p(file, e->pearson.p_bh);
    fputs(" |", file);
    put_r(file, e->spearman.r);
    put_p(file, e->spearman.permutation.p);
    for (unsigned g = 0; g < c->given_count; g++) {
        fputs(" |", file);
        put_r(file, e->partial[g].pearson.r);
        put_p(file, e->partial[g].pearson.p_t);
    }
    fputc('\n', file);
}

/* How far one family carries the correlation, and what is left of it among models of one size. */
static void put_checks(const ip_correlation *c, const ip_entry *e, FILE *file) {
    const ip_left_out *low = NULL, *high = NULL;
    for (size_t f = 0; f < c->family_count; f++) {
        const ip_left_out *out = &e->left_out[f];
        if (isnan(out->pearson)) continue;
        if (!low || out->pearson < low->pearson) low = out;
        if (!high || out->pearson > high->pearson) high = out;
    }
    if (low)
        fprintf(file, "  r with the %.60s, one family left out: %.3f (without %.60s) to %.3f (without %.60s)\n",
                e->task->name, low->pearson, low->family, high->pearson, high->family);
    const ip_pair_figures *m = &e->matched;
    fprintf(file, "  pairs of one size (ratio at most %.2f), different families, no model twice: %llu", IP_MATCH_RATIO,
            (unsigned long long)m->pairs);
    if (m->pairs > 0)
        fprintf(file, "; the higher %.40s scores higher in %llu, lower in %llu: sign test p = %.3f", e->measure->name,
                (unsigned long long)m->concordant, (unsigned long long)m->discordant,
                ip_sign_test(m->concordant, m->discordant));
    fputc('\n', file);
}

void ip_correlation_write_table(const ip_correlation *c, FILE *file) {
    put_legend(c, file);
    size_t tasks = c->panel.tasks.count;
    for (size_t k = 0; k < c->panel.measures.count; k++) {
        fputc('\n', file);
        put_name(file, c->panel.measures.items[k].name);
        fprintf(file, " %4s %6s %14s %7s %7s | %6s %7s", "n", "r", "95 %", "p", "p_BH", "rho", "p");
        for (unsigned g = 0; g < c->given_count; g++) fprintf(file, " | given %c       p", 'A' + (int)g);
        fputc('\n', file);
        for (size_t t = 0; t < tasks; t++) put_entry(c, &c->entry[k * tasks + t], file);
        for (size_t t = 0; t < tasks; t++)
            if (strcmp(c->panel.tasks.items[t].name, "mean") == 0) put_checks(c, &c->entry[k * tasks + t], file);
    }
    const ip_names *lists[] = {&c->panel.unscored, &c->panel.unmeasured};
    static const char *const what[] = {"runs without a score", "scores without a run"};
    for (int i = 0; i < 2; i++)
        if (lists[i]->count > 0) fprintf(file, "\n%s: %zu, named in the JSON\n", what[i], lists[i]->count);
}

/* The table for the terminal: bits first, then the same as shares of log2(bins), then nulls and intervals of the means. */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/bound/bound_report.h"
#include "core/estimators/method.h"
#include "core/infoplane.h"
#include "core/output/json_write.h"

static const double ln2 = 0.6931471805599453;

typedef struct sheet {
    const ip_run *run;
    FILE *file;
    double unit; /* nats per unit shown */
    int decimals;
} sheet;

static void cell(const sheet *s, double x) {
    if (isfinite(x)) {
        fprintf(s->file, " %7.*f", s->decimals, x);
    } else {
        fprintf(s->file, " %7s", "-");
    }
}

static void row(const sheet *s, const char *name, const ip_layer_result *r, const double *optimality) {
    fprintf(s->file, "%5s", name);
    cell(s, r->H / s->unit);
    cell(s, r->context / s->unit);
    fputs(" |", s->file);
    for (unsigned k = 0; k < s->run->orders; k++) cell(s, r->x[k].I / s->unit);
    fputs(" |", s->file);
    for (unsigned k = 0; k < s->run->orders; k++) cell(s, r->y[k].I / s->unit);
    if (optimality) {
        fputs(" |", s->file);
        for (unsigned k = 0; k < s->run->orders; k++) cell(s, optimality[k]);
    }
    fputc('\n', s->file);
}

/* The long title where it fits. */
static void group_heading(const sheet *s, const char *title, const char *brief) {
    int width = 8 * (int)s->run->orders - 1;
    fprintf(s->file, " | %-*s", width, (int)strlen(title) <= width ? title : brief);
}

static void heading(const sheet *s, bool optimality) {
    fprintf(s->file, "%5s %7s %7s", "", "", "");
    group_heading(s, "I(X;Z) complexity", "I(X;Z)");
    group_heading(s, "I(Y;Z) expressivity", "I(Y;Z)");
    if (optimality) group_heading(s, "optimality I(Y;Z)/I(X;Z)", "Y / X");
    fprintf(s->file, "\n%5s %7s %7s", "layer", "H(Z)", "I(C;Z)");
    for (int group = 0; group < (optimality ? 3 : 2); group++) {
        fputs(" |", s->file);
        for (unsigned k = 1; k <= s->run->orders; k++) fprintf(s->file, "   n = %u", k);
    }
    fputc('\n', s->file);
}

static void body(const sheet *s, bool with_optimality) {
    const ip_run *run = s->run;
    double optimality[IP_MAX_ORDERS];
    char name[24];
    heading(s, with_optimality);
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        for (unsigned k = 0; k < run->orders; k++) optimality[k] = r->x[k].I != 0.0 ? r->y[k].I / r->x[k].I : NAN;
        snprintf(name, sizeof name, "%zu", l);
        row(s, name, r, with_optimality ? optimality : NULL);
    }
    ip_layer_result mean;
    ip_run_mean(run, &mean, optimality);
    row(s, "mean", &mean, with_optimality ? optimality : NULL);
    if (!with_optimality) return;
    fprintf(s->file, "%5s %7s %7s", "", "", "");
    fprintf(s->file, " | %*s | %*s |", 8 * (int)run->orders - 1, "", 8 * (int)run->orders - 1, "ratio of the means");
    for (unsigned k = 0; k < run->orders; k++) cell(s, mean.x[k].I != 0.0 ? mean.y[k].I / mean.x[k].I : NAN);
    fputc('\n', s->file);
}

static void interval_row(const sheet *s, const char *name, unsigned order, const ip_estimate *e) {
    fprintf(s->file, "%-22s n = %u", name, order + 1);
    const double cells[] = {e->I, e->null, e->I - e->null, e->corrected, e->low, e->high};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (i == 4) fputs(" |", s->file);
        cell(s, cells[i] / s->unit);
    }
    fputc('\n', s->file);
}

/* The means again, with what permuted labels give and what the groups of documents say. */
static void intervals(const sheet *s) {
    const ip_run *run = s->run;
    double unused[IP_MAX_ORDERS];
    ip_layer_result mean;
    ip_run_mean(run, &mean, unused);
    fprintf(s->file, "\nmean over layers 1..%llu, bits\n", (unsigned long long)run->layers);
    if (run->null > 0)
        fprintf(s->file,
                "null: I of labels that carry nothing (permuted, mean of %u): how much of I is mere counting\n",
                run->null);
    if (run->groups > 0)
        fprintf(s->file, "corrected, low .. high: jackknife over %u groups of documents; 95 %% interval\n",
                run->groups);
    fprintf(s->file, "%-28s %7s %7s %7s %7s | %7s %7s\n", "", "I", "null", "I-null", "correct", "low", "high");
    for (unsigned k = 0; k < run->orders; k++) interval_row(s, "I(X;Z) complexity", k, &mean.x[k]);
    for (unsigned k = 0; k < run->orders; k++) interval_row(s, "I(Y;Z) expressivity", k, &mean.y[k]);
    sheet plain = *s;
    plain.unit = 1.0;
    for (unsigned k = 0; run->groups > 0 && k < run->orders; k++) {
        ip_estimate e = ip_run_optimality(run, IP_MEAN_LAYER, k);
        interval_row(&plain, "optimality", k, &e);
    }
}

static void top_table(const ip_run *run, FILE *file, bool input, unsigned order) {
    const ip_top_list_of *list = input ? &run->top_x[order] : &run->top_y[order];
    double unused[IP_MAX_ORDERS];
    ip_layer_result mean;
    ip_run_mean(run, &mean, unused);
    double I = input ? mean.x[order].I : mean.y[order].I;
    fprintf(file, "\n%s n = %u    %9s %9s %7s\n", input ? "I(X;Z)" : "I(Y;Z)", order + 1, "positions", "bits", "of I");
    for (size_t i = 0; i < list->count; i++) {
        const ip_top_ngram *row = &list->rows[i];
        fprintf(file, "  %-16s %7llu %9.5f %6.2f%%  ", "", (unsigned long long)row->count, row->nats / ln2,
                I != 0.0 ? 100.0 * row->nats / I : 0.0);
        ip_json json;
        ip_json_begin(&json, file);
        ip_json_string(&json, NULL, row->text);
        fputc('\n', file);
    }
}

static void loss_line(FILE *file, const char *what, const ip_loss_result *loss, uint64_t documents) {
    fprintf(file, "%s %.4f nats per token (%.4f bits), perplexity %.3f, %.2f bits per document, over %llu tokens\n",
            what, loss->nats_per_token, loss->nats_per_token / ln2, ip_exp(loss->nats_per_token),
            loss->nats_per_token * (double)loss->tokens / (double)(documents > 0 ? documents : 1) / ln2,
            (unsigned long long)loss->tokens);
}

static void lens_table(const ip_run *run, FILE *file) {
    fputs("\nlens: the head at every layer, per token: -log p of the next token, entropy of the prediction\n"
          "layer    nats    bits | entropy: nats, bits\n",
          file);
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        fprintf(file, "%5zu %7.4f %7.4f | %7.4f %7.4f\n", l, r->lens, r->lens / ln2, r->lens_entropy,
                r->lens_entropy / ln2);
    }
}

static void rank_table(const ip_run *run, FILE *file) {
    fputs("S: entropy of the spectrum; effective rank: e^S\nlayer  S nats  S bits | effective rank\n", file);
    for (size_t l = 0; l <= run->layers; l++) {
        const ip_layer_result *r = &run->layer[l];
        fprintf(file, "%5zu %7.4f %7.4f | %14.3f\n", l, r->H, r->H / ln2, r->effective_rank);
    }
}

static void information_tables(const ip_run *run, FILE *file) {
    double log_bins = ip_method_log_bins(run->estimator, run->bins);
    sheet bits = {run, file, ln2, 4};
    if (isfinite(log_bins)) {
        fprintf(file, "bits (of at most log2 %llu = %.3f)", (unsigned long long)run->bins, log_bins / ln2);
    } else {
        fputs("bits", file);
    }
    fputs("; n: order of the n-gram; I(C;Z): context, the ceiling of all I\n", file);
    body(&bits, true);
    if (isfinite(log_bins)) {
        sheet efficiency = {run, file, log_bins, 4};
        fprintf(file, "\nefficiency (the same as a share of log2 %llu)\n", (unsigned long long)run->bins);
        body(&efficiency, false);
    }
    if (run->null > 0 || run->groups > 0) intervals(&bits);
}

void ip_run_write_table(const ip_run *run, FILE *file) {
    bool as_stored = strcmp(run->weights, run->weights_stored) == 0;
    fprintf(file, "%s: %s, %llu layers of width %llu, %.1f M parameters (%s%s%s)\n", run->model_name, run->family,
            (unsigned long long)run->layers, (unsigned long long)run->width, (double)run->parameters / 1e6,
            run->weights, as_stored ? "" : "; stored as ", as_stored ? "" : run->weights_stored);
    fprintf(file, "%llu documents, %llu tokens, %llu counted positions; ", (unsigned long long)run->documents,
            (unsigned long long)run->tokens, (unsigned long long)run->positions);
    ip_method_describe(file, run->estimator, run->bins, run->calibration, run->temperature);
    fprintf(file, "; labels %s", run->backoff ? "backoff" : "exact");
    if (run->backoff) fprintf(file, " (min count %u)", run->min_count);
    fprintf(file, "; %s on %s\n\n", run->compute, run->isa);
    if (strcmp(run->estimator, "matrix") == 0) {
        rank_table(run, file);
    } else {
        information_tables(run, file);
    }
    if (run->bound[0]) ip_bound_run_table(run, file);
    if (run->has_lens) lens_table(run, file);
    if (run->top > 0)
        fprintf(
            file,
            "\nn-grams that carry most: their parts of I, mean over layers 1..%llu; the parts of all n-grams add up "
            "to I\n",
            (unsigned long long)run->layers);
    for (unsigned k = 0; run->top > 0 && k < run->orders; k++) {
        top_table(run, file, true, k);
        top_table(run, file, false, k);
    }
    if (run->has_loss) {
        fputc('\n', file);
        loss_line(file, "loss:", &run->loss, run->documents);
        if (run->has_end) loss_line(file, "loss with the document's end:", &run->loss_end, run->documents);
    }
}

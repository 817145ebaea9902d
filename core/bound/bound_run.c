/* `analyze --bound` on the terminal: how far each layer lies below the best curve found. */
#include <math.h>

#include "core/bound/bound_report.h"

static const double bit = 0.6931471805599453;
static const double rounding = 1e-9; /* nats: what is above by less is on the curve */

static void cell(FILE *file, double x) {
    if (isfinite(x)) {
        fprintf(file, " %7.4f", x);
    } else {
        fprintf(file, " %7s", "-");
    }
}

static void row(const ip_run *run, const char *name, const ip_layer_result *r, FILE *file) {
    ip_bound_gap gaps[IP_MAX_ORDERS];
    for (unsigned k = 0; k < run->orders; k++) gaps[k] = ip_bound_gap_of(run->bound[k], r);
    fprintf(file, "%5s", name);
    for (unsigned k = 0; k < run->orders; k++) cell(file, gaps[k].curve / bit);
    fputs(" |", file);
    for (unsigned k = 0; k < run->orders; k++) cell(file, gaps[k].gap / bit);
    fputs(" |", file);
    for (unsigned k = 0; k < run->orders; k++) cell(file, gaps[k].ratio);
    fputc('\n', file);
}

static bool name_if_above(const ip_run *run, const char *name, const ip_layer_result *r, FILE *file) {
    bool any = false;
    for (unsigned k = 0; k < run->orders; k++) {
        double gap = ip_bound_gap_of(run->bound[k], r).gap;
        if (gap >= -rounding) continue;
        double upper = r->x[k].I < run->bound[k]->I_XY ? r->x[k].I : run->bound[k]->I_XY;
        fprintf(file, "ABOVE the curve: %s, n = %u, by %.4f bits%s\n", name, k + 1, -gap / bit,
                r->y[k].I > upper ? ", and above what any encoder of the n-gram could reach" : "");
        any = true;
    }
    return any;
}

static void heading(const ip_run *run, FILE *file) {
    static const char *const titles[] = {"curve at I(X;Z)", "gap below it", "I(Y;Z) / curve"};
    static const char *const briefs[] = {"curve", "gap", "ratio"};
    fprintf(file, "%5s", "");
    for (int i = 0; i < 3; i++)
        fprintf(file, "%s%-*s", i == 0 ? " " : " | ", 8 * (int)run->orders - 1,
                run->orders > 1 ? titles[i] : briefs[i]);
    fputs("\nlayer", file);
    for (int i = 0; i < 3; i++) {
        if (i > 0) fputs(" |", file);
        for (unsigned k = 1; k <= run->orders; k++) fprintf(file, "   n = %u", k);
    }
    fputc('\n', file);
}

void ip_bound_run_table(const ip_run *run, FILE *file) {
    fputs("\nbound, bits: the best curve found, a lower bound of the true envelope\n", file);
    for (unsigned k = 0; k < run->orders; k++) ip_bound_curve_line(run->bound[k], file);
    heading(run, file);
    char name[32];
    for (size_t l = 0; l <= run->layers; l++) {
        snprintf(name, sizeof name, "%zu", l);
        row(run, name, &run->layer[l], file);
    }
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    ip_run_mean(run, &mean, optimality);
    row(run, "mean", &mean, file);
    bool above = name_if_above(run, "mean", &mean, file);
    for (size_t l = 0; l <= run->layers; l++) {
        snprintf(name, sizeof name, "layer %zu", l);
        above = name_if_above(run, name, &run->layer[l], file) || above;
    }
    if (above)
        fputs(
            "The curve bounds what reads the n-gram alone. States read the whole context, and above the curve they "
            "know of\n"
            "what follows more than the n-gram tells; or the search ended early (try --effort high), or I is biased.\n",
            file);
}

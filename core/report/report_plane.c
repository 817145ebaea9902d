/* The information plane: complexity across, expressivity upwards. For every order two panels: the whole plane with each
 * run's path through its layers, the diagonal and the bound; and the means alone, enlarged, with their intervals. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

static void say_state(const report *r, size_t i, const char *where, const ip_estimate *x, const ip_estimate *y) {
    fprintf(r->file, "%zu %s\n%s\ncomplexity %s bits\nexpressivity %s bits\noptimality %s", i + 1, r->inputs[i].name,
            where, FIXED(report_bits(x->I), 4), FIXED(report_bits(y->I), 4), FIXED(x->I != 0.0 ? y->I / x->I : NAN, 4));
}

static void say_interval(const report *r, const char *what, const ip_estimate *e) {
    if (isfinite(e->low))
        fprintf(r->file, "\n%s, 95 %% interval %s to %s", what, FIXED(report_bits(e->low), 4),
                FIXED(report_bits(e->high), 4));
    if (isfinite(e->boot_low))
        fprintf(r->file, "\n%s, bootstrap, 95 %% interval %s to %s", what, FIXED(report_bits(e->boot_low), 4),
                FIXED(report_bits(e->boot_high), 4));
}

static void draw_path(const report *r, report_panel *p, size_t i, unsigned k) {
    const ip_run *run = r->inputs[i].run;
    size_t n = (size_t)run->layers + 1;
    double *x = r->room, *y = x + n;
    for (size_t l = 0; l < n; l++) {
        x[l] = report_bits(run->layer[l].x[k].I);
        y[l] = report_bits(run->layer[l].y[k].I);
    }
    report_line(p, r->runs <= REPORT_DISTINCT ? "l thin" : "l thin faint", x, y, n);
    for (size_t l = 0; l < n; l++) {
        if (!report_point_open(p, "d", NULL, x[l], y[l])) continue;
        char where[64];
        snprintf(where, sizeof where, "layer %zu of %zu%s", l, n - 1, l == 0 ? " (embedding)" : "");
        say_state(r, i, where, &run->layer[l].x[k], &run->layer[l].y[k]);
        report_point_close(p);
    }
}

static void draw_mean(const report *r, report_panel *p, size_t i, unsigned k, bool interval) {
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    report_mean(r, i, &mean, optimality);
    const ip_estimate *x = &mean.x[k], *y = &mean.y[k];
    double at_x = report_bits(x->I), at_y = report_bits(y->I);
    if (interval && isfinite(x->low) && isfinite(y->low)) {
        /* The interval stands around the corrected value, away from the mark of the plain one. */
        double to_x = report_bits(x->corrected), to_y = report_bits(y->corrected);
        report_line(p, "lead", (double[]){at_x, to_x}, (double[]){at_y, to_y}, 2);
        report_cross(p, to_x, report_bits(x->low), report_bits(x->high), to_y, report_bits(y->low),
                     report_bits(y->high));
    }
    if (report_point_open(p, "m", report_mark(i, r->runs), at_x, at_y)) {
        say_state(r, i, "mean over layers", x, y);
        say_interval(r, "complexity", x);
        say_interval(r, "expressivity", y);
        report_point_close(p);
    }
    report_tag_add(p, at_x, at_y, i);
}

/* What an encoder of the n-gram alone cannot pass; a state holds wider context too, and may. */
static void draw_diagonal(const report_panel *p) {
    double from = p->x.low > p->y.low ? p->x.low : p->y.low, to = p->x.high < p->y.high ? p->x.high : p->y.high;
    if (from >= to) return;
    report_line(p, "diagonal", (double[]){from, to}, (double[]){from, to}, 2);
}

static void scale_titles(report_panel *p) {
    p->x.title = "complexity I(X;Z), bits";
    p->y.title = "expressivity I(Y;Z), bits";
}

static void whole_plane(const report *r, unsigned k) {
    report_panel p = {.efficiency = isfinite(r->log_bins) ? report_bits(r->log_bins) : 0.0};
    report_range x = report_range_empty(), y = report_range_empty();
    for (size_t i = 0; i < r->runs; i++) {
        const ip_run *run = r->inputs[i].run;
        for (size_t l = 0; k < run->orders && l <= run->layers; l++) {
            report_range_add(&x, report_bits(run->layer[l].x[k].I));
            report_range_add(&y, report_bits(run->layer[l].y[k].I));
        }
    }
    scale_titles(&p);
    if (!report_axis_fit(&p.x, x, true, 7) || !report_axis_fit(&p.y, y, true, 6)) return;
    char title[80], label[120];
    snprintf(title, sizeof title, "Order %u (%s): layers and means", k + 1, report_order_name(k + 1));
    snprintf(label, sizeof label, "Information plane of order %u, paths through the layers and means", k + 1);
    report_panel_open(&p, r->file, title, label);
    draw_diagonal(&p);
    report_bound_in_plane(r, &p, k + 1);
    for (size_t i = 0; i < r->runs; i++) {
        if (k >= r->inputs[i].run->orders) continue;
        report_series_open(r->file, i);
        draw_path(r, &p, i, k);
        report_series_close(r->file);
    }
    /* Above all paths. */
    for (size_t i = 0; i < r->runs; i++) {
        if (k >= r->inputs[i].run->orders) continue;
        report_series_open(r->file, i);
        draw_mean(r, &p, i, k, false);
        report_series_close(r->file);
    }
    report_panel_close(&p);
}

static void means_alone(const report *r, unsigned k) {
    report_panel p = {.efficiency = isfinite(r->log_bins) ? report_bits(r->log_bins) : 0.0};
    report_range x = report_range_empty(), y = report_range_empty();
    for (size_t i = 0; i < r->runs; i++) {
        if (k >= r->inputs[i].run->orders) continue;
        ip_layer_result mean;
        double optimality[IP_MAX_ORDERS];
        report_mean(r, i, &mean, optimality);
        const double xs[] = {mean.x[k].I, mean.x[k].low, mean.x[k].high},
                     ys[] = {mean.y[k].I, mean.y[k].low, mean.y[k].high};
        for (unsigned j = 0; j < 3; j++) {
            report_range_add(&x, report_bits(xs[j]));
            report_range_add(&y, report_bits(ys[j]));
        }
    }
    scale_titles(&p);
    p.x.tight = p.y.tight = true;
    report_range_pad(&x);
    report_range_pad(&y);
    if (!report_axis_fit(&p.x, x, false, 5) || !report_axis_fit(&p.y, y, false, 6)) return;
    char title[80], label[120];
    snprintf(title, sizeof title, "Order %u: the means, enlarged", k + 1);
    snprintf(label, sizeof label, "Information plane of order %u, means of the runs, axes that do not begin at 0",
             k + 1);
    report_panel_open(&p, r->file, title, label);
    draw_diagonal(&p);
    for (size_t i = 0; i < r->runs; i++) {
        if (k >= r->inputs[i].run->orders) continue;
        report_series_open(r->file, i);
        draw_mean(r, &p, i, k, true);
        report_series_close(r->file);
    }
    report_panel_close(&p);
}

/* ---- table ---- */

static void mean_row(const report *r, size_t i, bool bootstrap) {
    const ip_run *run = r->inputs[i].run;
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    report_mean(r, i, &mean, optimality);
    for (unsigned k = 0; k < run->orders; k++) {
        const ip_estimate *e[] = {&mean.x[k], &mean.y[k]};
        fprintf(r->file, "<tr class=\"s%zu\">", i);
        report_cell_run(r, i);
        report_cell_whole(r, k + 1);
        for (unsigned j = 0; j < 2; j++) {
            report_cell_nats(r, e[j]->I);
            report_cell_number(r, e[j]->I / r->log_bins, 4);
            report_cell_nats(r, e[j]->null);
            report_cell_nats(r, e[j]->corrected);
            report_cell_nats(r, e[j]->low);
            report_cell_nats(r, e[j]->high);
        }
        report_cell_number(r, optimality[k], 4);
        report_cell_number(r, mean.x[k].I != 0.0 ? mean.y[k].I / mean.x[k].I : NAN, 4);
        for (unsigned j = 0; bootstrap && j < 2; j++) {
            report_cell_nats(r, e[j]->boot_low);
            report_cell_nats(r, e[j]->boot_high);
        }
        fputs("</tr>\n", r->file);
    }
}

static void table(const report *r) {
    static const char *const heads[] = {"run", "order", "complexity I(X;Z)",   "efficiency",        "null", "corrected",
                                        "low", "high",  "expressivity I(Y;Z)", "efficiency",        "null", "corrected",
                                        "low", "high",  "optimality",          "ratio of the means"};
    report_table_open(r, "means over the layers, bits");
    fputs("<thead><tr>", r->file);
    static const char *const more[] = {"complexity, bootstrap low", "high", "expressivity, bootstrap low", "high"};
    bool bootstrap = false;
    for (size_t i = 0; i < r->runs; i++) bootstrap = bootstrap || r->inputs[i].run->bootstrap > 0;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    for (size_t i = 0; bootstrap && i < sizeof more / sizeof *more; i++) report_head_cell(r, more[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < r->runs; i++) mean_row(r, i, bootstrap);
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

static bool has_intervals(const report *r) {
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    for (size_t i = 0; i < r->runs; i++) {
        report_mean(r, i, &mean, optimality);
        if (isfinite(mean.x[0].low) && isfinite(mean.y[0].low)) return true;
    }
    return false;
}

void report_plane(const report *r) {
    report_figure_open(
        r, "plane", "The information plane",
        "A run’s mean (large mark) lies to the right when it keeps much of what it read, and high when it tells much "
        "of what "
        "follows; good compression is up and to the left, towards the dotted diagonal I(Y;Z) = I(X;Z). The thin line "
        "is the run’s path through its layers; the right panel enlarges the means.");
    report_legend(r);
    report_panels_open(r, 2);
    for (unsigned k = 0; k < r->orders; k++) {
        whole_plane(r, k);
        means_alone(r, k);
    }
    report_panels_close(r);
    report_line_key(r, (has_intervals(r) ? REPORT_KEY_CROSS : 0u) | (report_has_bound(r) ? REPORT_KEY_BOUND : 0u));
    report_figure_limit(
        r, "The place of a run depends on the text, the number of anchors and the order: runs compare only on "
           "the same text with the same settings. At order 2 and above most n-grams occur once, and every model drifts "
           "towards the diagonal. Being near it says nothing about how well a model answers questions.");
    table(r);
    report_figure_close(r);
}

/* Every run against the first one, layer by layer: overlaid curves hide small differences. Where both runs carry their
 * figures without each document group, the interval is that of the paired jackknife. */
#include <math.h>
#include <string.h>

#include "core/numbers/jackknife.h"
#include "core/report/report.h"

/* What is compared, of order 1. */
typedef enum quantity { CONTEXT, COMPLEXITY, EXPRESSIVITY, QUANTITIES } quantity;

static const char *const titles[QUANTITIES] = {"Context information I(C;Z)", "Complexity I(X;Z)",
                                               "Expressivity I(Y;Z)"};

/* The same positions, labels, groups and scale, and layer against layer. */
static bool comparable(const report *r, size_t i) {
    const ip_run *a = r->inputs[0].run, *b = r->inputs[i].run;
    return a->layers == b->layers && strcmp(a->estimator, b->estimator) == 0 && a->bins == b->bins &&
           strcmp(a->calibration, b->calibration) == 0 && a->ids_fingerprint[0] != '\0' &&
           strcmp(a->ids_fingerprint, b->ids_fingerprint) == 0 && a->orders == b->orders && a->width == b->width &&
           a->seed == b->seed && strcmp(a->anchors_fingerprint, b->anchors_fingerprint) == 0;
}

static double plain(const ip_run *run, size_t layer, quantity what) {
    const ip_layer_result *l = &run->layer[layer];
    return what == CONTEXT ? l->context : what == COMPLEXITY ? l->x[0].I : l->y[0].I;
}

typedef struct difference {
    double at, low, high; /* nats */
} difference;

static difference difference_of(const report *r, size_t i, size_t layer, quantity what) {
    const ip_run *a = r->inputs[0].run, *b = r->inputs[i].run;
    difference d = {plain(b, layer, what) - plain(a, layer, what), NAN, NAN};
    if (!a->without || !b->without || a->groups != b->groups) return d;
    unsigned row = what == CONTEXT ? 1 : what == COMPLEXITY ? 2 : 2 + a->orders;
    size_t from = (layer * ip_run_quantities(a) + row) * a->groups;
    double without[IP_MAX_GROUPS];
    for (unsigned g = 0; g < a->groups; g++) without[g] = b->without[from + g] - a->without[from + g];
    ip_interval interval = ip_jackknife(d.at, without, a->groups);
    d.low = interval.low;
    d.high = interval.high;
    return d;
}

static void draw_run(const report *r, report_panel *p, size_t i, quantity what) {
    size_t n = (size_t)r->inputs[0].run->layers + 1;
    double *x = r->room, *y = x + n, *low = y + n, *high = low + n;
    for (size_t l = 0; l < n; l++) {
        difference d = difference_of(r, i, l, what);
        x[l] = (double)l;
        y[l] = report_bits(d.at);
        low[l] = report_bits(d.low);
        high[l] = report_bits(d.high);
    }
    report_series_open(r->file, i);
    report_band(p, x, low, high, n);
    report_line(p, "l", x, y, n);
    for (size_t l = 0; l < n; l++) {
        if (!report_point_open(p, "d", NULL, x[l], y[l])) continue;
        fprintf(r->file, "%zu %s\nagainst 1 %s\nlayer %zu: %s bits", i + 1, r->inputs[i].name, r->inputs[0].name, l,
                FIXED(y[l], 4));
        if (isfinite(low[l])) fprintf(r->file, "\n95 %% interval %s to %s", FIXED(low[l], 4), FIXED(high[l], 4));
        report_point_close(p);
    }
    report_series_close(r->file);
    report_tag_add(p, x[n - 1], y[n - 1], i);
}

static void panel(const report *r, quantity what, report_range range) {
    report_panel p = {.x = {.title = "layer (0: embedding)", .whole = true}, .y = {.title = "bits more than run 1"}};
    if (!report_axis_fit(&p.x, (report_range){0.0, (double)r->inputs[0].run->layers}, false, 8)) return;
    if (!report_axis_fit(&p.y, range, true, 6)) return;
    char label[96];
    snprintf(label, sizeof label, "%s of each run less that of run 1, by layer", titles[what]);
    report_panel_open(&p, r->file, titles[what], label);
    report_line(&p, "zero", (double[]){p.x.low, p.x.high}, (double[]){0.0, 0.0}, 2);
    for (size_t i = 1; i < r->runs; i++)
        if (comparable(r, i)) draw_run(r, &p, i, what);
    report_panel_close(&p);
}

static void table(const report *r) {
    report_table_open(r, "differences from run 1 by layer, bits");
    fputs("<thead><tr>", r->file);
    report_head_cell(r, "run");
    report_head_cell(r, "layer");
    for (unsigned q = 0; q < QUANTITIES; q++) {
        report_head_cell(r, titles[q]);
        report_head_cell(r, "low");
        report_head_cell(r, "high");
    }
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 1; i < r->runs; i++) {
        for (size_t l = 0; comparable(r, i) && l <= r->inputs[i].run->layers; l++) {
            fprintf(r->file, "<tr class=\"s%zu\">", i);
            report_cell_run(r, i);
            report_cell_whole(r, l);
            for (unsigned q = 0; q < QUANTITIES; q++) {
                difference d = difference_of(r, i, l, (quantity)q);
                report_cell_nats(r, d.at);
                report_cell_nats(r, d.low);
                report_cell_nats(r, d.high);
            }
            fputs("</tr>\n", r->file);
        }
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

bool report_has_differences(const report *r) {
    for (size_t i = 1; i < r->runs; i++)
        if (comparable(r, i)) return true;
    return false;
}

void report_differences(const report *r) {
    report_range range = report_range_empty();
    bool bands = false;
    for (size_t i = 1; i < r->runs; i++) {
        for (size_t l = 0; comparable(r, i) && l <= r->inputs[i].run->layers; l++) {
            for (unsigned q = 0; q < QUANTITIES; q++) {
                difference d = difference_of(r, i, l, (quantity)q);
                report_range_add(&range, report_bits(d.at));
                report_range_add(&range, report_bits(d.low));
                report_range_add(&range, report_bits(d.high));
                bands = bands || isfinite(d.low);
            }
        }
    }
    report_figure_open(
        r, "differences", "Against the first run",
        "Each run less run 1, layer by layer, on the same positions, of single tokens (order 1). Below zero "
        "the run holds less than the first: what a coarser quantisation forgets stands here.");
    report_legend(r);
    report_panels_open(r, 3);
    for (unsigned q = 0; q < QUANTITIES; q++) panel(r, (quantity)q, range);
    report_panels_close(r);
    report_line_key(r, bands ? REPORT_KEY_BAND : 0u);
    report_figure_limit(
        r, bands ? "The intervals say how far another text of the same kind would move the difference; they do "
                   "not say whether it matters for any task."
                 : "These runs carry no figures without each document group, so nothing here says which "
                   "differences are beyond chance; <code>infoplane compare</code> does.");
    table(r);
    report_figure_close(r);
}

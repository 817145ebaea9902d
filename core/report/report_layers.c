/* Curves over the layers: entropy and context, complexity, expressivity, optimality, all runs overlaid, one panel per
 * order. */
#include <math.h>
#include <string.h>

#include "core/numbers/jackknife.h"
#include "core/report/report.h"

/* What a panel shows of a layer. */
typedef enum curve { CURVE_H, CURVE_CONTEXT, CURVE_X, CURVE_Y, CURVE_RATIO } curve;

typedef struct value {
    double at, low, high, null; /* bits, or a ratio */
} value;

/* A figure that has an interval only through what each document group left out gives: row a, or row b over row a. */
static value from_groups(const ip_run *run, size_t layer, double at, unsigned a, int b, double unit) {
    double without[IP_MAX_GROUPS];
    if (!run->without || !isfinite(at)) return (value){at / unit, NAN, NAN, NAN};
    const double *rows = run->without + layer * ip_run_quantities(run) * run->groups;
    for (unsigned g = 0; g < run->groups; g++) {
        double below = rows[a * run->groups + g];
        without[g] = b < 0 ? below : rows[(unsigned)b * run->groups + g] / below;
    }
    ip_interval i = ip_jackknife(at, without, run->groups);
    return (value){at / unit, i.low / unit, i.high / unit, NAN};
}

static value in_bits(const ip_estimate *e) {
    return (value){report_bits(e->I), report_bits(e->low), report_bits(e->high), report_bits(e->null)};
}

static value value_of(const ip_run *run, curve what, unsigned order, size_t layer) {
    const ip_layer_result *l = &run->layer[layer];
    bool there = order < run->orders;
    switch (what) {
    case CURVE_H: return from_groups(run, layer, l->H, 0, -1, report_nats_per_bit);
    case CURVE_CONTEXT: return from_groups(run, layer, l->context, 1, -1, report_nats_per_bit);
    case CURVE_X: return there ? in_bits(&l->x[order]) : (value){NAN, NAN, NAN, NAN};
    case CURVE_Y: return there ? in_bits(&l->y[order]) : (value){NAN, NAN, NAN, NAN};
    default:
        return from_groups(run, layer, there && l->x[order].I != 0.0 ? l->y[order].I / l->x[order].I : NAN, 2 + order,
                           (int)(2 + run->orders + order), 1.0);
    }
}

typedef struct drawing {
    const report *r;
    curve what;
    const char *symbol; /* "I(X;Z)" */
} drawing;

static double depth(const report *r, const ip_run *run, size_t layer) {
    return r->same_depth || run->layers == 0 ? (double)layer : (double)layer / (double)run->layers;
}

static void say_point(const drawing *d, size_t i, size_t layer, value v) {
    FILE *file = d->r->file;
    fprintf(file, "%zu %s\nlayer %zu%s\n%s = %s", i + 1, d->r->inputs[i].name, layer, layer == 0 ? " (embedding)" : "",
            d->symbol, FIXED(v.at, 4));
    bool ratio = d->what == CURVE_RATIO;
    if (!ratio) fputs(" bits", file);
    if (!ratio && isfinite(d->r->log_bins))
        fprintf(file, " (efficiency %s)", FIXED(v.at / report_bits(d->r->log_bins), 4));
    if (isfinite(v.low)) fprintf(file, "\n95 %% interval %s to %s", FIXED(v.low, 4), FIXED(v.high, 4));
    if (isfinite(v.null)) fprintf(file, "\nnull %s", FIXED(v.null, 4));
}

static void draw_run(const drawing *d, report_panel *p, size_t i, unsigned order) {
    const ip_run *run = d->r->inputs[i].run;
    size_t n = (size_t)run->layers + 1;
    double *x = d->r->room, *y = x + n, *low = y + n, *high = low + n, *null = high + n;
    for (size_t l = 0; l < n; l++) {
        value v = value_of(run, d->what, order, l);
        x[l] = depth(d->r, run, l);
        y[l] = v.at;
        low[l] = v.low;
        high[l] = v.high;
        null[l] = v.null;
    }
    report_series_open(p->file, i);
    report_band(p, x, low, high, n);
    report_line(p, "n", x, null, n);
    report_line(p, "l", x, y, n);
    for (size_t l = 0; l < n; l++) {
        if (!report_point_open(p, "d", NULL, x[l], y[l])) continue;
        say_point(d, i, l, value_of(run, d->what, order, l));
        report_point_close(p);
    }
    report_series_close(p->file);
    report_tag_add(p, x[n - 1], y[n - 1], i);
}

/* The range of all panels of a figure, so that they can be read against each other. */
static report_range range_of(const report *r, curve what, unsigned orders) {
    report_range range = report_range_empty();
    for (size_t i = 0; i < r->runs; i++) {
        const ip_run *run = r->inputs[i].run;
        for (size_t l = 0; l <= run->layers; l++) {
            for (unsigned k = 0; k < orders; k++) {
                value v = value_of(run, what, k, l);
                report_range_add(&range, v.at);
                report_range_add(&range, v.low);
                report_range_add(&range, v.high);
                report_range_add(&range, v.null);
            }
        }
    }
    return range;
}

static void panel(const drawing *d, unsigned order, report_range range, const char *title) {
    const report *r = d->r;
    report_panel p = {.x = {.title = r->same_depth ? "layer (0: embedding)" : "depth: layer / number of layers",
                            .whole = r->same_depth},
                      .y = {.title = d->what == CURVE_RATIO ? "I(Y;Z) / I(X;Z)" : "bits"}};
    report_range across = {0.0, r->same_depth ? (double)r->layers : 1.0};
    if (!report_axis_fit(&p.y, range, d->what != CURVE_RATIO, 6) || !report_axis_fit(&p.x, across, false, 8)) return;
    char label[160];
    snprintf(label, sizeof label, "%s of %s over the layers", d->symbol, title);
    report_panel_open(&p, r->file, title, label);
    for (size_t i = 0; i < r->runs; i++) draw_run(d, &p, i, order);
    report_panel_close(&p);
}

static bool any(const report *r, curve what, bool nulls) {
    for (size_t i = 0; i < r->runs; i++)
        for (size_t l = 0; l <= r->inputs[i].run->layers; l++) {
            value v = value_of(r->inputs[i].run, what, 0, l);
            if (isfinite(nulls ? v.null : v.low)) return true;
        }
    return false;
}

/* ---- tables ---- */

static void order_heads(const report *r, const char *symbol, bool details) {
    char text[64];
    for (unsigned k = 1; k <= r->orders; k++) {
        snprintf(text, sizeof text, "%s order %u", symbol, k);
        report_head_cell(r, text);
        if (!details) continue;
        static const char *const more[] = {"null", "corrected", "low", "high"};
        for (unsigned j = 0; j < 4; j++) report_head_cell(r, more[j]);
    }
}

static void estimate_cells(const report *r, const ip_estimate *e, bool there) {
    const double values[] = {e->I, e->null, e->corrected, e->low, e->high};
    for (unsigned j = 0; j < 5; j++) report_cell_nats(r, there ? values[j] : NAN);
}

static void cells(const report *r, const ip_run *run, curve what, size_t layer) {
    const ip_layer_result *l = &run->layer[layer];
    if (what == CURVE_H) {
        report_cell_nats(r, l->H);
        report_cell_nats(r, l->context);
        return;
    }
    for (unsigned k = 0; k < r->orders; k++) {
        if (what == CURVE_RATIO) {
            report_cell_number(r, value_of(run, what, k, layer).at, 4);
        } else {
            estimate_cells(r, what == CURVE_X ? &l->x[k] : &l->y[k], k < run->orders);
        }
    }
}

static void table(const report *r, curve what, const char *caption) {
    report_table_open(r, caption);
    fputs("<thead><tr>", r->file);
    report_head_cell(r, "run");
    report_head_cell(r, "layer");
    if (what == CURVE_H) {
        report_head_cell(r, "H(Z)");
        report_head_cell(r, "I(C;Z)");
    } else if (what == CURVE_RATIO) {
        order_heads(r, "I(Y;Z)/I(X;Z)", false);
    } else {
        order_heads(r, what == CURVE_X ? "I(X;Z)" : "I(Y;Z)", true);
    }
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < r->runs; i++) {
        for (size_t l = 0; l <= r->inputs[i].run->layers; l++) {
            fprintf(r->file, "<tr class=\"s%zu\">", i);
            report_cell_run(r, i);
            report_cell_whole(r, l);
            cells(r, r->inputs[i].run, what, l);
            fputs("</tr>\n", r->file);
        }
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

/* ---- the four figures ---- */

static void by_order(const report *r, curve what, const char *symbol) {
    drawing d = {r, what, symbol};
    report_range range = range_of(r, what, r->orders);
    report_legend(r);
    report_panels_open(r, r->orders == 1 ? 1 : r->orders == 3 ? 3 : 2);
    for (unsigned k = 0; k < r->orders; k++) {
        char title[64];
        snprintf(title, sizeof title, "Order %u: %s", k + 1, report_order_name(k + 1));
        panel(&d, k, range, title);
    }
    report_panels_close(r);
    report_line_key(r, (any(r, what, false) ? REPORT_KEY_BAND : 0u) | (any(r, what, true) ? REPORT_KEY_NULL : 0u));
}

void report_entropies(const report *r) {
    report_figure_open(
        r, "entropy", "How much the states vary: H(Z) and context information",
        "H(Z) is how evenly the states spread over the anchors; context information I(C;Z) is the part that "
        "differs from position to position, the most that any label can explain.");
    report_legend(r);
    report_range h = range_of(r, CURVE_H, 1), c = range_of(r, CURVE_CONTEXT, 1);
    report_range_add(&h, c.low);
    report_range_add(&h, c.high);
    report_panels_open(r, 2);
    panel(&(drawing){r, CURVE_H, "H(Z)"}, 0, h, "Entropy H(Z)");
    panel(&(drawing){r, CURVE_CONTEXT, "I(C;Z)"}, 0, h, "Context information I(C;Z)");
    report_panels_close(r);
    report_figure_limit(
        r, "Both depend on the number of anchors and on the temperature of the assignment, and H(Z) can be "
           "no larger than log2 of the number of anchors. They are not the entropy of the text.");
    table(r, CURVE_H, "H(Z) and I(C;Z) by layer, bits");
    report_figure_close(r);
}

void report_complexity(const report *r) {
    report_figure_open(
        r, "complexity", "Complexity by layer: what the states keep of the input",
        "I(X;Z) is the information that a state holds about the n-gram that ends at its position. At the "
        "embedding it equals I(C;Z); a curve that falls with depth is a model that forgets what it read.");
    by_order(r, CURVE_X, "I(X;Z)");
    report_figure_limit(
        r, "Rare n-grams look like information: at order 2 and above most occur once, and the dashed null "
           "shows how much the same labels carry at positions drawn by chance. A small text makes both large.");
    table(r, CURVE_X, "I(X;Z) by layer, bits");
    report_figure_close(r);
}

void report_expressivity(const report *r) {
    report_figure_open(r, "expressivity", "Expressivity by layer: what the states tell of what follows",
                       "I(Y;Z) is the information that a state holds about the n-gram that starts one position on. It "
                       "usually rises towards the last layers, where the model makes ready to predict.");
    by_order(r, CURVE_Y, "I(Y;Z)");
    report_figure_limit(
        r, "It is measured by soft assignment to a few anchors, not by the model’s own head: it is not the "
           "loss, and a lower figure need not mean worse predictions. Rare n-grams raise it as they raise I(X;Z).");
    table(r, CURVE_Y, "I(Y;Z) by layer, bits");
    report_figure_close(r);
}

void report_optimality(const report *r) {
    report_figure_open(
        r, "optimality", "Optimality by layer: expressivity per complexity",
        "The ratio I(Y;Z)/I(X;Z): 1 means that a state keeps of its input only what tells of the output. "
        "Single layers, above all the last, may exceed 1.");
    by_order(r, CURVE_RATIO, "I(Y;Z)/I(X;Z)");
    report_figure_limit(
        r, "At order 2 and above rare n-grams push both parts of the ratio towards I(C;Z), and so the ratio "
           "towards 1, whatever the model does. Order 1 is the one to read.");
    table(r, CURVE_RATIO, "I(Y;Z)/I(X;Z) by layer");
    report_figure_close(r);
}

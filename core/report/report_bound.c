/* The information-bottleneck bound: its curve where it belongs in the information plane, and a figure of its own with the
 * solutions found, the upper side, and how far each run's mean stays below. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

bool report_has_bound(const report *r) { return report_has(r, REPORT_BOUND); }

static const ip_node *curves(const report_input *input) { return ip_node_get(input->node, "curves"); }

static const char *ids_of(const report_input *input) {
    const char *text = "";
    ip_node_text(ip_node_get(ip_node_get(input->node, "corpus"), "ids_fingerprint"), &text);
    return text;
}

/* A run's n-grams are those of the bound: the same tokens, the same order window, the same labels. */
static bool belongs(const report *r, const report_input *input, size_t run) {
    const ip_run *own = r->inputs[run].run;
    const ip_node *about = ip_node_get(input->node, "bound");
    const char *labels = "";
    ip_node_text(ip_node_get(about, "labels"), &labels);
    return strcmp(own->ids_fingerprint, ids_of(input)) == 0 && report_number(about, "orders") == (double)own->orders &&
           strcmp(labels, own->backoff ? "backoff" : "exact") == 0;
}

static bool hull_point(const ip_node *curve, size_t i, double *x, double *y) {
    const ip_node *point = ip_node_at(ip_node_get(curve, "hull"), i);
    *x = *y = NAN;
    ip_node_number(ip_node_at(point, 0), x);
    ip_node_number(ip_node_at(point, 1), y);
    return isfinite(*x) && isfinite(*y);
}

/* The curve at an I(X;Z), nats; flat behind its end. */
static double curve_at(const ip_node *curve, double at) {
    double x0 = 0.0, y0 = 0.0, x, y;
    for (size_t i = 0; i < ip_node_count(ip_node_get(curve, "hull")); i++) {
        if (!hull_point(curve, i, &x, &y)) continue;
        if (x >= at) return x > x0 ? y0 + (y - y0) * (at - x0) / (x - x0) : y;
        x0 = x;
        y0 = y;
    }
    return y0;
}

/* Inside the panel: cut where a stretch leaves it. */
static void draw_hull(const report_panel *p, const ip_node *curve) {
    double from_x = 0.0, from_y = 0.0, x, y;
    for (size_t i = 0; i < ip_node_count(ip_node_get(curve, "hull")); i++) {
        if (!hull_point(curve, i, &x, &y)) continue;
        x = report_bits(x);
        y = report_bits(y);
        double share = 1.0;
        if (x > p->x.high) share = (p->x.high - from_x) / (x - from_x);
        if (y > p->y.high && (p->y.high - from_y) / (y - from_y) < share) share = (p->y.high - from_y) / (y - from_y);
        double to_x = from_x + share * (x - from_x), to_y = from_y + share * (y - from_y);
        if (share >= 0.0) report_line(p, "bound", (double[]){from_x, to_x}, (double[]){from_y, to_y}, 2);
        if (share < 1.0) return;
        from_x = x;
        from_y = y;
    }
}

void report_bound_in_plane(const report *r, const report_panel *p, unsigned order) {
    for (size_t i = r->runs; i < r->count; i++) {
        bool wanted = false;
        if (r->inputs[i].kind != REPORT_BOUND) continue;
        for (size_t run = 0; run < r->runs; run++) wanted = wanted || belongs(r, &r->inputs[i], run);
        for (size_t c = 0; wanted && c < ip_node_count(curves(&r->inputs[i])); c++) {
            const ip_node *curve = ip_node_at(curves(&r->inputs[i]), c);
            if (report_number(curve, "order") == (double)order) draw_hull(p, curve);
        }
    }
}

static void say_point(const report *r, const ip_node *point) {
    const char *kind = "";
    ip_node_text(ip_node_get(point, "kind"), &kind);
    fprintf(r->file, "solution at beta %s\nI(X;Z) %s bits\nI(Y;Z) %s bits\nspread over restarts %s bits\n",
            FIXED(report_number(point, "beta"), 3), FIXED(report_bits(report_number(point, "I_X")), 4),
            FIXED(report_bits(report_number(point, "I_Y")), 4), FIXED(report_bits(report_number(point, "spread")), 4));
    report_escape(r->file, kind);
}

static void draw_means(const report *r, const report_input *input, report_panel *p, unsigned order,
                       const ip_node *curve) {
    for (size_t i = 0; i < r->runs; i++) {
        ip_layer_result mean;
        double optimality[IP_MAX_ORDERS];
        if (!belongs(r, input, i)) continue;
        report_mean(r, i, &mean, optimality);
        double x = mean.x[order - 1].I, y = mean.y[order - 1].I;
        report_series_open(r->file, i);
        if (report_point_open(p, "m", report_mark(i, r->runs), report_bits(x), report_bits(y))) {
            fprintf(r->file, "%zu %s\nmean over layers\ncomplexity %s bits\nexpressivity %s bits\ncurve %s bits", i + 1,
                    r->inputs[i].name, FIXED(report_bits(x), 4), FIXED(report_bits(y), 4),
                    FIXED(report_bits(curve_at(curve, x)), 4));
            report_point_close(p);
            report_tag_add(p, report_bits(x), report_bits(y), i);
        }
        report_series_close(r->file);
    }
}

static void panel(const report *r, const report_input *input, const ip_node *curve) {
    const ip_node *points = ip_node_get(curve, "points");
    double order = report_number(curve, "order"), top = report_number(curve, "I_XY");
    if (!(order >= 1.0 && order <= IP_MAX_ORDERS)) return;
    report_panel p = {.x = {.title = "I(X;Z), bits"}, .y = {.title = "I(Y;Z), bits"}};
    report_range x = report_range_empty(), y = report_range_empty();
    for (size_t i = 0; i < ip_node_count(points); i++) {
        report_range_add(&x, report_bits(report_number(ip_node_at(points, i), "I_X")));
        report_range_add(&y, report_bits(report_number(ip_node_at(points, i), "I_Y")));
    }
    if (!report_axis_fit(&p.x, x, true, 7) || !report_axis_fit(&p.y, y, true, 6)) return;
    char title[96];
    snprintf(title, sizeof title, "Order %u (%s): I(X;Y) = %s bits", (unsigned)order,
             report_order_name((unsigned)order), FIXED(report_bits(top), 2));
    report_panel_open(&p, r->file, title, "Curve of the information bottleneck");
    double end = p.x.high < p.y.high ? p.x.high : p.y.high;
    report_line(&p, "diagonal", (double[]){0.0, end}, (double[]){0.0, end}, 2);
    draw_hull(&p, curve);
    fputs("<g class=\"accent\">\n", r->file);
    for (size_t i = 0; i < ip_node_count(points); i++) {
        const ip_node *point = ip_node_at(points, i);
        if (!report_point_open(&p, "d", NULL, report_bits(report_number(point, "I_X")),
                               report_bits(report_number(point, "I_Y"))))
            continue;
        say_point(r, point);
        report_point_close(&p);
    }
    fputs("</g>\n", r->file);
    draw_means(r, input, &p, (unsigned)order, curve);
    report_panel_close(&p);
}

/* ---- tables ---- */

static void solutions(const report *r) {
    static const char *const heads[] = {"order",      "beta",       "I(X;Z)",    "I(Y;Z)",
                                        "upper side", "functional", "tolerance", "spread"};
    static const char *const keys[] = {"I_X", "I_Y", "upper", "functional", "tolerance", "spread"};
    report_table_open(r, "solutions found, bits");
    fputs("<thead><tr>", r->file);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = r->runs; i < r->count; i++) {
        for (size_t c = 0; r->inputs[i].kind == REPORT_BOUND && c < ip_node_count(curves(&r->inputs[i])); c++) {
            const ip_node *curve = ip_node_at(curves(&r->inputs[i]), c), *points = ip_node_get(curve, "points");
            for (size_t k = 0; k < ip_node_count(points); k++) {
                const ip_node *point = ip_node_at(points, k);
                fputs("<tr>", r->file);
                report_cell_number(r, report_number(curve, "order"), 0);
                report_cell_number(r, report_number(point, "beta"), 3);
                for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
                    report_cell_nats(r, report_number(point, keys[j]));
                fputs("</tr>\n", r->file);
            }
        }
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

static void gap_rows(const report *r, const report_input *input, const ip_node *curve) {
    double order = report_number(curve, "order");
    for (size_t i = 0; i < r->runs && order >= 1.0 && order <= IP_MAX_ORDERS; i++) {
        ip_layer_result mean;
        double optimality[IP_MAX_ORDERS];
        unsigned k = (unsigned)order - 1;
        if (!belongs(r, input, i) || k >= r->inputs[i].run->orders) continue;
        report_mean(r, i, &mean, optimality);
        double best = curve_at(curve, mean.x[k].I);
        fprintf(r->file, "<tr class=\"s%zu\">", i);
        report_cell_run(r, i);
        report_cell_number(r, order, 0);
        report_cell_nats(r, mean.x[k].I);
        report_cell_nats(r, mean.y[k].I);
        report_cell_nats(r, best);
        report_cell_nats(r, best - mean.y[k].I);
        report_cell_number(r, best > 0.0 ? mean.y[k].I / best : NAN, 4);
        fputs("</tr>\n", r->file);
    }
}

static void gaps(const report *r) {
    static const char *const heads[] = {"run", "order", "complexity", "expressivity", "curve there", "gap", "ratio"};
    report_table_open(r, "how far the means of the runs stay below the curve, bits");
    fputs("<thead><tr>", r->file);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = r->runs; i < r->count; i++)
        for (size_t c = 0; r->inputs[i].kind == REPORT_BOUND && c < ip_node_count(curves(&r->inputs[i])); c++)
            gap_rows(r, &r->inputs[i], ip_node_at(curves(&r->inputs[i]), c));
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

void report_bound(const report *r) {
    size_t count = 0;
    for (size_t i = r->runs; i < r->count; i++)
        if (r->inputs[i].kind == REPORT_BOUND) count += ip_node_count(curves(&r->inputs[i]));
    report_figure_open(
        r, "bound", "The bound: the most that could be told of what follows",
        "The curve is the most that as many codewords as there are anchors could tell of the output n-gram "
        "while keeping so much of the input n-gram and nothing else; the dots are the solutions behind it. "
        "A state that also holds wider context may lie above.");
    report_panels_open(r, count == 1 ? 1 : count == 3 ? 3 : 2);
    for (size_t i = r->runs; i < r->count; i++)
        for (size_t c = 0; r->inputs[i].kind == REPORT_BOUND && c < ip_node_count(curves(&r->inputs[i])); c++)
            panel(r, &r->inputs[i], ip_node_at(curves(&r->inputs[i]), c));
    report_panels_close(r);
    report_figure_limit(
        r, "It is the best curve found, a lower bound of the true one: a run on or above it is a finding or a "
           "failed search. On a small text the curve of order 2 and above is nearly the diagonal, because most n-grams "
           "occur once, and then distance from it means little. A curve is drawn for runs over the same "
           "tokens, orders and labels only.");
    if (r->runs > 0) gaps(r);
    solutions(r);
    report_figure_close(r);
}

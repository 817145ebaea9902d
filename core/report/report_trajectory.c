/* A trajectory: the path through the information plane coloured by step, complexity and expressivity over the steps with
 * the peak, and the loss beside them. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

bool report_has_trajectory(const report *r) { return report_has(r, REPORT_TRAJECTORY); }

typedef struct voyage {
    const report *r;
    const report_input *input;
    const ip_node *stops;
    size_t count;
    bool steps; /* every checkpoint has one; else its number in the list stands for it */
} voyage;

static const ip_node *stop(const voyage *v, size_t i) { return ip_node_at(v->stops, i); }

static double step_of(const voyage *v, size_t i) { return v->steps ? report_number(stop(v, i), "step") : (double)i; }

/* Of the mean over layers, bits. */
static double figure(const voyage *v, size_t i, const char *side, unsigned order, const char *key) {
    const ip_node *mean = ip_node_get(stop(v, i), "mean");
    return report_bits(report_number(ip_node_at(ip_node_get(mean, side), order), key));
}

static double loss_of(const voyage *v, size_t i) { return report_bits(report_number(stop(v, i), "loss")); }

static void say_stop(const voyage *v, size_t i) {
    const char *name = "";
    ip_node_text(ip_node_get(stop(v, i), "name"), &name);
    report_escape(v->r->file, name);
    if (v->steps) fprintf(v->r->file, "\nstep %s", FIXED(step_of(v, i), 0));
}

/* 16 colours stand for all steps. */
static size_t colour_of(const voyage *v, size_t i) { return v->count > 1 ? i * 15 / (v->count - 1) : 0; }

static void path(const voyage *v, unsigned order) {
    report_panel p = {.x = {.title = "complexity I(X;Z), bits"}, .y = {.title = "expressivity I(Y;Z), bits"}};
    report_range x = report_range_empty(), y = report_range_empty();
    for (size_t i = 0; i < v->count; i++) {
        report_range_add(&x, figure(v, i, "X", order, "I"));
        report_range_add(&y, figure(v, i, "Y", order, "I"));
    }
    if (!report_axis_fit(&p.x, x, true, 6) || !report_axis_fit(&p.y, y, true, 6)) return;
    char title[64];
    snprintf(title, sizeof title, "Order %u: the path, dark to bright", order + 1);
    report_panel_open(&p, v->r->file, title, "Path of the checkpoints through the information plane");
    double end = p.x.high < p.y.high ? p.x.high : p.y.high;
    report_line(&p, "diagonal", (double[]){0.0, end}, (double[]){0.0, end}, 2);
    for (size_t i = 0; i < v->count; i++) {
        double xs[2], ys[2];
        for (size_t j = 0; j < 2; j++) {
            size_t at = i + 1 < v->count ? i + j : i;
            xs[j] = figure(v, at, "X", order, "I");
            ys[j] = figure(v, at, "Y", order, "I");
        }
        fprintf(v->r->file, "<g class=\"r%zu\">", colour_of(v, i));
        report_line(&p, "l thin", xs, ys, 2);
        if (report_point_open(&p, "m", report_mark(0, 1), xs[0], ys[0])) {
            say_stop(v, i);
            fprintf(v->r->file, "\ncomplexity %s bits\nexpressivity %s bits\nloss %s bits per token", FIXED(xs[0], 4),
                    FIXED(ys[0], 4), FIXED(loss_of(v, i), 4));
            report_point_close(&p);
        }
        fputs("</g>\n", v->r->file);
    }
    report_panel_close(&p);
}

/* One quantity over the steps, checkpoint by checkpoint. */
static void curve(const voyage *v, report_panel *p, const char *class, const char *side, unsigned order,
                  const char *what) {
    fprintf(v->r->file, "<g class=\"%s\">\n", class);
    for (size_t i = 0; i < v->count; i++) {
        bool last = i + 1 == v->count;
        size_t next = last ? i : i + 1;
        double x[2] = {step_of(v, i), step_of(v, next)}, y[2], low[2], high[2];
        for (size_t j = 0; j < 2; j++) {
            size_t at = j == 0 ? i : next;
            y[j] = side ? figure(v, at, side, order, "I") : loss_of(v, at);
            low[j] = side ? figure(v, at, side, order, "low") : NAN;
            high[j] = side ? figure(v, at, side, order, "high") : NAN;
        }
        if (!last) report_band(p, x, low, high, 2);
        if (!last) report_line(p, "l", x, y, 2);
        if (!report_point_open(p, "d", NULL, x[0], y[0])) continue;
        say_stop(v, i);
        fprintf(v->r->file, "\n%s %s bits", what, FIXED(y[0], 4));
        if (isfinite(low[0])) fprintf(v->r->file, "\n95 %% interval %s to %s", FIXED(low[0], 4), FIXED(high[0], 4));
        report_point_close(p);
    }
    fputs("</g>\n", v->r->file);
}

static bool step_axis(const voyage *v, report_panel *p) {
    report_range range = report_range_empty();
    for (size_t i = 0; i < v->count; i++) report_range_add(&range, step_of(v, i));
    p->x.scale = v->steps ? REPORT_LOG1P : REPORT_LINEAR;
    p->x.whole = !v->steps;
    p->x.title = v->steps ? "step (logarithmic)" : "checkpoint, in order";
    return report_axis_fit(&p->x, range, false, 8);
}

/* A vertical line at a checkpoint, with a word beside it. */
static void flag(const voyage *v, const report_panel *p, double checkpoint, const char *word) {
    if (!(checkpoint >= 0.0 && checkpoint < (double)v->count)) return;
    double at = step_of(v, (size_t)checkpoint), x = report_axis_at(&p->x, at);
    bool left = x > 350.0;
    report_line(p, "flag", (double[]){at, at}, (double[]){p->y.low, p->y.high}, 2);
    fprintf(p->file, "<text class=\"%s\" x=\"%s\" y=\"64\">%s</text>\n", left ? "ae" : "aw",
            PLACE(left ? x - 5.0 : x + 5.0), word);
}

static const ip_node *phases(const voyage *v, unsigned order) {
    const ip_node *rows = ip_node_get(ip_node_get(v->input->node, "phases"), "mean_and_layers");
    return ip_node_at(ip_node_at(rows, 0), order);
}

static void over_steps(const voyage *v, unsigned order) {
    report_panel p = {.y = {.title = "bits"}};
    report_range y = report_range_empty();
    static const char *const keys[] = {"I", "low", "high"};
    for (size_t i = 0; i < v->count; i++)
        for (unsigned k = 0; k < 3; k++) {
            report_range_add(&y, figure(v, i, "X", order, keys[k]));
            report_range_add(&y, figure(v, i, "Y", order, keys[k]));
        }
    if (!step_axis(v, &p) || !report_axis_fit(&p.y, y, true, 6)) return;
    char title[64];
    snprintf(title, sizeof title, "Order %u: complexity, expressivity", order + 1);
    report_panel_open(&p, v->r->file, title, "Complexity and expressivity over the training steps");
    flag(v, &p, report_number(phases(v, order), "peak"), "peak complexity");
    curve(v, &p, "f0", "X", order, "complexity");
    curve(v, &p, "f1", "Y", order, "expressivity");
    report_panel_close(&p);
}

static void losses(const voyage *v) {
    report_panel p = {.y = {.title = "bits per token"}};
    report_range y = report_range_empty();
    for (size_t i = 0; i < v->count; i++) report_range_add(&y, loss_of(v, i));
    if (!step_axis(v, &p) || !report_axis_fit(&p.y, y, true, 6)) return;
    report_panel_open(&p, v->r->file, "Loss", "Loss over the training steps");
    const ip_node *levelled = ip_node_get(ip_node_get(v->input->node, "phases"), "loss_levelled");
    double checkpoint = report_number(levelled, "checkpoint");
    if (checkpoint + 1.0 < (double)v->count) flag(v, &p, checkpoint, "levelled off");
    curve(v, &p, "f2", NULL, 0, "loss");
    report_panel_close(&p);
}

static void verdict(const voyage *v, unsigned order) {
    const ip_node *p = phases(v, order), *fall = ip_node_get(p, "fall");
    const char *text = NULL;
    if (!ip_node_text(ip_node_get(p, "verdict"), &text)) return;
    fprintf(v->r->file, "<p class=\"see\"><b>Order %u: ", order + 1);
    report_escape(v->r->file, text);
    fprintf(v->r->file, ".</b> From its peak to the last checkpoint complexity falls by %s bits",
            FIXED(report_bits(report_number(fall, "difference")), 4));
    if (isfinite(report_number(fall, "low")))
        fprintf(v->r->file, " (95 %% interval %s to %s)", FIXED(report_bits(report_number(fall, "low")), 4),
                FIXED(report_bits(report_number(fall, "high")), 4));
    fprintf(v->r->file, "; expressivity changes by %s bits.</p>\n",
            FIXED(report_bits(report_number(ip_node_get(p, "expressivity_change"), "difference")), 4));
}

static void table(const voyage *v, unsigned orders) {
    static const char *const heads[] = {"checkpoint", "step", "order",        "loss", "complexity",
                                        "low",        "high", "expressivity", "low",  "high"};
    report_table_open(v->r, "checkpoints, means over the layers, bits");
    fputs("<thead><tr>", v->r->file);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(v->r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", v->r->file);
    for (size_t i = 0; i < v->count; i++) {
        for (unsigned k = 0; k < orders; k++) {
            const char *name = "";
            ip_node_text(ip_node_get(stop(v, i), "name"), &name);
            fputs("<tr><th scope=\"row\"><bdi>", v->r->file);
            report_escape(v->r->file, name);
            fputs("</bdi></th>", v->r->file);
            report_cell_number(v->r, report_number(stop(v, i), "step"), 0);
            report_cell_whole(v->r, k + 1);
            report_cell_nats(v->r, report_number(stop(v, i), "loss"));
            const ip_node *mean = ip_node_get(stop(v, i), "mean");
            for (unsigned side = 0; side < 2; side++) {
                const ip_node *e = ip_node_at(ip_node_get(mean, side == 0 ? "X" : "Y"), k);
                report_cell_nats(v->r, report_number(e, "I"));
                report_cell_nats(v->r, report_number(e, "low"));
                report_cell_nats(v->r, report_number(e, "high"));
            }
            fputs("</tr>\n", v->r->file);
        }
    }
    fputs("</tbody>\n", v->r->file);
    report_table_close(v->r);
}

static void one_voyage(const report *r, const report_input *input) {
    voyage v = {.r = r, .input = input, .stops = ip_node_get(input->node, "checkpoints"), .steps = true};
    v.count = ip_node_count(v.stops);
    for (size_t i = 0; i < v.count; i++) v.steps = v.steps && report_number(stop(&v, i), "step") >= 0.0;
    size_t orders = ip_node_count(ip_node_get(ip_node_get(stop(&v, 0), "mean"), "X"));
    if (orders > IP_MAX_ORDERS) orders = IP_MAX_ORDERS;
    if (orders == 0) return;
    verdict(&v, 0);
    report_panels_open(r, 3);
    path(&v, 0);
    over_steps(&v, 0);
    losses(&v);
    report_panels_close(r);
    report_colour_key(r, (const char *[]){"complexity", "expressivity", "loss"}, 3, false);
    if (orders > 1) {
        fputs("<details class=\"more\"><summary>The other orders</summary>\n", r->file);
        for (unsigned k = 1; k < orders; k++) verdict(&v, k);
        report_panels_open(r, 2);
        for (unsigned k = 1; k < orders; k++) {
            path(&v, k);
            over_steps(&v, k);
        }
        report_panels_close(r);
        fputs("</details>\n", r->file);
    }
    table(&v, (unsigned)orders);
}

void report_trajectory(const report *r) {
    report_figure_open(
        r, "trajectory", "Over training",
        "Theory expects two phases: complexity and expressivity rise together while the model fits, then "
        "complexity falls while expressivity holds. The path turns left where that happens.");
    for (size_t i = r->runs; i < r->count; i++)
        if (r->inputs[i].kind == REPORT_TRAJECTORY) one_voyage(r, &r->inputs[i]);
    report_figure_limit(
        r, "One training run is one path; another seed or recipe may take another. A fall that stands beyond "
           "chance on this text is not yet compression where expressivity falls as well.");
    report_figure_close(r);
}

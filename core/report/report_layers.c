/* Curves over the layers, all runs overlaid. A figure is a row of `figures`: its words, and the quantities that its panels
 * show, one panel each, or one per order. */
#include <math.h>
#include <string.h>

#include "core/numbers/jackknife.h"
#include "core/report/report.h"

/* A quantity at a layer, part by part: nats, or a ratio; NaN is not there. */
enum { AT, NULL_AT, CORRECTED, LOW, HIGH, BOOT_LOW, BOOT_HIGH, PARTS };
typedef struct value {
    double part[PARTS];
} value;

static const char *const part_names[PARTS] = {"",     "null",          "corrected",     "low",
                                              "high", "bootstrap low", "bootstrap high"};

static value figure_alone(double at) { return (value){{at, NAN, NAN, NAN, NAN, NAN, NAN}}; }

/* A figure that has an interval only through what each document group left out gives: row a, or row b over row a. */
static value from_groups(const ip_run *run, size_t layer, double at, unsigned a, int b) {
    value v = figure_alone(at);
    double without[IP_MAX_GROUPS];
    if (!run->without || !isfinite(at)) return v;
    const double *rows = run->without + layer * ip_run_quantities(run) * run->groups;
    for (unsigned g = 0; g < run->groups; g++) {
        double below = rows[a * run->groups + g];
        without[g] = b < 0 ? below : rows[(unsigned)b * run->groups + g] / below;
    }
    ip_interval i = ip_jackknife(at, without, run->groups);
    v.part[LOW] = i.low;
    v.part[HIGH] = i.high;
    return v;
}

static value from_estimate(const ip_estimate *e) {
    return (value){{e->I, e->null, e->corrected, e->low, e->high, e->boot_low, e->boot_high}};
}

static value entropy_of(const ip_run *run, size_t layer, unsigned order) {
    (void)order;
    return from_groups(run, layer, run->layer[layer].H, 0, -1);
}

static value context_of(const ip_run *run, size_t layer, unsigned order) {
    (void)order;
    return from_groups(run, layer, run->layer[layer].context, 1, -1);
}

static value complexity_of(const ip_run *run, size_t layer, unsigned order) {
    return order < run->orders ? from_estimate(&run->layer[layer].x[order]) : figure_alone(NAN);
}

static value expressivity_of(const ip_run *run, size_t layer, unsigned order) {
    return order < run->orders ? from_estimate(&run->layer[layer].y[order]) : figure_alone(NAN);
}

static value optimality_of(const ip_run *run, size_t layer, unsigned order) {
    if (order >= run->orders) return figure_alone(NAN);
    double x = run->layer[layer].x[order].I, y = run->layer[layer].y[order].I;
    return from_groups(run, layer, x != 0.0 ? y / x : NAN, 2 + order, (int)(2 + run->orders + order));
}

static value lens_of(const ip_run *run, size_t layer, unsigned order) {
    (void)order;
    return figure_alone(run->has_lens ? run->layer[layer].lens : NAN);
}

static value lens_entropy_of(const ip_run *run, size_t layer, unsigned order) {
    (void)order;
    return figure_alone(run->has_lens ? run->layer[layer].lens_entropy : NAN);
}

/* ---- the figures ---- */

typedef enum unit { RATIO, BITS_PER_TOKEN, BITS } unit; /* BITS alone can be a share of log2 of the bins */

typedef struct quantity {
    const char *symbol, *axis;
    unit unit;
    value (*of)(const ip_run *run, size_t layer, unsigned order);
    const char *title; /* of its panel; NULL: a panel for each order */
} quantity;

enum { QUANTITIES = 2 };

typedef struct figure {
    const char *id, *title, *see;
    quantity shown[QUANTITIES]; /* the second may be empty */
    const char *limit, *caption;
} figure;

enum { COMPLEXITY, EXPRESSIVITY, OPTIMALITY, ENTROPY, LENS };

static const figure figures[] = {
    [COMPLEXITY] = {"complexity",
                    "Complexity by layer: what the states keep of the input",
                    "I(X;Z) is the information that a state holds about the n-gram that ends at its position. At the "
                    "embedding it equals I(C;Z); a curve that falls with depth is a model that forgets what it read.",
                    {{"I(X;Z)", "bits", BITS, complexity_of, NULL}},
                    "Rare n-grams look like information: at order 2 and above most occur once, and the dashed null "
                    "shows how much the same labels carry at positions drawn by chance. A small text makes both large.",
                    "I(X;Z) by layer, bits"},
    [EXPRESSIVITY] = {"expressivity",
                      "Expressivity by layer: what the states tell of what follows",
                      "I(Y;Z) is the information that a state holds about the n-gram that starts one position on. It "
                      "usually rises towards the last layers, where the model makes ready to predict.",
                      {{"I(Y;Z)", "bits", BITS, expressivity_of, NULL}},
                      "It is measured by soft assignment to a few anchors, not by the model’s own head: it is not the "
                      "loss, and a lower figure need not mean worse predictions. Rare n-grams raise it as they raise "
                      "I(X;Z).",
                      "I(Y;Z) by layer, bits"},
    [OPTIMALITY] = {"optimality",
                    "Optimality by layer: expressivity per complexity",
                    "The ratio I(Y;Z)/I(X;Z): 1 means that a state keeps of its input only what tells of the output. "
                    "Single layers, above all the last, may exceed 1.",
                    {{"I(Y;Z)/I(X;Z)", "I(Y;Z) / I(X;Z)", RATIO, optimality_of, NULL}},
                    "At order 2 and above rare n-grams push both parts of the ratio towards I(C;Z), and so the ratio "
                    "towards 1, whatever the model does. Order 1 is the one to read.",
                    "I(Y;Z)/I(X;Z) by layer"},
    [ENTROPY] = {"entropy",
                 "How much the states vary: H(Z) and context information",
                 "H(Z) is how evenly the states spread over the anchors; context information I(C;Z) is the part that "
                 "differs from position to position, the most that any label can explain.",
                 {{"H(Z)", "bits", BITS, entropy_of, "Entropy H(Z)"},
                  {"I(C;Z)", "bits", BITS, context_of, "Context information I(C;Z)"}},
                 "Both depend on the number of anchors and on the temperature of the assignment, and H(Z) can be "
                 "no larger than log2 of the number of anchors. They are not the entropy of the text.",
                 "H(Z) and I(C;Z) by layer, bits"},
    [LENS] = {"lens",
              "Logit lens: what each layer would predict",
              "The final norm and the head are applied to the states of every layer, as if the model ended there. The "
              "loss says how well the next token is predicted; the entropy, how undecided the prediction is. At the "
              "last layer the loss is the model’s own.",
              {{"loss", "bits per token", BITS_PER_TOKEN, lens_of, "Loss of the prediction"},
               {"entropy", "bits per token", BITS_PER_TOKEN, lens_entropy_of, "Entropy of the prediction"}},
              "The head was trained for the last layer only: a large loss further down need not mean that the state "
              "lacks what the next token needs. A loss above the entropy is a prediction surer than it is right. "
              "Models with different tokenizers do not compare.",
              "logit lens by layer, bits per token"},
};

static bool by_order(const figure *f) { return f->shown[0].title == NULL; }
static unsigned orders_of(const report *r, const figure *f) { return by_order(f) ? r->orders : 1; }
static double in_units(const quantity *q, double x) { return q->unit == RATIO ? x : report_bits(x); }

/* Whether any run has that part of what the figure shows. */
static bool any(const report *r, const figure *f, unsigned part) {
    for (size_t i = 0; i < r->runs; i++)
        for (size_t l = 0; l <= r->inputs[i].run->layers; l++)
            for (unsigned q = 0; q < QUANTITIES && f->shown[q].of; q++)
                if (isfinite(f->shown[q].of(r->inputs[i].run, l, 0).part[part])) return true;
    return false;
}

/* ---- drawings ---- */

static double depth(const report *r, const ip_run *run, size_t layer) {
    return r->same_depth || run->layers == 0 ? (double)layer : (double)layer / (double)run->layers;
}

static void say_interval(const report *r, const quantity *q, const char *what, double low, double high) {
    if (isfinite(low)) fprintf(r->file, "\n%s %s to %s", what, FIXED(in_units(q, low), 4), FIXED(in_units(q, high), 4));
}

static void say_point(const report *r, const quantity *q, size_t i, size_t layer, const value *v) {
    double at = in_units(q, v->part[AT]);
    fprintf(r->file, "%zu %s\nlayer %zu%s\n%s = %s", i + 1, r->inputs[i].name, layer, layer == 0 ? " (embedding)" : "",
            q->symbol, FIXED(at, 4));
    if (q->unit != RATIO) fputs(" bits", r->file);
    if (q->unit == BITS && isfinite(r->log_bins))
        fprintf(r->file, " (efficiency %s)", FIXED(at / report_bits(r->log_bins), 4));
    say_interval(r, q, "95 % interval", v->part[LOW], v->part[HIGH]);
    say_interval(r, q, "bootstrap, 95 % interval", v->part[BOOT_LOW], v->part[BOOT_HIGH]);
    if (isfinite(v->part[NULL_AT])) fprintf(r->file, "\nnull %s", FIXED(in_units(q, v->part[NULL_AT]), 4));
}

static void draw_run(const report *r, const quantity *q, report_panel *p, size_t i, unsigned order) {
    const ip_run *run = r->inputs[i].run;
    size_t n = (size_t)run->layers + 1;
    double *x = r->room, *lines[PARTS];
    for (unsigned part = 0; part < PARTS; part++) lines[part] = x + (part + 1) * n;
    for (size_t l = 0; l < n; l++) {
        value v = q->of(run, l, order);
        x[l] = depth(r, run, l);
        for (unsigned part = 0; part < PARTS; part++) lines[part][l] = in_units(q, v.part[part]);
    }
    report_series_open(p->file, i);
    report_band(p, x, lines[LOW], lines[HIGH], n);
    report_line(p, "o", x, lines[BOOT_LOW], n);
    report_line(p, "o", x, lines[BOOT_HIGH], n);
    report_line(p, "n", x, lines[NULL_AT], n);
    report_line(p, "l", x, lines[AT], n);
    for (size_t l = 0; l < n; l++) {
        value v = q->of(run, l, order);
        if (!report_point_open(p, "d", NULL, x[l], lines[AT][l])) continue;
        say_point(r, q, i, l, &v);
        report_point_close(p);
    }
    report_series_close(p->file);
    report_tag_add(p, x[n - 1], lines[AT][n - 1], i);
}

/* The range of all panels of a figure, so that they can be read against each other. */
static report_range range_of(const report *r, const figure *f) {
    report_range range = report_range_empty();
    for (size_t i = 0; i < r->runs; i++)
        for (size_t l = 0; l <= r->inputs[i].run->layers; l++)
            for (unsigned q = 0; q < QUANTITIES && f->shown[q].of; q++)
                for (unsigned k = 0; k < orders_of(r, f); k++) {
                    value v = f->shown[q].of(r->inputs[i].run, l, k);
                    for (unsigned part = 0; part < PARTS; part++)
                        if (part != CORRECTED) report_range_add(&range, in_units(&f->shown[q], v.part[part]));
                }
    return range;
}

static void panel(const report *r, const quantity *q, unsigned order, report_range range) {
    report_panel p = {.x = {.title = r->same_depth ? "layer (0: embedding)" : "depth: layer / number of layers",
                            .whole = r->same_depth},
                      .y = {.title = q->axis}};
    report_range across = {0.0, r->same_depth ? (double)r->layers : 1.0};
    if (!report_axis_fit(&p.y, range, q->unit != RATIO, 6) || !report_axis_fit(&p.x, across, false, 8)) return;
    char title[64], label[160];
    snprintf(title, sizeof title, "Order %u: %s", order + 1, report_order_name(order + 1));
    snprintf(label, sizeof label, "%s of %s over the layers", q->symbol, q->title ? q->title : title);
    report_panel_open(&p, r->file, q->title ? q->title : title, label);
    for (size_t i = 0; i < r->runs; i++) draw_run(r, q, &p, i, order);
    report_panel_close(&p);
}

/* ---- tables ---- */

/* Parts that the table has of each value; the bootstrap's only where a run has it. */
static unsigned parts_in_table(const report *r, const figure *f) {
    return !by_order(f) || f->shown[0].unit == RATIO ? 1 : any(r, f, BOOT_LOW) ? PARTS : BOOT_LOW;
}

static void heads(const report *r, const figure *f, unsigned parts) {
    char text[64];
    report_head_cell(r, "run");
    report_head_cell(r, "layer");
    for (unsigned q = 0; q < QUANTITIES && f->shown[q].of; q++)
        for (unsigned k = 0; k < orders_of(r, f); k++) {
            snprintf(text, sizeof text, "%s order %u", f->shown[q].symbol, k + 1);
            report_head_cell(r, by_order(f) ? text : f->shown[q].symbol);
            for (unsigned part = 1; part < parts; part++) report_head_cell(r, part_names[part]);
        }
}

static void cells(const report *r, const figure *f, unsigned parts, const ip_run *run, size_t layer) {
    for (unsigned q = 0; q < QUANTITIES && f->shown[q].of; q++)
        for (unsigned k = 0; k < orders_of(r, f); k++) {
            value v = f->shown[q].of(run, layer, k);
            for (unsigned part = 0; part < parts; part++) {
                if (f->shown[q].unit == RATIO) {
                    report_cell_number(r, v.part[part], 4);
                } else {
                    report_cell_nats(r, v.part[part]);
                }
            }
        }
}

static void table(const report *r, const figure *f) {
    unsigned parts = parts_in_table(r, f);
    report_table_open(r, f->caption);
    fputs("<thead><tr>", r->file);
    heads(r, f, parts);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < r->runs; i++) {
        for (size_t l = 0; l <= r->inputs[i].run->layers; l++) {
            fprintf(r->file, "<tr class=\"s%zu\">", i);
            report_cell_run(r, i);
            report_cell_whole(r, l);
            cells(r, f, parts, r->inputs[i].run, l);
            fputs("</tr>\n", r->file);
        }
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

static void draw(const report *r, const figure *f) {
    unsigned orders = orders_of(r, f);
    report_range range = range_of(r, f);
    report_figure_open(r, f->id, f->title, f->see);
    report_legend(r);
    report_panels_open(r, !by_order(f) ? 2 : orders == 1 ? 1 : orders == 3 ? 3 : 2);
    for (unsigned q = 0; q < QUANTITIES && f->shown[q].of; q++)
        for (unsigned k = 0; k < orders; k++) panel(r, &f->shown[q], k, range);
    report_panels_close(r);
    report_line_key(r, (any(r, f, LOW) ? REPORT_KEY_BAND : 0u) | (any(r, f, BOOT_LOW) ? REPORT_KEY_BOOTSTRAP : 0u) |
                           (any(r, f, NULL_AT) ? REPORT_KEY_NULL : 0u));
    report_figure_limit(r, f->limit);
    table(r, f);
    report_figure_close(r);
}

void report_complexity(const report *r) { draw(r, &figures[COMPLEXITY]); }
void report_expressivity(const report *r) { draw(r, &figures[EXPRESSIVITY]); }
void report_optimality(const report *r) { draw(r, &figures[OPTIMALITY]); }
void report_entropies(const report *r) { draw(r, &figures[ENTROPY]); }

bool report_has_lens(const report *r) { return any(r, &figures[LENS], AT); }
void report_lens(const report *r) { draw(r, &figures[LENS]); }

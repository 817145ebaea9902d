/* What was measured against how models score: for each measure a scatter with the line of least squares, first against
 * the mean of the tasks, the single tasks behind a click; the correlations as a table. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

bool report_has_scatter(const report *r) { return report_has(r, REPORT_CORRELATE); }

typedef struct cloud {
    const report *r;
    const ip_node *models, *entry; /* one measure, one task */
    const char *measure, *task;
    double unit; /* of the measure: nats of runs are shown in bits */
    const char *family[REPORT_DISTINCT];
    size_t families;
} cloud;

static const char *text_of(const ip_node *node, const char *key) {
    const char *text = "";
    ip_node_text(ip_node_get(node, key), &text);
    return text;
}

static bool values_of(const cloud *c, size_t i, double *x, double *y) {
    const ip_node *model = ip_node_at(c->models, i);
    *x = report_number(ip_node_get(model, "measures"), c->measure) / c->unit;
    *y = report_number(ip_node_get(model, "scores"), c->task);
    return isfinite(*x) && isfinite(*y);
}

enum { COUNTED = 256 }; /* families beyond are not counted: they are too small to have a colour */

/* The families with most models, the earlier one first among equals; the others share the last colour. */
static void name_families(cloud *c) {
    const char *names[COUNTED];
    size_t models[COUNTED] = {0}, count = 0;
    for (size_t i = 0; i < ip_node_count(c->models); i++) {
        const char *name = text_of(ip_node_at(c->models, i), "family");
        size_t f = 0;
        while (f < count && strcmp(names[f], name) != 0) f++;
        if (f == COUNTED) continue;
        if (f == count) names[count++] = name;
        models[f]++;
    }
    while (c->families < count && c->families < REPORT_DISTINCT - 1) {
        size_t most = 0;
        for (size_t f = 1; f < count; f++)
            if (models[f] > models[most]) most = f;
        c->family[c->families++] = names[most];
        models[most] = 0;
    }
}

static size_t family_of(const cloud *c, size_t i) {
    const char *name = text_of(ip_node_at(c->models, i), "family");
    size_t f = 0;
    while (f < c->families && strcmp(c->family[f], name) != 0) f++;
    return f;
}

/* The line y = a + b x of least squares between the ends of the axis. */
static void draw_fit(const cloud *c, const report_panel *p) {
    double n = 0.0, mean_x = 0.0, mean_y = 0.0, xx = 0.0, xy = 0.0, x, y;
    for (size_t i = 0; i < ip_node_count(c->models); i++) {
        if (!values_of(c, i, &x, &y)) continue;
        n += 1.0;
        mean_x += (x - mean_x) / n;
        mean_y += (y - mean_y) / n;
    }
    for (size_t i = 0; i < ip_node_count(c->models); i++) {
        if (!values_of(c, i, &x, &y)) continue;
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y - mean_y);
    }
    if (n < 3.0 || !(xx > 0.0)) return;
    double slope = xy / xx, from = p->x.low, to = p->x.high;
    if (slope != 0.0) {
        /* Only what lies inside the panel. */
        double at_low = mean_x + (p->y.low - mean_y) / slope, at_high = mean_x + (p->y.high - mean_y) / slope;
        double first = slope > 0.0 ? at_low : at_high, last = slope > 0.0 ? at_high : at_low;
        if (first > from) from = first;
        if (last < to) to = last;
    }
    report_line(p, "fit", (double[]){from, to},
                (double[]){mean_y + slope * (from - mean_x), mean_y + slope * (to - mean_x)}, 2);
}

static void draw_models(const cloud *c, report_panel *p) {
    for (size_t i = 0; i < ip_node_count(c->models); i++) {
        double x, y;
        if (!values_of(c, i, &x, &y)) continue;
        const ip_node *model = ip_node_at(c->models, i);
        size_t family = family_of(c, i);
        fprintf(p->file, "<g class=\"f%zu\">", family);
        report_point_open(p, "m", report_mark(family, REPORT_DISTINCT), x, y);
        report_escape(p->file, text_of(model, "name"));
        fprintf(p->file, "\n%s %s\n", c->measure, FIXED(x, 4));
        report_escape(p->file, c->task);
        fprintf(p->file, " %s", FIXED(y, 2));
        double parameters = report_number(model, "parameters");
        if (isfinite(parameters)) fprintf(p->file, "\n%s M parameters", FIXED(parameters / 1e6, 0));
        report_point_close(p);
        fputs("</g>\n", p->file);
    }
}

static void draw(const cloud *c) {
    report_range across = report_range_empty(), up = report_range_empty();
    for (size_t i = 0; i < ip_node_count(c->models); i++) {
        double x, y;
        if (!values_of(c, i, &x, &y)) continue;
        report_range_add(&across, x);
        report_range_add(&up, y);
    }
    report_range_pad(&across);
    report_range_pad(&up);
    report_short task, measure;
    char title[sizeof task + 64], axis[sizeof measure + 8], label[sizeof task + sizeof measure + 64];
    report_shorten(c->task, 24, &task);
    report_shorten(c->measure, 24, &measure);
    snprintf(axis, sizeof axis, "%s%s", measure.text, c->unit != 1.0 ? ", bits" : "");
    snprintf(title, sizeof title, "%s: r = %s, Spearman %s",
             strcmp(c->task, "mean") == 0 ? "Mean of the tasks" : task.text,
             FIXED(report_number(ip_node_get(c->entry, "pearson"), "r"), 2),
             FIXED(report_number(ip_node_get(c->entry, "spearman"), "r"), 2));
    snprintf(label, sizeof label, "Score on %s against %s of each model", task.text, measure.text);
    report_panel p = {.x = {.tight = true, .title = axis}, .y = {.tight = true, .title = "score"}};
    if (!report_axis_fit(&p.x, across, false, 5) || !report_axis_fit(&p.y, up, false, 6)) return;
    report_panel_open(&p, c->r->file, title, label);
    draw_fit(c, &p);
    draw_models(c, &p);
    report_panel_close(&p);
}

/* Entries of the mean of the tasks, or of the others. */
static void draw_some(cloud *c, const ip_node *entries, bool from_runs, bool mean) {
    report_panels_open(c->r, mean ? 2 : 3);
    for (size_t e = 0; e < ip_node_count(entries); e++) {
        c->entry = ip_node_at(entries, e);
        c->measure = text_of(c->entry, "measure");
        c->task = text_of(c->entry, "task");
        c->unit = from_runs && strcmp(c->measure, "optimality") != 0 ? report_nats_per_bit : 1.0;
        if ((strcmp(c->task, "mean") == 0) == mean) draw(c);
    }
    report_panels_close(c->r);
}

static void legend(const cloud *c) {
    fputs("<div class=\"legend\">", c->r->file);
    bool more = false;
    for (size_t i = 0; i < ip_node_count(c->models); i++) more = more || family_of(c, i) >= c->families;
    for (size_t f = 0; f < c->families + more; f++) {
        fprintf(c->r->file,
                "<label class=\"f%zu\"><input type=\"checkbox\" class=\"fam%zu\" checked><svg viewBox=\"-8 -8 16 16\" "
                "aria-hidden=\"true\"><path class=\"m\" d=\"%s\"/></svg><bdi>",
                f, f, report_mark(f, REPORT_DISTINCT));
        report_escape(c->r->file, f == c->families  ? "other families"
                                  : c->family[f][0] ? c->family[f]
                                                    : "no family named");
        fputs("</bdi></label>", c->r->file);
    }
    fputs("</div>\n", c->r->file);
}

/* ---- table ---- */

static void range_cells(const report *r, const ip_node *range) {
    for (size_t i = 0; i < 2; i++) {
        double x = NAN;
        ip_node_number(ip_node_at(range, i), &x);
        report_cell_number(r, x, 3);
    }
}

static void name_cell(const report *r, const char *name, const char *element) {
    fprintf(r->file, "<%s><bdi>", element);
    report_escape(r->file, name);
    fprintf(r->file, "</bdi></%.2s>", element);
}

static void correlations(const report *r, const ip_node *entries) {
    static const char *const heads[] = {"measure",
                                        "task",
                                        "models",
                                        "Pearson r",
                                        "p, permuted",
                                        "p, Benjamini–Hochberg",
                                        "bootstrap low",
                                        "high",
                                        "Spearman",
                                        "p, permuted",
                                        "r given log10 of the parameters"};
    report_table_open(r, "correlations of every measure with every task");
    fputs("<thead><tr>", r->file);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t e = 0; e < ip_node_count(entries); e++) {
        const ip_node *entry = ip_node_at(entries, e), *pearson = ip_node_get(entry, "pearson");
        const ip_node *spearman = ip_node_get(entry, "spearman"),
                      *partial = ip_node_at(ip_node_get(entry, "partial"), 0);
        fputs("<tr>", r->file);
        name_cell(r, text_of(entry, "measure"), "th scope=\"row\"");
        name_cell(r, text_of(entry, "task"), "td");
        report_cell_number(r, report_number(entry, "n"), 0);
        report_cell_number(r, report_number(pearson, "r"), 3);
        report_cell_number(r, report_number(ip_node_get(pearson, "permutation"), "p"), 4);
        report_cell_number(r, report_number(pearson, "p_bh"), 4);
        range_cells(r, ip_node_get(ip_node_get(pearson, "bootstrap"), "bca_95"));
        report_cell_number(r, report_number(spearman, "r"), 3);
        report_cell_number(r, report_number(ip_node_get(spearman, "permutation"), "p"), 4);
        report_cell_number(r, report_number(ip_node_get(partial, "pearson"), "r"), 3);
        fputs("</tr>\n", r->file);
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

/* Every name under "measures" and "scores" of the first model. */
static void model_cells(const report *r, const ip_node *entries, const ip_node *model, const char *which, bool head) {
    bool scores = strcmp(which, "scores") == 0;
    const char *first = scores ? text_of(ip_node_at(entries, 0), "measure") : text_of(ip_node_at(entries, 0), "task");
    for (size_t e = 0; e < ip_node_count(entries); e++) {
        /* Entries are measures times tasks: the tasks are those of the first measure, and the other way round. */
        const ip_node *entry = ip_node_at(entries, e);
        if (strcmp(text_of(entry, scores ? "measure" : "task"), first) != 0) continue;
        const char *name = text_of(entry, scores ? "task" : "measure");
        if (head) {
            name_cell(r, name, "th scope=\"col\"");
        } else {
            report_cell_number(r, report_number(ip_node_get(model, which), name), scores ? 2 : 4);
        }
    }
}

static void models_table(const report *r, const ip_node *models, const ip_node *entries) {
    report_table_open(r, "the models, what was measured (as it stands in correlate.json) and how they score");
    fputs("<thead><tr>", r->file);
    report_head_cell(r, "model");
    report_head_cell(r, "family");
    report_head_cell(r, "parameters");
    model_cells(r, entries, NULL, "measures", true);
    model_cells(r, entries, NULL, "scores", true);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < ip_node_count(models); i++) {
        const ip_node *model = ip_node_at(models, i);
        fputs("<tr>", r->file);
        name_cell(r, text_of(model, "name"), "th scope=\"row\"");
        name_cell(r, text_of(model, "family"), "td");
        report_cell_number(r, report_number(model, "parameters"), 0);
        model_cells(r, entries, model, "measures", false);
        model_cells(r, entries, model, "scores", false);
        fputs("</tr>\n", r->file);
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

/* A score without a run, a run without a score: named, not dropped in silence. */
static void left_out(const report *r, const ip_node *names, const char *what) {
    if (ip_node_count(names) == 0) return;
    fprintf(r->file, "<p class=\"limit\"><b>%s:</b> ", what);
    for (size_t i = 0; i < ip_node_count(names); i++) {
        const char *name = "";
        ip_node_text(ip_node_at(names, i), &name);
        if (i > 0) fputs(", ", r->file);
        report_escape(r->file, name);
    }
    fputs("</p>\n", r->file);
}

static void one_result(const report *r, const report_input *input) {
    const ip_node *entries = ip_node_get(input->node, "entries");
    const char *source = text_of(ip_node_get(input->node, "settings"), "source");
    bool from_runs = strcmp(source, "runs") == 0, single = false;
    cloud c = {.r = r, .models = ip_node_get(input->node, "models")};
    name_families(&c);
    legend(&c);
    draw_some(&c, entries, from_runs, true);
    for (size_t e = 0; e < ip_node_count(entries); e++)
        single = single || strcmp(text_of(ip_node_at(entries, e), "task"), "mean") != 0;
    if (single) {
        fputs("<details class=\"more\"><summary>Task by task</summary>\n", r->file);
        draw_some(&c, entries, from_runs, false);
        fputs("</details>\n", r->file);
    }
    left_out(r, ip_node_get(input->node, "runs_without_scores"), "Measured, but without a score");
    left_out(r, ip_node_get(input->node, "scores_without_runs"), "Scored, but not measured");
    correlations(r, entries);
    models_table(r, c.models, entries);
}

void report_scatter(const report *r) {
    report_figure_open(
        r, "scores", "Across models: what was measured, and how they score",
        "Each mark is a model. A line that rises means that models with more of the measure score higher; how "
        "closely the marks keep to it is r. The mean of the tasks comes first.");
    for (size_t i = r->runs; i < r->count; i++)
        if (r->inputs[i].kind == REPORT_CORRELATE) one_result(r, &r->inputs[i]);
    report_figure_limit(
        r, "A correlation across models that differ in size, data and family is no cause. Look at the column that "
           "holds the size constant, at p after correction for the number of tasks, and at how few models there are.");
    report_figure_close(r);
}

/* Preference information by layer, a panel for each preference.json: what the states tell of whether a completion was
 * the chosen one, with both nulls and the interval over pairs. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

bool report_has_preference(const report *r) { return report_has(r, REPORT_PREFERENCE); }

static size_t layers_of(const report_input *input) { return ip_node_count(ip_node_get(input->node, "layers")); }

static double figure(const report_input *input, size_t layer, const char *key) {
    return report_number(ip_node_at(ip_node_get(input->node, "layers"), layer), key);
}

static void say(const report *r, const report_input *input, size_t l) {
    fprintf(r->file, "%s\nlayer %zu%s\npreference %s bits", input->name, l, l == 0 ? " (embedding)" : "",
            FIXED(report_bits(figure(input, l, "I")), 5));
    double low = figure(input, l, "low"), swap = figure(input, l, "null_swap"), any = figure(input, l, "null_permuted");
    if (isfinite(low))
        fprintf(r->file, "\n95 %% interval %s to %s", FIXED(report_bits(low), 5),
                FIXED(report_bits(figure(input, l, "high")), 5));
    if (isfinite(swap))
        fprintf(r->file, "\nnull, pairs swapped: %s (p = %s)", FIXED(report_bits(swap), 5),
                FIXED(figure(input, l, "p_swap"), 3));
    if (isfinite(any)) fprintf(r->file, "\nnull, positions permuted: %s", FIXED(report_bits(any), 5));
}

static void curve(const report_panel *p, const report_input *input, const char *key, const char *class) {
    enum { STRETCH = 64 };
    double x[STRETCH], y[STRETCH];
    size_t n = layers_of(input);
    /* In stretches that share a point. */
    for (size_t from = 0; from + 1 < n; from += STRETCH - 1) {
        size_t count = n - from < STRETCH ? n - from : STRETCH;
        for (size_t i = 0; i < count; i++) {
            x[i] = (double)(from + i);
            y[i] = report_bits(figure(input, from + i, key));
        }
        report_line(p, class, x, y, count);
    }
}

static void band(const report_panel *p, const report_input *input) {
    for (size_t l = 0; l + 1 < layers_of(input); l++) {
        double x[2] = {(double)l, (double)l + 1.0};
        double low[2] = {report_bits(figure(input, l, "low")), report_bits(figure(input, l + 1, "low"))};
        double high[2] = {report_bits(figure(input, l, "high")), report_bits(figure(input, l + 1, "high"))};
        report_band(p, x, low, high, 2);
    }
}

static void panel(const report *r, const report_input *input, report_range range) {
    size_t n = layers_of(input);
    report_panel p = {.x = {.title = "layer (0: embedding)", .whole = true}, .y = {.title = "I(Z; preference), bits"}};
    if (n < 2 || !report_axis_fit(&p.y, range, true, 6)) return;
    if (!report_axis_fit(&p.x, (report_range){0.0, (double)(n - 1)}, false, 8)) return;
    fprintf(r->file, "<div><p class=\"name\"><bdi>%s</bdi></p>", input->name);
    report_panel_open(&p, r->file, "", "Preference information by layer");
    fputs("<g class=\"accent\">\n", r->file);
    band(&p, input);
    curve(&p, input, "null_swap", "n");
    curve(&p, input, "null_permuted", "n dotted");
    curve(&p, input, "I", "l");
    for (size_t l = 0; l < n; l++) {
        if (!report_point_open(&p, "d", NULL, (double)l, report_bits(figure(input, l, "I")))) continue;
        say(r, input, l);
        report_point_close(&p);
    }
    fputs("</g>\n", r->file);
    report_panel_close(&p);
    fputs("</div>\n", r->file);
}

static const struct {
    const char *key, *title;
    bool nats;
} columns[] = {{"H", "H(Z)", true},
               {"I", "I(Z; preference)", true},
               {"null_swap", "null, pairs swapped", true},
               {"p_swap", "p", false},
               {"null_permuted", "null, positions permuted", true},
               {"p_permuted", "p", false},
               {"corrected", "corrected", true},
               {"low", "low", true},
               {"high", "high", true}};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void row(const report *r, const report_input *input, const ip_node *figures, const char *layer) {
    fprintf(r->file, "<tr><th scope=\"row\"><bdi>%s</bdi></th><td>%s</td>", input->name, layer);
    for (unsigned c = 0; c < COLUMNS; c++) {
        double x = report_number(figures, columns[c].key);
        if (columns[c].nats) {
            report_cell_small(r, x);
        } else {
            report_cell_number(r, x, 4);
        }
    }
    fputs("</tr>\n", r->file);
}

static void table(const report *r) {
    report_table_open(r, "preference information by layer, bits");
    fputs("<thead><tr>", r->file);
    report_head_cell(r, "model");
    report_head_cell(r, "layer");
    for (unsigned c = 0; c < COLUMNS; c++) report_head_cell(r, columns[c].title);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = r->runs; i < r->count; i++) {
        const report_input *input = &r->inputs[i];
        char layer[24];
        if (input->kind != REPORT_PREFERENCE) continue;
        for (size_t l = 0; l < layers_of(input); l++) {
            snprintf(layer, sizeof layer, "%zu", l);
            row(r, input, ip_node_at(ip_node_get(input->node, "layers"), l), layer);
        }
        row(r, input, ip_node_get(input->node, "mean"), "mean");
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

void report_preference(const report *r) {
    static const char *const keys[] = {"I", "low", "high", "null_swap", "null_permuted"};
    report_range range = report_range_empty();
    unsigned count = 0;
    for (size_t i = r->runs; i < r->count; i++) {
        if (r->inputs[i].kind != REPORT_PREFERENCE) continue;
        count++;
        for (size_t l = 0; l < layers_of(&r->inputs[i]); l++)
            for (unsigned k = 0; k < sizeof keys / sizeof *keys; k++)
                report_range_add(&range, report_bits(figure(&r->inputs[i], l, keys[k])));
    }
    report_figure_open(r, "preference", "Preference: do the states tell chosen from rejected?",
                       "The solid line is what a state tells of whether it stands in the preferred completion. It says "
                       "something only where it lies above the dashed line, the same figure after the two members of "
                       "pairs were swapped by chance.");
    report_panels_open(r, count == 1 ? 1 : 2);
    for (size_t i = r->runs; i < r->count; i++)
        if (r->inputs[i].kind == REPORT_PREFERENCE) panel(r, &r->inputs[i], range);
    report_panels_close(r);
    fputs("<div class=\"accent\">", r->file);
    report_line_key(r, REPORT_KEY_BAND | REPORT_KEY_SWAP | REPORT_KEY_PERMUTED);
    fputs("</div>\n", r->file);
    report_figure_limit(
        r, "It does not say which of two answers a model would give. Chosen and rejected texts differ in length "
           "and words too, and the states show that as well.");
    table(r);
    report_figure_close(r);
}

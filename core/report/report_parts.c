/* What context information consists of, layer by layer: what single tokens explain, what each further order adds, and
 * what no order up to K explains. One panel of stacked bars per run. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

enum { FIRST_SHOWN = 6 };

/* Parts in nats: order 1, what orders 2 .. K add, the rest up to I(C;Z). */
static unsigned parts_of(const ip_run *run, size_t layer, double parts[IP_MAX_ORDERS + 1]) {
    const ip_layer_result *l = &run->layer[layer];
    double below = 0.0;
    for (unsigned k = 0; k < run->orders; k++) {
        parts[k] = l->x[k].I - below;
        below = l->x[k].I;
    }
    parts[run->orders] = l->context - below;
    return run->orders + 1;
}

static void part_name(const ip_run *run, unsigned part, char name[48]) {
    if (part == 0) {
        snprintf(name, 48, "tokens (order 1)");
    } else if (part < run->orders) {
        snprintf(name, 48, "added by %s (order %u)", report_order_name(part + 1), part + 1);
    } else {
        snprintf(name, 48, "wider context");
    }
}

static void bars(const report *r, report_panel *p, size_t i) {
    const ip_run *run = r->inputs[i].run;
    for (size_t l = 0; l <= run->layers; l++) {
        double parts[IP_MAX_ORDERS + 1], from = 0.0;
        unsigned n = parts_of(run, l, parts);
        for (unsigned k = 0; k < n; k++) {
            if (!isfinite(parts[k]) || parts[k] < 0.0) continue;
            char class[24], name[48];
            snprintf(class, sizeof class, "p p%u", k + 1 < n ? k : IP_MAX_ORDERS);
            part_name(run, k, name);
            report_bar_open(p, class, (double)l, 0.84, report_bits(from), report_bits(from + parts[k]));
            fprintf(r->file, "%zu %s\nlayer %zu%s\n%s: %s bits\nof I(C;Z) = %s bits", i + 1, r->inputs[i].name, l,
                    l == 0 ? " (embedding)" : "", name, FIXED(report_bits(parts[k]), 4),
                    FIXED(report_bits(run->layer[l].context), 4));
            report_bar_close(p);
            from += parts[k];
        }
    }
}

static void panel(const report *r, size_t i, report_range range) {
    const ip_run *run = r->inputs[i].run;
    report_panel p = {.efficiency = run->bins > 1 && isfinite(r->log_bins) ? report_bits(r->log_bins) : 0.0};
    report_range across = {-0.5, (double)run->layers + 0.5};
    p.x.title = "layer (0: embedding)";
    p.y.title = "I(C;Z), bits";
    p.x.whole = true;
    if (!report_axis_fit(&p.x, across, false, 8) || !report_axis_fit(&p.y, range, true, 6)) return;
    char title[32], label[96];
    snprintf(title, sizeof title, "Run %zu", i + 1);
    snprintf(label, sizeof label, "Context information of run %zu by layer, stacked by n-gram order", i + 1);
    fprintf(r->file, "<div class=\"s s%zu\"><p class=\"name\"><span class=\"no\">%zu</span> <bdi>%s</bdi></p>", i,
            i + 1, r->inputs[i].name);
    report_panel_open(&p, r->file, "", label);
    bars(r, &p, i);
    report_panel_close(&p);
    fputs("</div>\n", r->file);
}

static void legend(const report *r) {
    fputs("<div class=\"legend\">", r->file);
    for (unsigned k = 0; k <= r->orders; k++) {
        unsigned class = k < r->orders ? k : IP_MAX_ORDERS;
        fprintf(
            r->file,
            "<label><input type=\"checkbox\" id=\"part%u\" checked><svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">"
            "<path class=\"p p%u\" d=\"M-7 -7H7V7H-7Z\"/></svg>",
            class, class);
        if (k == 0) {
            fputs("tokens (order 1)", r->file);
        } else if (k < r->orders) {
            fprintf(r->file, "added by %s (order %u)", report_order_name(k + 1), k + 1);
        } else {
            fprintf(r->file, "context wider than %u token%s", r->orders, r->orders == 1 ? "" : "s");
        }
        fputs("</label>", r->file);
    }
    fputs("</div>\n", r->file);
}

static void table(const report *r) {
    char text[48];
    report_table_open(r, "parts of I(C;Z) by layer, bits");
    fputs("<thead><tr>", r->file);
    report_head_cell(r, "run");
    report_head_cell(r, "layer");
    report_head_cell(r, "I(X;Z) order 1");
    for (unsigned k = 2; k <= r->orders; k++) {
        snprintf(text, sizeof text, "added by order %u", k);
        report_head_cell(r, text);
    }
    report_head_cell(r, "wider context");
    report_head_cell(r, "I(C;Z)");
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < r->runs; i++) {
        const ip_run *run = r->inputs[i].run;
        for (size_t l = 0; l <= run->layers; l++) {
            double parts[IP_MAX_ORDERS + 1];
            parts_of(run, l, parts);
            fprintf(r->file, "<tr class=\"s%zu\">", i);
            report_cell_run(r, i);
            report_cell_whole(r, l);
            for (unsigned k = 0; k < r->orders; k++) report_cell_nats(r, k < run->orders ? parts[k] : NAN);
            report_cell_nats(r, parts[run->orders]);
            report_cell_nats(r, run->layer[l].context);
            fputs("</tr>\n", r->file);
        }
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

void report_parts(const report *r) {
    report_figure_open(
        r, "parts", "What the states hold: tokens, n-grams, wider context",
        "Each bar is a layer’s context information I(C;Z), split into what the token itself explains, what each "
        "longer n-gram adds, and what only wider context can explain. Deeper layers trade tokens for context.");
    legend(r);
    report_range range = report_range_empty();
    for (size_t i = 0; i < r->runs; i++)
        for (size_t l = 0; l <= r->inputs[i].run->layers; l++)
            report_range_add(&range, report_bits(r->inputs[i].run->layer[l].context));
    /* Of many runs the first and the last stand outside, the others behind a click. */
    bool folded = r->runs > FIRST_SHOWN;
    report_panels_open(r, r->runs == 1 ? 1 : !folded && r->runs % 3 == 0 ? 3 : 2);
    for (size_t i = 0; i < r->runs; i++)
        if (!folded || i == 0 || i + 1 == r->runs) panel(r, i, range);
    report_panels_close(r);
    if (folded) {
        fprintf(r->file, "<details class=\"more\"><summary>The runs between</summary>\n");
        report_panels_open(r, 3);
        for (size_t i = 1; i + 1 < r->runs; i++) panel(r, i, range);
        report_panels_close(r);
        fputs("</details>\n", r->file);
    }
    report_figure_limit(
        r, "A longer n-gram that occurs once is a name for its position and takes what is really wider "
           "context: on a small text the parts of order 2 and above are too large and the last one too small.");
    table(r);
    report_figure_close(r);
}

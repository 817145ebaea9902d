/* What two corpora share, for each overlap.json: the share of n-grams over their orders, and beside it the documents that
 * overlap most. */
#include <math.h>

#include "core/report/report.h"

bool report_has_overlap(const report *r) { return report_has(r, REPORT_OVERLAP); }

/* The shares of an order: a numerator over a denominator of the JSON. */
static const struct {
    const char *some, *all, *name;
} shares[] = {{"shared", "positions", "of all n-grams"},
              {"shared_distinct", "distinct", "of the different n-grams"},
              {"overlapping", "documents", "of the documents, overlapping"}};
enum { SHARES = sizeof shares / sizeof *shares };

static const ip_node *orders_of(const report_input *input) { return ip_node_get(input->node, "orders"); }

static double percent(const ip_node *order, unsigned which) {
    double all = report_number(order, shares[which].all);
    return all > 0.0 ? 100.0 * report_number(order, shares[which].some) / all : NAN;
}

static const char *units_of(const report_input *input) {
    const char *units = "words";
    ip_node_text(ip_node_get(input->node, "units"), &units);
    return units;
}

/* ---- drawing ---- */

static void say(const report *r, const report_input *input, const ip_node *order, unsigned which) {
    fprintf(r->file, "%s\n%s ", input->name, FIXED(report_number(order, "order"), 0));
    report_escape(r->file, units_of(input));
    fprintf(r->file, "\n%s %% %s\n%s of %s", FIXED(percent(order, which), 3), shares[which].name,
            FIXED(report_number(order, shares[which].some), 0), FIXED(report_number(order, shares[which].all), 0));
}

static void curve(const report *r, const report_panel *p, const report_input *input, unsigned which) {
    const ip_node *orders = orders_of(input);
    fprintf(r->file, "<g class=\"f%u\">\n", which);
    for (size_t i = 0; i + 1 < ip_node_count(orders); i++) {
        const ip_node *a = ip_node_at(orders, i), *b = ip_node_at(orders, i + 1);
        report_line(p, "l", (double[]){report_number(a, "order"), report_number(b, "order")},
                    (double[]){percent(a, which), percent(b, which)}, 2);
    }
    for (size_t i = 0; i < ip_node_count(orders); i++) {
        const ip_node *order = ip_node_at(orders, i);
        if (!report_point_open(p, "m", report_mark(which, SHARES), report_number(order, "order"),
                               percent(order, which)))
            continue;
        say(r, input, order, which);
        report_point_close(p);
    }
    fputs("</g>\n", r->file);
}

static void panel(const report *r, const report_input *input, report_range range) {
    const ip_node *orders = orders_of(input);
    report_panel p = {.x = {.title = "length of the n-gram", .whole = true}, .y = {.title = "share, %"}};
    report_range across = report_range_empty();
    for (size_t i = 0; i < ip_node_count(orders); i++)
        report_range_add(&across, report_number(ip_node_at(orders, i), "order"));
    across.low -= 0.5; /* room for marks at both ends */
    across.high += 0.5;
    if (!report_axis_fit(&p.x, across, false, 12) || !report_axis_fit(&p.y, range, true, 5)) return;
    fprintf(r->file, "<div><p class=\"name\"><bdi>%s</bdi></p>", input->name);
    report_panel_open(&p, r->file, "", "Share of n-grams that stand in the other corpus, by their length");
    for (unsigned which = 0; which < SHARES; which++) curve(r, &p, input, which);
    report_panel_close(&p);
    fputs("</div>\n", r->file);
}

/* ---- the documents that overlap most ---- */

/* Shared n-grams of the longest order, and how many the document has. */
static double document_share(const report_input *input, const ip_node *document, double *positions) {
    const ip_node *list = ip_node_get(document, "shared"), *orders = orders_of(input);
    size_t last = ip_node_count(orders);
    double shared = NAN;
    if (last == 0 || !ip_node_number(ip_node_at(list, last - 1), &shared)) return NAN;
    *positions = report_number(document, "symbols") - report_number(ip_node_at(orders, last - 1), "order") + 1.0;
    return *positions > 0.0 ? shared / *positions : NAN;
}

static void documents(const report *r, const report_input *input) {
    const ip_node *list = ip_node_get(input->node, "top"), *orders = orders_of(input);
    size_t count = ip_node_count(orders);
    fputs("<div class=\"top\"><table><caption>documents that overlap most</caption><thead><tr>", r->file);
    report_head_cell(r, "documents that overlap most");
    fprintf(r->file, "<th scope=\"col\">its %s-grams</th>",
            count > 0 ? FIXED(report_number(ip_node_at(orders, count - 1), "order"), 0) : "n");
    report_head_cell(r, "shared, %");
    fputs("<th></th></tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < ip_node_count(list); i++) {
        const ip_node *document = ip_node_at(list, i);
        const char *path = "";
        double positions = NAN, share = document_share(input, document, &positions);
        ip_node_text(ip_node_get(document, "path"), &path);
        fputs("<tr><th scope=\"row\" class=\"path\"><bdi>", r->file);
        report_escape(r->file, path);
        fprintf(r->file, "</bdi>: document %s</th>", FIXED(report_number(document, "document"), 0));
        report_cell_number(r, positions, 0);
        report_cell_number(r, 100.0 * share, 3);
        report_cell_length(r, share);
        fputs("</tr>\n", r->file);
    }
    if (ip_node_count(list) == 0) fputs("<tr><th scope=\"row\">none is listed</th></tr>\n", r->file);
    fputs("</tbody></table></div>\n", r->file);
}

/* ---- table ---- */

static void row(const report *r, const report_input *input, const ip_node *order) {
    fprintf(r->file, "<tr><th scope=\"row\"><bdi>%s</bdi></th>", input->name);
    report_cell_number(r, report_number(order, "order"), 0);
    for (unsigned which = 0; which < SHARES; which++) {
        report_cell_number(r, report_number(order, shares[which].all), 0);
        report_cell_number(r, report_number(order, shares[which].some), 0);
        report_cell_number(r, percent(order, which), 3);
    }
    fputs("</tr>\n", r->file);
}

static void table(const report *r) {
    static const char *const heads[] = {"corpora", "length", "n-grams",   "shared",      "%", "different n-grams",
                                        "shared",  "%",      "documents", "overlapping", "%"};
    report_table_open(r, "shared n-grams by length");
    fputs("<thead><tr>", r->file);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = r->runs; i < r->count; i++)
        for (size_t k = 0; r->inputs[i].kind == REPORT_OVERLAP && k < ip_node_count(orders_of(&r->inputs[i])); k++)
            row(r, &r->inputs[i], ip_node_at(orders_of(&r->inputs[i]), k));
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

void report_overlap(const report *r) {
    report_range range = report_range_empty();
    for (size_t i = r->runs; i < r->count; i++)
        for (size_t k = 0; r->inputs[i].kind == REPORT_OVERLAP && k < ip_node_count(orders_of(&r->inputs[i])); k++)
            for (unsigned which = 0; which < SHARES; which++)
                report_range_add(&range, percent(ip_node_at(orders_of(&r->inputs[i]), k), which));
    report_figure_open(
        r, "overlap", "Overlap: what stands in both corpora",
        "How much of the first corpus occurs anywhere in the second, by the length of the n-gram. Common "
        "words make the left end large for any two texts of one language; what stays at the right end "
        "are passages that both have.");
    report_panels_open(r, 2);
    for (size_t i = r->runs; i < r->count; i++) {
        if (r->inputs[i].kind != REPORT_OVERLAP) continue;
        panel(r, &r->inputs[i], range);
        documents(r, &r->inputs[i]);
    }
    report_panels_close(r);
    report_colour_key(r, (const char *[]){shares[0].name, shares[1].name, shares[2].name}, SHARES, true);
    report_figure_limit(r,
                        "A paraphrase shares nothing here: absence is no proof. A passage that both corpora quote from "
                        "a third is shared as well. A document overlaps when more than a stated share of its n-grams "
                        "(half, unless it was given) stands in the other corpus.");
    table(r);
    report_figure_close(r);
}

/* Which n-grams carry most of the information in the last layer, where a run lists them. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

static const ip_node *top_of(const report *r, size_t i) { return ip_node_get(r->inputs[i].node, "top"); }

bool report_has_top(const report *r) {
    for (size_t i = 0; i < r->runs; i++)
        if (top_of(r, i)) return true;
    return false;
}

/* The largest of one side and order, for the lengths of the bars. */
static double largest(const ip_node *list) {
    double most = 0.0;
    for (size_t j = 0; j < ip_node_count(list); j++) {
        double nats = report_number(ip_node_at(list, j), "nats");
        if (nats > most) most = nats;
    }
    return most;
}

static void list_of(const report *r, const ip_node *list, const char *caption) {
    double most = largest(list);
    fprintf(r->file, "<div class=\"top\"><table><caption>%s</caption><thead><tr>", caption);
    fprintf(r->file, "<th scope=\"col\">%s</th>", caption);
    report_head_cell(r, "times");
    report_head_cell(r, "bits");
    fputs("<th></th></tr></thead>\n<tbody>\n", r->file);
    for (size_t j = 0; j < ip_node_count(list); j++) {
        const ip_node *row = ip_node_at(list, j);
        const char *text = "";
        double nats = report_number(row, "nats");
        ip_node_text(ip_node_get(row, "text"), &text);
        fputs("<tr><th scope=\"row\"><bdi class=\"piece\">", r->file);
        report_escape(r->file, text);
        fputs("</bdi></th>", r->file);
        report_cell_number(r, report_number(row, "count"), 0);
        report_cell_nats(r, nats);
        report_cell_length(r, most > 0.0 ? nats / most : 0.0);
        fputs("</tr>\n", r->file);
    }
    fputs("</tbody></table></div>\n", r->file);
}

void report_top(const report *r) {
    report_figure_open(
        r, "top", "Which n-grams carry it",
        "The n-grams that carry most of I(X;Z) and I(Y;Z): how often they occur times how far the states at "
        "them are from the average state.");
    for (size_t i = 0; i < r->runs; i++) {
        if (!top_of(r, i)) continue;
        fprintf(r->file,
                "<details class=\"more s s%zu\"%s><summary><span class=\"no\">%zu</span> <bdi>%s</bdi></summary>\n", i,
                r->runs == 1 ? " open" : "", i + 1, r->inputs[i].name);
        report_panels_open(r, 2);
        for (unsigned k = 0; k < r->inputs[i].run->orders; k++) {
            char caption[64];
            snprintf(caption, sizeof caption, "input %s", report_order_name(k + 1));
            list_of(r, ip_node_at(ip_node_get(top_of(r, i), "X"), k), caption);
            snprintf(caption, sizeof caption, "output %s", report_order_name(k + 1));
            list_of(r, ip_node_at(ip_node_get(top_of(r, i), "Y"), k), caption);
        }
        report_panels_close(r);
        fputs("</details>\n", r->file);
    }
    report_figure_limit(
        r, "Frequent n-grams lead such lists; a rare one may be kept just as well. Blanks at the borders of "
           "a piece belong to it.");
    report_figure_close(r);
}

/* The runs and their figures in one table, which is also the switchboard of the page; and what keeps them from being
 * compared. */
#include <math.h>
#include <string.h>

#include "core/report/report.h"

static void mean_cells(const report *r, size_t i) {
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    report_mean(r, i, &mean, optimality);
    report_cell_nats(r, mean.H);
    report_cell_nats(r, mean.context);
    report_cell_nats(r, mean.x[0].I);
    report_cell_nats(r, mean.y[0].I);
    report_cell_number(r, optimality[0], 4);
}

static void row(const report *r, size_t i) {
    const ip_run *run = r->inputs[i].run;
    fprintf(r->file,
            "<tr><th scope=\"row\"><label for=\"k%zu\" class=\"run\"><input type=\"checkbox\" id=\"k%zu\" checked>"
            "<svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\" class=\"c s%zu\"><path class=\"m\" d=\"%s\"/></svg>"
            "<span class=\"no\">%zu</span> <bdi>%s</bdi></label></th>",
            i, i, i, report_mark(i, r->runs), i + 1, r->inputs[i].name);
    fputs("<td class=\"words\">", r->file);
    report_escape(r->file, run->weights);
    fputs("</td>", r->file);
    report_cell_whole(r, run->parameters);
    report_cell_whole(r, run->layers);
    report_cell_nats(r, run->has_loss ? run->loss.nats_per_token : NAN);
    mean_cells(r, i);
    fputs("</tr>\n", r->file);
}

/* Each difference that makes two runs no pair, said once. */
static void differences(const report *r) {
    bool ids = false, orders = false, labels = false, calibration = false, bins = false, anchors = false,
         estimator = false;
    for (size_t i = 1; i < r->runs; i++) {
        const ip_run *a = r->inputs[0].run, *b = r->inputs[i].run;
        ids = ids || strcmp(a->ids_fingerprint, b->ids_fingerprint) != 0;
        orders = orders || a->orders != b->orders;
        labels = labels || a->backoff != b->backoff || a->count_at_positions != b->count_at_positions ||
                 (a->backoff && a->min_count != b->min_count);
        calibration = calibration || strcmp(a->calibration, b->calibration) != 0;
        bins = bins || a->bins != b->bins;
        estimator = estimator || strcmp(a->estimator, b->estimator) != 0;
        anchors = anchors || a->seed != b->seed || strcmp(a->anchors_fingerprint, b->anchors_fingerprint) != 0;
    }
    if (!ids && !orders && !labels && !calibration && !bins && !anchors && !estimator) return;
    fputs("<p class=\"warn\"><b>These runs are not alike in everything:</b> they differ in", r->file);
    const struct {
        bool differs;
        const char *what;
    } all[] = {{ids, "the tokens that were read"},
               {orders, "the orders (and so the positions counted)"},
               {labels, "the rule of the labels"},
               {calibration, "the calibration"},
               {estimator, "the estimator"},
               {bins, "the number of anchors"},
               {anchors, "the anchors"}};
    bool first = true;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].differs) continue;
        fprintf(r->file, "%s%s", first ? " " : "; ", all[i].what);
        first = false;
    }
    fputs(". A difference between their figures may come from that and not from the models.</p>\n", r->file);
}

void report_overview(const report *r) {
    report_figure_open(
        r, "runs", r->runs == 1 ? "The run" : "The runs",
        "Every box switches a run on and off in all drawings. Figures are means over the layers, the "
        "embedding left out, in bits, of single tokens (order 1); the loss in bits per token. "
        "<b>Complexity</b> I(X;Z) is what the states keep of the token read, <b>expressivity</b> I(Y;Z) what they "
        "tell of the token that follows, <b>optimality</b> their ratio.");
    differences(r);
    fputs("<div class=\"scroll\" tabindex=\"0\"><table class=\"runs\"><caption>The runs of this "
          "page</caption>\n<thead><tr>",
          r->file);
    static const char *const heads[] = {"run",  "weights", "parameters", "layers",       "loss",
                                        "H(Z)", "I(C;Z)",  "complexity", "expressivity", "optimality"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < r->runs; i++) row(r, i);
    fputs("</tbody></table></div>\n", r->file);
    report_figure_close(r);
}

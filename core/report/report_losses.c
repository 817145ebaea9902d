/* The loss of each run, and expressivity beside it: the one is never computed from the other. */
#include <math.h>

#include "core/report/report.h"

static double bits_per_token(const ip_run *run) { return run->has_loss ? report_bits(run->loss.nats_per_token) : NAN; }

static void say(const report *r, size_t i, const char *what, double value) {
    fprintf(r->file, "%zu %s\nloss %s bits per token\n%s %s", i + 1, r->inputs[i].name,
            FIXED(bits_per_token(r->inputs[i].run), 4), what, FIXED(value, 4));
}

/* One of the three mean figures of order 1. */
static double figure(const report *r, size_t i, unsigned which) {
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    report_mean(r, i, &mean, optimality);
    return which == 0 ? report_bits(mean.x[0].I) : which == 1 ? report_bits(mean.y[0].I) : optimality[0];
}

static void panel(const report *r, unsigned which) {
    static const char *const names[] = {"complexity", "expressivity", "optimality"};
    static const char *const titles[] = {"complexity I(X;Z), bits", "expressivity I(Y;Z), bits", "optimality"};
    report_panel p = {.x = {.title = "loss, bits per token", .tight = true},
                      .y = {.title = titles[which], .tight = true}};
    report_range x = report_range_empty(), y = report_range_empty();
    for (size_t i = 0; i < r->runs; i++) {
        double loss = bits_per_token(r->inputs[i].run);
        if (!isfinite(loss)) continue;
        report_range_add(&x, loss);
        report_range_add(&y, figure(r, i, which));
    }
    report_range_pad(&x);
    report_range_pad(&y);
    if (!report_axis_fit(&p.x, x, false, 5) || !report_axis_fit(&p.y, y, false, 6)) return;
    char title[48], label[64];
    snprintf(title, sizeof title, "Loss and %s", names[which]);
    snprintf(label, sizeof label, "Loss of each run against its %s", names[which]);
    report_panel_open(&p, r->file, title, label);
    for (size_t i = 0; i < r->runs; i++) {
        double loss = bits_per_token(r->inputs[i].run), value = figure(r, i, which);
        report_series_open(r->file, i);
        if (isfinite(loss) && report_point_open(&p, "m", report_mark(i, r->runs), loss, value)) {
            say(r, i, names[which], value);
            report_point_close(&p);
            report_tag_add(&p, loss, value, i);
        }
        report_series_close(r->file);
    }
    report_panel_close(&p);
}

static void table(const report *r) {
    static const char *const heads[] = {
        "run",        "loss, bits per token", "predicted tokens", "with the end, bits per token", "predicted tokens",
        "complexity", "expressivity",         "optimality"};
    report_table_open(r, "loss, bits per token");
    fputs("<thead><tr>", r->file);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) report_head_cell(r, heads[i]);
    fputs("</tr></thead>\n<tbody>\n", r->file);
    for (size_t i = 0; i < r->runs; i++) {
        const ip_run *run = r->inputs[i].run;
        ip_layer_result mean;
        double optimality[IP_MAX_ORDERS];
        report_mean(r, i, &mean, optimality);
        fprintf(r->file, "<tr class=\"s%zu\">", i);
        report_cell_run(r, i);
        report_cell_nats(r, run->has_loss ? run->loss.nats_per_token : NAN);
        report_cell_whole(r, run->loss.tokens);
        report_cell_nats(r, run->has_end ? run->loss_end.nats_per_token : NAN);
        report_cell_whole(r, run->loss_end.tokens);
        report_cell_nats(r, mean.x[0].I);
        report_cell_nats(r, mean.y[0].I);
        report_cell_number(r, optimality[0], 4);
        fputs("</tr>\n", r->file);
    }
    fputs("</tbody>\n", r->file);
    report_table_close(r);
}

static unsigned with_loss(const report *r) {
    unsigned n = 0;
    for (size_t i = 0; i < r->runs; i++) n += r->inputs[i].run->has_loss;
    return n;
}

bool report_has_losses(const report *r) { return with_loss(r) > 0; }

void report_losses(const report *r) {
    report_figure_open(r, "loss", "Loss, and what the states hold",
                       "Further left is a better predictor of this text. The information figures are measured without "
                       "the loss; where marks line up, the two move together across these runs.");
    if (with_loss(r) > 1) {
        report_legend(r);
        report_panels_open(r, 3);
        for (unsigned which = 0; which < 3; which++) panel(r, which);
        report_panels_close(r);
    }
    report_figure_limit(
        r, "Losses of models with different tokenizers do not compare: a token is not the same piece of text. "
           "A few runs on a line are no law.");
    table(r);
    report_figure_close(r);
}

/* A trajectory for the terminal: a row per checkpoint, then what the series shows, in words. */
#include <math.h>
#include <string.h>

#include "core/series/trajectory.h"

static const double ln2 = 0.6931471805599453;

static void put(FILE *file, double x, double unit, int width) {
    if (isfinite(x)) {
        fprintf(file, " %*.4f", width, x / unit);
    } else {
        fprintf(file, " %*s", width, "-");
    }
}

static void stop_name(const ip_stop *stop, char out[64]) {
    if (stop->has_step) {
        snprintf(out, 64, "step %llu", (unsigned long long)stop->step);
    } else {
        snprintf(out, 64, "%s", stop->name);
    }
    ip_make_printable(out);
}

static void put_rows(const ip_trajectory *t, FILE *file) {
    unsigned orders = t->orders, shown = orders < 2 ? orders : 2;
    fprintf(file, "%-20s %8s %8s %8s", "checkpoint", "loss", "H(Z)", "I(C;Z)");
    for (unsigned k = 0; k < shown; k++) fprintf(file, " | X n=%u    Y n=%u    Y / X  ", k + 1, k + 1);
    fputc('\n', file);
    for (size_t i = 0; i < t->stops; i++) {
        const ip_run *run = t->stop[i].run;
        ip_layer_result mean;
        double optimality[IP_MAX_ORDERS];
        char name[64];
        ip_run_mean(run, &mean, optimality);
        stop_name(&t->stop[i], name);
        fprintf(file, "%-20.20s", name);
        put(file, run->has_loss ? run->loss.nats_per_token : NAN, 1.0, 8);
        put(file, mean.H, ln2, 8);
        put(file, mean.context, ln2, 8);
        for (unsigned k = 0; k < shown; k++) {
            fputs(" |", file);
            put(file, mean.x[k].I, ln2, 7);
            put(file, mean.y[k].I, ln2, 8);
            put(file, optimality[k], 1.0, 8);
        }
        fputc('\n', file);
    }
}

static void put_range(FILE *file, ip_range range, ip_range boot) {
    if (isfinite(range.low)) {
        fprintf(file, " (95 %% interval, bias removed: %.4f to %.4f", range.low / ln2, range.high / ln2);
    } else {
        fputs(" (no interval: no groups of documents", file);
    }
    if (isfinite(boot.low)) fprintf(file, "; bootstrap: %.4f to %.4f", boot.low / ln2, boot.high / ln2);
    fputc(')', file);
}

/* What one row of phases says. */
static void put_phases(const ip_trajectory *t, const ip_phases *p, FILE *file) {
    char peak[64], last[64];
    if (p->peak == t->stops) {
        fputs("  complexity is not known\n", file);
        return;
    }
    stop_name(&t->stop[p->peak], peak);
    stop_name(&t->stop[t->stops - 1], last);
    fprintf(file, "  complexity is largest at %s", peak);
    if (p->peak + 1 == t->stops) {
        fputs(", the last: no compression\n", file);
        return;
    }
    fprintf(file, "; from there to %s it falls by %.4f bits", last, p->fall / ln2);
    put_range(file, p->fall_range, p->fall_boot);
    fprintf(file, ",\n  expressivity changes by %.4f", p->change / ln2);
    put_range(file, p->change_range, p->change_boot);
    if (!p->compression) {
        fputs(": the fall is within chance, no compression\n", file);
    } else if (p->holds) {
        fputs(": complexity falls while expressivity holds, compression\n", file);
    } else {
        fputs(": both fall, which is not compression\n", file);
    }
}

void ip_trajectory_write_table(const ip_trajectory *t, FILE *file) {
    const ip_run *first = t->stop[0].run;
    fprintf(
        file,
        "%zu checkpoints, %llu documents, %llu counted positions; means over layers, bits; loss in nats per token; n: "
        "order\n\n",
        t->stops, (unsigned long long)first->documents, (unsigned long long)first->positions);
    put_rows(t, file);
    for (unsigned k = 0; k < t->orders; k++) {
        fprintf(file, "\norder %u, mean over layers:\n", k + 1);
        put_phases(t, &t->phases[k], file);
    }
    if (t->rows > 1) {
        fputs("\nby layer, order 1:\n", file);
        for (size_t r = 1; r < t->rows; r++) {
            const ip_phases *p = &t->phases[r * t->orders];
            char peak[64] = "-";
            if (p->peak < t->stops) stop_name(&t->stop[p->peak], peak);
            fprintf(file, "%5zu  peak %-14s fall", r - 1, peak);
            put(file, p->fall, ln2, 7);
            fputs(", expressivity", file);
            put(file, p->change, ln2, 7);
            fprintf(file, "  %s\n", ip_phases_verdict(p));
        }
    }
    if (t->levelled < t->stops) {
        char name[64];
        stop_name(&t->stop[t->levelled], name);
        fprintf(file, "\nthe loss levelled off (steps of less than 1 %%) from %s on%s\n", name,
                t->levelled + 1 == t->stops ? ", the last: it was still falling" : "");
    }
}

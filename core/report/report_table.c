/* Tables: the same numbers as the drawings, in bits for the eye and in exact nats (as run.json has them) in the
 * value of each <data>. */
#include <inttypes.h>
#include <math.h>

#include "core/report/report.h"

void report_table_open(const report *r, const char *caption) {
    fprintf(r->file,
            "<details class=\"table\"><summary>Table: %s</summary><div class=\"scroll\" tabindex=\"0\">"
            "<table><caption>%s</caption>\n",
            caption, caption);
}

void report_table_close(const report *r) { fputs("</table></div></details>\n", r->file); }

void report_head_cell(const report *r, const char *text) { fprintf(r->file, "<th scope=\"col\">%s</th>", text); }

static void cell_bits(const report *r, double nats, int decimals) {
    if (isfinite(nats)) {
        fprintf(r->file, "<td><data value=\"%s\">%s</data></td>", EXACT(nats), FIXED(report_bits(nats), decimals));
    } else {
        fputs("<td>–</td>", r->file);
    }
}

void report_cell_nats(const report *r, double nats) { cell_bits(r, nats, 4); }
void report_cell_small(const report *r, double nats) { cell_bits(r, nats, 6); }

void report_cell_number(const report *r, double x, int decimals) {
    if (isfinite(x)) {
        fprintf(r->file, "<td><data value=\"%s\">%s</data></td>", EXACT(x), FIXED(x, decimals));
    } else {
        fputs("<td>–</td>", r->file);
    }
}

/* Thousands apart by a thin space. */
void report_cell_whole(const report *r, uint64_t x) {
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, x);
    fprintf(r->file, "<td><data value=\"%s\">", digits);
    for (int i = 0; i < n; i++) {
        fputc(digits[i], r->file);
        if (i + 1 < n && (n - 1 - i) % 3 == 0) fputs("\u2009", r->file);
    }
    fputs("</data></td>", r->file);
}

void report_cell_length(const report *r, double share) {
    fprintf(r->file,
            "<td class=\"length\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
            "<path d=\"M0 0H%sV10H0Z\"/></svg></td>",
            PLACE(share > 0.0 ? 100.0 * share : 0.0));
}

void report_cell_run(const report *r, size_t run) {
    fprintf(r->file, "<th scope=\"row\"><span class=\"no\">%zu</span> <bdi>%s</bdi></th>", run + 1,
            r->inputs[run].name);
}

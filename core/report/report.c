/* `report`: any set of results on one page that needs nothing else. */
#include "core/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "arch/dispatch.h"
#include "core/base/file.h"
#include "core/report/report_page.h"

static const struct {
    const char *id, *name;
    bool (*has)(const report *r);
    void (*draw)(const report *r);
} figures[] = {
#define REPORT_FIGURE(id, name, has, draw) {id, name, has, draw},
#include "core/report/report_figures.def"
#undef REPORT_FIGURE
};
enum { FIGURES = sizeof figures / sizeof *figures };

void report_write(const report *r) {
    report_page_open(r);
    fputs("<nav aria-label=\"Contents\"><ul>", r->file);
    for (unsigned i = 0; i < FIGURES; i++)
        if (figures[i].has(r)) fprintf(r->file, "<li><a href=\"#%s\">%s</a></li>", figures[i].id, figures[i].name);
    fputs("<li><a href=\"#provenance\">Provenance</a></li></ul></nav>\n<main>\n", r->file);
    for (unsigned i = 0; i < FIGURES; i++)
        if (figures[i].has(r)) figures[i].draw(r);
    report_page_close(r);
}

ip_status ip_report_write(const char *path, const char *const *inputs, size_t count, ip_error *error) {
    const ip_kernels *kernels; /* axes take logarithms from the kernels' library */
    report r;
    ip_status status = ip_arch_select(&kernels, NULL, error);
    if (status != IP_OK) return status;
    status = report_read(&r, inputs, count, error);
    ip_out out;
    if (status == IP_OK) status = ip_out_open(&out, path, error);
    if (status == IP_OK) {
        r.file = out.file;
        report_write(&r);
        status = ip_out_commit(&out, error);
    }
    report_free(&r);
    return status;
}

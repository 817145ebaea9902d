/* The page around the figures: head, switches, contents, provenance, and the frame of each figure. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/report/report.h"
#include "core/report/report_page.h"

void report_page_open(const report *r) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          /* The page may load nothing: whatever a name in it tries to be, it cannot reach out. */
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"generator\" content=\"infoplane " INFOPLANE_VERSION "\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>infoplane report</title>\n<style>\n",
          r->file);
    fwrite(ip_report_css, 1, ip_report_css_size, r->file);
    report_series_style(r);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>How "
          "<span>these models compress</span> what they read</h1>\n"
          "<fieldset class=\"theme\"><legend>Colours</legend>"
          "<label><input type=\"radio\" name=\"theme\" id=\"theme-auto\" checked> as the system</label>"
          "<label><input type=\"radio\" name=\"theme\" id=\"theme-light\"> light</label>"
          "<label><input type=\"radio\" name=\"theme\" id=\"theme-dark\"> dark</label></fieldset>\n</header>\n",
          r->file);
}

/* ---- provenance ---- */

static void fact(const report *r, const char *name, const char *value) {
    fprintf(r->file, "<div><dt>%s</dt><dd>", name);
    report_escape(r->file, value && value[0] ? value : "–");
    fputs("</dd></div>", r->file);
}

static void whole_fact(const report *r, const char *name, uint64_t value) {
    fprintf(r->file, "<div><dt>%s</dt><dd>%" PRIu64 "</dd></div>", name, value);
}

static const char *text_of(const ip_node *node, const char *key) {
    const char *text = NULL;
    ip_node_text(ip_node_get(node, key), &text);
    return text;
}

static void run_facts(const report *r, const report_input *input, size_t i) {
    const ip_run *run = input->run;
    fprintf(r->file, "<section class=\"made\"><h3><span class=\"no\">%zu</span> <bdi>%s</bdi></h3><dl>", i + 1,
            input->name);
    fact(r, "model file", run->model_path);
    fact(r, "model fingerprint", run->model_fingerprint);
    fact(r, "weights as read", run->weights);
    fact(r, "weights as stored", run->weights_stored);
    for (size_t f = 0; f < run->file_count; f++) {
        fact(r, "corpus", run->files[f].path);
        fact(r, "corpus fingerprint", run->files[f].fingerprint);
    }
    fact(r, "token ids", run->ids_fingerprint);
    whole_fact(r, "documents", run->documents);
    whole_fact(r, "tokens", run->tokens);
    whole_fact(r, "counted positions", run->positions);
    whole_fact(r, "tokens per document at most", run->max_tokens);
    fact(r, "estimator", run->estimator);
    whole_fact(r, "anchors (bins)", run->bins);
    whole_fact(r, "seed", run->seed);
    if (run->anchors_fingerprint[0]) fact(r, "anchors from a file", run->anchors_fingerprint);
    if (run->calibration[0]) {
        fact(r, "calibration", run->calibration);
        fprintf(r->file, "<div><dt>temperature</dt><dd>%s</dd></div>", FIXED(run->temperature, 9));
    }
    fact(r, "labels",
         run->backoff ? (run->count_at_positions ? "back-off, counted at the positions" : "back-off")
                      : "exact n-grams");
    if (run->backoff) whole_fact(r, "back-off below a count of", run->min_count);
    whole_fact(r, "label permutations", run->null);
    whole_fact(r, "jackknife groups", run->groups);
    if (run->bootstrap > 0) whole_fact(r, "bootstrap resamples", run->bootstrap);
    fact(r, "arithmetic", run->compute);
    fact(r, "instruction set", run->isa);
    fact(r, "infoplane version", text_of(ip_node_get(input->node, "infoplane"), "version"));
    fact(r, "started", run->started);
    fputs("</dl></section>\n", r->file);
}

static void other_facts(const report *r, const report_input *input) {
    fprintf(r->file, "<section class=\"made\"><h3>");
    report_escape(r->file, text_of(input->node, "schema"));
    fputs("</h3><dl>", r->file);
    fact(r, "file", input->path);
    const char *version = text_of(ip_node_get(input->node, "infoplane"), "version");
    if (version) fact(r, "infoplane version", version);
    fputs("</dl></section>\n", r->file);
}

void report_page_close(const report *r) {
    fputs("</main>\n<footer id=\"provenance\">\n<h2>Where the numbers come from</h2>\n"
          "<p>Two runs can be compared when their token ids, labels, anchors and calibration agree. Fingerprints are "
          "XXH3-128 of the files’ bytes. All information is kept in nats; this page shows bits.</p>\n"
          "<details><summary>Models, texts, settings and machines</summary>\n",
          r->file);
    for (size_t i = 0; i < r->runs; i++) run_facts(r, &r->inputs[i], i);
    for (size_t i = r->runs; i < r->count; i++) other_facts(r, &r->inputs[i]);
    fputs("</details>\n<p class=\"by\">Page by infoplane " INFOPLANE_VERSION
          ". It loads nothing and sends nothing.</p>\n</footer>\n"
          "<div id=\"tip\" role=\"status\" hidden></div>\n<script>\n",
          r->file);
    fwrite(ip_report_js, 1, ip_report_js_size, r->file);
    fputs("</script>\n</body>\n</html>\n", r->file);
}

/* ---- figures ---- */

void report_figure_open(const report *r, const char *id, const char *title, const char *see) {
    fprintf(r->file, "<section class=\"fig\" id=\"%s\">\n<h2>%s</h2>\n<p class=\"see\">%s</p>\n", id, title, see);
}

void report_panels_open(const report *r, unsigned columns) {
    fprintf(r->file, "<div class=\"panels c%u\">\n", columns);
}

void report_panels_close(const report *r) { fputs("</div>\n", r->file); }

void report_figure_limit(const report *r, const char *limit) {
    fprintf(r->file, "<p class=\"limit\"><b>What it cannot say.</b> %s</p>\n", limit);
}

void report_figure_close(const report *r) { fputs("</section>\n", r->file); }

void report_legend(const report *r) {
    fputs("<div class=\"legend\">", r->file);
    for (size_t i = 0; i < r->runs; i++) {
        /* Of a ramp the ends and some between; all switches stand in the table of the runs. */
        size_t every = (r->runs + 5) / 6;
        if (r->runs > REPORT_DISTINCT && i % every != 0 && i + 1 != r->runs) continue;
        fprintf(
            r->file,
            "<label for=\"k%zu\" class=\"s%zu\"><svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\"><path class=\"m\" "
            "d=\"%s\"/></svg><span class=\"no\">%zu</span> <bdi>%s</bdi></label>",
            i, i, report_mark(i, r->runs), i + 1, r->inputs[i].name);
    }
    if (r->runs > REPORT_DISTINCT)
        fprintf(
            r->file,
            "<span class=\"more\">colours run in the order given; the table of the runs has all %zu switches</span>",
            r->runs);
    fputs("</div>\n", r->file);
}

static void key(const report *r, const char *drawing, const char *text) {
    fprintf(r->file, "<span><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\">%s</svg> %s</span>", drawing, text);
}

void report_colour_key(const report *r, const char *const *names, unsigned count, bool marks) {
    fputs("<p class=\"key\">", r->file);
    for (unsigned i = 0; i < count; i++) {
        fprintf(r->file,
                "<span class=\"f%u\"><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\"><path class=\"l\" d=\"M1 6H27\"/>",
                i);
        if (marks)
            fprintf(r->file, "<path class=\"m\" d=\"%s\" transform=\"translate(14 6)\"/>", report_mark(i, count));
        fprintf(r->file, "</svg> %s</span>", names[i]);
    }
    fputs("</p>\n", r->file);
}

void report_line_key(const report *r, unsigned keys) {
    if (keys == 0) return;
    fputs("<p class=\"key\">", r->file);
    if (keys & REPORT_KEY_CROSS)
        key(r,
            "<path class=\"m\" d=\"M2 2H8V8H2Z\"/><path class=\"lead\" d=\"M8 5L19 7\"/><path class=\"i\" d=\"M12 "
            "7H26M19 1V12\"/>",
            "mark: the mean as computed; cross: its bias-corrected value with 95 % intervals (grouped jackknife)");
    if (keys & REPORT_KEY_BOUND) key(r, "<path class=\"bound\" d=\"M1 6H27\"/>", "the bound: the best curve found");
    if (!(keys & (REPORT_KEY_CROSS | REPORT_KEY_BOUND))) key(r, "<path class=\"l\" d=\"M1 6H27\"/>", "as computed");
    if (keys & REPORT_KEY_BAND)
        key(r, "<path class=\"b\" d=\"M1 1H27V11H1Z\"/>",
            "95 % interval of the bias-corrected value (grouped jackknife)");
    if (keys & REPORT_KEY_BOOTSTRAP)
        key(r, "<path class=\"o\" d=\"M1 2H27M1 10H27\"/>",
            "95 % interval of the bootstrap over documents (shifted upwards where n-grams are rare)");
    if (keys & REPORT_KEY_NULL)
        key(r, "<path class=\"n\" d=\"M1 6H27\"/>", "null: the same labels at permuted positions");
    if (keys & REPORT_KEY_SWAP)
        key(r, "<path class=\"n\" d=\"M1 6H27\"/>", "null: chosen and rejected swapped within pairs");
    if (keys & REPORT_KEY_PERMUTED)
        key(r, "<path class=\"n dotted\" d=\"M1 6H27\"/>", "null: labels at permuted positions");
    fputs("</p>\n", r->file);
}

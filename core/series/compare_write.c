/* Comparisons as JSON, CSV and table. */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/file.h"
#include "core/base/number.h"
#include "core/output/folder_write.h"
#include "core/output/json_write.h"
#include "core/series/compare.h"

static const double ln2 = 0.6931471805599453;

static void write_paired(ip_json *j, const char *key, const ip_paired *p) {
    ip_json_open(j, key, '{', true);
    ip_json_double(j, "a", p->a);
    ip_json_double(j, "b", p->b);
    ip_json_double(j, "difference", p->difference);
    ip_json_double(j, "bias", p->interval.bias);
    ip_json_double(j, "corrected", p->interval.corrected);
    ip_json_double(j, "se", p->interval.se);
    ip_json_double(j, "low", p->interval.low);
    ip_json_double(j, "high", p->interval.high);
    ip_json_double(j, "boot_low", p->boot.low);
    ip_json_double(j, "boot_high", p->boot.high);
    ip_json_close(j, '}');
}

/* The figures of a row under the names of run.json: lists over orders. */
static void write_figures(ip_json *j, const ip_comparison *c, size_t row) {
    const ip_paired *figure = c->figure + row * c->figures;
    unsigned orders = c->a->orders;
    static const char *const lists[] = {"X", "Y", "optimality"};
    write_paired(j, "H", &figure[0]);
    write_paired(j, "context", &figure[1]);
    for (unsigned list = 0; list < 3; list++) {
        ip_json_open(j, lists[list], '[', true);
        for (unsigned k = 0; k < orders; k++) write_paired(j, NULL, &figure[2 + list * orders + k]);
        ip_json_close(j, ']');
    }
}

static void write_side(ip_json *j, const char *key, const ip_run *run) {
    ip_json_open(j, key, '{', true);
    ip_json_string(j, "path", run->model_path);
    ip_json_string(j, "name", run->model_name);
    ip_json_string(j, "fingerprint", run->model_fingerprint[0] ? run->model_fingerprint : NULL);
    ip_json_string(j, "family", run->family);
    ip_json_uint(j, "parameters", run->parameters);
    ip_json_uint(j, "layers", run->layers);
    ip_json_uint(j, "width", run->width);
    ip_json_string(j, "weights", run->weights);
    ip_json_string(j, "weights_stored", run->weights_stored);
    ip_json_string(j, "compute", run->compute);
    ip_json_uint(j, "tokens", run->tokens);
    ip_json_uint(j, "positions", run->positions);
    ip_json_close(j, '}');
}

static void write_json(const void *result, FILE *file) {
    const ip_comparison *c = result;
    const ip_run *a = c->a;
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.compare/1");
    ip_json_open(j, "infoplane", '{', true);
    ip_json_string(j, "version", INFOPLANE_VERSION);
    ip_json_close(j, '}');
    write_side(j, "a", a);
    write_side(j, "b", c->b);
    ip_json_open(j, "corpus", '{', true);
    ip_json_uint(j, "documents", a->documents);
    ip_json_string(j, "text_fingerprint", a->text_fingerprint[0] ? a->text_fingerprint : NULL);
    ip_json_bool(j, "same_ids", c->same_ids);
    ip_json_close(j, '}');
    ip_json_open(j, "estimator", '{', true);
    ip_json_uint(j, "bins", a->bins);
    ip_json_double(j, "log_bins", ip_log((double)a->bins));
    ip_json_string(j, "calibration", a->calibration);
    ip_json_uint(j, "orders", a->orders);
    ip_json_string(j, "labels", a->backoff ? "backoff" : "exact");
    ip_json_uint(j, "groups", a->groups);
    ip_json_uint(j, "bootstrap", c->resamples);
    ip_json_bool(j, "same_anchors", a->width == c->b->width);
    ip_json_close(j, '}');
    if (c->has_loss) {
        ip_json_string(j, "loss_unit", c->same_ids ? "nats per token" : "nats per document");
        write_paired(j, "loss", &c->loss);
    } else {
        ip_json_null(j, "loss_unit");
        ip_json_null(j, "loss");
    }
    ip_json_open(j, "mean", '{', true);
    write_figures(j, c, 0);
    ip_json_close(j, '}');
    if (c->rows > 1) {
        ip_json_open(j, "layers", '[', false);
        for (size_t r = 1; r < c->rows; r++) {
            ip_json_open(j, NULL, '{', true);
            ip_json_uint(j, "layer", r - 1);
            write_figures(j, c, r);
            ip_json_close(j, '}');
        }
        ip_json_close(j, ']');
    } else {
        ip_json_null(j, "layers");
    }
    ip_comparison_write_top(c, j);
    ip_json_close(j, '}');
    ip_json_end(j);
}

/* ---- CSV: a row per layer and figure ---- */

static void write_row(FILE *file, const char *layer, const char *figure, const ip_paired *p) {
    const double values[] = {p->a,
                             p->b,
                             p->difference,
                             p->interval.bias,
                             p->interval.corrected,
                             p->interval.se,
                             p->interval.low,
                             p->interval.high,
                             p->boot.low,
                             p->boot.high};
    char room[IP_NUMBER_ROOM];
    fprintf(file, "%s,%s", layer, figure);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        fprintf(file, ",%s", isfinite(values[i]) ? ip_number_text(values[i], room) : "");
    fputc('\n', file);
}

static void write_csv(const void *result, FILE *file) {
    const ip_comparison *c = result;
    char name[IP_QUANTITY_ROOM], layer[24];
    fputs("layer,figure,a,b,difference,bias,corrected,se,low,high,boot_low,boot_high\n", file);
    for (size_t r = 0; r < c->rows; r++) {
        snprintf(layer, sizeof layer, "%zu", r - 1);
        for (unsigned f = 0; f < c->figures; f++) {
            ip_figure_name(c->a, f, name);
            write_row(file, r == 0 ? "mean" : layer, name, &c->figure[r * c->figures + f]);
        }
    }
    if (c->has_loss) write_row(file, "", "loss", &c->loss);
}

/* ---- table ---- */

static void put_number(FILE *file, double x, double unit, int width) {
    if (isfinite(x)) {
        fprintf(file, " %*.4f", width, x / unit);
    } else {
        fprintf(file, " %*s", width, "-");
    }
}

/* A difference, and a star where its interval leaves out zero. */
static bool is_apart(const ip_paired *p) { return p->interval.low > 0.0 || p->interval.high < 0.0; }

static void put_paired(FILE *file, const char *name, const ip_paired *p, double unit) {
    fprintf(file, "%-22s", name);
    put_number(file, p->a, unit, 9);
    put_number(file, p->b, unit, 9);
    put_number(file, p->difference, unit, 9);
    fputs("  ", file);
    if (isfinite(p->interval.low)) {
        fprintf(file, "%8.4f to %7.4f%s", p->interval.low / unit, p->interval.high / unit, is_apart(p) ? " *" : "");
    } else {
        fputs("       -", file);
    }
    if (isfinite(p->boot.low))
        fprintf(file, "%s %8.4f to %7.4f", is_apart(p) ? "" : "  ", p->boot.low / unit, p->boot.high / unit);
    fputc('\n', file);
}

static void put_side(FILE *file, char side, const ip_run *run) {
    char name[256];
    snprintf(name, sizeof name, "%s", run->model_name);
    ip_make_printable(name);
    fprintf(file, "%c: %s, %s, %s, %llu layers of width %llu, %.1f M parameters\n", side, name, run->weights,
            run->compute, (unsigned long long)run->layers, (unsigned long long)run->width,
            (double)run->parameters / 1e6);
}

static void put_mean(FILE *file, const ip_comparison *c) {
    static const char *const lists[] = {"I(X;Z) complexity", "I(Y;Z) expressivity", "optimality"};
    unsigned orders = c->a->orders;
    char name[64];
    fprintf(file, "%-22s %9s %9s %9s  %s%s\n", "mean over layers", "A", "B", "A - B", "95 % interval of A - B",
            c->resamples > 0 ? "  bootstrap, 95 %" : "");
    put_paired(file, "H(Z)", &c->figure[0], ln2);
    put_paired(file, "I(C;Z) context", &c->figure[1], ln2);
    for (unsigned list = 0; list < 3; list++) {
        for (unsigned k = 0; k < orders; k++) {
            snprintf(name, sizeof name, "%s, %u", lists[list], k + 1);
            put_paired(file, name, &c->figure[2 + list * orders + k], list < 2 ? ln2 : 1.0);
        }
    }
    if (c->has_loss) put_paired(file, c->same_ids ? "loss per token" : "loss per document", &c->loss, ln2);
}

static void put_layers(FILE *file, const ip_comparison *c) {
    unsigned orders = c->a->orders;
    fprintf(file, "\nA - B by layer, order 1%s\n%5s %10s %10s %10s %10s %10s\n",
            orders > 1 ? " (the others in the CSV)" : "", "layer", "H(Z)", "I(C;Z)", "I(X;Z)", "I(Y;Z)", "optimality");
    for (size_t r = 1; r < c->rows; r++) {
        const ip_paired *figure = c->figure + r * c->figures;
        const unsigned shown[] = {0, 1, 2, 2 + orders, 2 + 2 * orders};
        fprintf(file, "%5zu", r - 1);
        for (unsigned i = 0; i < 5; i++) {
            put_number(file, figure[shown[i]].difference, i < 4 ? ln2 : 1.0, 9);
            fputc(is_apart(&figure[shown[i]]) ? '*' : ' ', file);
        }
        fputc('\n', file);
    }
}

void ip_comparison_write_table(const ip_comparison *c, FILE *file) {
    put_side(file, 'A', c->a);
    put_side(file, 'B', c->b);
    fprintf(file, "%llu documents, %s; bits; n-grams of order 1 to %u; ", (unsigned long long)c->a->documents,
            c->same_ids ? "the same tokens" : "the same text, each in its own tokens", c->a->orders);
    if (c->a->groups > 1) {
        fprintf(file, "paired jackknife over %u groups of documents; *: zero is outside", c->a->groups);
    } else {
        fputs("no intervals: the runs have no groups", file);
    }
    if (c->resamples > 0)
        fprintf(file, "; bootstrap: percentiles of A - B over %u resamples of the documents", c->resamples);
    fputs("\n\n", file);
    put_mean(file, c);
    if (c->rows > 1) {
        put_layers(file, c);
    } else {
        fputs("\nThe models have different numbers of layers: only the means are compared.\n", file);
    }
    ip_comparison_put_top(c, file);
}

void ip_comparison_write(const ip_comparison *comparison, bool json, FILE *file) {
    if (json) {
        write_json(comparison, file);
    } else {
        ip_comparison_write_table(comparison, file);
    }
}

ip_status ip_comparison_write_folder(const ip_comparison *comparison, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK) status = ip_folder_write(folder, "compare.csv", write_csv, comparison, error);
    if (status == IP_OK) status = ip_folder_write(folder, "compare.json", write_json, comparison, error);
    return status;
}

/* bound.json (schema infoplane.bound/1, nats), bound.csv, and the table for the terminal (bits). */
#include "core/bound/bound_report.h"

#include <math.h>
#include <stdlib.h>

#include "arch/scalar_math.h"
#include "core/base/file.h"
#include "core/base/number.h"
#include "core/output/folder_write.h"

static const double bit = 0.6931471805599453;

/* What no encoder of m codewords passes at this I(X;Z). */
static double upper(const ip_bound_curve *c, double I_X) {
    double log_m = ip_log((double)c->codewords), u = I_X < c->I_XY ? I_X : c->I_XY;
    return u < log_m ? u : log_m;
}

/* ---- JSON ---- */

static void write_point(ip_json *j, const ip_bound_curve *c, const ip_bound_point *p) {
    ip_json_open(j, NULL, '{', true);
    ip_json_double(j, "beta", p->beta);
    ip_json_double(j, "I_X", p->I_X);
    ip_json_double(j, "I_Y", p->I_Y);
    ip_json_double(j, "functional", p->functional);
    ip_json_double(j, "tolerance", p->tolerance);
    ip_json_double(j, "spread", p->spread);
    ip_json_double(j, "upper", upper(c, p->I_X));
    ip_json_uint(j, "codewords", p->codewords);
    ip_json_string(j, "kind", p->kind);
    ip_json_close(j, '}');
}

void ip_bound_curve_json(ip_json *j, const ip_bound_curve *c) {
    ip_json_uint(j, "order", c->order);
    ip_json_uint(j, "positions", c->positions);
    ip_json_open(j, "sizes", '{', true);
    ip_json_uint(j, "x", c->x);
    ip_json_uint(j, "y", c->y);
    ip_json_uint(j, "pairs", c->pairs);
    ip_json_uint(j, "merged_x", c->merged_x);
    ip_json_uint(j, "merged_y", c->merged_y);
    ip_json_uint(j, "merged_pairs", c->merged_pairs);
    ip_json_uint(j, "codewords", c->codewords);
    ip_json_close(j, '}');
    ip_json_double(j, "H_X", c->H_X);
    ip_json_double(j, "H_Y", c->H_Y);
    ip_json_double(j, "I_XY", c->I_XY);
    ip_json_open(j, "components", '{', true);
    ip_json_uint(j, "count", c->components);
    ip_json_double(j, "H", c->H_component);
    ip_json_double(j, "largest", c->largest_component);
    ip_json_close(j, '}');
    ip_json_open(j, "points", '[', false);
    for (size_t i = 0; i < c->point_count; i++) write_point(j, c, &c->points[i]);
    ip_json_close(j, ']');
    ip_json_open(j, "hull", '[', true);
    for (size_t i = 0; i < c->hull_count; i++) {
        ip_json_open(j, NULL, '[', true);
        ip_json_double(j, NULL, c->hull[i].I_X);
        ip_json_double(j, NULL, c->hull[i].I_Y);
        ip_json_close(j, ']');
    }
    ip_json_close(j, ']');
}

void ip_bound_write_json(const ip_bound *b, FILE *file) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.bound/1");
    ip_json_open(j, "infoplane", '{', true);
    ip_json_string(j, "version", INFOPLANE_VERSION);
    ip_json_string(j, "isa", b->isa);
    ip_json_uint(j, "threads", b->threads);
    ip_json_string(j, "sleef", ip_sleef_version());
    ip_json_close(j, '}');
    ip_json_open(j, "run", '{', true);
    ip_json_double(j, "seconds", b->seconds);
    ip_json_close(j, '}');
    ip_json_open(j, "tokenizer", '{', true);
    ip_json_string(j, "path", b->tokenizer ? b->tokenizer : b->model_path);
    ip_json_close(j, '}');
    ip_json_open(j, "corpus", '{', true);
    ip_json_files(j, b->files, b->file_count, true);
    ip_json_uint(j, "documents", b->documents);
    ip_json_uint(j, "tokens", b->tokens);
    ip_json_uint(j, "positions", b->positions);
    ip_json_uint(j, "max_tokens", b->max_tokens);
    ip_json_text(j, "text_fingerprint", b->text_fingerprint);
    ip_json_text(j, "ids_fingerprint", b->ids_fingerprint);
    ip_json_close(j, '}');
    ip_json_open(j, "bound", '{', true);
    ip_json_uint(j, "bins", b->bins);
    ip_json_double(j, "log_bins", ip_log((double)b->bins));
    ip_json_uint(j, "seed", b->seed);
    ip_json_string(j, "effort", b->effort);
    ip_json_uint(j, "orders", b->orders);
    ip_json_string(j, "labels", b->backoff ? "backoff" : "exact");
    ip_json_uint(j, "min_count", b->min_count);
    ip_json_string(j, "count_at", b->count_at_positions ? "positions" : "corpus");
    ip_json_close(j, '}');
    ip_json_open(j, "curves", '[', false);
    for (unsigned k = 0; k < b->orders; k++) {
        ip_json_open(j, NULL, '{', false);
        ip_bound_curve_json(j, b->curve[k]);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
}

/* ---- CSV ---- */

static void write_csv(const void *result, FILE *file) {
    const ip_bound *b = result;
    char n[7][IP_NUMBER_ROOM];
    fputs("order,beta,I_X,I_Y,functional,tolerance,spread,upper,codewords,kind\n", file);
    for (unsigned k = 0; k < b->orders; k++) {
        const ip_bound_curve *c = b->curve[k];
        for (size_t i = 0; i < c->point_count; i++) {
            const ip_bound_point *p = &c->points[i];
            const double values[7] = {p->beta,      p->I_X,    p->I_Y,          p->functional,
                                      p->tolerance, p->spread, upper(c, p->I_X)};
            fprintf(file, "%u", k + 1);
            for (int v = 0; v < 7; v++) fprintf(file, ",%s", ip_number_text(values[v], n[v]));
            fprintf(file, ",%llu,%s\n", (unsigned long long)p->codewords, p->kind);
        }
    }
}

/* ---- table ---- */

void ip_bound_curve_line(const ip_bound_curve *c, FILE *file) {
    fprintf(file,
            "order %u: %llu x, %llu y, %llu pairs (merged: %llu, %llu, %llu); I(X;Y) %.4f of H(X) %.4f, H(Y) %.4f\n",
            c->order, (unsigned long long)c->x, (unsigned long long)c->y, (unsigned long long)c->pairs,
            (unsigned long long)c->merged_x, (unsigned long long)c->merged_y, (unsigned long long)c->merged_pairs,
            c->I_XY / bit, c->H_X / bit, c->H_Y / bit);
    fprintf(file, "         %llu component%s, entropy %.4f, the largest with %.1f %% of the mass",
            (unsigned long long)c->components, c->components == 1 ? "" : "s", c->H_component / bit,
            100 * c->largest_component);
    fputs(c->H_component > 0.5 * ip_log((double)c->codewords) ? ": the text falls apart into n-grams\n         that "
                                                                "meet no others, and the curve is nearly the diagonal: "
                                                                "it says little about language\n"
                                                              : "\n",
          file);
}

static void write_points(const ip_bound_curve *c, FILE *file) {
    fprintf(file, "%10s %8s %8s %8s %8s %9s %9s %9s  %s\n", "beta", "I(X;Z)", "I(Y;Z)", "upper", "Y / X", "tolerance",
            "spread", "codewords", "kind");
    for (size_t i = 0; i < c->point_count; i++) {
        const ip_bound_point *p = &c->points[i];
        fprintf(file, "%10.4f %8.4f %8.4f %8.4f ", p->beta, p->I_X / bit, p->I_Y / bit, upper(c, p->I_X) / bit);
        if (p->I_X > 0) {
            fprintf(file, "%8.4f", p->I_Y / p->I_X);
        } else {
            fprintf(file, "%8s", "-");
        }
        fprintf(file, " %9.1e %9.1e %9llu  %s\n", p->tolerance / bit / p->beta, p->spread / bit / p->beta,
                (unsigned long long)p->codewords, p->kind);
    }
}

void ip_bound_write_table(const ip_bound *b, FILE *file) {
    fprintf(file, "%llu documents, %llu tokens, %llu counted positions; %llu codewords, labels %s",
            (unsigned long long)b->documents, (unsigned long long)b->tokens, (unsigned long long)b->positions,
            (unsigned long long)b->bins, b->backoff ? "backoff" : "exact");
    if (b->backoff) fprintf(file, " (min count %u)", b->min_count);
    fprintf(file, "; effort %s, seed %llu\n", b->effort, (unsigned long long)b->seed);
    fprintf(
        file,
        "bits. The best curve found, a lower bound of the true envelope: what lies above it is a finding, or a search\n"
        "that ended early. upper: min(I(X;Z), I(X;Y), log2 %llu), which nothing passes. tolerance, spread: of\n"
        "I(Y;Z) - I(X;Z)/beta, by the last step and between restarts\n",
        (unsigned long long)b->bins);
    for (unsigned k = 0; k < b->orders; k++) {
        fputc('\n', file);
        ip_bound_curve_line(b->curve[k], file);
        write_points(b->curve[k], file);
    }
}

/* ---- folder ---- */

static void write_json_file(const void *result, FILE *file) { ip_bound_write_json(result, file); }

ip_status ip_bound_write_folder(const ip_bound *bound, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK) status = ip_folder_write(folder, "bound.csv", write_csv, bound, error);
    if (status == IP_OK) status = ip_folder_write(folder, "bound.json", write_json_file, bound, error);
    return status;
}

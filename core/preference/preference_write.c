/* The result of `preference`: preference.json (schema infoplane.preference/1, nats), preference.csv, the table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/file.h"
#include "core/base/number.h"
#include "core/infoplane.h"
#include "core/output/folder_write.h"
#include "core/run/run.h"

static const double ln2 = 0.6931471805599453;

/* ---- JSON ---- */

/* The figures of a row, under the same names in JSON and CSV. */
typedef struct figure {
    const char *name;
    double value;
} figure;

enum { FIGURES = 13 };

static void figures_of(const ip_preference_layer *r, figure out[FIGURES]) {
    const figure all[FIGURES] = {{"H", r->H},
                                 {"I", r->I.I},
                                 {"null_swap", r->swapped.mean},
                                 {"null_swap_sd", r->swapped.sd},
                                 {"p_swap", r->swapped.p},
                                 {"null_permuted", r->permuted.mean},
                                 {"null_permuted_sd", r->permuted.sd},
                                 {"p_permuted", r->permuted.p},
                                 {"bias", r->I.bias},
                                 {"corrected", r->I.corrected},
                                 {"se", r->I.se},
                                 {"low", r->I.low},
                                 {"high", r->I.high}};
    memcpy(out, all, sizeof all);
}

static void write_row(ip_json *j, const ip_preference_layer *r) {
    figure row[FIGURES];
    figures_of(r, row);
    for (size_t i = 0; i < FIGURES; i++) ip_json_double(j, row[i].name, row[i].value);
}

static void write_inputs(ip_json *j, const ip_preference *p) {
    const ip_run *run = p->run;
    ip_json_open(j, "pairs", '{', false);
    ip_json_string(j, "path", run->files[0].path);
    ip_json_text(j, "fingerprint", run->files[0].fingerprint);
    ip_json_uint(j, "pairs", p->pairs);
    ip_json_uint(j, "tokens", run->tokens);
    ip_json_string(j, "counted", p->positions);
    ip_json_uint(j, "positions", run->positions);
    ip_json_uint(j, "chosen", p->chosen);
    ip_json_uint(j, "rejected", p->rejected);
    ip_json_uint(j, "empty", p->empty);
    ip_json_uint(j, "cut", p->cut);
    ip_json_uint(j, "max_tokens", run->max_tokens);
    ip_json_string(j, "chat", p->chat);
    ip_json_text(j, "text_fingerprint", run->text_fingerprint);
    ip_json_text(j, "ids_fingerprint", run->ids_fingerprint);
    ip_json_close(j, '}');
    ip_json_open(j, "estimator", '{', true);
    ip_json_string(j, "name", "soft");
    ip_json_uint(j, "bins", run->bins);
    ip_json_double(j, "log_bins", ip_log((double)run->bins));
    ip_json_string(j, "calibration", run->calibration);
    ip_json_double(j, "temperature", run->temperature);
    ip_json_uint(j, "seed", run->seed);
    ip_json_text(j, "anchors", run->anchors_fingerprint);
    ip_json_uint(j, "groups", run->groups);
    ip_json_uint(j, "null", run->null);
    ip_json_close(j, '}');
}

void ip_preference_write_json(const ip_preference *p, FILE *file) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.preference/1");
    ip_run_write_head(j, p->run);
    ip_run_write_model(j, p->run);
    write_inputs(j, p);
    ip_json_open(j, "layers", '[', false);
    for (size_t l = 0; l <= p->run->layers; l++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_uint(j, "layer", l);
        write_row(j, &p->layer[l]);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_open(j, "mean", '{', true);
    write_row(j, &p->mean);
    ip_json_close(j, '}');
    ip_json_close(j, '}');
    ip_json_end(j);
}

/* ---- table ---- */

static void cell(FILE *file, double x, double unit) {
    if (isfinite(x))
        fprintf(file, " %9.6f", x / unit);
    else
        fprintf(file, " %9s", "-");
}

static void table_row(FILE *file, const char *name, const ip_preference_layer *r) {
    fprintf(file, "%5s", name);
    cell(file, r->H, ln2);
    cell(file, r->I.I, ln2);
    cell(file, r->swapped.mean, ln2);
    cell(file, r->permuted.mean, ln2);
    cell(file, r->I.corrected, ln2);
    cell(file, r->I.low, ln2);
    cell(file, r->I.high, ln2);
    fputc('\n', file);
}

void ip_preference_write_table(const ip_preference *p, FILE *file) {
    const ip_run *run = p->run;
    fprintf(file, "%s: %s, %llu layers of width %llu, %.1f M parameters\n", run->model_name, run->family,
            (unsigned long long)run->layers, (unsigned long long)run->width, (double)run->parameters / 1e6);
    fprintf(file,
            "%llu pairs, %llu tokens, %llu chosen and %llu rejected positions (%s%s%s); %llu anchors, %s, "
            "epsilon %.8g; %s on %s\n\n",
            (unsigned long long)p->pairs, (unsigned long long)run->tokens, (unsigned long long)p->chosen,
            (unsigned long long)p->rejected, p->positions, p->chat ? ", chat template " : "", p->chat ? p->chat : "",
            (unsigned long long)run->bins, run->calibration, run->temperature, run->compute, run->isa);
    fprintf(file,
            "bits; swap: mean I of %u draws with pairs turned round; permuted: with positions permuted;\n"
            "corrected, low, high: grouped jackknife over pairs (%u groups)\n",
            run->null, run->groups);
    fprintf(file, "%5s %9s %9s %9s %9s %9s %9s %9s\n", "layer", "H(Z)", "I", "swap", "permuted", "corrected", "low",
            "high");
    char name[24];
    for (size_t l = 0; l <= run->layers; l++) {
        snprintf(name, sizeof name, "%zu", l);
        table_row(file, name, &p->layer[l]);
    }
    table_row(file, "mean", &p->mean);
}

/* ---- folder ---- */

static void csv_row(FILE *file, const char *name, const ip_preference_layer *r) {
    figure row[FIGURES];
    char text[IP_NUMBER_ROOM];
    figures_of(r, row);
    fputs(name, file);
    for (size_t i = 0; i < FIGURES; i++)
        fprintf(file, ",%s", isfinite(row[i].value) ? ip_number_text(row[i].value, text) : "");
    fputc('\n', file);
}

static void write_csv(const void *result, FILE *file) {
    const ip_preference *p = result;
    figure row[FIGURES];
    figures_of(&p->mean, row);
    fputs("layer", file);
    for (size_t i = 0; i < FIGURES; i++) fprintf(file, ",%s", row[i].name);
    fputc('\n', file);
    char name[24];
    for (size_t l = 0; l <= p->run->layers; l++) {
        snprintf(name, sizeof name, "%zu", l);
        csv_row(file, name, &p->layer[l]);
    }
    csv_row(file, "mean", &p->mean);
}

static void write_json_file(const void *result, FILE *file) { ip_preference_write_json(result, file); }

ip_status ip_preference_write_folder(const ip_preference *p, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    const uint64_t groups[3] = {p->run->layers + 1, 2, p->run->groups};
    if (status == IP_OK && p->run->groups > 0)
        status = ip_folder_write_array(folder, "preference-groups.npy", "<f8", 3, groups, p->without, error);
    if (status == IP_OK) status = ip_folder_write(folder, "preference.csv", write_csv, p, error);
    /* The JSON last: where it stands, the folder is whole. */
    if (status == IP_OK) status = ip_folder_write(folder, "preference.json", write_json_file, p, error);
    return status;
}

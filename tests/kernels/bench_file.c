/* Saved runs: JSON with every sample, schema infoplane.kernel-bench/1. What is read is judged before it is used. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/status.h"
#include "tests/kernels/bench.h"

#define SCHEMA "infoplane.kernel-bench/1"

static json_t *samples_json(const double *x, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, json_real(x[i]));
    return list;
}

int bench_save(const bench_run *run, const char *path) {
    json_t *kernels = json_array();
    for (size_t i = 0; i < run->count; i++) {
        const bench_row *r = &run->rows[i];
        json_array_append_new(kernels,
                              json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "isa", r->isa, "kernel", r->kernel, "shape",
                                        r->what, "peak", r->peak, "cycles", samples_json(r->cycles, r->count), "ns",
                                        samples_json(r->ns, r->count)));
    }
    json_t *root = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:b, s:o}", "schema", SCHEMA, "unit",
                             "per element of one call, each sample", "machine", "cpu", run->cpu, "isas", run->features,
                             "compiler", run->compiler, "quick", run->quick, "kernels", kernels);
    int status = root && json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 ? 0 : 1;
    if (status) fprintf(stderr, "check-kernels: cannot write %s: is the folder there, and is there room?\n", path);
    json_decref(root);
    return status;
}

static bool text_of(char *out, size_t room, const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || strlen(text) >= room) return false;
    strcpy(out, text);
    ip_make_printable(out);
    return true;
}

static bool samples_of(double *out, size_t n, const json_t *list) {
    if (json_array_size(list) != n) return false;
    for (size_t i = 0; i < n; i++) {
        out[i] = json_number_value(json_array_get(list, i));
        if (!(out[i] > 0 && isfinite(out[i]))) return false;
    }
    return true;
}

/* NULL: good, else what is wrong with it. */
static const char *row_of(bench_row *r, const json_t *entry) {
    *r = (bench_row){.count = json_array_size(json_object_get(entry, "cycles"))};
    if (!text_of(r->isa, sizeof r->isa, entry, "isa") || !text_of(r->kernel, sizeof r->kernel, entry, "kernel") ||
        !text_of(r->what, sizeof r->what, entry, "shape"))
        return "isa, kernel and shape are texts of up to 63 bytes";
    if (r->count < 2 || r->count > BENCH_SAMPLES) return "2 to 30 samples are wanted in cycles";
    if (!samples_of(r->cycles, r->count, json_object_get(entry, "cycles")) ||
        !samples_of(r->ns, r->count, json_object_get(entry, "ns")))
        return "cycles and ns are as many numbers above 0";
    r->peak = json_number_value(json_object_get(entry, "peak"));
    return r->peak >= 0 && isfinite(r->peak) ? NULL : "peak is a number, 0 where none is defined";
}

static bool named_before(const bench_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].isa, rows[n].isa) == 0 && strcmp(rows[i].kernel, rows[n].kernel) == 0 &&
            strcmp(rows[i].what, rows[n].what) == 0)
            return true;
    return false;
}

static const char *run_of(bench_run *run, const json_t *root, size_t *at) {
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const json_t *machine = json_object_get(root, "machine"), *kernels = json_object_get(root, "kernels");
    *at = 0;
    if (!schema || strcmp(schema, SCHEMA) != 0) return "its schema is not " SCHEMA;
    if (!text_of(run->cpu, sizeof run->cpu, machine, "cpu") ||
        !text_of(run->features, sizeof run->features, machine, "isas") ||
        !text_of(run->compiler, sizeof run->compiler, machine, "compiler"))
        return "machine lacks cpu, isas or compiler";
    run->quick = json_is_true(json_object_get(root, "quick"));
    size_t n = json_array_size(kernels);
    if (n == 0 || n > 10000) return "kernels is not a list of 1 to 10000 entries";
    run->rows = calloc(n, sizeof *run->rows);
    if (!run->rows) return "out of memory";
    for (; run->count < n; run->count++) {
        *at = run->count + 1;
        const char *why = row_of(&run->rows[run->count], json_array_get(kernels, run->count));
        if (!why && named_before(run->rows, run->count)) why = "the same kernel and shape stand there twice";
        if (why) return why;
    }
    return NULL;
}

int bench_load(bench_run *run, const char *path) {
    *run = (bench_run){0};
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    ip_error message = {0};
    if (!root) {
        ip_fail(&message, IP_BAD_INPUT, "%s, line %d: %s; a file written by --save is wanted", path, error.line,
                error.text);
    } else {
        size_t at;
        const char *why = run_of(run, root, &at);
        if (why && at)
            ip_fail(&message, IP_BAD_INPUT, "%s, entry %zu of kernels: %s", path, at, why);
        else if (why)
            ip_fail(&message, IP_BAD_INPUT, "%s: %s; a file written by --save is wanted", path, why);
    }
    json_decref(root);
    if (message.status == IP_OK) return 0;
    fprintf(stderr, "check-kernels: %s\n", message.message);
    free(run->rows);
    *run = (bench_run){0};
    return message.status;
}

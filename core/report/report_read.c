/* What a report is made of: each argument is a run folder or one of the program's JSON results, told apart by its
 * "schema", never by its name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arch/scalar_math.h"
#include "core/base/file.h"
#include "core/estimators/method.h"
#include "core/report/report.h"
#include "core/run/run_read.h"

/* Of each kind: its schema, and the file that holds it in a folder that its command made. */
static const struct {
    const char *schema, *file;
} kinds[REPORT_KINDS] = {
    [REPORT_RUN] = {"infoplane.run/1", "run.json"},
    [REPORT_BOUND] = {"infoplane.bound/1", "bound.json"},
    [REPORT_TRAJECTORY] = {"infoplane.trajectory/1", "trajectory.json"},
    [REPORT_CORRELATE] = {"infoplane.correlate/1", "correlate.json"},
    [REPORT_PREFERENCE] = {"infoplane.preference/1", "preference.json"},
    [REPORT_OVERLAP] = {"infoplane.overlap/1", "overlap.json"},
};

/* "run.json, bound.json, ... or overlap.json", for messages. */
enum { LIST_ROOM = 192 };
static const char *known_files(char out[LIST_ROOM]) {
    size_t used = 0;
    for (unsigned k = 0; k < REPORT_KINDS; k++)
        used += (size_t)snprintf(out + used, LIST_ROOM - used, "%s%s",
                                 k == 0                 ? ""
                                 : k + 1 < REPORT_KINDS ? ", "
                                                        : " or ",
                                 kinds[k].file);
    return out;
}

bool report_has(const report *r, report_kind kind) {
    for (size_t i = 0; i < r->count; i++)
        if (r->inputs[i].kind == kind) return true;
    return false;
}

/* Where groups.npy does not stand beside run.json, the intervals of the means are only in its text. */
static void take_interval(ip_estimate *e, const ip_node *node) {
    if (!isfinite(e->boot_low)) {
        e->boot_low = report_number(node, "boot_low");
        e->boot_high = report_number(node, "boot_high");
    }
    if (isfinite(e->low)) return;
    e->bias = report_number(node, "bias");
    e->corrected = report_number(node, "corrected");
    e->se = report_number(node, "se");
    e->low = report_number(node, "low");
    e->high = report_number(node, "high");
}

void report_mean(const report *r, size_t run, ip_layer_result *mean, double optimality[IP_MAX_ORDERS]) {
    const report_input *input = &r->inputs[run];
    const ip_node *node = ip_node_get(input->node, "mean");
    ip_run_mean(input->run, mean, optimality);
    for (unsigned k = 0; k < input->run->orders; k++) {
        take_interval(&mean->x[k], ip_node_at(ip_node_get(node, "X"), k));
        take_interval(&mean->y[k], ip_node_at(ip_node_get(node, "Y"), k));
    }
}

bool report_has_runs(const report *r) { return r->runs > 0; }

static ip_status recognise(report_input *input, const char *file, ip_error *error) {
    const char *schema = NULL;
    if (!ip_node_text(ip_node_get(input->node, "schema"), &schema))
        return ip_fail(error, IP_BAD_INPUT, "%s: no \"schema\": not a result that a report can show", file);
    for (unsigned k = 0; k < REPORT_KINDS; k++) {
        input->kind = (report_kind)k;
        if (strcmp(schema, kinds[k].schema) == 0) return IP_OK;
    }
    return ip_fail(error, IP_BAD_INPUT, "%s: schema %.60s: a report shows what is in %s", file, schema,
                   known_files((char[LIST_ROOM]){0}));
}

/* The model's name in any of the documents, else the path. */
static const char *name_of(const report_input *input) {
    const char *name = NULL;
    if (input->run) return input->run->model_name;
    ip_node_text(ip_node_get(ip_node_get(input->node, "model"), "name"), &name);
    return name ? name : input->path;
}

/* Of the files of a corpus the first one, and how many more; malloc'ed. */
static char *corpus_of(const report_input *input, const char *key) {
    const ip_node *files = ip_node_get(ip_node_get(input->node, key), "files");
    const char *path = "?";
    char *name = NULL;
    size_t count = ip_node_count(files);
    ip_node_text(ip_node_get(ip_node_at(files, 0), "path"), &path);
    if (count < 2) return strdup(path);
    return asprintf(&name, "%s and %zu more", path, count - 1) < 0 ? NULL : name;
}

/* "a.jsonl against b.jsonl"; malloc'ed. */
static char *corpora_of(const report_input *input) {
    char *a = corpus_of(input, "corpus"), *b = corpus_of(input, "against"), *name = NULL;
    if (a && b && asprintf(&name, "%s against %s", a, b) < 0) name = NULL;
    free(a);
    free(b);
    return name;
}

static ip_status parse(report_input *input, const char *file, const void *data, size_t size, ip_error *error) {
    input->node = ip_node_parse(file, "result", data, size, false, error);
    return input->node ? recognise(input, file, error) : IP_BAD_INPUT;
}

static ip_status name(report_input *input, ip_error *error) {
    char *corpora = input->kind == REPORT_OVERLAP ? corpora_of(input) : NULL;
    if (input->kind != REPORT_OVERLAP || corpora) input->name = report_escaped(corpora ? corpora : name_of(input));
    free(corpora);
    return input->name ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", input->path);
}

static ip_status read_file(report_input *input, const char *path, const char *file, ip_error *error) {
    *input = (report_input){.path = path};
    ip_map map;
    ip_status status = ip_map_open(&map, file, error);
    if (status != IP_OK) return status;
    status = parse(input, file, map.data, map.size, error);
    ip_map_close(&map);
    if (status == IP_OK && input->kind == REPORT_RUN) status = ip_run_read(&input->run, file, error);
    return status == IP_OK ? name(input, error) : status;
}

/* Every known result that a folder holds; of a file, that one. */
static ip_status read_argument(report *r, const char *path, ip_error *error) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return read_file(&r->inputs[r->count++], path, path, error);
    size_t before = r->count;
    ip_status status = IP_OK;
    for (unsigned k = 0; k < REPORT_KINDS && status == IP_OK; k++) {
        char *file = ip_join_path(path, kinds[k].file);
        if (!file) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
        if (stat(file, &info) == 0) status = read_file(&r->inputs[r->count++], path, file, error);
        free(file);
    }
    if (status == IP_OK && r->count == before)
        return ip_fail(error, IP_BAD_INPUT, "%s: no %s in it", path, known_files((char[LIST_ROOM]){0}));
    return status;
}

/* Runs to the front, the order among equals kept. */
static void order(report *r) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->inputs[i].kind != REPORT_RUN) continue;
        report_input run = r->inputs[i];
        memmove(&r->inputs[r->runs + 1], &r->inputs[r->runs], (i - r->runs) * sizeof run);
        r->inputs[r->runs++] = run;
    }
}

static void survey(report *r) {
    r->same_depth = true;
    r->log_bins = NAN;
    for (size_t i = 0; i < r->runs; i++) {
        const ip_run *run = r->inputs[i].run, *first = r->inputs[0].run;
        if (run->orders > r->orders) r->orders = run->orders;
        if (run->layers > r->layers) r->layers = (size_t)run->layers;
        if (run->layers != first->layers) r->same_depth = false;
    }
    bool same_bins = r->runs > 0 && r->inputs[0].run->bins > 1;
    for (size_t i = 1; i < r->runs; i++)
        same_bins = same_bins && r->inputs[i].run->bins == r->inputs[0].run->bins &&
                    strcmp(r->inputs[i].run->estimator, r->inputs[0].run->estimator) == 0;
    if (same_bins) r->log_bins = ip_method_log_bins(r->inputs[0].run->estimator, r->inputs[0].run->bins);
}

/* Runs of one name are told apart by their weights, and then by their paths. */
static bool distinguish(report *r) {
    for (size_t i = 0; i < r->runs; i++) {
        const ip_run *own = r->inputs[i].run;
        bool same_name = false, same_weights = false;
        for (size_t j = 0; j < r->runs; j++) {
            const ip_run *other = r->inputs[j].run;
            if (j == i || strcmp(own->model_name, other->model_name) != 0) continue;
            same_name = true;
            same_weights = same_weights || strcmp(own->weights, other->weights) == 0;
        }
        if (!same_name) continue;
        char *more = report_escaped(same_weights ? r->inputs[i].path : own->weights), *name = NULL;
        if (more && asprintf(&name, "%s (%s)", r->inputs[i].name, more) < 0) name = NULL;
        free(more);
        if (!name) return false;
        free(r->inputs[i].name);
        r->inputs[i].name = name;
    }
    return true;
}

static ip_status finish(report *r, ip_error *error) {
    order(r);
    survey(r);
    if (!distinguish(r)) return ip_fail(error, IP_FAILED, "out of memory");
    r->room = calloc(REPORT_ROOM * (r->layers + 1), sizeof *r->room);
    return r->room ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
}

ip_status report_read(report *r, const char *const *paths, size_t count, ip_error *error) {
    ip_status status = IP_OK;
    *r = (report){.inputs = calloc(count * REPORT_KINDS + 1, sizeof *r->inputs)};
    if (!r->inputs) return ip_fail(error, IP_FAILED, "out of memory");
    for (size_t i = 0; i < count && status == IP_OK; i++) status = read_argument(r, paths[i], error);
    return status == IP_OK ? finish(r, error) : status;
}

ip_status report_parse(report *r, const char *path, const void *data, size_t size, ip_error *error) {
    *r = (report){.inputs = calloc(1, sizeof *r->inputs)};
    if (!r->inputs) return ip_fail(error, IP_FAILED, "out of memory");
    report_input *input = &r->inputs[0];
    r->count = 1;
    input->path = path;
    ip_status status = parse(input, path, data, size, error);
    if (status == IP_OK && input->kind == REPORT_RUN) status = ip_run_parse(&input->run, path, data, size, error);
    if (status == IP_OK) status = name(input, error);
    return status == IP_OK ? finish(r, error) : status;
}

void report_free(report *r) {
    for (size_t i = 0; r->inputs && i < r->count; i++) {
        ip_node_free(r->inputs[i].node);
        ip_run_free(r->inputs[i].run);
        free(r->inputs[i].name);
    }
    free(r->inputs);
    free(r->room);
}

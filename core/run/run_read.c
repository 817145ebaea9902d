/* Reading run.json, groups.npy and token-loss.npy. Nothing in them is believed unchecked: a run folder may come from
 * another machine, another version, or an editor. null and NaN are the same thing on the two sides. */
#include "core/run/run_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/npy.h"
#include "core/estimators/method.h"
#include "core/estimators/temperature.h"
#include "core/numbers/jackknife.h"
#include "models/json.h"

/* Where a value is looked for; the first thing missing or odd is kept as the error. */
typedef struct reader {
    const char *path;
    ip_error *error;
    ip_status status;
} reader;

static void odd(reader *r, const char *where, const char *key, const char *needed) {
    if (r->status != IP_OK) return;
    r->status =
        ip_fail(r->error, IP_BAD_INPUT, "%s: %s%s%s must be %s", r->path, where, where[0] ? "." : "", key, needed);
}

static const ip_node *member(reader *r, const ip_node *node, const char *where, const char *key, bool array) {
    const ip_node *found = ip_node_get(node, key);
    if (array ? !ip_node_is_array(found) : !ip_node_is_object(found))
        odd(r, where, key, array ? "a list" : "an object");
    return found;
}

static uint64_t whole(reader *r, const ip_node *node, const char *where, const char *key, uint64_t most) {
    uint64_t value = 0;
    if (!ip_node_whole(ip_node_get(node, key), &value) || value > most) odd(r, where, key, "a whole number in range");
    return value;
}

/* A count that a run may not have: null is 0. */
static uint64_t whole_or_none(reader *r, const ip_node *node, const char *where, const char *key, uint64_t most) {
    return ip_node_get(node, key) ? whole(r, node, where, key, most) : 0;
}

static double number(reader *r, const ip_node *node, const char *where, const char *key) {
    const ip_node *found = ip_node_get(node, key);
    double value = NAN;
    if (found && !ip_node_number(found, &value)) odd(r, where, key, "a number or null");
    return value;
}

static char *text(reader *r, const ip_node *node, const char *where, const char *key) {
    const char *value = "";
    if (!ip_node_text(ip_node_get(node, key), &value)) odd(r, where, key, "a text");
    char *copy = strdup(value);
    if (!copy && r->status == IP_OK) r->status = ip_fail(r->error, IP_FAILED, "%s: out of memory", r->path);
    return copy;
}

/* Into a field of fixed size; null gives an empty text. */
static void short_text(reader *r, const ip_node *node, const char *where, const char *key, char *out, size_t n) {
    const ip_node *found = ip_node_get(node, key);
    const char *value = "";
    if (found && (!ip_node_text(found, &value) || strlen(value) >= n)) odd(r, where, key, "a short text");
    snprintf(out, n, "%s", value);
}

static void read_model(reader *r, ip_run *run, const ip_node *root) {
    const ip_node *m = member(r, root, "", "model", false);
    run->model_path = text(r, m, "model", "path");
    run->model_name = text(r, m, "model", "name");
    run->family = text(r, m, "model", "family");
    run->weights = text(r, m, "model", "weights");
    run->weights_stored = text(r, m, "model", "weights_stored");
    short_text(r, m, "model", "fingerprint", run->model_fingerprint, sizeof run->model_fingerprint);
    run->parameters = whole(r, m, "model", "parameters", UINT64_MAX);
    run->layers = whole(r, m, "model", "layers", 1 << 20);
    run->width = whole(r, m, "model", "width", UINT32_MAX);
    run->vocabulary = whole(r, m, "model", "vocabulary", UINT32_MAX);
}

static void read_corpus(reader *r, ip_run *run, const ip_node *root) {
    const ip_node *c = member(r, root, "", "corpus", false), *files = member(r, c, "corpus", "files", true);
    size_t count = ip_node_count(files);
    run->files = calloc(count + 1, sizeof *run->files);
    if (!run->files && r->status == IP_OK) r->status = ip_fail(r->error, IP_FAILED, "%s: out of memory", r->path);
    for (size_t i = 0; run->files && i < count; i++) {
        const ip_node *file = ip_node_at(files, i);
        run->files[i].path = text(r, file, "corpus.files", "path");
        short_text(r, file, "corpus.files", "fingerprint", run->files[i].fingerprint, sizeof run->files[i].fingerprint);
        run->file_count = i + 1;
    }
    run->documents = whole(r, c, "corpus", "documents", UINT64_MAX);
    run->tokens = whole(r, c, "corpus", "tokens", UINT64_MAX);
    run->positions = whole(r, c, "corpus", "positions", UINT64_MAX);
    run->max_tokens = whole(r, c, "corpus", "max_tokens", UINT64_MAX);
    run->replaced = whole_or_none(r, c, "corpus", "replaced", UINT64_MAX);
    short_text(r, c, "corpus", "text_fingerprint", run->text_fingerprint, sizeof run->text_fingerprint);
    short_text(r, c, "corpus", "ids_fingerprint", run->ids_fingerprint, sizeof run->ids_fingerprint);
}

static void read_estimator(reader *r, ip_run *run, const ip_node *root) {
    const ip_node *e = member(r, root, "", "estimator", false);
    char word[32];
    short_text(r, e, "estimator", "name", word, sizeof word);
    run->estimator = ip_method_known(word[0] ? word : "soft"); /* the only one before there was a choice */
    if (!run->estimator) odd(r, "estimator", "name", "soft, hard, binning, kmeans or matrix");
    run->bins = whole(r, e, "estimator", "bins", UINT32_MAX);
    run->temperature = number(r, e, "estimator", "temperature");
    run->seed = whole(r, e, "estimator", "seed", UINT64_MAX);
    short_text(r, e, "estimator", "anchors", run->anchors_fingerprint, sizeof run->anchors_fingerprint);
    run->orders = (unsigned)whole(r, e, "estimator", "orders", IP_MAX_ORDERS);
    if (run->orders == 0) odd(r, "estimator", "orders", "1 to 4");
    run->min_count = (uint32_t)whole(r, e, "estimator", "min_count", UINT32_MAX);
    run->groups = (unsigned)whole_or_none(r, e, "estimator", "groups", IP_MAX_GROUPS);
    run->null = (unsigned)whole_or_none(r, e, "estimator", "null", UINT32_MAX);
    run->bootstrap = (unsigned)whole_or_none(r, e, "estimator", "bootstrap", UINT32_MAX);
    short_text(r, e, "estimator", "labels", word, sizeof word);
    run->backoff = strcmp(word, "backoff") == 0;
    if (!run->backoff && strcmp(word, "exact") != 0) odd(r, "estimator", "labels", "exact or backoff");
    short_text(r, e, "estimator", "count_at", word, sizeof word);
    run->count_at_positions = strcmp(word, "positions") == 0;
    ip_calibration calibration;
    run->calibration = "";
    short_text(r, e, "estimator", "calibration", word, sizeof word);
    if (ip_calibration_by_name(&calibration, word)) {
        run->calibration = ip_calibration_name(calibration);
    } else if (word[0] != '\0' || (run->estimator && strcmp(run->estimator, "soft") == 0)) { /* others have none */
        odd(r, "estimator", "calibration", "leading-order, vmf-bound or vmf-exact");
    }
}

static void read_machine(reader *r, ip_run *run, const ip_node *root) {
    const ip_node *about = member(r, root, "", "infoplane", false), *work = member(r, root, "", "run", false);
    short_text(r, about, "infoplane", "isa", run->isa, sizeof run->isa);
    short_text(r, about, "infoplane", "compute", run->compute, sizeof run->compute);
    run->threads = (unsigned)whole(r, about, "infoplane", "threads", UINT32_MAX);
    run->ranks = ip_node_get(about, "ranks") ? (unsigned)whole(r, about, "infoplane", "ranks", UINT32_MAX) : 1;
    run->seconds = number(r, work, "run", "seconds");
    short_text(r, work, "run", "started", run->started, sizeof run->started);
    const ip_node *memory = ip_node_get(work, "memory");
    run->memory = whole_or_none(r, memory, "run.memory", "bound", UINT64_MAX);
    run->peak_memory = whole_or_none(r, memory, "run.memory", "peak", UINT64_MAX);
}

static ip_loss_result read_loss(reader *r, const ip_node *node) {
    return (ip_loss_result){number(r, node, "loss", "nats_per_token"), whole(r, node, "loss", "tokens", UINT64_MAX)};
}

static void read_estimates(reader *r, const ip_run *run, const ip_node *layer, const char *key, ip_estimate *out) {
    const ip_node *list = member(r, layer, "layers", key, true);
    if (ip_node_count(list) != run->orders) odd(r, "layers", key, "a list of one member per order");
    for (unsigned k = 0; k < run->orders; k++) {
        const ip_node *e = ip_node_at(list, k);
        out[k] = (ip_estimate){.I = number(r, e, key, "I"),
                               .null = number(r, e, key, "null"),
                               .bias = number(r, e, key, "bias"),
                               .corrected = number(r, e, key, "corrected"),
                               .se = number(r, e, key, "se"),
                               .low = number(r, e, key, "low"),
                               .high = number(r, e, key, "high"),
                               .boot_low = number(r, e, key, "boot_low"),
                               .boot_high = number(r, e, key, "boot_high"),
                               .distinct = whole(r, e, key, "distinct", UINT64_MAX)};
    }
}

static void read_layers(reader *r, ip_run *run, const ip_node *root) {
    const ip_node *layers = member(r, root, "", "layers", true);
    if (r->status == IP_OK && ip_node_count(layers) != run->layers + 1)
        odd(r, "", "layers", "a list of one member per layer and the embedding");
    if (r->status != IP_OK) return;
    run->layer = calloc(run->layers + 1, sizeof *run->layer);
    if (!run->layer) r->status = ip_fail(r->error, IP_FAILED, "%s: out of memory", r->path);
    for (size_t l = 0; run->layer && l <= run->layers; l++) {
        const ip_node *node = ip_node_at(layers, l);
        if (whole(r, node, "layers", "layer", UINT64_MAX) != l) odd(r, "layers", "layer", "0, 1, 2 and so on");
        run->layer[l].H = number(r, node, "layers", "H");
        run->layer[l].context = number(r, node, "layers", "context");
        run->layer[l].effective_rank = number(r, node, "layers", "effective_rank");
        read_estimates(r, run, node, "X", run->layer[l].x);
        read_estimates(r, run, node, "Y", run->layer[l].y);
        const ip_node *lens = ip_node_get(node, "lens");
        run->has_lens = lens != NULL;
        if (lens) {
            run->layer[l].lens = number(r, lens, "lens", "nats");
            run->layer[l].lens_entropy = number(r, lens, "lens", "entropy");
        }
    }
}

static void read_top_list(reader *r, ip_top_list_of *out, const ip_node *list, unsigned order) {
    if (!ip_node_is_array(list)) odd(r, "top", "X and Y", "lists of one list per order");
    size_t count = ip_node_count(list);
    out->rows = calloc(count + 1, sizeof *out->rows);
    if (!out->rows && r->status == IP_OK) r->status = ip_fail(r->error, IP_FAILED, "%s: out of memory", r->path);
    for (size_t i = 0; r->status == IP_OK && i < count; i++) {
        const ip_node *node = ip_node_at(list, i), *ids = member(r, node, "top", "ids", true);
        ip_top_ngram *row = &out->rows[i];
        row->length = (unsigned)ip_node_count(ids);
        if (row->length < 1 || row->length > order) odd(r, "top", "ids", "a list of at most as many as the order");
        for (unsigned t = 0; r->status == IP_OK && t < row->length; t++) {
            uint64_t id = 0;
            if (!ip_node_whole(ip_node_at(ids, t), &id) || id > INT32_MAX) odd(r, "top", "ids", "ids of tokens");
            row->ids[t] = (int32_t)id;
        }
        row->count = whole(r, node, "top", "count", UINT64_MAX);
        row->nats = number(r, node, "top", "nats");
        row->text = text(r, node, "top", "text");
        out->count = i + 1;
    }
}

static void read_top(reader *r, ip_run *run, const ip_node *root) {
    const ip_node *top = ip_node_get(root, "top");
    if (!top || r->status != IP_OK) return;
    run->top = (unsigned)whole(r, top, "top", "of", IP_TOP_MOST);
    const ip_node *x = member(r, top, "top", "X", true), *y = member(r, top, "top", "Y", true);
    if (ip_node_count(x) != run->orders || ip_node_count(y) != run->orders)
        odd(r, "top", "X and Y", "lists of one list per order");
    for (unsigned k = 0; r->status == IP_OK && k < run->orders; k++) {
        read_top_list(r, &run->top_x[k], ip_node_at(x, k), k + 1);
        read_top_list(r, &run->top_y[k], ip_node_at(y, k), k + 1);
    }
}

static void read_description(reader *r, ip_run *run, const ip_node *root, const char *schema) {
    const char *found = NULL;
    if (!ip_node_text(ip_node_get(root, "schema"), &found) || strcmp(found, schema) != 0) {
        odd(r, "", "schema",
            strcmp(schema, "infoplane.run/1") == 0 ? "\"infoplane.run/1\": the result of analyze -o" : schema);
        return;
    }
    read_machine(r, run, root);
    read_model(r, run, root);
    read_corpus(r, run, root);
    read_estimator(r, run, root);
}

static void read_root(reader *r, ip_run *run, const ip_node *root) {
    read_description(r, run, root, "infoplane.run/1");
    if (r->status != IP_OK) return;
    const ip_node *loss = ip_node_get(root, "loss"), *end = ip_node_get(loss, "with_end");
    run->has_loss = loss != NULL;
    run->has_end = end != NULL;
    if (loss) run->loss = read_loss(r, loss);
    if (end) run->loss_end = read_loss(r, end);
    read_layers(r, run, root);
    read_top(r, run, root);
}

ip_status ip_run_parse_description(ip_run **out, const char *path, const ip_node *root, const char *schema,
                                   ip_error *error) {
    ip_run *run = *out = calloc(1, sizeof *run);
    if (!run) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    reader r = {path, error, IP_OK};
    read_description(&r, run, root, schema);
    return r.status;
}

ip_status ip_run_parse(ip_run **out, const char *path, const void *data, size_t size, ip_error *error) {
    *out = NULL;
    ip_node *root = ip_node_parse(path, "run", data, size, false, error);
    if (!root) return IP_BAD_INPUT;
    ip_run *run = calloc(1, sizeof *run);
    reader r = {path, error, run ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", path)};
    if (run) read_root(&r, run, root);
    ip_node_free(root);
    if (r.status == IP_OK) {
        *out = run;
    } else {
        ip_run_free(run);
    }
    return r.status;
}

/* ---- the arrays beside run.json ---- */

static ip_status check_array(const ip_npy *npy, const char *shape, bool fits, unsigned size, ip_error *error) {
    if (npy->kind == 'f' && npy->size == size && fits && !npy->fortran) return IP_OK;
    return ip_fail(error, IP_BAD_INPUT, "%s: must be f%u %s as its run.json says: the two do not belong together",
                   npy->path, size, shape);
}

/* The values of an array that is there, as doubles or floats by size; NULL in *out when there is no such file. */
static ip_status read_array(void **out, const char *folder, const char *name, unsigned dims, const uint64_t *shape,
                            unsigned size, ip_error *error) {
    *out = NULL;
    char *path = ip_join_path(folder, name);
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    struct stat info;
    ip_npy npy;
    ip_status status = IP_OK;
    if (stat(path, &info) != 0) {
        free(path);
        return IP_OK;
    }
    status = ip_npy_open(&npy, path, error);
    free(path);
    if (status != IP_OK) return status;
    bool fits = npy.dims == dims;
    char text[96] = "[";
    for (unsigned i = 0; i < dims; i++) {
        fits = fits && npy.shape[i] == shape[i];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%llu", i > 0 ? ", " : "",
                 (unsigned long long)shape[i]);
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "]");
    status = check_array(&npy, text, fits, size, error);
    if (status == IP_OK) {
        /* One row per element: whatever the file's byte order. */
        npy.dims = 2;
        npy.shape[0] = npy.count;
        npy.shape[1] = 1;
        *out = malloc((size_t)npy.count * size + 1);
        if (!*out) status = ip_fail(error, IP_FAILED, "%s: out of memory", npy.path);
        for (uint64_t i = 0; status == IP_OK && i < npy.count; i++) {
            if (size == 8) {
                ip_npy_row_f64(&npy, i, (double *)*out + i);
            } else {
                ip_npy_row_f32(&npy, i, (float *)*out + i);
            }
        }
    }
    ip_npy_close(&npy);
    return status;
}

/* Where documents begin in token-loss.npy; NULL in run->loss_offsets when there is no such file. */
static ip_status read_loss_offsets(ip_run *run, const char *folder, ip_error *error) {
    char *path = ip_join_path(folder, "token-loss.offsets.npy");
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    struct stat info;
    ip_npy npy;
    bool there = stat(path, &info) == 0;
    ip_status status = there ? ip_npy_open(&npy, path, error) : IP_OK;
    if (there && status == IP_OK) {
        bool fits =
            npy.kind != 'f' && npy.dims == 1 && run->documents < UINT64_MAX && npy.shape[0] == run->documents + 1;
        run->loss_offsets = fits ? malloc((size_t)npy.count * sizeof *run->loss_offsets) : NULL;
        if (fits && !run->loss_offsets) status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
        uint64_t before = 0;
        for (uint64_t i = 0; fits && status == IP_OK && i < npy.count; i++) {
            uint64_t at = (uint64_t)ip_npy_int(&npy, i);
            fits = at >= before && at <= run->loss.tokens && (i > 0 || at == 0);
            run->loss_offsets[i] = before = at;
        }
        if (status == IP_OK && (!fits || before != run->loss.tokens))
            status =
                ip_fail(error, IP_BAD_INPUT,
                        "%s: must hold the documents' borders in token-loss.npy: the two do not belong together", path);
        ip_npy_close(&npy);
    }
    free(path);
    return status;
}

static ip_status read_arrays(ip_run *run, const char *folder, ip_error *error) {
    uint64_t groups[3] = {run->layers + 1, ip_run_quantities(run), run->groups}, losses[1] = {run->loss.tokens};
    void *values;
    ip_status status = IP_OK;
    if (run->groups > 0) {
        status = read_array(&values, folder, "groups.npy", 3, groups, 8, error);
        run->without = values;
    }
    uint64_t resamples[3] = {run->layers + 1, ip_run_quantities(run), run->bootstrap};
    if (status == IP_OK && run->bootstrap > 0) {
        status = read_array(&values, folder, "resamples.npy", 3, resamples, 8, error);
        run->resampled = values;
    }
    if (status == IP_OK && run->has_loss) {
        status = read_array(&values, folder, "token-loss.npy", 1, losses, 4, error);
        run->token_loss = values;
        if (status == IP_OK && values) status = read_loss_offsets(run, folder, error);
    }
    return status;
}

/* "DIR" -> DIR; "DIR/run.json" -> DIR. malloc'ed. */
static char *folder_of(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return strdup(path);
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
}

ip_status ip_run_read(ip_run **out, const char *path, ip_error *error) {
    *out = NULL;
    char *folder = folder_of(path);
    struct stat info;
    bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    char *file = folder ? (is_folder ? ip_join_path(folder, "run.json") : strdup(path)) : NULL;
    ip_map map = {NULL, 0};
    ip_status status = file ? ip_map_open(&map, file, error) : ip_fail(error, IP_FAILED, "%s: out of memory", path);
    if (status == IP_OK) status = ip_run_parse(out, file, map.data, map.size, error);
    if (status == IP_OK) status = read_arrays(*out, folder, error);
    if (status != IP_OK) {
        ip_run_free(*out);
        *out = NULL;
    }
    ip_map_close(&map);
    free(file);
    free(folder);
    return status;
}

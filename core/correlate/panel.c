/* Panels: making, naming, freeing, and joining runs with scores. */
#include "core/correlate/panel.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/input/session.h"
#include "models/json.h"

void ip_tell_line(ip_tell tell, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ip_host_warn(tell.host, format, args);
    va_end(args);
}

/* ---- building blocks ---- */

static double *unknown(size_t n) {
    double *values = malloc((n + 1) * sizeof *values);
    for (size_t i = 0; values && i < n; i++) values[i] = NAN;
    return values;
}

bool ip_panel_make(ip_panel *panel, size_t models) {
    memset(panel, 0, sizeof *panel);
    panel->models = models;
    panel->name = calloc(models + 1, sizeof *panel->name);
    panel->family = calloc(models + 1, sizeof *panel->family);
    panel->parameters = unknown(models);
    panel->loss = unknown(models);
    return panel->name && panel->family && panel->parameters && panel->loss;
}

ip_series *ip_series_add(ip_series_list *list, const char *name, size_t models) {
    ip_series *wider = realloc(list->items, (list->count + 1) * sizeof *wider);
    if (!wider) return NULL;
    list->items = wider;
    ip_series *added = &list->items[list->count];
    *added = (ip_series){strdup(name), unknown(models)};
    list->count++;
    return added->name && added->values ? added : NULL;
}

ip_series *ip_series_find(const ip_series_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
    return NULL;
}

bool ip_names_add(ip_names *names, const char *name) {
    char **wider = realloc(names->items, (names->count + 1) * sizeof *wider);
    if (!wider) return false;
    names->items = wider;
    names->items[names->count] = strdup(name);
    return names->items[names->count++] != NULL;
}

bool ip_names_has(ip_names names, const char *name) {
    for (size_t i = 0; i < names.count; i++)
        if (names.items[i] && strcmp(names.items[i], name) == 0) return true;
    return false;
}

bool ip_panel_add_mean(ip_panel *panel) {
    size_t tasks = panel->tasks.count;
    if (tasks == 0 || ip_series_find(&panel->tasks, "mean")) return true;
    ip_series *mean = ip_series_add(&panel->tasks, "mean", panel->models);
    if (!mean) return false;
    for (size_t i = 0; i < panel->models; i++) {
        double sum = 0.0;
        for (size_t t = 0; t < tasks; t++) sum += panel->tasks.items[t].values[i];
        mean->values[i] = sum / (double)tasks; /* NaN where one is not known */
    }
    return true;
}

char *ip_family_of_name(const char *name) {
    const char *slash = strchr(name, '/');
    return slash && slash > name ? strndup(name, (size_t)(slash - name)) : strdup(name);
}

static void free_series(ip_series_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].values);
    }
    free(list->items);
}

static void free_names(ip_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
}

void ip_panel_free(ip_panel *panel) {
    for (size_t i = 0; i < panel->models; i++) {
        if (panel->name) free(panel->name[i]);
        if (panel->family) free(panel->family[i]);
    }
    free(panel->name);
    free(panel->family);
    free(panel->parameters);
    free(panel->loss);
    free_series(&panel->measures);
    free_series(&panel->tasks);
    free_series(&panel->other);
    free_names(&panel->unscored);
    free_names(&panel->unmeasured);
    memset(panel, 0, sizeof *panel);
}

/* ---- runs ---- */

/* What one model's folders say. A run of analyze and one of preference may be the same folder or two of one name. */
typedef struct measured {
    char *name, *family;
    const char *path;
    double parameters, loss, value[4]; /* in the order of `measures` */
    ip_run *run;                       /* of analyze; NULL: preference alone */
} measured;

static const char *const measures[] = {"complexity", "expressivity", "optimality", "preference"};

static ip_status out_of_memory(ip_error *error) { return ip_fail(error, IP_FAILED, "out of memory"); }

static bool is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Measures of token order or higher from run.json. */
static ip_status take_run(measured *m, unsigned order, ip_error *error) {
    ip_status status = ip_run_read(&m->run, m->path, error);
    if (status != IP_OK) return status;
    const ip_run *run = m->run;
    if (order > run->orders)
        return ip_fail(error, IP_USAGE, "%s: has orders 1 to %u: --order %u is not there", m->path, run->orders, order);
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    ip_run_mean(run, &mean, optimality);
    m->value[0] = mean.x[order - 1].I;
    m->value[1] = mean.y[order - 1].I;
    m->value[2] = optimality[order - 1];
    m->parameters = run->parameters > 0 ? (double)run->parameters : NAN;
    m->loss = run->has_loss ? run->loss.nats_per_token : NAN;
    m->name = strdup(run->model_name);
    m->family = strdup(run->family);
    return m->name && m->family ? IP_OK : out_of_memory(error);
}

/* preference.json: the mean's I; model, family and parameters too where there is no run.json beside it. */
static ip_status take_preference(measured *m, const char *path, ip_error *error) {
    ip_map map;
    ip_status status = ip_map_open(&map, path, error);
    if (status != IP_OK) return status;
    ip_node *root = ip_node_parse(path, "preference", map.data, map.size, false, error);
    ip_map_close(&map);
    if (!root) return IP_BAD_INPUT;
    const ip_node *model = ip_node_get(root, "model");
    const char *schema = "", *name = "", *family = "";
    int64_t parameters = 0;
    if (!ip_node_text(ip_node_get(root, "schema"), &schema) || strcmp(schema, "infoplane.preference/1") != 0 ||
        !ip_node_number(ip_node_get(ip_node_get(root, "mean"), "I"), &m->value[3]) ||
        !ip_node_text(ip_node_get(model, "name"), &name)) {
        status = ip_fail(error, IP_BAD_INPUT,
                         "%s: must be what preference -o writes: schema infoplane.preference/1, model.name and mean.I",
                         path);
    } else if (!m->run) {
        ip_node_text(ip_node_get(model, "family"), &family);
        if (ip_node_int(ip_node_get(model, "parameters"), &parameters) && parameters > 0)
            m->parameters = (double)parameters;
        m->name = strdup(name);
        m->family = strdup(family[0] ? family : name);
        if (!m->name || !m->family) status = out_of_memory(error);
    }
    ip_node_free(root);
    return status;
}

static ip_status take_folder(measured *m, const char *path, unsigned order, ip_error *error) {
    *m = (measured){.path = path, .parameters = NAN, .loss = NAN, .value = {NAN, NAN, NAN, NAN}};
    char *preference = ip_join_path(path, "preference.json"), *run = ip_join_path(path, "run.json");
    bool has_preference = preference && is_file(preference), has_run = run && is_file(run);
    ip_status status = preference && run ? IP_OK : out_of_memory(error);
    if (status == IP_OK && (has_run || !has_preference)) status = take_run(m, order, error);
    if (status == IP_OK && has_preference) status = take_preference(m, preference, error);
    free(preference);
    free(run);
    return status;
}

/* Runs are compared as they stand: what changes their figures must be the same. */
static ip_status check_alike(const measured *a, const measured *b, ip_error *error) {
    const ip_run *x = a->run, *y = b->run;
    const char *what = strcmp(x->estimator, y->estimator) != 0                 ? "--estimator"
                       : x->bins != y->bins                                    ? "--bins"
                       : strcmp(x->calibration, y->calibration) != 0           ? "--calibration"
                       : x->backoff != y->backoff                              ? "--labels"
                       : x->backoff && x->min_count != y->min_count            ? "--min-count"
                       : x->orders != y->orders                                ? "--orders"
                       : x->max_tokens != y->max_tokens                        ? "--max-tokens"
                       : strcmp(x->text_fingerprint, y->text_fingerprint) != 0 ? "the text"
                                                                               : NULL;
    if (!what) return IP_OK;
    return ip_fail(error, IP_BAD_INPUT, "%s and %s: differ in %s: their figures do not belong in one table", a->path,
                   b->path, what);
}

/* A second folder of one model adds what the first lacks. */
static ip_status merge(measured *into, measured *from, ip_error *error) {
    if ((into->run && from->run) || (!isnan(into->value[3]) && !isnan(from->value[3])))
        return ip_fail(error, IP_BAD_INPUT, "%s and %s: are both called '%s': name one of them with analyze --name",
                       into->path, from->path, from->name);
    for (int k = 0; k < 4; k++)
        if (isnan(into->value[k])) into->value[k] = from->value[k];
    if (isnan(into->loss)) into->loss = from->loss;
    if (isnan(into->parameters)) into->parameters = from->parameters;
    if (!into->run) {
        into->run = from->run;
        from->run = NULL;
    }
    return IP_OK;
}

static void free_measured(measured *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(list[i].name);
        free(list[i].family);
        ip_run_free(list[i].run);
    }
    free(list);
}

static ip_status read_runs(measured **out, size_t *out_count, const char *const *runs, size_t run_count, unsigned order,
                           ip_error *error) {
    measured *list = calloc(run_count + 1, sizeof *list);
    size_t count = 0;
    const measured *first = NULL;
    ip_status status = list ? IP_OK : out_of_memory(error);
    for (size_t i = 0; i < run_count && status == IP_OK; i++) {
        measured *m = &list[count++];
        status = take_folder(m, runs[i], order, error);
        if (status == IP_OK && m->run && first) status = check_alike(first, m, error);
        if (m->run && !first) first = m;
        for (size_t j = 0; status == IP_OK && j + 1 < count; j++) {
            if (strcmp(list[j].name, m->name) != 0) continue;
            status = merge(&list[j], m, error);
            if (first == m) first = &list[j];
            free(m->name);
            free(m->family);
            ip_run_free(m->run);
            *m = (measured){0};
            count--;
            break;
        }
    }
    *out = list;
    *out_count = count;
    return status;
}

/* ---- joining ---- */

/* Row of that name: the whole of it, else the only one whose part behind the "/" it is. models: none. */
static size_t row_of(const ip_panel *scores, const char *name, ip_tell tell) {
    size_t found = scores->models, count = 0;
    for (size_t i = 0; i < scores->models; i++) {
        if (strcmp(scores->name[i], name) == 0) return i;
        const char *slash = strrchr(scores->name[i], '/');
        if (slash && strcmp(slash + 1, name) == 0) {
            found = i;
            count++;
        }
    }
    if (count != 1) return scores->models;
    ip_tell_line(tell, "%s: taken for %s of the scores", name, scores->name[found]);
    return found;
}

static bool copy_series(ip_series_list *to, const ip_series_list *from, size_t models) {
    for (size_t i = 0; i < from->count; i++)
        if (!ip_series_add(to, from->items[i].name, models)) return false;
    return true;
}

static bool fill_row(ip_panel *panel, size_t at, const measured *m, const ip_panel *scores, size_t row) {
    panel->name[at] = strdup(m->name);
    /* A provider names a line of models better than an architecture does. */
    panel->family[at] = strchr(scores->name[row], '/') || strcmp(scores->family[row], scores->name[row]) != 0
                            ? strdup(scores->family[row])
                            : strdup(m->family);
    panel->parameters[at] = isnan(m->parameters) ? scores->parameters[row] : m->parameters;
    panel->loss[at] = isnan(m->loss) ? scores->loss[row] : m->loss;
    for (size_t k = 0; k < 4; k++) panel->measures.items[k].values[at] = m->value[k];
    for (size_t t = 0; t < scores->tasks.count; t++)
        panel->tasks.items[t].values[at] = scores->tasks.items[t].values[row];
    for (size_t t = 0; t < scores->other.count; t++)
        panel->other.items[t].values[at] = scores->other.items[t].values[row];
    return panel->name[at] && panel->family[at];
}

/* Measures that no run has leave the panel. */
static void drop_empty_measures(ip_panel *panel) {
    size_t kept = 0;
    for (size_t k = 0; k < panel->measures.count; k++) {
        ip_series *s = &panel->measures.items[k];
        bool any = false;
        for (size_t i = 0; i < panel->models; i++) any = any || !isnan(s->values[i]);
        if (any) {
            panel->measures.items[kept++] = *s;
        } else {
            free(s->name);
            free(s->values);
        }
    }
    panel->measures.count = kept;
}

static ip_status join(ip_panel *panel, const ip_panel *scores, const measured *list, size_t count, ip_tell tell,
                      ip_error *error) {
    bool *used = calloc(scores->models + 1, sizeof *used);
    bool whole = used && ip_panel_make(panel, count);
    size_t at = 0;
    for (size_t k = 0; whole && k < 4; k++) whole = ip_series_add(&panel->measures, measures[k], count) != NULL;
    whole =
        whole && copy_series(&panel->tasks, &scores->tasks, count) && copy_series(&panel->other, &scores->other, count);
    for (size_t i = 0; whole && i < count; i++) {
        size_t row = row_of(scores, list[i].name, tell);
        if (row == scores->models) {
            whole = ip_names_add(&panel->unscored, list[i].name);
        } else {
            used[row] = true;
            whole = fill_row(panel, at++, &list[i], scores, row);
        }
    }
    for (size_t r = 0; whole && r < scores->models; r++)
        if (!used[r]) whole = ip_names_add(&panel->unmeasured, scores->name[r]);
    free(used);
    if (!whole) return out_of_memory(error);
    panel->models = at;
    drop_empty_measures(panel);
    return IP_OK;
}

ip_status ip_panel_join(ip_panel *panel, const ip_panel *scores, const char *const *runs, size_t run_count,
                        unsigned order, ip_tell tell, ip_error *error) {
    memset(panel, 0, sizeof *panel);
    measured *list;
    size_t count;
    ip_status status = read_runs(&list, &count, runs, run_count, order, error);
    if (status == IP_OK) status = join(panel, scores, list, count, tell, error);
    free_measured(list, count);
    return status;
}

/* Results files of lm-evaluation-harness as a panel.
 *
 *   { "results": { task: { "alias": ..., "acc,none": 0.61, "acc_stderr,none": 0.01, "acc_norm,none": ... }, ... },
 *     "group_subtasks": { group: [task, ...], ... },
 *     "config": { "model_args": "pretrained=NAME,..." or {"pretrained": ...}, "model_num_parameters": N },
 *     "model_name": NAME, ... }
 *
 * A figure's key is "metric,filter". One file holds one model; a model may have several files.
 */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/correlate/panel.h"
#include "models/json.h"

/* Which figure of a task is its score: the first of these that it has, else its first in the alphabet. */
static const char *const metrics[] = {"acc_norm", "exact_match", "prompt_level_strict_acc", "acc", "pass@1", "f1"};

typedef struct gathered {
    ip_names files; /* in order */
    ip_names models;
    ip_panel *panel;
    ip_tell tell;
    ip_error *error;
} gathered;

static ip_status out_of_memory(ip_error *error) { return ip_fail(error, IP_FAILED, "out of memory"); }

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The results files below a folder, four levels deep: the tool writes OUTPUT/MODEL/results_DATE.json. */
static ip_status gather(ip_names *files, const char *path, unsigned depth, ip_error *error) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return ip_names_add(files, path) ? IP_OK : out_of_memory(error);
    DIR *folder = opendir(path);
    if (!folder) return ip_fail(error, IP_BAD_INPUT, "%s: cannot list the folder", path);
    ip_names inside = {NULL, 0};
    ip_status status = IP_OK;
    for (struct dirent *entry; status == IP_OK && (entry = readdir(folder)) != NULL;) {
        size_t n = strlen(entry->d_name);
        char *whole = entry->d_name[0] == '.' ? NULL : ip_join_path(path, entry->d_name);
        if (!whole) continue;
        bool below = stat(whole, &info) == 0 && S_ISDIR(info.st_mode);
        bool json = n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0 && strstr(entry->d_name, "results");
        if ((below ? depth < 4 : json) && !ip_names_add(&inside, whole)) status = out_of_memory(error);
        free(whole);
    }
    closedir(folder);
    if (inside.count > 0) qsort(inside.items, inside.count, sizeof *inside.items, by_text);
    for (size_t i = 0; i < inside.count; i++) {
        if (status == IP_OK) status = gather(files, inside.items[i], depth + 1, error);
        free(inside.items[i]);
    }
    free(inside.items);
    return status;
}

/* Name of the model, malloc'ed; NULL when the file has none. */
static char *model_of(const ip_node *root) {
    const char *text;
    if (ip_node_text(ip_node_get(root, "model_name"), &text) && text[0]) return strdup(text);
    const ip_node *given = ip_node_get(ip_node_get(root, "config"), "model_args");
    if (ip_node_text(ip_node_get(given, "pretrained"), &text) && text[0]) return strdup(text);
    const char *at = ip_node_text(given, &text) ? strstr(text, "pretrained=") : NULL;
    if (!at || (at != text && at[-1] != ',')) return NULL;
    at += strlen("pretrained=");
    size_t n = strcspn(at, ",");
    return n > 0 ? strndup(at, n) : NULL;
}

/* Key of a task's score under `metric`, with the filter that comes first in the alphabet; NULL metric: of its first
 * figure. NULL: there is none. */
static const char *figure_of(const ip_node *task, const char *metric, double *value) {
    const char *best = NULL;
    for (void *it = ip_node_next(task, NULL); it; it = ip_node_next(task, it)) {
        const char *key = ip_node_key(it), *comma = strchr(key, ',');
        size_t n = comma ? (size_t)(comma - key) : strlen(key);
        double here;
        if (metric ? n != strlen(metric) || memcmp(key, metric, n) != 0 : strstr(key, "_stderr") != NULL || !comma)
            continue;
        if (!ip_node_number(ip_node_value(it), &here) || (best && strcmp(key, best) >= 0)) continue;
        best = key;
        *value = here;
    }
    return best;
}

static const char *score_of(const ip_node *task, double *value) {
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        const char *key = figure_of(task, metrics[i], value);
        if (key) return key;
    }
    return figure_of(task, NULL, value);
}

/* Whether the file says that a smaller figure is better: a perplexity has no place in a mean of scores. */
static bool is_lower_better(const ip_node *root, const char *task, const char *key) {
    char metric[128];
    bool higher = true;
    snprintf(metric, sizeof metric, "%.*s", (int)strcspn(key, ","), key);
    ip_node_bool(ip_node_get(ip_node_get(ip_node_get(root, "higher_is_better"), task), metric), &higher);
    return !higher;
}

/* Whether a task is part of a group that has a figure of its own: it would count twice. */
static bool in_scored_group(const ip_node *root, const char *task) {
    const ip_node *groups = ip_node_get(root, "group_subtasks"), *results = ip_node_get(root, "results");
    double value;
    for (void *it = ip_node_next(groups, NULL); it; it = ip_node_next(groups, it)) {
        if (strcmp(ip_node_key(it), task) == 0 || !score_of(ip_node_get(results, ip_node_key(it)), &value)) continue;
        const ip_node *members = ip_node_value(it);
        const char *name;
        for (size_t i = 0; i < ip_node_count(members); i++)
            if (ip_node_text(ip_node_at(members, i), &name) && strcmp(name, task) == 0) return true;
    }
    return false;
}

static ip_status take_results(gathered *g, const char *path, const ip_node *root, size_t row) {
    const ip_node *results = ip_node_get(root, "results");
    size_t taken = 0;
    for (void *it = ip_node_next(results, NULL); it; it = ip_node_next(results, it)) {
        const char *task = ip_node_key(it);
        double value;
        const char *key = score_of(ip_node_value(it), &value);
        if (!key || in_scored_group(root, task)) continue;
        if (is_lower_better(root, task, key)) {
            ip_tell_line(g->tell, "%s: '%s' is left out: of its %s less is better", path, task, key);
            continue;
        }
        ip_series *s = ip_series_find(&g->panel->tasks, task);
        if (!s) s = ip_series_add(&g->panel->tasks, task, g->panel->models);
        if (!s) return out_of_memory(g->error);
        if (!isnan(s->values[row]))
            ip_tell_line(g->tell, "%s: %s: '%s' again: this later file counts", path, g->models.items[row], task);
        s->values[row] = value;
        taken++;
    }
    if (taken == 0) return ip_fail(g->error, IP_BAD_INPUT, "%s: 'results' holds no figure of any task", path);
    uint64_t parameters;
    if (ip_node_whole(ip_node_get(ip_node_get(root, "config"), "model_num_parameters"), &parameters) && parameters > 0)
        g->panel->parameters[row] = (double)parameters;
    return IP_OK;
}

/* One file: its model's name, or, when that row is known, its figures. */
static ip_status visit(gathered *g, const char *path, bool figures) {
    ip_map map;
    ip_status status = ip_map_open(&map, path, g->error);
    if (status != IP_OK) return status;
    ip_node *root = ip_node_parse(path, "results", map.data, map.size, true, g->error);
    ip_map_close(&map);
    if (!root) return IP_BAD_INPUT;
    char *model = model_of(root);
    if (!ip_node_is_object(ip_node_get(root, "results"))) {
        status = ip_fail(g->error, IP_BAD_INPUT,
                         "%s: no object 'results': scores are a .csv or a results file of lm-evaluation-harness", path);
    } else if (!model) {
        status =
            ip_fail(g->error, IP_BAD_INPUT, "%s: neither 'model_name' nor 'config.model_args' says which model", path);
    } else if (!figures) {
        if (!ip_names_has(g->models, model) && !ip_names_add(&g->models, model)) status = out_of_memory(g->error);
    } else {
        size_t row = 0;
        while (row < g->models.count && strcmp(g->models.items[row], model) != 0) row++;
        status = row < g->models.count ? take_results(g, path, root, row)
                                       : ip_fail(g->error, IP_FAILED, "%s: changed while it was read", path);
    }
    free(model);
    ip_node_free(root);
    return status;
}

static void free_texts(ip_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
}

static int by_series_name(const void *a, const void *b) {
    const ip_series *x = a, *y = b;
    return strcmp(x->name, y->name);
}

ip_status ip_panel_read_harness(ip_panel *panel, const char *const *paths, size_t count, ip_tell tell,
                                ip_error *error) {
    memset(panel, 0, sizeof *panel);
    gathered g = {.panel = panel, .tell = tell, .error = error};
    ip_status status = IP_OK;
    for (size_t i = 0; i < count && status == IP_OK; i++) status = gather(&g.files, paths[i], 0, error);
    if (status == IP_OK && g.files.count == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: no results file (results_....json) in this folder", paths[0]);
    for (size_t i = 0; i < g.files.count && status == IP_OK; i++) status = visit(&g, g.files.items[i], false);
    if (status == IP_OK && !ip_panel_make(panel, g.models.count)) status = out_of_memory(error);
    for (size_t i = 0; i < panel->models && status == IP_OK; i++) {
        panel->name[i] = strdup(g.models.items[i]);
        panel->family[i] = ip_family_of_name(g.models.items[i]);
        if (!panel->name[i] || !panel->family[i]) status = out_of_memory(error);
    }
    for (size_t i = 0; i < g.files.count && status == IP_OK; i++) status = visit(&g, g.files.items[i], true);
    /* JSON objects have no order: tasks stand by name. */
    if (status == IP_OK) qsort(panel->tasks.items, panel->tasks.count, sizeof *panel->tasks.items, by_series_name);
    if (status == IP_OK && !ip_panel_add_mean(panel)) status = out_of_memory(error);
    free_texts(&g.files);
    free_texts(&g.models);
    return status;
}

/* A table of models as a panel: which column is what, and one row per model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/number.h"
#include "core/correlate/panel.h"
#include "core/output/csv.h"

typedef struct table {
    ip_csv csv;
    const char *path;
    ip_panel *panel;
    size_t *row; /* [models]: of the table */
    ip_tell tell;
    ip_error *error;
} table;

static bool is_missing(const char *cell) {
    static const char *const words[] = {"", "NA", "N/A", "na", "n/a", "NaN", "nan", "null", "None", "-"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(cell, words[i]) == 0) return true;
    return false;
}

static size_t find_first(const ip_csv *csv, const char *const *names, size_t count) {
    size_t c = csv->columns;
    for (size_t i = 0; i < count && c == csv->columns; i++) c = ip_csv_find(csv, names[i]);
    return c;
}

/* Column whose name begins so, or csv->columns. */
static size_t find_prefix(const ip_csv *csv, const char *prefix) {
    size_t c = 0;
    while (c < csv->columns && strncmp(ip_csv_header(csv, c), prefix, strlen(prefix)) != 0) c++;
    return c;
}

/* Whether a column holds numbers: at least one, and nothing else but cells left open. One that mixes numbers and text is
 * said to be left out. */
static bool is_numeric(const table *t, size_t column) {
    size_t numbers = 0;
    const char *odd = NULL;
    size_t odd_row = 0;
    double value;
    for (size_t r = 0; r < t->csv.rows; r++) {
        const char *cell = ip_csv_cell(&t->csv, r, column);
        if (ip_number_parse(cell, &value)) {
            numbers++;
        } else if (!is_missing(cell) && !odd) {
            odd = cell;
            odd_row = r;
        }
    }
    if (numbers > 0 && odd)
        ip_tell_line(t->tell, "%s: line %zu: column '%s' is left out: '%.60s' is no number", t->path,
                     t->csv.line[odd_row + 1], ip_csv_header(&t->csv, column), odd);
    return numbers > 0 && !odd;
}

/* A column that must hold numbers, scaled, into out[models]. */
static ip_status take_column(const table *t, size_t column, double scale, double *out) {
    for (size_t i = 0; i < t->panel->models; i++) {
        const char *cell = ip_csv_cell(&t->csv, t->row[i], column);
        double value = NAN;
        if (!ip_number_parse(cell, &value)) {
            value = NAN;
            if (!is_missing(cell))
                return ip_fail(t->error, IP_BAD_INPUT, "%s: line %zu: column '%s': '%.60s' is no number", t->path,
                               t->csv.line[t->row[i] + 1], ip_csv_header(&t->csv, column), cell);
        }
        out[i] = value * scale;
    }
    return IP_OK;
}

static ip_status add_column(const table *t, ip_series_list *list, const char *name, size_t column) {
    ip_series *s = ip_series_add(list, name, t->panel->models);
    return s ? take_column(t, column, 1.0, s->values) : ip_fail(t->error, IP_FAILED, "out of memory");
}

/* ---- rows ---- */

typedef struct named_row {
    const char *name;
    double average;
    size_t row;
} named_row;

/* By name, then the highest average first (none is below all), then as they stand. */
static int by_name_and_average(const void *a, const void *b) {
    const named_row *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order != 0) return order;
    double p = isnan(x->average) ? -INFINITY : x->average, q = isnan(y->average) ? -INFINITY : y->average;
    if (p != q) return p > q ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_row(const void *a, const void *b) {
    const size_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* One row per model, in the table's order; average: column that decides between rows of one model, or csv.columns. */
static ip_status choose_rows(table *t, size_t name_column, size_t average_column) {
    size_t n = t->csv.rows, count = 0;
    named_row *list = malloc((n + 1) * sizeof *list);
    t->row = malloc((n + 1) * sizeof *t->row);
    if (!list || !t->row) {
        free(list);
        return ip_fail(t->error, IP_FAILED, "out of memory");
    }
    for (size_t r = 0; r < n; r++) {
        double average = NAN;
        if (average_column < t->csv.columns) ip_number_parse(ip_csv_cell(&t->csv, r, average_column), &average);
        list[r] = (named_row){ip_csv_cell(&t->csv, r, name_column), average, r};
    }
    qsort(list, n, sizeof *list, by_name_and_average);
    ip_status status = IP_OK;
    for (size_t r = 0, next; r < n && status == IP_OK; r = next) {
        for (next = r + 1; next < n && strcmp(list[next].name, list[r].name) == 0; next++) {
        }
        if (list[r].name[0] == '\0') {
            status = ip_fail(t->error, IP_BAD_INPUT, "%s: line %zu: no name in column '%s'", t->path,
                             t->csv.line[list[r].row + 1], ip_csv_header(&t->csv, name_column));
        } else if (next - r > 1 && average_column == t->csv.columns) {
            status = ip_fail(t->error, IP_BAD_INPUT, "%s: line %zu: a second row of '%s', and no column 'Average'",
                             t->path, t->csv.line[list[r + 1].row + 1], list[r].name);
        } else if (next - r > 1) {
            ip_tell_line(t->tell, "%s: %s has %zu rows: the one of line %zu, average %.6g, is taken", t->path,
                         list[r].name, next - r, t->csv.line[list[r].row + 1], list[r].average);
        }
        t->row[count++] = list[r].row;
    }
    free(list);
    if (status != IP_OK) return status;
    qsort(t->row, count, sizeof *t->row, by_row);
    if (!ip_panel_make(t->panel, count)) return ip_fail(t->error, IP_FAILED, "out of memory");
    return IP_OK;
}

static ip_status name_rows(table *t, size_t name_column) {
    size_t family = ip_csv_find(&t->csv, "family");
    for (size_t i = 0; i < t->panel->models; i++) {
        const char *name = ip_csv_cell(&t->csv, t->row[i], name_column);
        const char *given = family < t->csv.columns ? ip_csv_cell(&t->csv, t->row[i], family) : "";
        t->panel->name[i] = strdup(name);
        t->panel->family[i] = given[0] ? strdup(given) : ip_family_of_name(name);
        if (!t->panel->name[i] || !t->panel->family[i]) return ip_fail(t->error, IP_FAILED, "out of memory");
    }
    return IP_OK;
}

/* ---- columns ---- */

/* The leaderboard gives each score twice, "X Raw" and "X"; X is the one normalised to 0 .. 100. */
static ip_status take_leaderboard(table *t) {
    ip_status status = take_column(t, ip_csv_find(&t->csv, "#Params (B)"), 1e9, t->panel->parameters);
    for (size_t i = 0; i < t->panel->models; i++)
        if (!(t->panel->parameters[i] > 0.0)) t->panel->parameters[i] = NAN; /* it writes 0 and -1 for unknown */
    for (size_t c = 0; c < t->csv.columns && status == IP_OK; c++) {
        char raw[128];
        const char *name = ip_csv_header(&t->csv, c);
        if (strlen(name) + 5 > sizeof raw) continue;
        snprintf(raw, sizeof raw, "%s Raw", name);
        if (ip_csv_find(&t->csv, raw) < t->csv.columns) status = add_column(t, &t->panel->tasks, name, c);
    }
    return status;
}

/* Columns that --partial names; one that is not there is the caller's to complain about. */
static ip_status take_partial(table *t, ip_names partial) {
    ip_status status = IP_OK;
    for (size_t i = 0; i < partial.count && status == IP_OK; i++) {
        size_t c = ip_csv_find(&t->csv, partial.items[i]);
        if (c < t->csv.columns && !ip_series_find(&t->panel->other, partial.items[i]))
            status = add_column(t, &t->panel->other, partial.items[i], c);
    }
    return status;
}

static bool is_measure(const char *name) {
    return strcmp(name, "complexity") == 0 || strcmp(name, "expressivity") == 0 || strcmp(name, "optimality") == 0 ||
           strcmp(name, "preference") == 0;
}

static ip_status take_plain(table *t, size_t name_column, bool measures, ip_names partial) {
    ip_status status = IP_OK;
    for (size_t c = 0; c < t->csv.columns && status == IP_OK; c++) {
        const char *name = ip_csv_header(&t->csv, c);
        if (c == name_column || name[0] == '\0' || strcmp(name, "family") == 0) continue;
        if (strcmp(name, "params_b") == 0 || strcmp(name, "#Params (B)") == 0) {
            status = take_column(t, c, 1e9, t->panel->parameters);
        } else if (strcmp(name, "parameters") == 0) {
            status = take_column(t, c, 1.0, t->panel->parameters);
        } else if (strcmp(name, "loss") == 0) {
            status = take_column(t, c, 1.0, t->panel->loss);
        } else if (measures && is_measure(name)) {
            status = add_column(t, &t->panel->measures, name, c);
        } else if (!ip_names_has(partial, name) && is_numeric(t, c)) {
            status = add_column(t, &t->panel->tasks, strncmp(name, "Average", 7) == 0 ? "mean" : name, c);
        }
    }
    return status;
}

static ip_status read_table(table *t, bool measures, ip_names partial) {
    static const char *const names[] = {"model", "fullname", "name"};
    const ip_csv *csv = &t->csv;
    size_t average = find_prefix(csv, "Average"), full = ip_csv_find(csv, "fullname");
    bool leaderboard =
        full < csv->columns && average < csv->columns && ip_csv_find(csv, "#Params (B)") < csv->columns && !measures;
    size_t name = leaderboard ? full : find_first(csv, names, 3);
    if (name == csv->columns)
        return ip_fail(t->error, IP_BAD_INPUT, "%s: line 1: no column 'model', 'fullname' or 'name'", t->path);
    if (average == csv->columns) average = ip_csv_find(csv, "mean");
    ip_status status = choose_rows(t, name, average);
    if (status == IP_OK) status = name_rows(t, name);
    if (status == IP_OK && leaderboard) status = take_leaderboard(t);
    /* A table of one's own with the leaderboard's names has its scores once. */
    if (status == IP_OK && t->panel->tasks.count == 0) status = take_plain(t, name, measures, partial);
    if (status == IP_OK) status = take_partial(t, partial);
    if (status == IP_OK && t->panel->tasks.count == 0)
        status =
            ip_fail(t->error, IP_BAD_INPUT, "%s: no column of scores (numbers, beside the name and the size)", t->path);
    return status;
}

ip_status ip_panel_read_csv(ip_panel *panel, const char *path, bool measures, ip_names partial, ip_tell tell,
                            ip_error *error) {
    memset(panel, 0, sizeof *panel);
    table t = {.path = path, .panel = panel, .tell = tell, .error = error};
    ip_status status = ip_csv_open(&t.csv, path, error);
    if (status == IP_OK) status = read_table(&t, measures, partial);
    if (status == IP_OK && !ip_panel_add_mean(panel)) status = ip_fail(error, IP_FAILED, "out of memory");
    ip_csv_free(&t.csv);
    free(t.row);
    return status;
}

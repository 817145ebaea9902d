/* Models in rows: what was measured of them, how they score, what else is known. The material of `correlate`.
 *
 * A panel comes from a table of scores, from results files of lm-evaluation-harness, or is joined from runs and either.
 * Values that are not known are NaN.
 */
#ifndef IP_CORE_PANEL_H
#define IP_CORE_PANEL_H

#include <stddef.h>

#include "core/infoplane.h"

typedef struct ip_series {
    char *name;
    double *values; /* [models] */
} ip_series;

typedef struct ip_series_list {
    ip_series *items;
    size_t count;
} ip_series_list;

typedef struct ip_names {
    char **items;
    size_t count;
} ip_names;

typedef struct ip_panel {
    size_t models;
    char **name, **family;
    double *parameters, *loss;             /* [models] */
    ip_series_list measures, tasks, other; /* other: numbers that --partial may name */
    ip_names unscored, unmeasured;         /* runs without scores, scores without a run */
} ip_panel;

/* Tells a line to the user. */
typedef struct ip_tell {
    const ip_host *host;
} ip_tell;
void ip_tell_line(ip_tell tell, const char *format, ...) IP_PRINTF(2, 3);

/* A CSV. The public leaderboard's columns are known ("fullname", "Average ...", "X Raw" beside "X"); of any other table the
 * column model (or fullname, or name) names the rows, family, params_b or parameters, and loss are what they say, with
 * measures set the columns complexity, expressivity, optimality and preference are measures, and every other column of
 * numbers is a task, unless `partial` names it. Of several rows of one model the one with the highest average stays.
 * Freed by ip_panel_free, also after a failure. */
ip_status ip_panel_read_csv(ip_panel *panel, const char *path, bool measures, ip_names partial, ip_tell tell,
                            ip_error *error);

/* Results files that lm-evaluation-harness wrote, or folders with such files in them: rows are models, tasks those whose
 * group has no figure of its own. */
ip_status ip_panel_read_harness(ip_panel *panel, const char *const *paths, size_t count, ip_tell tell, ip_error *error);

/* Adds runs (folders of analyze -o, of preference -o beside them or apart) as measures of `order` to the rows of scores,
 * matched by name: rows become those that are both measured and scored. */
ip_status ip_panel_join(ip_panel *panel, const ip_panel *scores, const char *const *runs, size_t run_count,
                        unsigned order, ip_tell tell, ip_error *error);

/* Building blocks. False: out of memory. */
bool ip_panel_make(ip_panel *panel, size_t models);
ip_series *ip_series_add(ip_series_list *list, const char *name, size_t models); /* NaN everywhere; NULL: no memory */
ip_series *ip_series_find(const ip_series_list *list, const char *name);         /* NULL: none */
bool ip_names_add(ip_names *names, const char *name);
bool ip_names_has(ip_names names, const char *name);
/* The column "mean" of the tasks, over those that every row has, unless there is one. */
bool ip_panel_add_mean(ip_panel *panel);
/* Provider before the "/" of a full name, else the name itself; malloc'ed. */
char *ip_family_of_name(const char *name);
void ip_panel_free(ip_panel *panel);

#endif

/* What `correlate` finds, for its writers. */
#ifndef IP_CORE_CORRELATE_H
#define IP_CORE_CORRELATE_H

#include "core/correlate/panel.h"
#include "core/numbers/statistics.h"

/* One correlation with all that is said of it. p: permutations (only without covariates); p_t: Student's t; p_bh: p_t
 * after Benjamini and Hochberg over all measures and tasks. */
typedef struct ip_figure {
    double r, p_t, p_bh;
    ip_permutation permutation;
    ip_range fisher;
    ip_bootstrap bootstrap;
} ip_figure;

enum { IP_GIVEN_MAX = 3 }; /* sets of covariates */

/* What is held constant together: log10_params; log10_params and loss; log10_params and the named columns. */
typedef struct ip_given {
    const char *name[1 + IP_COVARIATES_MAX];
    const double *values[1 + IP_COVARIATES_MAX];
    unsigned count;
} ip_given;

typedef struct ip_partial {
    size_t n;
    double freedom;
    ip_figure pearson, spearman;
} ip_partial;

typedef struct ip_left_out {
    const char *family;
    size_t n;
    double pearson, spearman, partial; /* partial: given log10_params */
} ip_left_out;

typedef struct ip_entry {
    const ip_series *measure, *task;
    size_t n;
    ip_figure pearson, spearman;
    double kendall;
    ip_partial partial[IP_GIVEN_MAX];
    ip_left_out *left_out; /* [families] */
    ip_pair_figures all, matched;
} ip_entry;

struct ip_correlation {
    ip_panel panel;
    char *source; /* "runs" or the table's path */
    unsigned order;
    uint64_t permutations, resamples, seed;
    double *log_parameters; /* [models] */
    uint32_t *family;       /* [models] */
    const char **families;  /* in order of the alphabet */
    size_t family_count;
    ip_given given[IP_GIVEN_MAX];
    unsigned given_count;
    ip_entry *entry; /* [measures][tasks] */
    size_t entries;
    ip_pair *pairs, *matched;
    size_t pair_count, matched_count;
};

/* The table of the terminal. */
void ip_correlation_write_table(const ip_correlation *correlation, FILE *file);

/* Size ratio of a matched pair. */
#define IP_MATCH_RATIO 1.25

#endif

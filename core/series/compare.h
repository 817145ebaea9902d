/* What `compare` finds, for its writers. */
#ifndef IP_CORE_COMPARE_H
#define IP_CORE_COMPARE_H

#include "core/output/json_write.h"
#include "core/series/paired.h"

/* An n-gram in the lists of both runs. */
typedef struct ip_top_pair {
    const ip_top_ngram *a, *b;
} ip_top_pair;

typedef struct ip_top_pairs {
    ip_top_pair *items; /* what A has most more of first */
    size_t count;
} ip_top_pairs;

struct ip_comparison {
    ip_run *a, *b;
    size_t rows;        /* the mean over layers 1..L, then layers 0..L where both have as many */
    unsigned figures;   /* ip_figures */
    unsigned resamples; /* that both share; 0: no bootstrap */
    ip_paired *figure;  /* [rows][figures] */
    bool same_ids;      /* both read the same tokens: losses are per token, else per document */
    bool has_loss;
    ip_paired loss;
    ip_top_pairs top[2][IP_MAX_ORDERS]; /* of X, of Y; empty unless both runs have lists */
};

/* n-grams: matched, freed, as the member "top" of the open object, as lines of the table. */
ip_status ip_comparison_match_top(ip_comparison *comparison, ip_error *error);
void ip_comparison_free_top(ip_comparison *comparison);
void ip_comparison_write_top(const ip_comparison *comparison, ip_json *json);
void ip_comparison_put_top(const ip_comparison *comparison, FILE *file);

/* The table of the terminal. */
void ip_comparison_write_table(const ip_comparison *comparison, FILE *file);

#endif

/* What `compare` finds, for its writers. */
#ifndef IP_CORE_COMPARE_H
#define IP_CORE_COMPARE_H

#include "core/paired.h"

struct ip_comparison {
    ip_run *a, *b;
    size_t rows;       /* the mean over layers 1..L, then layers 0..L where both have as many */
    unsigned figures;  /* ip_figures */
    ip_paired *figure; /* [rows][figures] */
    bool same_ids;     /* both read the same tokens: losses are per token, else per document */
    bool has_loss;
    ip_paired loss;
};

/* The table of the terminal. */
void ip_comparison_write_table(const ip_comparison *comparison, FILE *file);

#endif

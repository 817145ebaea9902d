/* Figures of two runs over the same documents, and their difference with an interval: the grouped jackknife on
 * theta_A,g - theta_B,g (core/numbers/jackknife.h). Documents that are hard for both runs do not widen it. */
#ifndef IP_CORE_PAIRED_H
#define IP_CORE_PAIRED_H

#include "core/numbers/jackknife.h"

/* Which figure of a run: the quantities of ip_run.without (H, context, X1 .., Y1 ..), then optimality of order 1 .. K. */
unsigned ip_figures(const ip_run *run);
/* "H", "context", "X1", ..., "optimality1". */
void ip_figure_name(const ip_run *run, unsigned figure, char out[IP_QUANTITY_ROOM]);

/* A layer, or the mean over layers 1..L (of optimality: the mean of the layers' ratios). */
#define IP_MEAN_LAYER SIZE_MAX

/* The figure on all documents and, where the run has them, without each group; NULL in without_out asks for none. */
double ip_figure_of(const ip_run *run, size_t layer, unsigned figure, double *without_out);

typedef struct ip_paired {
    double a, b, difference; /* a - b */
    ip_interval interval;    /* of the difference; NaN without groups */
} ip_paired;

ip_paired ip_pair_figure(const ip_run *a, const ip_run *b, size_t layer, unsigned figure);

/* Loss in nats: per token where both runs read the same ids, else per document. False: not both have their losses by
 * document. */
bool ip_pair_loss(ip_paired *out, const ip_run *a, const ip_run *b, bool per_document);

/* IP_BAD_INPUT and which setting differs, where two runs do not pair. */
ip_status ip_pair_check(const ip_run *a, const char *a_path, const ip_run *b, const char *b_path, ip_error *error);

#endif

/* Figures of two runs over the same documents, and their difference with an interval: the grouped jackknife on
 * theta_A,g - theta_B,g (core/numbers/jackknife.h), and percentiles of theta_A,b - theta_B,b over resamples of documents. Documents that are hard for both runs do not widen it. */
#ifndef IP_CORE_PAIRED_H
#define IP_CORE_PAIRED_H

#include "core/numbers/jackknife.h"
#include "core/numbers/statistics.h"

/* Which figure of a run: the quantities of ip_run.without (H, context, X1 .., Y1 ..), then optimality of order 1 .. K. */
unsigned ip_figures(const ip_run *run);
/* "H", "context", "X1", ..., "optimality1". */
void ip_figure_name(const ip_run *run, unsigned figure, char out[IP_QUANTITY_ROOM]);

/* Of a layer, or of IP_MEAN_LAYER (of optimality: the mean of the layers' ratios). The figure on all documents and, where the run has them, without each group; NULL in without_out asks for none. */
double ip_figure_of(const ip_run *run, size_t layer, unsigned figure, double *without_out);

typedef struct ip_paired {
    double a, b, difference; /* a - b */
    ip_interval interval;    /* of the difference; NaN without groups */
    ip_range boot;           /* percentiles of the difference over resamples that both share; NaN without */
} ip_paired;

/* What pairs of resamples are worked out in; all 0: none are. */
typedef struct ip_pair_room {
    double *values;    /* [resamples] */
    uint32_t *weights; /* [documents] */
    unsigned resamples;
} ip_pair_room;
ip_status ip_pair_room_open(ip_pair_room *room, unsigned resamples, uint64_t documents, ip_error *error);
void ip_pair_room_close(ip_pair_room *room);

/* Resamples that two runs share: as many, drawn by one seed from as many documents; else 0. */
unsigned ip_pair_resamples(const ip_run *a, const ip_run *b);

ip_paired ip_pair_figure(const ip_run *a, const ip_run *b, size_t layer, unsigned figure, ip_pair_room *room);

/* Loss in nats: per token where both runs read the same ids, else per document. False: not both have their losses by
 * document. */
bool ip_pair_loss(ip_paired *out, const ip_run *a, const ip_run *b, bool per_document, ip_pair_room *room);

/* IP_BAD_INPUT and which setting differs, where two runs do not pair. */
ip_status ip_pair_check(const ip_run *a, const char *a_path, const ip_run *b, const char *b_path, ip_error *error);

#endif

/* Estimates layer by layer over the counted positions of a corpus: label sets, resampling, the soft assignments of the
 * layer at hand, and from them the rows of a run. What `analyze` and `merge` share. */
#ifndef IP_CORE_ESTIMATOR_H
#define IP_CORE_ESTIMATOR_H

#include "core/estimators/estimate.h"
#include "core/estimators/method.h"
#include "core/estimators/top.h"
#include "core/forward/layers.h"
#include "core/input/session.h"
#include "core/ngrams/ngrams.h"

typedef struct ip_estimator {
    ip_session *session; /* kernels, threads, settings, corpus */
    ip_run *run;
    uint64_t *position_base; /* [documents + 1]: counted positions before each document */
    ip_partition whole, x[IP_ORDERS_MAX], y[IP_ORDERS_MAX];
    const ip_partition *sets[2 * IP_ORDERS_MAX + 1]; /* whole, X of orders 1..K, Y */
    ip_resampling resampling;
    ip_soft_figures *figures; /* of a layer: whole, X of orders 1..K, Y, singles */
    ip_top top;
    ip_soft soft;            /* of the layer at hand; opened and filled by the user */
    ip_method method;        /* an estimator other than soft, opened by the user, with */
    const ip_layers *layers; /* where the states of the layer at hand are */
} ip_estimator;

/* Whether a corpus has counted positions, and not too many. */
ip_status ip_positions_check(const ip_corpus *corpus, unsigned orders, ip_error *error);
/* Counted positions before each document; malloc'ed. */
ip_status ip_position_base(uint64_t **out, const ip_corpus *corpus, unsigned orders, ip_error *error);

/* Labels of the session's corpus and room in the run for so many layers behind the embedding. Close it whatever was
 * returned. */
ip_status ip_estimator_open(ip_estimator *out, ip_session *session, ip_run *run, size_t layers, ip_error *error);
void ip_estimator_close(ip_estimator *estimator);

/* Bytes that open takes and layer needs beside them, without the soft assignments; what counting labels needs for a while
 * in *counting. */
ip_status ip_estimator_bytes(uint64_t *bytes, uint64_t *counting, const ip_session *session, size_t bins, size_t width,
                             size_t layers, ip_error *error);

/* The estimates of a layer from the soft assignments of all positions. */
ip_status ip_estimator_layer(ip_estimator *estimator, size_t layer, ip_error *error);

/* After the last layer: what has been gathered over all of them. */
ip_status ip_estimator_finish(ip_estimator *estimator, const ip_pieces *pieces, ip_error *error);

#endif

/* What the files of `analyze` share; nothing else includes it. */
#ifndef IP_CORE_ANALYZE_INTERNAL_H
#define IP_CORE_ANALYZE_INTERNAL_H

#include "core/estimators/anchors.h"
#include "core/estimators/estimator.h"
#include "core/forward/head.h"
#include "core/forward/layers.h"
#include "core/run/budget.h"
#include "core/run/resume.h"
#include "core/run/run.h"
#include "core/run/shard.h"

typedef struct analysis {
    ip_session *session;
    ip_run *run;
    ip_tiling tiling;
    ip_budget budget;
    const char *scratch;
    ip_calibration calibration;
    ip_method_kind kind;
    ip_estimator estimator;
    ip_shard_part part; /* of 0: this is no shard */
    const char *state;  /* a shard's file */
    ip_shard_writer writer;
    size_t first_document;     /* of this rank's, in the whole corpus */
    uint64_t *position_border; /* [ranks + 1]: counted positions before each rank's; NULL alone */
    ip_anchors anchors;        /* of soft */
    size_t bins;
    ip_forward forward;
    ip_store store;
    ip_layers layers;
    ip_resume resume;
    ip_head head; /* rows NULL: neither loss nor lens */
    float *buffers;
    size_t buffer_bytes;
    char *assign; /* per worker: scratch of ip_anchors_assign, then rows of p */
    size_t assign_bytes, p_offset;
} analysis;

/* ---- analyze_layers.c: what is done with each tile, and behind each layer ---- */

ip_visitor ip_analysis_visitor(analysis *a);

/* ---- analyze_parts.c: the loss, and runs of which this process has a part ---- */

/* After the last layer, whose lens has left the rows that the loss needs. */
ip_status ip_analysis_loss(analysis *a, ip_error *error);

/* Once the whole corpus is known: the documents that are taken through the model here, all of them or those of a shard or a
 * rank. */
ip_status ip_analysis_documents(analysis *a, ip_error *error);
/* A shard's state file: opened before the layers, the rest written and the file named behind them. */
ip_status ip_analysis_open_shard(analysis *a, ip_error *error);
ip_status ip_analysis_finish_shard(analysis *a, const char *model, const ip_pieces *pieces, ip_error *error);

#endif

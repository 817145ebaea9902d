/* How long the parts of a run take, each tried on a little of the work. */
#ifndef IP_CORE_PLAN_TIME_H
#define IP_CORE_PLAN_TIME_H

#include "core/forward/tiles.h"
#include "core/input/session.h"

/* Seconds per token and layer of one thread: a block, packed and run on one tile. */
ip_status ip_time_block(double *seconds, const ip_session *session, const ip_tiling *tiling, ip_error *error);

/* Seconds of all threads for the estimates of one layer, assignments included, from those of the first documents. */
ip_status ip_time_estimate(double *seconds, ip_session *session, size_t bins, ip_error *error);

#endif

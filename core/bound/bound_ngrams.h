/* The bound of label sets: the joint of (x label, y label) over the counted positions, exact and backed-off alike. */
#ifndef IP_CORE_BOUND_NGRAMS_H
#define IP_CORE_BOUND_NGRAMS_H

#include "core/input/session.h"
#include "core/ngrams/ngrams.h"

/* Settings that only the bound has: an unknown effort or beta is IP_USAGE, before anything is read. */
ip_status ip_bound_check(const ip_settings *settings, ip_error *error);

/* What ip_bound_of_orders will take: anonymous bytes at its peak, and seconds, from a search at a few of the betas. */
ip_status ip_bound_expect(uint64_t *bytes, double *seconds, const ip_partition *x, const ip_partition *y,
                          unsigned orders, uint64_t m, ip_session *session, ip_error *error);

/* The curves of orders 1 .. orders, out[0 ..]; what was made is there whatever is returned. Together: ranks take orders by
 * turns, and all get all. */
ip_status ip_bound_of_orders(ip_bound_curve **out, const ip_partition *x, const ip_partition *y, unsigned orders,
                             uint64_t m, ip_session *session, ip_error *error);

#endif

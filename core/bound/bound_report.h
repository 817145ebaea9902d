/* Writing curves: what bound.json, and run.json of `analyze --bound`, have in common. */
#ifndef IP_CORE_BOUND_REPORT_H
#define IP_CORE_BOUND_REPORT_H

#include "core/infoplane.h"
#include "core/output/json_write.h"

/* The members of a curve's object: sizes, entropies, components, points, hull; nats. */
void ip_bound_curve_json(ip_json *j, const ip_bound_curve *curve);

/* One line per curve that says how far the bound means something. */
void ip_bound_curve_line(const ip_bound_curve *curve, FILE *file);

/* A run's layers and their mean against the bound, bits; what lies above it is named. */
void ip_bound_run_table(const ip_run *run, FILE *file);

#endif

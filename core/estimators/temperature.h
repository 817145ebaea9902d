/* The temperature of the soft assignment: what makes estimates comparable across widths. */
#ifndef IP_CORE_TEMPERATURE_H
#define IP_CORE_TEMPERATURE_H

#include <stddef.h>

#include "core/base/status.h"

typedef enum ip_calibration { IP_LEADING_ORDER, IP_VMF_BOUND, IP_VMF_EXACT } ip_calibration;

/* "leading-order", "vmf-bound", "vmf-exact"; 0 when the name is none of them. */
int ip_calibration_by_name(ip_calibration *out, const char *name);
const char *ip_calibration_name(ip_calibration calibration);

/* epsilon for width d >= 2 and m >= 2 anchors: KL(vMF(1/epsilon) || uniform on the sphere in R^d) = log m, by its leading
 * order, by a lower bound (undefined for d < 3), or exactly. Returns 0 where it is undefined.
 * Relative error below 1e-12 for d = 2 .. 16384. */
double ip_temperature(ip_calibration calibration, size_t d, size_t m);

#endif

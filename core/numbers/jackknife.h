/* From figures computed without each group of documents to a bias and an interval (grouped jackknife).
 *
 * With theta the figure on all documents, theta_g without group g and m their mean over G groups: standard error =
 * sqrt((G-1)/G sum (theta_g - m)^2), bias = (G-1)(m - theta), interval = theta - bias -+ t(0.975, G-1) standard errors.
 * The same formulas on differences theta_A,g - theta_B,g of two runs over the same documents give paired intervals.
 */
#ifndef IP_CORE_JACKKNIFE_H
#define IP_CORE_JACKKNIFE_H

#include <math.h>

#include "core/infoplane.h"

typedef struct ip_interval {
    double bias, corrected, se, low, high; /* NaN with fewer than two groups */
} ip_interval;

ip_interval ip_jackknife(double theta, const double *without, unsigned groups);

/* The 0.975 quantile of Student's t with so many degrees of freedom, 1 or more. */
double ip_t_quantile_975(unsigned freedom);

/* Sets bias to high from the figures without each group; NULL: to NaN. */
static inline void ip_estimate_set_interval(ip_estimate *estimate, const double *without, unsigned groups) {
    ip_interval i = ip_jackknife(estimate->I, without, without ? groups : 0);
    estimate->bias = i.bias;
    estimate->corrected = i.corrected;
    estimate->se = i.se;
    estimate->low = i.low;
    estimate->high = i.high;
}

/* A figure without null and interval. */
static inline ip_estimate ip_estimate_plain(double I, uint64_t distinct) {
    return (ip_estimate){.I = I,
                         .null = NAN,
                         .bias = NAN,
                         .corrected = NAN,
                         .se = NAN,
                         .low = NAN,
                         .high = NAN,
                         .boot_low = NAN,
                         .boot_high = NAN,
                         .distinct = distinct};
}

#endif

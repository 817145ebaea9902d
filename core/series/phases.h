/* What a series of checkpoints shows: the peak of complexity, the fall after it, whether expressivity holds, where the loss
 * levelled off. The two phases that theory predicts are fitting (both rise) and compression (complexity falls while
 * expressivity holds). */
#ifndef IP_CORE_PHASES_H
#define IP_CORE_PHASES_H

#include "core/numbers/jackknife.h"
#include "core/numbers/statistics.h"

/* Index of the first largest value; values that are NaN are passed over, n where all are. */
size_t ip_phases_peak(const double *values, size_t n);

/* The first checkpoint after which every step lowers the loss by less than 1 %, the last one at the latest. n when a loss
 * is not known. */
size_t ip_phases_levelled(const double *loss, size_t n);

typedef struct ip_phases {
    size_t peak;
    double fall, change; /* complexity at the peak - at the last; expressivity at the last - at the peak */
    ip_range fall_range, change_range; /* 95 %, paired */
    ip_range fall_boot, change_boot;   /* percentiles over resamples that both checkpoints share; NaN without */
    bool compression;                  /* the peak is not last and the fall's lower end is above 0 */
    bool holds;                        /* the upper end of the change is at least 0 */
} ip_phases;

/* From the differences and their intervals. n: checkpoints. */
ip_phases ip_phases_judge(size_t peak, size_t n, double fall, ip_range fall_range, double change,
                          ip_range change_range);

/* "compression", "complexity and expressivity both fall", "no compression". */
const char *ip_phases_verdict(const ip_phases *phases);

#endif

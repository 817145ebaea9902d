/* Phases of a training run. */
#include "core/series/phases.h"

#include <math.h>

size_t ip_phases_peak(const double *values, size_t n) {
    size_t peak = n;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]) && (peak == n || values[i] > values[peak])) peak = i;
    return peak;
}

size_t ip_phases_levelled(const double *loss, size_t n) {
    size_t levelled = n > 0 ? n - 1 : 0;
    for (size_t i = 0; i < n; i++)
        if (isnan(loss[i])) return n;
    while (levelled > 0 && (loss[levelled - 1] - loss[levelled]) / loss[levelled - 1] < 0.01) levelled--;
    return levelled;
}

ip_phases ip_phases_judge(size_t peak, size_t n, double fall, ip_range fall_range, double change,
                          ip_range change_range) {
    return (ip_phases){.peak = peak,
                       .fall = fall,
                       .change = change,
                       .fall_range = fall_range,
                       .change_range = change_range,
                       .compression = peak + 1 < n && fall_range.low > 0.0,
                       .holds = change_range.high >= 0.0};
}

const char *ip_phases_verdict(const ip_phases *phases) {
    if (!phases->compression) return "no compression";
    return phases->holds ? "compression" : "complexity and expressivity both fall";
}

/* Axes: ends at round numbers, ticks in steps of 1, 2 or 5 times a power of ten, places along a drawing. */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/report/report.h"

/* What no drawing can tell from infinity is left out of it. */
static bool drawable(double x) { return x > -1e15 && x < 1e15; }

report_range report_range_empty(void) { return (report_range){1.0, 0.0}; }

void report_range_add(report_range *range, double x) {
    if (!drawable(x)) return;
    bool empty = range->low > range->high;
    if (empty || x < range->low) range->low = x;
    if (empty || x > range->high) range->high = x;
}

void report_range_pad(report_range *range) {
    double room = 0.06 * (range->high - range->low);
    range->low = range->low >= 0.0 && range->low < room ? 0.0 : range->low - room;
    range->high += room;
}

/* The smallest of 1, 2, 5 times a power of ten that is at least raw; 1e-9 < raw < 1e16. */
static double round_step(double raw) {
    double power = 1.0;
    while (power * 10.0 <= raw) power *= 10.0;
    while (power > raw) power /= 10.0;
    return power >= raw ? power : 2.0 * power >= raw ? 2.0 * power : 5.0 * power >= raw ? 5.0 * power : 10.0 * power;
}

static void fit_linear(report_axis *axis, report_range range, unsigned ticks) {
    double span = range.high - range.low,
           size = fabs(range.low) > fabs(range.high) ? fabs(range.low) : fabs(range.high);
    double least = size > 0.0 ? size * 5e-3 : 0.01; /* less would only need longer labels */
    if (axis->whole && least < 1.0) least = 1.0;
    if (span < least) {
        double middle = range.low + span / 2.0;
        if (axis->whole) {
            range.high = range.low + least;
        } else {
            range.low = middle - least / 2.0;
            range.high = middle + least / 2.0;
        }
        span = least;
    }
    axis->step = round_step(span / ticks);
    if (axis->whole && axis->step < 1.0) axis->step = 1.0;
    bool exact = axis->whole || axis->tight;
    axis->low = exact ? range.low : floor(range.low / axis->step + 1e-9) * axis->step;
    axis->high = exact ? range.high : ceil(range.high / axis->step - 1e-9) * axis->step;
    axis->decimals = 0;
    for (double s = axis->step; s < 0.999 && axis->decimals < 9; s *= 10.0) axis->decimals++;
}

bool report_axis_fit(report_axis *axis, report_range range, bool zero, unsigned ticks) {
    if (range.low > range.high) return false;
    if (zero) report_range_add(&range, 0.0);
    if (axis->scale == REPORT_LINEAR) {
        fit_linear(axis, range, ticks);
        return true;
    }
    if (axis->scale == REPORT_LOG && range.low <= 0.0) return false;
    if (axis->scale == REPORT_LOG1P && range.low < 0.0) return false;
    axis->low = range.low;
    axis->high = range.high;
    if (axis->high <= axis->low) axis->high = axis->low * 2.0 + 1.0;
    return true;
}

static double scaled(const report_axis *axis, double x) {
    return axis->scale == REPORT_LOG ? ip_log(x) : axis->scale == REPORT_LOG1P ? ip_log1p(x) : x;
}

double report_axis_at(const report_axis *axis, double x) {
    double low = scaled(axis, axis->low), high = scaled(axis, axis->high);
    return axis->from + (scaled(axis, x) - low) / (high - low) * (axis->to - axis->from);
}

/* 1000000 as "1M": long numbers would run into each other. */
static void power_label(double x, char label[IP_NUMBER_ROOM]) {
    static const char *const units[] = {"", "k", "M", "G", "T"};
    unsigned unit = 0;
    while (x >= 1000.0 && unit < 4) {
        x /= 1000.0;
        unit++;
    }
    report_fixed(x, x < 1.0 ? 3 : 0, label);
    strcat(label, units[unit]);
}

/* Zero first (log1p), then powers of ten; where they are fewer than three, also 2 and 5 times them. */
static bool log_tick(const report_axis *axis, unsigned i, double *x, char label[IP_NUMBER_ROOM]) {
    static const double between[] = {1.0, 2.0, 5.0};
    bool fine = axis->low > 0.0 && axis->high / axis->low < 200.0;
    double power = 1e-9;
    unsigned seen = 0;
    if (axis->scale == REPORT_LOG1P && axis->low == 0.0) {
        if (i == 0) {
            *x = 0.0;
            strcpy(label, "0");
            return true;
        }
        seen = 1;
        power = 1.0;
    }
    for (; power <= axis->high * 1.000001; power *= 10.0) {
        for (unsigned m = 0; m < (fine ? 3u : 1u); m++) {
            double value = power * between[m];
            if (value < axis->low * 0.999999 || value > axis->high * 1.000001) continue;
            if (seen++ != i) continue;
            *x = value;
            power_label(value, label);
            return true;
        }
    }
    return false;
}

bool report_axis_tick(const report_axis *axis, unsigned i, double *x, char label[IP_NUMBER_ROOM]) {
    if (axis->scale != REPORT_LINEAR) return log_tick(axis, i, x, label);
    *x = ceil(axis->low / axis->step - 1e-9) * axis->step + i * axis->step;
    if (*x > axis->high + axis->step * 1e-6) return false;
    report_fixed(*x, axis->decimals, label);
    return true;
}

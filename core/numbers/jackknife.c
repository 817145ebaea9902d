/* The grouped jackknife, and the quantile of Student's t that its interval needs. */
#include "core/numbers/jackknife.h"

#include "arch/scalar_math.h"

static const double pi = 3.14159265358979323846;

/* P(|T| < t) for T with `freedom` degrees of freedom and t = sqrt(freedom) tan(angle): a finite trigonometric sum
 * (Abramowitz & Stegun 26.7.3 and 26.7.4). */
static double share_within(double angle, unsigned freedom) {
    double cosine = ip_cos(angle), square = cosine * cosine;
    if (freedom == 1) return 2.0 * angle / pi;
    bool odd = freedom % 2 == 1;
    double term = odd ? cosine : 1.0, sum = term;
    for (unsigned k = odd ? 3 : 2; k < freedom; k += 2) {
        term *= square * (double)(k - 1) / (double)k;
        sum += term;
    }
    sum *= ip_sin(angle);
    return odd ? 2.0 / pi * (angle + sum) : sum;
}

double ip_t_quantile_975(unsigned freedom) {
    double low = 0.0, high = pi / 2.0;
    for (;;) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) break;
        if (share_within(middle, freedom) < 0.95) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return sqrt((double)freedom) * ip_sin(high) / ip_cos(high);
}

ip_interval ip_jackknife(double theta, const double *without, unsigned groups) {
    ip_interval out = {NAN, NAN, NAN, NAN, NAN};
    if (groups < 2) return out;
    double n = (double)groups, mean = 0.0, squares = 0.0;
    for (unsigned g = 0; g < groups; g++) mean += without[g];
    mean /= n;
    for (unsigned g = 0; g < groups; g++) squares += (without[g] - mean) * (without[g] - mean);
    out.bias = (n - 1.0) * (mean - theta);
    out.corrected = theta - out.bias;
    out.se = sqrt((n - 1.0) / n * squares);
    double reach = ip_t_quantile_975(groups - 1) * out.se;
    out.low = out.corrected - reach;
    out.high = out.corrected + reach;
    return out;
}

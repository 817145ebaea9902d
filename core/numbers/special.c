/* Gamma, incomplete beta, normal distribution. */
#include "core/numbers/special.h"

#include <math.h>
#include <stdbool.h>

#include "arch/scalar_math.h"

static const double half_log_two_pi = 0.91893853320467274178;

/* Stirling's series from 16 on (its first term left out there is below 1e-17); below, x is moved up by the product
 * x (x+1) ... */
double ip_log_gamma(double x) {
    static const double terms[] = {1.0 / 12.0,   -1.0 / 360.0,      1.0 / 1260.0, -1.0 / 1680.0,
                                   1.0 / 1188.0, -691.0 / 360360.0, 1.0 / 156.0};
    double product = 1.0;
    while (x < 16.0) {
        product *= x;
        x += 1.0;
    }
    double inverse = 1.0 / (x * x), sum = 0.0;
    for (int i = 6; i >= 0; i--) sum = sum * inverse + terms[i];
    return (x - 0.5) * ip_log(x) - x + half_log_two_pi + sum / x - ip_log(product);
}

/* The continued fraction of I_x(a, b) by Lentz's method (DLMF 8.17.22); quick for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 10000; m++) {
        for (int odd = 0; odd < 2; odd++) {
            double k = (double)m, two = a + 2.0 * k;
            double term =
                odd ? -(a + k) * (a + b + k) * x / (two * (two + 1.0)) : k * (b - k) * x / ((two - 1.0) * two);
            d = 1.0 + term * d;
            c = 1.0 + term / c;
            d = 1.0 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            value *= d * c;
        }
        if (fabs(d * c - 1.0) < 1e-16) break;
    }
    return value;
}

double ip_incomplete_beta(double a, double b, double x, double y) {
    if (x <= 0.0) return 0.0;
    if (y <= 0.0) return 1.0;
    /* The logarithm of the larger of x and y as log1p of the other, which carries more digits. */
    double log_x = x > 0.5 ? ip_log1p(-y) : ip_log(x), log_y = y > 0.5 ? ip_log1p(-x) : ip_log(y);
    double front = ip_exp(a * log_x + b * log_y + ip_log_gamma(a + b) - ip_log_gamma(a) - ip_log_gamma(b));
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
    return 1.0 - front * beta_fraction(b, a, y) / b;
}

double ip_correlation_p(double r, double freedom) {
    if (!(freedom > 0.0) || isnan(r)) return NAN;
    if (fabs(r) >= 1.0) return 0.0;
    return ip_incomplete_beta(0.5 * freedom, 0.5, (1.0 - r) * (1.0 + r), r * r);
}

/* P(Z > z) for z >= 0. */
static double upper_tail(double z) {
    double density = ip_exp(-0.5 * z * z - half_log_two_pi);
    if (z < 2.5) { /* 1/2 - density (z + z^3/3 + z^5/15 + ...): at most two digits cancel */
        double term = z, sum = z;
        for (int k = 3; term > sum * 1e-18; k += 2) {
            term *= z * z / (double)k;
            sum += term;
        }
        return 0.5 - density * sum;
    }
    /* density / (z + 1/(z + 2/(z + ...))), from below: 200 steps reach 1e-17 at 2.5, fewer are needed above */
    double fraction = z;
    for (int k = 200; k > 0; k--) fraction = z + (double)k / fraction;
    return density / fraction;
}

double ip_normal_cdf(double z) { return z < 0.0 ? upper_tail(-z) : 1.0 - upper_tail(z); }

/* Bisection of the tail, which is monotone; the lower tail keeps its digits. */
double ip_normal_quantile(double p) {
    if (!(p > 0.0 && p < 1.0)) return p <= 0.0 ? -INFINITY : p >= 1.0 ? INFINITY : NAN;
    bool lower = p < 0.5;
    double tail = lower ? p : 1.0 - p, low = 0.0, high = 39.0;
    for (;;) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) break;
        if (upper_tail(middle) > tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return lower ? -high : high;
}

double ip_atanh(double r) {
    double size = fabs(r);
    return copysign(size < 1.0 ? 0.5 * ip_log1p(2.0 * size / (1.0 - size)) : INFINITY, r);
}

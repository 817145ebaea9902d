/* The three calibrations (Conklin 2025 and the paper's equation 7).
 *
 * With kappa = 1/epsilon, nu = d/2 - 1, alpha = beta = d/2, r = sqrt(kappa^2 + nu^2), s = sqrt(kappa^2 + beta^2):
 * vmf-bound solves  kappa^2/(alpha + s) - (r - nu) - nu log((d-2)/(nu + r)) = log m. As written it loses all digits for
 * large kappa (d = 3) or large nu; rearranged with r - nu = kappa^2/(r + nu) and s^2 - r^2 = beta^2 - nu^2 it is
 *     nu log1p(kappa^2 / (2 nu (r + nu))) - kappa^2 (1 + (beta^2 - nu^2)/(s + r)) / ((alpha + s)(r + nu)).
 *
 * vmf-exact solves kappa A(kappa) - integral_0^kappa A = log m with A = I_{nu+1}/I_nu by its continued fraction and Gauss
 * quadrature. Where kappa is large and nu small (d = 2, 3) that difference cancels; there the asymptotic series of the
 * Bessel functions is used, with the exponentials cancelled by hand.
 */
#include "core/estimators/temperature.h"

#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"

static const char *const names[] = {"leading-order", "vmf-bound", "vmf-exact"};

int ip_calibration_by_name(ip_calibration *out, const char *name) {
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (ip_calibration)i;
            return 1;
        }
    }
    return 0;
}

const char *ip_calibration_name(ip_calibration calibration) { return names[calibration]; }

static double bound_divergence(double kappa, double nu) {
    double alpha = nu + 1.0, r = sqrt(kappa * kappa + nu * nu), s = sqrt(kappa * kappa + alpha * alpha);
    double k2 = kappa * kappa, gap = (2.0 * nu + 1.0) / (s + r); /* s - r */
    return nu * ip_log1p(k2 / (2.0 * nu * (r + nu))) - k2 * (1.0 + gap) / ((alpha + s) * (r + nu));
}

/* A = I_{nu+1}(x) / I_nu(x) = 1/(2(nu+1)/x + 1/(2(nu+2)/x + ...)), from the far end: a partial quotient n counts
 * only while 2(nu+n)/x is below 1e8 or so, and the fraction has converged long before nu + n = x + 64 sqrt(x) + 64. */
static double bessel_ratio(double x, double nu) {
    if (x == 0.0) return 0.0;
    double far = x + 64.0 * sqrt(x) + 64.0;
    size_t terms = far > nu ? (size_t)(far - nu) : 0;
    terms += 40;
    double value = 0.0;
    for (size_t n = terms; n >= 1; n--) value = 1.0 / (2.0 * (nu + (double)n) / x + value);
    return value;
}

enum { GAUSS = 64 };

/* Nodes and weights of the 64-point Gauss-Legendre rule on [-1, 1]: Newton from the Chebyshev-like guesses. */
static void gauss_rule(double nodes[GAUSS], double weights[GAUSS]) {
    for (int i = 0; i < GAUSS / 2; i++) {
        double x = ip_cos(3.141592653589793 * (i + 0.75) / (GAUSS + 0.5)), slope = 0.0;
        for (int step = 0; step < 8; step++) {
            double p0 = 1.0, p1 = x;
            for (int n = 2; n <= GAUSS; n++) {
                double p2 = ((2 * n - 1) * x * p1 - (n - 1) * p0) / n;
                p0 = p1;
                p1 = p2;
            }
            slope = GAUSS * (x * p1 - p0) / (x * x - 1.0);
            x -= p1 / slope;
        }
        nodes[i] = -x;
        nodes[GAUSS - 1 - i] = x;
        weights[i] = weights[GAUSS - 1 - i] = 2.0 / ((1.0 - x * x) * slope * slope);
    }
}

/* Integral of A over [0, kappa] in panels that double in width from the scale nu + 1 on which A turns. */
static double ratio_integral(double kappa, double nu) {
    double nodes[GAUSS], weights[GAUSS], total = 0.0, low = 0.0, high = nu + 1.0;
    gauss_rule(nodes, weights);
    while (low < kappa) {
        if (high > kappa) high = kappa;
        double middle = 0.5 * (low + high), half = 0.5 * (high - low), sum = 0.0;
        for (int i = 0; i < GAUSS; i++) sum += weights[i] * bessel_ratio(middle + half * nodes[i], nu);
        total += half * sum;
        low = high;
        high = 2.0 * high;
    }
    return total;
}

/* log Gamma(d/2) for small d by its product. */
static double log_gamma_half(size_t d) {
    double product = d % 2 == 0 ? 1.0 : 1.7724538509055159; /* Gamma(1), Gamma(1/2) = sqrt(pi) */
    for (double x = d % 2 == 0 ? 1.0 : 0.5; x < 0.5 * (double)d - 0.25; x += 1.0) product *= x;
    return ip_log(product);
}

/* The divergence from the large-kappa series I_nu = e^kappa/sqrt(2 pi kappa) S_nu,
 * S_nu = sum_k (-1)^k prod_{j<=k} (4 nu^2 - (2j-1)^2) / (k! (8 kappa)^k); kappa (A - 1) = kappa (S_{nu+1} - S_nu)/S_nu. */
static double series_divergence(double kappa, size_t d) {
    double nu = 0.5 * (double)d - 1.0;
    double term0 = 1.0, term1 = 1.0, s0 = 1.0, difference = 0.0;
    double mu0 = 4.0 * nu * nu, mu1 = 4.0 * (nu + 1.0) * (nu + 1.0);
    for (int k = 1; k < 40; k++) {
        double odd = 2.0 * k - 1.0, scale = -1.0 / (8.0 * kappa * k);
        double next0 = term0 * (mu0 - odd * odd) * scale, next1 = term1 * (mu1 - odd * odd) * scale;
        difference += next1 - next0;
        if (fabs(next0) + fabs(next1) < 1e-18 || fabs(next0) > fabs(term0)) break;
        s0 += next0;
        term0 = next0;
        term1 = next1;
    }
    double log_z = nu * ip_log(2.0 / kappa) + log_gamma_half(d) - 0.5 * ip_log(6.283185307179586 * kappa) + ip_log(s0);
    return kappa * difference / s0 - log_z;
}

static double exact_divergence(double kappa, size_t d) {
    double nu = 0.5 * (double)d - 1.0;
    if (kappa > 1000.0 && kappa > 50.0 * (nu + 1.0) * (nu + 1.0)) return series_divergence(kappa, d);
    return kappa * bessel_ratio(kappa, nu) - ratio_integral(kappa, nu);
}

double ip_temperature(ip_calibration calibration, size_t d, size_t m) {
    double target = ip_log((double)m), nu = 0.5 * (double)d - 1.0;
    if (d < 2 || m < 2) return 0.0;
    if (calibration == IP_LEADING_ORDER) return 1.0 / sqrt(2.0 * (double)d * target);
    if (calibration == IP_VMF_BOUND && d < 3) return 0.0;
    /* Both divergences rise with kappa without bound: bracket by doubling, then the secant inside the bracket (Illinois)
     * on log kappa until it stands still. */
    double low = -20.0, high = 1.0, flow = -target, fhigh;
    for (;;) {
        double kappa = ip_exp(high);
        fhigh = (calibration == IP_VMF_BOUND ? bound_divergence(kappa, nu) : exact_divergence(kappa, d)) - target;
        if (fhigh > 0.0 || high > 60.0) break;
        low = high;
        flow = fhigh;
        high += 1.0;
    }
    int side = 0;
    for (int step = 0; step < 200 && high - low > 1e-15 * fabs(high); step++) {
        double x = (low * fhigh - high * flow) / (fhigh - flow);
        if (!(x > low && x < high)) x = 0.5 * (low + high);
        double kappa = ip_exp(x);
        double f = (calibration == IP_VMF_BOUND ? bound_divergence(kappa, nu) : exact_divergence(kappa, d)) - target;
        if (f == 0.0) {
            low = high = x;
        } else if (f > 0.0) {
            high = x;
            fhigh = f;
            if (side == 1) flow *= 0.5;
            side = 1;
        } else {
            low = x;
            flow = f;
            if (side == -1) fhigh *= 0.5;
            side = -1;
        }
    }
    return ip_exp(-0.5 * (low + high));
}

/* The distribution functions that p-values and intervals need, in double, from the transcendentals of scalar_math.h, so
 * that every machine gives the same bits. Relative errors are of the order 1e-14 where a tail is not below 1e-300. */
#ifndef IP_CORE_SPECIAL_H
#define IP_CORE_SPECIAL_H

/* log of the gamma function, x > 0. */
double ip_log_gamma(double x);

/* The regularised incomplete beta function I_x(a, b) for a, b > 0; y = 1 - x is given as well, so that nothing cancels
 * near either end. */
double ip_incomplete_beta(double a, double b, double x, double y);

/* Two-sided p of a correlation r by Student's t with `freedom` degrees of freedom, t = r sqrt(freedom / (1 - r^2)):
 * I_{1-r^2}(freedom/2, 1/2). 0 where |r| is 1; NaN without freedom or where r is NaN. */
double ip_correlation_p(double r, double freedom);

/* Standard normal distribution: P(Z < z), and its inverse for 0 < p < 1 (-inf, inf at the ends). */
double ip_normal_cdf(double z);
double ip_normal_quantile(double p);

/* Inverse hyperbolic tangent; inf with the sign of r where |r| is 1. */
double ip_atanh(double r);

#endif

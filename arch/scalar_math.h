/* Transcendental functions for the rooms above, in double: the same bits on every machine (SLEEF's finz family, at most
 * 1 ulp). libm's exp, log, pow, sin, cos, tanh differ between systems and must not reach a result.
 * The correctly rounded ones (sqrt, fma, rint) may be taken from math.h. On x86 they need the FMA that
 * ip_arch_select asks for; call it first. */
#ifndef IP_ARCH_SCALAR_MATH_H
#define IP_ARCH_SCALAR_MATH_H

double ip_exp(double x);
double ip_log(double x);   /* natural */
double ip_log1p(double x); /* log(1 + x) */
double ip_pow(double x, double y);
double ip_sin(double x); /* radians */
double ip_cos(double x);
double ip_tanh(double x);

/* The version of SLEEF this program was compiled against, "3.5.1", for reports. */
const char *ip_sleef_version(void);

#endif

/* The error function, in fixed operations: SLEEF's erff gives other bits from version to version.
 *
 *   |x| <= 1   x * P(x^2)                 P fitted to erf(sqrt s) / sqrt s on 0..1, error 4e-11
 *   |x| > 1    1 - exp(-Q(min(4, |x|)))   Q fitted to -log erfc on 1..4, error 6e-9; with the sign of x
 *
 * Both polynomials by Horner's rule with fused steps, from the highest coefficient down; where |x| > 1 the result is
 * 1 - exp, exp from SLEEF. In floats the whole is within 1.4e-7 of erf. The coefficients are least-maximum fits (Chebyshev
 * nodes, weights by Lawson's iteration) made for this file and rounded to floats. */
#ifndef IP_ARCH_ERF_H
#define IP_ARCH_ERF_H

enum { IP_ERF_SMALL = 8, IP_ERF_LARGE = 10 };

static const float ip_erf_small[IP_ERF_SMALL] = {1.12837923f,    -0.376126379f,    0.112837829f,    -0.0268654451f,
                                                 0.00522107491f, -0.000848471129f, 0.000112705442f, -9.68013501e-06f};
static const float ip_erf_large[IP_ERF_LARGE] = {-0.000385898456f, 1.13053846f,    0.631217301f,     0.110766076f,
                                                 -0.0269024968f,   0.00497793965f, -0.000660916558f, 5.78272775e-05f,
                                                 -2.86496174e-06f, 5.55558799e-08f};

#endif

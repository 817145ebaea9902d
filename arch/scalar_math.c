/* Scalar functions of vmath.h as ordinary functions, so that upper rooms need no SLEEF header. */
#include "arch/scalar_math.h"

#include "arch/vmath.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

double ip_exp(double x) { return vm_exp_f64(x); }
double ip_log(double x) { return vm_log_f64(x); }
double ip_log1p(double x) { return vm_log1p_f64(x); }
double ip_pow(double x, double y) { return vm_pow_f64(x, y); }
double ip_sin(double x) { return vm_sin_f64(x); }
double ip_cos(double x) { return vm_cos_f64(x); }
double ip_tanh(double x) { return vm_tanh_f64(x); }

const char *ip_sleef_version(void) {
    return TEXT(SLEEF_VERSION_MAJOR) "." TEXT(SLEEF_VERSION_MINOR) "." TEXT(SLEEF_VERSION_PATCHLEVEL);
}

/* Student's t quantiles against a printed table, the jackknife against its formulas on a case done by hand. */
#include <criterion/criterion.h>
#include <math.h>

#include "arch/dispatch.h"
#include "core/numbers/jackknife.h"

static void setup(void) {
    const ip_kernels *kernels;
    ip_error error;
    cr_assert_eq(ip_arch_select(&kernels, NULL, &error), IP_OK);
}

Test(jackknife, quantiles_as_in_tables, .init = setup) {
    /* scipy.stats.t.ppf(0.975, n) */
    static const struct {
        unsigned freedom;
        double t;
    } rows[] = {{1, 12.706204736174694}, {2, 4.302652729749462},   {3, 3.1824463052837078},  {4, 2.7764451051977934},
                {9, 2.2621571627982044}, {19, 2.0930240544083087}, {30, 2.0422724563012378}, {999, 1.9623414611334487}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double t = ip_t_quantile_975(rows[i].freedom);
        cr_assert(fabs(t / rows[i].t - 1.0) < 1e-12, "%u degrees: %.17g", rows[i].freedom, t);
    }
}

Test(jackknife, of_a_mean_is_the_standard_error, .init = setup) {
    /* The mean of 1 2 4 9: without each one 5, 14/3, 4, 7/3. No bias; se = sd/sqrt(n). */
    static const double without[] = {5.0, 14.0 / 3.0, 4.0, 7.0 / 3.0};
    ip_interval i = ip_jackknife(4.0, without, 4);
    cr_assert(fabs(i.bias) < 1e-14);
    cr_assert(fabs(i.se - sqrt(38.0 / 3.0 / 4.0)) < 1e-14);
    cr_assert(fabs(i.high - i.low - 2.0 * 3.1824463052837078 * i.se) < 1e-12);
    cr_assert(isnan(ip_jackknife(4.0, without, 1).low));
}

/* Temperatures against 50-digit values, and the check values of the method. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/estimators/temperature.h"
#include "tests/unit/shared_data.h"

Test(temperature, check_values) {
    static const struct {
        size_t d;
        double values[3];
    } known[] = {{64, {0.04118814, 0.03622988, 0.03704948}},
                 {576, {0.01372938, 0.01354142, 0.01356618}},
                 {768, {0.01188999, 0.01176782, 0.01178376}}};
    for (int i = 0; i < 3; i++)
        for (int c = 0; c < 3; c++)
            cr_assert(fabs(ip_temperature((ip_calibration)c, known[i].d, 100) - known[i].values[c]) < 5.1e-9);
}

Test(temperature, golden) {
    const char *path = shared_path("golden/estimator/temperature.tsv");
    if (shared_missing(path)) return;
    FILE *file = fopen(path, "r");
    char line[512];
    cr_assert(file && fgets(line, sizeof line, file));
    int rows = 0;
    while (fgets(line, sizeof line, file)) {
        size_t d = (size_t)strtoull(strtok(line, "\t"), NULL, 10), m = (size_t)strtoull(strtok(NULL, "\t"), NULL, 10);
        for (int c = 0; c < 3; c++) {
            const char *text = strtok(NULL, "\t\n");
            double ours = ip_temperature((ip_calibration)c, d, m);
            if (strcmp(text, "none") == 0) {
                cr_assert_eq(ours, 0.0);
            } else {
                double golden = strtod(text, NULL);
                cr_assert(fabs(ours - golden) <= 1e-12 * golden, "d %zu m %zu calibration %d: %.17g, golden %.17g", d,
                          m, c, ours, golden);
            }
        }
        rows++;
    }
    fclose(file);
    cr_assert_gt(rows, 20);
}

Test(temperature, names) {
    ip_calibration c;
    cr_assert(ip_calibration_by_name(&c, "vmf-exact") && c == IP_VMF_EXACT);
    cr_assert(!ip_calibration_by_name(&c, "vmf"));
    cr_assert_str_eq(ip_calibration_name(IP_LEADING_ORDER), "leading-order");
}

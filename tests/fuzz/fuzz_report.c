/* The results that `report` draws: whatever their JSON holds, the page is written or the file refused. */
#include <stdint.h>
#include <stdio.h>

#include "arch/dispatch.h"
#include "core/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const ip_kernels *kernels;
    ip_error error;
    report r;
    if (ip_arch_select(&kernels, NULL, &error) != IP_OK) return 0;
    if (report_parse(&r, "result.json", data, size, &error) == IP_OK && (r.file = fopen("/dev/null", "w")) != NULL) {
        report_write(&r);
        fclose(r.file);
    }
    report_free(&r);
    return 0;
}

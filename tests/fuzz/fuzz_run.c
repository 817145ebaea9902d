/* libFuzzer target: any bytes as a run.json; what is taken is written again. Seeds: golden/badfiles/run, or none. */
#include <stdint.h>
#include <stdio.h>

#include "core/run/run_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ip_run *run = NULL;
    ip_error error;
    if (ip_run_parse(&run, "fuzz", data, size, &error) != IP_OK) return 0;
    FILE *sink = fopen("/dev/null", "w");
    if (sink) {
        ip_run_write_json(run, sink);
        ip_run_write_table(run, sink);
        fclose(sink);
    }
    ip_run_free(run);
    return 0;
}

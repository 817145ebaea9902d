/* Fuzzes tables of models: any bytes as a CSV, with its measures and without, and as runs' scores. Names must be there, and
 * every column as long as the table. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/correlate/panel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const ip_panel *panel) {
    const ip_series_list *lists[] = {&panel->measures, &panel->tasks, &panel->other};
    double sum = 0.0;
    for (size_t i = 0; i < panel->models; i++) {
        if (!panel->name[i] || panel->name[i][0] == '\0' || !panel->family[i]) abort();
        sum += panel->parameters[i] + panel->loss[i];
        for (size_t l = 0; l < 3; l++)
            for (size_t k = 0; k < lists[l]->count; k++) sum += lists[l]->items[k].values[i];
    }
    if (panel->tasks.count == 0 || sum == 1.25) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("table", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    char path[64], *named[1] = {(char *)"x"};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int measures = 0; measures < 2; measures++) {
        ip_panel panel;
        ip_error error;
        if (ip_panel_read_csv(&panel, path, measures, (ip_names){named, 1}, (ip_tell){NULL}, &error) == IP_OK)
            check(&panel);
        ip_panel_free(&panel);
    }
    close(fd);
    return 0;
}

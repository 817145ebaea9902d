/* Fuzzes results files of lm-evaluation-harness: any bytes as one. A panel that comes of it has one model and a task. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/correlate/panel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("results", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    char path[64];
    const char *paths[1] = {path};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ip_panel panel;
    ip_error error;
    if (ip_panel_read_harness(&panel, paths, 1, (ip_tell){NULL}, &error) == IP_OK &&
        (panel.models != 1 || panel.tasks.count < 2 || !panel.name[0]))
        abort();
    ip_panel_free(&panel);
    close(fd);
    return 0;
}

/* Golden data that are too large for the tree: in $INFOPLANE_SHARED, else in ../shared beside the tree. A test whose
 * data are not there says SKIPPED and passes. */
#ifndef IP_TESTS_SHARED_DATA_H
#define IP_TESTS_SHARED_DATA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Path of something in the shared folder, in one of eight static buffers taken in turn. */
__attribute__((format(printf, 1, 2))) static inline const char *shared_path(const char *format, ...) {
    static char buffers[8][4096];
    static unsigned turn;
    char name[2048], *out = buffers[turn++ % 8];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const char *folder = getenv("INFOPLANE_SHARED");
    if (folder && folder[0])
        snprintf(out, sizeof buffers[0], "%s/%s", folder, name);
    else
        snprintf(out, sizeof buffers[0], "%s/../shared/%s", INFOPLANE_SOURCE_DIR, name);
    return out;
}

static inline bool shared_missing(const char *path) {
    if (access(path, R_OK) == 0) return false;
    fprintf(stderr, "SKIPPED: %s is not there (set INFOPLANE_SHARED to the folder with the golden data)\n", path);
    return true;
}

#endif

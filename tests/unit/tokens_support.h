/* For the tests of tokenizers, corpora and arrays: files outside the repository, whole files, tables. */
#ifndef IP_TESTS_TOKENS_SUPPORT_H
#define IP_TESTS_TOKENS_SUPPORT_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Path of a file of the data set beside the repository (or in $INFOPLANE_SHARED), malloc'ed. */
static inline char *shared_path(const char *name) {
    const char *folder = getenv("INFOPLANE_SHARED");
    char *path = NULL;
    int n = folder ? asprintf(&path, "%s/%s", folder, name)
                   : asprintf(&path, "%s/../shared/%s", INFOPLANE_SOURCE_DIR, name);
    cr_assert(n > 0);
    return path;
}

/* Skips the test with a loud line when the data set is not there. */
static inline void need_shared(const char *name) {
    char *path = shared_path(name);
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (!there) {
        fprintf(stderr, "SKIPPED: %s is not there; set INFOPLANE_SHARED to the folder of the data set\n", path);
        free(path);
        cr_skip_test("no data set");
    }
    free(path);
}

/* A whole file, NUL-terminated, malloc'ed. */
static inline char *read_whole(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    size_t room = 1 << 16, count = 0, got;
    char *data = malloc(room);
    cr_assert_not_null(data);
    while ((got = fread(data + count, 1, room - count - 1, f)) > 0) {
        count += got;
        if (room - count < 2) cr_assert_not_null(data = realloc(data, room *= 2));
    }
    fclose(f);
    data[count] = '\0';
    *n = count;
    return data;
}

/* Cuts the line at *cursor into up to `most` fields at tabs, in place; returns their number, 0 at the end. */
static inline size_t next_row(char **cursor, char **fields, size_t most) {
    if (!**cursor) return 0;
    char *line = *cursor, *end = strchr(line, '\n');
    *cursor = end ? end + 1 : line + strlen(line);
    if (end) *end = '\0';
    size_t count = 0;
    while (line && count < most) {
        fields[count++] = line;
        line = strchr(line, '\t');
        if (line) *line++ = '\0';
    }
    return count;
}

/* A small generator for random strings: the same on every machine. */
static inline unsigned random_number(unsigned long *state) {
    *state = *state * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(*state >> 33);
}

#endif

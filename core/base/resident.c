/* Memory figures from /proc (Linux); a cgroup's limit counts too. */
#include "core/base/resident.h"

#include <stdio.h>
#include <string.h>

/* The number behind `key` in a file of "key: number kB" lines, in bytes; 0 when there is none. */
static uint64_t kilobytes(const char *path, const char *key) {
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    char line[256];
    unsigned long long value = 0;
    size_t n = strlen(key);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, key, n) == 0 && sscanf(line + n, ": %llu", &value) == 1) break;
    fclose(f);
    return (uint64_t)value * 1024;
}

static uint64_t plain_number(const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    unsigned long long value = 0;
    int got = fscanf(f, "%llu", &value); /* "max" gives none */
    fclose(f);
    return got == 1 ? (uint64_t)value : 0;
}

uint64_t ip_resident_anonymous(void) { return kilobytes("/proc/self/status", "RssAnon"); }

uint64_t ip_memory_available(void) {
    uint64_t available = kilobytes("/proc/meminfo", "MemAvailable");
    uint64_t limit = plain_number("/sys/fs/cgroup/memory.max"), used = plain_number("/sys/fs/cgroup/memory.current");
    if (limit > used && limit - used < available) available = limit - used;
    return available;
}

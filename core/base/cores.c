/* Core kinds from sysfs, and threads that keep to one kind. */
#include "core/base/cores.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USUAL_ROOT "/sys/devices/system/cpu"

static bool has(const ip_core_set *set, unsigned core) { return set->bits[core / 64] >> core % 64 & 1; }
static void add(ip_core_set *set, unsigned core) { set->bits[core / 64] |= (uint64_t)1 << core % 64; }

unsigned ip_core_set_count(const ip_core_set *set) {
    unsigned n = 0;
    for (unsigned core = 0; core < IP_CORES_MAX; core++) n += has(set, core);
    return n;
}

#ifdef __linux__
void ip_cores_allowed(ip_core_set *out) {
    cpu_set_t set;
    *out = (ip_core_set){0};
    if (sched_getaffinity(0, sizeof set, &set) != 0) return;
    for (unsigned core = 0; core < IP_CORES_MAX && core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &set)) add(out, core);
}

static void allow(const ip_core_set *wanted) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned core = 0; core < IP_CORES_MAX && core < CPU_SETSIZE; core++)
        if (has(wanted, core)) CPU_SET(core, &set);
    if (CPU_COUNT(&set) > 0) sched_setaffinity(0, sizeof set, &set);
}
#else
void ip_cores_allowed(ip_core_set *out) {
    *out = (ip_core_set){0};
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    for (unsigned core = 0; core < IP_CORES_MAX && (long)core < n; core++) add(out, core);
}

static void allow(const ip_core_set *wanted) { (void)wanted; }
#endif

void ip_cores_pin(const ip_core_set *set, ip_core_set *before) {
    ip_cores_allowed(before);
    allow(set);
}

void ip_cores_restore(const ip_core_set *before) { allow(before); }

/* The number in a file of one core; 0 when it is not there or none. */
static uint64_t number_in(const char *root, unsigned core, const char *name) {
    char path[512];
    if (snprintf(path, sizeof path, "%s/cpu%u/%s", root, core, name) >= (int)sizeof path) return 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    unsigned long long value = 0;
    bool good = fscanf(file, "%19llu", &value) == 1;
    fclose(file);
    return good && value < (unsigned long long)INT64_MAX / 16 ? value : 0;
}

/* False when a core does not tell. */
static bool read_measure(ip_cores *out, uint64_t *values, const char *root, const char *name) {
    out->weakest = UINT64_MAX;
    out->strongest = 0;
    for (unsigned core = 0; core < IP_CORES_MAX; core++) {
        if (!has(&out->all, core)) continue;
        uint64_t value = values[core] = number_in(root, core, name);
        if (value == 0) return false;
        out->weakest = value < out->weakest ? value : out->weakest;
        out->strongest = value > out->strongest ? value : out->strongest;
    }
    return out->strongest > 0;
}

void ip_cores_read(ip_cores *out, const char *root, const ip_core_set *allowed) {
    static const struct {
        const char *file, *name;
    } measures[] = {{"cpu_capacity", "cpu_capacity"}, {"cpufreq/cpuinfo_max_freq", "cpuinfo_max_freq"}};
    uint64_t values[IP_CORES_MAX];
    *out = (ip_cores){.measure = ""};
    if (allowed)
        out->all = *allowed;
    else
        ip_cores_allowed(&out->all);
    if (!root) root = USUAL_ROOT;
    for (unsigned i = 0; i < sizeof measures / sizeof *measures && !*out->measure; i++)
        if (read_measure(out, values, root, measures[i].file)) out->measure = measures[i].name;
    if (!*out->measure) out->weakest = out->strongest = 0;
    for (unsigned core = 0; core < IP_CORES_MAX; core++) {
        if (!*out->measure || !has(&out->all, core)) continue;
        bool little = values[core] * 10 <= out->weakest * 11;
        add(little ? &out->little : &out->big, core);
        out->mixed = out->mixed || !little;
    }
    if (!out->mixed) out->big = out->little = out->all;
}

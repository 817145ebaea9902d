/* Choosing kernels: what was asked for, what this program holds, what this machine can run. Baseline code: nothing
 * here may be compiled for more than the oldest CPU of its architecture. */
#include "arch/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "arch/isa.h"

enum { FEATURES_MAX = 8 };

#define PICK_1(table)             table
#define PICK_0(table)             NULL
#define PICK_EXPANDED(has, table) PICK_##has(table)
#define PICK(has, table)          PICK_EXPANDED(has, table)

typedef struct row {
    const char *name;
    const ip_kernels *(*table)(unsigned features); /* NULL: not in this program */
    const char *features[FEATURES_MAX + 1];
} row;

static const row rows[IP_ISAS] = {
#define IP_ISA(name, has, ...) {#name, PICK(has, ip_table_##name), {__VA_ARGS__ __VA_OPT__(, ) NULL}},
#include "arch/isa.def"
#undef IP_ISA
};

size_t ip_arch_count(void) { return IP_ISAS; }

ip_status ip_arch_info(size_t index, ip_isa_info *info) {
    if (index >= IP_ISAS) return IP_USAGE;
    const row *r = &rows[index];
    ip_probe probe = {false, 0, "this program was built for another architecture"};
    if (r->table) ip_cpu_probe((ip_isa)index, &probe);
    *info =
        (ip_isa_info){.name = r->name, .compiled = r->table != NULL, .usable = probe.usable, .features = r->features};
    memcpy(info->reason, probe.reason, sizeof info->reason);
    for (size_t i = 0; r->features[i]; i++) info->feature_usable[i] = probe.usable && (probe.features >> i & 1);
    return IP_OK;
}

/* Appends text to a list in a message: "a, b". */
static void list_add(char *list, size_t room, const char *text) {
    size_t n = strlen(list);
    snprintf(list + n, room - n, "%s%s", n ? ", " : "", text);
}

static ip_status fail_unknown(const char *name, size_t n, ip_error *error) {
    char list[256] = "";
    for (size_t i = 0; i < IP_ISAS; i++) list_add(list, sizeof list, rows[i].name);
    return ip_fail(error, IP_USAGE, "unknown instruction set '%.*s'; there are: best, %s", (int)n, name, list);
}

/* Reads ",-vnni,-bf16" into a mask of features to leave out. */
static ip_status read_features(const row *r, const char *text, unsigned *off, ip_error *error) {
    *off = 0;
    while (*text) {
        text++; /* the comma */
        size_t n = strcspn(text, ",");
        bool known = false;
        for (size_t i = 0; r->features[i]; i++) {
            if (n == strlen(r->features[i]) + 1 && text[0] == '-' && memcmp(text + 1, r->features[i], n - 1) == 0) {
                *off |= 1u << i;
                known = true;
            }
        }
        if (!known) {
            char list[256] = "";
            for (size_t i = 0; r->features[i]; i++) {
                char one[64];
                snprintf(one, sizeof one, "-%s", r->features[i]);
                list_add(list, sizeof list, one);
            }
            if (!list[0]) snprintf(list, sizeof list, "nothing");
            return ip_fail(error, IP_USAGE, "instruction set %s has no switch '%.*s'; after its name may follow: %s",
                           r->name, n < 64 ? (int)n : 64, text, list);
        }
        text += n;
    }
    return IP_OK;
}

/* The best usable level; scalar alone tells why when there is none. */
static ip_status select_best(const ip_kernels **out, ip_error *error) {
    ip_probe probe;
    for (size_t i = IP_ISAS; i-- > 0;) {
        if (!rows[i].table) continue;
        ip_cpu_probe((ip_isa)i, &probe);
        if (probe.usable) {
            *out = rows[i].table(probe.features);
            return IP_OK;
        }
    }
    return ip_fail(error, IP_USAGE, "this machine cannot run infoplane: %s", probe.reason);
}

ip_status ip_arch_select(const ip_kernels **out, const char *request, ip_error *error) {
    *out = NULL;
    if (!request || !request[0]) request = "best";
    size_t n = strcspn(request, ",");
    if (strcmp(request, "best") == 0) return select_best(out, error);
    for (size_t i = 0; i < IP_ISAS; i++) {
        const row *r = &rows[i];
        if (n != strlen(r->name) || memcmp(r->name, request, n) != 0) continue;
        unsigned off;
        ip_status status = read_features(r, request + n, &off, error);
        if (status != IP_OK) return status;
        ip_isa_info info;
        ip_arch_info(i, &info);
        if (!info.usable) {
            return ip_fail(error, IP_USAGE, "this machine cannot run instruction set %s: %s", r->name, info.reason);
        }
        unsigned features = 0;
        for (size_t f = 0; r->features[f]; f++) features |= info.feature_usable[f] ? 1u << f : 0;
        *out = r->table(features & ~off);
        return IP_OK;
    }
    return fail_unknown(request, n < 64 ? n : 64, error);
}

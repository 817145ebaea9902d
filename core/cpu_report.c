/* `cpu`: what this machine can run, what was chosen, and why. */
#include <string.h>

#include "arch/dispatch.h"
#include "arch/scalar_math.h"
#include "core/base/cores.h"
#include "core/base/pool.h"
#include "core/base/resident.h"
#include "core/infoplane.h"
#include "core/output/json_write.h"

static void write_json(const char *cpu, const ip_kernels *chosen, FILE *file) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.cpu/1");
    ip_json_string(j, "cpu", cpu);
    ip_json_uint(j, "processors", ip_processors());
    ip_cores cores;
    ip_cores_read(&cores, NULL, NULL);
    ip_json_open(j, "cores", '{', true);
    ip_json_bool(j, "mixed", cores.mixed);
    ip_json_uint(j, "big", ip_core_set_count(&cores.big));
    ip_json_uint(j, "little", ip_core_set_count(&cores.little));
    ip_json_string(j, "measure", cores.measure);
    ip_json_close(j, '}');
    ip_json_uint(j, "memory_available", ip_memory_available());
    ip_json_string(j, "sleef", ip_sleef_version());
    ip_json_string(j, "chosen", chosen->name);
    ip_json_open(j, "isas", '[', false);
    for (size_t i = 0; i < ip_arch_count(); i++) {
        ip_isa_info info;
        if (ip_arch_info(i, &info) != IP_OK) continue;
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "name", info.name);
        ip_json_bool(j, "compiled", info.compiled);
        ip_json_bool(j, "usable", info.usable);
        ip_json_string(j, "reason", info.reason);
        ip_json_open(j, "features", '{', true);
        for (size_t f = 0; info.features && info.features[f]; f++)
            ip_json_bool(j, info.features[f], info.feature_usable[f]);
        ip_json_close(j, '}');
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
}

/* Which kinds of cores there are, and by what the system tells them apart. */
static void write_cores(FILE *file) {
    ip_cores cores;
    ip_cores_read(&cores, NULL, NULL);
    if (cores.mixed)
        fprintf(file, "\ncores: %u big, %u little (%s %llu and %llu): --threads big, --threads little\n",
                ip_core_set_count(&cores.big), ip_core_set_count(&cores.little), cores.measure,
                (unsigned long long)cores.strongest, (unsigned long long)cores.weakest);
    else
        fprintf(file, "\ncores: %u of one kind%s\n", ip_core_set_count(&cores.all),
                *cores.measure ? "" : ", as far as the system tells");
}

ip_status ip_cpu_write(const char *request, bool json, FILE *file, ip_error *error) {
    const ip_kernels *chosen;
    ip_status status = ip_arch_select(&chosen, request, error);
    if (status != IP_OK) return status;
    char cpu[128];
    ip_arch_cpu_name(cpu, sizeof cpu);
    ip_make_printable(cpu);
    if (json) {
        write_json(cpu, chosen, file);
        return IP_OK;
    }
    fprintf(file, "%s, %u processor%s for this process, %.1f GiB of memory available, SLEEF %s\n\n", cpu,
            ip_processors(), ip_processors() == 1 ? "" : "s", (double)ip_memory_available() / 0x1p30,
            ip_sleef_version());
    for (size_t i = 0; i < ip_arch_count(); i++) {
        ip_isa_info info;
        if (ip_arch_info(i, &info) != IP_OK) continue;
        const char *state = !info.compiled ? "not built" : info.usable ? "usable" : "unusable";
        fprintf(file, "  %-8s %-9s %s\n", info.name, state, info.reason);
        for (size_t f = 0; info.usable && info.features && info.features[f]; f++)
            fprintf(file, "    %-6s %-9s %s\n", info.features[f], info.feature_usable[f] ? "usable" : "absent", "");
    }
    write_cores(file);
    fprintf(file, "\nchosen: %s, %s\n", chosen->name,
            request && *request ? "as asked for" : "the last of the list that this machine can run");
    return IP_OK;
}

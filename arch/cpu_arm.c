/* What an ARM machine can run, as the kernel tells it (HWCAP; sysctl on macOS). On AArch64 vectors and fused
 * multiply-add are always there; a 32-bit ARM must have VFPv4 for the latter. */
#include "arch/dispatch.h"
#include "arch/isa.h"

#if defined(__aarch64__) || defined(__arm__)

#include <stdio.h>
#include <string.h>

#if defined(__linux__)
#include <sys/auxv.h>

/* Bits of the kernel's ABI, named here because old headers lack the newer ones. */
enum { ARM64_ASIMDDP = 20, ARM64_I8MM = 13, ARM64_BF16 = 14, ARM32_VFPV4 = 16 };

static bool hwcap(unsigned long which, unsigned bit) { return getauxval(which) >> bit & 1; }
#elif defined(__APPLE__)
#include <sys/sysctl.h>

static bool apple_has(const char *name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}
#endif

static bool has_fma(void) {
#if defined(__arm__) && defined(__linux__)
    return hwcap(AT_HWCAP, ARM32_VFPV4);
#else
    return true;
#endif
}

static unsigned neon_features(void) {
    unsigned features = 0;
#if defined(__aarch64__) && defined(__linux__)
    if (hwcap(AT_HWCAP, ARM64_ASIMDDP)) features |= IP_NEON_DOTPROD;
    if (hwcap(AT_HWCAP2, ARM64_I8MM)) features |= IP_NEON_I8MM;
    if (hwcap(AT_HWCAP2, ARM64_BF16)) features |= IP_NEON_BF16;
#elif defined(__aarch64__) && defined(__APPLE__)
    if (apple_has("hw.optional.arm.FEAT_DotProd")) features |= IP_NEON_DOTPROD;
    if (apple_has("hw.optional.arm.FEAT_I8MM")) features |= IP_NEON_I8MM;
    if (apple_has("hw.optional.arm.FEAT_BF16")) features |= IP_NEON_BF16;
#endif
    return features;
}

void ip_cpu_probe(ip_isa isa, ip_probe *out) {
    *out = (ip_probe){.usable = has_fma(), .features = isa == IP_ISA_neon ? neon_features() : 0};
    const char *text = "plain C with the fused multiply-add that every result rests on";
    if (isa == IP_ISA_neon) text = "Advanced SIMD";
    if (!out->usable) text = "the CPU has no VFPv4 (fused multiply-add; ARM cores have it since 2011)";
    snprintf(out->reason, sizeof out->reason, "%s", text);
}

/* First line of a file; with key, what stands behind the colon of the first line that starts with it. */
static bool read_line(const char *path, const char *key, char *out, size_t n) {
    FILE *file = fopen(path, "r");
    if (!file) return false;
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        const char *text = line;
        if (key && strncmp(line, key, strlen(key)) != 0) continue;
        if (key && strchr(line, ':')) text = strchr(line, ':') + 1;
        text += strspn(text, " \t");
        line[strcspn(line, "\r\n")] = 0;
        found = text[0] != 0;
        if (found) snprintf(out, n, "%s", text);
    }
    fclose(file);
    return found;
}

void ip_arch_cpu_name(char *out, size_t n) {
    bool found = read_line("/proc/cpuinfo", "Model", out, n) || read_line("/proc/cpuinfo", "Hardware", out, n) ||
                 read_line("/sys/firmware/devicetree/base/model", NULL, out, n);
#if defined(__APPLE__)
    found = sysctlbyname("machdep.cpu.brand_string", out, &n, NULL, 0) == 0;
#endif
    if (!found) snprintf(out, n, "unknown");
    ip_make_printable(out);
}

#endif

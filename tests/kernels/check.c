/* The checker's program: options, the walk over instruction sets and kernels, and what a check is. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/dispatch.h"
#include "arch/scalar_math.h"
#include "core/base/fpcontrol.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/check.h"
#include "tests/kernels/evex.h"

typedef struct entry {
    const char *name;
    void (*run)(check *c);
    size_t offset; /* of the pointer in ip_kernels */
} entry;

static const entry entries[] = {
#define IP_KERNEL(type, kernel, arguments) {#kernel, check_##kernel, offsetof(ip_kernels, kernel)},
#include "arch/kernels.def"
#undef IP_KERNEL
};

enum { ENTRIES = sizeof entries / sizeof *entries, SHOWN = 20, TABLES = 64 };

static const char help[] =
    "Usage: check-kernels [--isa NAME] [--kernel NAME] [--seed N] [--quick] [--list]\n"
    "       check-kernels --bench [--filter TEXT] [--save FILE.json] [--against OLD.json] ...\n"
    "Proves every kernel this machine can run equal to scalar, byte for byte, and times them.\n"
    "  --isa NAME     only this instruction set, e.g. avx512 or avx512,-vnni\n"
    "                 (" EVEX_NAME ": see --list)\n"
    "  --kernel NAME  only this kernel, or law, sleef, dispatch\n"
    "  --seed N       other inputs; a failure prints the seed that replays it\n"
    "  --quick        fewer large shapes (default when INFOPLANE_EMULATED=1); the bench: fewer, shorter samples\n"
    "  --list         instruction sets and kernels\n"
    "  --bench        then times the kernels, scalar included; --bench-only: without proving them first\n"
    "  --filter TEXT  times only what has this in its line, \"avx512 gemm\", \"k 4096\"\n"
    "  --save FILE    keeps all samples as JSON\n"
    "  --against FILE compares with a saved run; exit 1 when a kernel is slower beyond threshold and chance\n"
    "  --threshold P  percent that a kernel may be slower (5)\n"
    "  --read FILE    takes this saved run instead of timing\n";

void check_case(check *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->what, sizeof c->what, format, arguments);
    va_end(arguments);
    c->state = c->seed * 0x9e3779b97f4a7c15u;
    for (const char *p = c->kernel; *p; p++) c->state = (c->state ^ (unsigned char)*p) * 0x100000001b3u;
    for (const char *p = c->what; *p; p++) c->state = (c->state ^ (unsigned char)*p) * 0x100000001b3u;
}

void check_that(check *c, bool good, const char *format, ...) {
    if (good) {
        c->passed++;
        return;
    }
    if (c->failed++ >= SHOWN) return;
    va_list arguments;
    printf("FAILED %s %s (%s): ", c->kernels->name, c->kernel, c->what);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n    replay: check-kernels --isa %s --kernel %s --seed %llu\n", c->kernels->name, c->kernel,
           (unsigned long long)c->seed);
}

void check_words(check *c, const void *got, const void *want, size_t n) {
    const unsigned char *a = got, *b = want;
    size_t i = 0;
    while (i < n && memcmp(a + 4 * i, b + 4 * i, 4) == 0) i++;
    uint32_t x = 0, y = 0;
    float fx = 0, fy = 0;
    if (i < n) {
        memcpy(&x, a + 4 * i, 4);
        memcpy(&y, b + 4 * i, 4);
        memcpy(&fx, a + 4 * i, 4);
        memcpy(&fy, b + 4 * i, 4);
    }
    check_that(c, i == n, "word %zu of %zu is %08x (%g), scalar has %08x (%g)", i, n, x, (double)fx, y, (double)fy);
}

void check_floats(check *c, const float *got, const float *want, size_t n) { check_words(c, got, want, n); }

static const void *pointer_at(const ip_kernels *kernels, size_t offset) { return (const char *)kernels + offset; }

/* Whether an earlier table of this run held the very same kernel, and for products the same packing: then it is
 * proved already. Kernels of one product have their checks in common. */
static bool seen(const ip_kernels *const *tables, size_t n, const ip_kernels *kernels, const entry *e) {
    for (size_t i = 0; i < n; i++) {
        bool same = true;
        for (size_t j = 0; j < ENTRIES; j++) {
            if (entries[j].run != e->run) continue;
            same = same && memcmp(pointer_at(tables[i], entries[j].offset), pointer_at(kernels, entries[j].offset),
                                  sizeof(void (*)(void))) == 0;
        }
        if (same) return true;
    }
    return false;
}

static void check_table(check *c, const char *only, const ip_kernels *const *tables, size_t n) {
    for (size_t i = 0; i < ENTRIES; i++) {
        const entry *e = &entries[i];
        bool again = false; /* pack, act and gemm of one product */
        for (size_t j = 0; !only && j < i; j++) again = again || entries[j].run == e->run;
        if (again || (only && strcmp(only, e->name) != 0) || (!only && seen(tables, n, c->kernels, e))) continue;
        c->kernel = e->name;
        e->run(c);
    }
}

/* The request "name,-a,-b" for a mask of features to leave out. */
static void request_of(char *out, size_t n, const ip_isa_info *info, unsigned off) {
    snprintf(out, n, "%s", info->name);
    for (size_t f = 0; info->features[f]; f++) {
        if (off >> f & 1) snprintf(out + strlen(out), n - strlen(out), ",-%s", info->features[f]);
    }
}

/* Every usable instruction set with every subset of its features, and those that only this checker has; or just the one
 * asked for. */
static size_t find_tables(const ip_kernels **tables, const char *isa, ip_error *error) {
    size_t n = 0;
    const char *why;
    const ip_kernels *evex = evex_table(&why);
    if (isa && why && strcmp(isa, EVEX_NAME) == 0) {
        if (!evex) ip_fail(error, IP_USAGE, "this machine cannot run %s: %s", isa, why);
        tables[0] = evex;
        return evex ? 1 : 0;
    }
    if (isa) return ip_arch_select(&tables[0], isa, error) == IP_OK ? 1 : 0;
    for (size_t i = 0; i < ip_arch_count(); i++) {
        ip_isa_info info;
        ip_arch_info(i, &info);
        size_t features = 0;
        while (info.usable && info.features[features]) features++;
        for (unsigned off = 0; info.usable && off < 1u << features && n < TABLES; off++) {
            char request[128];
            request_of(request, sizeof request, &info, off);
            if (ip_arch_select(&tables[n], request, error) != IP_OK) return 0;
            bool known = strcmp(tables[n]->name, "scalar") == 0;
            for (size_t j = 0; j < n; j++) known = known || tables[j] == tables[n];
            n += !known;
        }
    }
    if (evex && n < TABLES) tables[n++] = evex;
    return n;
}

static void list(void) {
    char name[128];
    ip_arch_cpu_name(name, sizeof name);
    printf("CPU: %s\n", name);
    for (size_t i = 0; i < ip_arch_count(); i++) {
        ip_isa_info info;
        ip_arch_info(i, &info);
        printf("%-8s %-4s %s", info.name, info.usable ? "yes" : "no", info.reason);
        for (size_t f = 0; info.features[f]; f++) {
            printf("%s %s%s", f ? "," : ";", info.feature_usable[f] ? "" : "no ", info.features[f]);
        }
        printf("\n");
    }
    const char *why;
    bool evex = evex_table(&why);
    if (why) printf("%s %s, %s\n", EVEX_NAME, evex ? "yes" : "no", why);
    printf("kernels:");
    for (size_t i = 0; i < ENTRIES; i++) printf(" %s", entries[i].name);
    printf("\n");
}

/* What runs at the moment, for the handler below. */
static const check *running;

/* A kernel that touches what it must not ends the run here, with the case that did it. */
static void on_fault(int signal) {
    char line[512];
    int n = snprintf(line, sizeof line, "FAILED %s %s (%s): signal %d, memory outside its buffers\n",
                     running->kernels->name, running->kernel, running->what, signal);
    if (n > 0 && write(STDOUT_FILENO, line, (size_t)n) < 0) _exit(2);
    _exit(1);
}

static void catch_faults(const check *c) {
    struct sigaction action = {.sa_handler = on_fault};
    running = c;
    fflush(stdout);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGILL, &action, NULL);
}

typedef struct options {
    uint64_t seed;
    bool check, bench, list;
    bench_options timed; /* isa, kernel and quick hold for both */
} options;

/* A percentage as the part of one; false for what is none. */
static bool read_percent(double *out, const char *text) {
    char *end;
    double percent = strtod(text, &end);
    *out = percent / 100;
    return end != text && *end == '\0' && percent >= 0 && percent <= 1000;
}

/* Options with a text that is taken as it is. */
static const char **text_option(options *o, const char *name) {
    const struct {
        const char *name;
        const char **at;
        bool bench;
    } texts[] = {{"--isa", &o->timed.isa, false},        {"--kernel", &o->timed.kernel, false},
                 {"--filter", &o->timed.filter, true},   {"--save", &o->timed.save, true},
                 {"--against", &o->timed.against, true}, {"--read", &o->timed.read, true}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].name, name) != 0) continue;
        o->bench = o->bench || texts[i].bench;
        return texts[i].at;
    }
    return NULL;
}

static bool read_options(options *o, int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        const char *a = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;
        const char **text = value ? text_option(o, a) : NULL;
        if (text) {
            *text = value, i++;
        } else if (strcmp(a, "--quick") == 0) {
            o->timed.quick = true;
        } else if (strcmp(a, "--bench") == 0) {
            o->bench = true;
        } else if (strcmp(a, "--bench-only") == 0) {
            o->bench = true, o->check = false;
        } else if (strcmp(a, "--list") == 0) {
            o->list = true;
        } else if (value && strcmp(a, "--threshold") == 0) {
            if (!read_percent(&o->timed.threshold, value)) return false;
            i++;
        } else if (value && strcmp(a, "--seed") == 0) {
            o->seed = strtoull(value, NULL, 0), i++;
        } else {
            return false;
        }
    }
    if (o->timed.read) o->check = false;
    static const char *const others[] = {"law", "sleef", "dispatch"};
    bool known = !o->timed.kernel;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        known = known || strcmp(o->timed.kernel, others[i]) == 0;
    for (size_t i = 0; i < ENTRIES; i++) known = known || strcmp(o->timed.kernel, entries[i].name) == 0;
    return known;
}

/* Everything but the times. */
static void prove(check *c, const options *o, const ip_kernels *const *tables, size_t n) {
    const char *kernel = o->timed.kernel;
    c->kernels = c->law;
    c->kernel = "sleef";
    if (!kernel || strcmp(kernel, "sleef") == 0) check_sleef(c);
    c->kernel = "dispatch";
    if (!kernel || strcmp(kernel, "dispatch") == 0) check_dispatch(c);
    c->kernel = "law";
    if (!kernel || strcmp(kernel, "law") == 0) check_law(c);
    for (size_t i = 0; i < n; i++) {
        size_t passed = c->passed, failed = c->failed;
        c->kernels = tables[i];
        check_table(c, kernel, tables, i);
        printf("%-26s %zu checks passed, %zu failed\n", tables[i]->name, c->passed - passed, c->failed - failed);
        fflush(stdout);
    }
    const char *why;
    if (!o->timed.isa && !evex_table(&why) && why) printf("%-26s skipped: %s\n", EVEX_NAME, why);
    printf("kernels: %zu checks passed, %zu failed\n", c->passed, c->failed);
}

int main(int count, char **arguments) {
    options o = {.seed = 1, .check = true, .timed = {.threshold = 0.05}};
    if (!read_options(&o, count, arguments)) {
        fputs(help, stderr);
        return 2;
    }
    if (o.list) {
        list();
        return 0;
    }
    const char *emulated = getenv("INFOPLANE_EMULATED");
    check c = {.seed = o.seed, .quick = o.timed.quick || (emulated && strcmp(emulated, "1") == 0)};
    o.timed.quick = c.quick;
    /* Scalar stands first: it is timed like the others, and they are compared with it. */
    const ip_kernels *tables[TABLES + 2];
    ip_error error = {0};
    if (ip_arch_select(&tables[0], "scalar", &error) != IP_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    c.law = tables[0];
    size_t n = find_tables(tables + 1, o.timed.isa, &error);
    if (n == 0 && error.message[0]) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    uint64_t saved = ip_fp_enter();
    if (o.check) printf("seed %llu, SLEEF %s\n", (unsigned long long)o.seed, ip_sleef_version());
    c.kernels = c.law;
    c.kernel = "bench";
    catch_faults(&c);
    if (o.check) prove(&c, &o, tables + 1, n);
    int status = c.failed ? 1 : 0;
    if (o.bench && status == 0) {
        /* One that was asked for by name is timed alone, in the name that its table has. */
        if (o.timed.isa) o.timed.isa = tables[1]->name;
        status = o.timed.isa ? bench(tables + 1, n, &o.timed) : bench(tables, n + 1, &o.timed);
    }
    ip_fp_leave(saved);
    return status;
}

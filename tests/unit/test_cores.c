/* Kinds of cores from made-up folders of a system: boards as they are, and what a system may leave out or get wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/cores.h"

static char root[] = "/tmp/infoplane-cores-XXXXXX";

static void make_root(void) { cr_assert_not_null(mkdtemp(root)); }

static void remove_root(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    cr_assert(system(command) == 0);
}

static void put(unsigned core, const char *file, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/cpu%u", root, core);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/cpu%u/cpufreq", root, core);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/cpu%u/%s", root, core, file);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static ip_cores read_cores(uint64_t allowed) {
    ip_core_set set = {.bits = {allowed}};
    ip_cores cores;
    ip_cores_read(&cores, root, &set);
    return cores;
}

TestSuite(cores, .init = make_root, .fini = remove_root);

/* RK3399: four A53, two A72. */
Test(cores, two_kinds_by_capacity) {
    for (unsigned i = 0; i < 6; i++) put(i, "cpu_capacity", i < 4 ? "485\n" : "1024\n");
    ip_cores c = read_cores(0x3f);
    cr_assert(c.mixed && c.all.bits[0] == 0x3f && c.little.bits[0] == 0x0f && c.big.bits[0] == 0x30);
    cr_assert_str_eq(c.measure, "cpu_capacity");
    cr_assert(c.weakest == 485 && c.strongest == 1024);
    cr_assert(ip_core_set_count(&c.big) == 2 && ip_core_set_count(&c.little) == 4);
}

/* What this process may not use does not count: only little ones left are one kind. */
Test(cores, only_those_allowed) {
    for (unsigned i = 0; i < 6; i++) put(i, "cpu_capacity", i < 4 ? "485\n" : "1024\n");
    ip_cores c = read_cores(0x0e);
    cr_assert(!c.mixed && c.big.bits[0] == 0x0e && c.little.bits[0] == 0x0e);
    c = read_cores(0x18);
    cr_assert(c.mixed && c.little.bits[0] == 0x08 && c.big.bits[0] == 0x10);
}

/* One fastest core, three fast, four small: big is all but the small ones. */
Test(cores, three_kinds) {
    for (unsigned i = 0; i < 8; i++) put(i, "cpu_capacity", i < 4 ? "250" : i < 7 ? "870" : "1024");
    ip_cores c = read_cores(0xff);
    cr_assert(c.mixed && c.little.bits[0] == 0x0f && c.big.bits[0] == 0xf0);
}

/* Without capacities the highest clock tells; cores of one kind that clock within a tenth are one kind. */
Test(cores, by_clock) {
    for (unsigned i = 0; i < 4; i++) put(i, "cpufreq/cpuinfo_max_freq", i < 2 ? "1800000\n" : "2400000\n");
    ip_cores c = read_cores(0x0f);
    cr_assert(c.mixed && c.little.bits[0] == 0x03 && c.big.bits[0] == 0x0c);
    cr_assert_str_eq(c.measure, "cpuinfo_max_freq");
    for (unsigned i = 0; i < 4; i++) put(i, "cpufreq/cpuinfo_max_freq", i < 2 ? "5000000\n" : "5200000\n");
    c = read_cores(0x0f);
    cr_assert(!c.mixed && c.big.bits[0] == 0x0f);
}

/* A core that does not tell, tells nonsense, or nothing at all: one kind. */
Test(cores, unknown_is_one_kind) {
    ip_cores c = read_cores(0x03);
    cr_assert(!c.mixed && c.big.bits[0] == 3 && c.little.bits[0] == 3 && c.strongest == 0);
    cr_assert_str_eq(c.measure, "");
    static const char *const bad[] = {"", "0", "-5", "big", "99999999999999999999999999", "18446744073709551615"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(0, "cpu_capacity", "1024");
        put(1, "cpu_capacity", bad[i]);
        c = read_cores(0x03);
        cr_assert(!c.mixed && c.big.bits[0] == 3, "%s", bad[i]);
    }
    /* Then the clocks are asked. */
    put(0, "cpufreq/cpuinfo_max_freq", "1000000");
    put(1, "cpufreq/cpuinfo_max_freq", "2000000");
    c = read_cores(0x03);
    cr_assert(c.mixed && c.big.bits[0] == 2);
}

/* Processors beyond the first 64. */
Test(cores, many) {
    put(3, "cpu_capacity", "400");
    put(700, "cpu_capacity", "1000");
    ip_core_set set = {0};
    set.bits[0] = 8;
    set.bits[700 / 64] = (uint64_t)1 << 700 % 64;
    ip_cores c;
    ip_cores_read(&c, root, &set);
    cr_assert(c.mixed && c.little.bits[0] == 8 && c.big.bits[700 / 64] == set.bits[700 / 64]);
}

/* This machine, whatever it is: every core it may use is of some kind. */
Test(cores, here) {
    ip_cores c;
    ip_cores_read(&c, NULL, NULL);
    unsigned all = ip_core_set_count(&c.all), big = ip_core_set_count(&c.big), little = ip_core_set_count(&c.little);
    cr_assert(all >= 1 && (c.mixed ? big + little == all : big == all && little == all));
}

/* What is asked of dispatch and of operand sizes: clear refusals, names that say what runs, sizes that do not wrap. */
#include "arch/dispatch.h"

#include <stdint.h>
#include <string.h>

#include "tests/kernels/check.h"

static void refused(check *c, const char *request, const char *expected) {
    const ip_kernels *kernels;
    ip_error error = {0};
    check_case(c, "request '%s'", request);
    check_that(c, ip_arch_select(&kernels, request, &error) == IP_USAGE && !kernels, "it is not refused");
    check_that(c, strstr(error.message, expected) != NULL, "the message does not say '%s': %s", expected,
               error.message);
}

static void check_requests(check *c) {
    const ip_kernels *best, *same;
    ip_error error = {0};
    check_case(c, "best");
    check_that(c, ip_arch_select(&best, NULL, &error) == IP_OK, "nothing usable: %s", error.message);
    check_that(c, ip_arch_select(&same, "", &error) == IP_OK && same == best, "an empty request is not the best");
    check_that(c, ip_arch_select(&same, "best", &error) == IP_OK && same == best, "'best' is not the best");
    check_that(c, ip_arch_select(&same, best->name, &error) == IP_OK && same == best, "its own name does not find it");
    refused(c, "sse9", "unknown instruction set");
    refused(c, "avx", "unknown instruction set");
    refused(c, "best,-vnni", "unknown instruction set");
    refused(c, "scalar,-vnni", "has no switch");
    refused(c, "avx512,-", "has no switch");
    refused(c, "avx512,vnni", "has no switch");
    refused(c, "avx512,-vnni,", "has no switch");
    bool any = false;
    for (size_t i = 0; i < ip_arch_count(); i++) {
        ip_isa_info info;
        check_case(c, "instruction set %zu", i);
        check_that(c, ip_arch_info(i, &info) == IP_OK && info.reason[0], "no information");
        any = any || info.usable;
        if (!info.usable) refused(c, info.name, "cannot run instruction set");
        for (size_t f = 0; info.features[f]; f++) check_that(c, f < 8, "more features than the struct holds");
    }
    check_that(c, any, "no instruction set is usable");
    ip_isa_info none;
    check_that(c, ip_arch_info(ip_arch_count(), &none) == IP_USAGE, "an index beyond the list is taken");
}

/* Sizes come from the shapes in files: what does not fit must not come out small. */
static void check_sizes(check *c) {
    check_case(c, "sizes that do not fit");
    for (ip_arith arith = 0; arith < IP_ARITHS; arith++) {
        check_that(c, ip_matrix_bytes(c->law, arith, SIZE_MAX, 64, 32, true) == SIZE_MAX, "outputs wrap");
        check_that(c, ip_matrix_bytes(c->law, arith, SIZE_MAX / 64, 64, 16, true) == SIZE_MAX, "a product wraps");
        check_that(c, ip_matrix_bytes(c->law, arith, 64, SIZE_MAX, 16, true) == SIZE_MAX, "inputs wrap");
        check_that(c, ip_act_bytes(c->law, arith, SIZE_MAX / 2, 64) == SIZE_MAX, "rows wrap");
        check_that(c, ip_act_bytes(c->law, arith, 64, SIZE_MAX - 3) == SIZE_MAX, "inputs of activations wrap");
    }
}

void check_dispatch(check *c) {
    check_requests(c);
    check_sizes(c);
}

/* The dispatch table of the scalar law. */
#include "arch/isa.h"
#include "arch/scalar/scalar.h"

static const ip_kernels table = {
    .name = "scalar",
    .tile = {IP_SCALAR_TILE, IP_SCALAR_TILE, IP_SCALAR_TILE, IP_SCALAR_TILE},
    .act_bytes = {4, 2, 2, 1},
    .weight_bytes = {4, 2, 1, 1},
#define IP_KERNEL(type, kernel, arguments) .kernel = ip_##kernel##_scalar,
#include "arch/kernels.def"
#undef IP_KERNEL
};

const ip_kernels *ip_table_scalar(unsigned features) {
    (void)features;
    return &table;
}

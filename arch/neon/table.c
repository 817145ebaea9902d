/* The dispatch tables of NEON, one for each set of optional features; i8mm is taken before dotprod. Baseline code. */
#include <pthread.h>

#include "arch/isa.h"
#include "arch/neon/neon.h"

static const ip_kernels base = {
    .name = "neon,-dotprod,-i8mm",
    .tile = {IP_NEON_F32_TILE, IP_NEON_F32_TILE, IP_NEON_INT_TILE, IP_NEON_INT_TILE},
    .act_bytes = {4, 4, 2, 2},
    .weight_bytes = {4, 2, 2, 2},
#define IP_KERNEL(type, kernel, arguments) .kernel = ip_##kernel##_neon,
#include "arch/kernels.def"
#undef IP_KERNEL
};

/* Takes the integer kernels of one feature. */
#define TAKE(table, feature)                                                                                           \
    do {                                                                                                               \
        (table)->pack_int16 = ip_pack_int16_neon_##feature;                                                            \
        (table)->act_int16 = ip_act_int16_neon_##feature;                                                              \
        (table)->gemm_int16 = ip_gemm_int16_neon_##feature;                                                            \
        (table)->pack_int8 = ip_pack_int8_neon_##feature;                                                              \
        (table)->act_int8 = ip_act_int8_neon_##feature;                                                                \
        (table)->gemm_int8 = ip_gemm_int8_neon_##feature;                                                              \
    } while (0)

static ip_kernels tables[4];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void) {
    static const char *const names[4] = {"neon,-dotprod,-i8mm", "neon,-i8mm", "neon,-dotprod", "neon"};
    for (unsigned features = 0; features < 4; features++) {
        ip_kernels *table = &tables[features];
        *table = base;
        table->name = names[features];
        if (features & IP_NEON_DOTPROD) TAKE(table, dotprod);
        if (features & IP_NEON_I8MM) TAKE(table, i8mm);
        if (features) {
            table->act_bytes[IP_ARITH_INT8] = 1;
            table->weight_bytes[IP_ARITH_INT16] = table->weight_bytes[IP_ARITH_INT8] = 1;
        }
    }
}

const ip_kernels *ip_table_neon(unsigned features) {
    pthread_once(&once, build);
    return &tables[features & 3];
}

/* The dispatch tables of NEON, one for each set of optional features; i8mm is taken before dotprod. Baseline code. */
#include <pthread.h>

#include "arch/isa.h"
#include "arch/neon/neon.h"

static const ip_kernels base = {
    .name = "neon,-dotprod,-i8mm,-bf16",
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

enum { TABLES = 8 };

static ip_kernels tables[TABLES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void) {
    static const char *const names[TABLES] = {
        "neon,-dotprod,-i8mm,-bf16", "neon,-i8mm,-bf16", "neon,-dotprod,-bf16", "neon,-bf16",
        "neon,-dotprod,-i8mm",       "neon,-i8mm",       "neon,-dotprod",       "neon"};
    for (unsigned features = 0; features < TABLES; features++) {
        ip_kernels *table = &tables[features];
        *table = base;
        table->name = names[features];
        if (features & IP_NEON_DOTPROD) TAKE(table, dotprod);
        if (features & IP_NEON_I8MM) TAKE(table, i8mm);
        if (features & (IP_NEON_DOTPROD | IP_NEON_I8MM)) {
            table->act_bytes[IP_ARITH_INT8] = 1;
            table->weight_bytes[IP_ARITH_INT16] = table->weight_bytes[IP_ARITH_INT8] = 1;
        }
        if (features & IP_NEON_BF16) {
            table->pack_bf16 = ip_pack_bf16_neon_bf16;
            table->act_bf16 = ip_act_bf16_neon_bf16;
            table->gemm_bf16 = ip_gemm_bf16_neon_bf16;
            table->tile[IP_ARITH_BF16] = IP_NEON_BF16_TILE;
            table->act_bytes[IP_ARITH_BF16] = 2;
            table->k_step[IP_ARITH_BF16] = IP_NEON_BF16_STEP;
        }
    }
}

const ip_kernels *ip_table_neon(unsigned features) {
    pthread_once(&once, build);
    return &tables[features & (TABLES - 1)];
}

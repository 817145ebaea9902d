/* EXAONE 4: norms behind both branches, q and k normed head by head; with windows, only the layers that slide rotate. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    for (size_t i = 0; i < b->plan.layers; i++)
        if (b->window > 0 && !b->shapes[i].sliding) b->shapes[i].rope = IP_NO_ROPE;
    return IP_OK;
}

const ip_family ip_family_exaone4 = {
    .name = "exaone4",
    .architecture = "exaone4",
    .model_type = "exaone4",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .order = IP_ORDER_POST,
            .qk_norm = IP_QK_HEAD,
            .qk_kind = IP_NORM_RMS,
            .window_rule = IP_WINDOW_PERIOD,
            .window = 4096,
            .window_period = 4,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

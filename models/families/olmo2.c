/* OLMo 2: norms behind attention and MLP, q and k normed over all heads together. GGUF files of OLMo 3 say olmo2 too: they
 * are told by their window, and their sliding layers rotate without the scaling of the full ones. */
#include "models/build.h"

static ip_status configure(ip_build *b) {
    if (b->file->folder) {
        ip_build_no_windows(b);
    } else if (b->window > 0) {
        b->traits.local_rope_base = b->traits.rope_base;
        ip_build_place_ropes(b);
    }
    return IP_OK;
}

const ip_family ip_family_olmo2 = {
    .name = "olmo2",
    .architecture = "olmo2",
    .model_type = "olmo2",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-5,
            .activation = IP_ACT_SILU,
            .gated = true,
            .order = IP_ORDER_POST,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .qk_norm = IP_QK_FULL,
            .qk_kind = IP_NORM_RMS,
            .window_rule = IP_WINDOW_PERIOD,
            .window_period = 4,
            .rope_base = 10000,
            .rotary_part = 1,
        },
};

/* Llama 1 to 3.3, SmolLM and SmolLM2, TinyLlama, Yi, Vicuna and their kin; in GGUF files Mistral and Mixtral too.
 *
 *   x += o(attention(rope(q h), rope(k h), v h)),  h = rms(x)
 *   x += down(silu(gate h) * (up h)),              h = rms(x)
 *
 * Its GGUF files keep rotary pairs of q and k side by side; the plan takes rows so that halves are rotated, which gives
 * the same scores. There Mistral is told by its sliding window, Llama 3.1 by the divisors of rope_freqs.weight. */
#include "models/build.h"

/* Folders of other families carry a window under this one's name, where it means nothing. */
static ip_status configure(ip_build *b) {
    if (b->file->folder) ip_build_no_windows(b);
    return IP_OK;
}

const ip_family ip_family_llama = {
    .name = "llama",
    .architecture = "llama",
    .model_type = "llama",
    .configure = configure,
    .traits =
        {
            .norm = IP_NORM_RMS,
            .eps = 1e-6,
            .activation = IP_ACT_SILU,
            .gated = true,
            .permuted = true,
            .q_bias_key = "attention_bias",
            .o_bias_key = "attention_bias",
            .mlp_bias_key = "mlp_bias",
            .window_rule = IP_WINDOW_ALL,
            .rope_base = 10000,
            .rotary_part = 1,
            .uses = IP_USES_EXPERTS,
            .routing = IP_ROUTING_NORMALISED,
        },
};

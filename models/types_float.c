/* Float types: F32, F16, BF16, F64 (to the nearest float), and the rounding of floats to half. */
#include "models/types.h"

IP_FLOATS(ip_f32_to_float) {
    for (size_t i = 0; i < k; i++) out[i] = ip_float_of_bits(ip_load_u32(row + 4 * i));
}

IP_FLOATS(ip_f16_to_float) {
    for (size_t i = 0; i < k; i++) out[i] = ip_half_to_float(ip_load_u16(row + 2 * i));
}

IP_FLOATS(ip_bf16_to_float) {
    for (size_t i = 0; i < k; i++) out[i] = ip_float_of_bits((uint32_t)ip_load_u16(row + 2 * i) << 16);
}

IP_FLOATS(ip_f64_to_float) {
    for (size_t i = 0; i < k; i++) {
        uint64_t bits = ip_load_u64(row + 8 * i);
        double value;
        memcpy(&value, &bits, sizeof value);
        out[i] = (float)value;
    }
}

uint16_t ip_float_to_half(float value) {
    uint32_t bits = ip_bits_of_float(value), sign = bits >> 16 & 0x8000, a = bits & 0x7FFFFFFFu;
    if (a > 0x7F800000u) return (uint16_t)(sign | 0x7E00);  /* NaN */
    if (a >= 0x47800000u) return (uint16_t)(sign | 0x7C00); /* 2^16 and more */
    if (a >= 0x38800000u) {                                 /* 2^-14 and more: a normal half, or a carry into one */
        uint32_t half = a - 0x38000000u;                    /* the exponent with its new bias, 13 bits too many */
        half += 0x0FFF + (half >> 13 & 1);
        return (uint16_t)(sign | half >> 13); /* 65520 and more carry into infinity */
    }
    if (a < 0x33000000u) return (uint16_t)sign;                             /* below 2^-25: zero */
    uint32_t shift = 126 - (a >> 23), mantissa = (a & 0x7FFFFF) | 0x800000; /* units of 2^-24 */
    uint32_t half = mantissa >> shift, rest = mantissa & ((1u << shift) - 1), middle = 1u << (shift - 1);
    half += rest > middle || (rest == middle && (half & 1));
    return (uint16_t)(sign | half);
}

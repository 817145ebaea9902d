/* Tensor types of safetensors files: the names of dtypes, and decoders of those that GGUF files do not have.
 *
 *   F8_E4M3  sign, 4 bits of exponent (bias 7), 3 of mantissa; no infinity, S.1111.111 is NaN
 *   F8_E5M2  sign, 5 bits of exponent (bias 15), 2 of mantissa: the upper half of an F16 */
#include "models/types_hf.h"

#include <math.h>
#include <string.h>

#include "models/types.h"

static IP_FLOATS(ip_f8_e4m3_to_float) {
    for (size_t i = 0; i < k; i++) {
        unsigned exponent = row[i] >> 3 & 15, mantissa = row[i] & 7;
        float value =
            exponent == 0 ? (float)mantissa * 0x1p-9f : ip_float_of_bits((exponent + 120) << 23 | mantissa << 20);
        if (exponent == 15 && mantissa == 7) value = NAN;
        out[i] = row[i] & 0x80 ? -value : value;
    }
}

static IP_FLOATS(ip_f8_e5m2_to_float) {
    for (size_t i = 0; i < k; i++) out[i] = ip_half_to_float((uint16_t)(row[i] << 8));
}

/* Numbers beyond those of GGUF files, so that every type keeps one of its own. */
enum { FIRST_ID = 0x10000 };
static const ip_type dtypes[] = {
#define IP_DTYPE(text, elements, size, decoder)                                                                        \
    {.id = FIRST_ID + __LINE__,                                                                                        \
     .name = text,                                                                                                     \
     .block = elements,                                                                                                \
     .bytes = size,                                                                                                    \
     .to_float = decoder,                                                                                              \
     .weight = decoder != NULL},
#include "models/dtypes.def"
#undef IP_DTYPE
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

size_t ip_dtype_count(void) { return DTYPES; }
const ip_type *ip_dtype_at(size_t index) { return &dtypes[index]; }

const ip_type *ip_dtype_by_name(const char *name) {
    static const char *const shared[] = {"F32", "F16", "BF16", "F64"};
    for (size_t i = 0; i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) return &dtypes[i];
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(shared[i], name) != 0) continue;
        for (size_t j = 0; j < ip_type_count(); j++)
            if (strcmp(ip_type_at(j)->name, name) == 0) return ip_type_at(j);
    }
    return NULL;
}

bool ip_dtype_scaled(const ip_type *type) { return strncmp(type->name, "F8_", 3) == 0; }

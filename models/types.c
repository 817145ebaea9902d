/* The table of tensor types, expanded from types.def, and the check of a tensor's values. (A row without to_float has
 * NULL there, told by its type: under sanitizers gcc takes no comparison of a function's address as a constant.) */
#include "models/types.h"
#include "models/model.h"

static const ip_type types[] = {
#define IP_TYPE(number, label, elements, size, floats, codes, codes_group, min, first_scale, scale_count)              \
    {.id = number,                                                                                                     \
     .name = label,                                                                                                    \
     .block = elements,                                                                                                \
     .bytes = size,                                                                                                    \
     .to_float = floats,                                                                                               \
     .to_codes = codes,                                                                                                \
     .group = codes_group,                                                                                             \
     .has_min = min,                                                                                                   \
     .scale_at = first_scale,                                                                                          \
     .scales = scale_count,                                                                                            \
     .weight = _Generic((floats), void *: false, default: true)},
#include "models/types.def"
#undef IP_TYPE
};

enum { TYPES = sizeof types / sizeof types[0] };

size_t ip_type_count(void) { return TYPES; }

const ip_type *ip_type_at(size_t index) { return &types[index]; }

const ip_type *ip_type_by_id(uint32_t id) {
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].id == id) return &types[i];
    return NULL;
}

/* Whether a row's blocks have finite scales. An f16 is not finite when its exponent is all ones. */
static bool scales_finite(const ip_type *type, const unsigned char *row, size_t blocks) {
    for (size_t b = 0; b < blocks; b++) {
        const unsigned char *field = row + b * type->bytes + type->scale_at;
        for (unsigned s = 0; s < type->scales; s++)
            if ((ip_load_u16(field + 2 * s) & 0x7C00) == 0x7C00) return false;
    }
    return true;
}

static bool values_finite(const ip_type *type, const unsigned char *row, size_t blocks) {
    enum { CHUNK = 1024 }; /* a multiple of every block size */
    float values[CHUNK];
    size_t per_chunk = CHUNK / type->block;
    for (size_t b = 0; b < blocks; b += per_chunk) {
        size_t now = blocks - b < per_chunk ? blocks - b : per_chunk, count = now * type->block;
        type->to_float(values, row + b * type->bytes, count);
        uint32_t bad = 0;
        for (size_t i = 0; i < count; i++) bad |= (ip_bits_of_float(values[i]) & 0x7F800000u) == 0x7F800000u;
        if (bad) return false;
    }
    return true;
}

bool ip_row_finite(const ip_type *type, const unsigned char *row, size_t k) {
    return (type->scales > 0 ? scales_finite : values_finite)(type, row, k / type->block);
}

ip_status ip_tensor_check_finite(const ip_tensor *tensor, const char *path, ip_error *error) {
    const ip_type *type = tensor->type;
    if (!type->weight)
        return ip_fail(error, IP_BAD_INPUT, "%s: tensor '%s': no weights can be read from type %s", path, tensor->name,
                       type->name);
    size_t rows = (size_t)(tensor->ne[1] * tensor->ne[2] * tensor->ne[3]), k = (size_t)tensor->ne[0];
    for (size_t r = 0; k > 0 && r < rows; r++) {
        if (!ip_row_finite(type, ip_tensor_row(tensor, r), k))
            return ip_fail(error, IP_BAD_INPUT,
                           "%s: tensor '%s', row %zu: a weight is NaN or infinite; the file is damaged", path,
                           tensor->name, r);
    }
    return IP_OK;
}

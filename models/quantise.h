/* Quantisers: floats to the tensor types that weights can be brought to on load (--weights), bit-equal to ggml's
 * reference quantisers. The rule for which tensors that is done to is the engine's (core/input/weights.c).
 *
 * A row of k floats becomes whole blocks; a last short one is filled up with zeros. A scale is a half, which can overflow:
 * the functions that give codes or floats return false then, and when a float is not finite. */
#ifndef IP_MODELS_QUANTISE_H
#define IP_MODELS_QUANTISE_H

#include "models/tensor.h"

/* The type of this name ("q8_0", "Q8_0") if there is a quantiser for it, else NULL; all their names, with commas. */
const ip_type *ip_quantise_type(const char *name);
void ip_quantise_names(char *out, size_t room);
size_t ip_quantise_count(void);
const ip_type *ip_quantise_at(size_t index);

/* k finite floats as blocks of type, as they stand in a file: as many blocks as hold k elements. */
void ip_quantise_blocks(const ip_type *type, unsigned char *blocks, const float *x, size_t k);

/* The same as codes with group scales (as to_codes of the type, which must have it); room for whole blocks. */
bool ip_quantise_codes(const ip_type *type, int8_t *codes, float *scale, float *min, const float *x, size_t k);

/* k floats to the values that the type keeps of them, in place. */
bool ip_quantise_floats(const ip_type *type, float *x, size_t k);

#endif

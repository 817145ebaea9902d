/* Inside this room: tensor types of safetensors files. */
#ifndef IP_MODELS_TYPES_HF_H
#define IP_MODELS_TYPES_HF_H

#include "models/tensor.h"

/* The type of a dtype's name ("BF16"); NULL: unknown. */
const ip_type *ip_dtype_by_name(const char *name);
/* A type whose values mean nothing without factors from another tensor. */
bool ip_dtype_scaled(const ip_type *type);

size_t ip_dtype_count(void); /* of dtypes.def */
const ip_type *ip_dtype_at(size_t index);

#endif

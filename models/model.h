/* Opening a model: file, family, tokenizer. The public face of this room. */
#ifndef IP_MODELS_MODEL_H
#define IP_MODELS_MODEL_H

#include "core/base/status.h"
#include "models/plan.h"
#include "models/tensor.h"

typedef struct ip_model ip_model;
typedef struct ip_gguf ip_gguf;
typedef struct ip_checkpoint ip_checkpoint;

/* Opens a model for a run, a GGUF file or a Hugging Face folder: container parsed, family bound, hyper-parameters and shapes checked, norms, biases and the
 * embedding finite. family: NULL, or a name of families.def to use whatever general.architecture says (its keys are
 * still those of the file's architecture); an unknown name is IP_USAGE, everything else that is refused IP_BAD_INPUT.
 * Rotary frequencies need the FMA that ip_arch_select has looked for: call that first.
 * Warnings (each one line, printable) are passed to warn if it is not NULL. Thread-safe to read afterwards. */
typedef void (*ip_warn)(void *context, const char *line);
ip_status ip_model_open(ip_model **out, const char *path, const char *family, ip_warn warn, void *context,
                        ip_error *error);
/* The same from an open container, which belongs to the call from here on, whether it succeeds or not. */
ip_status ip_model_from_gguf(ip_model **out, ip_gguf *file, const char *family, ip_warn warn, void *context,
                             ip_error *error);
ip_status ip_model_from_checkpoint(ip_model **out, ip_checkpoint *file, const char *family, ip_warn warn, void *context,
                                   ip_error *error);
void ip_model_close(ip_model *model); /* NULL is fine */

const ip_plan *ip_model_plan(const ip_model *model);
const char *ip_model_family(const ip_model *model);  /* "llama" */
const char *ip_model_name(const ip_model *model);    /* general.name, else the file's name; printable */
const ip_gguf *ip_model_gguf(const ip_model *model); /* the container; NULL for a folder */
const ip_checkpoint *ip_model_checkpoint(const ip_model *model);

/* Checks every weight and scale of a tensor for NaN and infinity without making floats of all of it where the type
 * allows; IP_BAD_INPUT names file, tensor and row. The schedule calls it when it packs. */
ip_status ip_tensor_check_finite(const ip_tensor *tensor, const char *path, ip_error *error);

/* Path of the file that holds this tensor (split files), for messages. */
const char *ip_model_tensor_path(const ip_model *model, const ip_tensor *tensor);

/* XXH3-128 of the file's bytes (split parts in order) or of a folder (models/folder.h): 32 hex digits; reads it whole. */
ip_status ip_model_fingerprint(const ip_model *model, char out[33], ip_error *error);

#endif

/* A model's file or folder, whichever it is: what a family binds to. Names and hyper-parameters are spelled differently in
 * the two (build.h takes both spellings); tensors are the same thing. */
#ifndef IP_MODELS_CHECKPOINT_H
#define IP_MODELS_CHECKPOINT_H

#include "models/folder.h"
#include "models/gguf.h"

/* Exactly one of the two is set. */
typedef struct ip_checkpoint {
    ip_gguf *gguf;
    ip_folder *folder;
} ip_checkpoint;

/* A folder when path is one, else a GGUF file. Close it whatever was returned. */
ip_status ip_checkpoint_open(ip_checkpoint *out, const char *path, ip_warn warn, void *context, ip_error *error);
void ip_checkpoint_close(ip_checkpoint *checkpoint);

/* The file of the hyper-parameters, for messages. */
const char *ip_checkpoint_path(const ip_checkpoint *checkpoint);

size_t ip_checkpoint_tensor_count(const ip_checkpoint *checkpoint);
const ip_tensor *ip_checkpoint_tensor_at(const ip_checkpoint *checkpoint, size_t index);
const ip_tensor *ip_checkpoint_tensor(const ip_checkpoint *checkpoint, const char *name); /* NULL: absent */
const char *ip_checkpoint_tensor_path(const ip_checkpoint *checkpoint, const ip_tensor *tensor);
/* Number of a tensor that ip_checkpoint_tensor_at gave. */
size_t ip_checkpoint_tensor_number(const ip_checkpoint *checkpoint, const ip_tensor *tensor);

/* XXH3-128 of a file's bytes (split parts in order), of a folder as folder.h says: 32 hex digits; reads it whole. */
ip_status ip_checkpoint_fingerprint(const ip_checkpoint *checkpoint, char out[33], ip_error *error);

#endif

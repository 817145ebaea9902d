/* Hugging Face model folders: config.json, and safetensors files with or without an index. */
#ifndef IP_MODELS_FOLDER_H
#define IP_MODELS_FOLDER_H

#include "models/gguf.h"
#include "models/json.h"
#include "models/safetensors.h"

typedef struct ip_folder {
    char *path;        /* as given */
    char *config_path; /* path/config.json */
    ip_node *config;
    const ip_node *text; /* text_config of a multimodal model, else config */
    char *index_path;    /* NULL: there is none */
    ip_safetensors *files;
    char **file_paths;
    size_t file_count;
    ip_tensor *tensors; /* of all files, by name */
    size_t *tensor_file;
    size_t tensor_count;
} ip_folder;

/* Opens a folder: its configuration parsed, its files checked and mapped. Close it whatever was returned. */
ip_status ip_folder_open(ip_folder **out, const char *path, ip_error *error);
/* The same from a configuration and one file of weights in memory, which stay the caller's; path is for messages. */
ip_status ip_folder_open_memory(ip_folder **out, const char *path, ip_bytes config, ip_bytes weights, ip_error *error);
void ip_folder_close(ip_folder *folder); /* NULL is fine */

/* XXH3-128 over the names of the files that make up the model, sorted (configuration, index, weights, tokenizer where it
 * is there), each with the XXH3-128 of its bytes. */
ip_status ip_folder_fingerprint(const ip_folder *folder, char out[33], ip_error *error);

#endif

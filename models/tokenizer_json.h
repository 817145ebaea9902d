/* What the two files that read a tokenizer.json share. */
#ifndef IP_MODELS_TOKENIZER_JSON_H
#define IP_MODELS_TOKENIZER_JSON_H

#include "models/json.h"
#include "models/tokenizer_internal.h"

typedef struct ip_json_source {
    const char *path;
    const ip_node *root;
    ip_warn warn;
    void *warn_context;
    ip_error *error;
} ip_json_source;

/* Refuses the file: "path: component: ...". Returns IP_BAD_INPUT. */
ip_status ip_json_refuse(const ip_json_source *source, const char *component, const char *format, ...) IP_PRINTF(3, 4);
ip_status ip_json_no_room(const ip_json_source *source);

/* The member `type` of a component; refuses one that has none. */
ip_status ip_json_type(const ip_json_source *source, const char *component, const ip_node *node, const char **out);
/* An optional flag; refuses what is no boolean. */
ip_status ip_json_flag(const ip_json_source *source, const char *component, const ip_node *node, const char *key,
                       bool fallback, bool *out);

/* The normalizer and the pre_tokenizer; they settle the tokenizer's form. */
ip_status ip_json_steps(ip_tokenizer *tokenizer, const ip_json_source *source);

#endif

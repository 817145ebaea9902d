/* JSON documents of a model folder (config.json, the index, safetensors headers), read-only: the room's door to jansson.
 *
 * What a document may be is strict: an object, valid UTF-8, no key twice, no NUL, nothing behind it. Numbers of another
 * kind are not converted, except that an integral float serves an integer, as configurations write 10000.0. */
#ifndef IP_MODELS_JSON_H
#define IP_MODELS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct json_t ip_node;

/* Parses an object. what: "config.json" or "header", for messages behind the path. With python, NaN and Infinity are let
 * pass as values that are no numbers, and integers beyond 64 bits as reals. NULL with the error set: IP_BAD_INPUT naming path and the place. */
ip_node *ip_node_parse(const char *path, const char *what, const void *data, size_t size, bool python, ip_error *error);
void ip_node_free(ip_node *root); /* NULL is fine */

/* Member of an object; NULL when node is no object, has no such member, or its value is null. */
const ip_node *ip_node_get(const ip_node *node, const char *key);
/* Whether there is such a member, be it null. */
bool ip_node_has(const ip_node *node, const char *key);
bool ip_node_is_object(const ip_node *node);
bool ip_node_is_array(const ip_node *node);
size_t ip_node_count(const ip_node *node);                     /* of an array or object, else 0 */
const ip_node *ip_node_at(const ip_node *array, size_t index); /* NULL: none */
/* The members of an object in some order: it = NULL begins, the result ends with NULL. */
void *ip_node_next(const ip_node *object, void *it);
const char *ip_node_key(void *it);
const ip_node *ip_node_value(void *it);

/* Each false when the node is NULL or of another kind. A text lives as long as the document. */
bool ip_node_text(const ip_node *node, const char **out);
bool ip_node_int(const ip_node *node, int64_t *out);    /* an integer, or a float without fraction */
bool ip_node_whole(const ip_node *node, uint64_t *out); /* written as an integer, not negative */
bool ip_node_number(const ip_node *node, double *out);  /* any finite number */
bool ip_node_bool(const ip_node *node, bool *out);

/* A value as one line of at most n bytes, for listings. */
void ip_node_describe(const ip_node *node, char *out, size_t n);

#endif

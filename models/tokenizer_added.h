/* Added tokens: strings that are found in a text before anything else happens to it. */
#ifndef IP_MODELS_TOKENIZER_ADDED_H
#define IP_MODELS_TOKENIZER_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/gguf.h"

typedef struct ip_added {
    ip_bytes text; /* not empty */
    int32_t id;
    bool special;        /* recognised on request only */
    bool lstrip, rstrip; /* the white space before it, after it, belongs to it */
    bool single_word;    /* no word character may touch it */
} ip_added;

/* A set ready for searching; the texts belong to someone else. */
typedef struct ip_added_set {
    ip_added *items; /* sorted by text, no text twice */
    size_t count, room;
    size_t first[257]; /* items that begin with byte b: first[b] .. first[b + 1] */
} ip_added_set;

bool ip_added_set_add(ip_added_set *set, ip_added item); /* false: out of memory */
/* Sorts; of two items with one text the one with the larger id stays. */
void ip_added_set_finish(ip_added_set *set);
void ip_added_set_free(ip_added_set *set);

/* Whether an item with single_word may stand at text[first .. stop) of n bytes. */
bool ip_added_alone(const char *text, size_t first, size_t stop, size_t n);

/* The leftmost hit at or after from, the longest one there: its place, or n when there is none. */
size_t ip_added_find(const ip_added_set *set, const char *text, size_t n, size_t from, const ip_added **hit);

#endif

/* A small JSON writer: members in the order in which they are said, one layer of a report to a line. */
#ifndef IP_CORE_JSON_WRITE_H
#define IP_CORE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/infoplane.h"

typedef struct ip_json {
    FILE *file;
    unsigned depth;
    bool first;    /* nothing stands in the open object or array yet */
    unsigned flat; /* depth from which on everything stays on one line; 0: none */
} ip_json;

void ip_json_begin(ip_json *json, FILE *file);
/* key NULL inside arrays. flat: this and all inside it on one line. */
void ip_json_open(ip_json *json, const char *key, char bracket, bool flat);
void ip_json_close(ip_json *json, char bracket);
void ip_json_string(ip_json *json, const char *key, const char *text); /* NULL: null */
void ip_json_text(ip_json *json, const char *key, const char *text);   /* NULL or empty: null */
void ip_json_uint(ip_json *json, const char *key, uint64_t value);
void ip_json_double(ip_json *json, const char *key, double value); /* not finite: null */
void ip_json_null(ip_json *json, const char *key);
void ip_json_bool(ip_json *json, const char *key, bool value);
/* The array "files": path and fingerprint of each. */
void ip_json_files(ip_json *json, const ip_file_name *files, size_t count, bool flat);
void ip_json_end(ip_json *json); /* the last newline */

#endif

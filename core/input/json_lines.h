/* One line of a .jsonl file: an object, one of whose fields is the text. */
#ifndef IP_CORE_JSON_LINES_H
#define IP_CORE_JSON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

/* Where a line stands, for messages: "path: line 7: ...". */
typedef struct ip_line_place {
    const char *path;
    uint64_t line; /* from 1 */
} ip_line_place;

/* The field that holds the text when none is named: "text", else "content", else the only field that is a string.
 * *field is malloc'ed. */
ip_status ip_json_line_field(const char *line, size_t n, ip_line_place place, char **field, ip_error *error);

/* The string in that field, malloc'ed, *text_n bytes of UTF-8 that may hold NUL. Strict: one object and nothing else on
 * the line, UTF-8, no NaN, no lone surrogates, at most 2048 levels; of a key given twice the last one counts. */
ip_status ip_json_line_text(const char *line, size_t n, ip_line_place place, const char *field, char **text,
                            size_t *text_n, ip_error *error);

#endif

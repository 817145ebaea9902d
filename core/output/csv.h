/* Tables as text: comma-separated values, RFC 4180 with what spreadsheets and pandas make of it (a byte-order mark, CRLF
 * or LF, quoted fields with doubled quotes and line breaks in them). The first record names the columns. */
#ifndef IP_CORE_CSV_H
#define IP_CORE_CSV_H

#include <stddef.h>

#include "core/base/status.h"

typedef struct ip_csv {
    size_t rows, columns; /* rows without the header */
    char *text;           /* all fields, each closed by NUL */
    size_t *start;        /* of field (row + 1) * columns + column, the header first */
    size_t *line;         /* of each row, header first, from 1 */
} ip_csv;

/* A broken table is IP_BAD_INPUT with one line naming path, line and what is wrong. Freed by ip_csv_free, which a zeroed
 * or failed table survives. */
ip_status ip_csv_open(ip_csv *csv, const char *path, ip_error *error);
ip_status ip_csv_parse(ip_csv *csv, const char *path, const void *data, size_t size, ip_error *error);
void ip_csv_free(ip_csv *csv);

const char *ip_csv_header(const ip_csv *csv, size_t column);
const char *ip_csv_cell(const ip_csv *csv, size_t row, size_t column);
/* Column of that name, or csv->columns. */
size_t ip_csv_find(const ip_csv *csv, const char *name);

#endif

/* Comma-separated values: one pass over the bytes, fields copied into one text without their quotes. */
#include "core/output/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/utf8.h"

typedef struct reader {
    ip_csv *csv;
    const char *path;
    const unsigned char *data;
    size_t size, at, line, length; /* length: bytes of text so far */
    size_t fields, field_room, records, record_room;
    ip_error *error;
} reader;

static bool grow(size_t **list, size_t *room, size_t count) {
    if (count < *room) return true;
    size_t more = *room ? 2 * *room : 256;
    size_t *wider = realloc(*list, more * sizeof **list);
    if (!wider) return false;
    *list = wider;
    *room = more;
    return true;
}

static ip_status bad(const reader *r, const char *what) {
    return ip_fail(r->error, IP_BAD_INPUT, "%s: line %zu: %s", r->path, r->line, what);
}

/* A field that begins with a quote, up to the quote that closes it. */
static ip_status quoted(reader *r) {
    size_t begun = r->line;
    r->at++;
    for (;; r->at++) {
        if (r->at >= r->size)
            return ip_fail(r->error, IP_BAD_INPUT, "%s: line %zu: a quoted field is not closed", r->path, begun);
        unsigned char c = r->data[r->at];
        if (c == '"') {
            if (r->at + 1 >= r->size || r->data[r->at + 1] != '"') break;
            r->at++;
        }
        if (c == '\n') r->line++;
        r->csv->text[r->length++] = (char)c;
    }
    r->at++;
    if (r->at < r->size && r->data[r->at] != ',' && r->data[r->at] != '\n' && r->data[r->at] != '\r')
        return bad(r, "text behind a closing quote: a quote inside a quoted field is written twice");
    return IP_OK;
}

static ip_status field(reader *r) {
    if (!grow(&r->csv->start, &r->field_room, r->fields)) return ip_fail(r->error, IP_FAILED, "out of memory");
    r->csv->start[r->fields++] = r->length;
    if (r->at < r->size && r->data[r->at] == '"') {
        ip_status status = quoted(r);
        if (status != IP_OK) return status;
    } else {
        for (; r->at < r->size && r->data[r->at] != ',' && r->data[r->at] != '\n' && r->data[r->at] != '\r'; r->at++)
            r->csv->text[r->length++] = (char)r->data[r->at];
    }
    r->csv->text[r->length++] = '\0';
    return IP_OK;
}

/* Moves over the end of a record: CR, LF or both. */
static void line_end(reader *r) {
    if (r->data[r->at] == '\r') r->at++;
    if (r->at < r->size && r->data[r->at] == '\n') r->at++;
    r->line++;
}

static ip_status record(reader *r) {
    size_t before = r->fields, began = r->line;
    for (;;) {
        ip_status status = field(r);
        if (status != IP_OK) return status;
        if (r->at >= r->size || r->data[r->at] != ',') break;
        r->at++;
    }
    if (!grow(&r->csv->line, &r->record_room, r->records)) return ip_fail(r->error, IP_FAILED, "out of memory");
    r->csv->line[r->records] = began;
    size_t here = r->fields - before;
    if (r->records > 0 && here != r->csv->columns)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: line %zu: %zu fields where the header has %zu", r->path, began,
                       here, r->csv->columns);
    r->csv->columns = here;
    r->records++;
    if (r->at < r->size) line_end(r);
    return IP_OK;
}

static ip_status check_bytes(const reader *r) {
    if (r->size == 0) return ip_fail(r->error, IP_BAD_INPUT, "%s: is empty: a header line is wanted", r->path);
    if (r->size >= 2 && (memcmp(r->data, "\xFF\xFE", 2) == 0 || memcmp(r->data, "\xFE\xFF", 2) == 0))
        return ip_fail(r->error, IP_BAD_INPUT, "%s: is UTF-16: save it as UTF-8", r->path);
    size_t good = ip_utf8_valid_prefix(r->data, r->size);
    const unsigned char *zero = memchr(r->data, 0, good);
    size_t place = zero ? (size_t)(zero - r->data) : good, line = 1;
    for (size_t i = 0; i < place; i++) line += r->data[i] == '\n';
    if (place < r->size)
        return ip_fail(r->error, IP_BAD_INPUT, "%s: line %zu: %s: no table of text", r->path, line,
                       zero ? "a NUL byte" : "invalid UTF-8");
    return IP_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* No name twice (columns without a name aside): a column is asked for by its name. */
static ip_status check_header(const reader *r) {
    const ip_csv *csv = r->csv;
    const char **names = malloc((csv->columns + 1) * sizeof *names);
    if (!names) return ip_fail(r->error, IP_FAILED, "out of memory");
    for (size_t c = 0; c < csv->columns; c++) names[c] = ip_csv_header(csv, c);
    qsort(names, csv->columns, sizeof *names, by_name);
    ip_status status = IP_OK;
    for (size_t c = 1; c < csv->columns && status == IP_OK; c++)
        if (names[c][0] != '\0' && strcmp(names[c], names[c - 1]) == 0)
            status = ip_fail(r->error, IP_BAD_INPUT, "%s: line 1: two columns are called '%s'", r->path, names[c]);
    free(names);
    return status;
}

ip_status ip_csv_parse(ip_csv *csv, const char *path, const void *data, size_t size, ip_error *error) {
    memset(csv, 0, sizeof *csv);
    reader r = {.csv = csv, .path = path, .data = data, .size = size, .line = 1, .error = error};
    ip_status status = check_bytes(&r);
    if (status != IP_OK) return status;
    if (size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) r.at = 3;
    /* A field's NUL takes the place of the comma or line end behind it; the last field may have none. */
    csv->text = malloc(size + 1);
    if (!csv->text) return ip_fail(error, IP_FAILED, "out of memory");
    while (status == IP_OK && r.at < size) {
        if (r.data[r.at] == '\n' || r.data[r.at] == '\r') {
            line_end(&r);
        } else {
            status = record(&r);
        }
    }
    if (status == IP_OK && r.records == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: holds blank lines only: a header line is wanted", path);
    if (status == IP_OK) status = check_header(&r);
    if (status == IP_OK) csv->rows = r.records - 1;
    if (status != IP_OK) ip_csv_free(csv);
    return status;
}

ip_status ip_csv_open(ip_csv *csv, const char *path, ip_error *error) {
    memset(csv, 0, sizeof *csv);
    ip_map map;
    ip_status status = ip_map_open(&map, path, error);
    if (status != IP_OK) return status;
    status = ip_csv_parse(csv, path, map.data, map.size, error);
    ip_map_close(&map);
    return status;
}

void ip_csv_free(ip_csv *csv) {
    free(csv->text);
    free(csv->start);
    free(csv->line);
    memset(csv, 0, sizeof *csv);
}

const char *ip_csv_header(const ip_csv *csv, size_t column) { return csv->text + csv->start[column]; }

const char *ip_csv_cell(const ip_csv *csv, size_t row, size_t column) {
    return csv->text + csv->start[(row + 1) * csv->columns + column];
}

size_t ip_csv_find(const ip_csv *csv, const char *name) {
    size_t c = 0;
    while (c < csv->columns && strcmp(ip_csv_header(csv, c), name) != 0) c++;
    return c;
}

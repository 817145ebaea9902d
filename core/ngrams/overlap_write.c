/* The result of `overlap`: overlap.json (schema infoplane.overlap/1), overlap.csv, overlap-documents.csv, the table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/number.h"
#include "core/infoplane.h"
#include "core/output/folder_write.h"
#include "core/output/json_write.h"

static double part(uint64_t some, uint64_t all) { return all > 0 ? (double)some / (double)all : NAN; }

/* ---- the documents that overlap most ---- */

typedef struct ranked {
    double share;
    uint64_t positions;
    size_t document;
} ranked;

/* By share, then by positions, both falling, then by number. */
static int by_share(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->share != y->share) return x->share > y->share ? -1 : 1;
    if (x->positions != y->positions) return x->positions > y->positions ? -1 : 1;
    return x->document < y->document ? -1 : x->document > y->document;
}

static double document_share(const ip_overlap_result *r, size_t document, unsigned k) {
    return part(r->hits[document * r->order_count + k], ip_overlap_positions(r->lengths[document], r->orders[k].order));
}

/* At the longest order; malloc'ed, at most r->top of them. Those that share nothing there are left out. */
static ranked *most(const ip_overlap_result *r, size_t *count) {
    unsigned k = r->order_count - 1;
    ranked *list = malloc((r->documents + 1) * sizeof *list);
    *count = 0;
    for (size_t d = 0; list && d < r->documents; d++) {
        if (r->hits[d * r->order_count + k] == 0) continue;
        list[(*count)++] =
            (ranked){document_share(r, d, k), ip_overlap_positions(r->lengths[d], r->orders[k].order), d};
    }
    if (list) qsort(list, *count, sizeof *list, by_share);
    if (*count > r->top) *count = (size_t)r->top;
    return list;
}

/* Number of a document in its file, from 1. */
static size_t in_file(const ip_overlap_result *r, size_t document) {
    size_t first = document;
    while (first > 0 && r->document_file[first - 1] == r->document_file[document]) first--;
    return document - first + 1;
}

/* ---- JSON ---- */

static void write_side(ip_json *j, const char *key, const ip_overlap_side *side) {
    ip_json_open(j, key, '{', false);
    ip_json_open(j, "files", '[', false);
    for (size_t i = 0; i < side->file_count; i++) {
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "path", side->files[i].path);
        ip_json_string(j, "fingerprint", side->files[i].fingerprint[0] ? side->files[i].fingerprint : NULL);
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_uint(j, "documents", side->documents);
    ip_json_uint(j, "symbols", side->symbols);
    ip_json_close(j, '}');
}

static void write_order(ip_json *j, const ip_overlap_order *o) {
    ip_json_open(j, NULL, '{', true);
    ip_json_uint(j, "order", o->order);
    ip_json_uint(j, "positions", o->positions);
    ip_json_uint(j, "shared", o->shared);
    ip_json_double(j, "share", part(o->shared, o->positions));
    ip_json_uint(j, "distinct", o->distinct);
    ip_json_uint(j, "shared_distinct", o->shared_distinct);
    ip_json_double(j, "share_distinct", part(o->shared_distinct, o->distinct));
    ip_json_uint(j, "documents", o->documents);
    ip_json_uint(j, "overlapping", o->overlapping);
    ip_json_close(j, '}');
}

static void write_document(ip_json *j, const ip_overlap_result *r, size_t document) {
    ip_json_open(j, NULL, '{', true);
    ip_json_string(j, "path", r->a.files[r->document_file[document]].path);
    ip_json_uint(j, "document", in_file(r, document));
    ip_json_uint(j, "symbols", r->lengths[document]);
    ip_json_open(j, "shared", '[', true);
    for (unsigned k = 0; k < r->order_count; k++) ip_json_uint(j, NULL, r->hits[document * r->order_count + k]);
    ip_json_close(j, ']');
    ip_json_close(j, '}');
}

void ip_overlap_write_json(const ip_overlap_result *r, FILE *file) {
    ip_json json, *j = &json;
    size_t count;
    ranked *list = most(r, &count);
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.overlap/1");
    ip_json_string(j, "units", r->tokenizer ? "tokens" : "words");
    ip_json_string(j, "tokenizer", r->tokenizer);
    ip_json_double(j, "share", r->share);
    write_side(j, "corpus", &r->a);
    write_side(j, "against", &r->b);
    ip_json_open(j, "orders", '[', false);
    for (unsigned k = 0; k < r->order_count; k++) write_order(j, &r->orders[k]);
    ip_json_close(j, ']');
    ip_json_open(j, "top", '[', false);
    for (size_t i = 0; list && i < count; i++) write_document(j, r, list[i].document);
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
    free(list);
}

/* ---- table ---- */

static void percent(FILE *file, double share) {
    if (isfinite(share))
        fprintf(file, " %8.3f %%", 100.0 * share);
    else
        fprintf(file, " %10s", "-");
}

void ip_overlap_write_table(const ip_overlap_result *r, FILE *file) {
    const char *units = r->tokenizer ? "tokens" : "words";
    fprintf(file, "%llu documents, %llu %s, against %llu documents, %llu %s\n\n", (unsigned long long)r->a.documents,
            (unsigned long long)r->a.symbols, units, (unsigned long long)r->b.documents,
            (unsigned long long)r->b.symbols, units);
    fprintf(file, "%5s %12s %10s %12s %10s %12s %12s\n", "order", "positions", "shared", "distinct", "shared",
            "documents", "overlapping");
    for (unsigned k = 0; k < r->order_count; k++) {
        const ip_overlap_order *o = &r->orders[k];
        fprintf(file, "%5u %12llu", o->order, (unsigned long long)o->positions);
        percent(file, part(o->shared, o->positions));
        fprintf(file, " %12llu", (unsigned long long)o->distinct);
        percent(file, part(o->shared_distinct, o->distinct));
        fprintf(file, " %12llu %12llu\n", (unsigned long long)o->documents, (unsigned long long)o->overlapping);
    }
    size_t count;
    ranked *list = most(r, &count);
    if (list && count > 0)
        fprintf(file, "\ndocuments that overlap most, by the share of their %u-grams\n",
                r->orders[r->order_count - 1].order);
    for (size_t i = 0; list && i < count; i++) {
        size_t d = list[i].document;
        char path[512];
        snprintf(path, sizeof path, "%s", r->a.files[r->document_file[d]].path);
        ip_make_printable(path);
        percent(file, list[i].share);
        fprintf(file, " of %8llu  %s: document %zu\n", (unsigned long long)list[i].positions, path, in_file(r, d));
    }
    free(list);
}

/* ---- folder ---- */

static void write_csv(const void *result, FILE *file) {
    const ip_overlap_result *r = result;
    char a[IP_NUMBER_ROOM], b[IP_NUMBER_ROOM];
    fputs("order,positions,shared,share,distinct,shared_distinct,share_distinct,documents,overlapping\n", file);
    for (unsigned k = 0; k < r->order_count; k++) {
        const ip_overlap_order *o = &r->orders[k];
        bool any = o->positions > 0;
        fprintf(file, "%u,%llu,%llu,%s,%llu,%llu,%s,%llu,%llu\n", o->order, (unsigned long long)o->positions,
                (unsigned long long)o->shared, any ? ip_number_text(part(o->shared, o->positions), a) : "",
                (unsigned long long)o->distinct, (unsigned long long)o->shared_distinct,
                any ? ip_number_text(part(o->shared_distinct, o->distinct), b) : "", (unsigned long long)o->documents,
                (unsigned long long)o->overlapping);
    }
}

/* A path as a field of CSV. */
static void csv_text(const char *text, FILE *file) {
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_documents(const void *result, FILE *file) {
    const ip_overlap_result *r = result;
    fputs("path,document,symbols", file);
    for (unsigned k = 0; k < r->order_count; k++) fprintf(file, ",shared_%u", r->orders[k].order);
    fputc('\n', file);
    size_t number = 0;
    for (size_t d = 0; d < r->documents; d++) {
        number = d > 0 && r->document_file[d] == r->document_file[d - 1] ? number + 1 : 1;
        csv_text(r->a.files[r->document_file[d]].path, file);
        fprintf(file, ",%zu,%llu", number, (unsigned long long)r->lengths[d]);
        for (unsigned k = 0; k < r->order_count; k++) fprintf(file, ",%u", r->hits[d * r->order_count + k]);
        fputc('\n', file);
    }
}

static void write_json_file(const void *result, FILE *file) { ip_overlap_write_json(result, file); }

ip_status ip_overlap_write_folder(const ip_overlap_result *r, const char *folder, ip_error *error) {
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK) status = ip_folder_write(folder, "overlap-documents.csv", write_documents, r, error);
    if (status == IP_OK) status = ip_folder_write(folder, "overlap.csv", write_csv, r, error);
    return status == IP_OK ? ip_folder_write(folder, "overlap.json", write_json_file, r, error) : status;
}

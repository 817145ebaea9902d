/* Which n-grams lose information from A to B: those that both runs list (--top), by the difference of their shares. */
#include <stdlib.h>
#include <string.h>

#include "core/series/compare.h"

static bool same(const ip_top_ngram *a, const ip_top_ngram *b, bool ids) {
    if (ids) return a->length == b->length && memcmp(a->ids, b->ids, a->length * sizeof *a->ids) == 0;
    return a->text && b->text && a->text[0] != '\0' && strcmp(a->text, b->text) == 0;
}

/* What A has more of first; then as A lists them. */
static int by_difference(const void *a, const void *b) {
    const ip_top_pair *x = a, *y = b;
    double p = x->a->nats - x->b->nats, q = y->a->nats - y->b->nats;
    if (p != q) return p > q ? -1 : 1;
    return x->a < y->a ? -1 : x->a > y->a;
}

static ip_status match(ip_top_pairs *out, const ip_top_list_of *a, const ip_top_list_of *b, bool ids, ip_error *error) {
    out->items = malloc((a->count + 1) * sizeof *out->items);
    if (!out->items) return ip_fail(error, IP_FAILED, "out of memory");
    for (size_t i = 0; i < a->count; i++) {
        size_t j = 0;
        while (j < b->count && !same(&a->rows[i], &b->rows[j], ids)) j++;
        if (j < b->count) out->items[out->count++] = (ip_top_pair){&a->rows[i], &b->rows[j]};
    }
    qsort(out->items, out->count, sizeof *out->items, by_difference);
    return IP_OK;
}

ip_status ip_comparison_match_top(ip_comparison *c, ip_error *error) {
    const ip_run *a = c->a, *b = c->b;
    ip_status status = IP_OK;
    for (unsigned k = 0; k < a->orders && a->top > 0 && b->top > 0 && status == IP_OK; k++) {
        status = match(&c->top[0][k], &a->top_x[k], &b->top_x[k], c->same_ids, error);
        if (status == IP_OK) status = match(&c->top[1][k], &a->top_y[k], &b->top_y[k], c->same_ids, error);
    }
    return status;
}

void ip_comparison_free_top(ip_comparison *c) {
    for (unsigned k = 0; k < IP_MAX_ORDERS; k++) {
        free(c->top[0][k].items);
        free(c->top[1][k].items);
    }
}

/* ---- written ---- */

void ip_comparison_write_top(const ip_comparison *c, ip_json *j) {
    if (c->a->top == 0 || c->b->top == 0) {
        ip_json_null(j, "top");
        return;
    }
    ip_json_open(j, "top", '{', false);
    for (int side = 0; side < 2; side++) {
        ip_json_open(j, side == 0 ? "X" : "Y", '[', false);
        for (unsigned k = 0; k < c->a->orders; k++) {
            ip_json_open(j, NULL, '[', false);
            for (size_t i = 0; i < c->top[side][k].count; i++) {
                const ip_top_pair *pair = &c->top[side][k].items[i];
                ip_json_open(j, NULL, '{', true);
                ip_json_open(j, "ids", '[', true);
                for (unsigned t = 0; t < pair->a->length; t++) ip_json_uint(j, NULL, (uint64_t)pair->a->ids[t]);
                ip_json_close(j, ']');
                ip_json_string(j, "text", pair->a->text);
                ip_json_uint(j, "count", pair->a->count);
                ip_json_double(j, "a", pair->a->nats);
                ip_json_double(j, "b", pair->b->nats);
                ip_json_double(j, "difference", pair->a->nats - pair->b->nats);
                ip_json_close(j, '}');
            }
            ip_json_close(j, ']');
        }
        ip_json_close(j, ']');
    }
    ip_json_close(j, '}');
}

enum { SHOWN = 5 };

static void put_pair(const ip_top_pair *pair, FILE *file) {
    static const double ln2 = 0.6931471805599453;
    char text[96];
    snprintf(text, sizeof text, "%.60s", pair->a->text ? pair->a->text : "");
    ip_make_printable(text);
    fprintf(file, "    %9.5f %9.5f %9.5f %7llu  \"%s\"\n", pair->a->nats / ln2, pair->b->nats / ln2,
            (pair->a->nats - pair->b->nats) / ln2, (unsigned long long)pair->a->count, text);
}

void ip_comparison_put_top(const ip_comparison *c, FILE *file) {
    if (c->a->top == 0 || c->b->top == 0) return;
    fputs("\nn-grams that both list, bits of the mean I: A, B, A - B, positions\n", file);
    for (int side = 0; side < 2; side++) {
        for (unsigned k = 0; k < c->a->orders; k++) {
            const ip_top_pairs *list = &c->top[side][k];
            size_t first = list->count > SHOWN ? SHOWN : list->count;
            size_t last = list->count - first > SHOWN ? list->count - SHOWN : first;
            fprintf(file, "  I(%c;Z), order %u: %zu of them; B loses most\n", side == 0 ? 'X' : 'Y', k + 1,
                    list->count);
            for (size_t i = 0; i < first; i++) put_pair(&list->items[i], file);
            if (last < list->count) fputs("   and gains most, or loses least\n", file);
            for (size_t i = list->count; i-- > last;) put_pair(&list->items[i], file);
        }
    }
}

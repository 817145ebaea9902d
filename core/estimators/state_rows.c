/* Counted position -> document and token -> row of the store, in memory or in the scratch file. */
#include "core/estimators/state_rows.h"

#include <string.h>

#include "core/ngrams/ngrams.h"

/* The document of a counted position. */
static size_t document_of(const ip_state_rows *s, size_t position) {
    size_t low = 0, high = s->layers->session->corpus.documents;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->position_base[middle] <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t row_of(const ip_state_rows *s, size_t document, size_t position) {
    return s->layers->session->corpus.offsets[document] + s->orders - 1 + (position - s->position_base[document]);
}

/* Rows of one document, all on one side of the store, as doubles. Floats that come from the file are read into the upper
 * half of the room that the doubles take; a double is written only over floats that have been widened. */
static ip_status widen(const ip_state_rows *s, uint64_t row, size_t count, double *out, ip_error *error) {
    const ip_store *store = s->layers->store;
    size_t n = count * store->width;
    float *upper = (float *)(void *)out + n;
    const float *rows = ip_store_take(store, row, count, upper, false, error);
    if (!rows) return error->status;
    for (size_t i = 0; i < n; i++) {
        float x;
        memcpy(&x, rows + i, sizeof x);
        double wide = (double)x;
        memcpy(out + i, &wide, sizeof wide);
    }
    return IP_OK;
}

static ip_status read_states(void *context, size_t first, size_t count, double *out, ip_error *error) {
    const ip_state_rows *s = context;
    const ip_store *store = s->layers->store;
    ip_status status = IP_OK;
    for (size_t document = document_of(s, first); status == IP_OK && count > 0;) {
        while (s->position_base[document + 1] <= first) document++;
        uint64_t row = row_of(s, document, first), left = s->position_base[document + 1] - first;
        size_t n = left < count ? (size_t)left : count;
        if (row < store->resident && store->resident - row < n) n = (size_t)(store->resident - row);
        status = widen(s, row, n, out, error);
        first += n;
        count -= n;
        out += n * store->width;
    }
    return status;
}

static ip_status bad_state(void *context, size_t position, const char *what, ip_error *error) {
    const ip_state_rows *s = context;
    size_t document = document_of(s, position);
    return ip_fail(error, IP_FAILED, "layer %zu, document %zu, position %llu: the hidden state %s", s->layer, document,
                   (unsigned long long)(position - s->position_base[document] + s->orders - 1), what);
}

ip_rows ip_state_rows_of(ip_state_rows *states) {
    return (ip_rows){states, (size_t)states->position_base[states->layers->session->corpus.documents],
                     states->layers->forward->plan->width, read_states, bad_state};
}

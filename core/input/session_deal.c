/* Documents over ranks. */
#include <stdlib.h>

#include "core/base/ranks_door.h"
#include "core/input/session.h"

/* Borders with at most so many tokens, or units of one, to a rank, filled from the first on; false when that is too few. */
static bool fill_borders(uint64_t *deal, const ip_corpus *corpus, size_t unit, unsigned ranks, uint64_t most) {
    size_t units = corpus->documents / unit, at = 0;
    deal[0] = 0;
    for (unsigned r = 0; r < ranks; r++) {
        uint64_t before = corpus->offsets[at * unit];
        size_t last = units - (ranks - 1 - r); /* a unit is left for every rank behind */
        at++;
        while (at < last && corpus->offsets[(at + 1) * unit] - before <= most) at++;
        if (corpus->offsets[at * unit] - before > most) return false;
        deal[r + 1] = (uint64_t)at * unit;
    }
    return at == units;
}

void ip_deal_documents(uint64_t *deal, const ip_corpus *corpus, size_t unit, unsigned ranks) {
    uint64_t low = corpus->tokens / ranks, high = corpus->tokens;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (fill_borders(deal, corpus, unit, ranks, middle))
            high = middle;
        else
            low = middle + 1;
    }
    fill_borders(deal, corpus, unit, ranks, high);
}

ip_status ip_session_deal(ip_session *session, size_t unit, ip_error *error) {
    const ip_ranks *ranks = session->host->ranks;
    unsigned of = ip_ranks_count(ranks), rank = ip_ranks_number(ranks);
    if (of == 1) return IP_OK;
    const ip_corpus *whole = &session->corpus;
    if (whole->documents / unit < of)
        return ip_fail(error, IP_BAD_INPUT, "%zu %s are too few for %u ranks: every rank needs one",
                       whole->documents / unit, unit == 1 ? "documents" : "pairs", of);
    uint64_t *deal = malloc((of + 1) * sizeof *deal);
    if (!deal) return ip_fail(error, IP_FAILED, "out of memory");
    ip_deal_documents(deal, whole, unit, of);
    size_t first = (size_t)deal[rank], documents = (size_t)(deal[rank + 1] - deal[rank]);
    uint64_t *offsets = malloc((documents + 1) * sizeof *offsets);
    if (!offsets) {
        free(deal);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    for (size_t d = 0; d <= documents; d++) offsets[d] = whole->offsets[first + d] - whole->offsets[first];
    session->deal = deal;
    session->undealt = session->corpus;
    session->whole = &session->undealt;
    session->corpus.ids = session->undealt.ids + session->undealt.offsets[first];
    session->corpus.offsets = offsets;
    session->corpus.documents = documents;
    session->corpus.tokens = offsets[documents];
    return IP_OK;
}

size_t ip_session_first_document(const ip_session *session) {
    return session->deal ? (size_t)session->deal[ip_ranks_number(session->host->ranks)] : 0;
}

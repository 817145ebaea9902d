/* How work is dealt over ranks: documents so that the fullest rank has as few tokens as any dealing leaves it (all of them
 * tried), pieces of blocks to one rank each, whose block it is sent. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/estimators/deal.h"
#include "core/input/session.h"

/* The least that the fullest of `ranks` can have, by trying every first border. */
static uint64_t best_of(const uint64_t *offsets, size_t units, size_t unit, unsigned ranks) {
    if (ranks == 1) return offsets[units * unit] - offsets[0];
    uint64_t best = UINT64_MAX;
    for (size_t first = 1; first + ranks - 1 <= units; first++) {
        uint64_t own = offsets[first * unit] - offsets[0];
        uint64_t rest = best_of(offsets + first * unit, units - first, unit, ranks - 1), most = own > rest ? own : rest;
        best = most < best ? most : best;
    }
    return best;
}

Test(deal, documents) {
    srand(7);
    for (int trial = 0; trial < 400; trial++) {
        uint64_t offsets[33] = {0}, deal[9];
        size_t unit = 1 + trial % 2, units = 1 + (size_t)rand() % 9;
        ip_corpus corpus = {.offsets = offsets, .documents = units * unit};
        for (size_t d = 0; d < corpus.documents; d++)
            offsets[d + 1] = offsets[d] + (uint64_t)(rand() % 4 == 0 ? 0 : rand() % (trial % 3 ? 600 : 3));
        corpus.tokens = offsets[corpus.documents];
        unsigned ranks = 1 + (unsigned)rand() % (unsigned)(units < 6 ? units : 6);
        ip_deal_documents(deal, &corpus, unit, ranks);
        cr_assert_eq(deal[0], 0);
        cr_assert_eq(deal[ranks], corpus.documents);
        uint64_t most = 0;
        for (unsigned r = 0; r < ranks; r++) {
            cr_assert_lt(deal[r], deal[r + 1]);
            cr_assert_eq(deal[r] % unit, 0);
            uint64_t tokens = offsets[deal[r + 1]] - offsets[deal[r]];
            most = tokens > most ? tokens : most;
        }
        cr_assert_eq(most, best_of(offsets, units, unit, ranks), "trial %d", trial);
    }
}

Test(deal, pieces_of_blocks) {
    for (unsigned of = 1; of <= 70; of++) {
        for (size_t blocks = 1; blocks <= 9; blocks++) {
            size_t n = 1 + (of * blocks) % 13;
            for (size_t b = 0; b < blocks; b++) {
                for (size_t i = 0; i < n; i++) {
                    unsigned takers = 0;
                    for (unsigned r = 0; r < of; r++) {
                        if (!ip_deal_takes(r, of, blocks, b, i, n)) continue;
                        takers++;
                        cr_assert(ip_deal_touches(r, of, blocks, b), "rank %u of %u works on a block it is not sent", r,
                                  of);
                    }
                    cr_assert_eq(takers, 1);
                }
            }
            for (unsigned r = 0; r < of; r++) {
                cr_assert_leq(ip_deal_blocks(r, of, blocks), (blocks + of - 1) / of + 1);
                cr_assert_geq(ip_deal_blocks(r, of, blocks), 1);
            }
        }
    }
}

/* A part of an analysis: its documents' soft assignments, losses and ids in a state file; and parts put together again. */
#ifndef IP_CORE_SHARD_H
#define IP_CORE_SHARD_H

#include "core/estimators/soft.h"
#include "core/estimators/top.h"
#include "core/run/run.h"
#include "core/run/shard_file.h"

/* Which part of which whole. Shard `index` of `of` (from 1) has the documents D (index-1) / of .. D index / of of D. */
typedef struct ip_shard_part {
    uint64_t index, of;
    uint64_t first_document, documents, tokens, positions;
    int64_t loss_end; /* of the run; -1: none */
    bool loss, lens, bound;
    char effort[16], betas[512]; /* of the bound: --effort; --beta as it was given, empty: the default */
} ip_shard_part;

/* Documents of part->index of part->of; IP_USAGE when there are fewer documents than shards. */
ip_status ip_shard_plan(ip_shard_part *part, uint64_t documents, ip_error *error);
/* Leaves only the part's documents in the corpus; its fingerprints and files stay those of the whole. */
void ip_shard_narrow(ip_corpus *corpus, ip_shard_part *part, unsigned orders);

/* Sections but those of layers and losses: description, lengths, ids and, with pieces, what the ids stand for. */
ip_status ip_shard_describe(ip_shard_writer *writer, const ip_run *run, const ip_shard_part *part,
                            const ip_corpus *corpus, const ip_pieces *pieces, ip_error *error);

/* The description back: run as far as it was known, freed by ip_run_free. */
ip_status ip_shard_read_meta(ip_run **run, ip_shard_part *part, const ip_shard_file *file, ip_error *error);

#endif

/* Merging adjacent symbols by rank: what byte-level BPE and the SentencePiece kind have in common. */
#ifndef IP_MODELS_TOKENIZER_MERGE_H
#define IP_MODELS_TOKENIZER_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rank and result of one pair of ids. */
typedef struct ip_merge {
    uint64_t pair; /* left id << 32 | right id; all ones: an empty slot */
    uint32_t rank; /* low ones first */
    int32_t id;
} ip_merge;

/* All merges: a hash table with open addressing, at most half full. */
typedef struct ip_merges {
    ip_merge *slots;
    size_t mask, count;
} ip_merges;

bool ip_merges_init(ip_merges *merges, size_t expected); /* false: out of memory */
void ip_merges_free(ip_merges *merges);
/* last_wins: a pair that is there already takes the new rank, else it keeps what it has. false: out of memory. */
bool ip_merges_add(ip_merges *merges, int32_t left, int32_t right, uint32_t rank, int32_t id, bool last_wins);
/* NULL: the pair does not merge. */
const ip_merge *ip_merges_find(const ip_merges *merges, int32_t left, int32_t right);

/* Working memory of one thread; zeroed to begin with. */
typedef struct ip_merge_work {
    struct ip_merge_entry *heap;
    size_t heap_room;
    uint32_t *links; /* before and after of every symbol */
    size_t link_room;
} ip_merge_work;

void ip_merge_work_free(ip_merge_work *work);

/* Merges ids[0 .. *n) in place until no pair is left: always the pair of lowest rank, leftmost among equals.
 * Long texts take a heap, so the time is n log n. false: out of memory, or more than 2^32 - 2 symbols. */
bool ip_merge_run(const ip_merges *merges, ip_merge_work *work, int32_t *ids, size_t *n);

#endif

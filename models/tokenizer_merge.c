/* The merge loop. Few symbols: scan the ranks for the smallest. Many: a heap of candidates over a doubly linked list,
 * where an entry is stale when the two symbols at its place are no longer the ones it was made for. */
#include "models/tokenizer_merge.h"

#include <stdlib.h>
#include <string.h>

#define EMPTY UINT64_MAX
#define NONE  UINT32_MAX

enum { FEW = 32 };

static uint64_t pair_of(int32_t left, int32_t right) { return (uint64_t)(uint32_t)left << 32 | (uint32_t)right; }

/* Multiplying by an odd constant near 2^64 / golden ratio spreads neighbouring ids over the high bits. */
static size_t place_of(uint64_t pair) {
    pair *= 0x9E3779B97F4A7C15u;
    return (size_t)(pair ^ pair >> 32);
}

bool ip_merges_init(ip_merges *merges, size_t expected) {
    size_t room = 16;
    while (room < expected * 2) room *= 2;
    merges->slots = malloc(room * sizeof *merges->slots);
    if (!merges->slots) return false;
    for (size_t i = 0; i < room; i++) merges->slots[i].pair = EMPTY;
    merges->mask = room - 1;
    merges->count = 0;
    return true;
}

void ip_merges_free(ip_merges *merges) {
    free(merges->slots);
    merges->slots = NULL;
}

static ip_merge *slot_of(const ip_merges *merges, uint64_t pair) {
    size_t at = place_of(pair) & merges->mask;
    while (merges->slots[at].pair != pair && merges->slots[at].pair != EMPTY) at = (at + 1) & merges->mask;
    return &merges->slots[at];
}

static bool grow(ip_merges *merges) {
    ip_merges larger;
    if (!ip_merges_init(&larger, merges->mask + 1)) return false;
    for (size_t i = 0; i <= merges->mask; i++)
        if (merges->slots[i].pair != EMPTY) *slot_of(&larger, merges->slots[i].pair) = merges->slots[i];
    larger.count = merges->count;
    ip_merges_free(merges);
    *merges = larger;
    return true;
}

bool ip_merges_add(ip_merges *merges, int32_t left, int32_t right, uint32_t rank, int32_t id, bool last_wins) {
    if (merges->count * 2 > merges->mask && !grow(merges)) return false;
    ip_merge *slot = slot_of(merges, pair_of(left, right));
    if (slot->pair != EMPTY && !last_wins) return true;
    merges->count += slot->pair == EMPTY;
    *slot = (ip_merge){pair_of(left, right), rank, id};
    return true;
}

const ip_merge *ip_merges_find(const ip_merges *merges, int32_t left, int32_t right) {
    const ip_merge *slot = slot_of(merges, pair_of(left, right));
    return slot->pair == EMPTY ? NULL : slot;
}

void ip_merge_work_free(ip_merge_work *work) {
    free(work->heap);
    free(work->links);
}

static size_t merge_few(const ip_merges *merges, int32_t *ids, size_t n) {
    uint32_t ranks[FEW];
    int32_t results[FEW];
    for (size_t i = 0; i + 1 < n; i++) {
        const ip_merge *m = ip_merges_find(merges, ids[i], ids[i + 1]);
        ranks[i] = m ? m->rank : NONE;
        results[i] = m ? m->id : 0;
    }
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (ranks[i] < ranks[best]) best = i;
        if (ranks[best] == NONE) break;
        ids[best] = results[best];
        n--;
        for (size_t i = best + 1; i < n; i++) ids[i] = ids[i + 1];
        for (size_t i = best + 1; i + 1 < n; i++) {
            ranks[i] = ranks[i + 1];
            results[i] = results[i + 1];
        }
        for (size_t i = best ? best - 1 : 0; i <= best && i + 1 < n; i++) {
            const ip_merge *m = ip_merges_find(merges, ids[i], ids[i + 1]);
            ranks[i] = m ? m->rank : NONE;
            results[i] = m ? m->id : 0;
        }
    }
    return n;
}

typedef struct ip_merge_entry {
    uint64_t order; /* rank << 32 | place of the left symbol */
    int32_t left, right, id;
} entry;

static void sift_down(entry *heap, size_t count, size_t at) {
    entry moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && heap[child + 1].order < heap[child].order) child++;
        if (heap[child].order >= moved.order) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static void sift_up(entry *heap, size_t at) {
    entry moved = heap[at];
    while (at > 0 && heap[(at - 1) / 2].order > moved.order) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moved;
}

/* Every merge removes a symbol and makes at most two candidates: n - 1 + 2 (n - 1) entries are enough. */
static bool reserve(ip_merge_work *work, size_t n) {
    if (n > SIZE_MAX / (3 * sizeof(entry))) return false;
    if (3 * n > work->heap_room) {
        free(work->heap);
        work->heap_room = 0;
        work->heap = malloc(3 * n * sizeof *work->heap);
        if (!work->heap) return false;
        work->heap_room = 3 * n;
    }
    if (2 * n > work->link_room) {
        free(work->links);
        work->link_room = 0;
        work->links = malloc(2 * n * sizeof *work->links);
        if (!work->links) return false;
        work->link_room = 2 * n;
    }
    return true;
}

static bool merge_many(const ip_merges *merges, ip_merge_work *work, int32_t *ids, size_t *size) {
    size_t n = *size, count = 0;
    if (n >= NONE || !reserve(work, n)) return false;
    entry *heap = work->heap;
    uint32_t *before = work->links, *after = work->links + n;
    for (size_t i = 0; i < n; i++) {
        before[i] = i ? (uint32_t)i - 1 : NONE;
        after[i] = i + 1 < n ? (uint32_t)i + 1 : NONE;
        const ip_merge *m = i + 1 < n ? ip_merges_find(merges, ids[i], ids[i + 1]) : NULL;
        if (m) heap[count++] = (entry){(uint64_t)m->rank << 32 | i, ids[i], ids[i + 1], m->id};
    }
    for (size_t i = count / 2; i-- > 0;) sift_down(heap, count, i);
    while (count > 0) {
        entry top = heap[0];
        heap[0] = heap[--count];
        if (count) sift_down(heap, count, 0);
        uint32_t left = (uint32_t)top.order, right = after[left];
        /* A symbol that was merged away has the id -1 here, so it never equals a candidate's. */
        if (ids[left] != top.left || right == NONE || ids[right] != top.right) continue;
        ids[left] = top.id;
        ids[right] = -1;
        after[left] = after[right];
        if (after[left] != NONE) before[after[left]] = left;
        uint32_t starts[2] = {before[left], left};
        for (int i = 0; i < 2; i++) {
            uint32_t a = starts[i];
            if (a == NONE || after[a] == NONE) continue;
            const ip_merge *m = ip_merges_find(merges, ids[a], ids[after[a]]);
            if (!m) continue;
            heap[count] = (entry){(uint64_t)m->rank << 32 | a, ids[a], ids[after[a]], m->id};
            sift_up(heap, count++);
        }
    }
    size_t out = 0;
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= 0) ids[out++] = ids[i];
    *size = out;
    return true;
}

bool ip_merge_run(const ip_merges *merges, ip_merge_work *work, int32_t *ids, size_t *n) {
    if (*n < 2) return true;
    if (*n > FEW) return merge_many(merges, work, ids, n);
    *n = merge_few(merges, ids, *n);
    return true;
}

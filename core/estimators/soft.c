/* Storing soft assignments. */
#include "core/estimators/soft.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/map_guard.h"
#include "core/base/memory.h"
#include "core/estimators/deal.h"

static size_t row_bytes(const ip_soft *soft) { return soft->blocks * soft->positions * IP_LANES * sizeof(float); }

size_t ip_soft_bytes(size_t positions, size_t m, int spilled) {
    size_t blocks = (m + IP_LANES - 1) / IP_LANES;
    return positions * (sizeof(int64_t) + (spilled ? 0 : blocks * IP_LANES * sizeof(float)));
}

ip_status ip_soft_open(ip_soft *soft, size_t positions, size_t m, const char *folder, ip_error *error) {
    memset(soft, 0, sizeof *soft);
    soft->positions = positions;
    soft->m = m;
    soft->blocks = (m + IP_LANES - 1) / IP_LANES;
    soft->scratch.fd = -1;
    ip_status status = IP_OK;
    soft->entropy = ip_big_alloc(positions * sizeof *soft->entropy);
    if (folder) {
        status = ip_scratch_open(&soft->scratch, folder, row_bytes(soft), error);
        if (status == IP_OK && row_bytes(soft) > 0) {
            soft->rows = mmap(NULL, row_bytes(soft), PROT_READ, MAP_SHARED, soft->scratch.fd, 0);
            if (soft->rows == MAP_FAILED) soft->rows = NULL;
            if (soft->rows) ip_map_watch(soft->rows, row_bytes(soft), "the scratch file of the soft assignments");
        }
    } else {
        soft->rows = ip_big_alloc(row_bytes(soft));
    }
    if (status == IP_OK && (!soft->entropy || (!soft->rows && row_bytes(soft) > 0)))
        status = ip_fail(error, IP_FAILED, "out of memory for the soft assignments of %zu positions", positions);
    if (status != IP_OK) ip_soft_close(soft);
    return status;
}

void ip_soft_close(ip_soft *soft) {
    if (soft->scratch.fd >= 0) {
        if (soft->rows) {
            ip_map_unwatch(soft->rows);
            munmap(soft->rows, row_bytes(soft));
        }
        ip_scratch_close(&soft->scratch);
    } else {
        ip_big_free(soft->rows, row_bytes(soft));
    }
    ip_big_free(soft->entropy, soft->positions * sizeof *soft->entropy);
    memset(soft, 0, sizeof *soft);
    soft->scratch.fd = -1;
}

ip_status ip_soft_put(ip_soft *soft, const ip_kernels *kernels, size_t first, const float *p, size_t n,
                      ip_error *error) {
    enum { CHUNK = 64 };
    size_t stride = soft->blocks * IP_LANES;
    for (size_t i = 0; i < n; i++) soft->entropy[first + i] = kernels->entropy_row(p + i * stride, soft->m);
    for (size_t b = 0; b < soft->blocks; b++) {
        if (soft->scratch.fd < 0) {
            float *to = soft->rows + (b * soft->positions + first) * IP_LANES;
            for (size_t i = 0; i < n; i++)
                memcpy(to + i * IP_LANES, p + i * stride + b * IP_LANES, IP_LANES * sizeof(float));
            continue;
        }
        float chunk[CHUNK * IP_LANES];
        for (size_t i = 0; i < n; i += CHUNK) {
            size_t rows = n - i < CHUNK ? n - i : CHUNK;
            for (size_t r = 0; r < rows; r++)
                memcpy(chunk + r * IP_LANES, p + (i + r) * stride + b * IP_LANES, IP_LANES * sizeof(float));
            uint64_t at = (b * soft->positions + first + i) * IP_LANES * sizeof(float);
            ip_status status = ip_scratch_write(&soft->scratch, at, chunk, rows * IP_LANES * sizeof(float), error);
            if (status != IP_OK) return status;
        }
    }
    return IP_OK;
}

/* ---- ranks ---- */

/* Positions of a block that a rank sends at once. */
enum { PARCEL = 16384 };

static bool works_on(const ip_soft *soft, unsigned rank, size_t block) {
    return soft->every_block || ip_deal_touches(rank, ip_ranks_count(soft->ranks), soft->blocks, block);
}

uint64_t ip_soft_rank_bytes(const ip_ranks *ranks, size_t positions, size_t own, size_t m, bool every_block) {
    uint64_t blocks = (m + IP_LANES - 1) / IP_LANES, row = IP_LANES * sizeof(float);
    unsigned of = ip_ranks_count(ranks);
    uint64_t sent = every_block ? blocks : ip_deal_blocks(ip_ranks_number(ranks), of, blocks);
    return row * (sent * positions + (blocks - sent) * own);
}

/* Parcel number `at` of what a rank has stored of a block. */
static ip_parcel parcel_of(const ip_soft *soft, unsigned rank, size_t block, uint64_t at) {
    uint64_t first = soft->borders[rank] + at * PARCEL, end = soft->borders[rank + 1];
    uint64_t n = first >= end ? 0 : end - first < PARCEL ? end - first : PARCEL;
    return (ip_parcel){rank, soft->rows + (block * soft->positions + (first < end ? first : end)) * IP_LANES,
                       n * IP_LANES * sizeof(float)};
}

/* A block's parcels of the same number go round together. What is spilled is read from the map and written to the file. */
static ip_status swap_parcels(ip_soft *soft, size_t block, uint64_t at, ip_parcel *out, ip_parcel *in, char *landing,
                              ip_error *error) {
    unsigned of = ip_ranks_count(soft->ranks), own = ip_ranks_number(soft->ranks);
    size_t sent = 0, received = 0;
    ip_parcel mine = parcel_of(soft, own, block, at);
    for (unsigned r = 0; r < of; r++) {
        if (r == own) continue;
        if (mine.bytes > 0 && works_on(soft, r, block)) out[sent++] = (ip_parcel){r, mine.data, mine.bytes};
        ip_parcel theirs = parcel_of(soft, r, block, at);
        if (theirs.bytes == 0 || !works_on(soft, own, block)) continue;
        if (landing) theirs.data = landing + r * PARCEL * IP_LANES * sizeof(float);
        in[received++] = theirs;
    }
    ip_ranks_swap(soft->ranks, out, sent, in, received);
    ip_status status = IP_OK;
    for (size_t i = 0; landing && status == IP_OK && i < received; i++) {
        uint64_t first = block * soft->positions + soft->borders[in[i].rank] + at * PARCEL;
        status =
            ip_scratch_write(&soft->scratch, first * IP_LANES * sizeof(float), in[i].data, (size_t)in[i].bytes, error);
    }
    return status;
}

ip_status ip_soft_swap(ip_soft *soft, ip_error *error) {
    unsigned of = ip_ranks_count(soft->ranks);
    if (of == 1) return IP_OK;
    bool spilled = soft->scratch.fd >= 0;
    uint64_t longest = 0, *borders = malloc((of + 1) * sizeof *borders);
    ip_parcel *parcels = malloc(2 * of * sizeof *parcels);
    char *landing = spilled ? malloc(of * PARCEL * IP_LANES * sizeof(float)) : NULL;
    ip_status status = IP_OK;
    if (!borders || !parcels || (spilled && !landing))
        status = ip_fail(error, IP_FAILED, "out of memory for what %u ranks send", of);
    for (unsigned r = 0; status == IP_OK && r <= of; r++) {
        if (r > 0 && soft->borders[r] - soft->borders[r - 1] > longest)
            longest = soft->borders[r] - soft->borders[r - 1];
        borders[r] = soft->borders[r] * sizeof *soft->entropy;
    }
    if (status == IP_OK) ip_ranks_spread(soft->ranks, soft->entropy, borders);
    for (size_t b = 0; status == IP_OK && b < soft->blocks; b++)
        for (uint64_t at = 0; status == IP_OK && at * PARCEL < longest; at++)
            status = swap_parcels(soft, b, at, parcels, parcels + of, landing, error);
    free(borders);
    free(parcels);
    free(landing);
    return status;
}

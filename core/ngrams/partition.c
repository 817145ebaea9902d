/* Partitions by counting sort: positions stay in rising order inside a label, so that nothing depends on a hash. */
#include "core/ngrams/partition.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/memory.h"

static size_t start_bytes(size_t positions) { return (positions / 2 + 1) * sizeof(uint32_t); }

size_t ip_partition_bytes(size_t positions) { return positions * sizeof(uint32_t) + start_bytes(positions); }

ip_status ip_partition_open(ip_partition *out, size_t positions, ip_error *error) {
    memset(out, 0, sizeof *out);
    out->positions = positions;
    out->order = ip_big_alloc(positions * sizeof *out->order);
    out->start = ip_big_alloc(start_bytes(positions)); /* a label that counts twice or more takes two positions */
    if (out->order && out->start) return IP_OK;
    ip_partition_free(out);
    return ip_fail(error, IP_FAILED, "out of memory for the labels of %zu positions", positions);
}

void ip_partition_free(ip_partition *partition) {
    ip_big_free(partition->order, partition->positions * sizeof *partition->order);
    ip_big_free(partition->start, start_bytes(partition->positions));
    memset(partition, 0, sizeof *partition);
}

ip_status ip_partition_build(ip_partition *out, const uint32_t *labels, size_t positions, size_t label_bound,
                             ip_error *error) {
    ip_status status = ip_partition_open(out, positions, error);
    if (status != IP_OK) return status;
    /* place[v]: first how often v occurs, then where its next position goes. */
    size_t place_bytes = label_bound * sizeof(uint32_t);
    uint32_t *place = ip_big_alloc(place_bytes);
    if (!place) {
        ip_partition_free(out);
        return ip_fail(error, IP_FAILED, "out of memory for the counts of %zu labels", label_bound);
    }
    for (size_t i = 0; i < positions; i++) place[labels[i]]++;
    uint32_t at = 0;
    for (size_t v = 0; v < label_bound; v++) {
        if (place[v] == 0) continue;
        out->labels++;
        if (place[v] >= 2) {
            uint32_t count = place[v];
            out->start[out->groups++] = at;
            place[v] = at;
            at += count;
        } else {
            place[v] = UINT32_MAX;
        }
    }
    out->start[out->groups] = at;
    for (size_t i = 0; i < positions; i++) {
        uint32_t v = labels[i];
        if (place[v] == UINT32_MAX) {
            out->order[at++] = (uint32_t)i;
        } else {
            out->order[place[v]++] = (uint32_t)i;
        }
    }
    ip_big_free(place, place_bytes);
    return IP_OK;
}

ip_status ip_partition_whole(ip_partition *out, size_t positions, ip_error *error) {
    ip_status status = ip_partition_open(out, positions, error);
    if (status != IP_OK) return status;
    for (size_t i = 0; i < positions; i++) out->order[i] = (uint32_t)i;
    out->labels = positions > 0;
    out->groups = positions >= 2;
    out->start[out->groups] = positions >= 2 ? (uint32_t)positions : 0;
    return IP_OK;
}

/* Labels 0 .. n-1 in rising order of the values they stand for, when the values lie close together. */
static bool dense_labels(uint32_t *labels, const int64_t *values, size_t positions, size_t *bound) {
    int64_t low = positions > 0 ? values[0] : 0, high = low;
    for (size_t i = 0; i < positions; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    uint64_t range = (uint64_t)high - (uint64_t)low;
    if (range >= 4 * (uint64_t)positions + 1024 || range >= UINT32_MAX - 1) return false;
    for (size_t i = 0; i < positions; i++) labels[i] = (uint32_t)((uint64_t)values[i] - (uint64_t)low);
    *bound = (size_t)range + 1;
    return true;
}

typedef struct valued {
    uint64_t value; /* sign bit turned, so that unsigned order is the order of the values */
    uint32_t position;
} valued;

/* Least significant byte first; bytes that are the same everywhere are passed over. Returns where the result is. */
static valued *radix_sort(valued *from, valued *to, size_t n) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t place[257] = {0};
        for (size_t i = 0; i < n; i++) place[(from[i].value >> shift & 255) + 1]++;
        if (n > 0 && place[(from[0].value >> shift & 255) + 1] == n) continue;
        for (int b = 0; b < 256; b++) place[b + 1] += place[b];
        for (size_t i = 0; i < n; i++) to[place[from[i].value >> shift & 255]++] = from[i];
        valued *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static ip_status sorted_labels(uint32_t *labels, const int64_t *values, size_t positions, size_t *bound,
                               ip_error *error) {
    size_t bytes = 2 * positions * sizeof(valued);
    valued *work = ip_big_alloc(bytes);
    if (!work) return ip_fail(error, IP_FAILED, "out of memory for the labels of %zu positions", positions);
    for (size_t i = 0; i < positions; i++) work[i] = (valued){(uint64_t)values[i] ^ (uint64_t)1 << 63, (uint32_t)i};
    const valued *sorted = radix_sort(work, work + positions, positions);
    uint32_t label = 0;
    for (size_t i = 0; i < positions; i++) {
        if (i > 0 && sorted[i].value != sorted[i - 1].value) label++;
        labels[sorted[i].position] = label;
    }
    *bound = (size_t)label + 1;
    ip_big_free(work, bytes);
    return IP_OK;
}

ip_status ip_partition_from_values(ip_partition *out, const int64_t *values, size_t positions, ip_error *error) {
    uint32_t *labels = ip_big_alloc(positions * sizeof *labels);
    if (!labels) return ip_fail(error, IP_FAILED, "out of memory for the labels of %zu positions", positions);
    size_t bound = 0;
    ip_status status = IP_OK;
    if (!dense_labels(labels, values, positions, &bound))
        status = sorted_labels(labels, values, positions, &bound, error);
    if (status == IP_OK) status = ip_partition_build(out, labels, positions, bound, error);
    ip_big_free(labels, positions * sizeof *labels);
    return status;
}

/* Triplets into a joint: sorted by counting, equal pairs added up. */
#include "core/bound/bound_joint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"

static ip_status no_memory(ip_error *error, size_t pairs) {
    return ip_fail(error, IP_FAILED, "out of memory for a joint of %zu pairs", pairs);
}

static int by_id(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ids 0, 1, 2 ... in place of those that occur, order kept; how many there are, or 0 without memory. */
static size_t compress(ip_triplet *t, size_t n, size_t member) {
    uint32_t *ids = malloc(n * sizeof *ids);
    if (!ids) return 0;
    for (size_t i = 0; i < n; i++) memcpy(&ids[i], (char *)&t[i] + member, sizeof *ids);
    qsort(ids, n, sizeof *ids, by_id);
    size_t distinct = 1;
    for (size_t i = 1; i < n; i++)
        if (ids[i] != ids[distinct - 1]) ids[distinct++] = ids[i];
    for (size_t i = 0; i < n; i++) {
        uint32_t *id = (uint32_t *)(void *)((char *)&t[i] + member);
        size_t low = 0, high = distinct;
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (ids[middle] <= *id) {
                low = middle;
            } else {
                high = middle;
            }
        }
        *id = (uint32_t)low;
    }
    free(ids);
    return distinct;
}

/* A stable counting sort by x or y. */
static void sort_by(ip_triplet *out, const ip_triplet *in, size_t n, bool by_y, size_t *begin, size_t ids) {
    memset(begin, 0, (ids + 1) * sizeof *begin);
    for (size_t i = 0; i < n; i++) begin[(by_y ? in[i].y : in[i].x) + 1]++;
    for (size_t i = 0; i < ids; i++) begin[i + 1] += begin[i];
    for (size_t i = 0; i < n; i++) out[begin[by_y ? in[i].y : in[i].x]++] = in[i];
}

static size_t add_equal(ip_triplet *t, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && t[kept - 1].x == t[i].x && t[kept - 1].y == t[i].y) {
            t[kept - 1].count += t[i].count;
        } else {
            t[kept++] = t[i];
        }
    }
    return kept;
}

static bool allocate(ip_joint *j) {
    j->row = calloc((size_t)j->nx + 1, sizeof *j->row);
    j->col = calloc((size_t)j->ny + 1, sizeof *j->col);
    j->row_y = malloc(j->pairs * sizeof *j->row_y);
    j->col_x = malloc(j->pairs * sizeof *j->col_x);
    j->row_count = malloc(j->pairs * sizeof *j->row_count);
    j->col_count = malloc(j->pairs * sizeof *j->col_count);
    j->p_yx = malloc(j->pairs * sizeof *j->p_yx);
    j->p_xy = malloc(j->pairs * sizeof *j->p_xy);
    j->count_x = calloc(j->nx, sizeof *j->count_x);
    j->count_y = calloc(j->ny, sizeof *j->count_y);
    j->px = malloc(j->nx * sizeof *j->px);
    return j->row && j->col && j->row_y && j->col_x && j->row_count && j->col_count && j->p_yx && j->p_xy &&
           j->count_x && j->count_y && j->px;
}

static double entropy_of(const uint64_t *counts, size_t n, double total) {
    double h = 0;
    for (size_t i = 0; i < n; i++) h -= (double)counts[i] / total * ip_log((double)counts[i] / total);
    return h;
}

/* All arrays from triplets sorted by x, then y; `place` has room for ny + 1. */
static void fill(ip_joint *j, const ip_triplet *t, size_t *place) {
    double total = (double)j->total;
    for (size_t i = 0; i < j->pairs; i++) {
        j->row[t[i].x + 1]++;
        j->col[t[i].y + 1]++;
        j->count_x[t[i].x] += t[i].count;
        j->count_y[t[i].y] += t[i].count;
    }
    for (uint32_t x = 0; x < j->nx; x++) j->row[x + 1] += j->row[x];
    for (uint32_t y = 0; y < j->ny; y++) j->col[y + 1] += j->col[y];
    memcpy(place, j->col, ((size_t)j->ny + 1) * sizeof *place);
    double together = 0;
    for (size_t i = 0; i < j->pairs; i++) {
        double p = (double)t[i].count / total;
        j->row_y[i] = t[i].y;
        j->row_count[i] = t[i].count;
        j->p_yx[i] = (double)t[i].count / (double)j->count_x[t[i].x];
        size_t at = place[t[i].y]++;
        j->col_x[at] = t[i].x;
        j->col_count[at] = t[i].count;
        j->p_xy[at] = p;
        together -= p * ip_log(p);
    }
    for (uint32_t x = 0; x < j->nx; x++) j->px[x] = (double)j->count_x[x] / total;
    j->HX = entropy_of(j->count_x, j->nx, total);
    j->HY = entropy_of(j->count_y, j->ny, total);
    j->IXY = j->HX + j->HY - together;
    if (j->IXY < 0) j->IXY = 0;
}

ip_status ip_joint_make(ip_joint *out, ip_triplet *triplets, size_t n, ip_error *error) {
    memset(out, 0, sizeof *out);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (triplets[i].count == 0) continue;
        triplets[kept++] = triplets[i];
        if (triplets[i].count > ((uint64_t)1 << 53) - out->total)
            return ip_fail(error, IP_BAD_INPUT, "the counts of a joint add up to more than 2^53");
        out->total += triplets[i].count;
    }
    if (kept == 0) return ip_fail(error, IP_BAD_INPUT, "a joint without any count: nothing to bound");
    if (kept > UINT32_MAX) return ip_fail(error, IP_FAILED, "a joint of %zu pairs: 2^32 are the most", kept);
    size_t nx = compress(triplets, kept, offsetof(ip_triplet, x));
    size_t ny = compress(triplets, kept, offsetof(ip_triplet, y)), most = nx > ny ? nx : ny;
    ip_triplet *other = malloc(kept * sizeof *other);
    size_t *begin = malloc((most + 1) * sizeof *begin);
    ip_status status = nx > 0 && ny > 0 && other && begin ? IP_OK : no_memory(error, kept);
    if (status == IP_OK) {
        sort_by(other, triplets, kept, true, begin, ny);
        sort_by(triplets, other, kept, false, begin, nx);
        out->pairs = add_equal(triplets, kept);
        out->nx = (uint32_t)nx;
        out->ny = (uint32_t)ny;
        if (allocate(out)) {
            fill(out, triplets, begin);
        } else {
            status = no_memory(error, kept);
        }
    }
    free(other);
    free(begin);
    if (status != IP_OK) ip_joint_free(out);
    return status;
}

void ip_joint_free(ip_joint *j) {
    free(j->row);
    free(j->col);
    free(j->row_y);
    free(j->col_x);
    free(j->row_count);
    free(j->col_count);
    free(j->p_yx);
    free(j->p_xy);
    free(j->count_x);
    free(j->count_y);
    free(j->px);
    memset(j, 0, sizeof *j);
}

/* Exact reductions of a joint: equal conditional rows become one, on both sides in turn; then an order of its own.
 *
 * x with proportional rows have the same p(y|x), so the same best encoder; y with proportional columns have the same
 * p(y|z)/p(y). Counts are whole numbers: a row divided by the greatest common divisor of its counts is the same row. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/hash.h"
#include "core/bound/bound_joint.h"

/* A row or column in lowest terms, as it lies in the scratch array. */
typedef struct line {
    const uint64_t *cells; /* id, count / gcd, id, count / gcd ... */
    uint64_t hash;
    size_t length; /* of cells */
    uint32_t id;
} line;

static uint64_t divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int by_content(const void *a, const void *b) {
    const line *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    int different = memcmp(x->cells, y->cells, x->length * sizeof *x->cells);
    return different != 0 ? different : x->id < y->id ? -1 : x->id > y->id;
}

static bool same(const line *a, const line *b) {
    return a->hash == b->hash && a->length == b->length &&
           memcmp(a->cells, b->cells, a->length * sizeof *a->cells) == 0;
}

/* Sorted by `side`: lines of triplets with one x (side 0) or one y. merged[id] becomes the least id with the same line;
 * true when some differ from their own. */
static bool find_equal(const ip_triplet *t, size_t n, bool columns, line *lines, uint64_t *cells, uint32_t *merged) {
    size_t count = 0;
    for (size_t i = 0; i < n;) {
        uint32_t id = columns ? t[i].y : t[i].x;
        size_t end = i;
        uint64_t common = 0;
        for (; end < n && (columns ? t[end].y : t[end].x) == id; end++) common = divisor(t[end].count, common);
        line *l = &lines[count++];
        *l = (line){cells + 2 * i, 0, 2 * (end - i), id};
        for (; i < end; i++) {
            cells[2 * i] = columns ? t[i].x : t[i].y;
            cells[2 * i + 1] = t[i].count / common;
        }
        l->hash = ip_hash64(l->cells, l->length * sizeof *cells, 0);
    }
    qsort(lines, count, sizeof *lines, by_content);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || !same(&lines[i - 1], &lines[i]);
        merged[lines[i].id] = first ? lines[i].id : merged[lines[i - 1].id];
        any = any || !first;
    }
    return any;
}

/* The joint as triplets, sorted by x, or by y. */
static void take_triplets(ip_triplet *t, const ip_joint *j, bool columns) {
    for (uint32_t x = 0; !columns && x < j->nx; x++)
        for (size_t i = j->row[x]; i < j->row[x + 1]; i++) t[i] = (ip_triplet){x, j->row_y[i], j->row_count[i]};
    for (uint32_t y = 0; columns && y < j->ny; y++)
        for (size_t i = j->col[y]; i < j->col[y + 1]; i++) t[i] = (ip_triplet){j->col_x[i], y, j->col_count[i]};
}

typedef struct reduction {
    ip_triplet *triplets;
    line *lines;
    uint64_t *cells;
    uint32_t *merged;
} reduction;

/* One side merged; *joint is replaced when anything was. */
static ip_status merge_side(ip_joint *joint, bool columns, const reduction *r, bool *changed, ip_error *error) {
    take_triplets(r->triplets, joint, columns);
    if (!find_equal(r->triplets, joint->pairs, columns, r->lines, r->cells, r->merged)) return IP_OK;
    *changed = true;
    for (size_t i = 0; i < joint->pairs; i++) {
        uint32_t *id = columns ? &r->triplets[i].y : &r->triplets[i].x;
        *id = r->merged[*id];
    }
    size_t n = joint->pairs;
    ip_joint_free(joint);
    return ip_joint_make(joint, r->triplets, n, error);
}

/* ---- an order of its own: colours refined by those of the neighbours ---- */

enum { REFINEMENTS = 4 };

static uint64_t mixed(uint64_t a, uint64_t b) {
    uint64_t both[2] = {a, b};
    return ip_hash64(both, sizeof both, 0);
}

typedef struct coloured {
    uint64_t count, colour;
    uint32_t id;
} coloured;

/* Heavy ones first; what the colours do not tell apart keeps the order it came in. */
static int by_colour(const void *a, const void *b) {
    const coloured *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    if (x->colour != y->colour) return x->colour < y->colour ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void rank(uint32_t *place, coloured *list, const uint64_t *counts, const uint64_t *colours, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) list[i] = (coloured){counts[i], colours[i], i};
    qsort(list, n, sizeof *list, by_colour);
    for (uint32_t i = 0; i < n; i++) place[list[i].id] = i;
}

static void refine(const ip_joint *j, uint64_t common, uint64_t *cx, uint64_t *cy, uint64_t *sums) {
    for (uint32_t x = 0; x < j->nx; x++) cx[x] = mixed(j->count_x[x] / common, 1);
    for (uint32_t y = 0; y < j->ny; y++) cy[y] = mixed(j->count_y[y] / common, 2);
    for (int round = 0; round < REFINEMENTS; round++) {
        memset(sums, 0, j->ny * sizeof *sums);
        for (uint32_t x = 0; x < j->nx; x++) {
            uint64_t sum = 0;
            for (size_t i = j->row[x]; i < j->row[x + 1]; i++) {
                sum += mixed(cy[j->row_y[i]], j->row_count[i] / common);
                sums[j->row_y[i]] += mixed(cx[x], ~(j->row_count[i] / common));
            }
            cx[x] = mixed(cx[x], sum);
        }
        for (uint32_t y = 0; y < j->ny; y++) cy[y] = mixed(cy[y], sums[y]);
    }
}

static ip_status reorder(ip_joint *joint, ip_triplet *triplets, ip_error *error) {
    size_t nx = joint->nx, ny = joint->ny, most = nx > ny ? nx : ny;
    uint64_t *colours = malloc((nx + 2 * ny) * sizeof *colours);
    coloured *list = malloc(most * sizeof *list);
    uint32_t *place = malloc((nx + ny) * sizeof *place);
    ip_status status = IP_FAILED;
    if (colours && list && place) {
        uint64_t common = 0; /* a joint counted twice is the same joint */
        for (size_t i = 0; i < joint->pairs; i++) common = divisor(joint->row_count[i], common);
        refine(joint, common, colours, colours + nx, colours + nx + ny);
        rank(place, list, joint->count_x, colours, joint->nx);
        rank(place + nx, list, joint->count_y, colours + nx, joint->ny);
        take_triplets(triplets, joint, false);
        size_t n = joint->pairs;
        for (size_t i = 0; i < n; i++) {
            triplets[i].x = place[triplets[i].x];
            triplets[i].y = place[nx + triplets[i].y];
            triplets[i].count /= common;
        }
        ip_joint_free(joint);
        status = ip_joint_make(joint, triplets, n, error);
    } else {
        status = ip_fail(error, IP_FAILED, "out of memory for a joint of %zu pairs", joint->pairs);
    }
    free(colours);
    free(list);
    free(place);
    return status;
}

ip_status ip_joint_reduce(ip_joint *out, const ip_joint *joint, ip_error *error) {
    memset(out, 0, sizeof *out);
    size_t pairs = joint->pairs, most = joint->nx > joint->ny ? joint->nx : joint->ny;
    reduction r = {malloc(pairs * sizeof *r.triplets), malloc(most * sizeof *r.lines),
                   malloc(2 * pairs * sizeof *r.cells), malloc(most * sizeof *r.merged)};
    ip_status status = IP_OK;
    if (r.triplets && r.lines && r.cells && r.merged) {
        take_triplets(r.triplets, joint, false);
        status = ip_joint_make(out, r.triplets, pairs, error);
        bool changed = true;
        while (status == IP_OK && changed) {
            changed = false;
            status = merge_side(out, false, &r, &changed, error);
            if (status == IP_OK) status = merge_side(out, true, &r, &changed, error);
        }
        if (status == IP_OK) status = reorder(out, r.triplets, error);
    } else {
        status = ip_fail(error, IP_FAILED, "out of memory for a joint of %zu pairs", pairs);
    }
    free(r.triplets);
    free(r.lines);
    free(r.cells);
    free(r.merged);
    if (status != IP_OK) ip_joint_free(out);
    return status;
}

/* ---- components ---- */

static uint32_t root_of(uint32_t *parent, uint32_t x) {
    while (parent[x] != x) x = parent[x] = parent[parent[x]];
    return x;
}

/* x joined with the first x of each of its y. */
static void join(const ip_joint *j, uint32_t *parent) {
    for (uint32_t x = 0; x < j->nx; x++) parent[x] = x;
    for (uint32_t y = 0; y < j->ny; y++) {
        uint32_t first = root_of(parent, j->col_x[j->col[y]]);
        for (size_t i = j->col[y] + 1; i < j->col[y + 1]; i++) {
            uint32_t other = root_of(parent, j->col_x[i]);
            if (other < first) {
                parent[first] = other;
                first = other;
            } else {
                parent[other] = first;
            }
        }
    }
}

ip_status ip_components_find(ip_components *out, const ip_joint *joint, ip_error *error) {
    memset(out, 0, sizeof *out);
    uint32_t *parent = malloc(joint->nx * sizeof *parent), *place = malloc(joint->nx * sizeof *place);
    coloured *list = calloc(joint->nx, sizeof *list);
    out->of_x = malloc(joint->nx * sizeof *out->of_x);
    out->mass = malloc(joint->nx * sizeof *out->mass);
    if (!parent || !place || !list || !out->of_x || !out->mass) {
        free(parent);
        free(place);
        free(list);
        ip_components_free(out);
        return ip_fail(error, IP_FAILED, "out of memory for the components");
    }
    join(joint, parent);
    for (uint32_t x = 0; x < joint->nx; x++) {
        uint32_t root = root_of(parent, x);
        if (root == x) list[place[x] = out->count++].id = x;
        list[place[root]].count += joint->count_x[x];
    }
    qsort(list, out->count, sizeof *list, by_colour);
    for (uint32_t i = 0; i < out->count; i++) {
        place[list[i].id] = i;
        out->mass[i] = list[i].count;
        double p = (double)list[i].count / (double)joint->total;
        out->H -= p * ip_log(p);
    }
    for (uint32_t x = 0; x < joint->nx; x++) out->of_x[x] = place[root_of(parent, x)];
    free(parent);
    free(place);
    free(list);
    return IP_OK;
}

void ip_components_free(ip_components *components) {
    free(components->of_x);
    free(components->mass);
    memset(components, 0, sizeof *components);
}

/* A curve from the rank that has searched it to the others, as bytes: its numbers, its points, its hull. */
#include <stdlib.h>
#include <string.h>

#include "core/base/ranks_door.h"
#include "core/bound/bound_curve.h"

/* Texts cannot travel as addresses: a point's kind goes as its place in this list. */
static const char *const kinds[] = {"trivial", "identity", "component", "hard", "soft"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static uint64_t number_of(const char *kind) {
    uint64_t i = 0;
    while (i < KINDS - 1 && strcmp(kinds[i], kind) != 0) i++;
    return i;
}

/* The layout of the bytes. */
typedef struct parts {
    ip_bound_curve *numbers;
    uint64_t *kind;
    ip_bound_point *points;
    ip_bound_vertex *hull;
} parts;

enum { NUMBERS = (sizeof(ip_bound_curve) + 15) / 16 * 16 };

static uint64_t bytes_of(uint64_t points, uint64_t vertices) {
    return NUMBERS + points * (sizeof(uint64_t) + sizeof(ip_bound_point)) + vertices * sizeof(ip_bound_vertex);
}

static parts lay_out(char *at, uint64_t points) {
    parts p = {.numbers = (ip_bound_curve *)(void *)at, .kind = (uint64_t *)(void *)(at + NUMBERS)};
    p.points = (ip_bound_point *)(void *)(p.kind + points);
    p.hull = (ip_bound_vertex *)(void *)(p.points + points);
    return p;
}

static void pack(const parts *p, const ip_bound_curve *curve) {
    *p->numbers = *curve;
    memcpy(p->points, curve->points, curve->point_count * sizeof *p->points);
    memcpy(p->hull, curve->hull, curve->hull_count * sizeof *p->hull);
    for (size_t i = 0; i < curve->point_count; i++) p->kind[i] = number_of(curve->points[i].kind);
}

static ip_bound_curve *unpack(const parts *p) {
    ip_bound_curve *curve = malloc(sizeof *curve);
    if (!curve) return NULL;
    *curve = *p->numbers;
    curve->points = malloc((curve->point_count + 1) * sizeof *curve->points);
    curve->hull = malloc((curve->hull_count + 1) * sizeof *curve->hull);
    if (!curve->points || !curve->hull) {
        ip_bound_curve_free(curve);
        return NULL;
    }
    memcpy(curve->points, p->points, curve->point_count * sizeof *p->points);
    memcpy(curve->hull, p->hull, curve->hull_count * sizeof *p->hull);
    for (size_t i = 0; i < curve->point_count; i++) curve->points[i].kind = kinds[p->kind[i]];
    return curve;
}

ip_status ip_bound_curve_share(ip_bound_curve **curve, unsigned owner, const ip_ranks *ranks, ip_error *error) {
    unsigned of = ip_ranks_count(ranks);
    bool mine = ip_ranks_number(ranks) == owner;
    uint64_t sizes[2] = {0, 0}; /* nobody else adds to them */
    if (mine) {
        sizes[0] = (*curve)->point_count;
        sizes[1] = (*curve)->hull_count;
    }
    ip_ranks_sum(ranks, sizes, 2);
    uint64_t bytes = bytes_of(sizes[0], sizes[1]);
    char *buffer = calloc(1, (size_t)bytes);
    uint64_t *borders = malloc((of + 1) * sizeof *borders);
    ip_status status = buffer && borders ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the curve of a rank");
    if (status == IP_OK) {
        parts p = lay_out(buffer, sizes[0]);
        if (mine) pack(&p, *curve);
        for (unsigned r = 0; r <= of; r++) borders[r] = r <= owner ? 0 : bytes;
        ip_ranks_spread(ranks, buffer, borders);
        if (!mine) *curve = unpack(&p);
        if (!*curve) status = ip_fail(error, IP_FAILED, "out of memory for the curve of a rank");
    }
    free(buffer);
    free(borders);
    return status;
}

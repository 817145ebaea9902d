/* Sequential information bottleneck over whole counts. */
#include "core/bound/bound_hard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/numbers/philox.h"

enum { SWEEPS = 30, TABLE = 1 << 20 };

ip_status ip_nlogn_make(ip_nlogn *out, uint64_t most, ip_error *error) {
    out->limit = most < TABLE ? most + 1 : TABLE;
    out->table = malloc((size_t)out->limit * sizeof *out->table);
    if (!out->table) return ip_fail(error, IP_FAILED, "out of memory for a table of logarithms");
    out->table[0] = 0.0;
    for (uint64_t n = 1; n < out->limit; n++) out->table[n] = (double)n * ip_log((double)n);
    return IP_OK;
}

void ip_nlogn_free(ip_nlogn *f) {
    free(f->table);
    f->table = NULL;
}

static inline double nlogn(const ip_nlogn *f, uint64_t n) {
    return n < f->limit ? f->table[n] : (double)n * ip_log((double)n);
}

/* ---- draws ---- */

ip_draws ip_draws_begin(uint64_t seed, uint64_t stream) { return (ip_draws){.seed = seed, .stream = stream}; }

static uint32_t draw(ip_draws *d) {
    if (d->left == 0) {
        ip_philox((uint32_t[4]){d->block++, (uint32_t)d->stream, (uint32_t)(d->stream >> 32), IP_DRAW_BOUND}, d->seed,
                  d->words);
        d->left = 4;
    }
    return d->words[4 - d->left--];
}

uint32_t ip_draw_below(ip_draws *draws, uint32_t n) { return (uint32_t)((uint64_t)draw(draws) * n >> 32); }

double ip_draw_uniform(ip_draws *draws) { return ((double)draw(draws) + 0.5) * 0x1p-32; }

/* ---- memory ---- */

static size_t cell_count(const ip_joint *joint, uint32_t m) {
    size_t all = 0;
    for (uint32_t y = 0; y < joint->ny; y++) {
        size_t degree = joint->col[y + 1] - joint->col[y];
        all += degree < m ? degree : m;
    }
    return all;
}

size_t ip_hard_bytes(const ip_joint *joint, uint32_t m) {
    return cell_count(joint, m) * sizeof(ip_cell) + joint->ny * (sizeof(size_t) + sizeof(uint32_t)) +
           2 * (size_t)joint->nx * sizeof(uint32_t) + 40 * (size_t)m;
}

ip_status ip_hard_open(ip_hard *out, const ip_joint *joint, const ip_nlogn *f, uint32_t m, ip_error *error) {
    *out = (ip_hard){.joint = joint, .f = f, .m = m};
    out->begin = malloc(((size_t)joint->ny + 1) * sizeof *out->begin);
    out->cells = malloc(joint->ny * sizeof *out->cells);
    out->cell = malloc(cell_count(joint, m) * sizeof *out->cell);
    out->count_z = malloc(m * sizeof *out->count_z);
    out->f_z = malloc(m * sizeof *out->f_z);
    out->gain = malloc(m * sizeof *out->gain);
    out->members = malloc(m * sizeof *out->members);
    out->touched = malloc(m * sizeof *out->touched);
    out->order = malloc(joint->nx * sizeof *out->order);
    out->labels = malloc(joint->nx * sizeof *out->labels);
    out->is_touched = calloc(m, sizeof *out->is_touched);
    if (!out->begin || !out->cells || !out->cell || !out->count_z || !out->f_z || !out->gain || !out->members ||
        !out->touched || !out->order || !out->labels || !out->is_touched) {
        ip_hard_close(out);
        return ip_fail(error, IP_FAILED, "out of memory for the clusters of %u codewords", m);
    }
    out->begin[0] = 0;
    for (uint32_t y = 0; y < joint->ny; y++) {
        size_t degree = joint->col[y + 1] - joint->col[y];
        out->begin[y + 1] = out->begin[y] + (degree < m ? degree : m);
    }
    return IP_OK;
}

void ip_hard_close(ip_hard *hard) {
    free(hard->begin);
    free(hard->cells);
    free(hard->cell);
    free(hard->count_z);
    free(hard->f_z);
    free(hard->gain);
    free(hard->members);
    free(hard->touched);
    free(hard->order);
    free(hard->labels);
    free(hard->is_touched);
    *hard = (ip_hard){0};
}

/* ---- the table of clusters ---- */

static void set_count(ip_hard *h, ip_cell *cell, uint64_t count) {
    cell->count = count;
    cell->f = nlogn(h->f, count);
    cell->step = nlogn(h->f, count + 1) - cell->f;
}

static void find_lightest(ip_hard *h) {
    h->lightest = 0;
    for (uint32_t z = 1; z < h->m; z++)
        if (h->count_z[z] < h->count_z[h->lightest]) h->lightest = z;
}

static void put(ip_hard *h, uint32_t y, uint32_t z, uint64_t count) {
    ip_cell *cell = h->cell + h->begin[y];
    uint32_t n = h->cells[y], i = 0;
    while (i < n && cell[i].z != z) i++;
    if (i == n) {
        cell[i] = (ip_cell){.z = z};
        h->cells[y] = n + 1;
    }
    set_count(h, &cell[i], cell[i].count + count);
}

static void take(ip_hard *h, uint32_t y, uint32_t z, uint64_t count) {
    ip_cell *cell = h->cell + h->begin[y];
    uint32_t i = 0;
    while (cell[i].z != z) i++;
    if (cell[i].count == count) {
        cell[i] = cell[--h->cells[y]];
    } else {
        set_count(h, &cell[i], cell[i].count - count);
    }
}

static void put_x(ip_hard *h, uint32_t x, uint32_t z) {
    const ip_joint *j = h->joint;
    h->members[z]++;
    h->count_z[z] += j->count_x[x];
    h->f_z[z] = nlogn(h->f, h->count_z[z]);
    if (z == h->lightest) find_lightest(h);
    for (size_t i = j->row[x]; i < j->row[x + 1]; i++) put(h, j->row_y[i], z, j->row_count[i]);
}

static void take_x(ip_hard *h, uint32_t x, uint32_t z) {
    const ip_joint *j = h->joint;
    h->members[z]--;
    h->count_z[z] -= j->count_x[x];
    h->f_z[z] = nlogn(h->f, h->count_z[z]);
    uint64_t least = h->count_z[h->lightest];
    if (h->count_z[z] < least || (h->count_z[z] == least && z < h->lightest)) h->lightest = z;
    for (size_t i = j->row[x]; i < j->row[x + 1]; i++) take(h, j->row_y[i], z, j->row_count[i]);
}

static void build(ip_hard *h, const uint32_t *labels) {
    memset(h->cells, 0, h->joint->ny * sizeof *h->cells);
    memset(h->count_z, 0, h->m * sizeof *h->count_z);
    memset(h->f_z, 0, h->m * sizeof *h->f_z);
    memset(h->members, 0, h->m * sizeof *h->members);
    h->lightest = h->m - 1; /* all are empty: nothing is searched until the last one is met */
    for (uint32_t x = 0; x < h->joint->nx; x++) put_x(h, x, labels[x]);
    find_lightest(h);
}

static ip_plane_point point_of(const ip_hard *h) {
    const ip_joint *j = h->joint;
    double cells = 0, marginal = 0, total = (double)j->total;
    for (uint32_t y = 0; y < j->ny; y++)
        for (uint32_t i = 0; i < h->cells[y]; i++) cells += h->cell[h->begin[y] + i].f;
    for (uint32_t z = 0; z < h->m; z++) marginal += h->f_z[z];
    return (ip_plane_point){ip_log(total) - marginal / total, (cells - marginal) / total + j->HY};
}

ip_plane_point ip_hard_evaluate(ip_hard *hard, const uint32_t *labels) {
    build(hard, labels);
    return point_of(hard);
}

/* ---- moves ---- */

/* A codeword gains by meeting a y of x again, beside what any codeword would. */
static inline uint32_t add_gain(ip_hard *h, uint32_t n, uint32_t z, double gain) {
    if (!h->is_touched[z]) {
        h->is_touched[z] = true;
        h->gain[z] = 0;
        h->touched[n++] = z;
    }
    h->gain[z] += gain;
    return n;
}

static uint32_t collect(ip_hard *h, uint32_t x) {
    const ip_joint *j = h->joint;
    uint32_t n = 0;
    for (size_t i = j->row[x]; i < j->row[x + 1]; i++) {
        uint32_t y = j->row_y[i];
        uint64_t c = j->row_count[i];
        const ip_cell *cell = h->cell + h->begin[y], *end = cell + h->cells[y];
        if (c == 1) {
            for (; cell < end; cell++) n = add_gain(h, n, cell->z, cell->step);
            continue;
        }
        double alone = nlogn(h->f, c);
        for (; cell < end; cell++) n = add_gain(h, n, cell->z, nlogn(h->f, cell->count + c) - cell->f - alone);
    }
    return n;
}

/* The best codeword for x, which is in none at the moment. Of the codewords that share no y with x the lightest is best. */
static uint32_t best_for(ip_hard *h, uint32_t x, uint32_t own, double weight, double margin) {
    uint64_t w = h->joint->count_x[x];
    uint32_t n = collect(h, x), others[2] = {own, h->lightest};
    for (unsigned i = 0; i < 2; i++) {
        if (h->is_touched[others[i]]) continue;
        h->is_touched[others[i]] = true;
        h->gain[others[i]] = 0;
        h->touched[n++] = others[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t z = h->touched[i];
        h->gain[z] -= weight * (nlogn(h->f, h->count_z[z] + w) - h->f_z[z]);
        h->is_touched[z] = false;
    }
    uint32_t best = own;
    double least = h->gain[own] + margin;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t z = h->touched[i];
        if (h->gain[z] > least || (h->gain[z] == least && z < best && best != own)) {
            best = z;
            least = h->gain[z];
        }
    }
    return best;
}

/* Lists lie anywhere: those of the x after next are asked for. */
static void ask_ahead(const ip_hard *h, uint32_t at) {
    const ip_joint *j = h->joint;
    if (at + 4 < j->nx) __builtin_prefetch(j->row_y + j->row[h->order[at + 4]]);
    if (at + 2 >= j->nx) return;
    uint32_t x = h->order[at + 2];
    size_t end = j->row[x + 1] - j->row[x] > 16 ? j->row[x] + 16 : j->row[x + 1];
    for (size_t i = j->row[x]; i < end; i++) {
        __builtin_prefetch(h->cells + j->row_y[i]);
        __builtin_prefetch(h->cell + h->begin[j->row_y[i]]);
    }
}

static void settle(ip_hard *h, uint32_t *labels, double inverse_beta, ip_draws *draws) {
    uint32_t nx = h->joint->nx;
    for (uint32_t i = 0; i < nx; i++) {
        uint32_t other = ip_draw_below(draws, i + 1);
        h->order[i] = h->order[other];
        h->order[other] = i;
    }
    build(h, labels);
    double margin = (double)h->joint->total * 1e-12, enough = (double)nx * 2e-4;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        uint32_t moved = 0;
        for (uint32_t i = 0; i < nx; i++) {
            uint32_t x = h->order[i], own = labels[x];
            ask_ahead(h, i);
            if (inverse_beta == 0 && h->members[own] == 1) continue;
            take_x(h, x, own);
            labels[x] = best_for(h, x, own, 1.0 - inverse_beta, margin);
            put_x(h, x, labels[x]);
            moved += labels[x] != own;
        }
        if ((double)moved <= enough) break;
    }
}

static double worth(ip_plane_point p, double inverse_beta) { return p.I_Y - inverse_beta * p.I_X; }

ip_plane_point ip_hard_search(ip_hard *h, uint32_t *labels, double inverse_beta, unsigned rounds, ip_draws *draws) {
    uint32_t nx = h->joint->nx;
    settle(h, labels, inverse_beta, draws);
    ip_plane_point best = point_of(h);
    for (unsigned round = 0; round < rounds; round++) {
        for (uint32_t x = 0; x < nx; x++)
            h->labels[x] = ip_draw_uniform(draws) < 0.1 ? ip_draw_below(draws, h->m) : labels[x];
        settle(h, h->labels, inverse_beta, draws);
        ip_plane_point now = point_of(h);
        if (worth(now, inverse_beta) > worth(best, inverse_beta)) {
            best = now;
            memcpy(labels, h->labels, nx * sizeof *labels);
        }
    }
    return best;
}

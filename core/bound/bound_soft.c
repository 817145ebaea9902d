/* Blahut-Arimoto over fixed chunks. */
#include "core/bound/bound_soft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/memory.h"
#include "core/numbers/philox.h"

enum { CHUNK = 128 };

static size_t chunks_of(size_t n) { return (n + CHUNK - 1) / CHUNK; }
static size_t chunk_end(size_t chunk, size_t n) { return (chunk + 1) * CHUNK < n ? (chunk + 1) * CHUNK : n; }
static size_t width_of(uint32_t m) { return ((size_t)m + IP_LANES - 1) / IP_LANES * IP_LANES; }

size_t ip_encoder_size(const ip_joint *joint, uint32_t m) { return joint->nx * width_of(m); }

size_t ip_soft_bound_bytes(const ip_joint *joint, uint32_t m) {
    return (joint->ny + chunks_of(joint->nx)) * width_of(m) * sizeof(double);
}

ip_status ip_soft_bound_open(ip_soft_bound *out, const ip_joint *joint, uint32_t m, const ip_kernels *kernels,
                             ip_pool *pool, ip_error *error) {
    *out = (ip_soft_bound){.joint = joint, .kernels = kernels, .pool = pool, .m = m, .width = width_of(m)};
    size_t most = joint->nx > joint->ny ? joint->nx : joint->ny;
    out->chunks = chunks_of(joint->nx);
    out->l = ip_big_alloc(joint->ny * out->width * sizeof(double));
    out->chunk_pz = ip_big_alloc(out->chunks * out->width * sizeof(double));
    out->chunk_sum = malloc(chunks_of(most) * sizeof(double));
    out->pz = ip_alloc64(3 * out->width * sizeof(double));
    out->scratch = ip_alloc64(ip_pool_threads(pool) * out->width * sizeof(double));
    out->iota = malloc(most * sizeof *out->iota);
    if (!out->l || !out->chunk_pz || !out->chunk_sum || !out->pz || !out->scratch || !out->iota) {
        ip_soft_bound_close(out);
        return ip_fail(error, IP_FAILED, "out of memory for encoders with %u codewords", m);
    }
    out->bias = out->pz + out->width;
    out->shift = out->bias + out->width;
    for (size_t i = 0; i < most; i++) out->iota[i] = (uint32_t)i;
    return IP_OK;
}

void ip_soft_bound_close(ip_soft_bound *s) {
    if (!s->joint) return;
    ip_big_free(s->l, s->joint->ny * s->width * sizeof(double));
    ip_big_free(s->chunk_pz, s->chunks * s->width * sizeof(double));
    free(s->chunk_sum);
    free(s->pz);
    free(s->scratch);
    free(s->iota);
    *s = (ip_soft_bound){0};
}

/* A small joint is one chunk: no thread is woken for it. */
static void run(ip_soft_bound *s, size_t tasks, ip_task task) {
    if (tasks > 1) {
        ip_pool_run(s->pool, tasks, task, s, NULL);
    } else {
        task(s, 0, 0, NULL);
    }
}

/* ---- p(z) ---- */

static ip_status marginal_task(void *context, size_t chunk, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    ip_soft_bound *s = context;
    size_t from = chunk * CHUNK, end = chunk_end(chunk, s->joint->nx);
    s->kernels->mix_f64(s->chunk_pz + chunk * s->width, s->q + from * s->width, s->width, s->iota, s->joint->px + from,
                        end - from);
    return IP_OK;
}

/* p(z) from its chunks, and with it what the two steps add and take off. */
static void gather_marginal(ip_soft_bound *s) {
    memcpy(s->pz, s->chunk_pz, s->width * sizeof(double));
    for (size_t c = 1; c < s->chunks; c++)
        for (size_t z = 0; z < s->width; z++) s->pz[z] += s->chunk_pz[c * s->width + z];
    memset(s->shift, 0, s->width * sizeof(double));
    s->kernels->log_f64(s->bias, s->pz, s->shift, s->width);
    for (size_t z = 0; z < s->width; z++) {
        s->shift[z] = z < s->m ? s->bias[z] : 0.0;
        if (z >= s->m) s->bias[z] = -1e300;
    }
}

/* ---- the steps ---- */

static void mix_y(ip_soft_bound *s, size_t y) {
    const ip_joint *j = s->joint;
    s->kernels->mix_f64(s->l + y * s->width, s->q, s->width, j->col_x + j->col[y], j->p_xy + j->col[y],
                        j->col[y + 1] - j->col[y]);
}

static ip_status decoder_task(void *context, size_t chunk, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    ip_soft_bound *s = context;
    for (size_t y = chunk * CHUNK; y < chunk_end(chunk, s->joint->ny); y++) {
        mix_y(s, y);
        s->kernels->log_f64(s->l + y * s->width, s->l + y * s->width, s->shift, s->width);
    }
    return IP_OK;
}

static ip_status encoder_task(void *context, size_t chunk, unsigned worker, ip_error *error) {
    ip_soft_bound *s = context;
    const ip_joint *j = s->joint;
    double sum = 0;
    for (size_t x = chunk * CHUNK; x < chunk_end(chunk, j->nx); x++) {
        double *q = s->q + x * s->width;
        s->kernels->mix_f64(q, s->l, s->width, j->row_y + j->row[x], j->p_yx + j->row[x], j->row[x + 1] - j->row[x]);
        sum -= j->px[x] * s->kernels->encode_f64(q, s->bias, s->beta, s->width);
    }
    s->chunk_sum[chunk] = sum;
    return marginal_task(context, chunk, worker, error);
}

static double sum_chunks(const ip_soft_bound *s, size_t n) {
    double sum = 0;
    for (size_t c = 0; c < n; c++) sum += s->chunk_sum[c];
    return sum;
}

ip_descent ip_encoder_descend(ip_soft_bound *s, double *q, double beta, unsigned most, double tolerance) {
    s->q = q;
    s->beta = beta;
    run(s, s->chunks, marginal_task);
    ip_descent d = {INFINITY, INFINITY, 0};
    while (d.steps < most) {
        gather_marginal(s);
        run(s, chunks_of(s->joint->ny), decoder_task);
        run(s, s->chunks, encoder_task);
        double now = sum_chunks(s, s->chunks) - beta * s->joint->HY;
        d.change = d.functional - now;
        d.functional = now;
        d.steps++;
        if (d.change < tolerance) break;
    }
    return d;
}

/* ---- where an encoder lies ---- */

/* sum of a log a over a row. */
static double row_information(ip_soft_bound *s, const double *row, unsigned worker) {
    double *log = s->scratch + worker * s->width, sum = 0;
    s->kernels->log_f64(log, row, s->shift, s->width);
    for (size_t z = 0; z < s->m; z++) sum += row[z] * log[z];
    return sum;
}

static ip_status encoder_information(void *context, size_t chunk, unsigned worker, ip_error *error) {
    (void)error;
    ip_soft_bound *s = context;
    double sum = 0;
    for (size_t x = chunk * CHUNK; x < chunk_end(chunk, s->joint->nx); x++)
        sum += s->joint->px[x] * row_information(s, s->q + x * s->width, worker);
    s->chunk_sum[chunk] = sum;
    return IP_OK;
}

static ip_status decoder_information(void *context, size_t chunk, unsigned worker, ip_error *error) {
    (void)error;
    ip_soft_bound *s = context;
    double sum = 0;
    for (size_t y = chunk * CHUNK; y < chunk_end(chunk, s->joint->ny); y++) {
        mix_y(s, y);
        sum += row_information(s, s->l + y * s->width, worker);
    }
    s->chunk_sum[chunk] = sum;
    return IP_OK;
}

/* Codewords with mass whose p(y|z) differ: told apart by the mean of fixed draws under p(y|z), l holding p(y, z). */
static uint64_t count_codewords(ip_soft_bound *s) {
    size_t ny = s->joint->ny;
    double *draws = malloc(ny * sizeof *draws), *mean = s->scratch;
    if (!draws) return 0;
    for (size_t y = 0; y < ny; y++) {
        uint32_t words[4];
        ip_philox((uint32_t[4]){(uint32_t)y, 0, 1, IP_DRAW_BOUND}, 0, words);
        draws[y] = (double)words[0] * 0x1p-32;
    }
    s->kernels->mix_f64(mean, s->l, s->width, s->iota, draws, ny);
    free(draws);
    uint64_t count = 0;
    for (size_t z = 0; z < s->m; z++) {
        if (s->pz[z] < 1e-9) continue;
        mean[z] /= s->pz[z];
        bool known = false;
        for (size_t other = 0; other < z && !known; other++)
            known = s->pz[other] >= 1e-9 && fabs(mean[other] - mean[z]) < 1e-7;
        count += !known;
    }
    return count;
}

ip_plane_point ip_encoder_evaluate(ip_soft_bound *s, double *q, uint64_t *codewords) {
    s->q = q;
    run(s, s->chunks, marginal_task);
    gather_marginal(s);
    memset(s->shift, 0, s->width * sizeof(double));
    run(s, s->chunks, encoder_information);
    double within = sum_chunks(s, s->chunks), marginal = row_information(s, s->pz, 0);
    run(s, chunks_of(s->joint->ny), decoder_information);
    double together = sum_chunks(s, chunks_of(s->joint->ny));
    *codewords = count_codewords(s);
    ip_plane_point p = {within - marginal, together + s->joint->HY - marginal};
    return (ip_plane_point){p.I_X > 0 ? p.I_X : 0, p.I_Y > 0 ? p.I_Y : 0};
}

static ip_status labels_task(void *context, size_t chunk, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    ip_soft_bound *s = context;
    for (size_t x = chunk * CHUNK; x < chunk_end(chunk, s->joint->nx); x++) {
        const double *q = s->q + x * s->width;
        uint32_t best = 0;
        for (uint32_t z = 1; z < s->m; z++)
            if (q[z] > q[best]) best = z;
        s->labels[x] = best;
    }
    return IP_OK;
}

void ip_encoder_labels(ip_soft_bound *s, double *q, uint32_t *labels) {
    s->q = q;
    s->labels = labels;
    run(s, s->chunks, labels_task);
}

void ip_encoder_soften(ip_soft_bound *s, double *q, const uint32_t *labels, double share) {
    double rest = (1.0 - share) / (double)s->m;
    for (size_t x = 0; x < s->joint->nx; x++) {
        double *row = q + x * s->width;
        for (size_t z = 0; z < s->width; z++) row[z] = z < s->m ? rest : 0.0;
        row[labels[x]] += share;
    }
}

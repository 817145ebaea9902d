/* Sums of replies and what is made of them. */
#include "core/preference/sides.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/numbers/permutation.h"
#include "core/numbers/philox.h"
#include "core/numbers/wide.h"

/* Replies that a task sums; positions that a task of the permuted null goes through. */
enum { REPLIES = 64, POSITIONS = 1 << 14 };

static size_t row_words(const ip_sides *s) { return s->blocks * IP_LANES; }

uint64_t ip_sides_bytes(size_t pairs, size_t bins, unsigned threads, uint64_t longest) {
    uint64_t row = (bins + IP_LANES - 1) / IP_LANES * IP_LANES * sizeof(uint64_t);
    return 2 * (uint64_t)pairs * (row + sizeof(uint64_t)) + longest * sizeof(uint32_t) +
           threads * (row + POSITIONS * sizeof(uint32_t));
}

ip_status ip_sides_open(ip_sides *out, uint64_t *base, size_t pairs, size_t bins, unsigned null, unsigned groups,
                        uint64_t seed, unsigned threads, ip_error *error) {
    *out = (ip_sides){.pairs = pairs, .base = base, .null = null, .groups = groups, .seed = seed, .threads = threads};
    out->end = 2 * pairs;
    out->blocks = (bins + IP_LANES - 1) / IP_LANES;
    for (size_t i = 0; i < 2 * pairs; i++)
        if (base[i + 1] - base[i] > out->longest) out->longest = base[i + 1] - base[i];
    out->identity = malloc((size_t)(out->longest + 1) * sizeof *out->identity);
    out->replies = ip_big_alloc(2 * pairs * row_words(out) * sizeof *out->replies);
    out->permuted = calloc((size_t)threads * row_words(out), sizeof *out->permuted);
    out->lists = malloc((size_t)threads * POSITIONS * sizeof *out->lists);
    if (!out->identity || !out->replies || !out->permuted || !out->lists)
        return ip_fail(error, IP_FAILED, "out of memory for the sums of %zu pairs", pairs);
    for (size_t i = 0; i < out->longest; i++) out->identity[i] = (uint32_t)i;
    return IP_OK;
}

void ip_sides_deal(ip_sides *s, const ip_ranks *ranks, const uint64_t *deal) {
    unsigned rank = ip_ranks_number(ranks);
    s->ranks = ranks;
    s->deal = deal;
    s->first = (size_t)deal[rank];
    s->end = (size_t)deal[rank + 1];
}

void ip_sides_close(ip_sides *s) {
    ip_big_free(s->replies, 2 * s->pairs * row_words(s) * sizeof *s->replies);
    free(s->identity);
    free(s->permuted);
    free(s->lists);
    free(s->base);
    memset(s, 0, sizeof *s);
}

typedef struct sides_job {
    ip_sides *sides;
    const ip_soft *soft;
    const ip_kernels *kernels;
    ip_sides_figures *out;
    const ip_permutation *permutation;
    const uint8_t *chosen; /* [positions]: whether it is a chosen reply's */
} sides_job;

static ip_status sum_replies(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const sides_job *job = context;
    ip_sides *s = job->sides;
    size_t first = s->first + task * REPLIES, end = s->end - first < REPLIES ? s->end : first + REPLIES;
    for (size_t i = first; i < end; i++) {
        uint64_t *sums = s->replies + i * row_words(s);
        memset(sums, 0, row_words(s) * sizeof *sums);
        for (size_t b = 0; b < s->blocks; b++) {
            const float *rows =
                job->soft->rows + (b * job->soft->positions + (size_t)(s->base[i] - s->base[s->first])) * IP_LANES;
            job->kernels->sum_gather(sums + b * IP_LANES, rows, s->identity, (size_t)(s->base[i + 1] - s->base[i]));
        }
    }
    return IP_OK;
}

/* n times the entropy of the mean of n positions whose sums these are, in units of 2^-32 nats. */
static void add_entropy(const sides_job *job, ip_wide *total, const uint64_t *sums, uint64_t n) {
    if (n == 0) return;
    for (size_t b = 0; b < job->sides->blocks; b++)
        ip_wide_add_product(total, n, (uint64_t)job->kernels->entropy_sums(sums + b * IP_LANES, n, IP_LANES));
}

/* H(Z) and I of two sides; the same roundings as ip_soft_conditional's. */
static void figures(const sides_job *job, const uint64_t *chosen, uint64_t n1, const uint64_t *rejected, uint64_t n0,
                    uint64_t *both, double *H, double *I) {
    *H = *I = NAN;
    if (n0 + n1 == 0) return;
    for (size_t j = 0; j < row_words(job->sides); j++) both[j] = chosen[j] + rejected[j];
    ip_wide whole = {0, 0}, conditional = {0, 0};
    add_entropy(job, &whole, both, n0 + n1);
    add_entropy(job, &conditional, chosen, n1);
    add_entropy(job, &conditional, rejected, n0);
    double n = (double)(n0 + n1);
    *H = ip_wide_double(whole) * 0x1p-32 / n;
    *I = *H - ip_wide_double(conditional) * 0x1p-32 / n;
}

/* Adds the replies of pair i to the two sides; turned: the other way round. */
static void add_pair(const ip_sides *s, size_t i, bool turned, uint64_t *sides[2], uint64_t n[2]) {
    for (size_t k = 0; k < 2; k++) {
        size_t to = turned ? 1 - k : k, reply = 2 * i + k;
        const uint64_t *sums = s->replies + reply * row_words(s);
        for (size_t j = 0; j < row_words(s); j++) sides[to][j] += sums[j];
        n[to] += s->base[reply + 1] - s->base[reply];
    }
}

bool ip_sides_turned(uint64_t seed, unsigned r, uint64_t pair) {
    uint32_t words[4];
    ip_philox((uint32_t[4]){(uint32_t)(pair / 128), r, 0, IP_DRAW_PAIRS}, seed, words);
    return words[pair / 32 % 4] >> pair % 32 & 1;
}

/* Task 0: the figures themselves; 1 .. null: turned pairs; behind them: without a group. */
static ip_status sum_sides(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    const sides_job *job = context;
    const ip_sides *s = job->sides;
    size_t words = row_words(s);
    uint64_t *work = calloc(3 * words, sizeof *work), n[2] = {0, 0};
    if (!work) return ip_fail(error, IP_FAILED, "out of memory for sums over pairs");
    uint64_t *sides[2] = {work, work + words};
    bool turns = task > 0 && task <= s->null;
    size_t group = task > s->null ? task - 1 - s->null : SIZE_MAX;
    for (size_t i = 0; i < s->pairs; i++) {
        if (group != SIZE_MAX && i % s->groups == group) continue;
        add_pair(s, i, turns && ip_sides_turned(s->seed, (unsigned)task - 1, i), sides, n);
    }
    double H, I;
    figures(job, sides[0], n[0], sides[1], n[1], work + 2 * words, &H, &I);
    if (task == 0) {
        job->out->H = H;
        job->out->I = I;
    } else if (turns) {
        job->out->swapped[task - 1] = I;
    } else {
        job->out->without_H[group] = H;
        job->out->without_I[group] = I;
    }
    free(work);
    return IP_OK;
}

/* The positions that a permutation sends to a chosen reply's. */
static ip_status sum_permuted(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    const sides_job *job = context;
    const ip_sides *s = job->sides;
    size_t positions = job->soft->positions, from = task * POSITIONS;
    size_t end = positions - from < POSITIONS ? positions : from + POSITIONS, n = 0;
    uint32_t *list = s->lists + (size_t)worker * POSITIONS;
    uint32_t before = (uint32_t)s->base[s->first]; /* positions of the ranks in front */
    for (size_t t = from; t < end; t++)
        if (job->chosen[ip_permutation_at(job->permutation, before + (uint32_t)t)]) list[n++] = (uint32_t)t;
    for (size_t b = 0; b < s->blocks; b++)
        job->kernels->sum_gather(s->permuted + worker * row_words(s) + b * IP_LANES,
                                 job->soft->rows + b * positions * IP_LANES, list, n);
    return IP_OK;
}

static ip_status estimate_permuted(sides_job *job, ip_pool *pool, ip_error *error) {
    ip_sides *s = job->sides;
    size_t own = job->soft->positions, positions = (size_t)s->base[2 * s->pairs], words = row_words(s);
    ip_permutation permutation = {0};
    uint8_t *chosen = malloc(positions);
    uint64_t *work = calloc(5 * words, sizeof *work), n[2] = {0, 0};
    ip_status status = ip_permutation_open(&permutation, (uint32_t)positions, error);
    if (status == IP_OK && (!chosen || !work)) status = ip_fail(error, IP_FAILED, "out of memory for permutations");
    uint64_t *sides[2] = {work, work + words}, *permuted = work + 2 * words, *rest = work + 3 * words,
             *both = work + 4 * words;
    for (size_t i = 0; status == IP_OK && i < s->pairs; i++) add_pair(s, i, false, sides, n);
    for (size_t i = 0; status == IP_OK && i < 2 * s->pairs; i++)
        memset(chosen + s->base[i], i % 2 == 0, (size_t)(s->base[i + 1] - s->base[i]));
    job->permutation = &permutation;
    job->chosen = chosen;
    for (unsigned r = 0; status == IP_OK && r < s->null; r++) {
        ip_permutation_key(&permutation, s->seed, r);
        memset(s->permuted, 0, s->threads * words * sizeof *s->permuted);
        status = ip_pool_run(pool, (own + POSITIONS - 1) / POSITIONS, sum_permuted, job, error);
        memset(permuted, 0, words * sizeof *permuted);
        for (unsigned w = 0; w < s->threads; w++)
            for (size_t j = 0; j < words; j++) permuted[j] += s->permuted[w * words + j];
        ip_ranks_sum(s->ranks, permuted, words);
        for (size_t j = 0; j < words; j++) rest[j] = sides[0][j] + sides[1][j] - permuted[j];
        double H;
        figures(job, permuted, n[0], rest, n[1], both, &H, &job->out->permuted[r]);
    }
    ip_permutation_close(&permutation);
    free(chosen);
    free(work);
    return status;
}

/* The sums of all replies to all ranks: what is made of them is little work, and every rank does it. */
static ip_status spread_replies(ip_sides *s, ip_error *error) {
    unsigned of = ip_ranks_count(s->ranks);
    if (of == 1) return IP_OK;
    uint64_t *borders = malloc((of + 1) * sizeof *borders);
    if (!borders) return ip_fail(error, IP_FAILED, "out of memory");
    for (unsigned r = 0; r <= of; r++) borders[r] = s->deal[r] * row_words(s) * sizeof *s->replies;
    ip_ranks_spread(s->ranks, s->replies, borders);
    free(borders);
    return IP_OK;
}

ip_status ip_sides_estimate(ip_sides *s, const ip_soft *soft, const ip_kernels *kernels, ip_pool *pool,
                            ip_sides_figures *out, ip_error *error) {
    sides_job job = {.sides = s, .soft = soft, .kernels = kernels, .out = out};
    ip_status status = ip_pool_run(pool, (s->end - s->first + REPLIES - 1) / REPLIES, sum_replies, &job, error);
    if (status == IP_OK) status = spread_replies(s, error);
    if (status == IP_OK) status = ip_pool_run(pool, 1 + (size_t)s->null + s->groups, sum_sides, &job, error);
    if (status == IP_OK && s->null > 0) status = estimate_permuted(&job, pool, error);
    return status;
}

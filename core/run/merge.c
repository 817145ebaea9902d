/* `merge`: shards of a run put together. Labels are counted anew from the shards' token ids; then layer by layer the
 * soft assignments of all shards are laid side by side, and everything else is what `analyze` does with them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/base/resident.h"
#include "core/bound/bound_ngrams.h"
#include "core/estimators/estimator.h"
#include "core/forward/loss.h"
#include "core/run/budget.h"
#include "core/run/run.h"
#include "core/run/shard.h"

typedef struct part {
    ip_shard_file file;
    ip_run *run; /* its description */
    ip_shard_part place;
    const float *rows;       /* of the layer at hand */
    uint64_t first_position; /* counted positions before it */
} part;

typedef struct merge {
    part *parts;
    size_t count;
    ip_session *session;
    ip_settings settings; /* the shards' estimates on this machine */
    ip_run *run;
    ip_estimator estimator;
    const char *scratch;
    const unsigned char **pieces; /* [ids]: where the record of an id stands; NULL: nowhere */
    size_t piece_count;
} merge;

/* ---- do they belong together ---- */

static ip_status foreign(const part *a, const part *b, const char *what, ip_error *error) {
    return ip_fail(error, IP_BAD_INPUT, "%s and %s are not of one run: %s differs", a->file.path, b->file.path, what);
}

static bool same_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static ip_status check_pair(const part *a, const part *b, ip_error *error) {
    const ip_run *x = a->run, *y = b->run;
    const ip_shard_part *p = &a->place, *q = &b->place;
    if (p->of != q->of) return foreign(a, b, "the number of shards", error);
    if (!same_text(x->model_fingerprint, y->model_fingerprint)) return foreign(a, b, "the model", error);
    if (!same_text(x->weights, y->weights)) return foreign(a, b, "--weights", error);
    if (!same_text(x->model_name, y->model_name)) return foreign(a, b, "--name", error);
    if (!same_text(x->family, y->family) || x->layers != y->layers || x->width != y->width ||
        x->vocabulary != y->vocabulary || x->parameters != y->parameters)
        return foreign(a, b, "the model", error);
    if (!same_text(x->compute, y->compute)) return foreign(a, b, "--compute", error);
    if (x->orders != y->orders || x->backoff != y->backoff || x->min_count != y->min_count ||
        x->count_at_positions != y->count_at_positions)
        return foreign(a, b, "--orders, --labels, --min-count or --count-at", error);
    if (!same_text(x->ids_fingerprint, y->ids_fingerprint) || x->documents != y->documents || x->tokens != y->tokens ||
        x->positions != y->positions || !same_text(x->text_fingerprint, y->text_fingerprint))
        return foreign(a, b, "the corpus", error);
    if (x->bins != y->bins || x->seed != y->seed || !same_text(x->anchors_fingerprint, y->anchors_fingerprint) ||
        !same_text(x->calibration, y->calibration) || !same_number(x->temperature, y->temperature))
        return foreign(a, b, "--bins, --seed, --anchors or --calibration", error);
    if (x->null != y->null || x->groups != y->groups || x->bootstrap != y->bootstrap || x->top != y->top)
        return foreign(a, b, "--null, --groups, --bootstrap or --top", error);
    if (p->lens != q->lens) return foreign(a, b, "--lens", error);
    if (p->bound != q->bound || !same_text(p->betas, q->betas) || !same_text(p->effort, q->effort))
        return foreign(a, b, "--bound, --beta or --effort", error);
    if (p->loss != q->loss || p->loss_end != q->loss_end) return foreign(a, b, "--loss or --loss-end", error);
    return IP_OK;
}

static int by_index(const void *a, const void *b) {
    const part *x = a, *y = b;
    if (x->place.index != y->place.index) return x->place.index < y->place.index ? -1 : 1;
    return strcmp(x->file.path, y->file.path);
}

/* A description that no shard of this program has. */
static bool is_odd(const part *p) {
    const ip_run *r = p->run;
    ip_shard_part planned = {.index = p->place.index, .of = p->place.of};
    ip_error unused;
    return r->layers > UINT32_MAX - 1 || r->bins < 2 || r->bins > 65536 || r->documents > UINT32_MAX ||
           r->tokens > IP_TOKENS_MAX || r->positions > UINT32_MAX ||
           ip_shard_plan(&planned, r->documents, &unused) != IP_OK ||
           planned.first_document != p->place.first_document || planned.documents != p->place.documents;
}

/* Opened, described, of one run, each once, none missing; in order. */
static ip_status open_parts(merge *m, const char *const *paths, size_t count, ip_error *error) {
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < count; i++) {
        part *p = &m->parts[i];
        status = ip_shard_open(&p->file, paths[i], error);
        m->count = i + 1;
        if (status == IP_OK) status = ip_shard_read_meta(&p->run, &p->place, &p->file, error);
        if (status == IP_OK && is_odd(p))
            status = ip_fail(error, IP_BAD_INPUT, "%s: its description contradicts itself", paths[i]);
        if (status == IP_OK && i > 0) status = check_pair(&m->parts[0], p, error);
    }
    if (status == IP_OK) {
        ip_settings asked = {
            .null = m->parts[0].run->null, .groups = m->parts[0].run->groups, .bootstrap = m->parts[0].run->bootstrap};
        if (ip_resampling_check(&asked, error) != IP_OK)
            return ip_fail(error, IP_BAD_INPUT, "%s: its description asks for what cannot be", paths[0]);
    }
    if (status != IP_OK) return status;
    qsort(m->parts, count, sizeof *m->parts, by_index);
    uint64_t of = m->parts[0].place.of, next = 1;
    for (size_t i = 0; i < count; i++, next++) {
        uint64_t index = m->parts[i].place.index;
        if (i > 0 && index == m->parts[i - 1].place.index)
            return ip_fail(error, IP_BAD_INPUT, "%s and %s are both shard %llu of %llu", m->parts[i - 1].file.path,
                           m->parts[i].file.path, (unsigned long long)index, (unsigned long long)of);
        if (index != next) break;
    }
    if (next <= of)
        return ip_fail(error, IP_BAD_INPUT, "shard %llu of %llu is missing: make it with analyze --shard %llu/%llu",
                       (unsigned long long)next, (unsigned long long)of, (unsigned long long)next,
                       (unsigned long long)of);
    return IP_OK;
}

/* ---- the corpus back ---- */

static ip_status read_ids(merge *m, ip_error *error) {
    ip_corpus *corpus = &m->session->corpus;
    const ip_run *run = m->run;
    corpus->ids = malloc(((size_t)run->tokens + 1) * sizeof *corpus->ids);
    corpus->offsets = calloc((size_t)run->documents + 1, sizeof *corpus->offsets);
    ip_hash128_stream *hash = ip_hash128_new();
    ip_status status =
        corpus->ids && corpus->offsets && hash
            ? IP_OK
            : ip_fail(error, IP_FAILED, "out of memory for the ids of %llu tokens", (unsigned long long)run->tokens);
    for (size_t i = 0; status == IP_OK && i < m->count; i++) {
        const part *p = &m->parts[i];
        const unsigned char *lengths, *ids;
        uint64_t tokens = 0;
        status = ip_shard_section(&p->file, IP_SECTION_LENGTHS, 0, p->place.documents * sizeof(uint32_t), &lengths,
                                  NULL, error);
        if (status == IP_OK)
            status =
                ip_shard_section(&p->file, IP_SECTION_IDS, 0, p->place.tokens * sizeof(int32_t), &ids, NULL, error);
        for (uint64_t d = 0; status == IP_OK && d < p->place.documents; d++) {
            uint32_t n = ((const uint32_t *)(const void *)lengths)[d];
            if (n > p->place.tokens - tokens || n > run->tokens - corpus->tokens) {
                status = ip_fail(error, IP_BAD_INPUT, "%s: its documents are longer than it says", p->file.path);
                break;
            }
            const int32_t *from = (const int32_t *)(const void *)ids + tokens;
            for (uint32_t t = 0; status == IP_OK && t < n; t++) {
                if (from[t] < 0 || (uint64_t)from[t] >= run->vocabulary || from[t] >= (1 << 23) - 1)
                    status = ip_fail(error, IP_BAD_INPUT, "%s: holds an id outside of the vocabulary", p->file.path);
            }
            memcpy(corpus->ids + corpus->tokens, from, n * sizeof *from);
            uint64_t length = n;
            ip_hash128_update(hash, &length, sizeof length);
            ip_hash128_update(hash, from, n * sizeof *from);
            tokens += n;
            corpus->tokens += n;
            corpus->offsets[++corpus->documents] = corpus->tokens;
        }
        if (status == IP_OK && tokens != p->place.tokens)
            status = ip_fail(error, IP_BAD_INPUT, "%s: its documents are shorter than it says", p->file.path);
    }
    if (status == IP_OK) {
        ip_hash128_hex(hash, corpus->ids_fingerprint);
        if (!same_text(corpus->ids_fingerprint, run->ids_fingerprint) || corpus->tokens != run->tokens ||
            corpus->documents != run->documents)
            status = ip_fail(error, IP_BAD_INPUT, "%s: the ids of all shards are not those of the corpus it names",
                             m->parts[0].file.path);
    }
    ip_hash128_free(hash);
    return status;
}

/* Where each id's bytes stand. */
static ip_status read_pieces(merge *m, ip_error *error) {
    const ip_corpus *corpus = &m->session->corpus;
    for (uint64_t i = 0; i < corpus->tokens; i++) {
        if ((size_t)corpus->ids[i] >= m->piece_count) m->piece_count = (size_t)corpus->ids[i] + 1;
    }
    m->pieces = calloc(m->piece_count + 1, sizeof *m->pieces);
    if (!m->pieces) return ip_fail(error, IP_FAILED, "out of memory for the pieces of tokens");
    for (size_t p = 0; p < m->count; p++) {
        const ip_shard_file *file = &m->parts[p].file;
        const unsigned char *at;
        uint64_t left;
        ip_status status = ip_shard_section(file, IP_SECTION_PIECES, 0, UINT64_MAX, &at, &left, error);
        if (status != IP_OK) return status;
        while (left > 0) {
            uint32_t head[2] = {0, 0};
            if (left >= sizeof head) memcpy(head, at, sizeof head);
            if (left < sizeof head || head[1] > left - sizeof head || head[0] >= m->piece_count)
                return ip_fail(error, IP_BAD_INPUT, "%s: its pieces of tokens are not whole", file->path);
            m->pieces[head[0]] = at;
            at += sizeof head + head[1];
            left -= sizeof head + head[1];
        }
    }
    return IP_OK;
}

static ip_bytes piece_of(const void *context, int32_t id) {
    const merge *m = context;
    const unsigned char *at = (size_t)id < m->piece_count ? m->pieces[id] : NULL;
    uint32_t size;
    if (!at) return (ip_bytes){NULL, 0};
    memcpy(&size, at + sizeof(uint32_t), sizeof size);
    return (ip_bytes){(const void *)(at + 2 * sizeof(uint32_t)), size};
}

/* ---- layers ---- */

enum { CHUNK = 64 };

typedef struct fill_job {
    merge *merge;
    const part *part;
    size_t layer, stride;
    float *rows; /* [threads][CHUNK][stride] */
} fill_job;

static ip_status fill_chunk(void *context, size_t task, unsigned worker, ip_error *error) {
    const fill_job *job = context;
    const part *p = job->part;
    ip_soft *soft = &job->merge->estimator.soft;
    size_t positions = (size_t)p->place.positions, first = task * CHUNK;
    size_t n = positions - first < CHUNK ? positions - first : CHUNK;
    float *rows = job->rows + (size_t)worker * CHUNK * job->stride;
    bool good = true;
    for (size_t b = 0; b < soft->blocks; b++) {
        const float *from = p->rows + (b * positions + first) * IP_LANES;
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < IP_LANES; j++) {
                float x = from[i * IP_LANES + j];
                good = good && x >= 0.0f && x <= 1.0f;
                rows[i * job->stride + b * IP_LANES + j] = x;
            }
        }
    }
    if (!good)
        return ip_fail(error, IP_BAD_INPUT, "%s: layer %zu holds what is no share of an anchor", p->file.path,
                       job->layer);
    return ip_soft_put(soft, job->merge->session->kernels, (size_t)p->first_position + first, rows, n, error);
}

static ip_status fill_layer(merge *m, size_t layer, float *rows, ip_error *error) {
    ip_soft *soft = &m->estimator.soft;
    ip_session_stage(m->session, "state", 0, "");
    ip_status status = IP_OK;
    for (size_t i = 0; status == IP_OK && i < m->count; i++) {
        part *p = &m->parts[i];
        const unsigned char *data;
        size_t positions = (size_t)p->place.positions;
        uint64_t size = (uint64_t)positions * soft->blocks * IP_LANES * sizeof(float);
        status = ip_shard_section(&p->file, IP_SECTION_LAYER, (uint32_t)layer, size, &data, NULL, error);
        p->rows = (const float *)(const void *)data;
        fill_job job = {m, p, layer, soft->blocks * IP_LANES, rows};
        if (status == IP_OK)
            status = ip_pool_run(m->session->pool, (positions + CHUNK - 1) / CHUNK, fill_chunk, &job, error);
    }
    return status;
}

/* The shards' sums; those of the tokens must be as many as the corpus has. */
static ip_status merge_lens(merge *m, size_t layer, ip_error *error) {
    ip_lens_sums all = {0};
    for (size_t i = 0; i < m->count; i++) {
        const part *p = &m->parts[i];
        const unsigned char *data;
        ip_lens_sums sums;
        ip_status status =
            ip_shard_section(&p->file, IP_SECTION_LENS, (uint32_t)layer, sizeof sums, &data, NULL, error);
        if (status != IP_OK) return status;
        memcpy(&sums, data, sizeof sums);
        if (sums.of[4].high != 0 || sums.of[4].low > p->place.tokens)
            return ip_fail(error, IP_BAD_INPUT, "%s: layer %zu holds the lens of more tokens than there are",
                           p->file.path, layer);
        for (size_t k = 0; k < IP_LENS_SUMS; k++) ip_wide_add(&all.of[k], sums.of[k]);
    }
    ip_layer_result *result = &m->run->layer[layer];
    ip_lens_means(&all, &result->lens, &result->lens_entropy);
    return IP_OK;
}

static ip_status run_layers(merge *m, ip_error *error) {
    size_t threads = ip_pool_threads(m->session->pool);
    float *rows = malloc(threads * CHUNK * m->estimator.soft.blocks * IP_LANES * sizeof *rows);
    ip_status status = rows ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    for (size_t layer = 0; status == IP_OK && layer <= m->run->layers; layer++) {
        status = fill_layer(m, layer, rows, error);
        if (status == IP_OK) status = ip_estimator_layer(&m->estimator, layer, error);
        if (status == IP_OK && m->run->has_lens) status = merge_lens(m, layer, error);
        if (status == IP_OK) status = ip_session_advance(m->session, 0, error);
    }
    free(rows);
    return status;
}

static ip_status merge_losses(merge *m, ip_error *error) {
    const ip_corpus *corpus = &m->session->corpus;
    double *losses = ip_big_alloc((size_t)corpus->tokens * sizeof *losses);
    ip_status status = losses ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the losses");
    uint64_t at = 0;
    for (size_t i = 0; status == IP_OK && i < m->count; i++) {
        const part *p = &m->parts[i];
        const unsigned char *data;
        status = ip_shard_section(&p->file, IP_SECTION_LOSSES, 0, p->place.tokens * sizeof(double), &data, NULL, error);
        if (status != IP_OK) break;
        memcpy(losses + at, data, (size_t)p->place.tokens * sizeof *losses);
        for (uint64_t t = 0; status == IP_OK && t < p->place.tokens; t++, at++) {
            if (!(fabs(losses[at]) < 1e6))
                status = ip_fail(error, IP_BAD_INPUT, "%s: holds what is no loss", p->file.path);
        }
    }
    m->run->has_loss = true;
    m->run->has_end = m->parts[0].place.loss_end >= 0;
    if (status == IP_OK)
        status =
            ip_loss_sum(corpus, losses, m->run->has_end, &m->run->token_loss, &m->run->loss, &m->run->loss_end, error);
    ip_big_free(losses, (size_t)corpus->tokens * sizeof(double));
    if (status == IP_OK && ip_run_note_losses(m->run, corpus) != IP_OK)
        status = ip_fail(error, IP_FAILED, "out of memory for the losses");
    return status;
}

/* ---- the whole ---- */

/* Room for the soft assignments of a layer: in memory if the bound allows it. */
static ip_status open_soft(merge *m, ip_error *error) {
    const ip_session *session = m->session;
    size_t bins = (size_t)m->run->bins, positions = (size_t)m->run->positions;
    uint64_t fixed, counting, held = ip_resident_anonymous();
    if (ip_corpus_positions(&session->corpus, m->run->orders) != m->run->positions)
        return ip_fail(error, IP_BAD_INPUT, "%s: the corpus has other counted positions than it says",
                       m->parts[0].file.path);
    ip_status status =
        ip_estimator_bytes(&fixed, &counting, session, bins, (size_t)m->run->width, (size_t)m->run->layers, error);
    if (status != IP_OK) return status;
    uint64_t least = held + (fixed > counting ? fixed : counting) + ((uint64_t)8 << 20);
    if (m->parts[0].place.loss) least += m->session->corpus.tokens * (sizeof(double) + sizeof(float));
    if (least > session->memory_bound)
        return ip_fail(error, IP_FAILED, "--memory %.1fM is too small: this merge needs %.1fM",
                       (double)session->memory_bound / 0x1p20, (double)least / 0x1p20);
    bool spill = ip_soft_bytes(positions, bins, 0) > session->memory_bound - least;
    status = ip_estimator_open(&m->estimator, m->session, m->run, (size_t)m->run->layers, error);
    return status == IP_OK ? ip_soft_open(&m->estimator.soft, positions, bins, spill ? m->scratch : NULL, error)
                           : status;
}

/* Counted positions of each part, from the lengths of its documents. */
static ip_status place_parts(merge *m, ip_error *error) {
    const uint64_t *base = m->estimator.position_base;
    for (size_t i = 0; i < m->count; i++) {
        part *p = &m->parts[i];
        p->first_position = base[p->place.first_document];
        uint64_t positions = base[p->place.first_document + p->place.documents] - p->first_position;
        if (positions != p->place.positions)
            return ip_fail(error, IP_BAD_INPUT, "%s: counts %llu positions where its documents have %llu", p->file.path,
                           (unsigned long long)p->place.positions, (unsigned long long)positions);
    }
    return IP_OK;
}

static ip_status run_merge(merge *m, ip_error *error) {
    ip_status status = read_ids(m, error);
    if (status == IP_OK && m->settings.top > 0) status = read_pieces(m, error);
    if (status == IP_OK) status = open_soft(m, error);
    if (status == IP_OK) status = place_parts(m, error);
    const ip_settings *s = &m->settings;
    if (status == IP_OK && s->bound)
        status = ip_bound_of_orders(m->run->bound, m->estimator.x, m->estimator.y, s->orders, m->run->bins, m->session,
                                    error);
    if (status == IP_OK) status = run_layers(m, error);
    ip_pieces pieces = {piece_of, m};
    if (status == IP_OK) status = ip_estimator_finish(&m->estimator, &pieces, error);
    if (status == IP_OK && m->parts[0].place.loss) status = merge_losses(m, error);
    ip_session_end(m->session);
    if (status == IP_OK) ip_run_describe_machine(m->run, m->session); /* of the first shard but for that */
    return status;
}

ip_status ip_merge(ip_run **out, const char *const *states, size_t count, const ip_settings *settings,
                   const char *scratch_default, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    memset(&session, 0, sizeof session);
    merge m = {.session = &session,
               .settings = *settings,
               .scratch = ip_scratch_folder(settings, scratch_default),
               .estimator = {.soft = {.scratch = {.fd = -1}}}};
    m.parts = calloc(count + 1, sizeof *m.parts);
    if (!m.parts) return ip_fail(error, IP_FAILED, "out of memory for %zu shards", count);
    ip_status status = open_parts(&m, states, count, error);
    if (status == IP_OK) {
        ip_run *run = m.run = m.parts[0].run;
        ip_settings *s = &m.settings;
        m.parts[0].run = NULL;
        s->orders = run->orders;
        s->backoff = run->backoff;
        s->min_count = run->min_count;
        s->count_at_positions = run->count_at_positions;
        s->seed = run->seed;
        s->null = run->null;
        s->groups = run->groups;
        s->bootstrap = run->bootstrap;
        s->top = run->top;
        const ip_shard_part *place = &m.parts[0].place;
        run->has_lens = place->lens;
        s->bound = place->bound;
        s->bound_effort = place->effort;
        s->bound_betas = place->betas[0] ? place->betas : NULL;
        if (s->bound) status = ip_bound_check(s, error);
        if (status != IP_OK)
            status = ip_fail(error, IP_BAD_INPUT, "%s: its description asks for what cannot be", m.parts[0].file.path);
        if (status == IP_OK) status = ip_session_open(&session, s, host, error);
        if (status == IP_OK) status = run_merge(&m, error);
        ip_estimator_close(&m.estimator);
        status = ip_session_close(&session, status, error);
    }
    for (size_t i = 0; i < m.count; i++) {
        ip_run_free(m.parts[i].run);
        ip_shard_close(&m.parts[i].file);
    }
    free(m.parts);
    free(m.pieces);
    if (status == IP_OK) {
        *out = m.run;
    } else {
        ip_run_free(m.run);
    }
    return status;
}

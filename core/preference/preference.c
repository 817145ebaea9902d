/* I(Z; preference): pairs into sequences, the sequences layer by layer, the counted positions into soft assignments,
 * and their information about the side they stand on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/estimators/anchors.h"
#include "core/estimators/soft.h"
#include "core/forward/layers.h"
#include "core/infoplane.h"
#include "core/numbers/jackknife.h"
#include "core/preference/pairs_tokens.h"
#include "core/preference/sides.h"
#include "core/run/budget.h"
#include "core/run/run.h"

typedef struct measurement {
    ip_session *session;
    ip_preference *out;
    const char *scratch;
    ip_calibration calibration;
    ip_pairs pairs;
    ip_reply *counted; /* positions of each sequence that count */
    ip_tiling tiling;
    ip_budget budget;
    ip_sides sides;
    ip_anchors anchors;
    ip_soft soft;
    ip_forward forward;
    ip_store store;
    float *buffers;
    size_t buffer_bytes;
    char *assign; /* per worker: scratch of ip_anchors_assign, then rows of p */
    size_t assign_bytes, p_offset;
    double *draws; /* [layers + 1][2][null]: turned round, permuted */
} measurement;

/* ---- pairs into sequences ---- */

static ip_status pair_done(void *context, uint64_t pairs, ip_error *error) {
    return ip_session_advance(context, pairs, error);
}

static ip_status name_file(ip_corpus *corpus, const ip_pairs *pairs, const char *path, ip_error *error) {
    corpus->files = calloc(1, sizeof *corpus->files);
    if (corpus->files) corpus->files[0].path = strdup(path);
    if (!corpus->files || !corpus->files[0].path) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    corpus->file_count = 1;
    memcpy(corpus->files[0].fingerprint, pairs->fingerprint, sizeof pairs->fingerprint);
    return IP_OK;
}

static ip_status read_pairs(measurement *m, const char *path, ip_error *error) {
    ip_session *session = m->session;
    const ip_settings *s = session->settings;
    ip_tokenizer *tokenizer = NULL;
    ip_chat *chat = NULL;
    ip_session_stage(session, "pairs", 0, "");
    ip_status status = ip_session_tokenizer(session, &tokenizer, error);
    if (status == IP_OK && s->chat) status = ip_chat_open(&chat, ip_model_checkpoint(session->model), tokenizer, error);
    if (status == IP_OK) status = ip_pairs_read(&m->pairs, path, s->documents, error);
    ip_session_stage(session, "tokens", m->pairs.count, "pairs");
    ip_pair_options options = {(size_t)s->max_tokens, s->add_special, s->parse_special, chat};
    if (status == IP_OK)
        status = ip_pairs_tokenize(&session->corpus, &m->counted, &m->pairs, path, &options, tokenizer, session->pool,
                                   pair_done, session, error);
    if (status == IP_OK) status = name_file(&session->corpus, &m->pairs, path, error);
    m->out->pairs = m->pairs.count;
    if (status == IP_OK && chat) m->out->chat = strdup(ip_chat_name(chat));
    ip_chat_free(chat);
    ip_tokenizer_free(tokenizer);
    return status;
}

/* Replies that leave nothing to count are told apart and reported. */
static void report_empty(measurement *m, const char *path) {
    const ip_corpus *corpus = &m->session->corpus;
    uint64_t first = 0;
    for (size_t i = 0; i < corpus->documents; i++) {
        if (m->counted[i].first < m->counted[i].stop) continue;
        uint64_t most = m->session->settings->max_tokens;
        bool cut = most > 0 && corpus->offsets[i + 1] - corpus->offsets[i] >= most;
        *(cut ? &m->out->cut : &m->out->empty) += 1;
        if (first == 0) first = m->pairs.items[i / 2].record;
    }
    if (m->out->empty + m->out->cut > 0)
        ip_session_warn(m->session,
                        "%s: %llu of %zu replies have no token to count: %llu are empty, %llu lie behind the first "
                        "%llu tokens (the first one: record %llu)",
                        path, (unsigned long long)(m->out->empty + m->out->cut), corpus->documents,
                        (unsigned long long)m->out->empty, (unsigned long long)m->out->cut,
                        (unsigned long long)m->session->settings->max_tokens, (unsigned long long)first);
}

/* Narrows or widens each reply to what counts, and says where its positions lie among all counted ones. */
static ip_status count_positions(measurement *m, const char *path, ip_error *error) {
    const ip_corpus *corpus = &m->session->corpus;
    const char *which = m->out->positions;
    uint64_t *base = malloc((corpus->documents + 1) * sizeof *base);
    if (!base) return ip_fail(error, IP_FAILED, "out of memory");
    base[0] = 0;
    report_empty(m, path);
    for (size_t i = 0; i < corpus->documents; i++) {
        ip_reply *r = &m->counted[i];
        if (strcmp(which, "all") == 0) *r = (ip_reply){0, (uint32_t)(corpus->offsets[i + 1] - corpus->offsets[i])};
        if (strcmp(which, "last") == 0 && r->first < r->stop) r->first = r->stop - 1;
        base[i + 1] = base[i] + r->stop - r->first;
        *(i % 2 == 0 ? &m->out->chosen : &m->out->rejected) += r->stop - r->first;
    }
    uint64_t positions = base[corpus->documents];
    ip_status status = IP_OK;
    if (positions == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: no reply has a token to count", path);
    else if (positions > UINT32_MAX)
        status = ip_fail(error, IP_FAILED, "%llu positions are more than one run counts: use --documents",
                         (unsigned long long)positions);
    if (status != IP_OK) {
        free(base);
        return status;
    }
    const ip_settings *s = m->session->settings;
    unsigned groups = (uint64_t)s->groups < m->out->pairs ? s->groups : (unsigned)m->out->pairs;
    if (groups < 2) groups = 0;
    m->out->run->null = s->null;
    m->out->run->groups = groups;
    return ip_sides_open(&m->sides, base, m->pairs.count, m->anchors.m, s->null, groups, s->seed,
                         ip_pool_threads(m->session->pool), error);
}

/* ---- per tile: counted positions are assigned ---- */

static ip_status assign_segment(measurement *m, size_t layer, unsigned worker, const ip_segment *s, const float *h,
                                ip_error *error) {
    const ip_kernels *kernels = m->session->kernels;
    size_t reply = m->sides.first + s->document;
    ip_reply counted = m->counted[reply];
    uint32_t end = s->position + s->rows;
    uint32_t first = s->position > counted.first ? s->position : counted.first;
    uint32_t last = end < counted.stop ? end : counted.stop;
    if (first >= last) return IP_OK;
    char *work = m->assign + worker * m->assign_bytes;
    float *p = (float *)(void *)(work + m->p_offset);
    size_t bad_row, width = m->forward.plan->width;
    int bad_kind;
    if (!ip_anchors_assign(&m->anchors, kernels, h + (first - s->position) * width, last - first, p, work, &bad_row,
                           &bad_kind))
        return ip_fail(error, IP_FAILED, "layer %zu, record %llu, %s, position %zu: the hidden state is %s", layer,
                       (unsigned long long)m->pairs.items[reply / 2].record, reply % 2 == 0 ? "chosen" : "rejected",
                       first + bad_row, bad_kind == 1 ? "all zero: it has no direction" : "not finite");
    uint64_t position = m->sides.base[reply] - m->sides.base[m->sides.first] + first - counted.first;
    return ip_soft_put(&m->soft, kernels, (size_t)position, p, last - first, error);
}

static ip_status assign_tile(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                             ip_error *error) {
    measurement *m = context;
    const ip_segment *segments = m->tiling.segments + tile->first_segment;
    ip_status status = IP_OK;
    for (uint32_t i = 0; status == IP_OK && i < tile->segments; i++) {
        status = assign_segment(m, layer, worker, &segments[i], h, error);
        h += (size_t)segments[i].rows * m->forward.plan->width;
    }
    return status;
}

/* ---- per layer ---- */

static ip_null_figures null_figures(const double *draws, unsigned n, double figure) {
    ip_null_figures out = {NAN, NAN, NAN};
    if (n == 0) return out;
    double sum = 0.0, squares = 0.0;
    unsigned reached = 0;
    for (unsigned r = 0; r < n; r++) {
        sum += draws[r];
        reached += draws[r] >= figure;
    }
    out.mean = sum / n;
    for (unsigned r = 0; r < n; r++) squares += (draws[r] - out.mean) * (draws[r] - out.mean);
    if (n > 1) out.sd = sqrt(squares / (n - 1));
    out.p = (1.0 + reached) / (1.0 + n);
    return out;
}

/* From figures and draws to a row. */
static void settle(const measurement *m, ip_preference_layer *row, double H, double I, const double *draws,
                   const double *without_I) {
    unsigned null = m->sides.null;
    row->H = H;
    row->I = ip_estimate_plain(I, (m->out->chosen > 0) + (uint64_t)(m->out->rejected > 0));
    row->swapped = null_figures(draws, null, I);
    row->permuted = null_figures(draws + null, null, I);
    row->I.null = row->swapped.mean;
    ip_estimate_set_interval(&row->I, without_I, m->sides.groups);
}

static ip_status estimate_layer(void *context, size_t layer, ip_error *error) {
    measurement *m = context;
    size_t groups = m->sides.groups, null = m->sides.null;
    ip_session_stage(m->session, "estimate", 0, "");
    double *draws = m->draws + layer * 2 * null, *without = m->out->without + layer * 2 * groups;
    ip_sides_figures figures = {
        .swapped = draws, .permuted = draws + null, .without_H = without, .without_I = without + groups};
    ip_status status = ip_sides_estimate(&m->sides, &m->soft, m->session->kernels, m->session->pool, &figures, error);
    if (status == IP_OK) settle(m, &m->out->layer[layer], figures.H, figures.I, draws, figures.without_I);
    return status;
}

/* Means over layers 1 .. L, draw by draw and group by group. */
static ip_status average(measurement *m, ip_error *error) {
    size_t layers = (size_t)m->out->run->layers, groups = m->sides.groups, draws = 2 * (size_t)m->sides.null;
    double *mean = calloc(draws + groups + 1, sizeof *mean), H = 0.0, I = 0.0;
    if (!mean) return ip_fail(error, IP_FAILED, "out of memory");
    for (size_t l = 1; l <= layers; l++) {
        H += m->out->layer[l].H / (double)layers;
        I += m->out->layer[l].I.I / (double)layers;
        for (size_t r = 0; r < draws; r++) mean[r] += m->draws[l * draws + r] / (double)layers;
        for (size_t g = 0; g < groups; g++)
            mean[draws + g] += m->out->without[(2 * l + 1) * groups + g] / (double)layers;
    }
    settle(m, &m->out->mean, H, I, mean, mean + draws);
    free(mean);
    return IP_OK;
}

/* ---- preparing ---- */

static ip_status check_settings(measurement *m, ip_error *error) {
    const ip_settings *s = m->session->settings;
    static const char *const positions[] = {"completion", "all", "last"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(s->positions, positions[i]) == 0) m->out->positions = positions[i];
    if (!m->out->positions)
        return ip_fail(error, IP_USAGE, "--positions %s: there are completion, all and last", s->positions);
    if (!ip_calibration_by_name(&m->calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    if (s->bins < 2 || s->bins > 65536) return ip_fail(error, IP_USAGE, "--bins: 2 to 65536");
    if (s->groups > IP_MAX_GROUPS) return ip_fail(error, IP_USAGE, "--groups %u: at most %d", s->groups, IP_MAX_GROUPS);
    if (s->chat && !s->parse_special)
        return ip_fail(error, IP_USAGE,
                       "--chat needs the special tokens of the template: leave out --no-parse-special");
    return IP_OK;
}

/* Counted positions of this rank's replies. */
static uint64_t own_positions(const measurement *m) {
    return m->sides.base[m->sides.end] - m->sides.base[m->sides.first];
}

static ip_status allocate(measurement *m, ip_error *error) {
    ip_session *session = m->session;
    const ip_plan *plan = ip_model_plan(session->model);
    unsigned threads = ip_pool_threads(session->pool);
    size_t stride = (m->anchors.m + IP_LANES - 1) / IP_LANES * IP_LANES, rows = plan->layers + 1;
    m->out->layer = calloc(rows, sizeof *m->out->layer);
    m->out->without = calloc(rows * 2 * m->sides.groups + 1, sizeof *m->out->without);
    m->draws = calloc(rows * 2 * m->sides.null + 1, sizeof *m->draws);
    m->p_offset = (ip_assign_bytes(session->kernels, &m->anchors, IP_TILE_ROWS) + 63) & ~(size_t)63;
    m->assign_bytes = m->p_offset + (IP_TILE_ROWS + IP_TILE_MAX) * stride * sizeof(float);
    m->assign = ip_big_alloc(m->assign_bytes * threads);
    if (!m->assign || !m->out->layer || !m->out->without || !m->draws)
        return ip_fail(error, IP_FAILED, "out of memory for the assignments");
    ip_status status = ip_soft_open(&m->soft, (size_t)own_positions(m), m->anchors.m,
                                    m->budget.soft_spilled ? m->scratch : NULL, error);
    if (status == IP_OK)
        status = ip_forward_open(&m->forward, session->model, session->kernels, session->compute, &m->tiling,
                                 m->budget.ahead, session->pool, error);
    if (status == IP_OK)
        status =
            ip_store_open(&m->store, session->corpus.tokens, plan->width, m->budget.resident_rows, m->scratch, error);
    if (status == IP_OK && m->budget.resident_rows < session->corpus.tokens) {
        m->buffer_bytes = (size_t)threads * IP_TILE_ROWS * plan->width * sizeof(float);
        m->buffers = ip_big_alloc(m->buffer_bytes);
        if (!m->buffers) status = ip_fail(error, IP_FAILED, "out of memory for the buffers of the scratch file");
    }
    if (status == IP_OK && (m->store.scratch.ram_disk || m->soft.scratch.ram_disk))
        ip_session_warn(session, "%s is kept in memory: scratch files there save nothing (see --scratch)", m->scratch);
    return status;
}

static void release(measurement *m) {
    ip_sides_close(&m->sides);
    ip_pairs_free(&m->pairs);
    free(m->counted);
    free(m->draws);
    ip_anchors_free(&m->anchors);
    ip_soft_close(&m->soft);
    ip_forward_close(&m->forward);
    ip_store_close(&m->store);
    ip_big_free(m->buffers, m->buffer_bytes);
    ip_big_free(m->assign, m->assign_bytes * (m->session->pool ? ip_pool_threads(m->session->pool) : 0));
    ip_tiling_free(&m->tiling);
}

static ip_status prepare(measurement *m, const char *model, const char *pairs, ip_error *error) {
    ip_session *session = m->session;
    const ip_settings *s = session->settings;
    ip_status status = ip_session_model(session, model, error);
    if (status != IP_OK) return status;
    const ip_plan *plan = ip_model_plan(session->model);
    status = ip_anchors_make(&m->anchors, plan->width, (size_t)s->bins, s->seed, s->anchors, m->calibration,
                             session->kernels, error);
    if (status == IP_OK) status = read_pairs(m, pairs, error);
    if (status == IP_OK) status = count_positions(m, pairs, error);
    if (status == IP_OK) status = ip_session_deal(session, 2, error); /* a pair stays together */
    if (status == IP_OK) status = ip_tiling_make(&m->tiling, &session->corpus, error);
    if (status != IP_OK) return status;
    if (session->deal) ip_sides_deal(&m->sides, session->host->ranks, session->deal);
    unsigned threads = ip_pool_threads(session->pool);
    status = ip_budget_make_labelled(&m->budget, session, &m->tiling, own_positions(m), m->anchors.m,
                                     ip_sides_bytes(m->pairs.count, m->anchors.m, threads, 0), error);
    if (status == IP_OK) status = allocate(m, error);
    if (status == IP_OK && m->tiling.longest > plan->context_length)
        ip_session_warn(session, "sequences reach %zu tokens, the model was trained for %zu", m->tiling.longest,
                        plan->context_length);
    return status;
}

static ip_status measure(measurement *m, const char *model, const char *pairs, ip_error *error) {
    ip_status status = prepare(m, model, pairs, error);
    if (status != IP_OK) return status;
    ip_layers layers = {
        .session = m->session, .tiling = &m->tiling, .forward = &m->forward, .store = &m->store, .buffers = m->buffers};
    ip_visitor visitor = {m, assign_tile, estimate_layer};
    status = ip_layers_run(&layers, &visitor, error);
    if (status == IP_OK) status = ip_run_describe(m->out->run, m->session, &m->anchors, m->calibration, model, error);
    if (status != IP_OK) return status;
    m->out->run->positions = m->out->chosen + m->out->rejected;
    return average(m, error);
}

ip_status ip_preference_measure(ip_preference **out, const char *model, const char *pairs, const ip_settings *settings,
                                const char *scratch_default, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    ip_preference *preference = calloc(1, sizeof *preference);
    if (preference) preference->run = calloc(1, sizeof *preference->run);
    if (!preference || !preference->run) {
        free(preference);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    ip_run_start(preference->run, settings);
    measurement m = {.session = &session,
                     .out = preference,
                     .scratch = ip_scratch_folder(settings, scratch_default),
                     .soft = {.scratch = {.fd = -1}},
                     .store = {.scratch = {.fd = -1}}};
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = check_settings(&m, error);
    if (status == IP_OK) status = measure(&m, model, pairs, error);
    release(&m);
    status = ip_session_close(&session, status, error);
    if (status == IP_OK)
        *out = preference;
    else
        ip_preference_free(preference);
    return status;
}

void ip_preference_free(ip_preference *preference) {
    if (!preference) return;
    ip_run_free(preference->run);
    free(preference->chat);
    free(preference->layer);
    free(preference->without);
    free(preference);
}

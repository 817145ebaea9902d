/* The main job: tokens, label sets, then layer by layer soft assignments and their entropies, then the loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/scalar_math.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/ranks_door.h"
#include "core/bound/bound_ngrams.h"
#include "core/estimators/anchors.h"
#include "core/estimators/estimator.h"
#include "core/forward/layers.h"
#include "core/forward/loss.h"
#include "core/infoplane.h"
#include "core/run/budget.h"
#include "core/run/resume.h"
#include "core/run/run.h"
#include "core/run/shard.h"

typedef struct analysis {
    ip_session *session;
    ip_run *run;
    ip_tiling tiling;
    ip_budget budget;
    const char *scratch;
    ip_calibration calibration;
    ip_method_kind kind;
    ip_estimator estimator;
    ip_shard_part part; /* of 0: this is no shard */
    const char *state;  /* a shard's file */
    ip_shard_writer writer;
    size_t first_document;     /* of this rank's, in the whole corpus */
    uint64_t *position_border; /* [ranks + 1]: counted positions before each rank's; NULL alone */
    ip_anchors anchors;        /* of soft */
    size_t bins;
    ip_forward forward;
    ip_store store;
    ip_layers layers;
    ip_resume resume;
    ip_head head; /* rows NULL: neither loss nor lens */
    float *buffers;
    size_t buffer_bytes;
    char *assign; /* per worker: scratch of ip_anchors_assign, then rows of p */
    size_t assign_bytes, p_offset;
} analysis;

/* ---- per tile: counted positions are assigned, the others only looked at ---- */

static ip_status bad_state(const analysis *a, size_t layer, const ip_segment *s, size_t row, int kind,
                           ip_error *error) {
    return ip_fail(error, IP_FAILED, "layer %zu, document %zu, position %zu: the hidden state is %s", layer,
                   a->first_document + s->document, s->position + row,
                   kind == 1 ? "all zero: it has no direction" : "not finite");
}

static ip_status assign_segment(analysis *a, size_t layer, unsigned worker, const ip_segment *s, const float *h,
                                ip_error *error) {
    const ip_corpus *corpus = &a->session->corpus;
    const ip_kernels *kernels = a->session->kernels;
    size_t width = a->forward.plan->width,
           n = (size_t)(corpus->offsets[s->document + 1] - corpus->offsets[s->document]);
    unsigned orders = a->run->orders;
    char *work = a->assign + worker * a->assign_bytes;
    float *p = (float *)(void *)(work + a->p_offset);
    /* counted rows of the segment: positions first .. last-1 of the document */
    size_t counted_end = orders - 1 + ip_counted(n, orders), end = s->position + s->rows;
    size_t first = s->position < orders - 1 ? orders - 1 : s->position;
    size_t last = end < counted_end ? end : counted_end;
    if (first > last) first = last = end;
    for (size_t t = s->position; t < end; t++) {
        if (t >= first && t < last) continue;
        if (kernels->unit((float *)(void *)work, h + (t - s->position) * width, width) == 2)
            return bad_state(a, layer, s, t - s->position, 2, error);
    }
    if (first >= last) return IP_OK;
    size_t bad_row;
    int bad_kind;
    if (!ip_anchors_assign(&a->anchors, kernels, h + (first - s->position) * width, last - first, p, work, &bad_row,
                           &bad_kind))
        return bad_state(a, layer, s, first - s->position + bad_row, bad_kind, error);
    size_t document = a->first_document + s->document;
    uint64_t position = a->estimator.position_base[document] + first - (orders - 1);
    return ip_soft_put(&a->estimator.soft, kernels, (size_t)position, p, last - first, error);
}

/* Estimators other than soft come once the layer is done: its states are only checked. */
static ip_status check_segment(analysis *a, size_t layer, unsigned worker, const ip_segment *s, const float *h,
                               ip_error *error) {
    float *work = (float *)(void *)(a->assign + worker * a->assign_bytes);
    size_t width = a->forward.plan->width;
    for (size_t r = 0; r < s->rows; r++)
        if (a->session->kernels->unit(work, h + r * width, width) == 2) return bad_state(a, layer, s, r, 2, error);
    return IP_OK;
}

static ip_status look_at_tile(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                              ip_error *error) {
    analysis *a = context;
    const ip_segment *segments = a->tiling.segments + tile->first_segment;
    ip_status status = IP_OK;
    for (uint32_t i = 0; status == IP_OK && i < tile->segments; i++) {
        status = (a->kind == IP_METHOD_SOFT ? assign_segment : check_segment)(a, layer, worker, &segments[i], h, error);
        h += (size_t)segments[i].rows * a->forward.plan->width;
    }
    return status;
}

/* ---- per layer ---- */

static ip_status lens_sums(analysis *a, size_t layer, ip_lens_sums *sums, ip_error *error) {
    ip_status status = ip_head_run(&a->head, "lens", layer < a->forward.plan->layers, error);
    return status == IP_OK ? ip_lens_collect(&a->head, sums, error) : status;
}

/* What a shard leaves of a layer. */
static ip_status write_layer(analysis *a, size_t layer, ip_error *error) {
    const ip_soft *soft = &a->estimator.soft;
    ip_session_stage(a->session, "state", 0, "");
    ip_status status = ip_shard_write(&a->writer, IP_SECTION_LAYER, (uint32_t)layer, soft->rows,
                                      soft->blocks * soft->positions * IP_LANES * sizeof(float), error);
    if (status != IP_OK || !a->run->has_lens) return status;
    ip_lens_sums sums;
    status = lens_sums(a, layer, &sums, error);
    return status == IP_OK ? ip_shard_write(&a->writer, IP_SECTION_LENS, (uint32_t)layer, &sums, sizeof sums, error)
                           : status;
}

/* The lens of a layer; at the last one it is the loss. */
static ip_status lens_layer(analysis *a, size_t layer, ip_error *error) {
    ip_layer_result *result = &a->run->layer[layer];
    ip_lens_sums sums;
    ip_status status = lens_sums(a, layer, &sums, error);
    if (status != IP_OK) return status;
    ip_ranks_sum_wide(a->session->host->ranks, sums.of, IP_LENS_SUMS);
    ip_lens_means(&sums, &result->lens, &result->lens_entropy);
    return IP_OK;
}

/* Behind the last layer nothing is kept: the loss goes on from what its lens has left. */
static ip_status layer_done(void *context, size_t layer, ip_error *error) {
    analysis *a = context;
    if (a->part.of > 0) return write_layer(a, layer, error);
    ip_status status = ip_estimator_layer(&a->estimator, layer, error);
    if (status == IP_OK && a->run->has_lens) status = lens_layer(a, layer, error);
    if (status == IP_OK && layer < a->forward.plan->layers) ip_resume_keep(&a->resume, a->session, &a->store, layer);
    return status;
}

/* Goes on where an earlier process was stopped, when there is something of it. */
static ip_status resume(analysis *a, const char *model, ip_error *error) {
    ip_run *run = a->run;
    size_t layers = a->forward.plan->layers + 1;
    const ip_anchors *anchors = a->kind == IP_METHOD_SOFT ? &a->anchors : &a->estimator.method.anchors;
    ip_status status = ip_resume_open(&a->resume, a->session, model, anchors->fingerprint, error);
    if (status != IP_OK) return status;
    ip_resume_region(&a->resume, run->layer, layers * sizeof *run->layer);
    ip_resume_region(&a->resume, run->without, layers * ip_run_quantities(run) * run->groups * sizeof *run->without);
    ip_resume_region(&a->resume, run->resampled,
                     layers * ip_run_quantities(run) * run->bootstrap * sizeof *run->resampled);
    ip_top *top = &a->estimator.top;
    ip_resume_region(&a->resume, &top->layers, sizeof top->layers);
    for (size_t i = 0; i < top->sets; i++)
        ip_resume_region(&a->resume, top->parts[i], (size_t)top->partitions[i]->labels * sizeof *top->parts[i]);
    a->layers.first = ip_resume_take(&a->resume, a->session, &a->store);
    return IP_OK;
}

/* Losses of the documents at hand, one per token; 0 where there is none. */
static void list_losses(const analysis *a, double *losses) {
    const ip_corpus *corpus = &a->session->corpus;
    for (size_t d = 0; d < corpus->documents; d++) {
        for (uint64_t i = corpus->offsets[d]; i < corpus->offsets[d + 1]; i++) {
            bool last = i + 1 == corpus->offsets[d + 1];
            losses[i] = last && a->head.end < 0 ? 0.0 : ip_loss_of_token(&a->head, i);
        }
    }
}

/* Sums over the losses of all ranks. */
static ip_status gather_loss(analysis *a, ip_error *error) {
    const ip_session *session = a->session;
    const ip_corpus *whole = session->whole;
    unsigned of = ip_ranks_count(session->host->ranks);
    ip_run *run = a->run;
    double *losses = ip_big_alloc((size_t)whole->tokens * sizeof *losses);
    uint64_t *borders = malloc((of + 1) * sizeof *borders);
    ip_status status = losses && borders ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the losses");
    if (status == IP_OK) {
        for (unsigned r = 0; r <= of; r++) borders[r] = whole->offsets[session->deal[r]] * sizeof *losses;
        list_losses(a, losses + whole->offsets[a->first_document]);
        ip_ranks_spread(session->host->ranks, losses, borders);
        status = ip_loss_sum(whole, losses, a->head.end >= 0, &run->token_loss, &run->loss, &run->loss_end, error);
    }
    free(borders);
    ip_big_free(losses, (size_t)whole->tokens * sizeof(double));
    return status;
}

/* After the last layer, whose lens has left the rows that the loss needs. */
static ip_status compute_loss(analysis *a, ip_error *error) {
    ip_run *run = a->run;
    run->has_loss = true;
    run->has_end = a->head.end >= 0;
    ip_status status = run->has_lens ? IP_OK : ip_head_run(&a->head, "loss", false, error);
    if (status == IP_OK && a->session->deal) return gather_loss(a, error);
    return status == IP_OK ? ip_loss_collect(&a->head, &run->token_loss, &run->loss, &run->loss_end, error) : status;
}

/* ---- preparing ---- */

static ip_status check_settings(analysis *a, ip_error *error) {
    const ip_settings *s = a->session->settings;
    if (!ip_calibration_by_name(&a->calibration, s->calibration))
        return ip_fail(error, IP_USAGE, "--calibration %s: there are leading-order, vmf-bound and vmf-exact",
                       s->calibration);
    if (s->orders < 1 || s->orders > IP_ORDERS_MAX)
        return ip_fail(error, IP_USAGE, "--orders %u: 1 to %d can be counted", s->orders, IP_ORDERS_MAX);
    ip_status status = ip_method_check(&a->kind, s, error);
    if (status != IP_OK) return status;
    if (s->top > 0 && a->kind != IP_METHOD_SOFT)
        return ip_fail(error, IP_USAGE, "--top: n-grams are listed with --estimator soft");
    if (a->part.of > 0 && a->kind != IP_METHOD_SOFT)
        return ip_fail(error, IP_USAGE, "--shard: shards are computed with --estimator soft");
    if (ip_ranks_count(a->session->host->ranks) > 1 && a->kind != IP_METHOD_SOFT)
        return ip_fail(error, IP_USAGE, "--estimator %s: several ranks compute soft; start it without mpirun",
                       s->estimator);
    if (s->bound && (a->kind == IP_METHOD_BINNING || a->kind == IP_METHOD_MATRIX))
        return ip_fail(error, IP_USAGE, "--bound: the estimator %s has no number of codes to bound", s->estimator);
    if (a->part.bound && s->bound_betas && strlen(s->bound_betas) >= sizeof a->part.betas)
        return ip_fail(error, IP_USAGE, "--beta: a shard takes %zu characters; first:last:how many is shorter",
                       sizeof a->part.betas - 1);
    if (s->top > IP_TOP_MOST) return ip_fail(error, IP_USAGE, "--top %u: 0 to %d n-grams", s->top, IP_TOP_MOST);
    if (s->bound) status = ip_bound_check(s, error);
    return status == IP_OK ? ip_resampling_check(s, error) : status;
}

/* What the estimator keeps of a layer, and the room of each worker. */
static ip_status open_rows(analysis *a, ip_error *error) {
    ip_session *session = a->session;
    const ip_kernels *kernels = session->kernels;
    size_t stride = (a->anchors.m + IP_LANES - 1) / IP_LANES * IP_LANES,
           positions = (size_t)a->estimator.position_base[session->whole->documents];
    size_t width = ip_model_plan(session->model)->width;
    const bool soft = a->kind == IP_METHOD_SOFT;
    a->p_offset = soft ? (ip_assign_bytes(kernels, &a->anchors, IP_TILE_ROWS) + 63) & ~(size_t)63 : 0;
    a->assign_bytes =
        soft ? a->p_offset + (IP_TILE_ROWS + IP_TILE_MAX) * stride * sizeof(float) : (width + 15) / 16 * 64;
    a->assign = ip_big_alloc(a->assign_bytes * ip_pool_threads(session->pool));
    if (!a->assign) return ip_fail(error, IP_FAILED, "out of memory for the assignments");
    if (soft) {
        ip_status status = ip_soft_open(&a->estimator.soft, positions, a->anchors.m,
                                        a->budget.soft_spilled ? a->scratch : NULL, error);
        a->estimator.soft.ranks = a->position_border ? session->host->ranks : NULL;
        a->estimator.soft.borders = a->position_border;
        a->estimator.soft.every_block = session->settings->top > 0;
        return status;
    }
    a->estimator.layers = &a->layers;
    const ip_input file = {.path = session->settings->anchors};
    return ip_method_open(&a->estimator.method, a->kind, session->settings, file.path ? &file : NULL, positions, width,
                          kernels, session->pool, error);
}

static ip_status allocate(analysis *a, ip_error *error) {
    ip_session *session = a->session;
    const ip_plan *plan = ip_model_plan(session->model);
    unsigned threads = ip_pool_threads(session->pool);
    ip_status status = open_rows(a, error);
    if (status != IP_OK) return status;
    status = ip_forward_open(&a->forward, session->model, session->kernels, session->compute, &a->tiling,
                             a->budget.ahead, session->pool, error);
    if (status != IP_OK) return status;
    status = ip_store_open(&a->store, session->corpus.tokens, plan->width, a->budget.resident_rows, a->scratch, error);
    if (status != IP_OK) return status;
    if (a->budget.resident_rows < session->corpus.tokens) {
        a->buffer_bytes = (size_t)threads * IP_TILE_ROWS * plan->width * sizeof(float);
        a->buffers = ip_big_alloc(a->buffer_bytes);
        if (!a->buffers) return ip_fail(error, IP_FAILED, "out of memory for the buffers of the scratch file");
    }
    a->layers = (ip_layers){session, &a->tiling, &a->forward, &a->store, 0, a->buffers};
    if (session->settings->loss || a->run->has_lens) {
        status = ip_head_open(&a->head, &a->layers, session->settings->loss_end, a->run->has_lens, error);
        if (status != IP_OK) return status;
    }
    if (a->store.scratch.ram_disk || a->estimator.soft.scratch.ram_disk)
        ip_session_warn(session, "%s is kept in memory: scratch files there save nothing (see --scratch)", a->scratch);
    return IP_OK;
}

static void release(analysis *a) {
    ip_resume_close(&a->resume);
    ip_estimator_close(&a->estimator);
    ip_shard_abandon(&a->writer);
    ip_anchors_free(&a->anchors);
    ip_head_close(&a->head);
    ip_forward_close(&a->forward);
    ip_store_close(&a->store);
    ip_big_free(a->buffers, a->buffer_bytes);
    ip_big_free(a->assign, a->assign_bytes * (a->session->pool ? ip_pool_threads(a->session->pool) : 0));
    ip_tiling_free(&a->tiling);
    free(a->position_border);
}

static ip_bytes piece_of(const void *context, int32_t id) {
    return context ? ip_tokenizer_piece(context, id) : (ip_bytes){NULL, 0};
}

/* ---- a shard: its documents alone, into a state file ---- */

/* Ranks: where each one's counted positions begin among all. */
static ip_status deal_documents(analysis *a, ip_error *error) {
    ip_session *session = a->session;
    ip_status status = ip_session_deal(session, 1, error);
    if (status != IP_OK || !session->deal) return status;
    unsigned of = ip_ranks_count(session->host->ranks);
    uint64_t *border = a->position_border = calloc(of + 1, sizeof *border);
    if (!border) return ip_fail(error, IP_FAILED, "out of memory");
    a->first_document = ip_session_first_document(session);
    for (unsigned r = 0; r < of; r++) {
        border[r + 1] = border[r];
        for (uint64_t d = session->deal[r]; d < session->deal[r + 1]; d++)
            border[r + 1] +=
                ip_counted((size_t)(session->whole->offsets[d + 1] - session->whole->offsets[d]), a->run->orders);
    }
    return IP_OK;
}

/* Once the whole corpus is known: what the run says of it, then only the shard's documents stay. */
static ip_status choose_documents(analysis *a, ip_error *error) {
    ip_corpus *corpus = &a->session->corpus;
    unsigned orders = a->run->orders;
    ip_status status = ip_positions_check(corpus, orders, error);
    if (status == IP_OK && a->part.of == 0) return deal_documents(a, error);
    if (status != IP_OK) return status;
    status = ip_run_describe_corpus(a->run, corpus, error);
    if (status == IP_OK) status = ip_shard_plan(&a->part, corpus->documents, error);
    if (status == IP_OK) ip_shard_narrow(corpus, &a->part, orders);
    return status;
}

static ip_status prepare_shard(analysis *a, ip_error *error) {
    const ip_session *session = a->session;
    bool pieces = session->settings->top > 0;
    uint32_t layers = (uint32_t)ip_model_plan(session->model)->layers + 1;
    ip_status status = ip_position_base(&a->estimator.position_base, &session->corpus, a->run->orders, error);
    return status == IP_OK ? ip_shard_create(&a->writer, a->state,
                                             layers * (1 + a->run->has_lens) + 3 + pieces + a->part.loss, error)
                           : status;
}

static ip_status write_losses(analysis *a, ip_error *error) {
    uint64_t tokens = a->session->corpus.tokens;
    ip_status status = a->run->has_lens ? IP_OK : ip_head_run(&a->head, "loss", false, error);
    double *losses = status == IP_OK ? ip_big_alloc((size_t)tokens * sizeof *losses) : NULL;
    if (status == IP_OK && !losses) status = ip_fail(error, IP_FAILED, "out of memory for the losses");
    if (status == IP_OK) list_losses(a, losses);
    if (status == IP_OK)
        status = ip_shard_write(&a->writer, IP_SECTION_LOSSES, 0, losses, (size_t)tokens * sizeof *losses, error);
    ip_big_free(losses, (size_t)tokens * sizeof(double));
    return status;
}

static ip_status finish_shard(analysis *a, const char *model, const ip_pieces *pieces, ip_error *error) {
    ip_session *session = a->session;
    ip_run *run = a->run;
    run->top = session->settings->top;
    run->groups = session->settings->groups;
    run->bootstrap = session->settings->bootstrap;
    ip_status status = a->part.loss ? write_losses(a, error) : IP_OK;
    if (status == IP_OK) status = ip_run_describe(run, session, &a->anchors, a->calibration, model, error);
    if (status == IP_OK)
        status = ip_shard_describe(&a->writer, run, &a->part, &session->corpus, run->top > 0 ? pieces : NULL, error);
    return status == IP_OK ? ip_shard_commit(&a->writer, error) : status;
}

static ip_status run_analysis(analysis *a, const char *model, const char *const *corpora, size_t count,
                              ip_error *error) {
    ip_session *session = a->session;
    const ip_settings *s = session->settings;
    ip_status status = ip_session_model(session, model, error);
    if (status != IP_OK) return status;
    const ip_plan *plan = ip_model_plan(session->model);
    a->run->has_lens = s->lens;
    if ((s->loss || s->lens) && !plan->head_weight.tensor)
        return ip_fail(error, IP_BAD_INPUT, "%s: has no output head: no %s can be computed", model,
                       s->loss ? "loss" : "lens");
    if (s->loss_end >= (int64_t)plan->vocabulary)
        return ip_fail(error, IP_USAGE, "--loss-end %lld: the vocabulary has %zu tokens", (long long)s->loss_end,
                       plan->vocabulary);
    if (a->kind == IP_METHOD_SOFT) {
        status = ip_anchors_make(&a->anchors, plan->width, (size_t)s->bins, s->seed, s->anchors, a->calibration,
                                 session->kernels, error);
        a->bins = a->anchors.m;
    } else {
        status = ip_anchors_count(&a->bins, s->anchors, plan->width, (size_t)s->bins, error);
    }
    if (status == IP_OK) status = ip_session_corpus(session, corpora, count, error);
    if (status == IP_OK) status = choose_documents(a, error);
    if (status == IP_OK) status = ip_tiling_make(&a->tiling, &session->corpus, error);
    if (status == IP_OK)
        status = ip_budget_make(&a->budget, session, &a->tiling, true, a->bins, s->loss || s->lens, error);
    if (status == IP_OK)
        status = a->part.of > 0 ? prepare_shard(a, error)
                                : ip_estimator_open(&a->estimator, session, a->run, plan->layers, error);
    if (status == IP_OK && s->bound && a->part.of == 0)
        status = ip_bound_of_orders(a->run->bound, a->estimator.x, a->estimator.y, s->orders, a->bins, session, error);
    if (status == IP_OK) status = allocate(a, error);
    if (status != IP_OK) return status;
    if (a->tiling.longest > plan->context_length)
        ip_session_warn(session, "documents reach %zu tokens, the model was trained for %zu", a->tiling.longest,
                        plan->context_length);
    status = a->part.of > 0 ? IP_OK : resume(a, model, error); /* a shard that was stopped begins again */
    ip_visitor visitor = {a, look_at_tile, layer_done};
    if (status == IP_OK) status = ip_layers_run(&a->layers, &visitor, error);
    ip_pieces pieces = {piece_of, session->tokenizer};
    if (a->part.of > 0) return status == IP_OK ? finish_shard(a, model, &pieces, error) : status;
    if (status == IP_OK && s->loss) status = compute_loss(a, error);
    if (status == IP_OK) status = ip_estimator_finish(&a->estimator, &pieces, error);
    if (status == IP_OK) status = ip_run_describe(a->run, session, &a->anchors, a->calibration, model, error);
    if (a->kind != IP_METHOD_SOFT) {
        a->run->bins = a->bins;
        a->run->calibration = "";
        a->run->temperature = NAN;
        memcpy(a->run->anchors_fingerprint, a->estimator.method.anchors.fingerprint,
               sizeof a->run->anchors_fingerprint);
    }
    return status;
}

/* state: the file of shard settings->shard of settings->shards, or NULL. */
static ip_status analyze(ip_run **out, const char *state, const char *model, const char *const *corpora,
                         size_t corpus_count, const ip_settings *settings, const char *scratch_default,
                         const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    ip_run *run = calloc(1, sizeof *run);
    if (!run) return ip_fail(error, IP_FAILED, "out of memory");
    ip_settings own = ip_method_settings(settings);
    settings = &own;
    ip_run_start(run, settings);
    analysis a = {.session = &session,
                  .run = run,
                  .scratch = ip_scratch_folder(settings, scratch_default),
                  .state = state,
                  .estimator = {.soft = {.scratch = {.fd = -1}}},
                  .store = {.scratch = {.fd = -1}}};
    if (state)
        a.part = (ip_shard_part){.index = settings->shard,
                                 .of = settings->shards,
                                 .loss = settings->loss,
                                 .loss_end = settings->loss_end,
                                 .lens = settings->lens,
                                 .bound = settings->bound};
    if (state && settings->bound) {
        snprintf(a.part.effort, sizeof a.part.effort, "%s", settings->bound_effort);
        snprintf(a.part.betas, sizeof a.part.betas, "%s", settings->bound_betas ? settings->bound_betas : "");
    }
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = check_settings(&a, error);
    if (status == IP_OK) status = run_analysis(&a, model, corpora, corpus_count, error);
    release(&a);
    status = ip_session_close(&session, status, error);
    if (status == IP_OK) {
        *out = run;
    } else {
        ip_run_free(run);
    }
    return status;
}

ip_status ip_analyze(ip_run **out, const char *model, const char *const *corpora, size_t corpus_count,
                     const ip_settings *settings, const char *scratch_default, const ip_host *host, ip_error *error) {
    return analyze(out, NULL, model, corpora, corpus_count, settings, scratch_default, host, error);
}

ip_status ip_analyze_shard(char **path, const char *model, const char *const *corpora, size_t corpus_count,
                           const char *folder, const ip_settings *settings, const ip_host *host, ip_error *error) {
    *path = NULL;
    if (settings->shard < 1 || settings->shard > settings->shards)
        return ip_fail(error, IP_USAGE, "--shard: 1/4 is the first of four");
    char name[64];
    snprintf(name, sizeof name, "shard-%05u-of-%05u.state", settings->shard, settings->shards);
    char *file = ip_join_path(folder, name);
    if (!file) return ip_fail(error, IP_FAILED, "out of memory");
    ip_run *run;
    ip_status status = ip_make_folder(folder, error);
    if (status == IP_OK) status = analyze(&run, file, model, corpora, corpus_count, settings, folder, host, error);
    if (status == IP_OK) {
        ip_run_free(run);
        *path = file;
    } else {
        free(file);
    }
    return status;
}

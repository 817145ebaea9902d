/* The main job: tokens, label sets, then layer by layer soft assignments and their entropies, then the loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/analyze_internal.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/ranks_door.h"
#include "core/bound/bound_ngrams.h"
#include "core/infoplane.h"

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
    if (status == IP_OK) status = ip_analysis_documents(a, error);
    if (status == IP_OK) status = ip_tiling_make(&a->tiling, &session->corpus, error);
    if (status == IP_OK)
        status = ip_budget_make(&a->budget, session, &a->tiling, true, a->bins, s->loss || s->lens, error);
    if (status == IP_OK)
        status = a->part.of > 0 ? ip_analysis_open_shard(a, error)
                                : ip_estimator_open(&a->estimator, session, a->run, plan->layers, error);
    if (status == IP_OK && s->bound && a->part.of == 0)
        status = ip_bound_of_orders(a->run->bound, a->estimator.x, a->estimator.y, s->orders, a->bins, session, error);
    if (status == IP_OK) status = allocate(a, error);
    if (status != IP_OK) return status;
    if (a->tiling.longest > plan->context_length)
        ip_session_warn(session, "documents reach %zu tokens, the model was trained for %zu", a->tiling.longest,
                        plan->context_length);
    status = a->part.of > 0 ? IP_OK : resume(a, model, error); /* a shard that was stopped begins again */
    ip_visitor visitor = ip_analysis_visitor(a);
    if (status == IP_OK) status = ip_layers_run(&a->layers, &visitor, error);
    ip_pieces pieces = {piece_of, session->tokenizer};
    if (a->part.of > 0) return status == IP_OK ? ip_analysis_finish_shard(a, model, &pieces, error) : status;
    if (status == IP_OK && s->loss) status = ip_analysis_loss(a, error);
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

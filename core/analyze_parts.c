/* The loss; and runs of which a process has a part: ranks, whose losses are put together here, and shards, which go into
 * state files. */
#include <stdlib.h>

#include "core/analyze_internal.h"
#include "core/base/memory.h"
#include "core/base/ranks_door.h"
#include "core/forward/loss.h"

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

ip_status ip_analysis_loss(analysis *a, ip_error *error) {
    ip_run *run = a->run;
    run->has_loss = true;
    run->has_end = a->head.end >= 0;
    ip_status status = run->has_lens ? IP_OK : ip_head_run(&a->head, "loss", false, error);
    if (status == IP_OK && a->session->deal) return gather_loss(a, error);
    return status == IP_OK ? ip_loss_collect(&a->head, &run->token_loss, &run->loss, &run->loss_end, error) : status;
}

/* ---- documents of a rank, of a shard; its state file ---- */

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

ip_status ip_analysis_documents(analysis *a, ip_error *error) {
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

ip_status ip_analysis_open_shard(analysis *a, ip_error *error) {
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

ip_status ip_analysis_finish_shard(analysis *a, const char *model, const ip_pieces *pieces, ip_error *error) {
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

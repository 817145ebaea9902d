/* --plan: tokens, memory, scratch and expected time, without running anything. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/estimators/anchors.h"
#include "core/estimators/method.h"
#include "core/forward/forward.h"
#include "core/forward/layers.h"
#include "core/infoplane.h"
#include "core/ngrams/ngrams.h"
#include "core/output/json_write.h"
#include "core/run/budget.h"

/* Seconds per token and layer of one thread: block 0, packed and run on one tile of zeros but for a ramp, timed. The
 * embedding's values do not matter for the time. */
static ip_status time_block(const ip_session *session, const ip_tiling *tiling, double *seconds, ip_error *error) {
    const ip_plan *plan = ip_model_plan(session->model);
    ip_forward forward = {0};
    bool is_long = tiling->item_count == 0;
    const ip_tile *tile = &tiling->tiles[(is_long ? tiling->long_items : tiling->items)[0].first_tile];
    size_t bytes = (size_t)tile->rows * plan->width * sizeof(float), bad;
    float *h = ip_big_alloc(bytes);
    ip_status status = h ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK)
        status = ip_forward_open(&forward, session->model, session->kernels, session->compute, tiling, false,
                                 session->pool, error);
    if (status == IP_OK) {
        ip_forward_prepare(&forward, 0);
        status = ip_pack_run(&forward.packing, session->pool, error);
    }
    if (status == IP_OK) status = ip_forward_embed(&forward, tiling, tile, h, error);
    if (status == IP_OK) {
        double best = 1e30;
        for (int i = 0; status == IP_OK && i < 3; i++) {
            double start = ip_seconds();
            if (is_long) status = ip_forward_keys(&forward, 0, 0, tiling, tile, h, &bad, error);
            if (status == IP_OK)
                status = ip_forward_tile(&forward, 0, 0, is_long ? IP_TILE_REST : IP_TILE_WHOLE, tiling, tile, h, false,
                                         &bad, error);
            double spent = (ip_seconds() - start) / tile->rows;
            if (spent < best) best = spent;
        }
        *seconds = best;
    }
    ip_forward_close(&forward);
    ip_big_free(h, bytes);
    return status;
}

static void add_elements(void *context, const ip_weight *weight) {
    *(double *)context += (double)weight->outputs * (double)weight->inputs;
}

/* Products of the head per token, in products of one block. */
static double head_in_blocks(const ip_plan *plan) {
    double block = 0;
    ip_block_each(&plan->blocks[0], add_elements, &block);
    const ip_experts *x = &plan->blocks[0].experts; /* of which a token takes some */
    for (size_t e = x->used; e < x->count; e++) block -= 3.0 * (double)x->up[e].outputs * (double)x->up[e].inputs;
    return (double)plan->head_weight.outputs * (double)plan->head_weight.inputs / block;
}

static ip_status fill(ip_plan_report *out, ip_session *session, const ip_tiling *tiling, ip_error *error) {
    const ip_settings *s = session->settings;
    const ip_plan *plan = ip_model_plan(session->model);
    size_t bins;
    ip_budget budget;
    ip_status status = ip_anchors_count(&bins, s->anchors, plan->width, (size_t)s->bins, error);
    if (status == IP_OK) status = ip_budget_make(&budget, session, tiling, true, bins, s->loss || s->lens, error);
    if (status != IP_OK) return status;
    out->model_name = strdup(s->name ? s->name : ip_model_name(session->model));
    out->family = strdup(ip_model_family(session->model));
    out->weights = ip_weights_describe(session, false);
    out->weights_stored = ip_weights_describe(session, true);
    if (!out->model_name || !out->family || !out->weights || !out->weights_stored)
        return ip_fail(error, IP_FAILED, "out of memory");
    out->documents = session->whole->documents;
    out->tokens = session->whole->tokens;
    out->positions = ip_corpus_positions(session->whole, s->orders);
    out->layers = plan->layers;
    out->width = plan->width;
    out->longest = tiling->longest;
    out->context_length = plan->context_length;
    out->parameters = plan->parameters;
    out->memory_bound = session->memory_bound;
    out->memory = budget.peak;
    out->memory_least = budget.least;
    out->scratch = budget.scratch;
    out->threads = ip_pool_threads(session->pool);
    snprintf(out->isa, sizeof out->isa, "%s", session->kernels->name);
    ip_compute_describe(session, out->compute, sizeof out->compute);
    double per_block = 0.0;
    if (tiling->tile_count > 0) status = time_block(session, tiling, &per_block, error);
    double heads = s->lens   ? (double)plan->layers + 1.0
                   : s->loss ? 1.0
                             : 0.0; /* the loss is the lens of the last layer */
    double blocks = (double)plan->layers + (heads > 0.0 ? heads * head_in_blocks(plan) : 0.0);
    out->seconds = per_block * blocks * (double)session->corpus.tokens / out->threads;
    return status;
}

ip_status ip_analyze_plan(ip_plan_report *out, const char *model, const char *const *corpora, size_t corpus_count,
                          const ip_settings *settings, const ip_host *host, ip_error *error) {
    memset(out, 0, sizeof *out);
    ip_session session;
    ip_tiling tiling = {0};
    ip_settings own = ip_method_settings(settings);
    ip_method_kind kind;
    ip_status status = ip_method_check(&kind, settings, error);
    if (status == IP_OK) {
        status = ip_session_open(&session, &own, host, error);
    } else {
        memset(&session, 0, sizeof session);
    }
    if (status == IP_OK) status = ip_session_model(&session, model, error);
    if (status == IP_OK) status = ip_session_corpus(&session, corpora, corpus_count, error);
    if (status == IP_OK) status = ip_session_deal(&session, 1, error); /* memory and time are a rank's */
    if (status == IP_OK) status = ip_tiling_make(&tiling, &session.corpus, error);
    if (status == IP_OK) status = fill(out, &session, &tiling, error);
    ip_tiling_free(&tiling);
    status = ip_session_close(&session, status, error);
    if (status != IP_OK) ip_plan_report_free(out);
    return status;
}

void ip_plan_report_free(ip_plan_report *report) {
    free(report->model_name);
    free(report->family);
    free(report->weights);
    free(report->weights_stored);
    memset(report, 0, sizeof *report);
}

static void megabytes(FILE *file, const char *what, uint64_t bytes, const char *note) {
    fprintf(file, "  %-22s %12.1f MiB%s\n", what, (double)bytes / 0x1p20, note);
}

static void count(FILE *file, const char *what, uint64_t n, const char *note) {
    fprintf(file, "  %-22s %12llu%s\n", what, (unsigned long long)n, note);
}

static void write_json(const ip_plan_report *r, FILE *file) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.plan/1");
    ip_json_string(j, "model", r->model_name);
    ip_json_string(j, "family", r->family);
    ip_json_string(j, "weights", r->weights);
    ip_json_string(j, "weights_stored", r->weights_stored);
    ip_json_uint(j, "parameters", r->parameters);
    ip_json_uint(j, "layers", r->layers);
    ip_json_uint(j, "width", r->width);
    ip_json_uint(j, "documents", r->documents);
    ip_json_uint(j, "tokens", r->tokens);
    ip_json_uint(j, "positions", r->positions);
    ip_json_uint(j, "longest", r->longest);
    ip_json_uint(j, "context_length", r->context_length);
    ip_json_string(j, "isa", r->isa);
    ip_json_string(j, "compute", r->compute);
    ip_json_uint(j, "threads", r->threads);
    ip_json_uint(j, "memory_bound", r->memory_bound);
    ip_json_uint(j, "memory", r->memory);
    ip_json_uint(j, "memory_least", r->memory_least);
    ip_json_uint(j, "scratch", r->scratch);
    ip_json_double(j, "seconds", r->seconds);
    ip_json_close(j, '}');
    ip_json_end(j);
}

void ip_plan_report_write(const ip_plan_report *r, bool json, FILE *file) {
    if (json) {
        write_json(r, file);
        return;
    }
    bool as_stored = strcmp(r->weights, r->weights_stored) == 0;
    fprintf(file, "%s: %s, %llu layers of width %llu, %.1f M parameters (%s%s%s)\n", r->model_name, r->family,
            (unsigned long long)r->layers, (unsigned long long)r->width, (double)r->parameters / 1e6, r->weights,
            as_stored ? "" : "; stored as ", as_stored ? "" : r->weights_stored);
    count(file, "documents", r->documents, "");
    count(file, "tokens", r->tokens, "");
    count(file, "counted positions", r->positions, r->positions == 0 ? "   (no document is long enough)" : "");
    count(file, "longest document", r->longest,
          r->longest > r->context_length ? "   (beyond what the model was trained for)" : "");
    megabytes(file, "memory", r->memory, "   anonymous, at the peak");
    megabytes(file, "memory bound", r->memory_bound, "   --memory");
    megabytes(file, "memory at least", r->memory_least, "   with the rest in scratch files");
    megabytes(file, "scratch files", r->scratch, "   --scratch");
    fprintf(file, "  %-22s %12.1f s     on %u thread%s, %s on %s\n", "expected time", r->seconds, r->threads,
            r->threads == 1 ? "" : "s", r->compute, r->isa);
}

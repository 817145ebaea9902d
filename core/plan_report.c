/* --plan: tokens, memory, scratch and expected time, without running anything. */
#include <stdlib.h>
#include <string.h>

#include "core/base/resident.h"
#include "core/bound/bound_ngrams.h"
#include "core/estimators/anchors.h"
#include "core/estimators/method.h"
#include "core/forward/forward.h"
#include "core/infoplane.h"
#include "core/ngrams/ngrams.h"
#include "core/output/json_write.h"
#include "core/plan_time.h"
#include "core/run/budget.h"
#include "core/run/shard.h"

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

/* The bound is searched before the forward pass, beside the label sets. */
static ip_status add_bound(ip_plan_report *out, ip_session *session, size_t bins, ip_error *error) {
    const ip_settings *s = session->settings;
    ip_partition x[IP_ORDERS_MAX] = {{0}}, y[IP_ORDERS_MAX] = {{0}};
    ip_label_rule rule = ip_label_rule_of(s);
    uint64_t held = ip_resident_anonymous(), bytes = 0;
    double seconds = 0.0;
    ip_status status = ip_ngram_partitions(x, y, session->whole, &rule, session->pool, error);
    if (status == IP_OK) status = ip_bound_expect(&bytes, &seconds, x, y, s->orders, bins, session, error);
    for (unsigned k = 0; k < IP_ORDERS_MAX; k++) {
        ip_partition_free(&x[k]);
        ip_partition_free(&y[k]);
    }
    uint64_t partitions = (2 * (uint64_t)s->orders + 1) * ip_partition_bytes((size_t)out->positions);
    uint64_t peak = held + partitions + bytes;
    if (peak > out->memory) out->memory = peak;
    if (peak > out->memory_least) out->memory_least = peak;
    out->seconds += seconds;
    return status;
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
    out->models = 1;
    out->documents = session->whole->documents;
    out->tokens = session->whole->tokens;
    out->positions = ip_corpus_positions(session->whole, s->orders);
    out->layers = plan->layers;
    out->width = plan->width;
    out->longest = tiling->longest;
    out->context_length = plan->context_length;
    out->parameters = plan->parameters;
    out->memory_bound = session->memory_bound;
    out->memory = budget.peak - budget.slack;
    out->memory_least = budget.least;
    out->scratch = budget.scratch;
    out->threads = ip_pool_threads(session->pool);
    snprintf(out->isa, sizeof out->isa, "%s", session->kernels->name);
    ip_compute_describe(session, out->compute, sizeof out->compute);
    double per_block = 0.0;
    if (tiling->tile_count > 0) status = ip_time_block(&per_block, session, tiling, error);
    double heads = s->lens   ? (double)plan->layers + 1.0
                   : s->loss ? 1.0
                             : 0.0; /* the loss is the lens of the last layer */
    double blocks = (double)plan->layers + (heads > 0.0 ? heads * head_in_blocks(plan) : 0.0);
    out->seconds = per_block * blocks * (double)session->corpus.tokens / out->threads;
    double estimate = 0.0;
    if (status == IP_OK && out->positions > 0 && s->shards == 0)
        status = ip_time_estimate(&estimate, session, bins, error);
    out->seconds += estimate * ((double)plan->layers + 1.0);
    return status == IP_OK && s->bound && out->positions > 0 ? add_bound(out, session, bins, error) : status;
}

/* A shard takes its part of the documents, and so does a rank: memory and time are its own. */
static ip_status choose_documents(ip_session *session, ip_error *error) {
    const ip_settings *s = session->settings;
    ip_shard_part part = {.index = s->shard, .of = s->shards};
    if (s->shards == 0) return ip_session_deal(session, 1, error);
    ip_status status = ip_shard_plan(&part, session->corpus.documents, error);
    if (status == IP_OK) ip_shard_narrow(&session->corpus, &part, s->orders);
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
    if (status == IP_OK) status = choose_documents(&session, error);
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
    ip_json_uint(j, "models", r->models);
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
    if (r->models > 1) count(file, "checkpoints", r->models, "   to be analysed, like the first");
    megabytes(file, "memory", r->memory, "   anonymous, at the peak");
    megabytes(file, "memory bound", r->memory_bound, "   --memory");
    megabytes(file, "memory at least", r->memory_least, "   with the rest in scratch files");
    megabytes(file, "scratch files", r->scratch, "   --scratch");
    fprintf(file, "  %-22s %12.1f s     on %u thread%s, %s on %s\n", "expected time", r->seconds, r->threads,
            r->threads == 1 ? "" : "s", r->compute, r->isa);
}

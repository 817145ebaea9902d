/* Label sets once, then per layer the figures of all sets and their resamples. */
#include "core/estimators/estimator.h"

#include <stdlib.h>
#include <string.h>

#include "core/estimators/state_rows.h"

ip_status ip_position_base(uint64_t **out, const ip_corpus *corpus, unsigned orders, ip_error *error) {
    uint64_t *base = *out = malloc((corpus->documents + 1) * sizeof *base);
    if (!base) return ip_fail(error, IP_FAILED, "out of memory");
    base[0] = 0;
    for (size_t d = 0; d < corpus->documents; d++)
        base[d + 1] = base[d] + ip_counted((size_t)(corpus->offsets[d + 1] - corpus->offsets[d]), orders);
    return IP_OK;
}

ip_status ip_positions_check(const ip_corpus *corpus, unsigned orders, ip_error *error) {
    uint64_t positions = ip_corpus_positions(corpus, orders);
    if (positions == 0)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: no document is longer than the %u tokens that orders 1..%u need: nothing can be counted",
                       corpus->file_count > 0 ? corpus->files[0].path : "corpus", 2 * orders - 1, orders);
    if (positions > UINT32_MAX)
        return ip_fail(error, IP_FAILED, "%llu positions are more than one run counts: use --documents",
                       (unsigned long long)positions);
    return IP_OK;
}

/* Groups go by the document's number in the corpus, whether it has counted positions or not. */
static ip_status open_resampling(ip_estimator *e, size_t layers, ip_error *error) {
    ip_run *run = e->run;
    size_t documents = e->session->whole->documents;
    ip_status status = ip_resampling_open(&e->resampling, e->session->settings, e->whole.positions, documents, error);
    if (status != IP_OK) return status;
    for (size_t d = 0; d < documents; d++) {
        for (uint64_t t = e->position_base[d]; t < e->position_base[d + 1]; t++)
            ip_resampling_set(&e->resampling, (size_t)t, d);
    }
    run->groups = e->resampling.groups;
    run->bootstrap = e->resampling.bootstrap;
    if (run->groups > 0) {
        run->without = calloc((layers + 1) * ip_run_quantities(run) * run->groups, sizeof *run->without);
        if (!run->without) return ip_fail(error, IP_FAILED, "out of memory for the figures of %u groups", run->groups);
    }
    if (run->bootstrap > 0) {
        run->resampled = calloc((layers + 1) * ip_run_quantities(run) * run->bootstrap, sizeof *run->resampled);
        if (!run->resampled) return ip_fail(error, IP_FAILED, "out of memory for %u resamples", run->bootstrap);
    }
    return ip_soft_figures_open(&e->figures, 2 * run->orders + 1, &e->resampling, error);
}

ip_status ip_estimator_open(ip_estimator *e, ip_session *session, ip_run *run, size_t layers, ip_error *error) {
    const ip_settings *s = session->settings;
    *e = (ip_estimator){.session = session, .run = run, .soft = {.scratch = {.fd = -1}}};
    run->layer = calloc(layers + 1, sizeof *run->layer);
    if (!run->layer) return ip_fail(error, IP_FAILED, "out of memory");
    ip_session_stage(session, "labels", 0, "");
    ip_status status = ip_positions_check(session->whole, s->orders, error);
    if (status == IP_OK) status = ip_position_base(&e->position_base, session->whole, s->orders, error);
    if (status != IP_OK) return status;
    ip_label_rule rule = ip_label_rule_of(s);
    status = ip_ngram_partitions(e->x, e->y, session->whole, &rule, session->pool, error);
    if (status == IP_OK)
        status = ip_partition_whole(&e->whole, (size_t)e->position_base[session->whole->documents], error);
    if (status == IP_OK) status = open_resampling(e, layers, error);
    e->sets[0] = &e->whole;
    for (unsigned k = 0; k < s->orders; k++) {
        e->sets[1 + k] = &e->x[k];
        e->sets[1 + s->orders + k] = &e->y[k];
    }
    if (status == IP_OK && s->top > 0) status = ip_top_open(&e->top, e->sets + 1, 2 * s->orders, error);
    return status;
}

void ip_estimator_close(ip_estimator *e) {
    ip_resampling_close(&e->resampling, e->whole.positions);
    ip_top_close(&e->top);
    free(e->figures);
    ip_partition_free(&e->whole);
    for (unsigned k = 0; k < IP_ORDERS_MAX; k++) {
        ip_partition_free(&e->x[k]);
        ip_partition_free(&e->y[k]);
    }
    free(e->position_base);
    ip_soft_close(&e->soft);
    ip_method_close(&e->method);
}

ip_status ip_estimator_bytes(uint64_t *bytes, uint64_t *counting, const ip_session *session, size_t bins, size_t width,
                             size_t layers, ip_error *error) {
    const ip_settings *s = session->settings;
    size_t positions = (size_t)ip_corpus_positions(session->whole, s->orders), sets = 2 * s->orders + 1;
    ip_resampling resampling = {
        .groups = s->groups, .nulls = s->null, .bootstrap = s->bootstrap, .documents = session->whole->documents};
    uint64_t partitions = (sets - 1) * (uint64_t)ip_partition_bytes(positions);
    ip_label_rule rule = ip_label_rule_of(s);
    ip_status status = ip_ngram_bytes(counting, session->whole, &rule, session->pool, error);
    *counting += partitions;
    ip_method_kind kind = ip_method_of(s);
    unsigned threads = ip_pool_threads(session->pool);
    uint64_t own =
        kind == IP_METHOD_SOFT
            ? positions * sizeof(int64_t) + ip_soft_estimate_bytes(positions, bins, sets, threads, &resampling)
            : ip_method_bytes(kind, positions, width, bins, sets, threads, session->kernels, &resampling);
    *bytes = partitions + ip_partition_bytes(positions) + ip_resampling_bytes(s, positions) + own +
             (layers + 1) * (uint64_t)(2 + 2 * s->orders) * (s->groups + (uint64_t)s->bootstrap) * sizeof(double) +
             (s->top > 0 ? ip_top_bytes(positions, sets - 1) : 0);
    return status;
}

/* Figures of the layer into its row of the run. */
static ip_status fill_layer(ip_estimator *e, size_t layer, ip_error *error) {
    ip_run *run = e->run;
    unsigned orders = run->orders, groups = run->groups, resamples = run->bootstrap;
    const ip_soft_figures *f = e->figures, *singles = f + 2 * orders + 1;
    double *without = run->without ? run->without + layer * ip_run_quantities(run) * groups : NULL;
    double *resampled = run->resampled ? run->resampled + layer * ip_run_quantities(run) * resamples : NULL;
    ip_layer_result *result = &run->layer[layer];
    result->H = f[0].plain;
    result->context = result->H - singles->plain;
    for (unsigned g = 0; g < groups; g++) {
        without[g] = f[0].without[g];
        without[groups + g] = f[0].without[g] - singles->without[g];
    }
    for (unsigned b = 0; b < resamples; b++) {
        resampled[b] = f[0].resampled[b];
        resampled[resamples + b] = f[0].resampled[b] - singles->resampled[b];
    }
    ip_status status = IP_OK;
    for (unsigned k = 0; status == IP_OK && k < 2 * orders; k++) {
        ip_estimate *out = k < orders ? &result->x[k] : &result->y[k - orders];
        status = ip_estimate_make(out, &f[0], &f[1 + k], e->sets[1 + k]->labels, &e->resampling,
                                  without ? without + (size_t)(2 + k) * groups : NULL,
                                  resampled ? resampled + (size_t)(2 + k) * resamples : NULL, error);
    }
    return status;
}

ip_status ip_estimator_layer(ip_estimator *e, size_t layer, ip_error *error) {
    ip_session *session = e->session;
    ip_session_stage(session, "estimate", 0, "");
    size_t sets = 2 * e->run->orders + 1;
    ip_status status;
    if (e->method.kind == IP_METHOD_SOFT) {
        status = ip_soft_swap(&e->soft, error);
        if (status != IP_OK) return status;
        status = ip_soft_estimate(&e->soft, session->kernels, session->pool, e->sets, sets, &e->resampling, e->figures,
                                  error);
    } else {
        ip_state_rows states = {e->layers, e->position_base, e->run->orders, layer};
        ip_rows rows = ip_state_rows_of(&states);
        status = ip_method_look(&e->method, &rows, error);
        if (status == IP_OK)
            status = ip_method_figures(&e->method, &rows, e->sets, sets, &e->resampling, e->figures, error);
    }
    if (status == IP_OK) status = fill_layer(e, layer, error);
    e->run->layer[layer].effective_rank = ip_method_effective_rank(&e->method);
    if (status == IP_OK && layer > 0 && session->settings->top > 0)
        status = ip_top_add(&e->top, &e->soft, session->kernels, session->pool, error);
    return status;
}

ip_status ip_estimator_finish(ip_estimator *e, const ip_pieces *pieces, ip_error *error) {
    const ip_settings *s = e->session->settings;
    if (s->top == 0) return IP_OK;
    ip_label_rule rule = ip_label_rule_of(s);
    ip_status status = ip_top_gather(&e->top, e->soft.ranks, error);
    if (status != IP_OK) return status;
    return ip_top_list(e->run, &e->top, s->top, e->session->whole, e->position_base, &rule, pieces, error);
}

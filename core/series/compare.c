/* Two runs over the same documents: every figure's difference with its paired interval. */
#include "core/series/compare.h"

#include <stdlib.h>
#include <string.h>

#include "arch/dispatch.h"
#include "core/base/file.h"
#include "core/run/run_get.h"

static ip_status get_side(ip_run **out, const char *path, const ip_compare_settings *s, const ip_settings *analysis,
                          const char *name, const ip_host *host, ip_error *error) {
    ip_run_maker maker = {analysis, s->corpora, s->corpus_count, host};
    char *keep = s->output ? ip_join_path(s->output, name) : NULL;
    if (s->output && !keep) return ip_fail(error, IP_FAILED, "out of memory");
    bool taken;
    ip_status status = ip_run_get(out, path, &maker, keep, true, &taken, error);
    free(keep);
    return status;
}

static ip_status compare_all(ip_comparison *c, ip_error *error) {
    const ip_run *a = c->a, *b = c->b;
    c->figures = ip_figures(a);
    c->rows = a->layers == b->layers ? a->layers + 2 : 1;
    if (!a->layer || !b->layer) return ip_fail(error, IP_BAD_INPUT, "a run without layers cannot be compared");
    c->figure = calloc(c->rows * c->figures, sizeof *c->figure);
    if (!c->figure) return ip_fail(error, IP_FAILED, "out of memory");
    ip_pair_room room;
    c->resamples = ip_pair_resamples(a, b);
    ip_status status = ip_pair_room_open(&room, c->resamples, a->documents, error);
    if (status != IP_OK) return status;
    for (size_t r = 0; r < c->rows; r++)
        for (unsigned f = 0; f < c->figures; f++)
            c->figure[r * c->figures + f] = ip_pair_figure(a, b, r == 0 ? IP_MEAN_LAYER : r - 1, f, &room);
    c->same_ids = strcmp(a->ids_fingerprint, b->ids_fingerprint) == 0;
    c->has_loss = ip_pair_loss(&c->loss, a, b, !c->same_ids, &room);
    ip_pair_room_close(&room);
    return ip_comparison_match_top(c, error);
}

ip_status ip_compare(ip_comparison **out, const char *a, const char *b, const ip_compare_settings *settings,
                     const ip_host *host, ip_error *error) {
    *out = NULL;
    if (ip_is_run(a) && ip_is_run(b) && settings->corpus_count > 0)
        return ip_fail(error, IP_USAGE, "compare: both are finished runs: --corpus goes with models");
    const ip_kernels *kernels;
    ip_comparison *c = calloc(1, sizeof *c);
    if (!c) return ip_fail(error, IP_FAILED, "out of memory");
    ip_compare_settings kept = *settings;
    settings = &kept;
    kept.analysis.tokens = ip_tokens_new(); /* one tokenization; without memory for it, two */
    ip_settings own = kept.analysis;
    if (settings->b_weights) own.weights = settings->b_weights;
    if (settings->b_compute) own.compute = settings->b_compute;
    ip_status status = ip_arch_select(&kernels, settings->analysis.isa, error);
    if (status == IP_OK) status = get_side(&c->a, a, settings, &settings->analysis, "a", host, error);
    if (status == IP_OK) status = get_side(&c->b, b, settings, &own, "b", host, error);
    ip_tokens_free(kept.analysis.tokens);
    if (status == IP_OK) status = ip_pair_check(c->a, a, c->b, b, error);
    if (status == IP_OK) status = compare_all(c, error);
    if (status == IP_OK) {
        *out = c;
    } else {
        ip_comparison_free(c);
    }
    return status;
}

void ip_comparison_free(ip_comparison *c) {
    if (!c) return;
    ip_comparison_free_top(c);
    ip_run_free(c->a);
    ip_run_free(c->b);
    free(c->figure);
    free(c);
}

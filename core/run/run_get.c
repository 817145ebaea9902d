/* Reading or making a run. */
#include "core/run/run_get.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/input/session.h"

static bool is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool ip_is_run(const char *path) {
    static const char name[] = "run.json";
    size_t n = strlen(path), m = sizeof name - 1;
    if (is_file(path)) return n >= m && strcmp(path + n - m, name) == 0 && (n == m || path[n - m - 1] == '/');
    char *inside = ip_join_path(path, name);
    bool found = inside && is_file(inside);
    free(inside);
    return found;
}

/* Whether the settings that a run tells are those asked for. */
static bool same_settings(const ip_run *run, const ip_settings *s) {
    unsigned groups = run->documents < 2 ? 0 : s->groups < run->documents ? s->groups : (unsigned)run->documents;
    return run->orders == s->orders && run->backoff == s->backoff &&
           (!s->backoff || (run->min_count == s->min_count && run->count_at_positions == s->count_at_positions)) &&
           (s->anchors || (run->bins == s->bins && run->seed == s->seed)) &&
           strcmp(run->calibration, s->calibration) == 0 && run->null == s->null && run->bootstrap == s->bootstrap &&
           run->top == s->top && run->groups == groups && run->max_tokens == s->max_tokens &&
           run->has_loss == s->loss && run->has_end == (s->loss_end >= 0) && (run->groups == 0 || run->without) &&
           (run->bootstrap == 0 || run->resampled) && (!run->has_loss || run->token_loss) &&
           (!s->name || strcmp(run->model_name, s->name) == 0);
}

/* What an analysis would read, by its fingerprints: model, texts, ids, anchors, arithmetic. */
static ip_status same_inputs(bool *same, const ip_run *run, const char *path, const ip_run_maker *maker,
                             ip_error *error) {
    const ip_settings *s = maker->settings;
    ip_session session;
    ip_map anchors = {NULL, 0};
    char model[33] = "", compute[32] = "", hash[IP_HASH_HEX] = "";
    *same = false;
    ip_status status = ip_session_open(&session, s, maker->host, error);
    if (status == IP_OK) status = ip_session_model(&session, path, error);
    if (status == IP_OK) status = ip_model_fingerprint(session.model, model, error);
    if (status == IP_OK && s->anchors) status = ip_map_open(&anchors, s->anchors, error);
    if (status == IP_OK && s->anchors) ip_hash128(anchors.data, anchors.size, hash);
    if (status == IP_OK && strcmp(model, run->model_fingerprint) == 0 && strcmp(hash, run->anchors_fingerprint) == 0) {
        status = ip_session_corpus(&session, maker->corpora, maker->corpus_count, error);
        if (status == IP_OK) {
            char *weights = ip_weights_describe(&session, false);
            ip_compute_describe(&session, compute, sizeof compute);
            *same = weights && strcmp(weights, run->weights) == 0 && strcmp(compute, run->compute) == 0 &&
                    strcmp(session.corpus.text_fingerprint, run->text_fingerprint) == 0 &&
                    strcmp(session.corpus.ids_fingerprint, run->ids_fingerprint) == 0;
            free(weights);
        }
    }
    ip_session_end(&session);
    ip_map_close(&anchors);
    return ip_session_close(&session, status, error);
}

/* The run that stands in `keep`, where it is the one asked for; one that cannot be read is made anew. */
static ip_status take_kept(ip_run **out, const char *path, const ip_run_maker *maker, const char *keep,
                           ip_error *error) {
    ip_error ignored = {0};
    *out = NULL;
    if (!ip_is_run(keep) || ip_run_read(out, keep, &ignored) != IP_OK) return IP_OK;
    bool same = same_settings(*out, maker->settings);
    ip_status status = same ? same_inputs(&same, *out, path, maker, error) : IP_OK;
    if (status != IP_OK || !same) {
        ip_run_free(*out);
        *out = NULL;
    }
    return status;
}

ip_status ip_run_get(ip_run **out, const char *path, const ip_run_maker *maker, const char *keep, bool resume,
                     bool *taken, ip_error *error) {
    *out = NULL;
    *taken = true;
    if (ip_is_run(path)) return ip_run_read(out, path, error);
    if (maker->corpus_count == 0)
        return ip_fail(error, IP_USAGE, "%s: is no finished run; for a model say the text with --corpus", path);
    ip_status status = keep && resume ? take_kept(out, path, maker, keep, error) : IP_OK;
    if (status != IP_OK || *out) return status;
    *taken = false;
    status = ip_analyze(out, path, maker->corpora, maker->corpus_count, maker->settings, keep, maker->host, error);
    const ip_ranks *ranks = maker->host ? maker->host->ranks : NULL;
    if (status == IP_OK && keep && ip_ranks_number(ranks) == 0) status = ip_run_write_folder(*out, keep, error);
    if (status != IP_OK) {
        ip_run_free(*out);
        *out = NULL;
    }
    return status;
}

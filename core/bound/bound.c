/* `bound`: the information-bottleneck curve of a corpus, order by order, or of any joint. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/bound/bound_curve.h"
#include "core/bound/bound_ngrams.h"
#include "models/gguf.h"

/* ---- betas ---- */

enum { BETAS_MOST = 512 };
static const double beta_most = 1e6;

/* A plain decimal number, the same in every locale; *end is behind it. */
static bool read_number(const char *text, double *out, const char **end) {
    double digits = 0, scale = 1;
    const char *p = text;
    bool point = false;
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (p - text > 15) return false;
        digits = digits * 10 + (*p - '0');
        if (point) scale *= 10;
    }
    *out = digits / scale;
    *end = p;
    return p > text + point;
}

static int falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

/* "first:last:how many": even steps of log(beta - 1), which look closely at where the curve bends. */
static bool read_range(const char *text, double *betas, size_t *count) {
    double first, last, many;
    const char *end;
    if (!read_number(text, &first, &end) || *end != ':' || !read_number(end + 1, &last, &end) || *end != ':' ||
        !read_number(end + 1, &many, &end) || *end != '\0')
        return false;
    if (!(first > 1) || !(last > first) || last > beta_most || !(many >= 2) || many > BETAS_MOST || many != floor(many))
        return false;
    *count = (size_t)many;
    double low = ip_log(first - 1), high = ip_log(last - 1);
    for (size_t i = 0; i < *count; i++) betas[i] = 1 + ip_exp(low + (high - low) * (double)i / (many - 1));
    return true;
}

static bool read_list(const char *text, double *betas, size_t *count) {
    for (*count = 0; *count < BETAS_MOST; text++) {
        if (!read_number(text, &betas[*count], &text)) return false;
        if (!(betas[*count] > 1) || betas[*count] > beta_most) return false;
        ++*count;
        if (*text == '\0') return true;
        if (*text != ',') return false;
    }
    return false;
}

ip_status ip_bound_betas(double **betas, size_t *count, const char *text, ip_error *error) {
    if (!text) text = "1.01:100:40";
    *betas = malloc(BETAS_MOST * sizeof **betas);
    if (!*betas) return ip_fail(error, IP_FAILED, "out of memory");
    if (!(strchr(text, ':') ? read_range : read_list)(text, *betas, count)) {
        free(*betas);
        *betas = NULL;
        return ip_fail(error, IP_USAGE,
                       "--beta %s: numbers above 1 are wanted, as 2,5,20 or as first:last:how many (1.01:100:40)",
                       text);
    }
    qsort(*betas, *count, sizeof **betas, falling);
    return IP_OK;
}

static ip_status check_bins(const ip_settings *s, ip_error *error) {
    if (s->bins < 2 || s->bins > 65536) return ip_fail(error, IP_USAGE, "--bins: 2 to 65536");
    return IP_OK;
}

/* ---- a joint of somebody's ---- */

static ip_status take_probabilities(ip_triplet *t, const double *p, size_t n, ip_error *error) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0) || !isfinite(p[i]))
            return ip_fail(error, IP_BAD_INPUT, "probability %zu of the joint is negative or not a number", i);
        sum += p[i];
    }
    if (!(sum > 0) || !isfinite(sum))
        return ip_fail(error, IP_BAD_INPUT, "the probabilities of the joint add up to %g", sum);
    for (size_t i = 0; i < n; i++) t[i].count = (uint64_t)llrint(p[i] / sum * 0x1p52);
    return IP_OK;
}

static ip_status of_triplets(ip_bound_curve **out, ip_triplet *t, size_t n, bool counted, const double *betas,
                             size_t beta_count, ip_session *session, ip_error *error) {
    ip_joint joint;
    double *own = NULL;
    ip_status status = ip_joint_make(&joint, t, n, error);
    if (status == IP_OK && betas) {
        own = malloc(beta_count * sizeof *own);
        if (own) memcpy(own, betas, beta_count * sizeof *own);
        for (size_t i = 0; own && status == IP_OK && i < beta_count; i++)
            if (!(own[i] > 1) || !(own[i] <= beta_most))
                status = ip_fail(error, IP_USAGE, "beta %g: above 1 and at most 1e6 are wanted", own[i]);
        if (!own) status = ip_fail(error, IP_FAILED, "out of memory");
        if (status == IP_OK) qsort(own, beta_count, sizeof *own, falling);
    } else if (status == IP_OK) {
        status = ip_bound_betas(&own, &beta_count, session->settings->bound_betas, error);
    }
    if (status == IP_OK) {
        ip_session_stage(session, "bound", 0, "solutions");
        status = ip_bound_of_joint(out, &joint, 0, session->settings->bins, own, beta_count, session, error);
        if (status == IP_OK && !counted) (*out)->positions = 0;
    }
    ip_joint_free(&joint);
    free(own);
    return status;
}

ip_status ip_bound_joint(ip_bound_curve **out, const uint32_t *x, const uint32_t *y, const uint64_t *counts,
                         const double *p, size_t pairs, const double *betas, size_t beta_count,
                         const ip_settings *settings, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    if (pairs == 0 || (betas && beta_count == 0)) return ip_fail(error, IP_USAGE, "a joint without pairs, or no beta");
    ip_triplet *t = malloc(pairs * sizeof *t);
    if (!t) return ip_fail(error, IP_FAILED, "out of memory for a joint of %zu pairs", pairs);
    for (size_t i = 0; i < pairs; i++) t[i] = (ip_triplet){x[i], y[i], counts ? counts[i] : 0};
    ip_status status = counts ? IP_OK : take_probabilities(t, p, pairs, error);
    if (status == IP_OK) status = check_bins(settings, error);
    if (status == IP_OK) {
        status = ip_session_open(&session, settings, host, error);
        if (status == IP_OK) status = of_triplets(out, t, pairs, counts != NULL, betas, beta_count, &session, error);
        status = ip_session_close(&session, status, error);
    }
    free(t);
    if (status != IP_OK) {
        ip_bound_curve_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- a corpus ---- */

static void warn_host(void *context, const char *line) { ip_session_warn(context, "%s", line); }

static ip_status read_corpus(ip_session *session, const char *model, const char *const *corpora, size_t count,
                             ip_error *error) {
    ip_tokenizer *tokenizer = NULL;
    ip_session_stage(session, "tokens", 0, "bytes");
    ip_status status = ip_session_tokenizer_alone(session, &tokenizer, model, error);
    ip_corpus_options options = ip_corpus_options_of(session->settings);
    if (status == IP_OK)
        status =
            ip_corpus_read(&session->corpus, corpora, count, &options, tokenizer, ip_tokenizer_vocabulary(tokenizer),
                           session->pool, warn_host, session, NULL, NULL, error);
    ip_tokenizer_free(tokenizer);
    if (status == IP_OK && session->corpus.replaced > 0)
        ip_session_warn(session, "%s: invalid UTF-8: %llu U+FFFD put in", corpora[0],
                        (unsigned long long)session->corpus.replaced);
    return status;
}

static ip_status describe(ip_bound *b, const ip_session *session, const char *model, ip_error *error) {
    const ip_settings *s = session->settings;
    const ip_corpus *corpus = &session->corpus;
    b->model_path = strdup(model);
    b->tokenizer = s->tokenizer ? strdup(s->tokenizer) : NULL;
    if (!b->model_path || (s->tokenizer && !b->tokenizer) ||
        ip_corpus_name_files(&b->files, &b->file_count, corpus) != IP_OK)
        return ip_fail(error, IP_FAILED, "out of memory");
    b->documents = corpus->documents;
    b->tokens = corpus->tokens;
    b->positions = ip_corpus_positions(corpus, s->orders);
    memcpy(b->text_fingerprint, corpus->text_fingerprint, sizeof b->text_fingerprint);
    memcpy(b->ids_fingerprint, corpus->ids_fingerprint, sizeof b->ids_fingerprint);
    b->max_tokens = s->max_tokens;
    b->bins = s->bins;
    b->seed = s->seed;
    b->orders = s->orders;
    b->backoff = s->backoff;
    b->count_at_positions = s->count_at_positions;
    b->min_count = s->min_count;
    snprintf(b->effort, sizeof b->effort, "%s", s->bound_effort);
    snprintf(b->isa, sizeof b->isa, "%s", session->kernels->name);
    b->threads = ip_pool_threads(session->pool);
    return IP_OK;
}

static ip_status run(ip_bound *b, ip_session *session, const char *model, const char *const *corpora, size_t count,
                     ip_error *error) {
    const ip_settings *s = session->settings;
    ip_partition x[IP_ORDERS_MAX] = {{0}}, y[IP_ORDERS_MAX] = {{0}};
    ip_status status = check_bins(s, error);
    if (status == IP_OK && (s->orders < 1 || s->orders > IP_ORDERS_MAX))
        status = ip_fail(error, IP_USAGE, "--orders %u: 1 to %d can be counted", s->orders, IP_ORDERS_MAX);
    if (status == IP_OK) status = ip_bound_check(s, error);
    if (status == IP_OK) status = read_corpus(session, model, corpora, count, error);
    if (status == IP_OK) status = describe(b, session, model, error);
    if (status == IP_OK && b->positions == 0)
        status = ip_fail(error, IP_BAD_INPUT,
                         "%s: no document is longer than the %u tokens that orders 1..%u need: nothing can be counted",
                         corpora[0], 2 * s->orders - 1, s->orders);
    if (status == IP_OK && b->positions > UINT32_MAX)
        status = ip_fail(error, IP_FAILED, "%llu positions are more than one run counts: use --documents",
                         (unsigned long long)b->positions);
    if (status != IP_OK) return status;
    ip_session_stage(session, "labels", 0, "");
    ip_label_rule rule = ip_label_rule_of(s);
    status = ip_ngram_partitions(x, y, &session->corpus, &rule, session->pool, error);
    if (status == IP_OK) status = ip_bound_of_orders(b->curve, x, y, b->orders, b->bins, session, error);
    for (unsigned k = 0; k < IP_ORDERS_MAX; k++) {
        ip_partition_free(&x[k]);
        ip_partition_free(&y[k]);
    }
    return status;
}

ip_status ip_bound_corpus(ip_bound **out, const char *model, const char *const *corpora, size_t corpus_count,
                          const ip_settings *settings, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_session session;
    ip_bound *bound = calloc(1, sizeof *bound);
    if (!bound) return ip_fail(error, IP_FAILED, "out of memory");
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = run(bound, &session, model, corpora, corpus_count, error);
    bound->seconds = ip_seconds() - session.started;
    status = ip_session_close(&session, status, error);
    if (status == IP_OK) {
        *out = bound;
    } else {
        ip_bound_free(bound);
    }
    return status;
}

void ip_bound_free(ip_bound *bound) {
    if (!bound) return;
    for (unsigned k = 0; k < IP_MAX_ORDERS; k++) ip_bound_curve_free(bound->curve[k]);
    for (size_t i = 0; i < bound->file_count; i++) free(bound->files[i].path);
    free(bound->files);
    free(bound->model_path);
    free(bound->tokenizer);
    free(bound);
}

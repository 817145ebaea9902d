/* Opening, running and naming the estimators. */
#include "core/estimators/method.h"

#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/base/memory.h"
#include "core/estimators/codes.h"
#include "core/numbers/eigenvalues.h"

static const char *const names[] = {
#define IP_METHOD(id, name, bins, what) #name,
#include "core/estimators/methods.def"
#undef IP_METHOD
};

const char *ip_method_name(ip_method_kind kind) { return names[kind]; }

static bool find(ip_method_kind *out, const char *name) {
    for (int i = 0; name && i < IP_METHODS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (ip_method_kind)i;
            return true;
        }
    }
    return false;
}

ip_method_kind ip_method_of(const ip_settings *settings) {
    ip_method_kind kind = IP_METHOD_SOFT;
    find(&kind, settings->estimator);
    return kind;
}

const char *ip_method_known(const char *name) {
    ip_method_kind kind;
    return find(&kind, name) ? names[kind] : NULL;
}

ip_status ip_method_check(ip_method_kind *out, const ip_settings *settings, ip_error *error) {
    if (!find(out, settings->estimator)) {
        char list[256] = "";
        for (int i = 0; i < IP_METHODS; i++) {
            size_t at = strlen(list);
            snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : i + 1 < IP_METHODS ? ", " : " and ", names[i]);
        }
        return ip_fail(error, IP_USAGE, "--estimator %s: there are %s", settings->estimator, list);
    }
    if (settings->bins < 2 || settings->bins > 65536) return ip_fail(error, IP_USAGE, "--bins: 2 to 65536");
    if (settings->anchors && *out != IP_METHOD_SOFT && *out != IP_METHOD_HARD)
        return ip_fail(error, IP_USAGE, "--anchors: the estimator %s has none", settings->estimator);
    if (*out == IP_METHOD_MATRIX && !ip_eigenvalues_there())
        return ip_fail(error, IP_FAILED,
                       "--estimator matrix needs LAPACK, which is not installed here (Debian package liblapack3 or "
                       "libopenblas0)");
    return IP_OK;
}

ip_settings ip_method_settings(const ip_settings *settings) {
    ip_settings own = *settings;
    if (ip_method_of(settings) == IP_METHOD_MATRIX) own.null = own.groups = own.bootstrap = 0;
    return own;
}

uint64_t ip_estimator_default_bins(const char *name) {
    static const uint64_t bins[] = {
#define IP_METHOD(id, name, bins, what) bins,
#include "core/estimators/methods.def"
#undef IP_METHOD
    };
    ip_method_kind kind;
    return find(&kind, name) ? bins[kind] : 100;
}

double ip_method_log_bins(const char *name, uint64_t bins) {
    ip_method_kind kind;
    bool shares = find(&kind, name) && kind != IP_METHOD_BINNING && kind != IP_METHOD_MATRIX;
    return shares ? ip_log((double)bins) : NAN;
}

void ip_method_describe(FILE *file, const char *name, uint64_t bins, const char *calibration, double temperature) {
    ip_method_kind kind = IP_METHOD_SOFT;
    unsigned long long n = bins;
    find(&kind, name);
    switch (kind) {
    case IP_METHOD_HARD: fprintf(file, "hard: the nearest of %llu anchors", n); break;
    case IP_METHOD_BINNING: fprintf(file, "binning: %llu bins per dimension", n); break;
    case IP_METHOD_KMEANS: fprintf(file, "kmeans: the nearest of %llu centres", n); break;
    case IP_METHOD_MATRIX:
        fprintf(file, "matrix: eigenvalues by LAPACK, which need not give the same digits everywhere");
        break;
    default: fprintf(file, "%llu anchors, %s, epsilon %.8g", n, calibration, temperature);
    }
}

static ip_method_need need_of(ip_method_kind kind, size_t positions, size_t width, size_t bins, unsigned threads,
                              const ip_kernels *kernels) {
    switch (kind) {
    case IP_METHOD_HARD: return ip_hard_need(positions, width, bins, threads, kernels);
    case IP_METHOD_BINNING: return ip_binning_need(positions, width, bins, threads, kernels);
    case IP_METHOD_KMEANS: return ip_kmeans_need(positions, width, bins, threads, kernels);
    case IP_METHOD_MATRIX: return ip_matrix_need(positions, width, bins, threads, kernels);
    default: return (ip_method_need){0, 0};
    }
}

static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

ip_status ip_method_open(ip_method *out, ip_method_kind kind, const ip_settings *settings, const ip_input *anchors,
                         size_t positions, size_t width, const ip_kernels *kernels, ip_pool *pool, ip_error *error) {
    *out = (ip_method){.kind = kind,
                       .kernels = kernels,
                       .pool = pool,
                       .positions = positions,
                       .width = width,
                       .bins = (size_t)settings->bins,
                       .seed = settings->seed};
    ip_status status = IP_OK;
    if (kind == IP_METHOD_HARD) {
        /* No temperature is used: the calibration that exists at every width. */
        status =
            ip_anchors_make_from(&out->anchors, width, out->bins, out->seed, anchors, IP_LEADING_ORDER, kernels, error);
        if (status != IP_OK) return status;
        out->bins = out->anchors.m;
    }
    unsigned threads = ip_pool_threads(pool);
    ip_method_need need = need_of(kind, positions, width, out->bins, threads, kernels);
    out->work_bytes = up64(need.work);
    out->shared_bytes = need.shared;
    out->work = ip_big_alloc(out->work_bytes * threads);
    out->shared = ip_big_alloc(need.shared > 0 ? need.shared : 1);
    if (kind != IP_METHOD_MATRIX) out->code = ip_big_alloc(positions * sizeof *out->code);
    if (out->work && out->shared && (out->code || kind == IP_METHOD_MATRIX)) return IP_OK;
    ip_method_close(out);
    return ip_fail(error, IP_FAILED, "out of memory for the estimator %s", names[kind]);
}

void ip_method_close(ip_method *e) {
    if (!e->pool) return;
    ip_anchors_free(&e->anchors);
    ip_big_free(e->work, e->work_bytes * ip_pool_threads(e->pool));
    ip_big_free(e->shared, e->shared_bytes > 0 ? e->shared_bytes : 1);
    ip_big_free(e->code, e->positions * sizeof *e->code);
    memset(e, 0, sizeof *e);
}

uint64_t ip_method_bytes(ip_method_kind kind, size_t positions, size_t width, size_t bins, size_t sets,
                         unsigned threads, const ip_kernels *kernels, const ip_resampling *resampling) {
    ip_method_need need = need_of(kind, positions, width, bins, threads, kernels);
    uint64_t bytes = need.shared + (uint64_t)threads * up64(need.work);
    size_t distinct = kind == IP_METHOD_BINNING ? positions : bins;
    if (kind == IP_METHOD_MATRIX) return bytes;
    if (kind == IP_METHOD_HARD) bytes += ip_matrix_bytes(kernels, IP_ARITH_F32, bins, width, IP_GROUP, false);
    return bytes + positions * sizeof(uint32_t) +
           ip_codes_estimate_bytes(positions, distinct, sets, threads, resampling);
}

ip_status ip_method_look(ip_method *e, const ip_rows *rows, ip_error *error) {
    switch (e->kind) {
    case IP_METHOD_HARD: return ip_code_hard(e, rows, error);
    case IP_METHOD_BINNING: return ip_code_binning(e, rows, error);
    case IP_METHOD_KMEANS: return ip_code_kmeans(e, rows, error);
    default: return ip_matrix_look(e, rows, error);
    }
}

ip_status ip_method_figures(ip_method *e, const ip_rows *rows, const ip_partition *const *partitions, size_t sets,
                            const ip_resampling *resampling, ip_soft_figures *figures, ip_error *error) {
    if (e->kind == IP_METHOD_MATRIX) return ip_matrix_figures(e, rows, partitions, sets, figures, error);
    return ip_codes_estimate(e->code, e->positions, e->distinct, e->pool, partitions, sets, resampling, figures, error);
}

double ip_method_effective_rank(const ip_method *e) { return e->kind == IP_METHOD_MATRIX ? ip_exp(e->entropy) : NAN; }

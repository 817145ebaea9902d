/* Hidden states as .npy files, for other tools. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/npy.h"
#include "core/forward/layers.h"
#include "core/infoplane.h"
#include "core/run/budget.h"

enum { HEADER = 128 };

typedef struct states_job {
    ip_session *session;
    const char *folder;
    size_t width;
    ip_out out; /* of the layer at hand */
} states_job;

static ip_status open_layer(states_job *job, size_t layer, ip_error *error) {
    char name[32];
    snprintf(name, sizeof name, "layer-%02zu.npy", layer);
    char *path = ip_join_path(job->folder, name);
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_status status = ip_out_open(&job->out, path, error);
    free(path);
    if (status != IP_OK) return status;
    uint64_t shape[2] = {job->session->corpus.tokens, job->width};
    status = ip_npy_header(job->out.file, "<f4", 2, shape);
    if (status == IP_OK && fflush(job->out.file) != 0)
        status = ip_fail(error, IP_FAILED, "%s: cannot write: %s", job->folder, strerror(errno));
    return status;
}

static ip_status write_tile(void *context, size_t layer, unsigned worker, const ip_tile *tile, const float *h,
                            ip_error *error) {
    (void)worker;
    states_job *job = context;
    for (size_t i = 0; i < (size_t)tile->rows * job->width; i++)
        if (!(h[i] - h[i] == 0.0f))
            return ip_fail(error, IP_FAILED, "layer %zu, token %llu of the corpus: the hidden state is not finite",
                           layer, (unsigned long long)(tile->row + i / job->width));
    const char *data = (const char *)h;
    size_t left = (size_t)tile->rows * job->width * sizeof(float);
    off_t at = (off_t)(HEADER + tile->row * job->width * sizeof(float));
    while (left > 0) {
        ssize_t n = pwrite(fileno(job->out.file), data, left, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return ip_fail(error, IP_FAILED, "%s: cannot write layer %zu: %s", job->folder, layer, strerror(errno));
        data += n;
        at += n;
        left -= (size_t)n;
    }
    return IP_OK;
}

static ip_status layer_done(void *context, size_t layer, ip_error *error) {
    states_job *job = context;
    ip_status status = ip_out_commit(&job->out, error);
    if (status == IP_OK && layer < ip_model_plan(job->session->model)->layers)
        status = open_layer(job, layer + 1, error);
    return status;
}

static ip_status write_positions(const states_job *job, ip_error *error) {
    const ip_corpus *corpus = &job->session->corpus;
    char *path = ip_join_path(job->folder, "positions.npy");
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_out out;
    ip_status status = ip_out_open(&out, path, error);
    free(path);
    if (status != IP_OK) return status;
    uint64_t shape[2] = {corpus->tokens, 2};
    status = ip_npy_header(out.file, "<i4", 2, shape);
    for (size_t d = 0; status == IP_OK && d < corpus->documents; d++) {
        for (uint64_t t = corpus->offsets[d]; t < corpus->offsets[d + 1]; t++) {
            int32_t pair[2] = {(int32_t)d, (int32_t)(t - corpus->offsets[d])};
            fwrite(pair, sizeof pair, 1, out.file);
        }
    }
    if (status == IP_OK) return ip_out_commit(&out, error);
    ip_out_abandon(&out);
    return status;
}

static ip_status run_states(ip_session *session, const char *folder, const ip_tiling *tiling, ip_error *error) {
    const ip_plan *plan = ip_model_plan(session->model);
    unsigned threads = ip_pool_threads(session->pool);
    ip_budget budget;
    ip_status status = ip_budget_make(&budget, session, tiling, false, 0, false, error);
    if (status != IP_OK) return status;
    status = ip_make_folder(folder, error);
    if (status != IP_OK) return status;
    const char *scratch = ip_scratch_folder(session->settings, folder);
    size_t buffer_bytes = (size_t)threads * IP_TILE_ROWS * plan->width * sizeof(float);
    states_job job = {.session = session, .folder = folder, .width = plan->width};
    ip_forward forward = {0};
    ip_store store = {.scratch = {.fd = -1}};
    float *buffers = NULL;
    status = ip_forward_open(&forward, session->model, session->kernels, session->compute, tiling, budget.ahead,
                             session->pool, error);
    if (status == IP_OK)
        status = ip_store_open(&store, session->corpus.tokens, plan->width, budget.resident_rows, scratch, error);
    if (status == IP_OK && budget.resident_rows < session->corpus.tokens) {
        buffers = ip_big_alloc(buffer_bytes);
        if (!buffers) status = ip_fail(error, IP_FAILED, "out of memory for the buffers of the scratch file");
    }
    if (status == IP_OK) status = open_layer(&job, 0, error);
    if (status == IP_OK) {
        ip_layers layers = {session, tiling, &forward, &store, 0, buffers};
        ip_visitor visitor = {&job, write_tile, layer_done};
        status = ip_layers_run(&layers, &visitor, error);
    }
    if (status == IP_OK) status = write_positions(&job, error);
    ip_out_abandon(&job.out);
    ip_big_free(buffers, buffer_bytes);
    ip_store_close(&store);
    ip_forward_close(&forward);
    return status;
}

ip_status ip_states(const char *model, const char *const *corpora, size_t corpus_count, const char *folder,
                    const ip_settings *settings, const ip_host *host, ip_error *error) {
    ip_session session;
    ip_tiling tiling = {0};
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = ip_session_model(&session, model, error);
    if (status == IP_OK) status = ip_session_corpus(&session, corpora, corpus_count, error);
    if (status == IP_OK) status = ip_tiling_make(&tiling, &session.corpus, error);
    if (status == IP_OK) status = run_states(&session, folder, &tiling, error);
    ip_tiling_free(&tiling);
    return ip_session_close(&session, status, error);
}

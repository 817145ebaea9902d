/* Opening kernels, threads, model and corpus from settings; stages, progress, cancelling. */
#include "core/input/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/hash.h"
#include "core/base/map_guard.h"
#include "core/base/ranks_door.h"
#include "core/base/resident.h"
#include "core/input/kept_tokens.h"
#include "models/checkpoint.h"
#include "models/quantise.h"

double ip_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ip_status compute_by_name(ip_compute_name *out, const char *name, ip_error *error) {
    static const char *const names[] = {"auto", "f32", "bf16", "int16", "int8"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (ip_compute_name)i;
            return IP_OK;
        }
    }
    return ip_fail(error, IP_USAGE, "--compute %s: there are auto, f32, bf16, int16 and int8", name);
}

static ip_status weights_by_name(const ip_type **out, const char *name, ip_error *error) {
    *out = name ? ip_quantise_type(name) : NULL;
    if (*out || !name) return IP_OK;
    char names[128];
    ip_quantise_names(names, sizeof names);
    return ip_fail(error, IP_USAGE, "--weights %s: there are %s", name, names);
}

/* Threads, and on which cores: with one kind of cores every kind is all of them. */
static ip_status open_pool(ip_session *session, const ip_settings *settings, ip_error *error) {
    const ip_core_set *set = NULL;
    ip_cores cores;
    unsigned threads = ip_processors();
    if (settings->cores) {
        bool big = strcmp(settings->cores, "big") == 0;
        if (!big && strcmp(settings->cores, "little") != 0)
            return ip_fail(error, IP_USAGE, "cores %s: there are big and little", settings->cores);
        ip_cores_read(&cores, NULL, NULL);
        set = cores.mixed ? big ? &cores.big : &cores.little : NULL;
        unsigned count = set ? ip_core_set_count(set) : threads;
        threads = count < threads ? count : threads;
    }
    threads = ip_ranks_threads(session->host->ranks, threads);
    if (settings->threads > 0) threads = settings->threads;
    session->pool = ip_pool_create_on(threads, set);
    return session->pool ? IP_OK : ip_fail(error, IP_FAILED, "cannot start %u threads", threads);
}

static const ip_host silent_host;

bool ip_cancelled_by_flag(void *context) {
    const volatile int *flag = context;
    return *flag != 0;
}

ip_status ip_session_open(ip_session *session, const ip_settings *settings, const ip_host *host, ip_error *error) {
    memset(session, 0, sizeof *session);
    session->settings = settings;
    session->host = host ? host : &silent_host;
    session->whole = &session->corpus;
    session->started = ip_seconds();
    ip_status status = compute_by_name(&session->compute.name, settings->compute, error);
    if (status == IP_OK) status = weights_by_name(&session->compute.requantise, settings->weights, error);
    if (status == IP_OK) status = ip_arch_select(&session->kernels, settings->isa, error);
    if (status != IP_OK) return status;
    session->reporting_ready = pthread_mutex_init(&session->reporting, NULL) == 0;
    status = open_pool(session, settings, error);
    if (status != IP_OK) return status;
    session->memory_bound =
        settings->memory > 0 ? settings->memory : ip_memory_available() / 2 / ip_ranks_local(session->host->ranks);
    if (session->memory_bound == 0) session->memory_bound = (uint64_t)1 << 30;
    return IP_OK;
}

static void warn_of(void *context, const char *line) { ip_session_warn(context, "%s", line); }

void ip_host_warn(const ip_host *host, const char *format, va_list args) {
    char line[1024];
    if (!host || !host->warn || vsnprintf(line, sizeof line, format, args) < 0) return;
    ip_make_printable(line);
    host->warn(host->context, line);
}

void ip_session_warn(const ip_session *session, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ip_host_warn(session->host, format, args);
    va_end(args);
}

ip_status ip_session_model(ip_session *session, const char *model, ip_error *error) {
    return ip_model_open(&session->model, model, session->settings->family, warn_of, session, error);
}

ip_corpus_options ip_corpus_options_of(const ip_settings *settings) {
    return (ip_corpus_options){
        .split = settings->split,
        .text_field = settings->text_field,
        .format = settings->format,
        .offsets = settings->offsets,
        .documents = settings->documents,
        .max_tokens = (size_t)settings->max_tokens,
        .add_special = settings->add_special,
        .parse_special = settings->parse_special,
        .ids = settings->ids,
        .borders = settings->borders,
    };
}

ip_status ip_corpus_name_files(ip_file_name **out, size_t *count, const ip_corpus *corpus) {
    ip_file_name *files = *out = calloc(corpus->file_count + 1, sizeof *files);
    *count = 0;
    for (size_t i = 0; files && i < corpus->file_count; i++) {
        files[i].path = strdup(corpus->files[i].path);
        if (!files[i].path) return IP_FAILED;
        memcpy(files[i].fingerprint, corpus->files[i].fingerprint, sizeof files[i].fingerprint);
        *count = i + 1;
    }
    return files ? IP_OK : IP_FAILED;
}

static ip_status corpus_progress(void *context, uint64_t bytes, uint64_t all, ip_error *error) {
    ip_session *session = context;
    session->all = all;
    uint64_t before = atomic_load(&session->done);
    return ip_session_advance(session, bytes > before ? bytes - before : 0, error);
}

static bool ends_with(const char *text, const char *tail) {
    size_t n = strlen(text), m = strlen(tail);
    return n >= m && strcmp(text + n - m, tail) == 0;
}

const char *ip_session_tokenizer_json(const ip_session *session) {
    const ip_checkpoint *file = ip_model_checkpoint(session->model);
    const char *json = session->settings->tokenizer;
    return json || file->gguf ? json : file->folder->path;
}

ip_status ip_session_tokenizer(ip_session *session, ip_tokenizer **out, ip_error *error) {
    const char *json = ip_session_tokenizer_json(session);
    if (!json) return ip_tokenizer_from_gguf(out, ip_model_checkpoint(session->model)->gguf, warn_of, session, error);
    return ip_tokenizer_open_json(out, json, ip_model_plan(session->model)->vocabulary, warn_of, session, error);
}

/* The tokenizer of a GGUF, or of the tokenizer.json in a model's folder; or the one that was asked for. */
ip_status ip_session_tokenizer_alone(ip_session *session, ip_tokenizer **out, const char *model, ip_error *error) {
    const char *json = session->settings->tokenizer;
    struct stat st;
    if (!json && stat(model, &st) == 0 && S_ISDIR(st.st_mode)) json = model;
    if (json) return ip_tokenizer_open_json(out, json, 0, warn_of, session, error);
    ip_gguf *file = NULL;
    ip_status status = ip_gguf_open(&file, model, warn_of, session, error);
    if (status == IP_OK) status = ip_tokenizer_from_gguf(out, file, warn_of, session, error);
    ip_gguf_close(file);
    return status;
}

/* Reads the corpora into session->corpus; the tokenizer is what they are read with, or NULL. */
static ip_status read_corpus(ip_session *session, const char *const *corpora, size_t count,
                             const ip_tokenizer *tokenizer, ip_error *error) {
    const size_t vocabulary = ip_model_plan(session->model)->vocabulary;
    ip_corpus_options options = ip_corpus_options_of(session->settings);
    ip_status status = ip_corpus_read(&session->corpus, corpora, count, &options, tokenizer, vocabulary, session->pool,
                                      warn_of, session, corpus_progress, session, error);
    if (status == IP_OK && session->corpus.replaced > 0)
        ip_session_warn(session, "%s: invalid UTF-8: %llu U+FFFD put in", corpora[0],
                        (unsigned long long)session->corpus.replaced);
    return status;
}

ip_status ip_session_corpus(ip_session *session, const char *const *corpora, size_t count, ip_error *error) {
    const ip_settings *s = session->settings;
    ip_tokenizer *tokenizer = NULL;
    bool text = false;
    char key[IP_HASH_HEX] = "";
    for (size_t i = 0; i < count; i++) text = text || !ends_with(corpora[i], ".npy");
    ip_session_stage(session, "tokens", 0, "bytes");
    for (size_t i = 0; i < count && ip_ranks_count(session->host->ranks) > 1; i++)
        if (strcmp(corpora[i], "-") == 0)
            return ip_fail(error, IP_USAGE, "-: standard input comes to one rank only; put the text into a file");
    ip_status status = IP_OK;
    if (s->tokens && s->shards == 0) status = ip_tokens_key(key, session, corpora, count, text, error);
    const ip_corpus *kept = ip_tokens_find(s->tokens, key);
    if (status == IP_OK && text && !kept) status = ip_session_tokenizer(session, &tokenizer, error);
    if (status == IP_OK && kept) {
        session->corpus = *kept;
        session->corpus_is_kept = true;
    } else if (status == IP_OK) {
        status = read_corpus(session, corpora, count, tokenizer, error);
        if (status == IP_OK && key[0] != '\0') {
            ip_tokens_keep(s->tokens, key, &session->corpus);
            session->corpus_is_kept = true;
        }
    }
    /* n-grams are listed as text where there is a tokenizer; ids alone will do. */
    if (status == IP_OK && s->top > 0 && !tokenizer && ip_session_tokenizer(session, &tokenizer, error) != IP_OK)
        tokenizer = NULL;
    if (s->top > 0) {
        session->tokenizer = tokenizer;
    } else {
        ip_tokenizer_free(tokenizer);
    }
    return status;
}

ip_status ip_session_close(ip_session *session, ip_status status, ip_error *error) {
    ip_session_end(session);
    ip_error failure = session->failure;
    if (session->deal) { /* the ids are the whole's */
        free(session->corpus.offsets);
        session->corpus = session->undealt;
        free(session->deal);
    }
    if (!session->corpus_is_kept) ip_corpus_free(&session->corpus);
    ip_tokenizer_free(session->tokenizer);
    ip_model_close(session->model);
    ip_pool_destroy(session->pool);
    if (session->reporting_ready) pthread_mutex_destroy(&session->reporting);
    memset(session, 0, sizeof *session);
    /* What was computed from a map that failed is no result, and whatever was found wrong with it is not the cause. */
    if (failure.status == IP_OK) return status;
    if (error) *error = failure;
    return failure.status;
}

void ip_session_sample_memory(ip_session *session) {
    uint64_t now = ip_resident_anonymous();
    if (now > session->peak_memory) session->peak_memory = now;
}

void ip_session_end(ip_session *session) {
    if (session->failure.status == IP_OK) ip_map_check(&session->failure);
    if (!session->stage) return;
    double spent = ip_seconds() - session->stage_started;
    size_t i = 0;
    while (i < session->time_count && strcmp(session->times[i].name, session->stage) != 0) i++;
    if (i < sizeof session->times / sizeof *session->times) {
        if (i == session->time_count) session->times[session->time_count++] = (ip_stage_time){session->stage, 0.0};
        session->times[i].seconds += spent;
    }
    session->stage = NULL;
    ip_session_sample_memory(session);
}

void ip_session_stage(ip_session *session, const char *stage, uint64_t all, const char *unit) {
    ip_session_end(session);
    session->stage = stage;
    session->stage_started = ip_seconds();
    session->all = all;
    session->unit = unit;
    atomic_store(&session->done, 0);
}

ip_status ip_session_advance(ip_session *session, uint64_t units, ip_error *error) {
    const ip_host *host = session->host;
    uint64_t done = atomic_fetch_add(&session->done, units) + units;
    if (ip_map_check(error) != IP_OK) return IP_FAILED;
    if (host->cancelled && host->cancelled(host->context))
        return ip_fail(error, IP_INTERRUPTED, "interrupted: no result was written");
    if (!host->progress) return IP_OK;
    uint64_t now = (uint64_t)((ip_seconds() - session->started) * 1000.0), due = atomic_load(&session->next_report);
    if (now >= due && atomic_compare_exchange_strong(&session->next_report, &due, now + 100)) {
        ip_progress progress = {session->stage,     (double)done,  (double)session->all, session->unit,
                                session->step_name, session->step, session->steps};
        pthread_mutex_lock(&session->reporting);
        host->progress(host->context, &progress);
        pthread_mutex_unlock(&session->reporting);
    }
    return IP_OK;
}

/* ---- descriptions ---- */

typedef struct used_ariths {
    ip_compute compute;
    bool used[IP_ARITHS];
} used_ariths;

static void note_arith(void *context, const ip_weight *weight) {
    used_ariths *u = context;
    u->used[ip_weight_arith(ip_weight_compute(u->compute, weight), weight->tensor)] = true;
}

void ip_compute_describe(const ip_session *session, char *out, size_t n) {
    static const char *const names[] = {"f32", "bf16", "int16", "int8"};
    const ip_plan *plan = ip_model_plan(session->model);
    used_ariths u = {session->compute, {false}};
    for (size_t i = 0; i < plan->layers; i++) ip_block_each(&plan->blocks[i], note_arith, &u);
    out[0] = '\0';
    for (int a = IP_ARITHS - 1; a >= 0; a--) {
        if (!u.used[a]) continue;
        size_t length = strlen(out);
        snprintf(out + length, n - length, "%s%s", length > 0 ? "+" : "", names[a]);
    }
}

typedef struct share {
    const ip_type *type;
    uint64_t elements;
} share;

static int by_share(const void *a, const void *b) {
    const share *x = a, *y = b;
    if (x->elements != y->elements) return x->elements > y->elements ? -1 : 1;
    return x->type->id < y->type->id ? -1 : x->type->id > y->type->id;
}

char *ip_weights_describe(const ip_session *session, bool stored) {
    const ip_checkpoint *file = ip_model_checkpoint(session->model);
    share shares[64] = {{NULL, 0}};
    size_t count = 0;
    for (size_t i = 0; i < ip_checkpoint_tensor_count(file); i++) {
        const ip_tensor *t = ip_checkpoint_tensor_at(file, i);
        const ip_type *type = stored ? t->type : ip_weight_type(session->compute, t);
        size_t j = 0;
        while (j < count && shares[j].type != type) j++;
        if (j == sizeof shares / sizeof *shares) continue;
        if (j == count) shares[count++] = (share){type, 0};
        shares[j].elements += t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
    }
    qsort(shares, count, sizeof *shares, by_share);
    char text[512] = "";
    for (size_t j = 0; j < count; j++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", length > 0 ? ", " : "", shares[j].type->name);
    }
    return strdup(text);
}

/* What every command needs before it starts: kernels, threads, the model, the tokens. */
#ifndef IP_CORE_SESSION_H
#define IP_CORE_SESSION_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "arch/dispatch.h"
#include "core/base/pool.h"
#include "core/infoplane.h"
#include "core/input/corpus.h"
#include "core/input/weights.h"
#include "models/model.h"

typedef struct ip_session {
    const ip_settings *settings;
    const ip_host *host;
    const ip_kernels *kernels;
    ip_pool *pool;
    ip_compute compute;
    ip_model *model;
    ip_corpus corpus;        /* what this process takes through the model */
    const ip_corpus *whole;  /* what all ranks take together: &corpus where there are none */
    bool corpus_is_kept;     /* it belongs to settings->tokens */
    ip_corpus undealt;       /* the whole, once it is dealt */
    uint64_t *deal;          /* [ranks + 1]: first document of each rank; NULL: not dealt */
    ip_tokenizer *tokenizer; /* kept only where n-grams are to be named (settings->top); may be NULL then */
    uint64_t memory_bound;
    /* stages */
    const char *stage, *step_name;
    unsigned step, steps;
    double started, stage_started;
    ip_stage_time times[8];
    size_t time_count;
    /* progress: work done is counted by all threads, told by whoever finds that a tenth of a second has passed */
    _Atomic uint64_t done;
    uint64_t all;
    const char *unit;
    _Atomic uint64_t next_report; /* milliseconds since the start */
    pthread_mutex_t reporting;
    bool reporting_ready;
    uint64_t peak_memory;
    ip_error failure; /* of a map, noted when a stage ends */
} ip_session;

/* Kernels, threads, names of settings. Close it whatever was returned. */
ip_status ip_session_open(ip_session *session, const ip_settings *settings, const ip_host *host, ip_error *error);
/* The model, and the tokens of the corpora under its tokenizer. */
ip_status ip_session_model(ip_session *session, const char *model, ip_error *error);
ip_status ip_session_corpus(ip_session *session, const char *const *corpora, size_t count, ip_error *error);
/* Of a model that is not opened: only its tokenizer is wanted. */
ip_status ip_session_tokenizer_alone(ip_session *session, ip_tokenizer **out, const char *model, ip_error *error);
/* The tokenizer.json, or its folder, that was asked for or is the model's; NULL: the keys of its GGUF. */
const char *ip_session_tokenizer_json(const ip_session *session);
/* The tokenizer of the model that is open, from there; ip_tokenizer_free. */
ip_status ip_session_tokenizer(ip_session *session, ip_tokenizer **out, ip_error *error);
/* Returns status, or the failure of a map that was read meanwhile, which then stands in *error. */
ip_status ip_session_close(ip_session *session, ip_status status, ip_error *error);

/* Who takes which documents: deal[r] is the first one of rank r, deal[ranks] their number. Consecutive, in multiples of `unit`,
 * one at least to each; the rank with the most tokens, for whom the others wait, has as few as can be. */
void ip_deal_documents(uint64_t *deal, const ip_corpus *corpus, size_t unit, unsigned ranks);
/* Leaves this rank its documents, in multiples of `unit`. A process that is alone has all. IP_BAD_INPUT when there are fewer units than ranks. */
ip_status ip_session_deal(ip_session *session, size_t unit, ip_error *error);
/* Number in the whole of the first document that is this rank's. */
size_t ip_session_first_document(const ip_session *session);

/* A corpus' files as reports name them; IP_FAILED without memory, with what was copied in *out. */
ip_status ip_corpus_name_files(ip_file_name **out, size_t *count, const ip_corpus *corpus);

/* The corpus options that settings say. */
ip_corpus_options ip_corpus_options_of(const ip_settings *settings);

/* Begins a stage of `all` units (0: unknown); the time of the one before is added to its row. Stages of one name add up. */
void ip_session_stage(ip_session *session, const char *stage, uint64_t all, const char *unit);
/* Ends the last stage and samples the memory. */
void ip_session_end(ip_session *session);
/* Adds work done; from any thread. IP_INTERRUPTED when the host wants to stop. */
ip_status ip_session_advance(ip_session *session, uint64_t units, ip_error *error);
/* A line for the host, made printable; a host may be NULL. */
void ip_host_warn(const ip_host *host, const char *format, va_list args);
void ip_session_warn(const ip_session *session, const char *format, ...) IP_PRINTF(2, 3);
/* Notes the anonymous resident memory of the moment. */
void ip_session_sample_memory(ip_session *session);

/* Seconds on a clock that only goes forward. */
double ip_seconds(void);

/* Name of the arithmetic of the blocks' matrices: "int16", "f32" or both, "int16+f32". */
void ip_compute_describe(const ip_session *session, char *out, size_t n);

/* Types of the model's tensors by share of elements, as they are read or as they are stored: "Q4_1, Q8_0, F32";
 * malloc'ed. */
char *ip_weights_describe(const ip_session *session, bool stored);

#endif

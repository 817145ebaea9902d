/* Overlap of two corpora: which n-grams of A stand anywhere in B.
 *
 * A is kept: its symbols, and a table of its distinct n-grams. B streams past it, of any size, and marks what it meets;
 * an n-gram can only be in A when the shorter one at its end is, so most positions of B are done after one or two
 * look-ups. Then A's positions are gone through again and counted by their marks. Nothing depends on threads.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/resident.h"
#include "core/infoplane.h"
#include "core/input/session.h"
#include "core/ngrams/gram_table.h"

/* Symbols of B that are looked up together, and of A entered together; symbols of a task; of a batch of ids. */
enum { TOGETHER = 64, TASK = 1 << 14, BATCH = 1 << 22 };

typedef struct overlap {
    ip_session *session;
    ip_overlap_result *out;
    ip_tokenizer *tokenizer;
    ip_gram_table table;
    /* symbols that are held: all of A, a batch of B. depth: how many of its document end there, the longest order at most */
    uint64_t *symbols;
    uint8_t *depth;
    size_t count, room, done; /* done: symbols of the batch that were looked up before */
    size_t in_document;
    uint64_t *ends; /* of A: [documents] */
    size_t ends_room;
    uint64_t (*marked)[IP_OVERLAP_ORDERS]; /* per worker: n-grams of B met for the first time */
} overlap;

static unsigned longest(const overlap *o) { return o->out->orders[o->out->order_count - 1].order; }

/* ---- symbols as they come ---- */

static ip_status take_symbols(void *context, const uint64_t *symbols, size_t n, ip_error *error) {
    overlap *o = context;
    if (n > o->room - o->count) {
        size_t room = o->count + n + o->count / 2 + 4096;
        uint64_t *larger = realloc(o->symbols, room * sizeof *larger);
        if (larger) o->symbols = larger;
        uint8_t *depth = larger ? realloc(o->depth, room) : NULL;
        if (depth) o->depth = depth;
        if (!depth) return ip_fail(error, IP_FAILED, "out of memory for %zu symbols of the corpus", o->count + n);
        o->room = room;
    }
    if (n > 0) memcpy(o->symbols + o->count, symbols, n * sizeof *symbols);
    for (size_t i = 0; i < n; i++) {
        o->in_document++;
        o->depth[o->count + i] = (uint8_t)(o->in_document < longest(o) ? o->in_document : longest(o));
    }
    o->count += n;
    return IP_OK;
}

static ip_status end_of_a(void *context, size_t file, ip_error *error) {
    overlap *o = context;
    ip_overlap_result *out = o->out;
    if (out->documents == o->ends_room) {
        size_t room = o->ends_room * 2 + 1024;
        uint64_t *ends = realloc(o->ends, room * sizeof *ends);
        if (ends) o->ends = ends;
        uint32_t *files = ends ? realloc(out->document_file, room * sizeof *files) : NULL;
        if (!files) return ip_fail(error, IP_FAILED, "out of memory for %zu documents", o->ends_room);
        out->document_file = files;
        o->ends_room = room;
    }
    out->document_file[out->documents] = (uint32_t)file;
    o->ends[out->documents++] = o->count;
    o->in_document = 0;
    return IP_OK;
}

static ip_status nothing(void *context, ip_error *error) {
    (void)context;
    (void)error;
    return IP_OK;
}

/* ---- A into the table ---- */

static ip_status enter_all(overlap *o, ip_error *error) {
    ip_key128 keys[TOGETHER];
    ip_status status = IP_OK;
    for (unsigned k = 0; status == IP_OK && k < o->out->order_count; k++) {
        ip_overlap_order *order = &o->out->orders[k];
        for (size_t at = 0; status == IP_OK && at < o->count;) {
            size_t n = 0;
            for (; n < TOGETHER && at < o->count; at++) {
                if (o->depth[at] < order->order) continue;
                keys[n] = ip_gram_key(o->symbols + at + 1 - order->order, order->order);
                ip_gram_prefetch(&o->table, keys[n++]);
            }
            for (size_t i = 0; status == IP_OK && i < n; i++) {
                bool fresh;
                status = ip_gram_enter(&o->table, keys[i], &fresh, error);
                order->distinct += fresh;
            }
            order->positions += n;
            if (status == IP_OK) status = ip_session_advance(o->session, n, error);
        }
    }
    return status;
}

/* ---- B past it ---- */

static ip_status look_up(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)error;
    overlap *o = context;
    size_t begin = o->done + task * TASK, end = o->count - begin < TASK ? o->count : begin + TASK;
    size_t active[TOGETHER];
    ip_key128 keys[TOGETHER];
    for (size_t at = begin; at < end;) {
        size_t n = 0;
        while (n < TOGETHER && at < end) active[n++] = at++;
        for (unsigned k = 0; k < o->out->order_count && n > 0; k++) {
            unsigned order = o->out->orders[k].order;
            size_t left = 0;
            for (size_t i = 0; i < n; i++) {
                if (o->depth[active[i]] < order) continue;
                keys[left] = ip_gram_key(o->symbols + active[i] + 1 - order, order);
                ip_gram_prefetch(&o->table, keys[left]);
                active[left++] = active[i];
            }
            n = left;
            left = 0;
            for (size_t i = 0; i < n; i++) {
                ip_gram *gram = ip_gram_find(&o->table, keys[i]);
                if (!gram) continue;
                o->marked[worker][k] += ip_gram_mark(gram);
                active[left++] = active[i];
            }
            n = left;
        }
    }
    return IP_OK;
}

/* Looks the batch up, and keeps of its end what n-grams of the next one can begin with. */
static ip_status pass_batch(void *context, ip_error *error) {
    overlap *o = context;
    size_t tasks = (o->count - o->done + TASK - 1) / TASK, keep = longest(o) - 1;
    ip_status status = ip_pool_run(o->session->pool, tasks, look_up, o, error);
    if (keep > o->count) keep = o->count;
    if (keep > 0) {
        memmove(o->symbols, o->symbols + o->count - keep, keep * sizeof *o->symbols);
        memmove(o->depth, o->depth + o->count - keep, keep);
    }
    o->count = o->done = keep;
    return status;
}

static ip_status end_of_b(void *context, size_t file, ip_error *error) {
    (void)file;
    overlap *o = context;
    o->in_document = 0;
    return o->count - o->done > BATCH ? pass_batch(o, error) : IP_OK;
}

/* ---- A again ---- */

static ip_status count_document(void *context, size_t document, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    overlap *o = context;
    uint32_t *hits = o->out->hits + document * o->out->order_count;
    for (size_t at = document ? o->ends[document - 1] : 0; at < o->ends[document]; at++) {
        for (unsigned k = 0; k < o->out->order_count; k++) {
            unsigned order = o->out->orders[k].order;
            if (o->depth[at] < order) break;
            const ip_gram *gram = ip_gram_find(&o->table, ip_gram_key(o->symbols + at + 1 - order, order));
            if (!ip_gram_marked(gram)) break; /* then no longer one is */
            hits[k]++;
        }
    }
    return IP_OK;
}

static ip_status count_all(overlap *o, ip_error *error) {
    ip_overlap_result *out = o->out;
    out->hits = calloc(out->documents * out->order_count + 1, sizeof *out->hits);
    out->lengths = calloc(out->documents + 1, sizeof *out->lengths);
    if (!out->hits || !out->lengths) return ip_fail(error, IP_FAILED, "out of memory for the documents' counts");
    ip_status status = ip_pool_run(o->session->pool, out->documents, count_document, o, error);
    for (size_t d = 0; status == IP_OK && d < out->documents; d++) {
        out->lengths[d] = o->ends[d] - (d ? o->ends[d - 1] : 0);
        for (unsigned k = 0; k < out->order_count; k++) {
            ip_overlap_order *order = &out->orders[k];
            uint64_t positions = ip_overlap_positions(out->lengths[d], order->order);
            uint64_t hits = out->hits[d * out->order_count + k];
            order->shared += hits;
            order->documents += positions > 0;
            order->overlapping += positions > 0 && (double)hits > out->share * (double)positions;
        }
    }
    return status;
}

/* ---- the whole ---- */

static void warn_of(void *context, const char *line) { ip_session_warn(context, "%s", line); }

static ip_status progress(void *context, uint64_t bytes, uint64_t all, ip_error *error) {
    ip_session *session = context;
    session->all = all;
    uint64_t before = atomic_load(&session->done);
    return ip_session_advance(session, bytes > before ? bytes - before : 0, error);
}

static ip_status open_tokenizer(overlap *o, ip_error *error) {
    const char *path = o->session->settings->tokenizer;
    if (!path) return IP_OK;
    size_t n = strlen(path);
    ip_status status;
    if (n > 5 && strcmp(path + n - 5, ".gguf") == 0) {
        ip_gguf *file;
        status = ip_gguf_open(&file, path, warn_of, o->session, error);
        if (status != IP_OK) return status;
        status = ip_tokenizer_from_gguf(&o->tokenizer, file, warn_of, o->session, error);
        ip_gguf_close(file);
    } else {
        status = ip_tokenizer_open_json(&o->tokenizer, path, 0, warn_of, o->session, error);
    }
    if (status != IP_OK) return status;
    o->out->tokenizer = strdup(path);
    return o->out->tokenizer ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
}

/* Reads one side; its files and numbers go to the result. */
static ip_status stream(overlap *o, const char *const *paths, size_t count, const ip_corpus_sink *sink,
                        const char *stage, ip_overlap_side *side, ip_error *error) {
    ip_session *session = o->session;
    ip_corpus corpus;
    ip_corpus_options options = ip_corpus_options_of(session->settings);
    if (side == &o->out->b) options.documents = 0; /* "anywhere in B" means all of it */
    ip_session_stage(session, stage, 0, "bytes");
    double begun = ip_seconds();
    ip_status status = ip_corpus_stream(&corpus, paths, count, &options, o->tokenizer, session->pool, sink, warn_of,
                                        session, progress, session, error);
    ip_session_end(session);
    if (status != IP_OK) return status;
    side->seconds = ip_seconds() - begun;
    side->documents = corpus.documents;
    side->symbols = corpus.tokens;
    side->files = calloc(corpus.file_count + 1, sizeof *side->files);
    for (size_t i = 0; side->files && i < corpus.file_count; i++) {
        side->files[i].path = strdup(corpus.files[i].path);
        memcpy(side->files[i].fingerprint, corpus.files[i].fingerprint, sizeof side->files[i].fingerprint);
        if (!side->files[i].path) break;
        side->file_count = i + 1;
    }
    bool whole = side->files && side->file_count == corpus.file_count;
    ip_corpus_free(&corpus);
    return whole ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
}

static ip_status run(overlap *o, const char *const *a, size_t a_count, const char *const *b, size_t b_count,
                     ip_error *error) {
    ip_session *session = o->session;
    ip_status status = open_tokenizer(o, error);
    const ip_corpus_sink keep = {o, take_symbols, end_of_a, nothing}, pass = {o, take_symbols, end_of_b, pass_batch};
    if (status == IP_OK) status = stream(o, a, a_count, &keep, "corpus", &o->out->a, error);
    uint64_t held = ip_resident_anonymous(), bound = session->memory_bound;
    if (status == IP_OK) status = ip_gram_table_open(&o->table, bound > held ? bound - held : 0, error);
    ip_session_stage(session, "table", (uint64_t)o->count * o->out->order_count, "n-grams");
    if (status == IP_OK) status = enter_all(o, error);
    ip_session_end(session);
    if (status != IP_OK) return status;
    /* A's symbols step aside while B's come. */
    overlap kept = *o;
    o->symbols = NULL;
    o->depth = NULL;
    o->count = o->room = o->done = o->in_document = 0;
    o->marked = calloc(ip_pool_threads(session->pool), sizeof *o->marked);
    if (!o->marked) status = ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) status = stream(o, b, b_count, &pass, "against", &o->out->b, error);
    if (status == IP_OK) status = pass_batch(o, error);
    free(o->symbols);
    free(o->depth);
    o->symbols = kept.symbols;
    o->depth = kept.depth;
    o->count = kept.count;
    o->room = kept.room;
    for (unsigned w = 0; o->marked && w < ip_pool_threads(session->pool); w++)
        for (unsigned k = 0; k < o->out->order_count; k++) o->out->orders[k].shared_distinct += o->marked[w][k];
    ip_session_stage(session, "counts", 0, "");
    if (status == IP_OK) status = count_all(o, error);
    ip_session_end(session);
    o->out->table_bytes = (o->table.mask + 1) * sizeof(ip_gram);
    return status;
}

ip_status ip_overlap(ip_overlap_result **out, const char *const *a, size_t a_count, const char *const *b,
                     size_t b_count, const ip_overlap_options *options, const ip_settings *settings,
                     const ip_host *host, ip_error *error) {
    static const unsigned standard[] = {1, 2, 3, 5, 8, 13};
    *out = NULL;
    if (options->orders > IP_OVERLAP_ORDERS || !(options->share >= 0.0 && options->share <= 1.0))
        return ip_fail(error, IP_USAGE, "overlap: orders go to %d, --share from 0 to 1", IP_OVERLAP_ORDERS);
    ip_overlap_result *result = calloc(1, sizeof *result);
    if (!result) return ip_fail(error, IP_FAILED, "out of memory");
    result->order_count = options->orders ? options->orders : sizeof standard / sizeof *standard;
    result->share = options->share;
    result->top = options->top;
    for (unsigned k = 0; k < result->order_count; k++) result->orders[k].order = options->orders ? k + 1 : standard[k];
    ip_session session;
    overlap o = {.session = &session, .out = result};
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = run(&o, a, a_count, b, b_count, error);
    ip_gram_table_close(&o.table);
    free(o.symbols);
    free(o.depth);
    free(o.ends);
    free(o.marked);
    ip_tokenizer_free(o.tokenizer);
    status = ip_session_close(&session, status, error);
    if (status == IP_OK)
        *out = result;
    else
        ip_overlap_free(result);
    return status;
}

static void free_side(ip_overlap_side *side) {
    for (size_t i = 0; i < side->file_count; i++) free(side->files[i].path);
    free(side->files);
}

void ip_overlap_free(ip_overlap_result *result) {
    if (!result) return;
    free_side(&result->a);
    free_side(&result->b);
    free(result->tokenizer);
    free(result->document_file);
    free(result->hits);
    free(result->lengths);
    free(result);
}

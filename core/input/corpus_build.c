/* Documents from jobs: a batch of jobs is tokenized by all threads, then taken in order, so that nothing depends on
 * who did what. In a stream (chunk, file) the ids of all parts follow each other and documents are cut from them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/input/corpus_internal.h"

/* Enough work to share, little enough to hold; and parts of a long document after which its length is looked at. */
enum { BATCH_BYTES = 4 << 20, BATCH_JOBS = 1 << 13, SLICE = 1 << 16 };

ip_status ip_builder_out_of_memory(const ip_builder *b, ip_error *error) {
    return ip_fail(error, IP_FAILED, "%s: out of memory for the corpus (%llu tokens so far)", b->path,
                   (unsigned long long)b->out->tokens);
}

ip_status ip_builder_job(ip_builder *b, char *bytes, size_t n, uint64_t line, bool first, ip_error *error) {
    if (b->job_count == b->job_room) {
        size_t room = b->job_room ? b->job_room * 2 : 64;
        ip_job *jobs = realloc(b->jobs, room * sizeof *jobs);
        if (!jobs) {
            free(bytes);
            return ip_builder_out_of_memory(b, error);
        }
        b->jobs = jobs;
        b->job_room = room;
    }
    b->jobs[b->job_count++] = (ip_job){.bytes = bytes, .n = n, .line = line, .first = first};
    b->job_bytes += n;
    return IP_OK;
}

/* Full also when it holds what the documents asked for are likely to need, so that little is read in vain. */
bool ip_builder_batch_full(const ip_builder *b) {
    if (b->job_bytes >= BATCH_BYTES || b->job_count >= BATCH_JOBS) return true;
    if (b->options->documents == 0) return false;
    uint64_t left = b->options->documents - b->out->documents;
    if (!b->streaming) return b->job_count >= left;
    return b->most != SIZE_MAX && left < BATCH_BYTES / 8 && b->most < BATCH_BYTES / 8 &&
           b->job_bytes >= left * b->most * 8;
}

/* ---- in threads ---- */

/* Ids of a document's text; behind a document's last token nothing needs to be tokenized. */
static ip_status tokenize(const ip_builder *b, ip_tokenizer_scratch *scratch, ip_job *job, const char *text, size_t n,
                          ip_error *error) {
    size_t most = b->most == SIZE_MAX ? SIZE_MAX : b->most - b->fronts - b->backs;
    if (b->streaming) most = b->sated ? 0 : SIZE_MAX;
    bool first = job->first;
    for (size_t at = 0; at < n && job->ids.count < most;) {
        size_t size = SLICE, cut = 0, from = 0;
        while (cut == 0 && size < n - at) {
            cut = ip_tokenizer_cut(b->tokenizer, text + at, from, size);
            from = size - 1;
            size *= 2;
        }
        if (cut == 0) cut = n - at;
        ip_status status =
            ip_tokenize_on(b->tokenizer, scratch, text + at, cut, first, b->options->parse_special, &job->ids, error);
        if (status != IP_OK) return status;
        first = false;
        at += cut;
    }
    if (job->ids.count > most) job->ids.count = most;
    return IP_OK;
}

static ip_status run_job(void *context, size_t task, unsigned worker, ip_error *error) {
    ip_builder *b = context;
    ip_job *job = &b->jobs[task];
    if (b->tokenizer && !b->scratch[worker]) b->scratch[worker] = ip_tokenizer_scratch_new(b->tokenizer);
    if (b->tokenizer && !b->scratch[worker]) return ip_builder_out_of_memory(b, error);
    if (job->line) {
        ip_line_place place = {b->path, job->line};
        ip_status status = ip_json_line_text(job->bytes, job->n, place, b->field, &job->text, &job->text_n, error);
        if (status != IP_OK) return status;
    } else if (ip_utf8_valid_prefix((const unsigned char *)job->bytes, job->n) < job->n) {
        job->text = ip_utf8_replace((const unsigned char *)job->bytes, job->n, &job->text_n, &job->replaced);
        if (!job->text) return ip_builder_out_of_memory(b, error);
    }
    if (job->text) {
        free(job->bytes);
        job->bytes = NULL;
    }
    const char *text = job->text ? job->text : job->bytes;
    size_t n = job->text ? job->text_n : job->n;
    if (b->tokenizer) return tokenize(b, b->scratch[worker], job, text, n, error);
    return ip_words_of(&job->words, text, n) ? IP_OK : ip_builder_out_of_memory(b, error);
}

/* ---- in order ---- */

static ip_status sink_ids(ip_builder *b, const int32_t *ids, size_t n, ip_error *error) {
    enum { SOME = 1024 };
    uint64_t symbols[SOME];
    ip_status status = IP_OK;
    for (size_t at = 0; status == IP_OK && at < n; at += SOME) {
        size_t some = n - at < SOME ? n - at : SOME;
        for (size_t i = 0; i < some; i++) symbols[i] = (uint64_t)ids[at + i];
        status = b->sink->symbols(b->sink->context, symbols, some, error);
    }
    b->out->tokens += n;
    return status;
}

ip_status ip_builder_ids(ip_builder *b, const int32_t *ids, size_t n, ip_error *error) {
    ip_corpus *out = b->out;
    if (n == 0) return IP_OK;
    if (b->sink) return sink_ids(b, ids, n, error);
    if (n > b->ids_room - out->tokens) {
        size_t room = b->ids_room + b->ids_room / 2 + n + 1024;
        int32_t *data = room <= SIZE_MAX / sizeof *data ? realloc(out->ids, room * sizeof *data) : NULL;
        if (!data) return ip_builder_out_of_memory(b, error);
        out->ids = data;
        b->ids_room = room;
    }
    memcpy(out->ids + out->tokens, ids, n * sizeof *ids);
    out->tokens += n;
    return IP_OK;
}

static void hash_length(ip_hash128_stream *hash, uint64_t n) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(n >> 8 * i);
    ip_hash128_update(hash, bytes, sizeof bytes);
}

ip_status ip_builder_close_document(ip_builder *b, ip_error *error) {
    ip_corpus *out = b->out;
    if (b->sink) {
        out->documents++;
        b->open = false;
        return b->sink->end_document(b->sink->context, out->file_count - 1, error);
    }
    if (out->documents + 1 >= b->offsets_room) {
        size_t room = b->offsets_room * 2 + 1024;
        uint64_t *offsets = realloc(out->offsets, room * sizeof *offsets);
        if (!offsets) return ip_builder_out_of_memory(b, error);
        if (b->offsets_room == 0) offsets[0] = 0;
        out->offsets = offsets;
        b->offsets_room = room;
    }
    uint64_t begin = out->offsets[out->documents];
    hash_length(b->ids_hash, out->tokens - begin);
    if (out->tokens > begin)
        ip_hash128_update(b->ids_hash, out->ids + begin, (size_t)(out->tokens - begin) * sizeof *out->ids);
    out->offsets[++out->documents] = out->tokens;
    b->open = false;
    return IP_OK;
}

/* Words of a document, or of the next part of one. */
static ip_status job_words(ip_builder *b, const ip_job *job, ip_error *error) {
    b->open = b->streaming;
    b->out->tokens += job->words.count;
    ip_status status = b->sink->symbols(b->sink->context, job->words.data, job->words.count, error);
    return status == IP_OK && !b->streaming ? ip_builder_close_document(b, error) : status;
}

static ip_status whole_document(ip_builder *b, const ip_job *job, ip_error *error) {
    ip_hash128_update(b->text_hash, job->text ? job->text : job->bytes, job->text ? job->text_n : job->n);
    hash_length(b->text_hash, job->text ? job->text_n : job->n);
    ip_status status = ip_builder_ids(b, b->front, b->fronts, error);
    if (status == IP_OK) status = ip_builder_ids(b, job->ids.data, job->ids.count, error);
    if (status == IP_OK) status = ip_builder_ids(b, b->back, b->backs, error);
    return status == IP_OK ? ip_builder_close_document(b, error) : status;
}

/* The text of a chunk is what its ids stand for: a border can fall inside a character. */
static bool text_from_ids(const ip_builder *b) { return b->split == IP_SPLIT_CHUNK && b->most != SIZE_MAX; }

static void hash_pieces(ip_builder *b, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ip_bytes piece = ip_tokenizer_piece(b->tokenizer, ids[i]);
        ip_hash128_update(b->text_hash, piece.data, piece.size);
        b->open_text += piece.size;
    }
}

static ip_status end_document(ip_builder *b, ip_error *error) {
    hash_length(b->text_hash, b->open_text);
    b->open_text = 0;
    return ip_builder_close_document(b, error);
}

/* More ids of the stream; a file as one document keeps what fits and lets the rest go. */
static ip_status stream_ids(ip_builder *b, const int32_t *ids, size_t n, ip_error *error) {
    bool chunk = b->split == IP_SPLIT_CHUNK;
    size_t room_for_back = chunk ? 0 : b->backs;
    while ((n > 0 || !b->open) && !ip_builder_full(b)) {
        ip_status status = IP_OK;
        if (!b->open) {
            /* A chunk begins with its first token, a file's document with the file. */
            if (chunk && n == 0) break;
            status = ip_builder_ids(b, b->front, b->fronts, error);
            if (status != IP_OK) return status;
            b->open = true;
        }
        uint64_t begin = b->out->documents && !b->sink ? b->out->offsets[b->out->documents] : 0;
        size_t have = (size_t)(b->out->tokens - begin);
        size_t space = b->most == SIZE_MAX ? SIZE_MAX : b->most - room_for_back - have;
        size_t take = n < space ? n : space;
        status = ip_builder_ids(b, ids, take, error);
        if (status != IP_OK) return status;
        if (text_from_ids(b)) hash_pieces(b, ids, take);
        if (take > 0) ids += take; /* ids may be NULL when there are none */
        n -= take;
        if (!chunk) {
            b->sated = take == space;
            break;
        }
        if (take == space) status = end_document(b, error);
        if (status != IP_OK) return status;
    }
    return IP_OK;
}

static ip_status stream_part(ip_builder *b, const ip_job *job, ip_error *error) {
    if (!text_from_ids(b)) {
        size_t n = job->text ? job->text_n : job->n;
        ip_hash128_update(b->text_hash, job->text ? job->text : job->bytes, n);
        b->open_text += n;
    }
    return stream_ids(b, job->ids.data, job->ids.count, error);
}

ip_status ip_builder_end_stream(ip_builder *b, ip_error *error) {
    ip_status status = IP_OK;
    if (b->backs > 0 && b->split == IP_SPLIT_CHUNK) {
        status = stream_ids(b, b->back, b->backs, error);
    } else if (b->open) {
        status = ip_builder_ids(b, b->back, b->backs, error);
    }
    if (status == IP_OK && b->open) status = end_document(b, error);
    return status;
}

ip_status ip_builder_flush(ip_builder *b, ip_error *error) {
    if (b->job_count == 0) return IP_OK;
    ip_status status = ip_pool_run(b->pool, b->job_count, run_job, b, error);
    for (size_t i = 0; i < b->job_count; i++) {
        ip_job *job = &b->jobs[i];
        if (status == IP_OK && !ip_builder_full(b)) {
            b->out->replaced += job->replaced;
            status = !b->tokenizer  ? job_words(b, job, error)
                     : b->streaming ? stream_part(b, job, error)
                                    : whole_document(b, job, error);
        }
        free(job->bytes);
        free(job->text);
        free(job->ids.data);
        ip_words_free(&job->words);
    }
    b->job_count = b->job_bytes = 0;
    if (status == IP_OK && b->sink) status = b->sink->batch_done(b->sink->context, error);
    if (status == IP_OK && b->progress)
        status =
            b->progress(b->progress_context, b->bytes_before + ip_text_reader_position(b->reader), b->bytes_all, error);
    return status;
}

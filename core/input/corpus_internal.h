/* What the files of the corpus share; nothing else includes it. */
#ifndef IP_CORE_CORPUS_INTERNAL_H
#define IP_CORE_CORPUS_INTERNAL_H

#include "core/base/hash.h"
#include "core/input/arrays.h"
#include "core/input/corpus.h"
#include "core/input/json_lines.h"
#include "core/input/text_reader.h"
#include "core/input/words.h"

/* A piece of work for one thread: a document, or a part of the stream of text that a file is. */
typedef struct ip_job {
    char *bytes; /* malloc'ed: a JSON line, or plain text as it stands in the file */
    size_t n;
    uint64_t line; /* of a JSON line, else 0 */
    bool first;    /* the text begins here */
    /* what the thread adds */
    char *text; /* malloc'ed; NULL: bytes is the text already */
    size_t text_n, replaced;
    ip_ids ids;     /* without the tokens around a document */
    ip_words words; /* when there is no tokenizer */
} ip_job;

/* How a file's text becomes documents. */
typedef enum ip_split_kind {
    IP_SPLIT_CHUNK,
    IP_SPLIT_LINE,
    IP_SPLIT_PARAGRAPH,
    IP_SPLIT_FILE,
    IP_SPLIT_SEPARATOR
} ip_split_kind;

typedef struct ip_builder {
    ip_corpus *out;
    const ip_corpus_options *options;
    ip_split_kind split;
    const ip_tokenizer *tokenizer; /* NULL: there are files of ids only, or the sink takes words */
    const ip_corpus_sink *sink;    /* takes the documents; NULL: they are kept in out */
    size_t vocabulary;
    ip_pool *pool;
    ip_warn warn;
    void *warn_context;
    ip_corpus_progress progress;
    void *progress_context;
    uint64_t bytes_before, bytes_all; /* of the files before this one; of all, 0 unknown */

    const int32_t *front, *back; /* tokens around a document */
    size_t fronts, backs, most;  /* most: tokens of a document in all, SIZE_MAX: not cut */

    ip_tokenizer_scratch **scratch; /* per thread */
    size_t ids_room, offsets_room;
    ip_hash128_stream *text_hash, *ids_hash;
    bool any_ids; /* a file of ids: there is no text to hash */

    /* the file at hand */
    const char *path;
    ip_text_reader *reader;
    char *field;
    ip_job *jobs;
    size_t job_count, job_room, job_bytes;

    /* the stream of a file (chunk, file) */
    bool streaming, open; /* open: a document has begun */
    bool sated;           /* split file: the document has all the ids it may have */
    uint64_t open_text;   /* bytes of its text so far */
} ip_builder;

/* Whether as many documents as asked for are there. */
static inline bool ip_builder_full(const ip_builder *b) {
    return b->options->documents != 0 && b->out->documents >= b->options->documents;
}

/* corpus_build.c: documents and tokens. */
ip_status ip_builder_job(ip_builder *b, char *bytes, size_t n, uint64_t line, bool first,
                         ip_error *error); /* takes bytes */
ip_status ip_builder_flush(ip_builder *b, ip_error *error);
bool ip_builder_batch_full(const ip_builder *b);
ip_status ip_builder_end_stream(ip_builder *b, ip_error *error); /* the document at hand ends with the file */
ip_status ip_builder_ids(ip_builder *b, const int32_t *ids, size_t n, ip_error *error);
ip_status ip_builder_close_document(ip_builder *b, ip_error *error);
ip_status ip_builder_out_of_memory(const ip_builder *b, ip_error *error);

/* corpus_text.c: cutting a file of text. raw: one document as it stands. */
ip_status ip_corpus_text(ip_builder *b, bool jsonl, bool raw, ip_error *error);

/* corpus_npy.c: a file of ids, or the array of the options (fingerprint: of its elements). */
ip_status ip_corpus_npy(ip_builder *b, const ip_input *input, char fingerprint[33], ip_error *error);

#endif

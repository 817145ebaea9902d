/* A corpus: files of text or of token ids, cut into documents.
 *
 *   .txt (chunk, line, paragraph, file, separator), .jsonl, each also .gz and .zst, "-", .npy of ids
 *
 * A document is front tokens, text, back tokens, cut at max_tokens so that front and back stay. chunk cuts a file's ids
 * (with the back tokens at their end) into consecutive pieces, each begun with the front tokens. line, paragraph and
 * separator skip documents of nothing but white space; an empty JSONL record is a document.
 * A .npy holds int32 or int64, [documents, tokens], or one dimension whose borders (documents + 1 numbers from 0 on)
 * stand in `offsets`, else in "X.offsets.npy" beside "X.npy"; without borders it is one document.
 * Refused, as IP_BAD_INPUT: a file without any document, UTF-16, broken compression, a bad JSONL line (by its number).
 */
#ifndef IP_CORE_CORPUS_H
#define IP_CORE_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pool.h"
#include "core/base/status.h"
#include "models/model.h"
#include "models/tokenizer.h"

typedef struct ip_corpus_options {
    const char *split;      /* "chunk", "line", "paragraph", "file" or a separator string; NULL: chunk */
    const char *text_field; /* NULL: text, else content, else the only string field */
    const char *format;     /* "txt", "jsonl" or NULL: by name */
    const char *offsets;    /* document borders of a one-dimensional .npy, or NULL */
    uint64_t documents;     /* at most this many; 0: all */
    size_t max_tokens;      /* tokens per document, special ones included; 0: not cut */
    bool add_special, parse_special;
    const struct ip_array *ids, *borders; /* a .npy and its borders in memory, behind the files; NULL: none */
} ip_corpus_options;

typedef struct ip_corpus_file {
    char *path;
    char fingerprint[33]; /* XXH3-128 of the file's bytes as they stand on disk (compressed ones compressed), also of
                             those behind the last document asked for; empty for a pipe that was not read to its end */
} ip_corpus_file;

/* Tokens of document i: ids[offsets[i] .. offsets[i + 1]). */
typedef struct ip_corpus {
    int32_t *ids;
    uint64_t *offsets; /* documents + 1 */
    size_t documents;
    uint64_t tokens;
    ip_corpus_file *files;
    size_t file_count;
    uint64_t replaced;         /* U+FFFD put in for bytes of plain text that were not UTF-8 */
    char text_fingerprint[33]; /* XXH3-128 over the documents' texts after splitting, each followed by its length as
                                   8 bytes little-endian; the text of a chunk is what its ids stand for (a border can
                                   fall inside a character), any other is whole, also where its ids are cut; empty
                                   when a file of ids is among the files */
    char ids_fingerprint[33];  /* XXH3-128 over documents: count as 8 bytes little-endian, then ids as int32 */
} ip_corpus;

/* Reads and tokenizes. Files behind the last document asked for are not opened and not listed. tokenizer may be NULL
 * only when every file is .npy; vocabulary bounds the ids of .npy files. progress, when not NULL, is called now
 * and then with bytes read and bytes in all (0: unknown); a status other than IP_OK stops the reading. */
typedef ip_status (*ip_corpus_progress)(void *context, uint64_t bytes, uint64_t all, ip_error *error);
ip_status ip_corpus_read(ip_corpus *out, const char *const *paths, size_t count, const ip_corpus_options *options,
                         const ip_tokenizer *tokenizer, size_t vocabulary, ip_pool *pool, ip_warn warn,
                         void *warn_context, ip_corpus_progress progress, void *progress_context, ip_error *error);
void ip_corpus_free(ip_corpus *corpus);

/* Who takes the documents of a corpus as they come, symbol by symbol, instead of having them all in memory. Symbols are
 * token ids, or without a tokenizer words (core/input/words.h). A document may come in several pieces. Called from one thread
 * at a time, in the order of the corpus. */
typedef struct ip_corpus_sink {
    void *context;
    ip_status (*symbols)(void *context, const uint64_t *symbols, size_t n, ip_error *error);
    ip_status (*end_document)(void *context, size_t file, ip_error *error); /* file: number of its file, from 0 */
    ip_status (*batch_done)(void *context, ip_error *error);                /* now and then, when much has been given */
} ip_corpus_sink;

/* The same reading; *out keeps files, the number of documents and of symbols (tokens). No special tokens are added and
 * nothing is cut; "chunk" gives one document per file. */
ip_status ip_corpus_stream(ip_corpus *out, const char *const *paths, size_t count, const ip_corpus_options *options,
                           const ip_tokenizer *tokenizer, ip_pool *pool, const ip_corpus_sink *sink, ip_warn warn,
                           void *warn_context, ip_corpus_progress progress, void *progress_context, ip_error *error);

/* One raw text file for `tokenize`: .jsonl and compressed files as a corpus; any other file is one document, read as it
 * stands (mark kept, empty allowed, bytes that are not UTF-8 become U+FFFD). */
ip_status ip_corpus_read_raw(ip_corpus *out, const char *path, const ip_corpus_options *options,
                             const ip_tokenizer *tokenizer, ip_pool *pool, ip_warn warn, void *warn_context,
                             ip_error *error);

#endif

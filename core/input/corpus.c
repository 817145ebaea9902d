/* The files of a corpus one after the other: which format each one has, who reads it, and the fingerprints. */
#include "core/input/corpus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/input/corpus_internal.h"

static bool ends_with(const char *text, size_t n, const char *end) {
    size_t k = strlen(end);
    return n >= k && memcmp(text + n - k, end, k) == 0;
}

typedef enum format { TXT, JSONL, NPY, RAW } format;

static ip_status format_of(const char *path, const char *asked, format *out, ip_error *error) {
    if (asked) {
        *out = strcmp(asked, "jsonl") == 0 ? JSONL : TXT;
        if (strcmp(asked, "jsonl") == 0 || strcmp(asked, "txt") == 0) return IP_OK;
        return ip_fail(error, IP_USAGE, "--format %s: known are txt and jsonl", asked);
    }
    size_t n = strlen(path);
    if (ends_with(path, n, ".parquet"))
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: Parquet is not read; export it as JSON lines: python3 -c \"import pandas; "
                       "pandas.read_parquet('FILE.parquet').to_json('FILE.jsonl', orient='records', lines=True)\"",
                       path);
    bool npy = ends_with(path, n, ".npy");
    if (ends_with(path, n, ".gz"))
        n -= 3;
    else if (ends_with(path, n, ".zst"))
        n -= 4;
    *out = npy ? NPY : ends_with(path, n, ".jsonl") ? JSONL : TXT;
    if (npy || *out == JSONL || ends_with(path, n, ".txt")) return IP_OK;
    return ip_fail(error, IP_USAGE,
                   "%s: the name does not say what is in it (.txt, .jsonl, also .gz or .zst; .npy); give "
                   "--format txt or --format jsonl",
                   path);
}

static ip_status begin(ip_builder *b, ip_error *error) {
    memset(b->out, 0, sizeof *b->out);
    const char *split = b->options->split ? b->options->split : "chunk";
    b->split = strcmp(split, "chunk") == 0       ? IP_SPLIT_CHUNK
               : strcmp(split, "line") == 0      ? IP_SPLIT_LINE
               : strcmp(split, "paragraph") == 0 ? IP_SPLIT_PARAGRAPH
               : strcmp(split, "file") == 0      ? IP_SPLIT_FILE
                                                 : IP_SPLIT_SEPARATOR;
    if (*split == '\0') return ip_fail(error, IP_USAGE, "--split: the separator is empty");
    if (b->tokenizer && b->options->add_special)
        ip_tokenizer_added(b->tokenizer, &b->front, &b->fronts, &b->back, &b->backs);
    b->most = b->options->max_tokens ? b->options->max_tokens : SIZE_MAX;
    if (b->most <= b->fronts + b->backs)
        return ip_fail(error, IP_USAGE,
                       "--max-tokens %zu leaves no room for text beside the %zu special tokens of a document", b->most,
                       b->fronts + b->backs);
    b->text_hash = ip_hash128_new();
    b->ids_hash = ip_hash128_new();
    b->scratch = calloc(ip_pool_threads(b->pool), sizeof *b->scratch);
    if (!b->text_hash || !b->ids_hash || !b->scratch) return ip_fail(error, IP_FAILED, "corpus: out of memory");
    return IP_OK;
}

static ip_status read_text(ip_builder *b, format kind, char fingerprint[33], ip_error *error) {
    if (!b->tokenizer && !b->sink) return ip_fail(error, IP_USAGE, "%s: text needs a tokenizer", b->path);
    ip_status status = ip_text_reader_open(&b->reader, b->path, error);
    if (status != IP_OK) return status;
    if (b->options->text_field) {
        b->field = strdup(b->options->text_field);
        if (!b->field) status = ip_builder_out_of_memory(b, error);
    }
    if (status == IP_OK) status = ip_corpus_text(b, kind == JSONL, kind == RAW, error);
    if (status == IP_OK) status = ip_text_reader_fingerprint(b->reader, fingerprint, error);
    ip_text_reader_close(b->reader);
    b->reader = NULL;
    free(b->field);
    b->field = NULL;
    b->open = b->sated = false;
    b->open_text = 0;
    return status;
}

static ip_status read_file(ip_builder *b, const ip_input *input, format kind, ip_error *error) {
    const char *path = ip_input_name(input);
    ip_corpus_file *files = realloc(b->out->files, (b->out->file_count + 1) * sizeof *files);
    if (!files) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    b->out->files = files;
    ip_corpus_file *file = &files[b->out->file_count];
    *file = (ip_corpus_file){.path = strdup(path)};
    if (!file->path) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    b->out->file_count++;
    b->path = file->path;
    ip_status status =
        kind == NPY ? ip_corpus_npy(b, input, file->fingerprint, error) : read_text(b, kind, file->fingerprint, error);
    struct stat st;
    if (input->path && stat(path, &st) == 0 && S_ISREG(st.st_mode)) b->bytes_before += (uint64_t)st.st_size;
    return status;
}

/* Frees what the builder owns; on failure also what it has built. */
static void finish(ip_builder *b, ip_status status) {
    if (status == IP_OK) {
        if (!b->any_ids) ip_hash128_hex(b->text_hash, b->out->text_fingerprint);
        ip_hash128_hex(b->ids_hash, b->out->ids_fingerprint);
    } else {
        ip_corpus_free(b->out);
    }
    for (unsigned i = 0; b->scratch && i < ip_pool_threads(b->pool); i++) ip_tokenizer_scratch_free(b->scratch[i]);
    for (size_t i = 0; i < b->job_count; i++) {
        free(b->jobs[i].bytes);
        free(b->jobs[i].text);
        free(b->jobs[i].ids.data);
        ip_words_free(&b->jobs[i].words);
    }
    free(b->scratch);
    free(b->jobs);
    ip_hash128_free(b->text_hash);
    ip_hash128_free(b->ids_hash);
}

/* Bytes of all files, 0 when one of them has no size. */
static uint64_t bytes_in_all(const char *const *paths, size_t count) {
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (stat(paths[i], &st) != 0 || !S_ISREG(st.st_mode)) return 0;
        all += (uint64_t)st.st_size;
    }
    return all;
}

static ip_status read_files(ip_builder *b, const char *const *paths, size_t count, ip_error *error) {
    b->bytes_all = bytes_in_all(paths, count);
    ip_status status = begin(b, error);
    if (b->sink && b->split == IP_SPLIT_CHUNK) b->split = IP_SPLIT_FILE;
    for (size_t i = 0; status == IP_OK && i < count && !ip_builder_full(b); i++) {
        format kind;
        status = format_of(paths[i], b->options->format, &kind, error);
        if (status == IP_OK && kind == NPY && b->sink && !b->tokenizer)
            status = ip_fail(error, IP_USAGE, "%s: holds token ids: they have no words; give --tokenizer", paths[i]);
        if (status == IP_OK) status = read_file(b, &(ip_input){.path = paths[i]}, kind, error);
    }
    if (status == IP_OK && b->options->ids && !ip_builder_full(b))
        status = read_file(b, &(ip_input){.array = b->options->ids}, NPY, error);
    if (status == IP_OK && b->out->documents == 0)
        status = ip_fail(error, IP_BAD_INPUT, "the corpus is empty: no files");
    finish(b, status);
    return status;
}

ip_status ip_corpus_read(ip_corpus *out, const char *const *paths, size_t count, const ip_corpus_options *options,
                         const ip_tokenizer *tokenizer, size_t vocabulary, ip_pool *pool, ip_warn warn,
                         void *warn_context, ip_corpus_progress progress, void *progress_context, ip_error *error) {
    ip_builder b = {.out = out,
                    .options = options,
                    .tokenizer = tokenizer,
                    .vocabulary = vocabulary,
                    .pool = pool,
                    .warn = warn,
                    .warn_context = warn_context,
                    .progress = progress,
                    .progress_context = progress_context};
    return read_files(&b, paths, count, error);
}

ip_status ip_corpus_stream(ip_corpus *out, const char *const *paths, size_t count, const ip_corpus_options *options,
                           const ip_tokenizer *tokenizer, ip_pool *pool, const ip_corpus_sink *sink, ip_warn warn,
                           void *warn_context, ip_corpus_progress progress, void *progress_context, ip_error *error) {
    ip_corpus_options whole = *options;
    whole.max_tokens = 0;
    whole.add_special = false;
    ip_builder b = {.out = out,
                    .options = &whole,
                    .tokenizer = tokenizer,
                    .sink = sink,
                    .vocabulary = tokenizer ? ip_tokenizer_vocabulary(tokenizer) : 0,
                    .pool = pool,
                    .warn = warn,
                    .warn_context = warn_context,
                    .progress = progress,
                    .progress_context = progress_context};
    return read_files(&b, paths, count, error);
}

ip_status ip_corpus_read_raw(ip_corpus *out, const char *path, const ip_corpus_options *options,
                             const ip_tokenizer *tokenizer, ip_pool *pool, ip_warn warn, void *warn_context,
                             ip_error *error) {
    size_t n = strlen(path);
    bool corpus = ends_with(path, n, ".jsonl") || ends_with(path, n, ".gz") || ends_with(path, n, ".zst") ||
                  (options->format && strcmp(options->format, "jsonl") == 0);
    if (corpus)
        return ip_corpus_read(out, &path, 1, options, tokenizer, ip_tokenizer_vocabulary(tokenizer), pool, warn,
                              warn_context, NULL, NULL, error);
    ip_builder b = {.out = out,
                    .options = options,
                    .tokenizer = tokenizer,
                    .vocabulary = ip_tokenizer_vocabulary(tokenizer),
                    .pool = pool,
                    .warn = warn,
                    .warn_context = warn_context};
    ip_status status = begin(&b, error);
    b.split = IP_SPLIT_FILE;
    if (status == IP_OK) status = read_file(&b, &(ip_input){.path = path}, RAW, error);
    finish(&b, status);
    return status;
}

void ip_corpus_free(ip_corpus *corpus) {
    for (size_t i = 0; i < corpus->file_count; i++) free(corpus->files[i].path);
    free(corpus->files);
    free(corpus->ids);
    free(corpus->offsets);
    memset(corpus, 0, sizeof *corpus);
}

/* Fuzzes the corpus readers: JSON lines, plain text in every split, gzip and zstd (by the magic of the input), through
 * a small byte-level tokenizer. Ids must be those of the vocabulary and the borders must be in order. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/input/corpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ip_tokenizer *tokenizer;
static ip_pool *pool;
static char folder[] = "/tmp/infoplane-fuzz-XXXXXX";

static void put_string(FILE *f, const char *text) {
    uint64_t n = strlen(text);
    fwrite(&n, 8, 1, f);
    fwrite(text, 1, n, f);
}

static void put_key(FILE *f, const char *key, uint32_t type) {
    put_string(f, key);
    fwrite(&type, 4, 1, f);
}

static void put_array(FILE *f, const char *key, uint64_t count) {
    uint32_t strings = 8;
    put_key(f, key, 9);
    fwrite(&strings, 4, 1, f);
    fwrite(&count, 8, 1, f);
}

/* A GGUF with the 256 bytes, one token of two, and one merge. */
static void make_tokenizer(void) {
    char path[64];
    snprintf(path, sizeof path, "%s/vocabulary.gguf", folder);
    FILE *f = fopen(path, "wb");
    if (!f) abort();
    uint32_t version = 3;
    uint64_t counts[2] = {0, 4};
    fwrite("GGUF", 1, 4, f);
    fwrite(&version, 4, 1, f);
    fwrite(counts, 8, 2, f);
    put_key(f, "tokenizer.ggml.model", 8);
    put_string(f, "gpt2");
    put_key(f, "tokenizer.ggml.pre", 8);
    put_string(f, "gpt-2");
    put_array(f, "tokenizer.ggml.tokens", 257);
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; byte++) {
        bool prints = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
        unsigned c = prints ? byte : next++;
        char text[3] = {(char)c, 0, 0};
        if (c >= 0x80) {
            text[0] = (char)(0xC0 | c >> 6);
            text[1] = (char)(0x80 | (c & 0x3F));
        }
        put_string(f, text);
    }
    put_string(f, "th");
    put_array(f, "tokenizer.ggml.merges", 1);
    put_string(f, "t h");
    fclose(f);
    ip_gguf *file;
    ip_error error;
    if (ip_gguf_open(&file, path, NULL, NULL, &error) != IP_OK ||
        ip_tokenizer_from_gguf(&tokenizer, file, NULL, NULL, &error) != IP_OK) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    ip_gguf_close(file);
    unlink(path);
}

static void clean_up(void) {
    char path[64];
    static const char *const names[] = {"x.jsonl", "x.txt", "x.jsonl.gz", "x.jsonl.zst"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void read_as(const char *name, const char *split, uint64_t documents, size_t max_tokens) {
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *paths[1] = {path};
    ip_corpus_options options = {
        .split = split, .documents = documents, .max_tokens = max_tokens, .parse_special = true};
    ip_corpus corpus;
    ip_error error;
    if (ip_corpus_read(&corpus, paths, 1, &options, tokenizer, 257, pool, NULL, NULL, NULL, NULL, &error) != IP_OK)
        return;
    for (size_t d = 0; d < corpus.documents; d++) {
        uint64_t length = corpus.offsets[d + 1] - corpus.offsets[d];
        if (corpus.offsets[d + 1] < corpus.offsets[d] || (max_tokens && length > max_tokens)) abort();
    }
    for (uint64_t i = 0; i < corpus.tokens; i++)
        if (corpus.ids[i] < 0 || corpus.ids[i] > 256) abort();
    ip_corpus_free(&corpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!pool) {
        if (!mkdtemp(folder) || !(pool = ip_pool_create(1))) abort();
        atexit(clean_up);
        make_tokenizer();
    }
    bool gz = size > 2 && data[0] == 0x1F && data[1] == 0x8B,
         zst = size > 4 && memcmp(data, "\x28\xB5\x2F\xFD", 4) == 0;
    const char *name = gz ? "x.jsonl.gz" : zst ? "x.jsonl.zst" : "x.jsonl";
    int fd = memfd_create("corpus", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    char target[64], path[64];
    snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
    const char *names[2] = {name, "x.txt"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
        if (symlink(target, path) != 0) abort();
    }
    read_as(name, NULL, 0, 0);
    read_as(name, NULL, 2, 7);
    static const char *const splits[] = {"chunk", "line", "paragraph", "file", "ab"};
    for (size_t i = 0; i < 5; i++) read_as("x.txt", splits[i], i % 2 ? 3 : 0, i % 2 ? 0 : 5);
    close(fd);
    return 0;
}

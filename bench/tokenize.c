/* Tokenizer speed on one thread: `bench-tokenize MODEL TEXT SECONDS [IDS]`. MODEL is a .gguf, a tokenizer.json or its
 * folder. Encodes the whole text over and over for about SECONDS, each time with a working memory that knows the text
 * from the round before (as it would a long corpus), and prints load time, rate and count; IDS takes the ids (int32). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/utf8.h"
#include "models/tokenizer.h"

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ip_status open_any(ip_tokenizer **out, const char *path, ip_error *error) {
    size_t n = strlen(path);
    if (n < 5 || strcmp(path + n - 5, ".gguf") != 0) return ip_tokenizer_open_json(out, path, 0, NULL, NULL, error);
    ip_gguf *file = NULL;
    ip_status status = ip_gguf_open(&file, path, NULL, NULL, error);
    if (status == IP_OK) status = ip_tokenizer_from_gguf(out, file, NULL, NULL, error);
    ip_gguf_close(file);
    return status;
}

static char *read_text(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) return NULL;
    long size = ftell(file);
    rewind(file);
    unsigned char *raw = size < 0 ? NULL : malloc((size_t)size + 1);
    size_t got = raw ? fread(raw, 1, (size_t)size, file) : 0, replaced;
    fclose(file);
    char *text = raw ? ip_utf8_replace(raw, got, n, &replaced) : NULL;
    free(raw);
    return text;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fputs("usage: bench-tokenize MODEL TEXT SECONDS [IDS]\n", stderr);
        return 2;
    }
    ip_error error;
    ip_tokenizer *tokenizer;
    double began = seconds(CLOCK_MONOTONIC);
    if (open_any(&tokenizer, argv[1], &error) != IP_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    double load = seconds(CLOCK_MONOTONIC) - began;
    size_t n = 0, rounds = 0;
    char *text = read_text(argv[2], &n);
    ip_tokenizer_scratch *scratch = ip_tokenizer_scratch_new(tokenizer);
    if (!text || !scratch) {
        fprintf(stderr, "%s: cannot be read\n", argv[2]);
        return 1;
    }
    ip_ids ids = {0};
    double limit = strtod(argv[3], NULL), start = seconds(CLOCK_PROCESS_CPUTIME_ID), spent = 0;
    do {
        ids.count = 0;
        if (ip_tokenize(tokenizer, scratch, text, n, false, true, &ids, &error) != IP_OK) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        rounds++;
        spent = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    } while (spent < limit);
    printf("load %.3f s, %.2f MB/s, %zu ids of %zu bytes\n", load, (double)n * (double)rounds / spent / 1e6, ids.count,
           n);
    FILE *out = argc > 4 ? fopen(argv[4], "wb") : NULL;
    if (out && (fwrite(ids.data, sizeof *ids.data, ids.count, out) != ids.count || fclose(out) != 0)) return 1;
    free(ids.data);
    free(text);
    ip_tokenizer_scratch_free(scratch);
    ip_tokenizer_free(tokenizer);
    return 0;
}

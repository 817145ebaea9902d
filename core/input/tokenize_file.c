/* `tokenize`: how a model's tokenizer splits a text. */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/npy.h"
#include "core/base/utf8.h"
#include "core/infoplane.h"
#include "core/input/session.h"
#include "models/gguf.h"

/* The name beside X.npy for the borders: X.offsets.npy; malloc'ed. */
static char *offsets_name(const char *npy) {
    size_t n = strlen(npy), stem = n > 4 && strcmp(npy + n - 4, ".npy") == 0 ? n - 4 : n;
    char *out = malloc(stem + 16);
    if (out) {
        memcpy(out, npy, stem);
        strcpy(out + stem, ".offsets.npy");
    }
    return out;
}

static ip_status write_npy(const ip_corpus *corpus, const char *npy, ip_error *error) {
    char *borders = offsets_name(npy);
    if (!borders) return ip_fail(error, IP_FAILED, "out of memory");
    const uint64_t count = corpus->documents + 1;
    ip_status status = ip_npy_write(npy, "<i4", 1, &corpus->tokens, corpus->ids, error);
    if (status == IP_OK) status = ip_npy_write(borders, "<i8", 1, &count, corpus->offsets, error);
    free(borders);
    return status;
}

/* A piece between quotes, bytes that do not print as \xNN. */
static void write_piece(FILE *file, ip_bytes piece) {
    const unsigned char *p = (const unsigned char *)piece.data;
    fputc('"', file);
    for (size_t i = 0; i < piece.size;) {
        size_t step = ip_utf8_step(p + i, piece.size - i);
        if (step == 0 || p[i] < 0x20 || p[i] == 0x7F || (p[i] == 0xC2 && step == 2 && p[i + 1] < 0xA0)) {
            fprintf(file, p[i] == '\n' ? "\\n" : p[i] == '\t' ? "\\t" : "\\x%02x", p[i]);
            i++;
            continue;
        }
        if (p[i] == '"' || p[i] == '\\') fputc('\\', file);
        fwrite(p + i, 1, step, file);
        i += step;
    }
    fputc('"', file);
}

static void write_text(const ip_corpus *corpus, const ip_tokenizer *tokenizer, bool ids, FILE *file) {
    for (size_t d = 0; d < corpus->documents; d++) {
        for (uint64_t i = corpus->offsets[d]; i < corpus->offsets[d + 1]; i++) {
            if (ids) {
                fprintf(file, "%s%d", i == corpus->offsets[d] ? "" : " ", corpus->ids[i]);
            } else {
                fprintf(file, "%8d  ", corpus->ids[i]);
                write_piece(file, ip_tokenizer_piece(tokenizer, corpus->ids[i]));
                fputc('\n', file);
            }
        }
        fputc('\n', file); /* ends the line of ids, or sets documents apart */
    }
}

static void warn_host(void *context, const char *line) { ip_session_warn(context, "%s", line); }

static ip_status run(ip_session *session, const char *model, const char *path, bool ids, const char *npy, FILE *out,
                     ip_error *error) {
    ip_tokenizer *tokenizer = NULL;
    ip_status status = ip_session_tokenizer_alone(session, &tokenizer, model, error);
    ip_corpus_options options = ip_corpus_options_of(session->settings);
    if (status == IP_OK)
        status =
            ip_corpus_read_raw(&session->corpus, path, &options, tokenizer, session->pool, warn_host, session, error);
    if (status == IP_OK && session->corpus.replaced > 0)
        ip_session_warn(session, "%s: invalid UTF-8: %llu U+FFFD put in", path,
                        (unsigned long long)session->corpus.replaced);
    if (status == IP_OK && npy) {
        status = write_npy(&session->corpus, npy, error);
    } else if (status == IP_OK) {
        write_text(&session->corpus, tokenizer, ids, out);
    }
    ip_tokenizer_free(tokenizer);
    return status;
}

ip_status ip_tokenize_file(const char *model, const char *path, bool ids, const char *npy, const ip_settings *settings,
                           FILE *file, const ip_host *host, ip_error *error) {
    ip_session session;
    ip_status status = ip_session_open(&session, settings, host, error);
    if (status == IP_OK) status = run(&session, model, path, ids, npy, file, error);
    return ip_session_close(&session, status, error);
}

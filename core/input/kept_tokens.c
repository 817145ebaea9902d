/* Keeping tokens, and knowing them again. */
#include "core/input/kept_tokens.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "models/checkpoint.h"

struct ip_tokens {
    char key[IP_HASH_HEX]; /* empty: nothing is kept */
    ip_corpus corpus;
};

ip_tokens *ip_tokens_new(void) { return calloc(1, sizeof(ip_tokens)); }

void ip_tokens_free(ip_tokens *tokens) {
    if (!tokens) return;
    ip_corpus_free(&tokens->corpus);
    free(tokens);
}

const ip_corpus *ip_tokens_find(const ip_tokens *tokens, const char *key) {
    return tokens && key[0] != '\0' && strcmp(tokens->key, key) == 0 ? &tokens->corpus : NULL;
}

void ip_tokens_keep(ip_tokens *tokens, const char *key, const ip_corpus *corpus) {
    ip_corpus_free(&tokens->corpus);
    tokens->corpus = *corpus;
    memcpy(tokens->key, key, sizeof tokens->key);
}

/* ---- the key ---- */

static void add_gguf(ip_hash128_stream *hash, const ip_gguf *file) {
    static const char prefix[] = "tokenizer.";
    for (size_t i = 0; i < ip_gguf_value_count(file); i++) {
        const ip_gguf_value *v = ip_gguf_value_at(file, i);
        if (v->key.size < sizeof prefix - 1 || memcmp(v->key.data, prefix, sizeof prefix - 1) != 0) continue;
        const uint64_t numbers[] = {v->key.size, (uint64_t)v->type, (uint64_t)v->element, v->count, v->size};
        ip_hash128_update(hash, numbers, sizeof numbers);
        ip_hash128_update(hash, v->key.data, v->key.size);
        ip_hash128_update(hash, v->data, v->size);
    }
}

static ip_status add_json(ip_hash128_stream *hash, const char *path, ip_error *error) {
    char *file = ip_tokenizer_json_file(path);
    if (!file) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_map map;
    ip_status status = ip_map_open(&map, file, error);
    if (status == IP_OK) {
        ip_hash128_update(hash, map.data, map.size);
        ip_map_close(&map);
    }
    free(file);
    return status;
}

ip_status ip_tokens_key(char key[33], const ip_session *session, const char *const *corpora, size_t count, bool text,
                        ip_error *error) {
    const ip_settings *s = session->settings;
    key[0] = '\0';
    for (size_t i = 0; i < count; i++)
        if (strcmp(corpora[i], "-") == 0) return IP_OK;
    ip_hash128_stream *hash = s->ids ? NULL : ip_hash128_new();
    if (!hash) return IP_OK;
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        ip_hash128_text(hash, corpora[i]);
        if (stat(corpora[i], &st) != 0) memset(&st, 0, sizeof st);
        ip_hash128_number(hash, (uint64_t)st.st_size);
        ip_hash128_number(hash, (uint64_t)st.st_mtim.tv_sec);
        ip_hash128_number(hash, (uint64_t)st.st_mtim.tv_nsec);
    }
    ip_hash128_text(hash, s->split);
    ip_hash128_text(hash, s->text_field);
    ip_hash128_text(hash, s->format);
    ip_hash128_text(hash, s->offsets);
    const uint64_t numbers[] = {count, s->documents, s->max_tokens, s->add_special, s->parse_special};
    ip_hash128_update(hash, numbers, sizeof numbers);
    ip_hash128_number(hash, ip_model_plan(session->model)->vocabulary);
    const char *json = text ? ip_session_tokenizer_json(session) : NULL;
    ip_status status = json ? add_json(hash, json, error) : IP_OK;
    if (text && !json) add_gguf(hash, ip_model_checkpoint(session->model)->gguf);
    if (status == IP_OK) ip_hash128_hex(hash, key);
    ip_hash128_free(hash);
    return status;
}

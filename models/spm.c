/* The SentencePiece kind of a GGUF ("llama"): a list of scores and no merges. Characters merge by the scores of the
 * pieces they form, so every split of a piece into two pieces is a merge, and the better score the lower rank. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "models/tokenizer_internal.h"

/* Every split of a piece is looked up, so a longer one would cost its square; published ones stay below 200 bytes. */
enum { LONGEST_PIECE = 1024 };

static size_t step_of(const char *p, size_t n) {
    size_t step = ip_utf8_step((const unsigned char *)p, n);
    return step ? step : 1;
}

static ip_status read_tokens(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    char *free_bytes = t->arena;
    size_t twice = 0;
    int32_t one = 0, other = 0;
    for (size_t id = 0; id < t->count; id++) {
        ip_bytes text = source->tokens->strings[id];
        bool ordinary = ip_takes_part(t, id);
        if (ordinary && text.size > LONGEST_PIECE)
            return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.tokens: token %zu has %zu bytes, more than %d",
                           ip_gguf_path(source->file), id, text.size, LONGEST_PIECE);
        int32_t earlier = ip_bpe_token(t, (int32_t)id, text, ordinary, &free_bytes);
        if (earlier >= 0 && twice++ == 0) {
            one = earlier;
            other = (int32_t)id;
        }
    }
    if (twice)
        ip_tokenizer_warn(source,
                          "tokenizer.ggml.tokens: tokens %d and %d have the same text (%zu such duplicates); the "
                          "later one is used",
                          one, other, twice);
    return IP_OK;
}

typedef struct scored {
    float score;
    int32_t id;
} scored;

static int by_score(const void *left, const void *right) {
    const scored *a = left, *b = right;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Every split of a piece into two pieces is a merge; equal scores have equal ranks, so the leftmost place wins. */
static bool add_splits(ip_tokenizer *t, int32_t id, uint32_t rank) {
    ip_bytes piece = t->pieces[id];
    for (size_t at = 0; at < piece.size;) {
        size_t step = step_of(piece.data + at, piece.size - at);
        if (at > 0) {
            int32_t left = ip_text_map_find(t, piece.data, at);
            int32_t right = left < 0 ? -1 : ip_text_map_find(t, piece.data + at, piece.size - at);
            if (right >= 0 && !ip_merges_add(&t->merges, left, right, rank, id, false)) return false;
        }
        at += step;
    }
    return true;
}

static ip_status make_merges(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    const char *path = ip_gguf_path(source->file);
    const ip_gguf_value *scores = ip_gguf_find(source->file, "tokenizer.ggml.scores");
    if (!scores || scores->type != IP_GGUF_ARRAY || (scores->element != IP_GGUF_F32 && scores->element != IP_GGUF_F64))
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.scores: %s", path,
                       scores ? "is not an array of floats" : "missing; this kind of tokenizer needs it");
    if (scores->count != t->count)
        return ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.scores: %llu scores for %zu tokens", path,
                       (unsigned long long)scores->count, t->count);
    scored *order = malloc(t->count * sizeof *order);
    if (!order || !ip_merges_init(&t->merges, t->count * 2)) {
        free(order);
        return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    ip_status status = IP_OK;
    for (size_t id = 0; id < t->count; id++) {
        order[id] = (scored){(float)ip_gguf_float_at(scores, id), (int32_t)id};
        if (isnan(order[id].score)) {
            status = ip_fail(error, IP_BAD_INPUT, "%s: tokenizer.ggml.scores: score %zu is not a number", path, id);
            break;
        }
    }
    if (status == IP_OK) qsort(order, t->count, sizeof *order, by_score);
    uint32_t rank = 0;
    for (size_t i = 0; status == IP_OK && i < t->count; i++) {
        int32_t id = order[i].id;
        if (i > 0 && order[i].score != order[i - 1].score) rank++;
        if (!ip_takes_part(t, (size_t)id) || ip_text_map_find(t, t->pieces[id].data, t->pieces[id].size) != id)
            continue;
        if (!add_splits(t, id, rank)) status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    free(order);
    return status;
}

ip_status ip_spm_build(ip_tokenizer *t, const ip_vocabulary_source *source, ip_error *error) {
    t->form = IP_FORM_SPACED;
    t->spaced = true;
    t->fuse_unknown = true;
    t->kind = strdup("llama");
    if (!t->kind) return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(source->file));
    bool found;
    t->space_prefix = true;
    ip_status status =
        ip_gguf_get_bool(source->file, "tokenizer.ggml.add_space_prefix", &t->space_prefix, &found, error);
    if (status == IP_OK) status = read_tokens(t, source, error);
    if (status == IP_OK) status = make_merges(t, source, error);
    if (status == IP_OK) ip_bpe_find_joins(t);
    return status;
}

/* Tokenizing pairs, in batches by all threads, put together in the order of the file. */
#include "core/preference/pairs_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

enum { BATCH = 256 };

/* ---- where the reply begins ---- */

static bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Bytes of text that a piece spells, -1: it does not. */
static ptrdiff_t spelled(const char *piece, size_t size, const char *text, size_t n) {
    size_t at = 0;
    for (size_t i = 0; i < size; i++) {
        if (at < n && piece[i] == text[at]) {
            at++;
        } else if (piece[i] == ' ' && n - at >= 3 && memcmp(text + at, "\xE2\x96\x81", 3) == 0) {
            at += 3;
        } else {
            return -1;
        }
    }
    return (ptrdiff_t)at;
}

/* Lays the ids along the text until one ends beyond border; false: they do not spell it. */
static bool lay_along(size_t *first, const ip_tokenizer *tokenizer, const char *text, size_t n, size_t border,
                      const int32_t *ids, size_t count) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        ip_bytes piece = ip_tokenizer_piece(tokenizer, ids[i]);
        ptrdiff_t step = spelled(piece.data, piece.size, text + at, n - at);
        bool spaced = piece.size > 0 && piece.data[0] == ' ';
        if (step < 0 && spaced) step = spelled(piece.data + 1, piece.size - 1, text + at, n - at);
        if (step < 0) {
            while (at < n && is_white(text[at])) at++;
            step = spelled(piece.data, piece.size, text + at, n - at);
            if (step < 0 && spaced) step = spelled(piece.data + 1, piece.size - 1, text + at, n - at);
        }
        if (step < 0) return false;
        at += (size_t)step;
        if (at > border) {
            *first = i;
            return true;
        }
    }
    *first = count;
    return true;
}

ip_status ip_reply_begin(size_t *first, const ip_tokenizer *tokenizer, ip_tokenizer_scratch *scratch, const char *text,
                         size_t n, size_t border, bool parse_special, const int32_t *ids, size_t count,
                         ip_error *error) {
    if (lay_along(first, tokenizer, text, n, border, ids, count)) return IP_OK;
    ip_ids prompt = {0};
    ip_status status = ip_tokenize_on(tokenizer, scratch, text, border, true, parse_special, &prompt, error);
    size_t same = 0;
    while (same < count && same < prompt.count && ids[same] == prompt.data[same]) same++;
    free(prompt.data);
    *first = same;
    return status;
}

/* ---- sequences ---- */

typedef struct sequence {
    char *text;
    size_t n;
    ip_ids ids;
    ip_reply reply;
} sequence;

typedef struct builder {
    ip_corpus *corpus;
    ip_reply *replies;
    ip_pairs *pairs;
    const char *path;
    const ip_pair_options *options;
    const ip_tokenizer *tokenizer;
    const int32_t *front, *back;
    size_t fronts, backs, most; /* most: ids of a text, SIZE_MAX: not cut */
    ip_tokenizer_scratch **scratch;
    ip_pairs_progress progress;
    void *progress_context;
    size_t begin; /* first pair of the batch */
    sequence batch[2 * BATCH];
    size_t ids_room;
    ip_hash128_stream *text_hash, *ids_hash;
} builder;

static ip_status no_memory(const builder *b, ip_error *error) {
    return ip_fail(error, IP_FAILED, "%s: out of memory for the pairs' tokens", b->path);
}

static ip_status encode(builder *b, const ip_pair *pair, bool chosen, sequence *s, unsigned worker, ip_error *error) {
    const ip_pair_options *o = b->options;
    size_t border = 0, first;
    ip_status status = IP_OK;
    if (o->chat) {
        status = ip_chat_render_pair(o->chat, pair, chosen, &s->text, &s->n, &border, b->path, error);
    } else {
        s->text = ip_pair_plain_text(pair, chosen, &s->n, &border);
        if (!s->text) status = no_memory(b, error);
    }
    if (status == IP_OK)
        status =
            ip_tokenize_on(b->tokenizer, b->scratch[worker], s->text, s->n, true, o->parse_special, &s->ids, error);
    if (status == IP_OK)
        status = ip_reply_begin(&first, b->tokenizer, b->scratch[worker], s->text, s->n, border, o->parse_special,
                                s->ids.data, s->ids.count, error);
    if (status != IP_OK) return status;
    if (s->ids.count > b->most) s->ids.count = b->most;
    if (first > s->ids.count) first = s->ids.count;
    if (s->ids.count + b->fronts + b->backs > UINT32_MAX)
        return ip_fail(error, IP_BAD_INPUT, "%s: record %llu: more than 2^32 tokens", b->path,
                       (unsigned long long)pair->record);
    s->reply = (ip_reply){(uint32_t)(b->fronts + first), (uint32_t)(b->fronts + s->ids.count)};
    return IP_OK;
}

static ip_status run_pair(void *context, size_t task, unsigned worker, ip_error *error) {
    builder *b = context;
    if (!b->scratch[worker]) b->scratch[worker] = ip_tokenizer_scratch_new(b->tokenizer);
    if (!b->scratch[worker]) return no_memory(b, error);
    ip_pair *pair = &b->pairs->items[b->begin + task];
    if (b->options->chat && !ip_pair_to_messages(pair)) return no_memory(b, error);
    for (int side = 0; side < 2; side++) {
        ip_status status = encode(b, pair, side == 0, &b->batch[2 * task + (size_t)side], worker, error);
        if (status != IP_OK) return status;
    }
    return b->progress ? b->progress(b->progress_context, 1, error) : IP_OK;
}

static void hash_length(ip_hash128_stream *hash, uint64_t n) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(n >> 8 * i);
    ip_hash128_update(hash, bytes, sizeof bytes);
}

static ip_status append(builder *b, const sequence *s, ip_error *error) {
    ip_corpus *c = b->corpus;
    size_t n = b->fronts + s->ids.count + b->backs;
    if (n > b->ids_room - c->tokens) {
        size_t room = b->ids_room + b->ids_room / 2 + n + 1024;
        int32_t *ids = room <= SIZE_MAX / sizeof *ids ? realloc(c->ids, room * sizeof *ids) : NULL;
        if (!ids) return no_memory(b, error);
        c->ids = ids;
        b->ids_room = room;
    }
    int32_t *to = c->ids + c->tokens;
    if (b->fronts) memcpy(to, b->front, b->fronts * sizeof *to);
    if (s->ids.count) memcpy(to + b->fronts, s->ids.data, s->ids.count * sizeof *to);
    if (b->backs) memcpy(to + b->fronts + s->ids.count, b->back, b->backs * sizeof *to);
    ip_hash128_update(b->text_hash, s->text, s->n);
    hash_length(b->text_hash, s->n);
    hash_length(b->ids_hash, n);
    ip_hash128_update(b->ids_hash, to, n * sizeof *to);
    b->replies[c->documents] = s->reply;
    c->tokens += n;
    c->offsets[++c->documents] = c->tokens;
    return IP_OK;
}

static ip_status run_batches(builder *b, ip_pool *pool, ip_error *error) {
    ip_status status = IP_OK;
    for (b->begin = 0; status == IP_OK && b->begin < b->pairs->count; b->begin += BATCH) {
        size_t left = b->pairs->count - b->begin, n = left < BATCH ? left : BATCH;
        status = ip_pool_run(pool, n, run_pair, b, error);
        for (size_t i = 0; i < 2 * n; i++) {
            if (status == IP_OK) status = append(b, &b->batch[i], error);
            free(b->batch[i].text);
            free(b->batch[i].ids.data);
            b->batch[i] = (sequence){0};
        }
    }
    return status;
}

static ip_status begin(builder *b, ip_pool *pool, ip_error *error) {
    const ip_pair_options *o = b->options;
    /* A template says itself where BOS goes. */
    if (o->add_special && !o->chat) ip_tokenizer_added(b->tokenizer, &b->front, &b->fronts, &b->back, &b->backs);
    b->most = o->max_tokens ? o->max_tokens : SIZE_MAX;
    if (b->most <= b->fronts + b->backs)
        return ip_fail(error, IP_USAGE,
                       "--max-tokens %zu leaves no room for text beside the %zu special tokens of a sequence", b->most,
                       b->fronts + b->backs);
    if (b->most != SIZE_MAX) b->most -= b->fronts + b->backs;
    size_t sequences = 2 * b->pairs->count;
    b->corpus->offsets = calloc(sequences + 1, sizeof *b->corpus->offsets);
    b->replies = calloc(sequences + 1, sizeof *b->replies);
    b->scratch = calloc(ip_pool_threads(pool), sizeof *b->scratch);
    b->text_hash = ip_hash128_new();
    b->ids_hash = ip_hash128_new();
    bool all = b->corpus->offsets && b->replies && b->scratch && b->text_hash && b->ids_hash;
    return all ? IP_OK : no_memory(b, error);
}

ip_status ip_pairs_tokenize(ip_corpus *corpus, ip_reply **replies, ip_pairs *pairs, const char *path,
                            const ip_pair_options *options, const ip_tokenizer *tokenizer, ip_pool *pool,
                            ip_pairs_progress progress, void *progress_context, ip_error *error) {
    *replies = NULL;
    builder *b = calloc(1, sizeof *b);
    if (!b) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    b->corpus = corpus;
    b->pairs = pairs;
    b->path = path;
    b->options = options;
    b->tokenizer = tokenizer;
    b->progress = progress;
    b->progress_context = progress_context;
    ip_status status = begin(b, pool, error);
    if (status == IP_OK) status = run_batches(b, pool, error);
    if (status == IP_OK) {
        ip_hash128_hex(b->text_hash, corpus->text_fingerprint);
        ip_hash128_hex(b->ids_hash, corpus->ids_fingerprint);
        *replies = b->replies;
    } else {
        free(b->replies);
    }
    for (unsigned i = 0; b->scratch && i < ip_pool_threads(pool); i++) ip_tokenizer_scratch_free(b->scratch[i]);
    free(b->scratch);
    ip_hash128_free(b->text_hash);
    ip_hash128_free(b->ids_hash);
    free(b);
    return status;
}

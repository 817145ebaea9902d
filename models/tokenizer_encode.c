/* From a text to ids: the walk over its added tokens, in the text as it comes and again in its normal form. */
#include <stdlib.h>
#include <string.h>

#include "models/tokenizer_internal.h"

ip_tokenizer_scratch *ip_tokenizer_scratch_new(const ip_tokenizer *t) {
    (void)t;
    ip_tokenizer_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch) return NULL;
    scratch->cache = calloc(IP_CACHE_SLOTS, sizeof *scratch->cache);
    scratch->regex = ip_regex_scratch_new();
    if (!scratch->cache || !scratch->regex) {
        ip_tokenizer_scratch_free(scratch);
        return NULL;
    }
    return scratch;
}

void ip_tokenizer_scratch_free(ip_tokenizer_scratch *scratch) {
    if (!scratch) return;
    ip_regex_scratch_free(scratch->regex);
    ip_merge_work_free(&scratch->merge);
    free(scratch->cache);
    free(scratch->normal[0].data);
    free(scratch->normal[1].data);
    free(scratch->spaced.data);
    free(scratch->changed.data);
    free(scratch->spelled.data);
    free(scratch->steps);
    free(scratch);
}

bool ip_ids_reserve(ip_ids *ids, size_t n) {
    if (n <= ids->room - ids->count) return true;
    if (n > SIZE_MAX / 8 - ids->count) return false;
    size_t room = ids->count + n + ids->count / 2 + 64;
    int32_t *data = realloc(ids->data, room * sizeof *data);
    if (!data) return false;
    ids->data = data;
    ids->room = room;
    return true;
}

static bool append(ip_ids *ids, const int32_t *what, size_t n) {
    if (n == 0) return true;
    if (!ip_ids_reserve(ids, n)) return false;
    memcpy(ids->data + ids->count, what, n * sizeof *what);
    ids->count += n;
    return true;
}

/* What goes on in one call. */
typedef struct walk {
    const ip_tokenizer *t;
    ip_tokenizer_scratch *scratch;
    bool parse_special;
    ip_ids *ids;
    ip_error *error;
} walk;

static ip_status no_room(const walk *w) { return ip_fail(w->error, IP_FAILED, "tokenizer: out of memory"); }

/* What stands between added tokens. begins: it does not go on where another part ended; origin: it begins the text. */
typedef ip_status between(const walk *w, const char *text, size_t n, bool begins, bool origin);

/* Splits text at the added tokens of a set, gives the rest to `rest`. */
static ip_status split_at(const walk *w, const ip_added_set *set, const char *text, size_t n, bool begins, bool origin,
                          between *rest) {
    size_t begin = 0, at = 0;
    bool hits = false;
    while (at < n) {
        const ip_added *hit;
        size_t first = ip_added_find(set, text, n, at, &hit);
        if (first == n) break;
        size_t stop = at = first + hit->text.size;
        /* A token that is not taken still hides shorter hits inside it, as in the reference. */
        if (hit->special && !w->parse_special) continue;
        if (hit->single_word && !ip_added_alone(text, first, stop, n)) continue;
        if (hit->lstrip) first = ip_white_begin(text, first);
        if (first < begin) first = begin;
        if (hit->rstrip) stop = ip_white_end(text, stop, n);
        ip_status status = rest(w, text + begin, first - begin, begins || hits, origin && !hits);
        if (status != IP_OK) return status;
        if (!append(w->ids, &hit->id, 1)) return no_room(w);
        hits = true;
        begin = stop;
    }
    return begin < n ? rest(w, text + begin, n - begin, begins || hits, origin && !hits) : IP_OK;
}

static ip_status pieces(const walk *w, const char *text, size_t n, bool begins, bool origin) {
    (void)begins;
    return ip_pieces_encode(w->t, w->scratch, text, n, origin, w->ids, w->error);
}

static ip_status fragment(const walk *w, const char *text, size_t n, bool begins, bool origin) {
    const ip_tokenizer *t = w->t;
    ip_tokenizer_scratch *scratch = w->scratch;
    if (n == 0) return IP_OK;
    ip_status status =
        ip_normalise(t->normal, t->normals, scratch->normal, scratch->regex, begins, text, n, &text, &n, w->error);
    if (status != IP_OK || n == 0) return status;
    if (t->spaced) {
        size_t prefix = t->space_prefix && begins;
        if (!ip_text_reserve(&scratch->spaced, n + 1)) return no_room(w);
        scratch->spaced.data[0] = ' ';
        n = prefix + ip_spaced(scratch->spaced.data + prefix, text, n);
        text = scratch->spaced.data;
    }
    return split_at(w, &t->normalised, text, n, begins, origin, pieces);
}

ip_status ip_tokenize_on(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n, bool first,
                         bool parse_special, ip_ids *ids, ip_error *error) {
    walk w = {t, scratch, parse_special, ids, error};
    return split_at(&w, &t->raw, text, n, first, first, fragment);
}

ip_status ip_tokenize(const ip_tokenizer *t, ip_tokenizer_scratch *scratch, const char *text, size_t n,
                      bool add_special, bool parse_special, ip_ids *ids, ip_error *error) {
    if (add_special && !append(ids, t->front, t->fronts)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    ip_status status = ip_tokenize_on(t, scratch, text, n, true, parse_special, ids, error);
    if (status != IP_OK) return status;
    if (add_special && !append(ids, t->back, t->backs)) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    return IP_OK;
}

/* Which documents a shard has, and the sections that describe it. */
#include "core/run/shard.h"

#include <stdlib.h>
#include <string.h>

#include "core/output/json_write.h"
#include "core/run/run_read.h"

ip_status ip_shard_plan(ip_shard_part *part, uint64_t documents, ip_error *error) {
    if (part->of > documents)
        return ip_fail(error, IP_USAGE, "--shard %llu/%llu: the corpus has %llu documents, every shard needs one",
                       (unsigned long long)part->index, (unsigned long long)part->of, (unsigned long long)documents);
    part->first_document = documents * (part->index - 1) / part->of;
    part->documents = documents * part->index / part->of - part->first_document;
    return IP_OK;
}

void ip_shard_narrow(ip_corpus *corpus, ip_shard_part *part, unsigned orders) {
    uint64_t *offsets = corpus->offsets, first = offsets[part->first_document];
    part->tokens = offsets[part->first_document + part->documents] - first;
    memmove(corpus->ids, corpus->ids + first, (size_t)part->tokens * sizeof *corpus->ids);
    for (uint64_t d = 0; d <= part->documents; d++) offsets[d] = offsets[part->first_document + d] - first;
    corpus->documents = (size_t)part->documents;
    corpus->tokens = part->tokens;
    part->positions = ip_corpus_positions(corpus, orders);
}

/* ---- writing ---- */

static void write_meta(FILE *file, const ip_run *run, const ip_shard_part *part) {
    ip_json json, *j = &json;
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.state/1");
    ip_run_write_description(j, run);
    ip_json_open(j, "shard", '{', true);
    ip_json_uint(j, "index", part->index);
    ip_json_uint(j, "of", part->of);
    ip_json_uint(j, "first_document", part->first_document);
    ip_json_uint(j, "documents", part->documents);
    ip_json_uint(j, "tokens", part->tokens);
    ip_json_uint(j, "positions", part->positions);
    ip_json_uint(j, "top", run->top);
    ip_json_uint(j, "loss", part->loss);
    ip_json_uint(j, "loss_end", (uint64_t)(part->loss_end + 1)); /* 0: none */
    ip_json_uint(j, "lens", part->lens);
    if (part->bound) {
        ip_json_open(j, "bound", '{', true);
        ip_json_string(j, "effort", part->effort);
        ip_json_string(j, "beta", part->betas);
        ip_json_close(j, '}');
    }
    ip_json_close(j, '}');
    ip_json_close(j, '}');
    ip_json_end(j);
}

static int by_id(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Ids in use with the bytes that they stand for. */
static ip_status write_pieces(ip_shard_writer *writer, const ip_corpus *corpus, const ip_pieces *pieces,
                              ip_error *error) {
    char *text = NULL;
    size_t size = 0, count = (size_t)corpus->tokens;
    int32_t *ids = malloc((count + 1) * sizeof *ids);
    FILE *file = open_memstream(&text, &size);
    ip_status status = ids && file ? IP_OK : ip_fail(error, IP_FAILED, "out of memory for the pieces of tokens");
    if (status == IP_OK) {
        memcpy(ids, corpus->ids, count * sizeof *ids);
        qsort(ids, count, sizeof *ids, by_id);
        for (size_t i = 0; i < count; i++) {
            if (i > 0 && ids[i] == ids[i - 1]) continue;
            ip_bytes piece = pieces->piece(pieces->context, ids[i]);
            uint32_t head[2] = {(uint32_t)ids[i], (uint32_t)piece.size};
            fwrite(head, sizeof head, 1, file);
            if (piece.size > 0) fwrite(piece.data, 1, piece.size, file);
        }
    }
    if (file && fclose(file) != 0 && status == IP_OK)
        status = ip_fail(error, IP_FAILED, "out of memory for the pieces of tokens");
    if (status == IP_OK) status = ip_shard_write(writer, IP_SECTION_PIECES, 0, text, size, error);
    free(text);
    free(ids);
    return status;
}

ip_status ip_shard_describe(ip_shard_writer *writer, const ip_run *run, const ip_shard_part *part,
                            const ip_corpus *corpus, const ip_pieces *pieces, ip_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file) return ip_fail(error, IP_FAILED, "out of memory");
    write_meta(file, run, part);
    ip_status status = fclose(file) == 0 ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) status = ip_shard_write(writer, IP_SECTION_META, 0, text, size, error);
    free(text);
    uint32_t *lengths = malloc((corpus->documents + 1) * sizeof *lengths);
    if (status == IP_OK && !lengths) status = ip_fail(error, IP_FAILED, "out of memory");
    for (size_t d = 0; status == IP_OK && d < corpus->documents; d++)
        lengths[d] = (uint32_t)(corpus->offsets[d + 1] - corpus->offsets[d]);
    if (status == IP_OK)
        status = ip_shard_write(writer, IP_SECTION_LENGTHS, 0, lengths, corpus->documents * sizeof *lengths, error);
    free(lengths);
    if (status == IP_OK)
        status =
            ip_shard_write(writer, IP_SECTION_IDS, 0, corpus->ids, (size_t)corpus->tokens * sizeof *corpus->ids, error);
    return status == IP_OK && pieces ? write_pieces(writer, corpus, pieces, error) : status;
}

/* ---- reading ---- */

static bool count_of(const ip_node *node, const char *key, uint64_t most, uint64_t *out) {
    return ip_node_whole(ip_node_get(node, key), out) && *out <= most;
}

/* A text member into room for it. */
static bool text_of(const ip_node *node, const char *key, char *out, size_t room) {
    const char *text;
    if (!ip_node_text(ip_node_get(node, key), &text) || strlen(text) >= room) return false;
    strcpy(out, text);
    return true;
}

/* Whether a bound is asked for, and how; false when its member is none. */
static bool read_bound(ip_shard_part *part, const ip_node *bound) {
    part->bound = bound != NULL;
    return !bound || (text_of(bound, "effort", part->effort, sizeof part->effort) &&
                      text_of(bound, "beta", part->betas, sizeof part->betas));
}

ip_status ip_shard_read_meta(ip_run **run, ip_shard_part *part, const ip_shard_file *file, ip_error *error) {
    const unsigned char *data;
    uint64_t size, top = 0, loss = 0, end = 0, lens = 0;
    *run = NULL;
    ip_status status = ip_shard_section(file, IP_SECTION_META, 0, UINT64_MAX, &data, &size, error);
    if (status != IP_OK) return status;
    ip_node *root = ip_node_parse(file->path, "state", data, (size_t)size, false, error);
    if (!root) return IP_BAD_INPUT;
    status = ip_run_parse_description(run, file->path, root, "infoplane.state/1", error);
    const ip_node *s = ip_node_get(root, "shard");
    memset(part, 0, sizeof *part);
    if (status == IP_OK &&
        !(count_of(s, "index", UINT32_MAX, &part->index) && count_of(s, "of", UINT32_MAX, &part->of) &&
          count_of(s, "first_document", UINT32_MAX, &part->first_document) &&
          count_of(s, "documents", UINT32_MAX, &part->documents) && count_of(s, "tokens", UINT32_MAX, &part->tokens) &&
          count_of(s, "positions", UINT32_MAX, &part->positions) && count_of(s, "top", IP_TOP_MOST, &top) &&
          count_of(s, "loss", 1, &loss) && count_of(s, "loss_end", INT32_MAX, &end) && count_of(s, "lens", 1, &lens) &&
          read_bound(part, ip_node_get(s, "bound")) && part->index >= 1 && part->index <= part->of &&
          part->documents <= UINT32_MAX - part->first_document))
        status = ip_fail(error, IP_BAD_INPUT, "%s: its description of the shard is not one", file->path);
    ip_node_free(root);
    if (status != IP_OK) {
        ip_run_free(*run);
        *run = NULL;
        return status;
    }
    (*run)->top = (unsigned)top;
    part->loss = loss != 0;
    part->lens = lens != 0;
    part->loss_end = (int64_t)end - 1;
    return IP_OK;
}

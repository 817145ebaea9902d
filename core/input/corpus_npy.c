/* A corpus of token ids: [documents, tokens], or one dimension with the borders of the documents in a second file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/npy.h"
#include "core/input/corpus_internal.h"

static bool is_index(const ip_npy *npy) { return npy->kind != 'f' && npy->size >= 4; }

/* Borders: documents + 1 numbers from 0 to the number of ids, never falling. */
static ip_status open_offsets(ip_npy *offsets, const ip_input *input, uint64_t ids, ip_error *error) {
    const char *path = ip_input_name(input);
    ip_status status = ip_input_open(offsets, input, error);
    if (status != IP_OK) return status;
    if (offsets->dims != 1 || !is_index(offsets) || offsets->count < 2)
        status = ip_fail(error, IP_BAD_INPUT,
                         "%s: document borders must be one dimension of int32 or int64, documents + 1 of them", path);
    int64_t before = 0;
    for (uint64_t i = 0; status == IP_OK && i < offsets->count; i++) {
        int64_t border = ip_npy_int(offsets, i);
        bool last = i + 1 == offsets->count;
        if ((i == 0 && border != 0) || border < before || (uint64_t)border > ids || (last && (uint64_t)border != ids))
            status = ip_fail(error, IP_BAD_INPUT,
                             "%s: border %" PRIu64 " is %" PRId64 "; they must go from 0 to the %" PRIu64
                             " ids without falling",
                             path, i, border, ids);
        before = border;
    }
    if (status != IP_OK) ip_npy_close(offsets);
    return status;
}

static ip_status add_document(ip_builder *b, const ip_npy *npy, uint64_t begin, uint64_t end, ip_error *error) {
    if (b->options->max_tokens && end - begin > b->options->max_tokens) end = begin + b->options->max_tokens;
    for (uint64_t i = begin; i < end; i++) {
        int64_t id = ip_npy_int(npy, i);
        if (id < 0 || (uint64_t)id >= b->vocabulary)
            return ip_fail(error, IP_BAD_INPUT, "%s: element %" PRIu64 " is %" PRId64 ", no id of a vocabulary of %zu",
                           b->path, i, id, b->vocabulary);
        int32_t small = (int32_t)id;
        ip_status status = ip_builder_ids(b, &small, 1, error);
        if (status != IP_OK) return status;
    }
    return ip_builder_close_document(b, error);
}

/* "X.offsets.npy" beside "X.npy"; NULL: out of memory. */
static char *beside(const char *path) {
    size_t stem = strlen(path) - strlen(".npy");
    char *name = malloc(stem + sizeof ".offsets.npy");
    if (name) snprintf(name, stem + sizeof ".offsets.npy", "%.*s.offsets.npy", (int)stem, path);
    return name;
}

static void warn_cut(const ip_builder *b, uint64_t ids) {
    if (!b->warn || !b->options->max_tokens || ids <= b->options->max_tokens) return;
    char line[256];
    snprintf(line, sizeof line,
             "%.120s: one document of %" PRIu64 " ids is cut at %zu; give --offsets, or --max-tokens 0", b->path, ids,
             b->options->max_tokens);
    ip_make_printable(line);
    b->warn(b->warn_context, line);
}

static ip_status flat(ip_builder *b, const ip_npy *npy, bool in_memory, ip_error *error) {
    char *name = in_memory ? NULL : beside(b->path);
    if (!name && !in_memory) return ip_builder_out_of_memory(b, error);
    struct stat st;
    const char *path = in_memory              ? NULL
                       : b->options->offsets  ? b->options->offsets
                       : stat(name, &st) == 0 ? name
                                              : NULL;
    const ip_input borders = {path, in_memory ? b->options->borders : NULL};
    ip_status status = IP_OK;
    if (!borders.path && !borders.array) {
        warn_cut(b, npy->count);
        status = add_document(b, npy, 0, npy->count, error);
    } else {
        ip_npy offsets;
        status = open_offsets(&offsets, &borders, npy->count, error);
        if (status == IP_OK) {
            for (uint64_t i = 0; status == IP_OK && i + 1 < offsets.count && !ip_builder_full(b); i++)
                status = add_document(b, npy, (uint64_t)ip_npy_int(&offsets, i), (uint64_t)ip_npy_int(&offsets, i + 1),
                                      error);
            ip_npy_close(&offsets);
        }
    }
    free(name);
    return status;
}

ip_status ip_corpus_npy(ip_builder *b, const ip_input *input, char fingerprint[33], ip_error *error) {
    ip_npy npy;
    ip_status status = ip_input_open(&npy, input, error);
    if (status != IP_OK) return status;
    b->any_ids = true;
    if (npy.kind != 'i' || npy.size < 4)
        status = ip_fail(error, IP_BAD_INPUT, "%s: ids must be int32 or int64, this array is %c%u", b->path, npy.kind,
                         npy.size);
    else if (npy.dims != 1 && npy.dims != 2)
        status =
            ip_fail(error, IP_BAD_INPUT,
                    "%s: ids must have one dimension or two (documents, tokens), this array has %u", b->path, npy.dims);
    else if (npy.count == 0)
        status = ip_fail(error, IP_BAD_INPUT, "%s: is empty: there is no document in it", b->path);
    else if (npy.dims == 1)
        status = flat(b, &npy, !input->path, error);
    for (uint64_t row = 0; status == IP_OK && npy.dims == 2 && row < npy.shape[0] && !ip_builder_full(b); row++)
        status = add_document(b, &npy, row * npy.shape[1], (row + 1) * npy.shape[1], error);
    if (status == IP_OK) {
        const bool file = npy.map.size > 0;
        const size_t bytes = file ? npy.map.size : (size_t)npy.count * npy.size;
        ip_hash128(file ? npy.map.data : npy.data, bytes, fingerprint);
        if (b->progress) status = b->progress(b->progress_context, b->bytes_before + bytes, b->bytes_all, error);
    }
    ip_npy_close(&npy);
    return status;
}

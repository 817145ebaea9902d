/* `inspect`: what is in a model file. Opening is the check: a file that is not sound is refused as in a run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/infoplane.h"
#include "core/input/session.h"
#include "core/output/json_write.h"
#include "models/checkpoint.h"

enum { TEXT_SHOWN = 96 };

/* A value as one printable line: scalars whole, strings and arrays by their beginning. */
static void describe(const ip_gguf_value *v, char *out, size_t n) {
    switch (v->type) {
    case IP_GGUF_STRING:
        snprintf(out, n, "%.*s%s", (int)(v->size < TEXT_SHOWN ? v->size : TEXT_SHOWN), (const char *)v->data,
                 v->size > TEXT_SHOWN ? " ..." : "");
        break;
    case IP_GGUF_ARRAY: snprintf(out, n, "[%" PRIu64 " values]", v->count); break;
    case IP_GGUF_F32:
    case IP_GGUF_F64: snprintf(out, n, "%.9g", ip_gguf_float_at(v, 0)); break;
    case IP_GGUF_BOOL: snprintf(out, n, "%s", ip_gguf_int_at(v, 0) ? "true" : "false"); break;
    case IP_GGUF_U64: snprintf(out, n, "%" PRIu64, (uint64_t)ip_gguf_int_at(v, 0)); break;
    default: snprintf(out, n, "%" PRId64, ip_gguf_int_at(v, 0)); break;
    }
    ip_make_printable(out);
}

static void shape_text(const ip_tensor *t, char *out, size_t n) {
    size_t at = 0;
    out[0] = '\0';
    for (unsigned d = 0; d < t->dims && d < 4 && at < n; d++)
        at += (size_t)snprintf(out + at, n - at, "%s%" PRIu64, d == 0 ? "" : " x ", t->ne[d]);
}

static uint64_t elements(const ip_tensor *t) { return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]; }

static void write_tensors_text(const ip_checkpoint *file, FILE *out) {
    fprintf(out, "\n%zu tensors (name, type, shape: inputs x outputs, bytes)\n", ip_checkpoint_tensor_count(file));
    for (size_t i = 0; i < ip_checkpoint_tensor_count(file); i++) {
        const ip_tensor *t = ip_checkpoint_tensor_at(file, i);
        char shape[96], name[256];
        shape_text(t, shape, sizeof shape);
        snprintf(name, sizeof name, "%s", t->name);
        ip_make_printable(name);
        fprintf(out, "  %-40s %-6s %-20s %" PRIu64 "\n", name, t->type->name, shape,
                elements(t) / t->type->block * t->type->bytes);
    }
}

/* Types in the order in which they first stand in the file. */
static void write_types_text(const ip_checkpoint *file, FILE *out) {
    size_t count = ip_checkpoint_tensor_count(file);
    for (size_t k = 0; k < count; k++) {
        const ip_type *type = ip_checkpoint_tensor_at(file, k)->type;
        uint64_t tensors = 0, sum = 0;
        bool seen = false;
        for (size_t i = 0; i < k && !seen; i++) seen = ip_checkpoint_tensor_at(file, i)->type == type;
        for (size_t i = k; i < count && !seen; i++) {
            const ip_tensor *t = ip_checkpoint_tensor_at(file, i);
            if (t->type != type) continue;
            tensors++;
            sum += elements(t);
        }
        if (!seen) fprintf(out, "  %-6s %6" PRIu64 " tensors %14" PRIu64 " elements\n", type->name, tensors, sum);
    }
}

static void write_plan_text(const ip_model *model, FILE *out) {
    const ip_plan *p = ip_model_plan(model);
    const ip_block *b = &p->blocks[0];
    size_t hidden = b->experts.count > 0 ? b->experts.up[0].outputs : b->up.outputs;
    fprintf(out, "family %s: %zu layers of width %zu, %zu heads of %zu (%zu for keys and values), feed-forward %zu, ",
            ip_model_family(model), p->layers, p->width, b->heads, b->head, b->kv_heads, hidden);
    if (b->experts.count > 0) fprintf(out, "%zu of %zu experts, ", b->experts.used, b->experts.count);
    fprintf(out, "vocabulary %zu, trained for %zu positions, %.1f M parameters, %s head\n", p->vocabulary,
            p->context_length, (double)p->parameters / 1e6, p->head_weight.tensor == p->embedding ? "tied" : "own");
}

/* Keys of a GGUF file, members of a folder's configuration: write(context, key, value as text) for each. */
typedef void (*write_key)(void *context, const char *key, const char *text);

static void each_key(const ip_checkpoint *file, write_key write, void *context) {
    char key[256], text[256];
    for (size_t i = 0; file->gguf && i < ip_gguf_value_count(file->gguf); i++) {
        const ip_gguf_value *v = ip_gguf_value_at(file->gguf, i);
        snprintf(key, sizeof key, "%.*s", (int)(v->key.size < 200 ? v->key.size : 200), v->key.data);
        describe(v, text, sizeof text);
        write(context, key, text);
    }
    const ip_node *config = file->folder ? file->folder->config : NULL;
    for (void *it = ip_node_next(config, NULL); it; it = ip_node_next(config, it)) {
        snprintf(key, sizeof key, "%.200s", ip_node_key(it));
        ip_node_describe(ip_node_value(it), text, sizeof text);
        write(context, key, text);
    }
}

static void key_line(void *context, const char *key, const char *text) {
    char printable[256];
    snprintf(printable, sizeof printable, "%s", key);
    ip_make_printable(printable);
    fprintf(context, "  %-44s %s\n", printable, text);
}

static void write_text(const ip_checkpoint *file, const ip_model *model, bool tensors, FILE *out) {
    if (file->gguf)
        fprintf(out, "GGUF version %u, %zu part%s\n", ip_gguf_version(file->gguf), ip_gguf_parts(file->gguf),
                ip_gguf_parts(file->gguf) == 1 ? "" : "s");
    else
        fprintf(out, "Hugging Face folder, %zu file%s of weights\n", file->folder->file_count,
                file->folder->file_count == 1 ? "" : "s");
    if (model) write_plan_text(model, out);
    write_types_text(file, out);
    fprintf(out, "\n%zu keys\n", file->gguf ? ip_gguf_value_count(file->gguf) : ip_node_count(file->folder->config));
    each_key(file, key_line, out);
    if (tensors) write_tensors_text(file, out);
}

static void key_member(void *context, const char *key, const char *text) { ip_json_string(context, key, text); }

static void write_json(const ip_checkpoint *file, const ip_model *model, FILE *out) {
    ip_json json, *j = &json;
    ip_json_begin(j, out);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.inspect/1");
    ip_json_string(j, "format", file->gguf ? "gguf" : "folder");
    if (file->gguf) ip_json_uint(j, "version", ip_gguf_version(file->gguf));
    ip_json_uint(j, "parts", file->gguf ? ip_gguf_parts(file->gguf) : file->folder->file_count);
    ip_json_string(j, "family", model ? ip_model_family(model) : NULL);
    ip_json_open(j, "keys", '{', false);
    each_key(file, key_member, j);
    ip_json_close(j, '}');
    ip_json_open(j, "tensors", '[', false);
    for (size_t i = 0; i < ip_checkpoint_tensor_count(file); i++) {
        const ip_tensor *t = ip_checkpoint_tensor_at(file, i);
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "name", t->name);
        ip_json_string(j, "type", t->type->name);
        ip_json_open(j, "ne", '[', true);
        for (unsigned d = 0; d < t->dims && d < 4; d++) ip_json_uint(j, NULL, t->ne[d]);
        ip_json_close(j, ']');
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
}

static void warn_host(void *context, const char *line) {
    const ip_host *host = context;
    if (host && host->warn) host->warn(host->context, line);
}

ip_status ip_inspect(const char *path, bool json, bool tensors, FILE *out, const ip_host *host, ip_error *error) {
    ip_checkpoint vocabulary = {NULL, NULL};
    const ip_checkpoint *file = &vocabulary;
    ip_model *model = NULL;
    ip_status status = ip_checkpoint_open(&vocabulary, path, NULL, NULL, error);
    /* A vocabulary alone can be looked at; anything that holds weights must be a model that could run. */
    if (status == IP_OK && ip_checkpoint_tensor_count(&vocabulary) > 0) {
        ip_checkpoint_close(&vocabulary);
        status = ip_model_open(&model, path, NULL, warn_host, (void *)(uintptr_t)host, error);
        if (status == IP_OK) file = ip_model_checkpoint(model);
    }
    if (status == IP_OK) {
        if (json) {
            write_json(file, model, out);
        } else {
            write_text(file, model, tensors, out);
        }
    }
    ip_model_close(model);
    ip_checkpoint_close(&vocabulary);
    return status;
}

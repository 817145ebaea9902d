/* `inspect`: what is in a model file. Opening is the check: a file that is not sound is refused as in a run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/infoplane.h"
#include "core/json_write.h"
#include "core/session.h"
#include "models/gguf.h"

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
    for (unsigned d = 0; d < t->dims && at < n; d++)
        at += (size_t)snprintf(out + at, n - at, "%s%" PRIu64, d == 0 ? "" : " x ", t->ne[d]);
}

static uint64_t elements(const ip_tensor *t) { return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]; }

static void write_tensors_text(const ip_gguf *file, FILE *out) {
    fprintf(out, "\n%zu tensors (name, type, shape: inputs x outputs, bytes)\n", ip_gguf_tensor_count(file));
    for (size_t i = 0; i < ip_gguf_tensor_count(file); i++) {
        const ip_tensor *t = ip_gguf_tensor_at(file, i);
        char shape[96], name[128];
        shape_text(t, shape, sizeof shape);
        snprintf(name, sizeof name, "%s", t->name);
        ip_make_printable(name);
        fprintf(out, "  %-40s %-6s %-20s %" PRIu64 "\n", name, t->type->name, shape,
                t->row_bytes * (elements(t) / (t->ne[0] ? t->ne[0] : 1)));
    }
}

static void write_types_text(const ip_gguf *file, FILE *out) {
    for (size_t k = 0; k < ip_type_count(); k++) {
        const ip_type *type = ip_type_at(k);
        uint64_t tensors = 0, sum = 0;
        for (size_t i = 0; i < ip_gguf_tensor_count(file); i++) {
            const ip_tensor *t = ip_gguf_tensor_at(file, i);
            if (t->type != type) continue;
            tensors++;
            sum += elements(t);
        }
        if (tensors > 0) fprintf(out, "  %-6s %6" PRIu64 " tensors %14" PRIu64 " elements\n", type->name, tensors, sum);
    }
}

static void write_text(const ip_gguf *file, const ip_model *model, bool tensors, FILE *out) {
    fprintf(out, "GGUF version %u, %zu part%s\n", ip_gguf_version(file), ip_gguf_parts(file),
            ip_gguf_parts(file) == 1 ? "" : "s");
    if (model) {
        const ip_plan *p = ip_model_plan(model);
        fprintf(out,
                "family %s: %zu layers of width %zu, %zu heads of %zu (%zu for keys and values), feed-forward %zu, "
                "vocabulary %zu, trained for %zu positions, %.1f M parameters, %s head\n",
                ip_model_family(model), p->layers, p->width, p->blocks[0].heads, p->head, p->blocks[0].kv_heads,
                p->blocks[0].gate.outputs, p->vocabulary, p->context_length, (double)p->parameters / 1e6,
                p->head_weight.tensor == p->embedding ? "tied" : "own");
    }
    write_types_text(file, out);
    fprintf(out, "\n%zu keys\n", ip_gguf_value_count(file));
    for (size_t i = 0; i < ip_gguf_value_count(file); i++) {
        const ip_gguf_value *v = ip_gguf_value_at(file, i);
        char key[256], text[256];
        snprintf(key, sizeof key, "%.*s", (int)(v->key.size < 200 ? v->key.size : 200), v->key.data);
        ip_make_printable(key);
        describe(v, text, sizeof text);
        fprintf(out, "  %-44s %s\n", key, text);
    }
    if (tensors) write_tensors_text(file, out);
}

static void write_json(const ip_gguf *file, const ip_model *model, FILE *out) {
    ip_json json, *j = &json;
    ip_json_begin(j, out);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.inspect/1");
    ip_json_uint(j, "version", ip_gguf_version(file));
    ip_json_uint(j, "parts", ip_gguf_parts(file));
    ip_json_string(j, "family", model ? ip_model_family(model) : NULL);
    ip_json_open(j, "keys", '{', false);
    for (size_t i = 0; i < ip_gguf_value_count(file); i++) {
        const ip_gguf_value *v = ip_gguf_value_at(file, i);
        char key[256], text[256];
        snprintf(key, sizeof key, "%.*s", (int)(v->key.size < 200 ? v->key.size : 200), v->key.data);
        describe(v, text, sizeof text);
        ip_json_string(j, key, text);
    }
    ip_json_close(j, '}');
    ip_json_open(j, "tensors", '[', false);
    for (size_t i = 0; i < ip_gguf_tensor_count(file); i++) {
        const ip_tensor *t = ip_gguf_tensor_at(file, i);
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "name", t->name);
        ip_json_string(j, "type", t->type->name);
        ip_json_open(j, "ne", '[', true);
        for (unsigned d = 0; d < t->dims; d++) ip_json_uint(j, NULL, t->ne[d]);
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
    ip_gguf *file = NULL;
    ip_model *model = NULL;
    ip_status status = ip_gguf_open(&file, path, NULL, NULL, error);
    /* A vocabulary alone can be looked at; anything that holds weights must be a model that could run. */
    if (status == IP_OK && ip_gguf_tensor_count(file) > 0)
        status = ip_model_open(&model, path, NULL, warn_host, (void *)(uintptr_t)host, error);
    if (status == IP_OK) {
        if (json) {
            write_json(file, model, out);
        } else {
            write_text(file, model, tensors, out);
        }
    }
    ip_model_close(model);
    ip_gguf_close(file);
    return status;
}

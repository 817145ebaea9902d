/* Opening a model: the container, then its family, then the checks that every family shares. */
#include "models/model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fpcontrol.h"
#include "core/base/hash.h"
#include "models/build.h"
#include "models/family.h"

struct ip_model {
    ip_gguf *file;
    const char *family;
    char *name;
    ip_plan plan;
    void **owned; /* memory that the plan points to */
    size_t owned_count;
};

static const struct {
    const char *name;
    ip_status (*bind)(ip_build *b);
} families[] = {
#define IP_FAMILY(name, bind) {name, bind},
#include "models/families/families.def"
#undef IP_FAMILY
};

enum { FAMILIES = sizeof families / sizeof families[0] };

size_t ip_family_count(void) { return FAMILIES; }

const char *ip_family_at(size_t index) { return families[index].name; }

static bool equals(ip_bytes text, const char *word) {
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static void family_names(char *out, size_t room) {
    out[0] = '\0';
    for (size_t i = 0; i < FAMILIES; i++) {
        if (i > 0) strncat(out, ", ", room - strlen(out) - 1);
        strncat(out, families[i].name, room - strlen(out) - 1);
    }
}

/* Index of the family to use; fills in b->architecture. */
static ip_status choose_family(ip_build *b, const char *forced, size_t *index) {
    static const char key[] = "general.architecture";
    char names[512];
    family_names(names, sizeof names);
    ip_bytes type, architecture;
    bool found;
    ip_status status = ip_gguf_get_string(b->file, "general.type", &type, &found, b->error);
    if (status == IP_OK && found && !equals(type, "model"))
        return ip_fail(b->error, IP_BAD_INPUT, "%s: general.type is '%.*s', not a model", b->path,
                       (int)(type.size < 40 ? type.size : 40), type.data);
    if (status == IP_OK) status = ip_gguf_get_string(b->file, key, &architecture, &found, b->error);
    if (status != IP_OK) return status;
    if (!found && !forced) return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is missing", b->path, key);
    if (!found) architecture = (ip_bytes){forced, strlen(forced)};
    for (*index = 0; *index < FAMILIES; ++*index)
        if (forced ? strcmp(forced, families[*index].name) == 0 : equals(architecture, families[*index].name)) break;
    if (*index == FAMILIES && forced)
        return ip_fail(b->error, IP_USAGE, "%s: family '%s' is unknown; known: %s", b->path, forced, names);
    int shown = (int)(architecture.size < 40 ? architecture.size : 40);
    if (*index == FAMILIES || architecture.size == 0 || architecture.size >= sizeof b->architecture)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: %s '%.*s' is not supported; supported: %s", b->path, key, shown,
                       architecture.data, names);
    memcpy(b->architecture, architecture.data, architecture.size);
    b->architecture[architecture.size] = '\0';
    b->family = families[*index].name;
    return IP_OK;
}

/* The vocabulary has to have one token per row, or ids would read past the matrix. A list that is missing or of another
 * type is the tokenizer's to refuse: ids can come without it. */
static ip_status check_vocabulary(const ip_build *b) {
    static const char key[] = "tokenizer.ggml.tokens";
    const ip_gguf_value *tokens = ip_gguf_find(b->file, key);
    if (!tokens || tokens->type != IP_GGUF_ARRAY || tokens->element != IP_GGUF_STRING) return IP_OK;
    if (tokens->count == b->plan.vocabulary) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' has %" PRIu64 " tokens, but tensor '%s' has %zu rows", b->path,
                   key, tokens->count, b->plan.embedding->name, b->plan.vocabulary);
}

/* general.name, or the file's own, made printable. */
static char *model_name(const ip_gguf *file) {
    const ip_gguf_value *value = ip_gguf_find(file, "general.name");
    char *name;
    if (value && value->type == IP_GGUF_STRING && value->size > 0) {
        name = strndup((const char *)value->data, value->size < 256 ? value->size : 256);
    } else {
        const char *slash = strrchr(ip_gguf_path(file), '/');
        name = strdup(slash ? slash + 1 : ip_gguf_path(file));
    }
    if (name) ip_make_printable(name);
    return name;
}

static ip_status bind_plan(ip_build *b, const char *family) {
    size_t index, tensors = ip_gguf_tensor_count(b->file);
    if (tensors == 0)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: there are no weights in this file, only keys and a vocabulary",
                       b->path);
    ip_status status = choose_family(b, family, &index);
    if (status != IP_OK) return status;
    b->claimed = calloc(tensors, sizeof *b->claimed);
    if (!b->claimed) return ip_fail(b->error, IP_FAILED, "%s: out of memory", b->path);
    status = families[index].bind(b);
    if (status == IP_OK) status = ip_build_finish(b);
    if (status == IP_OK) status = check_vocabulary(b);
    const ip_tensor *embedding = b->plan.embedding;
    if (status == IP_OK)
        status = ip_tensor_check_finite(embedding, ip_gguf_part_path(b->file, ip_gguf_tensor_part(b->file, embedding)),
                                        b->error);
    for (size_t i = 0; i < tensors; i++) {
        const uint64_t *ne = ip_gguf_tensor_at(b->file, i)->ne;
        b->plan.parameters += ne[0] * ne[1] * ne[2] * ne[3];
    }
    free(b->claimed);
    b->claimed = NULL;
    return status;
}

ip_status ip_model_from_gguf(ip_model **out, ip_gguf *file, const char *family, ip_warn warn, void *context,
                             ip_error *error) {
    *out = NULL;
    const char *path = ip_gguf_path(file);
    ip_model *model = calloc(1, sizeof *model);
    if (!model) {
        ip_status status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
        ip_gguf_close(file);
        return status;
    }
    uint64_t control = ip_fp_enter();
    model->file = file;
    ip_build build = {.file = file, .path = path, .error = error};
    ip_status status = bind_plan(&build, family);
    if (status == IP_OK && warn && strcmp(build.architecture, build.family) != 0) {
        ip_error line;
        ip_fail(&line, IP_OK, "%s: architecture '%s' is read as family '%s', as asked", path, build.architecture,
                build.family);
        warn(context, line.message);
    }
    model->owned = build.owned;
    model->owned_count = build.owned_count;
    model->plan = build.plan;
    model->family = build.family;
    if (status == IP_OK && !(model->name = model_name(file)))
        status = ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_fp_leave(control);
    if (status == IP_OK)
        *out = model;
    else
        ip_model_close(model);
    return status;
}

ip_status ip_model_open(ip_model **out, const char *path, const char *family, ip_warn warn, void *context,
                        ip_error *error) {
    *out = NULL;
    ip_gguf *file;
    ip_status status = ip_gguf_open(&file, path, warn, context, error);
    return status == IP_OK ? ip_model_from_gguf(out, file, family, warn, context, error) : status;
}

void ip_model_close(ip_model *model) {
    if (!model) return;
    for (size_t i = 0; i < model->owned_count; i++) free(model->owned[i]);
    free(model->owned);
    free(model->name);
    ip_gguf_close(model->file);
    free(model);
}

const ip_plan *ip_model_plan(const ip_model *model) { return &model->plan; }
const char *ip_model_family(const ip_model *model) { return model->family; }
const char *ip_model_name(const ip_model *model) { return model->name; }
const ip_gguf *ip_model_gguf(const ip_model *model) { return model->file; }

const char *ip_model_tensor_path(const ip_model *model, const ip_tensor *tensor) {
    return ip_gguf_part_path(model->file, ip_gguf_tensor_part(model->file, tensor));
}

ip_status ip_model_fingerprint(const ip_model *model, char out[33], ip_error *error) {
    ip_hash128_stream *stream = ip_hash128_new();
    if (!stream) return ip_fail(error, IP_FAILED, "%s: out of memory", ip_gguf_path(model->file));
    for (size_t part = 0; part < ip_gguf_parts(model->file); part++) {
        ip_bytes bytes = ip_gguf_part_bytes(model->file, part);
        ip_hash128_update(stream, bytes.data, bytes.size);
    }
    ip_hash128_hex(stream, out);
    ip_hash128_free(stream);
    return IP_OK;
}

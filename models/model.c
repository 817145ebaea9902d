/* Opening a model: the checkpoint, then its family, then the checks that every family shares. */
#include "models/model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fpcontrol.h"
#include "models/build.h"

struct ip_model {
    ip_checkpoint file;
    const char *family;
    char *name;
    ip_plan plan;
    void **owned; /* memory that the plan points to */
    size_t owned_count;
};

static const ip_family *const families[] = {
#define IP_FAMILY(family) &ip_family_##family,
#include "models/families/families.def"
#undef IP_FAMILY
};

enum { FAMILIES = sizeof families / sizeof families[0] };

size_t ip_family_count(void) { return FAMILIES; }

const ip_family *ip_family_at(size_t index) { return families[index]; }

/* ---- which family ---- */

/* Whether text is one of words, which are separated by |. */
static bool equals(ip_bytes text, const char *words) {
    while (words && *words) {
        size_t n = strcspn(words, "|");
        if (text.size == n && memcmp(text.data, words, n) == 0) return true;
        words += n + (words[n] == '|');
    }
    return false;
}

/* All names by which checkpoints of one kind call families; NULL: the families' own. */
static void family_names(const ip_build *b, char *out, size_t room) {
    out[0] = '\0';
    for (size_t i = 0; i < FAMILIES; i++) {
        const char *name = !b ? families[i]->name : b->file->gguf ? families[i]->architecture : families[i]->model_type;
        size_t n = name ? strcspn(name, "|") : 0, at = strlen(out);
        if (n > 0) snprintf(out + at, room - at, "%s%.*s", at > 0 ? ", " : "", (int)n, name);
    }
}

/* What the file calls itself: general.architecture or model_type. */
static ip_status read_architecture(ip_build *b, const char *forced, ip_bytes *out) {
    static const char key[] = "general.architecture";
    ip_bytes type;
    bool found;
    ip_status status = ip_gguf_get_string(b->file->gguf, "general.type", &type, &found, b->error);
    if (status == IP_OK && found && !equals(type, "model"))
        return ip_fail(b->error, IP_BAD_INPUT, "%s: general.type is '%.*s', not a model", b->path,
                       (int)(type.size < 40 ? type.size : 40), type.data);
    if (status == IP_OK) status = ip_gguf_get_string(b->file->gguf, key, out, &found, b->error);
    if (status != IP_OK) return status;
    if (!found && !forced) return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is missing", b->path, key);
    if (!found) *out = (ip_bytes){forced, strlen(forced)};
    if (out->size > 0 && out->size < sizeof b->architecture) {
        memcpy(b->architecture, out->data, out->size);
        b->architecture[out->size] = '\0';
    }
    return IP_OK;
}

static ip_status read_model_type(ip_build *b, const char *forced, ip_bytes *out) {
    const ip_folder *f = b->file->folder;
    const char *type = forced;
    const ip_node *node = ip_node_get(f->text, "model_type");
    if (!node) node = ip_node_get(f->config, "model_type");
    b->config = f->text;
    if (node ? !ip_node_text(node, &type) : !forced)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: key 'model_type' is %s", b->path, node ? "not a text" : "missing");
    *out = (ip_bytes){type, strlen(type)};
    snprintf(b->architecture, sizeof b->architecture, "%s", type);
    return IP_OK;
}

static ip_status choose_family(ip_build *b, const char *forced) {
    char names[1024];
    ip_bytes name;
    bool gguf = b->file->gguf != NULL;
    ip_status status = gguf ? read_architecture(b, forced, &name) : read_model_type(b, forced, &name);
    if (status != IP_OK) return status;
    for (size_t i = 0; i < FAMILIES && !b->family; i++) {
        const ip_family *f = families[i];
        if (forced ? strcmp(forced, f->name) == 0 : equals(name, gguf ? f->architecture : f->model_type)) b->family = f;
    }
    family_names(forced ? NULL : b, names, sizeof names);
    if (!b->family && forced)
        return ip_fail(b->error, IP_USAGE, "%s: family '%s' is unknown; known: %s", b->path, forced, names);
    if (!b->family || name.size == 0 || name.size >= sizeof b->architecture)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: %s '%.*s' is not supported; supported: %s", b->path,
                       gguf ? "general.architecture" : "model_type", (int)(name.size < 40 ? name.size : 40), name.data,
                       names);
    b->traits = b->family->traits;
    b->names = gguf ? b->family->file_names : b->family->folder_names;
    return IP_OK;
}

/* ---- the plan ---- */

/* The vocabulary has to have one token per row, or ids would read past the matrix. A list that is missing or of another
 * type is the tokenizer's to refuse: ids can come without it. */
static ip_status check_vocabulary(const ip_build *b) {
    static const char key[] = "tokenizer.ggml.tokens";
    const ip_gguf_value *tokens = b->file->gguf ? ip_gguf_find(b->file->gguf, key) : NULL;
    if (!tokens || tokens->type != IP_GGUF_ARRAY || tokens->element != IP_GGUF_STRING) return IP_OK;
    if (tokens->count == b->plan.vocabulary) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' has %" PRIu64 " tokens, but tensor '%s' has %zu rows", b->path,
                   key, tokens->count, b->plan.embedding->name, b->plan.vocabulary);
}

/* general.name, or the file's or folder's own, made printable. */
static char *model_name(const ip_checkpoint *file) {
    const ip_gguf_value *value = file->gguf ? ip_gguf_find(file->gguf, "general.name") : NULL;
    char *name;
    if (value && value->type == IP_GGUF_STRING && value->size > 0) {
        name = strndup((const char *)value->data, value->size < 256 ? value->size : 256);
    } else {
        const char *path = file->gguf ? ip_gguf_path(file->gguf) : file->folder->path;
        const char *slash = strrchr(path, '/');
        name = strdup(slash && slash[1] ? slash + 1 : path);
    }
    if (name) ip_make_printable(name);
    return name;
}

static ip_status bind_plan(ip_build *b, const char *family) {
    size_t tensors = ip_checkpoint_tensor_count(b->file);
    if (tensors == 0)
        return ip_fail(b->error, IP_BAD_INPUT, "%s: there are no weights in this file, only keys and a vocabulary",
                       b->path);
    ip_status status = choose_family(b, family);
    if (status != IP_OK) return status;
    b->claimed = calloc(tensors, sizeof *b->claimed);
    if (!b->claimed) return ip_fail(b->error, IP_FAILED, "%s: out of memory", b->path);
    status = ip_build_shape(b);
    if (status == IP_OK) status = ip_build_blocks(b);
    if (status == IP_OK) status = ip_build_finish(b);
    if (status == IP_OK) status = check_vocabulary(b);
    const ip_tensor *embedding = b->plan.embedding;
    if (status == IP_OK)
        status = ip_tensor_check_finite(embedding, ip_checkpoint_tensor_path(b->file, embedding), b->error);
    for (size_t i = 0; i < tensors; i++) {
        const uint64_t *ne = ip_checkpoint_tensor_at(b->file, i)->ne;
        if (b->claimed[i] || b->file->gguf) b->plan.parameters += ne[0] * ne[1] * ne[2] * ne[3];
    }
    free(b->claimed);
    b->claimed = NULL;
    return status;
}

ip_status ip_model_from_checkpoint(ip_model **out, ip_checkpoint *file, const char *family, ip_warn warn, void *context,
                                   ip_error *error) {
    *out = NULL;
    ip_model *model = calloc(1, sizeof *model);
    if (!model) {
        ip_status status = ip_fail(error, IP_FAILED, "%s: out of memory", ip_checkpoint_path(file));
        ip_checkpoint_close(file);
        return status;
    }
    uint64_t control = ip_fp_enter();
    model->file = *file;
    ip_build build = {.file = &model->file, .path = ip_checkpoint_path(&model->file), .error = error};
    ip_status status = bind_plan(&build, family);
    if (status == IP_OK && warn && family &&
        !equals((ip_bytes){build.architecture, strlen(build.architecture)},
                build.file->gguf ? build.family->architecture : build.family->model_type)) {
        ip_error line;
        ip_fail(&line, IP_OK, "%s: architecture '%s' is read as family '%s', as asked", build.path, build.architecture,
                build.family->name);
        warn(context, line.message);
    }
    model->owned = build.owned;
    model->owned_count = build.owned_count;
    model->plan = build.plan;
    model->family = build.family ? build.family->name : NULL;
    if (status == IP_OK && !(model->name = model_name(&model->file)))
        status = ip_fail(error, IP_FAILED, "%s: out of memory", build.path);
    ip_fp_leave(control);
    if (status == IP_OK)
        *out = model;
    else
        ip_model_close(model);
    return status;
}

ip_status ip_model_from_gguf(ip_model **out, ip_gguf *file, const char *family, ip_warn warn, void *context,
                             ip_error *error) {
    ip_checkpoint checkpoint = {.gguf = file};
    return ip_model_from_checkpoint(out, &checkpoint, family, warn, context, error);
}

ip_status ip_model_open(ip_model **out, const char *path, const char *family, ip_warn warn, void *context,
                        ip_error *error) {
    *out = NULL;
    ip_checkpoint file;
    ip_status status = ip_checkpoint_open(&file, path, warn, context, error);
    if (status == IP_OK) return ip_model_from_checkpoint(out, &file, family, warn, context, error);
    ip_checkpoint_close(&file);
    return status;
}

void ip_model_close(ip_model *model) {
    if (!model) return;
    for (size_t i = 0; i < model->owned_count; i++) free(model->owned[i]);
    free(model->owned);
    free(model->name);
    ip_checkpoint_close(&model->file);
    free(model);
}

const ip_plan *ip_model_plan(const ip_model *model) { return &model->plan; }
const char *ip_model_family(const ip_model *model) { return model->family; }
const char *ip_model_name(const ip_model *model) { return model->name; }
const ip_gguf *ip_model_gguf(const ip_model *model) { return model->file.gguf; }
const ip_checkpoint *ip_model_checkpoint(const ip_model *model) { return &model->file; }

const char *ip_model_tensor_path(const ip_model *model, const ip_tensor *tensor) {
    return ip_checkpoint_tensor_path(&model->file, tensor);
}

ip_status ip_model_fingerprint(const ip_model *model, char out[33], ip_error *error) {
    return ip_checkpoint_fingerprint(&model->file, out, error);
}

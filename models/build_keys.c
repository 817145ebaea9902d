/* Hyper-parameters with ranges, from the keys of a GGUF file or from config.json. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/build.h"

void *ip_build_alloc(ip_build *b, size_t count, size_t size) {
    void **owned = realloc(b->owned, (b->owned_count + 1) * sizeof *owned);
    if (owned) b->owned = owned;
    void *p = owned ? calloc(count > 0 ? count : 1, size) : NULL;
    if (p)
        b->owned[b->owned_count++] = p;
    else
        ip_fail(b->error, IP_FAILED, "%s: out of memory", b->path);
    return p;
}

ip_key ip_build_key(const ip_build *b, const char *gguf) {
    ip_key full;
    snprintf(full.text, sizeof full.text, "%s.%s", b->architecture, gguf);
    return full;
}

const ip_node *ip_build_node(const ip_build *b, const char *folder, ip_key *key) {
    ip_key name;
    for (const char *at = folder; at && *at;) {
        size_t n = strcspn(at, "|");
        snprintf(name.text, sizeof name.text, "%.*s", (int)n, at);
        if (key) *key = name;
        const ip_node *node = ip_node_get(b->config, name.text);
        if (node) return node;
        at += n + (at[n] == '|');
    }
    if (key && folder) snprintf(key->text, sizeof key->text, "%.*s", (int)strcspn(folder, "|"), folder);
    return NULL;
}

/* The key's full name in this kind of checkpoint. */
static ip_key name_of(const ip_build *b, const char *gguf, const char *folder) {
    ip_key key = {{0}};
    if (b->file->folder)
        ip_build_node(b, folder, &key);
    else if (gguf)
        key = ip_build_key(b, gguf);
    return key;
}

bool ip_build_has(const ip_build *b, const char *gguf, const char *folder) {
    if (b->file->folder) return ip_build_node(b, folder, NULL) != NULL;
    return gguf && ip_gguf_find(b->file->gguf, ip_build_key(b, gguf).text) != NULL;
}

ip_status ip_build_bad(ip_build *b, const char *gguf, const char *folder, const char *text) {
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' %s", b->path, name_of(b, gguf, folder).text, text);
}

static ip_status out_of_range(ip_build *b, const ip_key *key, uint64_t least, uint64_t most) {
    return ip_fail(b->error, IP_BAD_INPUT,
                   "%s: key '%s' is not a whole number from %" PRIu64 " to %" PRIu64 ", as is needed", b->path,
                   key->text, least, most);
}

static ip_status check_least(ip_build *b, const char *key, uint64_t value, uint64_t least) {
    if (value >= least) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' is %" PRIu64 ", at least %" PRIu64 " is needed", b->path, key,
                   value, least);
}

ip_status ip_build_uint(ip_build *b, const char *gguf, const char *folder, uint64_t least, uint64_t most,
                        uint64_t fallback, uint64_t *out) {
    bool found = false;
    ip_status status = IP_OK;
    *out = fallback;
    if (b->file->folder) {
        ip_key key;
        int64_t value = 0;
        const ip_node *node = ip_build_node(b, folder, &key);
        found = node != NULL;
        if (node && (!ip_node_int(node, &value) || value < 0 || (uint64_t)value < least || (uint64_t)value > most))
            return out_of_range(b, &key, least, most);
        if (node) *out = (uint64_t)value;
    } else if (gguf) {
        ip_key full = ip_build_key(b, gguf);
        status = ip_gguf_get_uint(b->file->gguf, full.text, most, out, &found, b->error);
        if (status == IP_OK && found) status = check_least(b, full.text, *out, least);
    }
    if (status != IP_OK || found) return status;
    *out = fallback;
    return fallback == IP_REQUIRED ? ip_build_bad(b, gguf, folder, "is missing") : IP_OK;
}

ip_status ip_build_float(ip_build *b, const char *gguf, const char *folder, double fallback, double *out) {
    bool found = false;
    if (b->file->folder) {
        const ip_node *node = ip_build_node(b, folder, NULL);
        found = node != NULL;
        if (node && !ip_node_number(node, out)) return ip_build_bad(b, gguf, folder, "is not a finite number");
    } else if (gguf) {
        ip_status status = ip_gguf_get_float(b->file->gguf, ip_build_key(b, gguf).text, out, &found, b->error);
        if (status != IP_OK) return status;
        if (found && !isfinite(*out)) return ip_build_bad(b, gguf, folder, "is not a finite number");
    }
    if (found) return IP_OK;
    *out = fallback;
    return fallback == IP_REQUIRED_FLOAT ? ip_build_bad(b, gguf, folder, "is missing") : IP_OK;
}

ip_status ip_build_bool(ip_build *b, const char *gguf, const char *folder, bool fallback, bool *out) {
    bool found = false;
    ip_status status = IP_OK;
    if (b->file->folder) {
        const ip_node *node = ip_build_node(b, folder, NULL);
        found = node != NULL;
        if (node && !ip_node_bool(node, out)) return ip_build_bad(b, gguf, folder, "is neither true nor false");
    } else if (gguf) {
        status = ip_gguf_get_bool(b->file->gguf, ip_build_key(b, gguf).text, out, &found, b->error);
    }
    if (!found) *out = fallback;
    return status;
}

static ip_status layers_from_array(ip_build *b, const ip_gguf_value *value, const char *key, uint64_t least,
                                   uint64_t most, void (*take)(ip_layer_shape *shape, uint64_t value)) {
    size_t layers = b->plan.layers;
    bool integers = value->element <= IP_GGUF_I32 || value->element == IP_GGUF_U64 || value->element == IP_GGUF_I64;
    if (!integers || value->count != layers)
        return ip_fail(b->error, IP_BAD_INPUT,
                       "%s: key '%s' is an array of %" PRIu64 " %s, needed are %zu integers, one per layer", b->path,
                       key, value->count, integers ? "integers" : "values of another type", layers);
    for (size_t i = 0; i < layers; i++) {
        int64_t number = ip_gguf_int_at(value, i);
        if (number < 0 || (uint64_t)number > most)
            return ip_fail(b->error, IP_BAD_INPUT,
                           "%s: key '%s', layer %zu: out of its range of %" PRIu64 " to %" PRIu64, b->path, key, i,
                           least, most);
        ip_status status = check_least(b, key, (uint64_t)number, least);
        if (status != IP_OK) return status;
        take(&b->shapes[i], (uint64_t)number);
    }
    return IP_OK;
}

ip_status ip_build_layers_uint(ip_build *b, const char *gguf, const char *folder, uint64_t least, uint64_t most,
                               uint64_t fallback, void (*take)(ip_layer_shape *shape, uint64_t value)) {
    if (b->file->gguf && gguf) {
        ip_key full = ip_build_key(b, gguf);
        const ip_gguf_value *value = ip_gguf_find(b->file->gguf, full.text);
        if (value && value->type == IP_GGUF_ARRAY) return layers_from_array(b, value, full.text, least, most, take);
    }
    uint64_t one;
    ip_status status = ip_build_uint(b, gguf, folder, least, most, fallback, &one);
    for (size_t i = 0; status == IP_OK && i < b->plan.layers; i++) take(&b->shapes[i], one);
    return status;
}

ip_status ip_build_neutral(ip_build *b, const char *gguf, double neutral) {
    if (!b->file->gguf) return IP_OK;
    ip_key full = ip_build_key(b, gguf);
    const ip_gguf_value *value = ip_gguf_find(b->file->gguf, full.text);
    if (!value) return IP_OK;
    bool real = value->type == IP_GGUF_F32 || value->type == IP_GGUF_F64;
    bool whole = value->type <= IP_GGUF_I32 || value->type == IP_GGUF_BOOL || value->type == IP_GGUF_U64 ||
                 value->type == IP_GGUF_I64;
    double number = real ? ip_gguf_float_at(value, 0) : whole ? (double)ip_gguf_int_at(value, 0) : NAN;
    if (number == 0 || number == neutral) return IP_OK;
    return ip_fail(b->error, IP_BAD_INPUT, "%s: key '%s' asks for something that family %s does not do here", b->path,
                   full.text, b->family->name);
}

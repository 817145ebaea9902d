/* Finding and ordering checkpoints. */
#include "core/series/checkpoints.h"

#include <ctype.h>
#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/run/run_get.h"

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool exists_in(const char *folder, const char *name) {
    struct stat info;
    char *path = ip_join_path(folder, name);
    bool there = path && stat(path, &info) == 0;
    free(path);
    return there;
}

static bool ends_with(const char *text, const char *tail) {
    size_t n = strlen(text), m = strlen(tail);
    return n > m && strcmp(text + n - m, tail) == 0;
}

/* Whether an entry of a folder is a checkpoint, by what stands in it. Unfinished files have other names. */
static bool looks_like_one(const char *path) {
    if (is_folder(path)) return exists_in(path, "config.json") || ip_is_run(path);
    return ends_with(path, ".gguf");
}

static ip_status add(ip_checkpoint_list *list, const char *path, ip_error *error) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].path, path) == 0) return IP_OK;
    ip_checkpoint_name *wider = realloc(list->items, (list->count + 1) * sizeof *wider);
    char *copy = strdup(path);
    if (wider) list->items = wider;
    if (!wider || !copy) {
        free(copy);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--) copy[n - 1] = '\0';
    list->items[list->count++] = (ip_checkpoint_name){.path = copy};
    return IP_OK;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Entries of a folder, by name: the order of the file system is nobody's. */
static ip_status add_entries(ip_checkpoint_list *list, const char *path, ip_error *error) {
    DIR *folder = opendir(path);
    if (!folder) return ip_fail(error, IP_BAD_INPUT, "%s: cannot list the folder", path);
    char **names = NULL;
    size_t count = 0;
    ip_status status = IP_OK;
    for (struct dirent *entry; status == IP_OK && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        char *whole = ip_join_path(path, entry->d_name), **wider = realloc(names, (count + 1) * sizeof *wider);
        if (wider) names = wider;
        if (whole && wider && looks_like_one(whole)) {
            names[count++] = whole;
        } else {
            if (!whole || !wider) status = ip_fail(error, IP_FAILED, "out of memory");
            free(whole);
        }
    }
    closedir(folder);
    if (count > 0) qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        if (status == IP_OK) status = add(list, names[i], error);
        free(names[i]);
    }
    free(names);
    return status;
}

static ip_status add_path(ip_checkpoint_list *list, const char *path, bool empty_is_fine, ip_error *error) {
    if (!is_folder(path) || looks_like_one(path)) return add(list, path, error);
    size_t before = list->count;
    ip_status status = add_entries(list, path, error);
    if (status == IP_OK && list->count == before && !empty_is_fine)
        status = ip_fail(error, IP_BAD_INPUT, "%s: no checkpoint in this folder: no .gguf, model folder or run", path);
    return status;
}

ip_status ip_checkpoints_add(ip_checkpoint_list *list, const char *argument, bool empty_is_fine, ip_error *error) {
    struct stat info;
    if (stat(argument, &info) == 0 || !strpbrk(argument, "*?[")) return add_path(list, argument, empty_is_fine, error);
    glob_t found;
    if (glob(argument, 0, NULL, &found) != 0)
        return empty_is_fine ? IP_OK : ip_fail(error, IP_BAD_INPUT, "%s: nothing matches", argument);
    ip_status status = IP_OK;
    for (size_t i = 0; i < found.gl_pathc && status == IP_OK; i++)
        status = add_path(list, found.gl_pathv[i], empty_is_fine, error);
    globfree(&found);
    return status;
}

/* ---- names and order ---- */

/* Digits at text as a number; false without digits, or with more than fit. */
static bool digits(const char *text, uint64_t *out) {
    uint64_t value = 0;
    if (!isdigit((unsigned char)*text)) return false;
    for (; isdigit((unsigned char)*text); text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = 10 * value + digit;
    }
    *out = value;
    return true;
}

bool ip_checkpoint_step(const char *name, uint64_t *step) {
    static const char *const words[] = {"step", "checkpoint", "ckpt", "iter"};
    const char *best = NULL;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        for (const char *at = strstr(name, words[w]); at; at = strstr(at + 1, words[w])) {
            const char *behind = at + strlen(words[w]);
            behind += strspn(behind, "-_=.");
            if (isdigit((unsigned char)*behind) && (!best || behind > best)) best = behind;
        }
    }
    for (const char *at = name; !best && *at; at++) {
        /* the last digits: the first of a group behind which no further group begins */
        bool begins = isdigit((unsigned char)*at) && (at == name || !isdigit((unsigned char)at[-1]));
        const char *behind = at + strspn(at, "0123456789");
        if (begins && !strpbrk(behind, "0123456789")) best = at;
    }
    return best && digits(best, step);
}

static int by_step(const void *a, const void *b) {
    const ip_checkpoint_name *x = a, *y = b;
    return x->step < y->step ? -1 : x->step > y->step;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The last `parts` parts of a path, joined by "-"; malloc'ed. */
static char *short_name(const char *path, unsigned parts) {
    const char *from = path + strlen(path);
    for (unsigned i = 0; i < parts && from > path; i++)
        for (from -= i > 0; from > path && from[-1] != '/'; from--) {
        }
    char *name = strdup(from);
    for (char *c = name; c && *c; c++)
        if (*c == '/') *c = '-';
    return name;
}

/* The last part of each path, the last two where names would meet. */
static ip_status name_all(ip_checkpoint_list *list, ip_error *error) {
    for (unsigned parts = 1; parts <= 3; parts++) {
        bool twice = false;
        for (size_t i = 0; i < list->count; i++) {
            free(list->items[i].name);
            list->items[i].name = short_name(list->items[i].path, parts);
            if (!list->items[i].name) return ip_fail(error, IP_FAILED, "out of memory");
            for (size_t j = 0; j < i; j++) twice = twice || strcmp(list->items[i].name, list->items[j].name) == 0;
        }
        if (!twice) return IP_OK;
    }
    return ip_fail(error, IP_USAGE, "trajectory: two checkpoints have paths that end alike: give them other names");
}

ip_status ip_checkpoints_sort(ip_checkpoint_list *list, ip_error *error) {
    bool sortable = true;
    for (size_t i = 0; i < list->count; i++) {
        ip_checkpoint_name *item = &list->items[i];
        item->has_step = ip_checkpoint_step(last_part(item->path), &item->step);
        sortable = sortable && item->has_step;
        for (size_t j = 0; j < i && sortable; j++) sortable = list->items[j].step != item->step;
    }
    if (sortable && list->count > 1) qsort(list->items, list->count, sizeof *list->items, by_step);
    return name_all(list, error);
}

void ip_checkpoints_free(ip_checkpoint_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].name);
    }
    free(list->items);
    *list = (ip_checkpoint_list){NULL, 0};
}

/* ---- watching ---- */

static uint64_t look_at(const char *path, const char *name) {
    struct stat info;
    if (stat(path, &info) != 0) return 0;
    const uint64_t facts[] = {(uint64_t)info.st_size, (uint64_t)info.st_mtim.tv_sec, (uint64_t)info.st_mtim.tv_nsec};
    return ip_hash64(facts, sizeof facts, ip_hash64(name, strlen(name), 1));
}

/* A sum over the entries, so that their order does not matter. */
uint64_t ip_checkpoint_look(const char *path) {
    uint64_t sum = look_at(path, "");
    DIR *folder = is_folder(path) ? opendir(path) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char *whole = ip_join_path(path, entry->d_name);
        if (whole) sum += look_at(whole, entry->d_name);
        free(whole);
    }
    if (folder) closedir(folder);
    return sum;
}

/* resume.state:
 *
 *     "IPSTATE1" | key (32) | u64 first layer, rows, width, bytes of regions | regions | stream | XXH3-128 (32)
 *
 * in the byte order of the machine, which the key holds. It is written under a temporary name and renamed. The states of
 * ranks are the same under other names.
 */
#include "core/run/resume.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

#define STATE_NAME "resume"
#define STATE_TAIL ".state"
static const char magic[9] = "IPSTATE1";
enum { HEAD = 8 + 32 + 4 * 8, CHUNK_ROWS = 256 };

/* ---- which work it is ---- */

/* A file changes its size or its time when it is written; reading all of it would cost more than a state saves. */
static void add_file(ip_hash128_stream *hash, const char *path) {
    struct stat info;
    ip_hash128_text(hash, path);
    if (stat(path, &info) != 0) return;
    ip_hash128_number(hash, (uint64_t)info.st_size);
    ip_hash128_number(hash, (uint64_t)info.st_mtim.tv_sec);
    ip_hash128_number(hash, (uint64_t)info.st_mtim.tv_nsec);
    if (!S_ISDIR(info.st_mode)) return;
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *inner = entries[i]->d_name[0] != '.' ? ip_join_path(path, entries[i]->d_name) : NULL;
        if (inner && stat(inner, &info) == 0 && !S_ISDIR(info.st_mode)) add_file(hash, inner);
        free(inner);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

static void add_settings(ip_hash128_stream *hash, const ip_settings *s) {
    const uint64_t numbers[] = {s->orders, s->backoff, s->min_count, s->count_at_positions, s->bins,
                                s->seed,   s->null,    s->groups,    s->bootstrap,          s->lens};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) ip_hash128_number(hash, numbers[i]);
    ip_hash128_text(hash, s->estimator);
    ip_hash128_text(hash, s->calibration);
    ip_hash128_text(hash, s->compute);
    ip_hash128_text(hash, s->weights);
    ip_hash128_text(hash, s->family);
}

static ip_status make_key(char key[IP_HASH_HEX], const ip_session *session, const char *model, const char *anchors,
                          ip_error *error) {
    ip_hash128_stream *hash = ip_hash128_new();
    if (!hash) return ip_fail(error, IP_FAILED, "out of memory");
    ip_hash128_text(hash, INFOPLANE_VERSION);
    ip_hash128_number(hash, 0x0102030405060708); /* the machine's byte order */
    ip_hash128_number(hash, sizeof(ip_layer_result));
    ip_hash128_text(hash, session->kernels->name);
    add_file(hash, model);
    ip_hash128_text(hash, session->corpus.ids_fingerprint);
    ip_hash128_text(hash, anchors);
    ip_hash128_number(hash, ip_ranks_number(session->host->ranks));
    ip_hash128_number(hash, ip_ranks_count(session->host->ranks));
    add_settings(hash, session->settings);
    ip_hash128_hex(hash, key);
    ip_hash128_free(hash);
    return IP_OK;
}

/* turn 0: of a process that is alone. */
static char *state_path(const char *folder, const ip_ranks *ranks, int turn) {
    char name[64] = STATE_NAME STATE_TAIL;
    if (turn > 0)
        snprintf(name, sizeof name, STATE_NAME "-%u-of-%u-%d" STATE_TAIL, ip_ranks_number(ranks), ip_ranks_count(ranks),
                 turn);
    return ip_join_path(folder, name);
}

ip_status ip_resume_open(ip_resume *resume, const ip_session *session, const char *model, const char *anchors,
                         ip_error *error) {
    memset(resume, 0, sizeof *resume);
    const ip_settings *s = session->settings;
    if (!s->checkpoint) return IP_OK;
    ip_status status = make_key(resume->key, session, model, anchors, error);
    if (status != IP_OK) return status;
    resume->every = (double)s->checkpoint_seconds;
    resume->due = ip_seconds() + resume->every;
    resume->ranks = session->host->ranks;
    bool alone = ip_ranks_count(resume->ranks) == 1;
    resume->path = state_path(s->checkpoint, resume->ranks, alone ? 0 : 1);
    resume->before = alone ? NULL : state_path(s->checkpoint, resume->ranks, 2);
    return resume->path && (alone || resume->before) ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
}

void ip_resume_close(ip_resume *resume) {
    free(resume->path);
    free(resume->before);
    resume->path = resume->before = NULL;
}

void ip_resume_region(ip_resume *resume, void *data, size_t bytes) {
    if (!data || bytes == 0) return;
    resume->regions[resume->count].data = data;
    resume->regions[resume->count++].bytes = bytes;
}

static uint64_t region_bytes(const ip_resume *resume) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < resume->count; i++) bytes += resume->regions[i].bytes;
    return bytes;
}

/* ---- reading ---- */

/* The state's parts, when it is whole and of this work; its first layer, or 0. */
static size_t check_state(const ip_resume *resume, const ip_map *map, const ip_store *store) {
    uint64_t row_bytes = store->width * sizeof(float), numbers[4];
    uint64_t size = HEAD + region_bytes(resume) + store->rows * row_bytes + 32;
    if (map->size != size || memcmp(map->data, magic, 8) != 0 || memcmp(map->data + 8, resume->key, 32) != 0) return 0;
    memcpy(numbers, map->data + 40, sizeof numbers);
    if (numbers[1] != store->rows || numbers[2] != store->width || numbers[3] != region_bytes(resume)) return 0;
    char hex[IP_HASH_HEX];
    ip_hash128(map->data, map->size - 32, hex);
    return memcmp(map->data + map->size - 32, hex, 32) == 0 ? (size_t)numbers[0] : 0;
}

static ip_status fill(ip_resume *resume, const unsigned char *from, const ip_store *store, ip_error *error) {
    for (size_t i = 0; i < resume->count; i++) {
        memcpy(resume->regions[i].data, from, resume->regions[i].bytes);
        from += resume->regions[i].bytes;
    }
    size_t row_bytes = store->width * sizeof(float);
    if (store->resident > 0) memcpy(store->memory, from, (size_t)store->resident * row_bytes);
    from += store->resident * row_bytes;
    if (store->resident == store->rows) return IP_OK;
    return ip_scratch_write(&store->scratch, 0, from, (size_t)(store->rows - store->resident) * row_bytes, error);
}

/* The first layer that the state of a file leaves to do; 0: none, or it is not of this work. */
static size_t layer_of(const ip_resume *resume, const char *path, const ip_store *store) {
    struct stat info;
    ip_map map;
    ip_error error = {0};
    if (!path || stat(path, &info) != 0 || ip_map_open(&map, path, &error) != IP_OK) return 0;
    size_t first = check_state(resume, &map, store);
    ip_map_close(&map);
    return first;
}

static bool take_from(ip_resume *resume, const char *path, const ip_store *store) {
    ip_map map;
    ip_error error = {0};
    if (ip_map_open(&map, path, &error) != IP_OK) return false;
    bool good = fill(resume, map.data + HEAD, store, &error) == IP_OK;
    ip_map_close(&map);
    return good;
}

static bool is_there(const char *path) {
    struct stat info;
    return path && stat(path, &info) == 0;
}

/* The last layer that stands in a state of every rank: each has two. */
static size_t common_layer(const ip_resume *resume, size_t now, size_t before) {
    unsigned of = ip_ranks_count(resume->ranks), own = ip_ranks_number(resume->ranks);
    if (of == 1) return now;
    uint64_t *all = calloc(2 * (size_t)of, sizeof *all);
    if (!all) ip_ranks_stop(resume->ranks, IP_FAILED);
    all[2 * own] = now;
    all[2 * own + 1] = before;
    ip_ranks_sum(resume->ranks, all, 2 * (size_t)of);
    size_t best = 0;
    for (size_t i = 0; i < 2; i++) {
        unsigned have = 0;
        for (unsigned r = 0; r < of; r++) have += all[2 * r] == all[i] || all[2 * r + 1] == all[i];
        if (have == of && all[i] > best) best = (size_t)all[i];
    }
    free(all);
    return best;
}

size_t ip_resume_take(ip_resume *resume, ip_session *session, const ip_store *store) {
    if (!resume->path) return 0;
    bool there = is_there(resume->path) || is_there(resume->before);
    size_t now = layer_of(resume, resume->path, store), before = layer_of(resume, resume->before, store);
    size_t first = common_layer(resume, now, before);
    if (first > 0) {
        const char *path = now == first ? resume->path : resume->before;
        uint64_t failed = !take_from(resume, path, store);
        ip_ranks_sum(resume->ranks, &failed, 1);
        if (failed > 0) first = 0;
    }
    if (first > 0 && now != first) { /* the next one replaces the other */
        char *path = resume->path;
        resume->path = resume->before;
        resume->before = path;
    }
    if (first > 0)
        ip_session_warn(session, "%s: going on with layer %zu", resume->path, first);
    else if (there)
        ip_session_warn(session, "%s: is damaged or of other work: beginning anew", resume->path);
    return first;
}

/* ---- writing ---- */

/* Everything that is written also goes into the hash at the end. */
static void put(FILE *file, ip_hash128_stream *hash, const void *data, size_t n) {
    ip_hash128_update(hash, data, n);
    fwrite(data, 1, n, file);
}

static ip_status put_stream(FILE *file, ip_hash128_stream *hash, const ip_store *store, ip_error *error) {
    size_t row_bytes = store->width * sizeof(float);
    if (store->resident > 0) put(file, hash, store->memory, (size_t)store->resident * row_bytes);
    char *rows = store->resident < store->rows ? malloc(CHUNK_ROWS * row_bytes) : NULL;
    if (!rows) return store->resident < store->rows ? ip_fail(error, IP_FAILED, "out of memory") : IP_OK;
    ip_status status = IP_OK;
    for (uint64_t at = store->resident; status == IP_OK && at < store->rows; at += CHUNK_ROWS) {
        size_t n = (size_t)(store->rows - at < CHUNK_ROWS ? store->rows - at : CHUNK_ROWS) * row_bytes;
        status = ip_scratch_read(&store->scratch, (at - store->resident) * row_bytes, rows, n, error);
        if (status == IP_OK) put(file, hash, rows, n);
    }
    free(rows);
    return status;
}

static ip_status write_state(const ip_resume *resume, const ip_store *store, size_t first, ip_error *error) {
    ip_hash128_stream *hash = ip_hash128_new();
    ip_out out;
    ip_status status = hash ? ip_out_open(&out, resume->path, error) : ip_fail(error, IP_FAILED, "out of memory");
    if (status == IP_OK) {
        const uint64_t numbers[4] = {first, store->rows, store->width, region_bytes(resume)};
        put(out.file, hash, magic, 8);
        put(out.file, hash, resume->key, 32);
        put(out.file, hash, numbers, sizeof numbers);
        for (size_t i = 0; i < resume->count; i++)
            put(out.file, hash, resume->regions[i].data, resume->regions[i].bytes);
        status = put_stream(out.file, hash, store, error);
        char hex[IP_HASH_HEX];
        ip_hash128_hex(hash, hex);
        fwrite(hex, 1, 32, out.file);
        if (status == IP_OK) {
            status = ip_out_commit(&out, error);
        } else {
            ip_out_abandon(&out);
        }
    }
    ip_hash128_free(hash);
    return status;
}

/* Whether it is time: for all ranks when it is for the first. */
static bool is_due(const ip_resume *resume, double now) {
    uint64_t due = resume->path && now >= resume->due && ip_ranks_number(resume->ranks) == 0;
    ip_ranks_sum(resume->ranks, &due, 1);
    return due > 0;
}

void ip_resume_keep(ip_resume *resume, ip_session *session, const ip_store *store, size_t layer) {
    double start = ip_seconds();
    if (!session->settings->checkpoint || !is_due(resume, start) || !resume->path) return;
    ip_session_stage(session, "checkpoint", 0, "");
    ip_error error = {0};
    if (resume->before) { /* over the older one */
        char *path = resume->before;
        resume->before = resume->path;
        resume->path = path;
    }
    if (write_state(resume, store, layer + 1, &error) != IP_OK) {
        ip_session_warn(session, "no state is kept for going on after a kill: %s", error.message);
        ip_resume_close(resume);
        return;
    }
    double now = ip_seconds(), pause = 20.0 * (now - start);
    resume->due = resume->every == 0.0 ? now : now + (pause > resume->every ? pause : resume->every);
}

void ip_resume_forget(const char *folder) {
    DIR *entries = opendir(folder);
    for (const struct dirent *e; entries && (e = readdir(entries)) != NULL;) {
        size_t n = strlen(e->d_name), tail = sizeof STATE_TAIL - 1;
        if (strncmp(e->d_name, STATE_NAME, sizeof STATE_NAME - 1) != 0 || n < tail ||
            strcmp(e->d_name + n - tail, STATE_TAIL) != 0)
            continue;
        char *path = ip_join_path(folder, e->d_name);
        if (path) unlink(path);
        free(path);
    }
    if (entries) closedir(entries);
}

/* resume.state:
 *
 *     "IPSTATE1" | key (32) | u64 first layer, rows, width, bytes of regions | regions | stream | XXH3-128 (32)
 *
 * in the byte order of the machine, which the key holds. It is written under a temporary name and renamed.
 */
#include "core/run/resume.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

#define STATE_NAME "resume.state"
static const char magic[9] = "IPSTATE1";
enum { HEAD = 8 + 32 + 4 * 8, CHUNK_ROWS = 256 };

/* ---- which work it is ---- */

static void add_text(ip_hash128_stream *hash, const char *text) {
    if (!text) text = "";
    ip_hash128_update(hash, text, strlen(text) + 1);
}

static void add_number(ip_hash128_stream *hash, uint64_t number) { ip_hash128_update(hash, &number, sizeof number); }

/* A file changes its size or its time when it is written; reading all of it would cost more than a state saves. */
static void add_file(ip_hash128_stream *hash, const char *path) {
    struct stat info;
    add_text(hash, path);
    if (stat(path, &info) != 0) return;
    add_number(hash, (uint64_t)info.st_size);
    add_number(hash, (uint64_t)info.st_mtim.tv_sec);
    add_number(hash, (uint64_t)info.st_mtim.tv_nsec);
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
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) add_number(hash, numbers[i]);
    add_text(hash, s->estimator);
    add_text(hash, s->calibration);
    add_text(hash, s->compute);
    add_text(hash, s->weights);
    add_text(hash, s->family);
}

static ip_status make_key(char key[IP_HASH_HEX], const ip_session *session, const char *model, const char *anchors,
                          ip_error *error) {
    ip_hash128_stream *hash = ip_hash128_new();
    if (!hash) return ip_fail(error, IP_FAILED, "out of memory");
    add_text(hash, INFOPLANE_VERSION);
    add_number(hash, 0x0102030405060708); /* the machine's byte order */
    add_number(hash, sizeof(ip_layer_result));
    add_text(hash, session->kernels->name);
    add_file(hash, model);
    add_text(hash, session->corpus.ids_fingerprint);
    add_text(hash, anchors);
    add_settings(hash, session->settings);
    ip_hash128_hex(hash, key);
    ip_hash128_free(hash);
    return IP_OK;
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
    resume->path = ip_join_path(s->checkpoint, STATE_NAME);
    return resume->path ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
}

void ip_resume_close(ip_resume *resume) {
    free(resume->path);
    resume->path = NULL;
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

size_t ip_resume_take(ip_resume *resume, ip_session *session, const ip_store *store) {
    struct stat info;
    if (!resume->path || stat(resume->path, &info) != 0) return 0;
    ip_map map;
    ip_error error = {0};
    if (ip_map_open(&map, resume->path, &error) != IP_OK) return 0;
    size_t first = check_state(resume, &map, store);
    if (first > 0 && fill(resume, map.data + HEAD, store, &error) != IP_OK) first = 0;
    ip_map_close(&map);
    if (first > 0) {
        ip_session_warn(session, "%s: going on with layer %zu", resume->path, first);
    } else {
        ip_session_warn(session, "%s: is damaged or of other work: beginning anew", resume->path);
    }
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

void ip_resume_keep(ip_resume *resume, ip_session *session, const ip_store *store, size_t layer) {
    double start = ip_seconds();
    if (!resume->path || start < resume->due) return;
    ip_session_stage(session, "checkpoint", 0, "");
    ip_error error = {0};
    if (write_state(resume, store, layer + 1, &error) != IP_OK) {
        ip_session_warn(session, "no state is kept for going on after a kill: %s", error.message);
        ip_resume_close(resume);
        return;
    }
    double now = ip_seconds(), pause = 20.0 * (now - start);
    resume->due = resume->every == 0.0 ? now : now + (pause > resume->every ? pause : resume->every);
}

void ip_resume_forget(const char *folder) {
    char *path = ip_join_path(folder, STATE_NAME);
    if (path) unlink(path);
    free(path);
}

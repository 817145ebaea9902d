/* Writing and reading the sections of a state file. */
#include "core/run/shard_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

static const char magic[8] = "IPSTATE\n";
enum { VERSION = 1, HEAD = 16, ROW = 32, ALIGN = 64, SECTIONS_MOST = 1 << 20 };

static void put32(unsigned char *at, uint32_t x) {
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(x >> (8 * i));
}

static void put64(unsigned char *at, uint64_t x) {
    put32(at, (uint32_t)x);
    put32(at + 4, (uint32_t)(x >> 32));
}

static uint32_t get32(const unsigned char *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const unsigned char *at) { return get32(at) | (uint64_t)get32(at + 4) << 32; }

static uint64_t table_bytes(uint32_t sections) { return HEAD + (uint64_t)sections * ROW + sizeof(uint64_t); }
static uint64_t aligned(uint64_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }

/* ---- writing ---- */

/* Zeroes up to where the next section begins. */
static void pad(ip_shard_writer *writer, uint64_t to) {
    static const unsigned char zeros[ALIGN];
    while (writer->at < to) {
        size_t n = to - writer->at < ALIGN ? (size_t)(to - writer->at) : ALIGN;
        fwrite(zeros, 1, n, writer->out.file);
        writer->at += n;
    }
}

ip_status ip_shard_create(ip_shard_writer *out, const char *path, uint32_t sections, ip_error *error) {
    memset(out, 0, sizeof *out);
    ip_status status = ip_out_open(&out->out, path, error);
    if (status != IP_OK) return status;
    out->announced = sections;
    out->sections = calloc(sections, sizeof *out->sections);
    if (!out->sections) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    pad(out, table_bytes(sections));
    return IP_OK;
}

ip_status ip_shard_write(ip_shard_writer *writer, uint32_t kind, uint32_t number, const void *data, size_t size,
                         ip_error *error) {
    pad(writer, aligned(writer->at));
    writer->sections[writer->count++] = (ip_section){kind, number, writer->at, size, ip_hash64(data, size, 0)};
    if (size > 0) fwrite(data, 1, size, writer->out.file);
    writer->at += size;
    if (!ferror(writer->out.file)) return IP_OK;
    return ip_fail(error, IP_FAILED, "%s: cannot write: %s", writer->out.path, strerror(errno));
}

ip_status ip_shard_commit(ip_shard_writer *writer, ip_error *error) {
    size_t bytes = (size_t)table_bytes(writer->announced);
    unsigned char *table = calloc(1, bytes);
    ip_status status = table ? IP_OK : ip_fail(error, IP_FAILED, "%s: out of memory", writer->out.path);
    if (status == IP_OK && writer->count != writer->announced)
        status = ip_fail(error, IP_FAILED, "%s: %u sections of %u", writer->out.path, writer->count, writer->announced);
    if (status == IP_OK) {
        memcpy(table, magic, sizeof magic);
        put32(table + 8, VERSION);
        put32(table + 12, writer->count);
        for (uint32_t i = 0; i < writer->count; i++) {
            const ip_section *s = &writer->sections[i];
            unsigned char *row = table + HEAD + (size_t)i * ROW;
            put32(row, s->kind);
            put32(row + 4, s->number);
            put64(row + 8, s->offset);
            put64(row + 16, s->size);
            put64(row + 24, s->hash);
        }
        put64(table + bytes - sizeof(uint64_t), ip_hash64(table, bytes - sizeof(uint64_t), 0));
        if (fseek(writer->out.file, 0, SEEK_SET) != 0 || fwrite(table, 1, bytes, writer->out.file) != bytes)
            status = ip_fail(error, IP_FAILED, "%s: cannot write: %s", writer->out.path, strerror(errno));
    }
    free(table);
    if (status == IP_OK) status = ip_out_commit(&writer->out, error);
    ip_shard_abandon(writer);
    return status;
}

void ip_shard_abandon(ip_shard_writer *writer) {
    ip_out_abandon(&writer->out);
    free(writer->sections);
    memset(writer, 0, sizeof *writer);
}

/* ---- reading ---- */

static ip_status damaged(const ip_shard_file *file, const char *what, ip_error *error) {
    return ip_fail(error, IP_BAD_INPUT, "%s: %s: the file is cut short or damaged, make this shard again", file->path,
                   what);
}

static ip_status read_table(ip_shard_file *file, ip_error *error) {
    const unsigned char *data = file->map.data;
    if (file->map.size < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
        return ip_fail(error, IP_BAD_INPUT, "%s: not a state file: analyze --shard writes them", file->path);
    if (file->map.size < HEAD) return damaged(file, "no table of sections", error);
    if (get32(data + 8) != VERSION)
        return ip_fail(error, IP_BAD_INPUT, "%s: state file of version %u, this program reads version %d", file->path,
                       get32(data + 8), VERSION);
    uint32_t count = get32(data + 12);
    uint64_t bytes = table_bytes(count), end = bytes;
    if (count > SECTIONS_MOST || bytes > file->map.size) return damaged(file, "no whole table of sections", error);
    if (get64(data + bytes - sizeof(uint64_t)) != ip_hash64(data, (size_t)bytes - sizeof(uint64_t), 0))
        return damaged(file, "the table of sections is not what was written", error);
    file->sections = calloc((size_t)count + 1, sizeof *file->sections);
    if (!file->sections) return ip_fail(error, IP_FAILED, "%s: out of memory", file->path);
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *row = data + HEAD + (size_t)i * ROW;
        ip_section s = {get32(row), get32(row + 4), get64(row + 8), get64(row + 16), get64(row + 24)};
        if (s.offset != aligned(end) || s.offset > file->map.size || s.size > file->map.size - s.offset)
            return damaged(file, "a section lies outside of it", error);
        end = s.offset + s.size;
        file->sections[file->count++] = s;
    }
    return end == file->map.size ? IP_OK : damaged(file, "it does not end where its last section does", error);
}

ip_status ip_shard_open_memory(ip_shard_file *out, const char *path, const void *data, size_t size, ip_error *error) {
    *out = (ip_shard_file){.map = {data, size}, .path = path};
    ip_status status = read_table(out, error);
    if (status != IP_OK) {
        free(out->sections);
        *out = (ip_shard_file){.path = path};
    }
    return status;
}

ip_status ip_shard_open(ip_shard_file *out, const char *path, ip_error *error) {
    ip_map map;
    memset(out, 0, sizeof *out);
    ip_status status = ip_map_open(&map, path, error);
    if (status != IP_OK) return status;
    status = ip_shard_open_memory(out, path, map.data, map.size, error);
    if (status != IP_OK) ip_map_close(&map);
    return status;
}

void ip_shard_close(ip_shard_file *file) {
    ip_map_close(&file->map);
    free(file->sections);
    memset(file, 0, sizeof *file);
}

ip_status ip_shard_section(const ip_shard_file *file, uint32_t kind, uint32_t number, uint64_t size,
                           const unsigned char **data, uint64_t *found, ip_error *error) {
    static const char *const names[] = {"",       "description", "document lengths", "token ids", "losses",
                                        "pieces", "layer"};
    for (uint32_t i = 0; i < file->count; i++) {
        const ip_section *s = &file->sections[i];
        if (s->kind != kind || s->number != number) continue;
        const unsigned char *at = file->map.data + s->offset;
        if ((size != UINT64_MAX && s->size != size) || s->hash != ip_hash64(at, (size_t)s->size, 0))
            return ip_fail(error, IP_BAD_INPUT,
                           "%s: the section %s %u is not what was written: the file is damaged, make this shard again",
                           file->path, names[kind], number);
        *data = at;
        if (found) *found = s->size;
        return IP_OK;
    }
    return ip_fail(error, IP_BAD_INPUT, "%s: has no section %s %u: the file is damaged, make this shard again",
                   file->path, names[kind], number);
}

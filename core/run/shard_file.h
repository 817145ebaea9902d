/* State files of shards: sections of bytes, each with its hash.
 *
 *   "IPSTATE\n"  u32 version 1  u32 sections
 *   per section  u32 kind  u32 number  u64 offset  u64 size  u64 XXH3-64 of its bytes
 *   u64 XXH3-64 of all that stands before
 *   the sections, each at a multiple of 64, in the order of the table, the last one to the end of the file
 *
 * All numbers little-endian. What each kind holds stands in docs/formats.md.
 */
#ifndef IP_CORE_SHARD_FILE_H
#define IP_CORE_SHARD_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/file.h"
#include "core/base/status.h"

typedef enum ip_section_kind {
    IP_SECTION_META = 1,    /* JSON: the run so far, and which part of it this is */
    IP_SECTION_LENGTHS = 2, /* u32 per document: tokens */
    IP_SECTION_IDS = 3,     /* i32 per token */
    IP_SECTION_LOSSES = 4,  /* f64 per token: -log p of the token that follows; 0 where there is none */
    IP_SECTION_PIECES = 5,  /* per token id in use, rising: u32 id, u32 bytes, the bytes that it stands for */
    IP_SECTION_LENS = 7,    /* u64 [5][2], low word first: the lens's sums at layer `number` (core/forward/loss.h) */
    IP_SECTION_LAYER = 6    /* f32 [blocks of 16 anchors][positions][16]: soft assignments of layer `number` */
} ip_section_kind;

typedef struct ip_section {
    uint32_t kind, number;
    uint64_t offset, size, hash;
} ip_section;

/* ---- writing: as many sections as were announced, in any order ---- */

typedef struct ip_shard_writer {
    ip_out out;
    ip_section *sections;
    uint32_t count, announced;
    uint64_t at;
} ip_shard_writer;

ip_status ip_shard_create(ip_shard_writer *out, const char *path, uint32_t sections, ip_error *error);
ip_status ip_shard_write(ip_shard_writer *writer, uint32_t kind, uint32_t number, const void *data, size_t size,
                         ip_error *error);
/* The file appears under its name. */
ip_status ip_shard_commit(ip_shard_writer *writer, ip_error *error);
/* Safe on a zeroed or committed writer; drops what was not committed. */
void ip_shard_abandon(ip_shard_writer *writer);

/* ---- reading ---- */

typedef struct ip_shard_file {
    ip_map map;
    const char *path; /* for messages, borrowed */
    ip_section *sections;
    uint32_t count;
} ip_shard_file;

/* Checks the table. path must outlive it. */
ip_status ip_shard_open(ip_shard_file *out, const char *path, ip_error *error);
/* The same from memory that outlives it. */
ip_status ip_shard_open_memory(ip_shard_file *out, const char *path, const void *data, size_t size, ip_error *error);
void ip_shard_close(ip_shard_file *file);

/* A section's bytes, 8-byte aligned, their hash checked. size: what it must have, or UINT64_MAX: any. */
ip_status ip_shard_section(const ip_shard_file *file, uint32_t kind, uint32_t number, uint64_t size,
                           const unsigned char **data, uint64_t *found, ip_error *error);

#endif

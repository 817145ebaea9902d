/* Files: read-only maps of inputs, and outputs that appear under their final name only when they are whole. */
#ifndef IP_BASE_FILE_H
#define IP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"

/* A whole file mapped read-only. data is NULL only when size is 0. */
typedef struct ip_map {
    const unsigned char *data;
    size_t size;
} ip_map;

/* Maps a regular file; a missing, unreadable or non-regular file is IP_BAD_INPUT with one line naming path. */
ip_status ip_map_open(ip_map *map, const char *path, ip_error *error);
void ip_map_close(ip_map *map);

/* An output file: written as "<path>.part-<pid>" and renamed by commit. Writes to /dev/... go straight there. */
typedef struct ip_out {
    FILE *file;
    char *path, *temporary; /* temporary == NULL: written in place (devices, pipes) */
} ip_out;

ip_status ip_out_open(ip_out *out, const char *path, ip_error *error);
/* Flushes, syncs errors, renames. On failure the temporary is removed, nothing appears under path. */
ip_status ip_out_commit(ip_out *out, ip_error *error);
/* Drops the temporary; safe on a zeroed or committed ip_out. */
void ip_out_abandon(ip_out *out);
/* Removes every temporary of this process that is still open; async-signal-safe, for the interrupt path. */
void ip_out_unlink_all(void);

/* Creates a folder and its parents; existing folders are fine. */
ip_status ip_make_folder(const char *path, ip_error *error);

/* malloc'ed "a/b". */
char *ip_join_path(const char *folder, const char *name);

#endif

/* Bytes of a text file in order, decompressed: plain, .gz and .zst by the end of the name, "-" for standard input. */
#ifndef IP_CORE_TEXT_READER_H
#define IP_CORE_TEXT_READER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_text_reader ip_text_reader;

ip_status ip_text_reader_open(ip_text_reader **out, const char *path, ip_error *error);
void ip_text_reader_close(ip_text_reader *reader);

/* Up to room bytes; *got is 0 only at the end. A compressed file that is cut, corrupt, or followed by something else is
 * IP_BAD_INPUT. */
ip_status ip_text_reader_read(ip_text_reader *reader, char *out, size_t room, size_t *got, ip_error *error);

/* Bytes of the file taken so far, compressed ones as they stand; and of the whole file, 0 when unknown (a pipe). */
uint64_t ip_text_reader_position(const ip_text_reader *reader);
uint64_t ip_text_reader_size(const ip_text_reader *reader);

/* XXH3-128 of the whole file's bytes as they stand on disk. What has not been read yet is read here (not decompressed);
 * a pipe that was not read to its end gives the empty string. */
ip_status ip_text_reader_fingerprint(ip_text_reader *reader, char out[33], ip_error *error);

/* The doors of zlib and zstd. A step takes *used of n bytes and makes *made of at most room; both 0 means that it needs
 * more bytes. It returns what is wrong, or NULL; end says whether the stream may stop where it is. */
typedef struct ip_gz ip_gz;
ip_gz *ip_gz_new(void); /* NULL: out of memory */
void ip_gz_free(ip_gz *gz);
const char *ip_gz_step(ip_gz *gz, const unsigned char *in, size_t n, size_t *used, char *out, size_t room,
                       size_t *made);
const char *ip_gz_end(const ip_gz *gz);

typedef struct ip_zst ip_zst;
ip_zst *ip_zst_new(void); /* NULL: out of memory */
void ip_zst_free(ip_zst *zst);
const char *ip_zst_step(ip_zst *zst, const unsigned char *in, size_t n, size_t *used, char *out, size_t room,
                        size_t *made);
const char *ip_zst_end(const ip_zst *zst);

#endif

/* A growing buffer over a text reader: what is cut out of a text of any length stands in it in one piece. */
#ifndef IP_CORE_TEXT_BUFFER_H
#define IP_CORE_TEXT_BUFFER_H

#include <stdbool.h>

#include "core/input/text_reader.h"

/* Bytes that a read asks for at least half of. */
enum { IP_TEXT_PART = 1 << 18 };

/* data[at .. filled) is what has been read and not been taken; whoever takes moves `at`. All 0 but reader and path to begin
 * with. */
typedef struct ip_text_buffer {
    ip_text_reader *reader; /* not owned */
    const char *path;       /* for messages */
    char *data;
    size_t at, filled, room;
    bool ended; /* nothing is left behind filled */
} ip_text_buffer;

/* Reads more behind what is there; ended once there is nothing left. data moves; offsets from `at` stay what they are. */
ip_status ip_text_buffer_fill(ip_text_buffer *buffer, ip_error *error);

/* At the beginning: passes over the byte-order mark of UTF-8; IP_BAD_INPUT for that of UTF-16. */
ip_status ip_text_buffer_mark(ip_text_buffer *buffer, ip_error *error);

void ip_text_buffer_free(ip_text_buffer *buffer);

#endif

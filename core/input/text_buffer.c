#include "core/input/text_buffer.h"

#include <stdlib.h>
#include <string.h>

ip_status ip_text_buffer_fill(ip_text_buffer *b, ip_error *error) {
    if (b->ended) return IP_OK;
    /* Moved only when half of it is taken: each byte moves at most once for each time that the buffer fills. */
    if (b->at > 0 && b->at * 2 >= b->filled) {
        memmove(b->data, b->data + b->at, b->filled - b->at);
        b->filled -= b->at;
        b->at = 0;
    }
    if (b->room - b->filled < IP_TEXT_PART / 2) {
        size_t room = b->room * 2 + IP_TEXT_PART;
        char *data = realloc(b->data, room);
        if (!data) return ip_fail(error, IP_FAILED, "%s: out of memory", b->path);
        b->data = data;
        b->room = room;
    }
    size_t got;
    ip_status status = ip_text_reader_read(b->reader, b->data + b->filled, b->room - b->filled, &got, error);
    if (status != IP_OK) return status;
    b->filled += got;
    b->ended = got == 0;
    return IP_OK;
}

ip_status ip_text_buffer_mark(ip_text_buffer *b, ip_error *error) {
    while (!b->ended && b->filled - b->at < 3) {
        ip_status status = ip_text_buffer_fill(b, error);
        if (status != IP_OK) return status;
    }
    const char *p = b->data ? b->data + b->at : "";
    size_t n = b->filled - b->at;
    if (n >= 2 && (memcmp(p, "\xFF\xFE", 2) == 0 || memcmp(p, "\xFE\xFF", 2) == 0))
        return ip_fail(error, IP_BAD_INPUT, "%s: is UTF-16 text (its byte-order mark says so); convert it to UTF-8",
                       b->path);
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) b->at += 3;
    return IP_OK;
}

void ip_text_buffer_free(ip_text_buffer *b) { free(b->data); }

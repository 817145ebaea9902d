/* gzip: the door to zlib. Members follow each other; zeros after the last one are padding (tapes), anything else is
 * not ours to ignore. */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/input/text_reader.h"

struct ip_gz {
    z_stream stream;
    bool begun;   /* a member has begun and not ended */
    bool any;     /* a member has ended */
    bool padding; /* zeros have been seen behind the last member */
};

ip_gz *ip_gz_new(void) {
    ip_gz *gz = calloc(1, sizeof *gz);
    /* 15 + 16: the largest window, gzip's header and trailer only. */
    if (gz && inflateInit2(&gz->stream, 15 + 16) != Z_OK) {
        free(gz);
        return NULL;
    }
    return gz;
}

void ip_gz_free(ip_gz *gz) {
    if (!gz) return;
    inflateEnd(&gz->stream);
    free(gz);
}

const char *ip_gz_step(ip_gz *gz, const unsigned char *in, size_t n, size_t *used, char *out, size_t room,
                       size_t *made) {
    *used = *made = 0;
    if (!gz->begun) {
        while (gz->any && *used < n && in[*used] == 0) {
            ++*used;
            gz->padding = true;
        }
        if (*used == n) return NULL;
        if (gz->padding) return "garbage after the end of the gzip data";
        if (gz->any && in[0] != 0x1F) return "garbage after the end of the gzip data";
        gz->begun = true;
    }
    gz->stream.next_in = (unsigned char *)in;
    gz->stream.avail_in = n > UINT_MAX ? UINT_MAX : (unsigned)n;
    gz->stream.next_out = (unsigned char *)out;
    gz->stream.avail_out = room > UINT_MAX ? UINT_MAX : (unsigned)room;
    unsigned in_before = gz->stream.avail_in, out_before = gz->stream.avail_out;
    int got = inflate(&gz->stream, Z_NO_FLUSH);
    *used = in_before - gz->stream.avail_in;
    *made = out_before - gz->stream.avail_out;
    if (got == Z_STREAM_END) {
        gz->begun = false;
        gz->any = true;
        return inflateReset(&gz->stream) == Z_OK ? NULL : "zlib cannot start over";
    }
    if (got == Z_OK || got == Z_BUF_ERROR) return NULL;
    if (got == Z_MEM_ERROR) return "out of memory for gzip data";
    return gz->stream.msg ? gz->stream.msg : "corrupt gzip data";
}

const char *ip_gz_end(const ip_gz *gz) {
    return gz->begun ? "truncated: the gzip data end too early"
           : gz->any ? NULL
                     : "truncated: an empty file is no gzip data";
}

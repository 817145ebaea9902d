/* zstd: the door to its library. Frames and skippable frames follow each other; the value that the stream function
 * returns is 0 only when a frame has ended whole, check sum included. */
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

#include "core/input/text_reader.h"

struct ip_zst {
    ZSTD_DStream *stream;
    bool any;  /* bytes have been seen */
    bool open; /* inside a frame */
};

ip_zst *ip_zst_new(void) {
    ip_zst *zst = calloc(1, sizeof *zst);
    if (!zst) return NULL;
    zst->stream = ZSTD_createDStream();
    if (!zst->stream) {
        free(zst);
        return NULL;
    }
    return zst;
}

void ip_zst_free(ip_zst *zst) {
    if (!zst) return;
    ZSTD_freeDStream(zst->stream);
    free(zst);
}

const char *ip_zst_step(ip_zst *zst, const unsigned char *in, size_t n, size_t *used, char *out, size_t room,
                        size_t *made) {
    *used = *made = 0;
    /* Between frames the function would report the size of the next header as a hint; without bytes nothing begins. */
    if (n == 0 && !zst->open) return NULL;
    ZSTD_inBuffer source = {in, n, 0};
    ZSTD_outBuffer target = {out, room, 0};
    size_t got = ZSTD_decompressStream(zst->stream, &target, &source);
    if (ZSTD_isError(got)) return ZSTD_getErrorName(got);
    *used = source.pos;
    *made = target.pos;
    if (source.pos > 0) zst->any = true;
    zst->open = got != 0;
    return NULL;
}

const char *ip_zst_end(const ip_zst *zst) {
    return zst->open  ? "truncated: the zstd data end too early"
           : zst->any ? NULL
                      : "truncated: an empty file is no zstd data";
}

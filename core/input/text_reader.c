/* Reading text files as a stream: raw bytes go through the hash as they come, then through a decompressor if the name
 * asks for one. */
#include "core/input/text_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hash.h"

enum { RAW = 1 << 18 };

struct ip_text_reader {
    char *path;
    int fd;
    bool regular, ended;
    uint64_t position, size;
    ip_hash128_stream *hash;
    ip_gz *gz;
    ip_zst *zst;
    unsigned char *raw;
    size_t at, filled; /* of raw */
};

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

ip_status ip_text_reader_open(ip_text_reader **out, const char *path, ip_error *error) {
    *out = NULL;
    bool standard = strcmp(path, "-") == 0, gz = ends_with(path, ".gz"), zst = ends_with(path, ".zst");
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ip_fail(error, IP_BAD_INPUT, "%s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        if (!standard) close(fd);
        return ip_fail(error, IP_BAD_INPUT, "%s: is a folder, not a file", path);
    }
    ip_text_reader *r = calloc(1, sizeof *r);
    if (!r) {
        if (!standard) close(fd);
        return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    r->fd = fd;
    r->path = strdup(path);
    r->regular = S_ISREG(st.st_mode);
    r->size = r->regular ? (uint64_t)st.st_size : 0;
    r->hash = ip_hash128_new();
    r->raw = malloc(RAW);
    if (gz) r->gz = ip_gz_new();
    if (zst) r->zst = ip_zst_new();
    if (!r->path || !r->hash || !r->raw || (gz && !r->gz) || (zst && !r->zst)) {
        ip_text_reader_close(r);
        return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    *out = r;
    return IP_OK;
}

void ip_text_reader_close(ip_text_reader *r) {
    if (!r) return;
    if (r->fd != STDIN_FILENO) close(r->fd);
    ip_gz_free(r->gz);
    ip_zst_free(r->zst);
    ip_hash128_free(r->hash);
    free(r->raw);
    free(r->path);
    free(r);
}

/* Fills raw again once it is used up. */
static ip_status refill(ip_text_reader *r, ip_error *error) {
    if (r->at < r->filled || r->ended) return IP_OK;
    ssize_t got;
    do got = read(r->fd, r->raw, RAW);
    while (got < 0 && errno == EINTR);
    if (got < 0) return ip_fail(error, IP_BAD_INPUT, "%s: cannot read: %s", r->path, strerror(errno));
    r->at = 0;
    r->filled = (size_t)got;
    r->position += (uint64_t)got;
    r->ended = got == 0;
    ip_hash128_update(r->hash, r->raw, r->filled);
    return IP_OK;
}

ip_status ip_text_reader_read(ip_text_reader *r, char *out, size_t room, size_t *got, ip_error *error) {
    *got = 0;
    while (*got == 0) {
        ip_status status = refill(r, error);
        if (status != IP_OK) return status;
        const unsigned char *in = r->raw + r->at;
        size_t n = r->filled - r->at, used = 0;
        const char *wrong = NULL;
        if (r->gz) {
            wrong = ip_gz_step(r->gz, in, n, &used, out, room, got);
        } else if (r->zst) {
            wrong = ip_zst_step(r->zst, in, n, &used, out, room, got);
        } else {
            used = *got = n < room ? n : room;
            memcpy(out, in, used);
        }
        r->at += used;
        if (wrong)
            return ip_fail(error, IP_BAD_INPUT, "%s: corrupt or not in the format of its name: %s", r->path, wrong);
        if (*got > 0 || used > 0) continue;
        if (!r->ended) {
            if (r->at == r->filled) continue;
            return ip_fail(error, IP_BAD_INPUT, "%s: the decompressor does not go on", r->path);
        }
        wrong = r->gz ? ip_gz_end(r->gz) : r->zst ? ip_zst_end(r->zst) : NULL;
        return wrong ? ip_fail(error, IP_BAD_INPUT, "%s: %s", r->path, wrong) : IP_OK;
    }
    return IP_OK;
}

uint64_t ip_text_reader_position(const ip_text_reader *r) { return r->position; }

uint64_t ip_text_reader_size(const ip_text_reader *r) { return r->size; }

ip_status ip_text_reader_fingerprint(ip_text_reader *r, char out[33], ip_error *error) {
    out[0] = '\0';
    while (r->regular && !r->ended) {
        r->at = r->filled;
        ip_status status = refill(r, error);
        if (status != IP_OK) return status;
    }
    if (r->ended) ip_hash128_hex(r->hash, out);
    return IP_OK;
}

/* Scratch files by mkstemp + unlink (O_TMPFILE is not everywhere), positioned reads and writes from any thread. */
#include "core/forward/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include "core/base/file.h"

static bool in_memory(int fd) {
#ifdef __linux__
    struct statfs fs;
    const long tmpfs = 0x01021994, ramfs = (long)0x858458f6u; /* linux/magic.h */
    return fstatfs(fd, &fs) == 0 && ((long)fs.f_type == tmpfs || (long)fs.f_type == ramfs);
#else
    (void)fd;
    return false;
#endif
}

ip_status ip_scratch_open(ip_scratch *scratch, const char *folder, uint64_t bytes, ip_error *error) {
    *scratch = (ip_scratch){.fd = -1, .bytes = bytes};
    char *name = ip_join_path(folder, ".infoplane-scratch-XXXXXX");
    if (!name) return ip_fail(error, IP_FAILED, "out of memory");
    scratch->fd = mkstemp(name);
    if (scratch->fd < 0) {
        ip_status status =
            ip_fail(error, IP_FAILED, "%s: cannot make a scratch file: %s (see --scratch)", folder, strerror(errno));
        free(name);
        return status;
    }
    unlink(name);
    free(name);
    int refused = bytes > 0 ? posix_fallocate(scratch->fd, 0, (off_t)bytes) : 0;
    if (refused != 0) {
        ip_scratch_close(scratch);
        return ip_fail(error, IP_FAILED, "%s: no room for a scratch file of %.1f MB: %s (see --scratch)", folder,
                       (double)bytes / 1e6, strerror(refused));
    }
    scratch->ram_disk = in_memory(scratch->fd);
    return IP_OK;
}

ip_status ip_scratch_write(const ip_scratch *scratch, uint64_t at, const void *data, size_t n, ip_error *error) {
    const char *p = data;
    while (n > 0) {
        ssize_t done = pwrite(scratch->fd, p, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return ip_fail(error, IP_FAILED, "scratch file: cannot write: %s", strerror(errno));
        p += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return IP_OK;
}

ip_status ip_scratch_read(const ip_scratch *scratch, uint64_t at, void *data, size_t n, ip_error *error) {
    char *p = data;
    while (n > 0) {
        ssize_t done = pread(scratch->fd, p, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0)
            return ip_fail(error, IP_FAILED, "scratch file: cannot read: %s", done == 0 ? "it ends" : strerror(errno));
        p += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return IP_OK;
}

void ip_scratch_close(ip_scratch *scratch) {
    if (scratch->fd >= 0) close(scratch->fd);
    scratch->fd = -1;
}

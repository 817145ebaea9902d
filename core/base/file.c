/* Maps and whole-or-nothing outputs. */
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/map_guard.h"

ip_status ip_map_open(ip_map *map, const char *path, ip_error *error) {
    map->data = NULL;
    map->size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return ip_fail(error, IP_BAD_INPUT, "%s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        bool folder = S_ISDIR(st.st_mode);
        close(fd);
        return ip_fail(error, IP_BAD_INPUT, "%s: %s", path,
                       folder ? "is a folder, not a file" : "is not a regular file");
    }
    if ((uint64_t)st.st_size > SIZE_MAX / 2) {
        close(fd);
        return ip_fail(error, IP_BAD_INPUT, "%s: too large for this machine's address space", path);
    }
    map->size = (size_t)st.st_size;
    if (map->size > 0) {
        void *p = mmap(NULL, map->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            int e = errno;
            close(fd);
            map->size = 0;
            return ip_fail(error, IP_FAILED, "%s: cannot map the file: %s", path, strerror(e));
        }
        map->data = p;
        ip_map_watch(p, map->size, path);
    }
    close(fd);
    return IP_OK;
}

void ip_map_close(ip_map *map) {
    if (map->data) {
        ip_map_unwatch(map->data);
        munmap((void *)map->data, map->size);
    }
    map->data = NULL;
    map->size = 0;
}

/* Names of open temporaries, so that an interrupt can remove them. A slot is claimed and cleared by one thread. */
enum { TEMPORARIES = 64 };
static _Atomic(char *) temporaries[TEMPORARIES];

static void remember(char *name) {
    for (int i = 0; i < TEMPORARIES; i++) {
        char *expected = NULL;
        if (atomic_compare_exchange_strong(&temporaries[i], &expected, name)) return;
    }
}

static void forget(char *name) {
    for (int i = 0; i < TEMPORARIES; i++) {
        char *expected = name;
        if (atomic_compare_exchange_strong(&temporaries[i], &expected, NULL)) return;
    }
}

void ip_out_unlink_all(void) {
    for (int i = 0; i < TEMPORARIES; i++) {
        char *name = atomic_load(&temporaries[i]);
        if (name) unlink(name);
    }
}

ip_status ip_out_open(ip_out *out, const char *path, ip_error *error) {
    memset(out, 0, sizeof *out);
    struct stat st;
    bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    if (special && S_ISDIR(st.st_mode))
        return ip_fail(error, IP_FAILED, "%s: is a folder, cannot write a file there", path);
    out->path = strdup(path);
    if (!special) {
        size_t n = strlen(path) + 32;
        out->temporary = malloc(n);
        if (out->temporary) snprintf(out->temporary, n, "%s.part-%ld", path, (long)getpid());
    }
    if (!out->path || (!special && !out->temporary)) {
        ip_out_abandon(out);
        return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    }
    if (out->temporary) remember(out->temporary);
    out->file = fopen(special ? out->path : out->temporary, "wb");
    if (!out->file) {
        int e = errno;
        ip_out_abandon(out);
        return ip_fail(error, IP_FAILED, "%s: cannot write: %s", path, strerror(e));
    }
    return IP_OK;
}

ip_status ip_out_commit(ip_out *out, ip_error *error) {
    /* What was computed from a map that failed takes no final name. */
    if (ip_map_check(error) != IP_OK) {
        ip_out_abandon(out);
        return IP_FAILED;
    }
    int failed = fflush(out->file) != 0 || ferror(out->file);
    int e = errno;
    if (fclose(out->file) != 0 && !failed) {
        failed = 1;
        e = errno;
    }
    out->file = NULL;
    if (!failed && out->temporary && rename(out->temporary, out->path) != 0) {
        failed = 1;
        e = errno;
    }
    ip_status status = IP_OK;
    if (failed) {
        status = ip_fail(error, IP_FAILED, "%s: cannot write: %s", out->path, strerror(e));
    } else if (out->temporary) {
        forget(out->temporary);
        free(out->temporary);
        out->temporary = NULL;
    }
    ip_out_abandon(out);
    return status;
}

void ip_out_abandon(ip_out *out) {
    if (out->file) fclose(out->file);
    if (out->temporary) {
        unlink(out->temporary);
        forget(out->temporary);
    }
    free(out->temporary);
    free(out->path);
    memset(out, 0, sizeof *out);
}

ip_status ip_make_folder(const char *path, ip_error *error) {
    char *copy = strdup(path);
    if (!copy) return ip_fail(error, IP_FAILED, "%s: out of memory", path);
    ip_status status = IP_OK;
    for (char *p = copy + 1; status == IP_OK; p++) {
        if (*p != '/' && *p != '\0') continue;
        char kept = *p;
        *p = '\0';
        struct stat st;
        if (mkdir(copy, 0777) != 0 && !(stat(copy, &st) == 0 && S_ISDIR(st.st_mode)))
            status = ip_fail(error, IP_FAILED, "%s: cannot make the folder: %s", copy, strerror(errno));
        *p = kept;
        if (kept == '\0') break;
    }
    free(copy);
    return status;
}

char *ip_join_path(const char *folder, const char *name) {
    size_t n = strlen(folder) + strlen(name) + 2;
    char *out = malloc(n);
    if (out) snprintf(out, n, "%s/%s", folder, name);
    return out;
}

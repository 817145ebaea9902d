/* Files of result folders. */
#include "core/output/folder_write.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/npy.h"

ip_status ip_folder_write(const char *folder, const char *name, ip_text_writer writer, const void *result,
                          ip_error *error) {
    char *path = ip_join_path(folder, name);
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_out out;
    ip_status status = ip_out_open(&out, path, error);
    if (status == IP_OK) {
        writer(result, out.file);
        status = ip_out_commit(&out, error);
    }
    free(path);
    return status;
}

ip_status ip_folder_write_array(const char *folder, const char *name, const char *descr, unsigned dims,
                                const uint64_t *shape, const void *values, ip_error *error) {
    char *path = ip_join_path(folder, name);
    if (!path) return ip_fail(error, IP_FAILED, "out of memory");
    ip_status status = ip_npy_write(path, descr, dims, shape, values, error);
    free(path);
    return status;
}

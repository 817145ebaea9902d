/* A run from what a user names: a finished one is read, a model is analysed. */
#ifndef IP_CORE_RUN_GET_H
#define IP_CORE_RUN_GET_H

#include "core/infoplane.h"

/* Whether path is a run.json or a folder with one. */
bool ip_is_run(const char *path);

/* What runs are made with where a path names a model. */
typedef struct ip_run_maker {
    const ip_settings *settings;
    const char *const *corpora;
    size_t corpus_count;
    const ip_host *host;
} ip_run_maker;

/* keep: folder that the run is written to, or NULL. With resume, a run that stands there already and is what would be made
 * (same model, text, ids and settings) is taken as it is; *taken says so. */
ip_status ip_run_get(ip_run **out, const char *path, const ip_run_maker *maker, const char *keep, bool resume,
                     bool *taken, ip_error *error);

#endif

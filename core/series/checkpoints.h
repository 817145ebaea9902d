/* Which checkpoints a user means: models, finished runs, folders full of either, patterns; in order of their steps. */
#ifndef IP_CORE_CHECKPOINTS_H
#define IP_CORE_CHECKPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ip_checkpoint_name {
    char *path,
        *name; /* name: last part of the path; with the folder's before it where that is needed to tell them apart */
    bool has_step;
    uint64_t step; /* from the name */
} ip_checkpoint_name;

typedef struct ip_checkpoint_list {
    ip_checkpoint_name *items;
    size_t count;
} ip_checkpoint_list;

/* Appends what an argument stands for: a .gguf file, a model folder or a run is itself, another folder its entries that
 * are one of these, a pattern what it matches. A folder without any is IP_BAD_INPUT unless empty is fine. What the list
 * has already is left out. */
ip_status ip_checkpoints_add(ip_checkpoint_list *list, const char *argument, bool empty_is_fine, ip_error *error);

/* By step where each has one and no two the same, else as they came; then names them. */
ip_status ip_checkpoints_sort(ip_checkpoint_list *list, ip_error *error);

void ip_checkpoints_free(ip_checkpoint_list *list);

/* The step in a name: the digits behind the last "step", "checkpoint", "ckpt" or "iter", else the last digits. */
bool ip_checkpoint_step(const char *name, uint64_t *step);

/* What a checkpoint's files look like from outside: names, sizes, times, as a hash; 0 when there is nothing yet. It stands
 * still once whoever writes them is done. */
uint64_t ip_checkpoint_look(const char *path);

#endif

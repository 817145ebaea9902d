/* What `trajectory` finds, for its writers. */
#ifndef IP_CORE_TRAJECTORY_H
#define IP_CORE_TRAJECTORY_H

#include "core/infoplane.h"
#include "core/series/checkpoints.h"
#include "core/series/phases.h"

typedef struct ip_stop {
    char *path, *name;
    bool has_step;
    uint64_t step;
    ip_run *run; /* without token losses */
} ip_stop;

struct ip_trajectory {
    ip_stop *stop; /* in order */
    size_t stops;
    unsigned orders;
    size_t rows;        /* the mean over layers 1..L, then layers 0..L where all have as many */
    ip_phases *phases;  /* [rows][orders] */
    unsigned resamples; /* most that two checkpoints share; 0: no bootstrap */
    size_t levelled;    /* stops: a loss is not known */
};

/* The table of the terminal. */
void ip_trajectory_write_table(const ip_trajectory *trajectory, FILE *file);

#endif

/* Back-off: a set of order k is the n-grams of order k that are kept, and what is left of the set of the order below.
 *
 * An n-gram that is dropped takes the label that its position has at the order below, whether the input drops its first
 * token or the output its last: so the groups of that set, without the positions that keep theirs here, are groups of
 * this set. */
#include "core/ngrams_internal.h"

enum { SPAN = 1 << 16 }; /* positions of the lower set that a task takes over */

typedef struct backoff_job {
    ip_sets *sets;
    const ip_partition *below[2];
    unsigned k;
    size_t group_tasks[2], lone_tasks[2];
    bool y; /* the side at hand */
} backoff_job;

static bool is_kept(const backoff_job *job, uint32_t position) {
    return job->y ? job->sets->kept_y[job->k][position] != 0 : (job->sets->kept_x[position] >> job->k & 1) != 0;
}

/* First group that begins at or behind a place in the order. */
static size_t group_from(const ip_partition *p, size_t place) {
    size_t low = 0, high = p->groups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->start[middle] < place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint32_t left_of(const backoff_job *job, const uint32_t *order, size_t n) {
    uint32_t left = 0;
    for (size_t i = 0; i < n; i++) left += !is_kept(job, order[i]);
    return left;
}

static size_t put_left(const backoff_job *job, const uint32_t *order, size_t n, uint32_t *to) {
    size_t put = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_kept(job, order[i])) to[put++] = order[i];
    return put;
}

static ip_status take_over(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const backoff_job *job = context;
    const ip_partition *below = job->below[job->y];
    ip_filling *filling = job->y ? &job->sets->y[job->k] : &job->sets->x[job->k];
    ip_turns *turns = job->sets->turns[job->k];
    size_t groups = 0, grouped = 0, alone = 0, from = 0, to = 0, lone = 0, lone_end = 0;
    if (task < job->group_tasks[job->y]) {
        from = group_from(below, task * SPAN);
        to = group_from(below, (task + 1) * SPAN);
    } else {
        lone = below->start[below->groups] + (task - job->group_tasks[job->y]) * SPAN;
        lone_end = below->positions - lone < SPAN ? below->positions : lone + SPAN;
    }
    for (size_t g = from; g < to; g++) {
        uint32_t left = left_of(job, below->order + below->start[g], below->start[g + 1] - below->start[g]);
        groups += left >= 2;
        grouped += left >= 2 ? left : 0;
        alone += left == 1;
    }
    alone += left_of(job, below->order + lone, lone_end - lone);
    ip_turns_enter(turns, task);
    ip_claim at = ip_filling_claim(filling, groups, grouped, alone);
    ip_turns_leave(turns);
    uint32_t *order = filling->set->order;
    for (size_t g = from; g < to; g++) {
        const uint32_t *members = below->order + below->start[g];
        size_t n = below->start[g + 1] - below->start[g];
        uint32_t left = left_of(job, members, n);
        if (left >= 2) {
            filling->set->start[at.group++] = (uint32_t)at.order;
            at.order += put_left(job, members, n, order + at.order);
        } else {
            at.alone += put_left(job, members, n, order + at.alone);
        }
    }
    put_left(job, below->order + lone, lone_end - lone, order + at.alone);
    return IP_OK;
}

ip_status ip_backoff_fill(ip_sets *sets, unsigned k, ip_pool *pool, ip_error *error) {
    backoff_job job = {.sets = sets, .below = {sets->x[k - 1].set, sets->y[k - 1].set}, .k = k};
    ip_status status = IP_OK;
    for (int side = 0; status == IP_OK && side < 2; side++) {
        const ip_partition *below = job.below[side];
        job.y = side == 1;
        job.group_tasks[side] = (below->start[below->groups] + (size_t)SPAN - 1) / SPAN;
        job.lone_tasks[side] = (below->positions - below->start[below->groups] + SPAN - 1) / SPAN;
        ip_turns_restart(sets->turns[k]);
        status = ip_pool_run(pool, job.group_tasks[side] + job.lone_tasks[side], take_over, &job, error);
    }
    return status;
}

/* Back-off: a set of order k is the n-grams of order k that are kept, and what is left of the set of the order below.
 *
 * An n-gram that is dropped takes the label that its position has at the order below, whether the input drops its first
 * token or the output its last: so the groups of that set, without the positions that keep theirs here, are groups of
 * this set. */
#include "core/base/memory.h"
#include "core/ngrams/ngrams_internal.h"

/* Positions of the lower set that a task takes over, twice: the second time their bits are in the private cache. Positions
 * whose bytes are made bits by a task. */
enum { SPAN = 1 << 13, PACKED = 1 << 16 };

typedef struct backoff_job {
    ip_sets *sets;
    const ip_partition *below[2];
    unsigned k;
    size_t group_tasks[2], lone_tasks[2];
    bool y;         /* the side at hand */
    uint64_t *kept; /* a bit per position of that side: an eighth of the bytes, since they are met in no order */
} backoff_job;

static inline uint32_t is_left(const backoff_job *job, uint32_t position) {
    return ~(uint32_t)(job->kept[position >> 6] >> (position & 63)) & 1;
}

static ip_status pack_kept(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    const backoff_job *job = context;
    const uint8_t *bytes = job->y ? job->sets->kept_y[job->k] : job->sets->kept_x;
    size_t positions = job->sets->positions, shift = job->y ? 0 : job->k, from = task * PACKED;
    size_t to = positions - from < PACKED ? positions : from + PACKED;
    for (size_t i = from; i < to; i += 64) {
        uint64_t word = 0;
        for (size_t j = 0; j < 64 && i + j < to; j++) word |= (uint64_t)(bytes[i + j] >> shift & 1) << j;
        job->kept[i / 64] = word;
    }
    return IP_OK;
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
    for (size_t i = 0; i < n; i++) left += is_left(job, order[i]);
    return left;
}

/* Puts the `left` positions of an order that are left. */
static void put_left(const backoff_job *job, const uint32_t *order, size_t left, uint32_t *to) {
    for (size_t i = 0, put = 0; put < left; i++) {
        to[put] = order[i];
        put += is_left(job, order[i]);
    }
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
    uint32_t lone_left = left_of(job, below->order + lone, lone_end - lone);
    alone += lone_left;
    ip_turns_enter(turns, task);
    ip_claim at = ip_filling_claim(filling, groups, grouped, alone);
    ip_turns_leave(turns);
    uint32_t *order = filling->set->order;
    for (size_t g = from; g < to; g++) {
        const uint32_t *members = below->order + below->start[g];
        uint32_t left = left_of(job, members, below->start[g + 1] - below->start[g]);
        if (left >= 2) filling->set->start[at.group++] = (uint32_t)at.order;
        put_left(job, members, left, order + (left >= 2 ? at.order : at.alone));
        *(left >= 2 ? &at.order : &at.alone) += left;
    }
    put_left(job, below->order + lone, lone_left, order + at.alone);
    return IP_OK;
}

ip_status ip_backoff_fill(ip_sets *sets, unsigned k, ip_pool *pool, ip_error *error) {
    backoff_job job = {.sets = sets, .below = {sets->x[k - 1].set, sets->y[k - 1].set}, .k = k};
    size_t bytes = (sets->positions + 63) / 64 * sizeof *job.kept;
    job.kept = ip_big_alloc(bytes);
    if (!job.kept) return ip_fail(error, IP_FAILED, "out of memory for the back-off of %zu positions", sets->positions);
    ip_status status = IP_OK;
    for (int side = 0; status == IP_OK && side < 2; side++) {
        const ip_partition *below = job.below[side];
        job.y = side == 1;
        job.group_tasks[side] = (below->start[below->groups] + (size_t)SPAN - 1) / SPAN;
        job.lone_tasks[side] = (below->positions - below->start[below->groups] + SPAN - 1) / SPAN;
        status = ip_pool_run(pool, (sets->positions + PACKED - 1) / PACKED, pack_kept, &job, error);
        ip_turns_restart(sets->turns[k]);
        if (status == IP_OK)
            status = ip_pool_run(pool, job.group_tasks[side] + job.lone_tasks[side], take_over, &job, error);
    }
    ip_big_free(job.kept, bytes);
    return status;
}

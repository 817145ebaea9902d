/* The thread pool under load: every task runs exactly once, turns keep their order, a failing task stops the hand-out and
 * its error comes back, worker numbers never meet, the floating-point control is the engine's inside and the host's
 * outside. A plain program, so that it also runs under ThreadSanitizer, under an emulator and on a bare board. */
#include <fenv.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/base/pool.h"

enum { TASKS = 5000, WORKERS = 4 };

static int checks, failures;

static void expect(int condition, const char *what) {
    checks++;
    if (!condition) {
        failures++;
        printf("FAILED: %s\n", what);
    }
}

typedef struct job {
    unsigned runs[TASKS];   /* plain: two threads on one task would be a race */
    unsigned busy[WORKERS]; /* plain: two threads with one worker number would be a race */
    unsigned long sum[WORKERS];
    size_t fail_at;
    atomic_uint wrong_control;
} job;

/* Asked of the arithmetic itself: fegetround may look at another unit than the one that adds. 1 + 2^-24 is a tie,
 * which goes to 1 when rounding to nearest even and to the next float when rounding upwards. */
static int rounds_to_nearest(void) {
    volatile float one = 1.0f, half_step = 0x1p-24f;
    volatile float sum = one + half_step;
    return sum == 1.0f;
}

static ip_status work(void *context, size_t task, unsigned worker, ip_error *error) {
    job *j = context;
    if (worker >= WORKERS || task >= TASKS) return ip_fail(error, IP_FAILED, "task %zu, worker %u", task, worker);
    j->busy[worker]++;
    j->runs[task]++;
    j->sum[worker] += (unsigned long)task;
    if (!rounds_to_nearest()) atomic_fetch_add(&j->wrong_control, 1);
    j->busy[worker]--;
    if (task == j->fail_at) return ip_fail(error, IP_BAD_INPUT, "task %zu was told to fail", task);
    return IP_OK;
}

static void all_run_once(ip_pool *pool) {
    static job j;
    memset(&j, 0, sizeof j);
    j.fail_at = TASKS;
    ip_error error = {0};
    expect(ip_pool_run(pool, TASKS, work, &j, &error) == IP_OK, "a run without failures is IP_OK");
    unsigned long sum = 0;
    unsigned wrong = 0, busy = 0;
    for (int i = 0; i < TASKS; i++) wrong += j.runs[i] != 1;
    for (int i = 0; i < WORKERS; i++) {
        sum += j.sum[i];
        busy += j.busy[i];
    }
    expect(wrong == 0, "every task runs exactly once");
    expect(sum == (unsigned long)TASKS * (TASKS - 1) / 2, "the workers' sums make up the whole");
    expect(busy == 0, "no worker is left busy");
    expect(atomic_load(&j.wrong_control) == 0, "tasks round to nearest whatever the caller has set");
}

static void failure_comes_back(ip_pool *pool) {
    static job j;
    memset(&j, 0, sizeof j);
    j.fail_at = 10;
    ip_error error = {0};
    expect(ip_pool_run(pool, TASKS, work, &j, &error) == IP_BAD_INPUT, "the failing task's status comes back");
    expect(strcmp(error.message, "task 10 was told to fail") == 0, "and its message");
    unsigned wrong = 0, before = 0;
    for (int i = 0; i < TASKS; i++) wrong += j.runs[i] > 1;
    for (int i = 0; i <= 10; i++) before += j.runs[i];
    expect(wrong == 0, "no task runs twice after a failure");
    expect(before == 11, "tasks before the failing one have been handed out");
}

/* Turns: what the tasks do in them happens one at a time and in the order of their numbers. */
typedef struct turns_job {
    ip_turns *turns;
    size_t order[TASKS]; /* plain, as is count: two tasks in a turn would be a race */
    size_t count;
} turns_job;

static ip_status take_turn(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    (void)error;
    turns_job *j = context;
    ip_turns_enter(j->turns, task);
    j->order[j->count++] = task;
    ip_turns_leave(j->turns);
    return IP_OK;
}

static void turns_are_in_order(ip_pool *pool) {
    static turns_job j;
    j.turns = ip_turns_create();
    expect(j.turns != NULL, "turns are made");
    if (!j.turns) return;
    for (int round = 0; round < 2; round++) {
        j.count = 0;
        ip_turns_restart(j.turns);
        expect(ip_pool_run(pool, TASKS, take_turn, &j, NULL) == IP_OK, "tasks that take turns all end");
        size_t wrong = 0;
        for (size_t i = 0; i < TASKS; i++) wrong += j.order[i] != i;
        expect(j.count == TASKS && wrong == 0, "their turns are in the order of their numbers");
    }
    ip_turns_destroy(j.turns);
}

/* A pool on one core: its tasks run there, all of them, and the caller may roam again afterwards. */
static ip_status note_core(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)task, (void)worker, (void)error;
    ip_core_set here;
    ip_cores_allowed(&here);
    return memcmp(&here, context, sizeof here) == 0 ? IP_OK : IP_FAILED;
}

static void pinned(void) {
    ip_cores cores;
    ip_cores_read(&cores, NULL, NULL);
    ip_core_set one = {{0}}, before, after;
    for (unsigned core = 0; core < IP_CORES_MAX && ip_core_set_count(&one) == 0; core++)
        one.bits[core / 64] = cores.all.bits[core / 64] & (uint64_t)1 << core % 64;
    ip_cores_pin(&one, &before);
    ip_cores_allowed(&after);
    ip_cores_restore(&before);
    if (memcmp(&after, &one, sizeof one) != 0) return; /* a system that cannot */
    ip_pool *pool = ip_pool_create_on(3, &one);
    expect(pool != NULL, "a pool on one core");
    if (!pool) return;
    expect(ip_pool_run(pool, 200, note_core, &one, NULL) == IP_OK, "tasks run on the cores of the pool");
    ip_pool_destroy(pool);
    ip_cores_allowed(&after);
    expect(memcmp(&after, &before, sizeof after) == 0, "the caller has its cores back");
}

int main(void) {
    for (unsigned threads = 1; threads <= WORKERS; threads++) {
        ip_pool *pool = ip_pool_create(threads);
        expect(pool != NULL, "a pool is made");
        if (!pool) continue;
        expect(ip_pool_threads(pool) == threads, "it has the threads asked for");
        /* A host that rounds upwards must get its rounding back. */
        fesetround(FE_UPWARD);
        for (int round = 0; round < 20; round++) all_run_once(pool);
        failure_comes_back(pool);
        turns_are_in_order(pool);
        expect(ip_pool_run(pool, 0, work, NULL, NULL) == IP_OK, "no tasks is no failure");
        expect(!rounds_to_nearest(), "the caller's rounding is given back");
        fesetround(FE_TONEAREST);
        all_run_once(pool);
        ip_pool_destroy(pool);
    }
    pinned();
    expect(ip_processors() >= 1, "there is a processor");
    printf("pool: %d passed, %d failed\n", checks - failures, failures);
    return failures ? 1 : 0;
}

/* The pool: workers sleep on a condition, wake for a job, take task numbers from one atomic counter. */
#include "core/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/fpcontrol.h"

struct ip_pool {
    unsigned threads;
    bool pinned;
    ip_core_set cores;  /* when pinned */
    pthread_t *workers; /* threads - 1 of them */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    unsigned long job; /* number of the current job; workers compare it with the last one they ran */
    unsigned running;  /* workers that have not finished the current job */
    bool quit;
    ip_task run;
    void *context;
    size_t tasks;
    _Atomic size_t next;
    _Atomic bool stop;
    size_t failed_task; /* smallest failed task number; guarded by lock */
    ip_error failure;
};

typedef struct worker_start {
    ip_pool *pool;
    unsigned index;
} worker_start;

static void take_tasks(ip_pool *pool, unsigned worker) {
    while (!atomic_load(&pool->stop)) {
        size_t task = atomic_fetch_add(&pool->next, 1);
        if (task >= pool->tasks) break;
        ip_error error = {0};
        ip_status status = pool->run(pool->context, task, worker, &error);
        if (status != IP_OK) {
            error.status = status;
            pthread_mutex_lock(&pool->lock);
            if (pool->failure.status == IP_OK || task < pool->failed_task) {
                pool->failure = error;
                pool->failed_task = task;
            }
            pthread_mutex_unlock(&pool->lock);
            atomic_store(&pool->stop, true);
        }
    }
}

static void *worker_main(void *argument) {
    worker_start start = *(worker_start *)argument;
    free(argument);
    ip_pool *pool = start.pool;
    uint64_t fp = ip_fp_enter();
    ip_core_set before;
    if (pool->pinned) ip_cores_pin(&pool->cores, &before);
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->job == seen && !pool->quit) pthread_cond_wait(&pool->wake, &pool->lock);
        if (pool->quit) break;
        seen = pool->job;
        pthread_mutex_unlock(&pool->lock);
        take_tasks(pool, start.index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0) pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    ip_fp_leave(fp);
    return NULL;
}

ip_pool *ip_pool_create(unsigned threads) { return ip_pool_create_on(threads, NULL); }

ip_pool *ip_pool_create_on(unsigned threads, const ip_core_set *cores) {
    if (threads == 0) threads = 1;
    ip_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->threads = 1;
    pool->pinned = cores != NULL;
    if (cores) pool->cores = *cores;
    pool->workers = calloc(threads, sizeof *pool->workers);
    if (!pool->workers) {
        ip_pool_destroy(pool);
        return NULL;
    }
    for (unsigned i = 1; i < threads; i++) {
        worker_start *start = malloc(sizeof *start);
        if (start) *start = (worker_start){pool, i};
        if (!start || pthread_create(&pool->workers[i - 1], NULL, worker_main, start) != 0) {
            free(start);
            ip_pool_destroy(pool);
            return NULL;
        }
        pool->threads++;
    }
    return pool;
}

void ip_pool_destroy(ip_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 1; i < pool->threads; i++) pthread_join(pool->workers[i - 1], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

unsigned ip_pool_threads(const ip_pool *pool) { return pool->threads; }

ip_status ip_pool_run(ip_pool *pool, size_t tasks, ip_task run, void *context, ip_error *error) {
    uint64_t fp = ip_fp_enter();
    ip_core_set before;
    if (pool->pinned) ip_cores_pin(&pool->cores, &before);
    pthread_mutex_lock(&pool->lock);
    pool->run = run;
    pool->context = context;
    pool->tasks = tasks;
    pool->failure = (ip_error){0};
    atomic_store(&pool->next, 0);
    atomic_store(&pool->stop, false);
    pool->running = pool->threads - 1;
    pool->job++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    take_tasks(pool, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0) pthread_cond_wait(&pool->done, &pool->lock);
    ip_error failure = pool->failure;
    pthread_mutex_unlock(&pool->lock);
    if (pool->pinned) ip_cores_restore(&before);
    ip_fp_leave(fp);
    if (failure.status != IP_OK && error) *error = failure;
    return failure.status;
}

struct ip_turns {
    pthread_mutex_t lock; /* held from enter to leave */
    pthread_cond_t moved;
    size_t next;
};

ip_turns *ip_turns_create(void) {
    ip_turns *turns = calloc(1, sizeof *turns);
    if (!turns) return NULL;
    pthread_mutex_init(&turns->lock, NULL);
    pthread_cond_init(&turns->moved, NULL);
    return turns;
}

void ip_turns_destroy(ip_turns *turns) {
    if (!turns) return;
    pthread_cond_destroy(&turns->moved);
    pthread_mutex_destroy(&turns->lock);
    free(turns);
}

void ip_turns_restart(ip_turns *turns) { turns->next = 0; }

void ip_turns_enter(ip_turns *turns, size_t task) {
    pthread_mutex_lock(&turns->lock);
    while (turns->next != task) pthread_cond_wait(&turns->moved, &turns->lock);
}

void ip_turns_leave(ip_turns *turns) {
    turns->next++;
    pthread_cond_broadcast(&turns->moved);
    pthread_mutex_unlock(&turns->lock);
}

/* CPUs granted by a cgroup v2 quota, rounded up; 0 when there is none. */
static unsigned quota(void) {
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (!f) return 0;
    long limit = 0, period = 0;
    int got = fscanf(f, "%ld %ld", &limit, &period);
    fclose(f);
    return got == 2 && limit > 0 && period > 0 ? (unsigned)((limit + period - 1) / period) : 0;
}

unsigned ip_processors(void) {
    long n = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
    if (n <= 0) n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n <= 0) n = 1;
    unsigned granted = quota();
    return granted > 0 && granted < (unsigned)n ? granted : (unsigned)n;
}

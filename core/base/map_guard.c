/* A table of maps that a signal handler can read: a slot's end is published last and withdrawn first. */
#include "core/base/map_guard.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 1024 };

typedef struct slot {
    _Atomic(uintptr_t) from, end; /* end 0: free or being filled */
    atomic_bool taken, failed;
    char *path;
} slot;

static slot slots[SLOTS];
static atomic_uint failures; /* of maps still watched: lets a check cost one load */

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < SLOTS; i++) {
        uintptr_t end = atomic_load(&slots[i].end), from = atomic_load(&slots[i].from);
        if (end == 0 || at < from || at >= end) continue;
        at -= at % page;
        if (mmap((void *)at, end - at, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
        if (!atomic_exchange(&slots[i].failed, true)) atomic_fetch_add(&failures, 1);
        return;
    }
    signal(number, SIG_DFL); /* not ours: the instruction runs again and takes the process down */
}

void ip_map_guard(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}

void ip_map_watch(const void *at, size_t bytes, const char *path) {
    for (int i = 0; i < SLOTS; i++) {
        bool expected = false;
        if (!atomic_compare_exchange_strong(&slots[i].taken, &expected, true)) continue;
        slots[i].path = strdup(path);
        atomic_store(&slots[i].failed, false);
        atomic_store(&slots[i].from, (uintptr_t)at);
        atomic_store(&slots[i].end, (uintptr_t)at + bytes);
        return;
    }
}

void ip_map_unwatch(const void *at) {
    for (int i = 0; i < SLOTS; i++) {
        if (atomic_load(&slots[i].end) == 0 || atomic_load(&slots[i].from) != (uintptr_t)at) continue;
        atomic_store(&slots[i].end, 0);
        if (atomic_exchange(&slots[i].failed, false)) atomic_fetch_sub(&failures, 1);
        free(slots[i].path);
        slots[i].path = NULL;
        atomic_store(&slots[i].taken, false);
        return;
    }
}

ip_status ip_map_check(ip_error *error) {
    if (atomic_load(&failures) == 0) return IP_OK;
    for (int i = 0; i < SLOTS; i++)
        if (atomic_load(&slots[i].end) != 0 && atomic_load(&slots[i].failed))
            return ip_fail(error, IP_FAILED,
                           "%s: could not be read to its end: it was cut short while in use, or its disk failed",
                           slots[i].path ? slots[i].path : "a file");
    return IP_OK;
}

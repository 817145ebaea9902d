/* Progress on a terminal as one line with rate and time left, elsewhere as plain lines; warnings; interrupts. */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/cli/cli.h"

static volatile sig_atomic_t interrupts;

/* The progress line's state; progress and warnings come one at a time (see infoplane.h) but from different threads. */
typedef struct line {
    bool terminal, shown;
    double started; /* of the stage at hand */
    char stage[32];
    double plain_at; /* last plain line */
    pthread_mutex_t lock;
    const ip_ranks *ranks;
} line;

static line state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_signal(int number) {
    (void)number;
    if (++interrupts < 2) return;
    ip_emergency_cleanup(); /* the second time: at once */
    _exit(IP_INTERRUPTED);
}

static void clear_line(void) {
    if (state.shown) fputs("\r\033[K", stderr);
    state.shown = false;
}

static void duration(double s, char *out, size_t n) {
    if (s < 100.0) {
        snprintf(out, n, "%.0f s", s);
    } else if (s < 6000.0) {
        snprintf(out, n, "%.0f min", s / 60.0);
    } else {
        snprintf(out, n, "%.1f h", s / 3600.0);
    }
}

/* A stage with steps (layers) counts all of them: done so far and left to do. */
static void on_progress(void *context, const ip_progress *p) {
    (void)context;
    double now = seconds();
    pthread_mutex_lock(&state.lock);
    if (strcmp(state.stage, p->stage) != 0 || state.started == 0.0) {
        snprintf(state.stage, sizeof state.stage, "%s", p->stage);
        state.started = now;
        state.plain_at = now;
    }
    double all = p->all * (p->steps > 0 ? p->steps + 1 : 1), done = p->done + p->all * p->step;
    double spent = now - state.started, rate = spent > 0.3 ? done / spent : 0.0;
    bool bytes = strcmp(p->unit, "bytes") == 0;
    char text[160], left[32] = "";
    if (rate > 0.0 && all > done) duration((all - done) / rate, left, sizeof left);
    char steps[48] = "";
    if (p->steps > 0) snprintf(steps, sizeof steps, " %s %u of %u", p->step_name, p->step, p->steps);
    int percent = all > 0.0 ? (int)(100.0 * done / all) : 0;
    double shown = p->steps > 0 ? rate / (p->steps + 1) : rate;
    snprintf(text, sizeof text, "%s%s  %d %%  %.*f %s/s%s%s", p->stage, steps, percent > 100 ? 100 : percent,
             bytes ? 1 : 0, bytes ? shown / 1e6 : shown, bytes ? "MB" : p->unit, left[0] ? "  left: " : "", left);
    if (state.terminal) {
        fprintf(stderr, "\r\033[K%s", text);
        state.shown = true;
    } else if (now - state.plain_at > 10.0) {
        fprintf(stderr, "%s\n", text);
        state.plain_at = now;
    }
    fflush(stderr);
    pthread_mutex_unlock(&state.lock);
}

static void on_warning(void *context, const char *text) {
    (void)context;
    pthread_mutex_lock(&state.lock);
    clear_line();
    fprintf(stderr, "infoplane: warning: %s\n", text);
    pthread_mutex_unlock(&state.lock);
}

static bool on_cancel(void *context) {
    (void)context;
    return interrupts > 0;
}

void cli_leave(ip_ranks *ranks, ip_status status) {
    if (status == IP_OK)
        ip_ranks_leave(ranks);
    else if (interrupts > 0 && ip_ranks_number(ranks) > 0)
        _exit(status); /* somebody else has ended the job */
    else
        ip_ranks_stop(ranks, status);
}

bool cli_tells(const ip_host *host) { return ip_ranks_number(host->ranks) == 0; }

void cli_host_start(ip_host *host, bool quiet, ip_ranks *ranks) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write, with its name */
    ip_guard_maps();
    state.terminal = isatty(STDERR_FILENO) != 0;
    bool tells = !quiet && ip_ranks_number(ranks) == 0;
    *host = (ip_host){NULL, tells ? on_progress : NULL, tells ? on_warning : NULL, on_cancel, ranks};
    state.ranks = ranks;
}

void cli_host_stop(void) {
    pthread_mutex_lock(&state.lock);
    clear_line();
    pthread_mutex_unlock(&state.lock);
}

ip_status cli_fail(ip_status status, const char *format, ...) {
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ip_make_printable(text);
    cli_host_stop();
    char name[128] = "";
    if (state.ranks) {
        /* What all ranks meet, the first one says: it ends the others before they are heard. */
        const struct timespec moment = {0, 500000000};
        if (ip_ranks_number(state.ranks) > 0 && (interrupts > 0 || nanosleep(&moment, NULL) != 0)) return status;
        ip_ranks_name(state.ranks, name, sizeof name - 2);
        strcat(name, ": ");
    }
    fprintf(stderr, "infoplane: %s%s\n", name, text);
    return status;
}

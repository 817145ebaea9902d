/* A series of checkpoints: each analysed once, or taken as it is; then the phases that the series shows. */
#include "core/series/trajectory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/dispatch.h"
#include "core/base/file.h"
#include "core/correlate/panel.h"
#include "core/run/run_get.h"
#include "core/series/paired.h"

typedef struct journey {
    ip_trajectory *t;
    const ip_trajectory_settings *settings;
    const ip_host *host;
    ip_error *error;
} journey;

static bool cancelled(const ip_host *host) { return host && host->cancelled && host->cancelled(host->context); }

/* ---- phases ---- */

static ip_range range_of(ip_interval i) { return (ip_range){i.low, i.high}; }

static ip_phases phases_of(const ip_trajectory *t, const double *complexity, size_t layer, unsigned k,
                           ip_pair_room *room) {
    size_t peak = ip_phases_peak(complexity, t->stops);
    const ip_range none = {NAN, NAN};
    if (peak == t->stops)
        return (ip_phases){.peak = peak, .fall = NAN, .change = NAN, .fall_boot = none, .change_boot = none};
    const ip_run *top = t->stop[peak].run, *last = t->stop[t->stops - 1].run;
    ip_paired fall = ip_pair_figure(top, last, layer, 2 + k, room);
    ip_paired change = ip_pair_figure(last, top, layer, 2 + t->orders + k, room);
    ip_phases out = ip_phases_judge(peak, t->stops, fall.difference, range_of(fall.interval), change.difference,
                                    range_of(change.interval));
    out.fall_boot = fall.boot;
    out.change_boot = change.boot;
    return out;
}

/* All that is said of the series, anew: a checkpoint more can change everything. */
static ip_status find_phases(ip_trajectory *t, ip_error *error) {
    const ip_run *first = t->stop[0].run;
    bool same_layers = true;
    t->orders = first->orders;
    for (size_t i = 0; i < t->stops; i++) same_layers = same_layers && t->stop[i].run->layers == first->layers;
    t->rows = same_layers ? first->layers + 2 : 1;
    free(t->phases);
    t->phases = calloc(t->rows * t->orders, sizeof *t->phases);
    double *values = malloc(t->stops * sizeof *values);
    ip_pair_room room = {0};
    ip_status status = t->phases && values ? IP_OK : ip_fail(error, IP_FAILED, "out of memory");
    t->resamples = 0;
    for (size_t i = 0; i < t->stops; i++) {
        unsigned shared = ip_pair_resamples(t->stop[i].run, t->stop[t->stops - 1].run);
        if (i + 1 < t->stops && shared > t->resamples) t->resamples = shared;
    }
    if (status == IP_OK) status = ip_pair_room_open(&room, t->resamples, first->documents, error);
    if (status != IP_OK) {
        free(values);
        return status;
    }
    for (size_t r = 0; r < t->rows; r++) {
        size_t layer = r == 0 ? IP_MEAN_LAYER : r - 1;
        for (unsigned k = 0; k < t->orders; k++) {
            for (size_t i = 0; i < t->stops; i++) values[i] = ip_figure_of(t->stop[i].run, layer, 2 + k, NULL);
            t->phases[r * t->orders + k] = phases_of(t, values, layer, k, &room);
        }
    }
    for (size_t i = 0; i < t->stops; i++)
        values[i] = t->stop[i].run->has_loss ? t->stop[i].run->loss.nats_per_token : NAN;
    t->levelled = ip_phases_levelled(values, t->stops);
    ip_pair_room_close(&room);
    free(values);
    return IP_OK;
}

/* ---- stops ---- */

/* Position of a new stop: by step where all have one, else behind the others. */
static size_t place_of(const ip_trajectory *t, const ip_checkpoint_name *c) {
    size_t at = t->stops;
    for (size_t i = 0; i < t->stops; i++)
        if (!t->stop[i].has_step) return t->stops;
    while (c->has_step && at > 0 && t->stop[at - 1].step > c->step) at--;
    return at;
}

static ip_status put_stop(ip_trajectory *t, const ip_checkpoint_name *c, ip_run *run, bool sorted, ip_error *error) {
    ip_stop *wider = realloc(t->stop, (t->stops + 1) * sizeof *wider);
    if (wider) t->stop = wider;
    ip_stop stop = {strdup(c->path), strdup(c->name), c->has_step, c->step, run};
    if (!wider || !stop.path || !stop.name) {
        free(stop.path);
        free(stop.name);
        ip_run_free(run);
        return ip_fail(error, IP_FAILED, "out of memory");
    }
    size_t at = sorted ? place_of(t, c) : t->stops;
    memmove(t->stop + at + 1, t->stop + at, (t->stops - at) * sizeof *t->stop);
    t->stop[at] = stop;
    t->stops++;
    return IP_OK;
}

static ip_status visit(journey *j, const ip_checkpoint_name *c, bool sorted) {
    const ip_trajectory_settings *s = j->settings;
    ip_run_maker maker = {&s->analysis, s->corpora, s->corpus_count, j->host};
    char *keep = s->output ? ip_join_path(s->output, c->name) : NULL;
    if (s->output && !keep) return ip_fail(j->error, IP_FAILED, "out of memory");
    ip_run *run;
    bool taken;
    ip_status status = ip_run_get(&run, c->path, &maker, keep, true, &taken, j->error);
    free(keep);
    if (status != IP_OK) return status;
    if (!run->layer || run->orders == 0)
        status = ip_fail(j->error, IP_BAD_INPUT, "%s: a run without estimates", c->path);
    if (status == IP_OK && j->t->stops > 0)
        status = ip_pair_check(j->t->stop[0].run, j->t->stop[0].path, run, c->path, j->error);
    if (status != IP_OK) {
        ip_run_free(run);
        return status;
    }
    free(run->token_loss); /* a series of them would not fit */
    free(run->loss_offsets);
    run->token_loss = NULL;
    run->loss_offsets = NULL;
    return put_stop(j->t, c, run, sorted, j->error);
}

static ip_status visit_all(journey *j, const char *const *checkpoints, size_t count) {
    ip_checkpoint_list list = {NULL, 0};
    ip_status status = IP_OK;
    for (size_t i = 0; i < count && status == IP_OK; i++)
        status = ip_checkpoints_add(&list, checkpoints[i], false, j->error);
    if (status == IP_OK) status = ip_checkpoints_sort(&list, j->error);
    for (size_t i = 0; i < list.count && status == IP_OK; i++) status = visit(j, &list.items[i], false);
    ip_checkpoints_free(&list);
    return status;
}

/* ---- watching ---- */

/* What is known of an entry of the watched folder. */
typedef struct seen {
    char *path;
    uint64_t look;
    unsigned still; /* looks in a row that found it unchanged */
    bool done;
} seen;

typedef struct watch {
    seen *items;
    size_t count;
} watch;

/* Looks in a row, a second apart, that must find a checkpoint unchanged before it counts as whole. */
enum { STILL = 2 };

static seen *notice(watch *w, const char *path) {
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->items[i].path, path) == 0) return &w->items[i];
    seen *wider = realloc(w->items, (w->count + 1) * sizeof *wider);
    if (!wider) return NULL;
    w->items = wider;
    w->items[w->count] = (seen){.path = strdup(path)};
    return w->items[w->count].path ? &w->items[w->count++] : NULL;
}

/* One look at the folder; what has come and stands still is visited. */
static ip_status look(journey *j, watch *w) {
    ip_checkpoint_list list = {NULL, 0};
    ip_status status = ip_checkpoints_add(&list, j->settings->watch, true, j->error);
    if (status == IP_OK) status = ip_checkpoints_sort(&list, j->error);
    for (size_t i = 0; i < list.count && status == IP_OK; i++) {
        seen *s = notice(w, list.items[i].path);
        if (!s) status = ip_fail(j->error, IP_FAILED, "out of memory");
        if (status != IP_OK || s->done) continue;
        uint64_t now = ip_checkpoint_look(s->path);
        s->still = now == s->look ? s->still + 1 : 0;
        s->look = now;
        if (s->still != STILL) continue;
        status = visit(j, &list.items[i], true);
        s->done = status == IP_OK;
        if (status == IP_BAD_INPUT) { /* perhaps not whole after all: again when it changes */
            ip_tell_line((ip_tell){j->host}, "%s (left out until it changes)", j->error->message);
            status = IP_OK;
        } else if (status == IP_OK) {
            status = find_phases(j->t, j->error);
            if (status == IP_OK) status = ip_trajectory_write_folder(j->t, j->settings->output, j->error);
        }
    }
    ip_checkpoints_free(&list);
    return status;
}

static ip_status watch_folder(journey *j) {
    watch w = {NULL, 0};
    uint64_t until = j->settings->watch_until;
    ip_status status = IP_OK;
    while (status == IP_OK && !cancelled(j->host) && (until == 0 || j->t->stops < until)) {
        status = look(j, &w);
        const struct timespec second = {1, 0};
        if (status == IP_OK && (until == 0 || j->t->stops < until)) nanosleep(&second, NULL);
    }
    for (size_t i = 0; i < w.count; i++) free(w.items[i].path);
    free(w.items);
    /* Interrupting is how watching ends: what is there is a result. */
    return status == IP_INTERRUPTED && j->t->stops > 0 ? IP_OK : status;
}

/* ---- all of it ---- */

static ip_status check_settings(const ip_trajectory_settings *s, size_t count, ip_error *error) {
    if (count == 0 && !s->watch) return ip_fail(error, IP_USAGE, "trajectory: checkpoints are wanted, or --watch DIR");
    if (s->watch && !s->output) return ip_fail(error, IP_USAGE, "--watch: -o DIR says where results go as they come");
    if (s->watch_until > 0 && !s->watch) return ip_fail(error, IP_USAGE, "--watch-until: goes with --watch DIR");
    return IP_OK;
}

ip_status ip_trajectory_run(ip_trajectory **out, const char *const *checkpoints, size_t count,
                            const ip_trajectory_settings *settings, const ip_host *host, ip_error *error) {
    *out = NULL;
    ip_status status = check_settings(settings, count, error);
    if (status != IP_OK) return status;
    const ip_kernels *kernels;
    ip_trajectory *t = calloc(1, sizeof *t);
    if (!t) return ip_fail(error, IP_FAILED, "out of memory");
    ip_trajectory_settings own = *settings;
    own.analysis.tokens = ip_tokens_new(); /* one tokenization; without memory for it, one per checkpoint */
    settings = &own;
    journey j = {t, settings, host, error};
    if (settings->watch && host && ip_ranks_count(host->ranks) > 1)
        status = ip_fail(error, IP_USAGE, "--watch: ranks cannot wait for files together; start it without mpirun");
    if (status == IP_OK) status = ip_arch_select(&kernels, settings->analysis.isa, error);
    if (status == IP_OK) status = visit_all(&j, checkpoints, count);
    if (status == IP_OK && settings->watch) status = watch_folder(&j);
    if (status == IP_OK && t->stops == 0)
        status = ip_fail(error, IP_INTERRUPTED, "interrupted: no checkpoint was seen");
    ip_tokens_free(own.analysis.tokens);
    if (status == IP_OK) status = find_phases(t, error);
    if (status == IP_OK) {
        *out = t;
    } else {
        ip_trajectory_free(t);
    }
    return status;
}

ip_status ip_trajectory_plan(ip_plan_report *out, const char *const *checkpoints, size_t count,
                             const ip_trajectory_settings *settings, const ip_host *host, ip_error *error) {
    ip_checkpoint_list list = {NULL, 0};
    const char *model = NULL;
    uint64_t models = 0;
    ip_status status = check_settings(settings, count, error);
    for (size_t i = 0; i < count && status == IP_OK; i++)
        status = ip_checkpoints_add(&list, checkpoints[i], false, error);
    if (status == IP_OK) status = ip_checkpoints_sort(&list, error);
    for (size_t i = 0; i < list.count && status == IP_OK; i++) {
        if (ip_is_run(list.items[i].path)) continue;
        if (models++ == 0) model = list.items[i].path;
    }
    if (status == IP_OK && !model)
        status = ip_fail(error, IP_USAGE, "--plan: all checkpoints are finished runs: nothing is to be analysed");
    if (status == IP_OK && settings->corpus_count == 0)
        status = ip_fail(error, IP_USAGE, "%s: is a model: say the text with --corpus", model);
    if (status == IP_OK)
        status =
            ip_analyze_plan(out, model, settings->corpora, settings->corpus_count, &settings->analysis, host, error);
    if (status == IP_OK) {
        out->models = models;
        out->seconds *= (double)models;
    }
    ip_checkpoints_free(&list);
    return status;
}

void ip_trajectory_free(ip_trajectory *t) {
    if (!t) return;
    for (size_t i = 0; i < t->stops; i++) {
        free(t->stop[i].path);
        free(t->stop[i].name);
        ip_run_free(t->stop[i].run);
    }
    free(t->stop);
    free(t->phases);
    free(t);
}

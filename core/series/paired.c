/* Pairing two runs. */
#include "core/series/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/estimators/resample.h"

unsigned ip_figures(const ip_run *run) { return ip_run_quantities(run) + run->orders; }

void ip_figure_name(const ip_run *run, unsigned figure, char out[IP_QUANTITY_ROOM]) {
    unsigned quantities = ip_run_quantities(run);
    if (figure < quantities) {
        ip_run_quantity_name(run, figure, out);
    } else {
        snprintf(out, IP_QUANTITY_ROOM, "optimality%u", figure - quantities + 1);
    }
}

static double ratio(double y, double x) { return x != 0.0 ? y / x : NAN; }

/* A table [layers + 1][quantities][count] of a run, and which of the count is meant; NULL: the figures on all documents. */
typedef struct table {
    const double *values;
    unsigned count, at;
} table;

static double layer_figure(const ip_run *run, size_t layer, unsigned figure, const table *t) {
    unsigned quantities = ip_run_quantities(run), k = run->orders;
    if (figure >= quantities)
        return ratio(layer_figure(run, layer, 2 + k + figure - quantities, t),
                     layer_figure(run, layer, 2 + figure - quantities, t));
    if (t) return t->values[(layer * quantities + figure) * t->count + t->at];
    const ip_layer_result *r = &run->layer[layer];
    if (figure < 2) return figure == 0 ? r->H : r->context;
    return figure - 2 < k ? r->x[figure - 2].I : r->y[figure - 2 - k].I;
}

static double figure_at(const ip_run *run, size_t layer, unsigned figure, const table *t) {
    if (layer != IP_MEAN_LAYER) return layer_figure(run, layer, figure, t);
    double sum = 0.0;
    for (size_t l = 1; l <= run->layers; l++) sum += layer_figure(run, l, figure, t) / (double)run->layers;
    return sum;
}

double ip_figure_of(const ip_run *run, size_t layer, unsigned figure, double *without_out) {
    table t = {run->without, run->groups, 0};
    for (; without_out && run->without && t.at < run->groups; t.at++)
        without_out[t.at] = figure_at(run, layer, figure, &t);
    return figure_at(run, layer, figure, NULL);
}

static ip_paired paired_of(double a, double b, const double *without_a, const double *without_b, unsigned groups) {
    double difference[IP_MAX_GROUPS];
    for (unsigned g = 0; g < groups; g++) difference[g] = without_a[g] - without_b[g];
    return (ip_paired){a, b, a - b, ip_jackknife(a - b, difference, groups), {NAN, NAN}};
}

/* ---- resamples ---- */

ip_status ip_pair_room_open(ip_pair_room *room, unsigned resamples, uint64_t documents, ip_error *error) {
    *room = (ip_pair_room){.resamples = resamples};
    if (resamples == 0) return IP_OK;
    room->values = malloc(resamples * sizeof *room->values);
    room->weights = malloc((size_t)documents * sizeof *room->weights);
    if (room->values && room->weights) return IP_OK;
    ip_pair_room_close(room);
    return ip_fail(error, IP_FAILED, "out of memory for %u resamples of %llu documents", resamples,
                   (unsigned long long)documents);
}

void ip_pair_room_close(ip_pair_room *room) {
    free(room->values);
    free(room->weights);
    *room = (ip_pair_room){0};
}

unsigned ip_pair_resamples(const ip_run *a, const ip_run *b) {
    bool same = a->resampled && b->resampled && a->bootstrap == b->bootstrap && a->seed == b->seed &&
                a->documents == b->documents;
    return same ? a->bootstrap : 0;
}

/* Resamples that the room is large enough for. */
static unsigned shared_resamples(const ip_run *a, const ip_run *b, const ip_pair_room *room) {
    unsigned resamples = ip_pair_resamples(a, b);
    return resamples <= room->resamples ? resamples : 0;
}

ip_paired ip_pair_figure(const ip_run *a, const ip_run *b, size_t layer, unsigned figure, ip_pair_room *room) {
    double without_a[IP_MAX_GROUPS], without_b[IP_MAX_GROUPS];
    double x = ip_figure_of(a, layer, figure, without_a), y = ip_figure_of(b, layer, figure, without_b);
    ip_paired out =
        paired_of(x, y, without_a, without_b, a->without && b->without && a->groups == b->groups ? a->groups : 0);
    unsigned resamples = shared_resamples(a, b, room);
    table of_a = {a->resampled, resamples, 0}, of_b = {b->resampled, resamples, 0};
    for (; of_a.at < resamples; of_b.at = ++of_a.at)
        room->values[of_a.at] = figure_at(a, layer, figure, &of_a) - figure_at(b, layer, figure, &of_b);
    if (resamples > 0) out.boot = ip_percentiles(room->values, resamples);
    return out;
}

/* ---- losses ---- */

/* Sums of losses and their counts, in all [groups] and of each group. */
static void sum_losses(const ip_run *run, bool per_document, double *sums, double *counts, unsigned groups) {
    for (unsigned g = 0; g <= groups; g++) sums[g] = counts[g] = 0.0;
    for (uint64_t d = 0; d < run->documents; d++) {
        unsigned g = groups > 0 ? (unsigned)(d % groups) : 0;
        double sum = 0.0;
        for (uint64_t i = run->loss_offsets[d]; i < run->loss_offsets[d + 1]; i++) sum += (double)run->token_loss[i];
        double count = per_document ? 1.0 : (double)(run->loss_offsets[d + 1] - run->loss_offsets[d]);
        sums[g] += groups > 0 ? sum : 0.0;
        counts[g] += groups > 0 ? count : 0.0;
        sums[groups] += sum;
        counts[groups] += count;
    }
}

/* The mean loss of one resample: documents as often as they were drawn. */
static double resampled_loss(const ip_run *run, bool per_document, const uint32_t *weights) {
    double sum = 0.0, count = 0.0;
    for (uint64_t d = 0; d < run->documents; d++) {
        if (weights[d] == 0) continue;
        double own = 0.0;
        for (uint64_t i = run->loss_offsets[d]; i < run->loss_offsets[d + 1]; i++) own += (double)run->token_loss[i];
        sum += weights[d] * own;
        count += weights[d] * (per_document ? 1.0 : (double)(run->loss_offsets[d + 1] - run->loss_offsets[d]));
    }
    return count > 0.0 ? sum / count : NAN;
}

bool ip_pair_loss(ip_paired *out, const ip_run *a, const ip_run *b, bool per_document, ip_pair_room *room) {
    const ip_run *runs[2] = {a, b};
    double without[2][IP_MAX_GROUPS], whole[2], sums[IP_MAX_GROUPS + 1], counts[IP_MAX_GROUPS + 1];
    unsigned groups = a->groups;
    for (int r = 0; r < 2; r++) {
        if (!runs[r]->has_loss || !runs[r]->token_loss || !runs[r]->loss_offsets) return false;
        sum_losses(runs[r], per_document, sums, counts, groups);
        whole[r] = sums[groups] / counts[groups];
        for (unsigned g = 0; g < groups; g++) without[r][g] = (sums[groups] - sums[g]) / (counts[groups] - counts[g]);
    }
    *out = paired_of(whole[0], whole[1], without[0], without[1], groups);
    unsigned resamples = shared_resamples(a, b, room);
    for (unsigned i = 0; i < resamples; i++) {
        ip_draw_documents(room->weights, (size_t)a->documents, a->seed, i);
        room->values[i] =
            resampled_loss(a, per_document, room->weights) - resampled_loss(b, per_document, room->weights);
    }
    if (resamples > 0) out->boot = ip_percentiles(room->values, resamples);
    return true;
}

ip_status ip_pair_check(const ip_run *a, const char *a_path, const ip_run *b, const char *b_path, ip_error *error) {
    bool ids = strcmp(a->ids_fingerprint, b->ids_fingerprint) == 0 && a->ids_fingerprint[0] != '\0';
    bool texts = strcmp(a->text_fingerprint, b->text_fingerprint) == 0 && a->text_fingerprint[0] != '\0';
    bool drawn = a->anchors_fingerprint[0] == '\0' && b->anchors_fingerprint[0] == '\0';
    bool anchors = drawn ? a->seed == b->seed
                         : a->width == b->width && strcmp(a->anchors_fingerprint, b->anchors_fingerprint) == 0;
    const char *what = a->documents != b->documents || !(ids || texts)                ? "the text after splitting"
                       : !ids && a->max_tokens != b->max_tokens                       ? "--max-tokens"
                       : a->groups != b->groups                                       ? "--groups"
                       : a->orders != b->orders                                       ? "--orders"
                       : a->backoff != b->backoff                                     ? "--labels"
                       : a->backoff && a->min_count != b->min_count                   ? "--min-count"
                       : a->backoff && a->count_at_positions != b->count_at_positions ? "--count-at"
                       : a->bins != b->bins                                           ? "--bins"
                       : strcmp(a->calibration, b->calibration) != 0                  ? "--calibration"
                       : !anchors && drawn                                            ? "--seed of the anchors"
                       : !anchors                                                     ? "--anchors"
                                                                                      : NULL;
    if (!what) return IP_OK;
    return ip_fail(error, IP_BAD_INPUT, "%s and %s: do not pair: they differ in %s", a_path, b_path, what);
}

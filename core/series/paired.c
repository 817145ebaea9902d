/* Pairing two runs. */
#include "core/series/paired.h"

#include <math.h>
#include <string.h>

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

/* A figure of one layer; g < groups: without that group, else on all documents. */
static double layer_figure(const ip_run *run, size_t layer, unsigned figure, unsigned g) {
    unsigned quantities = ip_run_quantities(run), k = run->orders;
    if (figure >= quantities)
        return ratio(layer_figure(run, layer, 2 + k + figure - quantities, g),
                     layer_figure(run, layer, 2 + figure - quantities, g));
    if (g < run->groups) return run->without[(layer * quantities + figure) * run->groups + g];
    const ip_layer_result *r = &run->layer[layer];
    if (figure < 2) return figure == 0 ? r->H : r->context;
    return figure - 2 < k ? r->x[figure - 2].I : r->y[figure - 2 - k].I;
}

static double figure_at(const ip_run *run, size_t layer, unsigned figure, unsigned g) {
    if (layer != IP_MEAN_LAYER) return layer_figure(run, layer, figure, g);
    double sum = 0.0;
    for (size_t l = 1; l <= run->layers; l++) sum += layer_figure(run, l, figure, g) / (double)run->layers;
    return sum;
}

double ip_figure_of(const ip_run *run, size_t layer, unsigned figure, double *without_out) {
    for (unsigned g = 0; without_out && run->without && g < run->groups; g++)
        without_out[g] = figure_at(run, layer, figure, g);
    return figure_at(run, layer, figure, UINT32_MAX);
}

static ip_paired paired_of(double a, double b, const double *without_a, const double *without_b, unsigned groups) {
    double difference[IP_MAX_GROUPS];
    for (unsigned g = 0; g < groups; g++) difference[g] = without_a[g] - without_b[g];
    return (ip_paired){a, b, a - b, ip_jackknife(a - b, difference, groups)};
}

ip_paired ip_pair_figure(const ip_run *a, const ip_run *b, size_t layer, unsigned figure) {
    double without_a[IP_MAX_GROUPS], without_b[IP_MAX_GROUPS];
    double x = ip_figure_of(a, layer, figure, without_a), y = ip_figure_of(b, layer, figure, without_b);
    return paired_of(x, y, without_a, without_b, a->without && b->without && a->groups == b->groups ? a->groups : 0);
}

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

bool ip_pair_loss(ip_paired *out, const ip_run *a, const ip_run *b, bool per_document) {
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

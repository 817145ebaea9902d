/* Estimates from figures: differences of entropies, resample by resample. */
#include "core/estimators/estimate.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/numbers/jackknife.h"
#include "core/numbers/statistics.h"

/* More is never of use, and a slip of the keyboard should not run for a year. */
enum { NULLS_MOST = 10000, BOOTSTRAP_MOST = 100000 };

ip_status ip_resampling_check(const ip_settings *s, ip_error *error) {
    if (s->null > NULLS_MOST) return ip_fail(error, IP_USAGE, "--null %u: 0 to %d permutations", s->null, NULLS_MOST);
    if (s->groups == 1 || s->groups > IP_MAX_GROUPS)
        return ip_fail(error, IP_USAGE, "--groups %u: 2 to %d groups, or 0 for no interval", s->groups, IP_MAX_GROUPS);
    if (s->bootstrap > BOOTSTRAP_MOST)
        return ip_fail(error, IP_USAGE, "--bootstrap %u: 0 to %d resamples", s->bootstrap, BOOTSTRAP_MOST);
    return IP_OK;
}

ip_status ip_resampling_open(ip_resampling *out, const ip_settings *settings, size_t positions, size_t documents,
                             ip_error *error) {
    *out = (ip_resampling){.nulls = settings->null, .seed = settings->seed, .documents = documents};
    if (documents > 1) {
        out->groups = settings->groups < documents ? settings->groups : (unsigned)documents;
        out->bootstrap = settings->bootstrap;
    }
    if (out->groups > 0) out->group = ip_big_alloc(positions * sizeof *out->group);
    if (out->bootstrap > 0) out->document = ip_big_alloc(positions * sizeof *out->document);
    if ((out->groups == 0 || out->group) && (out->bootstrap == 0 || out->document)) return IP_OK;
    ip_resampling_close(out, positions);
    return ip_fail(error, IP_FAILED, "out of memory for the documents of %zu positions", positions);
}

void ip_resampling_close(ip_resampling *resampling, size_t positions) {
    ip_big_free((void *)resampling->group, positions * sizeof *resampling->group);
    ip_big_free((void *)resampling->document, positions * sizeof *resampling->document);
    memset(resampling, 0, sizeof *resampling);
}

size_t ip_resampling_bytes(const ip_settings *settings, size_t positions) {
    return positions *
           ((settings->groups > 0 ? sizeof(uint16_t) : 0) + (settings->bootstrap > 0 ? sizeof(uint32_t) : 0));
}

void ip_resampling_set(ip_resampling *resampling, size_t position, size_t document) {
    if (resampling->groups > 0) ((uint16_t *)resampling->group)[position] = (uint16_t)(document % resampling->groups);
    if (resampling->bootstrap > 0) ((uint32_t *)resampling->document)[position] = (uint32_t)document;
}

static ip_status bootstrap_interval(ip_estimate *out, const ip_soft_figures *whole, const ip_soft_figures *set,
                                    unsigned resamples, double *each, ip_error *error) {
    double *values = malloc(resamples * sizeof *values);
    if (!values) return ip_fail(error, IP_FAILED, "out of memory for %u resamples", resamples);
    for (unsigned b = 0; b < resamples; b++) {
        values[b] = whole->resampled[b] - set->resampled[b];
        if (each) each[b] = values[b];
    }
    ip_range range = ip_percentiles(values, resamples); /* a resample without a position has no figure */
    out->boot_low = range.low;
    out->boot_high = range.high;
    free(values);
    return IP_OK;
}

ip_status ip_estimate_make(ip_estimate *out, const ip_soft_figures *whole, const ip_soft_figures *set,
                           uint64_t distinct, const ip_resampling *resampling, double *without, double *resampled,
                           ip_error *error) {
    *out = ip_estimate_plain(whole->plain - set->plain, distinct);
    unsigned groups = resampling->groups, nulls = resampling->nulls;
    double kept[IP_MAX_GROUPS], null = 0.0;
    double *each = without ? without : kept;
    for (unsigned g = 0; g < groups; g++) each[g] = whole->without[g] - set->without[g];
    ip_estimate_set_interval(out, each, groups);
    for (unsigned r = 0; r < nulls; r++) null += set->null[r];
    if (nulls > 0) out->null = whole->plain - null / nulls;
    return resampling->bootstrap > 0 ? bootstrap_interval(out, whole, set, resampling->bootstrap, resampled, error)
                                     : IP_OK;
}

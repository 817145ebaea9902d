/* Many tests at once, signs, and pairs of models of one size. */
#include <math.h>
#include <stdlib.h>

#include "arch/scalar_math.h"
#include "core/numbers/statistics.h"

typedef struct ranked_p {
    double p;
    size_t at;
} ranked_p;

static int by_p(const void *a, const void *b) {
    const ranked_p *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

bool ip_benjamini_hochberg(double *adjusted, const double *p, size_t n) {
    ranked_p *list = malloc((n + 1) * sizeof *list);
    if (!list) return false;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        adjusted[i] = NAN;
        if (!isnan(p[i])) list[count++] = (ranked_p){p[i], i};
    }
    qsort(list, count, sizeof *list, by_p);
    double least = 1.0;
    for (size_t k = count; k-- > 0;) {
        double value = list[k].p * (double)count / (double)(k + 1);
        if (value < least) least = value;
        adjusted[list[k].at] = least;
    }
    free(list);
    return true;
}

double ip_sign_test(uint64_t successes, uint64_t failures) {
    uint64_t n = successes + failures, few = successes < failures ? successes : failures;
    if (n == 0) return NAN;
    /* Terms C(n, k) 2^-n from k = 0 on, as a ratio to the last one so that no term is lost to underflow. */
    double term = 1.0, sum = 1.0, log_last = 0.0;
    for (uint64_t k = few; k > 0; k--) {
        term *= (double)k / (double)(n - k + 1);
        sum += term;
    }
    for (uint64_t k = 1; k <= few; k++) log_last += ip_log((double)(n - k + 1) / (double)k);
    double p = 2.0 * sum * ip_exp(log_last - (double)n * ip_log(2.0));
    return p < 1.0 ? p : 1.0;
}

typedef struct candidate {
    double distance;
    ip_pair pair;
} candidate;

static int by_distance(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    if (x->pair.i != y->pair.i) return x->pair.i < y->pair.i ? -1 : 1;
    return x->pair.j < y->pair.j ? -1 : x->pair.j > y->pair.j;
}

static bool match(const double *sizes, const uint32_t *family, double ratio, size_t i, size_t j) {
    double a = sizes[i], b = sizes[j];
    return family[i] != family[j] && a > 0.0 && b > 0.0 && isfinite(a) && isfinite(b) &&
           (a > b ? a / b : b / a) <= ratio;
}

bool ip_size_matched(const double *sizes, const uint32_t *family, size_t n, double ratio, ip_pair **pairs,
                     size_t *pair_count, ip_pair **matched, size_t *matched_count) {
    size_t count = 0, taken = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) count += match(sizes, family, ratio, i, j);
    *pairs = malloc((count + 1) * sizeof **pairs);
    *matched = malloc((n / 2 + 1) * sizeof **matched);
    candidate *list = malloc((count + 1) * sizeof *list);
    bool *used = calloc(n + 1, sizeof *used);
    bool whole = *pairs && *matched && list && used;
    if (whole) {
        count = 0;
        for (size_t i = 0; i < n; i++) {
            for (size_t j = i + 1; j < n; j++) {
                if (!match(sizes, family, ratio, i, j)) continue;
                ip_pair pair = {(uint32_t)i, (uint32_t)j};
                (*pairs)[count] = pair;
                list[count++] = (candidate){fabs(ip_log(sizes[i]) - ip_log(sizes[j])), pair};
            }
        }
        qsort(list, count, sizeof *list, by_distance);
        for (size_t k = 0; k < count; k++) {
            ip_pair pair = list[k].pair;
            if (used[pair.i] || used[pair.j]) continue;
            used[pair.i] = used[pair.j] = true;
            (*matched)[taken++] = pair;
        }
    } else {
        free(*pairs);
        free(*matched);
        *pairs = *matched = NULL;
        count = 0;
    }
    free(list);
    free(used);
    *pair_count = count;
    *matched_count = taken;
    return whole;
}

ip_pair_figures ip_pair_agreement(const ip_pair *pairs, size_t count, const double *x, const double *y) {
    ip_pair_figures out = {0, 0, 0, NAN, NAN};
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (size_t k = 0; k < count; k++) {
        double dx = x[pairs[k].i] - x[pairs[k].j], dy = y[pairs[k].i] - y[pairs[k].j];
        if (isnan(dx) || isnan(dy)) continue;
        out.pairs++;
        out.concordant += dx * dy > 0.0;
        out.discordant += dx * dy < 0.0;
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    uint64_t decided = out.concordant + out.discordant;
    if (decided > 0) out.share = (double)out.concordant / (double)decided;
    if (xx > 0.0 && yy > 0.0) out.r_origin = xy / sqrt(xx * yy);
    return out;
}

/* k-means++ seeds for a hard encoder. The distance of x to a seed s is D_KL[p(y|x) || 0.9 p(y|s) + 0.1 p(y)]: the mixture
 * keeps it finite for rows that share no y. Rows are sparse, so it is that to p(y) alone, less what the y of s take off. */
#include <math.h>
#include <string.h>

#include "arch/scalar_math.h"
#include "core/bound/bound_hard.h"

static const double own_share = 0.9;

/* D_KL to 0.1 p(y): the distance to a seed that shares nothing. */
static double farthest(const ip_joint *j, uint32_t x) {
    double d = 0;
    for (size_t i = j->row[x]; i < j->row[x + 1]; i++) {
        double p = j->p_yx[i], q = (double)j->count_y[j->row_y[i]] / (double)j->total;
        d += p * ip_log(p / ((1.0 - own_share) * q));
    }
    return d;
}

static uint32_t draw_seed(const ip_joint *j, const double *distance, ip_draws *draws) {
    double all = 0, sum = 0;
    for (uint32_t x = 0; x < j->nx; x++) all += j->px[x] * distance[x];
    double at = ip_draw_uniform(draws) * all;
    uint32_t last = 0;
    for (uint32_t x = 0; x < j->nx; x++) {
        double w = j->px[x] * distance[x];
        if (w <= 0) continue;
        last = x;
        sum += w;
        if (sum >= at) break;
    }
    return last;
}

void ip_hard_seeds(uint32_t *labels, const ip_joint *j, uint32_t m, double *distance, ip_draws *draws) {
    double *off = distance + j->nx; /* what the seed at hand takes off the farthest distance */
    double *far = off + j->nx;
    for (uint32_t x = 0; x < j->nx; x++) {
        labels[x] = x % m;
        off[x] = 0;
        distance[x] = 1.0;
    }
    uint32_t seed = draw_seed(j, distance, draws);
    for (uint32_t x = 0; x < j->nx; x++) distance[x] = far[x] = farthest(j, x);
    for (uint32_t z = 0; z < m; z++) {
        for (size_t i = j->row[seed]; i < j->row[seed + 1]; i++) {
            uint32_t y = j->row_y[i];
            double q = (double)j->count_y[y] / (double)j->total;
            double ratio = ip_log1p(own_share * j->p_yx[i] / ((1.0 - own_share) * q));
            for (size_t k = j->col[y]; k < j->col[y + 1]; k++)
                off[j->col_x[k]] += (double)j->col_count[k] / (double)j->count_x[j->col_x[k]] * ratio;
        }
        for (size_t i = j->row[seed]; i < j->row[seed + 1]; i++) {
            uint32_t y = j->row_y[i];
            for (size_t k = j->col[y]; k < j->col[y + 1]; k++) {
                uint32_t x = j->col_x[k];
                double d = off[x] > 0 ? far[x] - off[x] : INFINITY;
                if (d < distance[x]) {
                    distance[x] = d > 0 ? d : 0;
                    labels[x] = z;
                }
                off[x] = 0;
            }
        }
        distance[seed] = 0;
        labels[seed] = z;
        seed = draw_seed(j, distance, draws);
    }
}

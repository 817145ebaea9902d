/* Philox4x32-10 and normals from it. */
#include "core/numbers/philox.h"

#include <math.h>

#include "arch/scalar_math.h"

void ip_philox(const uint32_t counter[4], uint64_t seed, uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* Weyl steps: golden ratio, sqrt(3) - 1 */
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static double uniform(uint32_t word) { return ((double)word + 0.5) * 0x1p-32; }

void ip_philox_normals(double *out, size_t n, uint64_t seed, uint32_t row, uint32_t purpose) {
    const double two_pi = 6.283185307179586;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t words[4];
        ip_philox((uint32_t[4]){(uint32_t)(i / 4), row, 0, purpose}, seed, words);
        double four[4];
        for (int pair = 0; pair < 2; pair++) {
            double radius = sqrt(-2.0 * ip_log(uniform(words[2 * pair])));
            double angle = two_pi * uniform(words[2 * pair + 1]);
            four[2 * pair] = radius * ip_cos(angle);
            four[2 * pair + 1] = radius * ip_sin(angle);
        }
        for (size_t j = 0; j < 4 && i + j < n; j++) out[i + j] = four[j];
    }
}

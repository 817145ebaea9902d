/* The scalar law against plain double arithmetic, so that it is not just equal to itself; and SLEEF's bits. libm may
 * be used here: it is the independent side of the comparison. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bits.h"
#include "arch/scalar_math.h"
#include "arch/vmath.h"
#include "tests/kernels/check.h"

enum { N = 33, K = 700, ROWS = 9, KP = 704 };

static float x[ROWS * K], weights[N * K], y[4096], z[4096];
static double exact[4096];

/* FNV-1a over bytes, taken from the value so that byte order does not matter. */
static uint64_t fnv(uint64_t hash, uint64_t bits, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) hash = (hash ^ (bits >> (8 * i) & 0xff)) * 0x100000001b3u;
    return hash;
}

static void digest_floats(check *c, const float *values, size_t n) {
    for (size_t i = 0; i < n; i++) c->digest = fnv(c->digest, ip_f32_bits(values[i]), 4);
}

static void near_all(check *c, const float *got, const double *want, size_t n, double tolerance) {
    double worst = 0;
    digest_floats(c, got, n);
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)got[i] - want[i]);
        worst = error > worst || error != error ? error : worst;
    }
    check_that(c, worst <= tolerance, "the law is off by %.3g, more than %.3g", worst, tolerance);
}

/* Products. f32: the rounding of k fused steps. Integers: half a step of the quantiser per element on top. */
static void law_product(check *c, ip_arith arith, unsigned group, bool has_min) {
    static int8_t codes[N * KP];
    static float scale[N * KP / 16], min[N * KP / 16];
    bool integer = arith != IP_ARITH_F32;
    size_t kp = integer ? KP : K, groups = integer ? KP / group : 1;
    check_case(c, "law of products, arithmetic %d, group %u%s", (int)arith, group, has_min ? " with min" : "");
    fill_floats(c, KIND_NORMAL, x, ROWS * K);
    fill_floats(c, KIND_NORMAL, weights, N * K);
    fill_codes(c, false, codes, N * KP);
    for (size_t i = 0; i < N * groups; i++) {
        scale[i] = 0.01f * (1.0f + (float)random_below(c, 100));
        min[i] = random_normal(c);
    }
    ip_matrix w;
    ip_act a;
    size_t panels = (N + IP_LANES - 1) / IP_LANES;
    void *wm = calloc(1, ip_matrix_bytes(c->law, arith, N, K, group, has_min));
    void *am = calloc(1, ip_act_bytes(c->law, arith, ROWS, K));
    float *out = calloc((ROWS + IP_TILE_MAX) * panels * IP_LANES, sizeof *out);
    ip_matrix_layout(&w, wm, c->law, arith, N, K, group, has_min);
    ip_act_layout(&a, am, c->law, arith, ROWS, K);
    for (size_t j = 0; j < panels; j++) {
        size_t count = N - j * IP_LANES < IP_LANES ? N - j * IP_LANES : IP_LANES;
        unsigned char *panel = w.codes + j * w.panel_bytes;
        if (!integer) c->law->pack_f32((float *)(void *)panel, weights + j * IP_LANES * K, K, count, K);
        if (arith == IP_ARITH_INT16) c->law->pack_int16(panel, codes + j * IP_LANES * KP, KP, count, KP);
        if (arith == IP_ARITH_INT8) c->law->pack_int8(panel, codes + j * IP_LANES * KP, KP, count, KP);
        for (size_t g = 0; integer && g < groups; g++) {
            for (size_t i = 0; i < count; i++) {
                w.scale[(j * groups + g) * IP_LANES + i] = scale[(j * IP_LANES + i) * groups + g];
                if (has_min) w.min[(j * groups + g) * IP_LANES + i] = min[(j * IP_LANES + i) * groups + g];
            }
        }
    }
    check_that(c, ip_act_fill(&a, c->law, x, K) == 0, "finite inputs are flagged");
    ip_gemm(c->law, out, panels * IP_LANES, &w, 0, panels, &a);
    double most = arith == IP_ARITH_INT16 ? IP_Q16_MAX : IP_Q8_MAX, worst = 0;
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t n = 0; n < N; n++) {
            double sum = 0, size = 0, step = 0;
            for (size_t k = 0; k < K; k++) {
                size_t g = n * groups + (integer ? k / group : 0), g32 = k / IP_GROUP * IP_GROUP;
                double value = (double)weights[n * K + k], amax = 0;
                if (integer) value = codes[n * kp + k] * (double)scale[g] + (has_min ? (double)min[g] : 0.0);
                for (size_t i = g32; integer && i < g32 + IP_GROUP && i < K; i++)
                    amax = fmax(amax, fabs((double)x[r * K + i]));
                sum += value * (double)x[r * K + k];
                double parts = integer
                                   ? fabs(codes[n * kp + k] * (double)scale[g]) + (has_min ? fabs((double)min[g]) : 0.0)
                                   : fabs(value);
                size += parts * fmax(fabs((double)x[r * K + k]), amax / most);
                /* int16 has powers of two for scales: at most twice what the size asks for. */
                double xscale = arith == IP_ARITH_INT16 ? exp2(ceil(log2(amax / most))) : amax / most;
                step += fabs(value) * xscale / 2;
            }
            double over = fabs((double)out[r * panels * IP_LANES + n] - sum) - (integer ? step * 1.001 : 0.0) -
                          (K + 4) * 0x1p-24 * size;
            worst = over > worst || over != over ? over : worst;
        }
    }
    for (size_t r = 0; r < ROWS; r++) digest_floats(c, out + r * panels * IP_LANES, N);
    check_that(c, worst <= 0, "a product leaves its bound by %g", worst);
    free(wm);
    free(am);
    free(out);
}

/* extras: a sink, and a bias of keys. */
static void law_attention(check *c, size_t window, float softcap, bool extras) {
    enum { HEAD = 40, POSITIONS = 150 };
    static float q[POSITIONS * HEAD], k[POSITIONS * HEAD], v[POSITIONS * HEAD], out[POSITIONS * HEAD], kt[192 * HEAD];
    static double want[POSITIONS * HEAD];
    static float bias[POSITIONS];
    const float sink = 1.5f;
    check_case(c, "law of attention, window %zu, softcap %g%s", window, (double)softcap, extras ? ", extras" : "");
    fill_floats(c, KIND_NORMAL, q, POSITIONS * HEAD);
    fill_floats(c, KIND_NORMAL, k, POSITIONS * HEAD);
    fill_floats(c, KIND_NORMAL, v, POSITIONS * HEAD);
    for (size_t u = 0; u < POSITIONS; u++) bias[u] = 0.01f * (float)u;
    c->law->pack_keys(kt, k, HEAD, 0, POSITIONS, HEAD);
    ip_attention job = {.out = out,
                        .q = q,
                        .kt = kt,
                        .v = v,
                        .out_stride = HEAD,
                        .q_stride = HEAD,
                        .v_stride = HEAD,
                        .rows = POSITIONS,
                        .head = HEAD,
                        .scale = 0.3f,
                        .softcap = softcap,
                        .window = window,
                        .key_bias = extras ? bias : NULL,
                        .sink = extras ? &sink : NULL};
    c->law->attention(&job);
    for (size_t t = 0; t < POSITIONS; t++) {
        double total = extras ? exp((double)sink) : 0, *o = want + t * HEAD;
        memset(o, 0, HEAD * sizeof *o);
        for (size_t u = window > 0 && t + 1 > window ? t + 1 - window : 0; u <= t; u++) {
            double s = 0;
            for (size_t d = 0; d < HEAD; d++) s += (double)q[t * HEAD + d] * (double)k[u * HEAD + d];
            s *= (double)0.3f;
            if (softcap > 0.0f) s = (double)softcap * tanh(s / (double)softcap);
            double p = exp(s + (extras ? (double)bias[u] : 0));
            total += p;
            for (size_t d = 0; d < HEAD; d++) o[d] += p * (double)v[u * HEAD + d];
        }
        for (size_t d = 0; d < HEAD; d++) o[d] /= total;
    }
    near_all(c, out, want, POSITIONS * HEAD, 2e-5);
}

static void law_rows(check *c, size_t n) {
    check_case(c, "law of rows, n %zu", n);
    fill_floats(c, KIND_NORMAL, x, n);
    fill_floats(c, KIND_NORMAL, y, n);
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)x[i] * (double)x[i];
    check_that(c, c->law->rms_norm(z, x, y, n, 1e-5f) == 0, "finite rows are flagged");
    for (size_t i = 0; i < n; i++) exact[i] = (double)x[i] / sqrt(squares / (double)n + (double)1e-5f) * (double)y[i];
    near_all(c, z, exact, n, 1e-5);
    check_that(c, c->law->unit(z, x, n) == 0, "a finite vector is refused");
    for (size_t i = 0; i < n; i++) exact[i] = (double)x[i] / sqrt(squares);
    near_all(c, z, exact, n, 1e-7);
    c->law->activate(z, x, y, n, IP_ACT_SILU, NULL);
    for (size_t i = 0; i < n; i++) exact[i] = (double)x[i] / (1 + exp(-(double)x[i])) * (double)y[i];
    near_all(c, z, exact, n, 1e-5);
    c->law->log_sum_exp(&(ip_lse){-INFINITY, 0.0}, x, n);
    ip_lse lse = {-INFINITY, 0.0};
    double total = 0;
    for (size_t i = 0; i < n; i++) total += exp((double)x[i]);
    c->law->log_sum_exp(&lse, x, n / 2 + 1);
    if (n > n / 2 + 1) c->law->log_sum_exp(&lse, x + n / 2 + 1, n - n / 2 - 1);
    digest_floats(c, &lse.max, 1);
    check_that(c, fabs((double)lse.max + log(lse.sum) - log(total)) < 1e-5, "log-sum-exp is off");
    double weighted = 0, entropy = log(total);
    for (size_t i = 0; i < n; i++) entropy -= exp((double)x[i]) / total * (double)x[i];
    lse = (ip_lse){-INFINITY, 0.0};
    c->law->lse_entropy(&lse, &weighted, x, n / 2 + 1);
    if (n > n / 2 + 1) c->law->lse_entropy(&lse, &weighted, x + n / 2 + 1, n - n / 2 - 1);
    c->digest = fnv(c->digest, (uint64_t)(int64_t)(weighted * 0x1p20), 8);
    check_that(c, fabs(log(lse.sum) - weighted / lse.sum - entropy) < 1e-5, "the entropy of a softmax is off");
    size_t half = n / 2;
    for (size_t j = 0; j < half; j++) {
        exact[j] = (double)x[j] * (double)y[j] - (double)x[j + half] * (double)y[j + half];
        exact[j + half] = (double)x[j + half] * (double)y[j] + (double)x[j] * (double)y[j + half];
    }
    memcpy(z, x, n * sizeof(float));
    c->law->rope(z, y, y + half, half);
    near_all(c, z, exact, 2 * half, 1e-5);
}

/* m is rounded up to 16 in p, dots and sums. */
static void law_entropy(check *c, size_t m) {
    uint64_t sums[1024] = {0};
    uint32_t position = 0;
    double total = 0, entropy = 0, mixed = 0;
    check_case(c, "law of entropies, m %zu", m);
    fill_floats(c, KIND_NORMAL, x, m);
    c->law->soft_assign(z, x, m, 3.0f);
    for (size_t j = 0; j < m; j++) total += exp(3.0 * (double)x[j]);
    for (size_t j = 0; j < m; j++) exact[j] = exp(3.0 * (double)x[j]) / total;
    near_all(c, z, exact, m, 1e-6);
    for (size_t j = 0; j < m; j++) entropy -= exact[j] * log(exact[j]);
    check_that(c, fabs((double)c->law->entropy_row(z, m) * 0x1p-32 - entropy) < 1e-5, "the entropy of a row is off");
    for (unsigned round = 0; round < 2; round++) { /* the mixture of this assignment and its reverse */
        for (size_t j = 0; j < m; j++) y[j] = round ? z[m - 1 - j] : z[j];
        for (size_t j = m; j % IP_LANES; j++) y[j] = 0.0f;
        for (size_t j = 0; j < m; j += IP_LANES) c->law->sum_gather(sums + j, y + j, &position, 1);
    }
    for (size_t j = 0; j < m; j++) mixed -= (exact[j] + exact[m - 1 - j]) / 2 * log((exact[j] + exact[m - 1 - j]) / 2);
    int64_t together = c->law->entropy_sums(sums, 2, m);
    c->digest = fnv(c->digest, (uint64_t)together, 8);
    check_that(c, fabs((double)together * 0x1p-32 - mixed) < 1e-5, "the entropy of sums is off");
}

static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

static double activation(ip_activation which, double g, double u, const float *numbers) {
    const double ap = (double)numbers[0], an = (double)numbers[1], beta = (double)numbers[2], e = (double)numbers[3];
    switch (which) {
    case IP_ACT_SILU: return g * sigmoid(g) * u;
    case IP_ACT_GELU_TANH: return 0.5 * g * (1 + tanh(sqrt(2 / acos(-1.0)) * (g + 0.044715 * g * g * g))) * u;
    case IP_ACT_GELU_ERF: return 0.5 * g * (1 + erf(g / sqrt(2.0))) * u;
    case IP_ACT_RELU: return fmax(g, 0) * u;
    case IP_ACT_RELU2: return fmax(g, 0) * fmax(g, 0) * u;
    case IP_ACT_XIELU: return (g > 0 ? ap * g * g + beta * g : (expm1(fmin(g, e)) - g) * an + beta * g) * u;
    case IP_ACT_CLAMPED: break;
    }
    g = fmin(g, 7);
    return (fmax(-7, fmin(u, 7)) + 1) * g * sigmoid(1.702 * g);
}

/* Over -9 to 9, so that both branches of erf, the clamps and both ends of every function are passed. */
static void law_activations(check *c) {
    enum { COUNT = 4000 };
    static const float numbers[4] = {0.8f, 1.1f, 0.5f, -1e-6f};
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = -9.0f + 18.0f * (float)i / COUNT;
        y[i] = (float)(i * 37 % 401) * 0.045f - 9.0f;
    }
    for (ip_activation which = IP_ACT_SILU; which <= IP_ACT_CLAMPED; which++) {
        check_case(c, "law of activations, kind %d", (int)which);
        c->law->activate(z, x, y, COUNT, which, numbers);
        for (size_t i = 0; i < COUNT; i++) exact[i] = activation(which, (double)x[i], (double)y[i], numbers);
        near_all(c, z, exact, COUNT, which == IP_ACT_RELU2 || which == IP_ACT_XIELU ? 1e-4 : 2e-5);
    }
    check_case(c, "law of gelu without a second factor");
    c->law->activate(z, x, NULL, COUNT, IP_ACT_GELU_ERF, numbers);
    for (size_t i = 0; i < COUNT; i++) exact[i] = activation(IP_ACT_GELU_ERF, (double)x[i], 1, numbers);
    near_all(c, z, exact, COUNT, 1e-6);
}

static void law_layer_norm(check *c, size_t n) {
    check_case(c, "law of layer norm and caps, n %zu", n);
    fill_floats(c, KIND_NORMAL, x, n);
    fill_floats(c, KIND_NORMAL, y, 2 * n);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++) mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++) variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;
    check_that(c, c->law->layer_norm(z, x, y, y + n, n, 0.01f) == 0, "finite rows are flagged");
    for (size_t i = 0; i < n; i++)
        exact[i] = ((double)x[i] - mean) / sqrt(variance + (double)0.01f) * (double)y[i] + (double)y[n + i];
    near_all(c, z, exact, n, 1e-5);
    memcpy(z, x, n * sizeof *z);
    c->law->soft_cap(z, n, 3.0f, 2.0f);
    for (size_t i = 0; i < n; i++) exact[i] = 2 * tanh(3 * (double)x[i] / 2);
    near_all(c, z, exact, n, 1e-6);
}

static void law_bf16(check *c) {
    check_case(c, "law of bf16");
    for (size_t i = 0; i < 4096; i++) {
        float value = ip_f32_from_bits((uint32_t)random_bits(c));
        float rounded = value;
        c->law->round_bf16(&rounded, 1);
        /* Neighbours that bf16 can hold lie below and above; the nearer one must have been taken. */
        float below = ip_f32_from_bits(ip_f32_bits(value) & 0xffff0000u);
        float above = ip_f32_from_bits((ip_f32_bits(value) & 0xffff0000u) + 0x10000u);
        double down = fabs((double)value - (double)below), up = fabs((double)above - (double)value);
        bool good = isnan(value) ? isnan(rounded) != 0 : rounded == below || rounded == above;
        if (isfinite(value) && isfinite(above)) good = good && fabs((double)rounded - (double)value) <= fmin(down, up);
        check_that(c, good, "bf16 of %a is %a", (double)value, (double)rounded);
    }
}

/* The steps of Blahut-Arimoto; not in the digest, which is older. */
static void law_encoder(check *c) {
    enum { WIDE = 112 };
    double rows[3 * WIDE], mixed[WIDE], bias[WIDE], logs[WIDE], total = 0, top = -INFINITY, sum = 0;
    static const uint32_t index[] = {2, 0, 2, 1};
    static const double shares[] = {0.5, 0.25, 0.125, 2.0};
    check_case(c, "law of the encoder");
    for (size_t i = 0; i < 3 * WIDE; i++) rows[i] = fabs((double)random_normal(c));
    for (size_t j = 0; j < WIDE; j++) bias[j] = (double)random_normal(c);
    c->law->mix_f64(mixed, rows, WIDE, index, shares, 4);
    c->law->log_f64(logs, mixed, bias, WIDE);
    for (size_t j = 0; j < WIDE; j++) {
        double m = 0.625 * rows[2 * WIDE + j] + 0.25 * rows[j] + 2.0 * rows[WIDE + j];
        check_that(c, fabs(mixed[j] - m) < 1e-14 && fabs(logs[j] - (log(m) - bias[j])) < 1e-14, "element %zu is off",
                   j);
        exact[j] = 7.0 * logs[j] + bias[j];
        top = exact[j] > top ? exact[j] : top;
    }
    for (size_t j = 0; j < WIDE; j++) sum += exp(exact[j] - top);
    double got = c->law->encode_f64(logs, bias, 7.0, WIDE);
    for (size_t j = 0; j < WIDE; j++) {
        check_that(c, fabs(logs[j] - exp(exact[j] - top) / sum) < 1e-13, "probability %zu is off", j);
        total += logs[j];
    }
    check_that(c, fabs(total - 1.0) < 1e-14 && fabs(got - top - log(sum)) < 1e-13, "the sum or its log is off");
}

/* The law on one machine against the law on another: with seed 1 every architecture must give this digest. It changes
 * when these checks or the arithmetic do; the latter is a change of every printed number. */
static const uint64_t law_digest = 0x1ae5be9ffab7d39fu;

void check_law(check *c) {
    c->digest = 0xcbf29ce484222325u;
    law_product(c, IP_ARITH_F32, 32, false);
    for (unsigned i = 0; i < 8; i++) {
        law_product(c, i & 1 ? IP_ARITH_INT16 : IP_ARITH_INT8, i & 2 ? 16 : 32, i & 4);
    }
    law_attention(c, 0, 0.0f, false);
    law_attention(c, 30, 0.0f, false);
    law_attention(c, 100, 4.0f, false);
    law_attention(c, 40, 4.0f, true);
    static const size_t lengths[] = {1, 2, 15, 16, 17, 100, 577, 2048};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) law_rows(c, lengths[i]);
    static const size_t bins[] = {1, 2, 16, 31, 100, 1000};
    for (size_t i = 0; i < sizeof bins / sizeof *bins; i++) law_entropy(c, bins[i]);
    law_bf16(c);
    law_activations(c);
    for (size_t i = 0; i < 7; i++) law_layer_norm(c, lengths[i]);
    law_encoder(c);
    check_case(c, "digest of the law");
    check_that(c, c->seed != 1 || c->digest == law_digest, "0x%016llx, not 0x%016llx: the arithmetic has changed",
               (unsigned long long)c->digest, (unsigned long long)law_digest);
}

enum { SWEEP = 20000 };

static uint64_t hash_f32(float (*f)(float), float from, float to) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i <= SWEEP; i++) hash = fnv(hash, ip_f32_bits(f(from + (to - from) * ((float)i / SWEEP))), 4);
    return hash;
}

static uint64_t hash_f64(double (*f)(double), double from, double to) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i <= SWEEP; i++) {
        double value = f(from + (to - from) * ((double)i / SWEEP));
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        hash = fnv(hash, bits, 8);
    }
    return hash;
}

static double pow_two_thirds(double base) { return ip_pow(base, 2.0 / 3.0); }

/* Every figure of this program rests on these bits; another version of SLEEF that gives others must not pass unseen.
 * The constants are those of SLEEF 3.5.1. */
void check_sleef(check *c) {
    const struct {
        const char *name;
        uint64_t got, want;
    } hashes[] = {
        {"expf", hash_f32(vm_exp_f32, -104.0f, 89.0f), 0x76a4d420e749be73},
        {"expm1f", hash_f32(vm_expm1_f32, -20.0f, 20.0f), 0x81e94738703e59be},
        {"tanhf", hash_f32(vm_tanh_f32, -10.0f, 10.0f), 0x7c9d05378fed2f7f},
        {"exp", hash_f64(ip_exp, -746.0, 710.0), 0xb7fbb12b5526c026},
        {"log", hash_f64(ip_log, 0x1p-40, 1000.0), 0x17e1b380389e019d},
        {"pow", hash_f64(pow_two_thirds, 0.0, 1e6), 0x51ab9faf838d190e},
        {"sin", hash_f64(ip_sin, -1e5, 1e5), 0x704240e46bca8eb4},
        {"cos", hash_f64(ip_cos, -1e5, 1e5), 0xec086cc79039907d},
        {"tanh", hash_f64(ip_tanh, -20.0, 20.0), 0x81679ce9d89c1917},
    };
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        check_case(c, "%s of SLEEF %s", hashes[i].name, ip_sleef_version());
        check_that(c, hashes[i].got == hashes[i].want,
                   "its bits hash to 0x%016llx, not to 0x%016llx: this SLEEF gives other digits",
                   (unsigned long long)hashes[i].got, (unsigned long long)hashes[i].want);
    }
}

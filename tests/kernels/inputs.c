/* Seeded inputs, and buffers that end where memory ends. */
#define _DEFAULT_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/bits.h"
#include "tests/kernels/check.h"

/* SplitMix64: one addition and a mixer, any state will do. */
uint64_t random_bits(check *c) {
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

size_t random_below(check *c, size_t n) { return (size_t)(random_bits(c) % n); }

/* The sum of twelve uniforms less six: near enough to normal for inputs. */
float random_normal(check *c) {
    float sum = -6.0f;
    for (int i = 0; i < 6; i++) {
        uint64_t bits = random_bits(c);
        sum += (float)(uint32_t)bits * 0x1p-32f + (float)(uint32_t)(bits >> 32) * 0x1p-32f;
    }
    return sum;
}

const char *kind_name(kind k) {
    static const char *const names[KINDS] = {"normal", "wide", "tiny", "sparse", "equal", "large"};
    return names[k];
}

static float random_sign(check *c, float x) { return random_bits(c) & 1 ? -x : x; }

static float one_float(check *c, kind k) {
    switch (k) {
    case KIND_WIDE: return ldexpf(random_normal(c), (int)random_below(c, 61) - 30);
    case KIND_TINY: return random_sign(c, random_below(c, 4) ? ip_f32_from_bits(random_bits(c) & 0x7fffff) : 0.0f);
    case KIND_SPARSE: return random_below(c, 10) ? random_sign(c, 0.0f) : 40.0f * random_normal(c);
    case KIND_LARGE: return ldexpf(random_normal(c), 60 - (int)random_below(c, 3));
    default: return random_normal(c);
    }
}

void fill_floats(check *c, kind k, float *out, size_t n) {
    float same = random_normal(c);
    for (size_t i = 0; i < n; i++) out[i] = k == KIND_EQUAL ? same : one_float(c, k);
}

/* What codes of tensor types span, and one more on either side of what a panel of few values may hold. */
static const struct {
    int low, high;
} spans[] = {{-128, 127}, {-8, 7}, {0, 15},   {-16, 15}, {0, 31}, {-32, 31}, {0, 63}, {-8, 8}, {0, 16},
             {-32, 32},   {0, 64}, {-33, 32}, {0, 65},   {-9, 8}, {0, 17},   {0, 33}, {-1, 0}};

void fill_codes(check *c, bool extreme, int8_t *out, size_t n) {
    const size_t span = random_below(c, sizeof spans / sizeof *spans);
    const int low = spans[span].low, high = spans[span].high;
    for (size_t i = 0; i < n; i++) {
        if (extreme) {
            out[i] = (int8_t)(random_bits(c) & 1 ? high : low);
        } else {
            out[i] = (int8_t)(low + (int)random_below(c, (size_t)(high - low + 1)));
        }
    }
}

enum { BORDER = 256, FILL = 0xa5 };

typedef struct region {
    unsigned char *base; /* writable bytes, guard pages on both sides */
    size_t room;
    unsigned char *data;
    size_t bytes;
} region;

static region regions[SLOTS];

static void grow(region *r, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (r->base) munmap(r->base - page, r->room + 2 * page);
    r->room = (bytes + BORDER + page - 1) / page * page;
    unsigned char *map = mmap(NULL, r->room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + page, r->room, PROT_READ | PROT_WRITE) != 0) {
        fprintf(stderr, "check-kernels: no memory for a buffer of %zu bytes\n", bytes);
        exit(1);
    }
    r->base = map + page;
}

void *slot(unsigned index, size_t bytes, bool at_end) {
    region *r = &regions[index];
    if (r->room < bytes + BORDER) grow(r, bytes);
    r->data = at_end ? r->base + r->room - bytes : r->base;
    r->bytes = bytes;
    memset(at_end ? r->data - BORDER : r->data, FILL, bytes + BORDER);
    return r->data;
}

void slots_check(check *c) {
    bool clean = true;
    for (unsigned i = 0; i < SLOTS; i++) {
        const region *r = &regions[i];
        if (!r->data) continue;
        const unsigned char *border = r->data == r->base ? r->data + r->bytes : r->data - BORDER;
        for (size_t b = 0; b < BORDER; b++) clean = clean && border[b] == FILL;
    }
    check_that(c, clean, "bytes beside a buffer were written");
}

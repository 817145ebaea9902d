/* Attention and the packing of its keys, compared with scalar. */
#include <math.h>
#include <string.h>

#include "tests/kernels/check.h"

typedef struct setting {
    size_t head, position, rows, window;
    float softcap;
    bool bf16, bias, sink;
    kind input;
} setting;

enum { SLOT_Q, SLOT_K, SLOT_V, SLOT_KT, SLOT_OUT, SLOT_WANT, SLOT_BIAS, SLOT_SINK };

/* Bytes of packed keys for the positions of whole blocks. */
static size_t keys_bytes(size_t positions, size_t head) {
    return (positions + IP_KEY_BLOCK - 1) / IP_KEY_BLOCK * IP_KEY_BLOCK * head * sizeof(float);
}

static void one(check *c, setting s) {
    bool at_end = (s.rows + s.head) % 2 == 0;
    check_case(c, "head %zu, position %zu, rows %zu, window %zu, softcap %g%s%s%s, %s", s.head, s.position, s.rows,
               s.window, (double)s.softcap, s.bf16 ? ", bf16" : "", s.bias ? ", bias" : "", s.sink ? ", sink" : "",
               kind_name(s.input));
    size_t positions = s.position + s.rows, stride = s.head + random_below(c, 5);
    size_t queries = (s.rows - 1) * stride + s.head, all = (positions - 1) * stride + s.head;
    float *q = slot(SLOT_Q, queries * sizeof(float), at_end), *k = slot(SLOT_K, all * sizeof(float), at_end);
    float *v = slot(SLOT_V, all * sizeof(float), at_end);
    float *kt = slot(SLOT_KT, keys_bytes(positions, s.head), at_end);
    fill_floats(c, s.input, q, queries);
    fill_floats(c, s.input == KIND_WIDE ? KIND_NORMAL : s.input, k, all);
    fill_floats(c, s.input, v, all);
    c->law->pack_keys(kt, k, stride, 0, positions, s.head);
    ip_attention job = {.q = q,
                        .kt = kt,
                        .v = v,
                        .out_stride = stride,
                        .q_stride = stride,
                        .v_stride = stride,
                        .position = s.position,
                        .rows = s.rows,
                        .head = s.head,
                        .scale = 1.0f / sqrtf((float)s.head),
                        .softcap = s.softcap,
                        .window = s.window,
                        .bf16 = s.bf16};
    float *bias = slot(SLOT_BIAS, positions * sizeof(float), at_end), *sink = slot(SLOT_SINK, sizeof(float), at_end);
    fill_floats(c, KIND_NORMAL, bias, positions);
    *sink = random_normal(c) * 3.0f;
    if (s.bias) job.key_bias = bias;
    if (s.sink) job.sink = sink;
    float *want = job.out = slot(SLOT_WANT, queries * sizeof(float), at_end);
    c->law->attention(&job);
    float *got = job.out = slot(SLOT_OUT, queries * sizeof(float), at_end);
    c->kernels->attention(&job);
    check_words(c, got, want, queries);
    slots_check(c);
}

void check_attention(check *c) {
    static const size_t heads[] = {8, 32, 64, 80, 128, 12, 1, 33};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        size_t head = heads[i];
        one(c, (setting){.head = head, .rows = 1});
        one(c, (setting){.head = head, .rows = 37 + i, .input = (kind)(i % KINDS)});
        one(c, (setting){.head = head, .rows = 150 + i, .softcap = 30.0f});
        one(c, (setting){.head = head, .position = 64 + 16 * i, .rows = 40 + i, .window = 50});
        one(c, (setting){.head = head, .position = 16 * i, .rows = 90, .bf16 = true, .input = KIND_WIDE});
    }
    for (size_t rows = 1; rows <= 80; rows += 3) one(c, (setting){.head = 16, .rows = rows, .window = rows % 7});
    for (size_t window = 1; window <= 130; window += 9) {
        one(c,
            (setting){.head = 8, .position = 112, .rows = 70, .window = window, .softcap = window % 2 ? 5.0f : 0.0f});
    }
    for (size_t rows = 1; rows <= 150; rows += 29) {
        one(c, (setting){.head = 20, .rows = rows, .bias = true});
        one(c, (setting){.head = 20, .rows = rows, .sink = true, .window = rows / 2});
        one(c, (setting){.head = 20, .position = 32, .rows = rows, .sink = true, .bias = true, .softcap = 9.0f});
    }
    for (kind k = 0; k < KINDS; k++) one(c, (setting){.head = 24, .rows = 70, .input = k});
    one(c, (setting){.head = 64, .position = 256, .rows = c->quick ? 33 : 256});
    one(c, (setting){.head = IP_HEAD_MAX, .rows = 20});
    /* tanh over its whole range: one key per query decides nothing, so many wide scores. */
    one(c, (setting){.head = 1, .rows = 200, .softcap = 2.0f, .input = KIND_WIDE});
}

void check_pack_keys(check *c) {
    for (size_t i = 0; i < 60; i++) {
        size_t head = 1 + i * 11 % 130, position = i * 7 % 140, rows = 1 + i * 13 % 150, stride = head + i % 3;
        size_t floats = (rows - 1) * stride + head;
        check_case(c, "head %zu, position %zu, rows %zu", head, position, rows);
        float *k = slot(SLOT_K, floats * sizeof(float), i % 2);
        fill_floats(c, KIND_NORMAL, k, floats);
        size_t bytes = keys_bytes(position + rows, head);
        float *want = slot(SLOT_WANT, bytes, i % 2), *got = slot(SLOT_OUT, bytes, i % 2);
        c->law->pack_keys(want, k, stride, position, rows, head);
        c->kernels->pack_keys(got, k, stride, position, rows, head);
        check_words(c, got, want, bytes / sizeof(float));
        slots_check(c);
    }
}

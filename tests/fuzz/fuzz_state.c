/* libFuzzer target: any bytes as the state of a shard, merged. Hashes are made right first, so that what lies behind them is
 * reached; an input too short to be a state becomes the description of a small whole one. Seeds: none needed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/run/shard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 16, ROW = 32, DOCUMENTS = 3, TOKENS = 36, LAYERS = 2 };

static uint64_t get64(const unsigned char *at) {
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static void put64(unsigned char *at, uint64_t x) { memcpy(at, &x, sizeof x); }

/* The hashes that a writer of these bytes would have left. */
static void make_right(unsigned char *at, size_t size) {
    uint32_t count = 0;
    if (size < HEAD) return;
    memcpy(&count, at + 12, sizeof count);
    if (count > (size - HEAD) / ROW || HEAD + (size_t)count * ROW + 8 > size) return;
    for (uint32_t i = 0; i < count; i++) {
        unsigned char *row = at + HEAD + (size_t)i * ROW;
        uint64_t offset = get64(row + 8), length = get64(row + 16);
        if (offset <= size && length <= size - offset) put64(row + 24, ip_hash64(at + offset, (size_t)length, 0));
    }
    size_t table = HEAD + (size_t)count * ROW;
    put64(at + table, ip_hash64(at, table, 0));
}

/* A state of one shard of one, whose losses and soft assignments are the input, over and over. */
static void write_whole(const char *path, const uint8_t *data, size_t size) {
    static char text[] = "x";
    ip_corpus corpus = {.documents = DOCUMENTS, .tokens = TOKENS};
    int32_t ids[TOKENS];
    uint64_t offsets[DOCUMENTS + 1] = {0, 12, 24, 36};
    ip_hash128_stream *hash = ip_hash128_new();
    for (int i = 0; i < TOKENS; i++) ids[i] = size > 0 ? data[(size_t)i % size] % 7 : i % 7;
    for (int d = 0; d < DOCUMENTS; d++) {
        uint64_t n = 12;
        ip_hash128_update(hash, &n, sizeof n);
        ip_hash128_update(hash, ids + offsets[d], 12 * sizeof *ids);
    }
    corpus.ids = ids;
    corpus.offsets = offsets;
    ip_run run = {.model_path = text, .model_name = text, .family = text, .weights = text, .weights_stored = text};
    ip_hash128_hex(hash, run.ids_fingerprint);
    ip_hash128_free(hash);
    run.layers = LAYERS;
    run.width = 8;
    run.vocabulary = 7;
    run.documents = DOCUMENTS;
    run.tokens = TOKENS;
    run.orders = 2;
    run.positions = ip_corpus_positions(&corpus, run.orders);
    run.bins = 16;
    run.calibration = "vmf-bound";
    run.temperature = 0.1;
    run.groups = 2;
    run.null = 1;
    ip_shard_part part = {.index = 1,
                          .of = 1,
                          .documents = DOCUMENTS,
                          .tokens = TOKENS,
                          .positions = run.positions,
                          .loss_end = -1,
                          .loss = true};
    size_t bytes = (size_t)run.positions * IP_LANES * sizeof(float);
    unsigned char *values = calloc(1, bytes);
    double losses[TOKENS] = {0};
    for (size_t i = 0; size > 0 && i < bytes; i++) values[i] = data[i % size];
    if (size >= sizeof losses) memcpy(losses, data, sizeof losses);
    ip_shard_writer writer;
    ip_error error;
    if (ip_shard_create(&writer, path, 3 + 1 + LAYERS + 1, &error) == IP_OK) {
        ip_shard_describe(&writer, &run, &part, &corpus, NULL, &error);
        ip_shard_write(&writer, IP_SECTION_LOSSES, 0, losses, sizeof losses, &error);
        for (uint32_t l = 0; l <= LAYERS; l++) ip_shard_write(&writer, IP_SECTION_LAYER, l, values, bytes, &error);
        ip_shard_commit(&writer, &error);
    }
    ip_shard_abandon(&writer);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/fuzz-state-%ld", (long)getpid());
    if (size >= 8 && memcmp(data, "IPSTATE\n", 8) == 0) {
        unsigned char *copy = malloc(size);
        FILE *file = fopen(path, "wb");
        memcpy(copy, data, size);
        make_right(copy, size);
        if (file) {
            fwrite(copy, 1, size, file);
            fclose(file);
        }
        free(copy);
    } else {
        write_whole(path, data, size);
    }
    ip_settings settings;
    ip_settings_default(&settings);
    settings.threads = 1;
    settings.memory = (uint64_t)64 << 30;
    const char *paths[] = {path};
    ip_run *run;
    ip_error error;
    if (ip_merge(&run, paths, 1, &settings, "/tmp", NULL, &error) == IP_OK) ip_run_free(run);
    unlink(path);
    return 0;
}

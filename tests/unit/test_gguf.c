/* The GGUF reader on files that are built here in memory: values of every type, look-ups, damage at every byte. And one
 * real model: its index is read in milliseconds, its fingerprint is that of its bytes. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/hash.h"
#include "models/gguf.h"
#include "models/model.h"
#include "tests/unit/shared_data.h"

TestSuite(gguf, .timeout = 120);

/* ---- a writer ---- */

typedef struct bytes {
    unsigned char *data;
    size_t size, room;
} bytes;

static void put(bytes *b, const void *data, size_t n) {
    if (b->size + n > b->room) {
        b->room = 2 * (b->size + n);
        b->data = realloc(b->data, b->room);
    }
    memcpy(b->data + b->size, data, n);
    b->size += n;
}

static void put_uint(bytes *b, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++) put(b, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
}

static void put_text(bytes *b, const char *text) {
    put_uint(b, strlen(text), 8);
    put(b, text, strlen(text));
}

static void put_header(bytes *b, uint64_t tensors, uint64_t keys) {
    put(b, "GGUF", 4);
    put_uint(b, 3, 4);
    put_uint(b, tensors, 8);
    put_uint(b, keys, 8);
}

static void put_key(bytes *b, const char *key, ip_gguf_type type) {
    put_text(b, key);
    put_uint(b, type, 4);
}

static void put_tensor(bytes *b, const char *name, unsigned dims, const uint64_t *ne, uint32_t type, uint64_t offset) {
    put_text(b, name);
    put_uint(b, dims, 4);
    for (unsigned d = 0; d < dims; d++) put_uint(b, ne[d], 8);
    put_uint(b, type, 4);
    put_uint(b, offset, 8);
}

static void put_padding(bytes *b) {
    while (b->size % 32 != 0) put_uint(b, 0, 1);
}

/* Keys of every kind, two tensors: F32 {3, 2} holding 0 .. 5, Q8_0 {32}. */
static bytes small_file(void) {
    bytes b = {0};
    put_header(&b, 2, 8);
    put_key(&b, "a.i8", IP_GGUF_I8), put_uint(&b, (uint64_t)-5, 1);
    put_key(&b, "a.u64", IP_GGUF_U64), put_uint(&b, UINT64_MAX, 8);
    put_key(&b, "a.i64", IP_GGUF_I64), put_uint(&b, (uint64_t)INT64_MIN, 8);
    put_key(&b, "a.u16", IP_GGUF_U16), put_uint(&b, 65535, 2);
    put_key(&b, "a.f64", IP_GGUF_F64), put(&b, &(double){0.1}, 8);
    put_key(&b, "a.yes", IP_GGUF_BOOL), put_uint(&b, 1, 1);
    put_key(&b, "a.words", IP_GGUF_ARRAY), put_uint(&b, IP_GGUF_STRING, 4), put_uint(&b, 3, 8);
    put_text(&b, "one"), put_text(&b, ""), put_text(&b, "three");
    put_key(&b, "a.list", IP_GGUF_ARRAY), put_uint(&b, IP_GGUF_I16, 4), put_uint(&b, 2, 8), put_uint(&b, 7, 2),
        put_uint(&b, (uint64_t)-7, 2);
    put_tensor(&b, "floats", 2, (uint64_t[]){3, 2}, 0, 0);
    put_tensor(&b, "codes", 1, (uint64_t[]){32}, 8, 32);
    put_padding(&b);
    for (int i = 0; i < 6; i++) put(&b, &(float){(float)i}, 4);
    put_padding(&b);
    for (int i = 0; i < 34; i++) put_uint(&b, 1, 1);
    return b;
}

static ip_gguf *open_bytes(const bytes *b, ip_error *error) {
    ip_gguf *file;
    ip_status status = ip_gguf_open_memory(&file, "memory", b->data, b->size, NULL, NULL, error);
    cr_assert_eq(status == IP_OK, file != NULL);
    if (status != IP_OK) cr_assert(status == IP_BAD_INPUT && strstr(error->message, "memory: "), "%s", error->message);
    return file;
}

/* ---- tests ---- */

Test(gguf, values_and_tensors_are_found) {
    bytes b = small_file();
    ip_error error;
    ip_gguf *file = open_bytes(&b, &error);
    cr_assert_not_null(file, "%s", error.message);
    uint64_t u = 0;
    double d = 0;
    bool found, yes = false;
    cr_assert(ip_gguf_get_uint(file, "a.u16", 65535, &u, &found, &error) == IP_OK && found && u == 65535);
    cr_assert(ip_gguf_get_uint(file, "a.u64", UINT64_MAX, &u, &found, &error) == IP_OK && u == UINT64_MAX);
    cr_assert(ip_gguf_get_float(file, "a.f64", &d, &found, &error) == IP_OK && d == 0.1);
    cr_assert(ip_gguf_get_bool(file, "a.yes", &yes, &found, &error) == IP_OK && yes);
    cr_assert(ip_gguf_get_uint(file, "a.no", 1, &u, &found, &error) == IP_OK && !found);
    cr_assert_eq(ip_gguf_get_uint(file, "a.u16", 65534, &u, &found, &error), IP_BAD_INPUT);
    cr_assert(strstr(error.message, "a.u16") && strstr(error.message, "65535"));
    cr_assert_eq(ip_gguf_get_uint(file, "a.i8", 100, &u, &found, &error), IP_BAD_INPUT);
    cr_assert(strstr(error.message, "-5"));
    cr_assert_eq(ip_gguf_get_uint(file, "a.f64", 100, &u, &found, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_gguf_get_uint(file, "a.yes", 100, &u, &found, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_gguf_get_float(file, "a.u16", &d, &found, &error), IP_BAD_INPUT);
    cr_assert_eq(ip_gguf_int_at(ip_gguf_find(file, "a.i64"), 0), INT64_MIN);
    cr_assert_eq(ip_gguf_int_at(ip_gguf_find(file, "a.list"), 1), -7);
    const ip_gguf_value *words = ip_gguf_find(file, "a.words");
    cr_assert(words->count == 3 && words->strings[1].size == 0 && memcmp(words->strings[2].data, "three", 5) == 0);
    const ip_tensor *t = ip_gguf_tensor(file, "floats");
    float row[3];
    t->type->to_float(row, ip_tensor_row(t, 1), 3);
    cr_assert(t->ne[0] == 3 && t->ne[1] == 2 && t->ne[2] == 1 && row[0] == 3 && row[2] == 5);
    cr_assert_eq(ip_gguf_tensor(file, "codes")->data, b.data + b.size - 34);
    cr_assert_null(ip_gguf_tensor(file, "float"));
    ip_gguf_close(file);
    free(b.data);
}

/* No prefix of a file is a file. Each stands in a block of its own, so that a read past the end shows. */
Test(gguf, every_truncation_is_refused) {
    bytes b = small_file();
    for (size_t n = 0; n < b.size; n++) {
        bytes cut = {malloc(n ? n : 1), n, n};
        memcpy(cut.data, b.data, n);
        ip_error error;
        cr_assert_null(open_bytes(&cut, &error), "the first %zu bytes were accepted", n);
        free(cut.data);
    }
    free(b.data);
}

/* Any byte may have any value: an answer comes back, and what is accepted lies inside the file. */
Test(gguf, every_changed_byte_is_survived) {
    bytes b = small_file();
    static const unsigned char values[] = {0, 1, 2, 3, 7, 8, 9, 12, 13, 31, 63, 64, 127, 128, 200, 255};
    size_t accepted = 0;
    for (size_t at = 0; at < b.size; at++)
        for (size_t v = 0; v < sizeof values; v++) {
            unsigned char kept = b.data[at];
            b.data[at] = values[v];
            ip_error error;
            ip_gguf *file = open_bytes(&b, &error);
            for (size_t i = 0; file && i < ip_gguf_tensor_count(file); i++) {
                const ip_tensor *t = ip_gguf_tensor_at(file, i);
                size_t size = t->row_bytes * (size_t)(t->ne[1] * t->ne[2] * t->ne[3]);
                cr_assert(t->data >= b.data && size <= b.size && t->data + size <= b.data + b.size);
            }
            accepted += file != NULL;
            ip_gguf_close(file);
            b.data[at] = kept;
        }
    cr_assert_gt(accepted, 500); /* of the weights and texts */
    free(b.data);
}

/* Products of dimensions that overflow are refused even when an empty dimension makes the count of elements zero. */
Test(gguf, empty_dimensions_hide_nothing) {
    static const uint64_t shapes[][4] = {
        {(uint64_t)1 << 62, 0, 1, 1}, {0, (uint64_t)1 << 40, (uint64_t)1 << 40, 1}, {4, 0, (uint64_t)1 << 61, 4}};
    for (size_t i = 0; i < 3; i++) {
        bytes b = {0};
        put_header(&b, 1, 0);
        put_tensor(&b, "t", 4, shapes[i], 0, 0);
        put_padding(&b);
        ip_error error;
        cr_assert_null(open_bytes(&b, &error));
        cr_assert(strstr(error.message, "overflow"));
        free(b.data);
    }
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* 100,000 keys and 50,000 tensors: look-ups of names are by hash, so this takes milliseconds and not minutes. */
Test(gguf, many_names_are_quick) {
    enum { KEYS = 100000, TENSORS = 50000 };
    bytes b = {0};
    char name[32];
    put_header(&b, TENSORS, KEYS);
    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "key.%d", i);
        put_key(&b, name, IP_GGUF_U32), put_uint(&b, (uint64_t)i, 4);
    }
    for (int i = 0; i < TENSORS; i++) {
        snprintf(name, sizeof name, "tensor.%d", i);
        put_tensor(&b, name, 1, (uint64_t[]){8}, 0, 32 * (uint64_t)i);
    }
    put_padding(&b);
    size_t data = b.size;
    for (int i = 0; i < 8 * TENSORS; i++) put_uint(&b, 0, 4);
    double start = seconds();
    ip_error error;
    ip_gguf *file = open_bytes(&b, &error);
    cr_assert_not_null(file, "%s", error.message);
    uint64_t value = 0;
    bool found;
    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "key.%d", i);
        cr_assert(ip_gguf_get_uint(file, name, KEYS, &value, &found, &error) == IP_OK && value == (uint64_t)i);
    }
    cr_assert_eq(ip_gguf_tensor(file, "tensor.49999")->data, b.data + data + 32 * 49999);
    double taken = seconds() - start;
    cr_assert_lt(taken, 2.0, "%f s", taken);
    ip_gguf_close(file);
    free(b.data);
}

static void count_warning(void *context, const char *line) {
    *(int *)context += strstr(line, "bytes follow the last tensor") != NULL;
}

Test(gguf, trailing_bytes_are_told) {
    bytes b = small_file();
    int warnings = 0;
    ip_gguf *file;
    ip_error error;
    cr_assert_eq(ip_gguf_open_memory(&file, "memory", b.data, b.size, count_warning, &warnings, &error), IP_OK);
    ip_gguf_close(file);
    cr_assert_eq(warnings, 0);
    for (int i = 0; i < 33; i++) put_uint(&b, 0, 1);
    cr_assert_eq(ip_gguf_open_memory(&file, "memory", b.data, b.size, count_warning, &warnings, &error), IP_OK);
    ip_gguf_close(file);
    cr_assert_eq(warnings, 1);
    free(b.data);
}

Test(gguf, a_real_model_opens_quickly) {
    const char *path = shared_path("models/SmolLM2-135M-Instruct.Q4_1.gguf");
    if (shared_missing(path)) return;
    double best = 1;
    ip_error error;
    for (int i = 0; i < 5; i++) {
        double start = seconds();
        ip_gguf *file;
        cr_assert_eq(ip_gguf_open(&file, path, NULL, NULL, &error), IP_OK, "%s", error.message);
        cr_assert_eq(ip_gguf_find(file, "tokenizer.ggml.tokens")->count, 49152);
        cr_assert_eq(ip_gguf_tensor_count(file), 272);
        ip_gguf_close(file);
        double taken = seconds() - start;
        if (taken < best) best = taken;
    }
    fprintf(stderr, "%s opens in %.2f ms\n", path, 1e3 * best);
    cr_assert_lt(best, 0.05);
    ip_model *model;
    cr_assert_eq(ip_model_open(&model, path, NULL, NULL, NULL, &error), IP_OK, "%s", error.message);
    const ip_plan *plan = ip_model_plan(model);
    cr_assert(plan->layers == 30 && plan->width == 576 && plan->vocabulary == 49152 && plan->blocks[0].head == 64);
    cr_assert(plan->parameters == 134515008 && plan->head_weight.tensor == plan->embedding);
    ip_model_close(model);
}

Test(gguf, fingerprint_is_the_hash_of_the_bytes) {
    const char *path = shared_path("models/stories260K.gguf");
    if (shared_missing(path)) return;
    ip_error error;
    ip_model *model;
    cr_assert_eq(ip_model_open(&model, path, NULL, NULL, NULL, &error), IP_OK, "%s", error.message);
    char print[33], whole[33];
    cr_assert_eq(ip_model_fingerprint(model, print, &error), IP_OK);
    ip_bytes all = ip_gguf_part_bytes(ip_model_gguf(model), 0);
    ip_hash128(all.data, all.size, whole);
    cr_assert_str_eq(print, whole);
    ip_model_close(model);
}

/* Known answers of XXH3 as it has been fixed since xxHash 0.8: the empty input and "abc". */
Test(gguf, hashes_are_xxh3) {
    char hex[IP_HASH_HEX];
    ip_hash128(NULL, 0, hex);
    cr_assert_str_eq(hex, "99aa06d3014798d86001c324468d497f");
    cr_assert_eq(ip_hash64(NULL, 0, 0), 0x2d06800538d394c2u);
    ip_hash128("abc", 3, hex);
    ip_hash128_stream *stream = ip_hash128_new();
    char pieces[IP_HASH_HEX];
    ip_hash128_update(stream, "a", 1);
    ip_hash128_update(stream, NULL, 0);
    ip_hash128_update(stream, "bc", 2);
    ip_hash128_hex(stream, pieces);
    cr_assert_str_eq(hex, pieces);
    cr_assert_str_eq(hex, "06b05ab6733a618578af5f94892f3950");
    ip_hash128_free(stream);
}

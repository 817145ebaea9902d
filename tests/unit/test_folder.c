/* Model folders built in memory: float8 weights with their factors against plain floats, wrappers of multimodal models,
 * and what folders are refused for. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/checkpoint.h"
#include "models/model.h"

TestSuite(folder, .timeout = 60);

enum { WIDTH = 24, HEADS = 2, HIDDEN = 40, VOCABULARY = 11, ROOM = 1 << 16 };

/* A safetensors file while it is being written. */
typedef struct writer {
    char header[8192];
    unsigned char data[ROOM];
    size_t header_size, data_size;
} writer;

static void put(writer *w, const char *name, const char *dtype, size_t rows, size_t columns, const void *bytes,
                size_t size) {
    char shape[64];
    snprintf(shape, sizeof shape, rows > 0 ? "[%zu,%zu]" : "[%.0zu%zu]", rows, columns);
    w->header_size +=
        (size_t)snprintf(w->header + w->header_size, sizeof w->header - w->header_size,
                         "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                         w->header_size > 0 ? "," : "", name, dtype, shape, w->data_size, w->data_size + size);
    memcpy(w->data + w->data_size, bytes, size);
    w->data_size += size;
    cr_assert(w->data_size < ROOM && w->header_size < sizeof w->header - 16);
}

static ip_bytes finish(const writer *w) {
    static char file[ROOM + 8192 + 16];
    uint64_t length = w->header_size + 2;
    for (int i = 0; i < 8; i++) file[i] = (char)(length >> 8 * i);
    snprintf(file + 8, sizeof file - 8, "{%s}", w->header);
    memcpy(file + 8 + length, w->data, w->data_size);
    return (ip_bytes){file, 8 + (size_t)length + w->data_size};
}

/* The value of a float8 code by its definition. */
static double decoded(unsigned char code, int exponent_bits) {
    int mantissa_bits = 7 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = code >> mantissa_bits & ((1 << exponent_bits) - 1), mantissa = code & ((1 << mantissa_bits) - 1);
    double one = 1 << mantissa_bits;
    double value = exponent == 0 ? ldexp(mantissa / one, 1 - bias) : ldexp(1 + mantissa / one, exponent - bias);
    return code & 0x80 ? -value : value;
}

static unsigned next(unsigned *state) { return *state = *state * 1664525u + 1013904223u; }

/* Finite codes only: exponents all ones are left out. */
static unsigned char code(unsigned *state, int exponent_bits) {
    unsigned char c = (unsigned char)(next(state) >> 24);
    unsigned char top = (unsigned char)(((1 << exponent_bits) - 1) << (7 - exponent_bits));
    return (c & top) == top ? (unsigned char)(c & ~top) : c;
}

typedef enum scaling { PLAIN, BLOCKS, ROWS, ONE } scaling;

/* A matrix as float8 with factors in blocks of 8 x 16, one per row, or one in all; or, PLAIN, what the four say as F32 for
 * the same seed and kind. */
static void put_matrix(writer *w, const char *prefix, const char *name, size_t rows, size_t columns, scaling s,
                       scaling kind, int exponent_bits, unsigned seed) {
    static unsigned char codes[4096];
    static float floats[4096], factors[256];
    char full[128];
    size_t across = kind == BLOCKS ? (columns + 15) / 16 : 1, down = kind == BLOCKS ? (rows + 7) / 8 : rows;
    if (kind == ONE) down = 1;
    unsigned state = seed;
    for (size_t i = 0; i < down * across; i++) factors[i] = 0.25f + (float)(next(&state) >> 24) / 512.0f;
    for (size_t i = 0; i < rows * columns; i++) {
        size_t row = i / columns, column = i % columns;
        size_t at = kind == BLOCKS ? row / 8 * across + column / 16 : kind == ROWS ? row : 0;
        codes[i] = code(&state, exponent_bits);
        floats[i] = (float)decoded(codes[i], exponent_bits) * factors[at];
    }
    snprintf(full, sizeof full, "%s%s.weight", prefix, name);
    if (s == PLAIN) {
        put(w, full, "F32", rows, columns, floats, rows * columns * sizeof *floats);
        return;
    }
    put(w, full, exponent_bits == 4 ? "F8_E4M3" : "F8_E5M2", rows, columns, codes, rows * columns);
    snprintf(full, sizeof full, "%s%s.weight_scale%s", prefix, name, kind == BLOCKS ? "_inv" : "");
    put(w, full, "F32", down, across, factors, down * across * sizeof *factors);
}

static void put_ones(writer *w, const char *prefix, const char *name) {
    float ones[WIDTH];
    char full[128];
    for (size_t i = 0; i < WIDTH; i++) ones[i] = 1.0f;
    snprintf(full, sizeof full, "%s%s.weight", prefix, name);
    put(w, full, "F32", 0, WIDTH, ones, sizeof ones);
}

/* A llama of one layer; names before `prefix` matter. */
static void put_model(writer *w, const char *prefix, scaling s, scaling kind, int exponent_bits) {
    static const struct {
        const char *name;
        size_t rows, columns;
    } matrices[] = {{"layers.0.self_attn.q_proj", WIDTH, WIDTH}, {"layers.0.self_attn.k_proj", WIDTH, WIDTH},
                    {"layers.0.self_attn.v_proj", WIDTH, WIDTH}, {"layers.0.self_attn.o_proj", WIDTH, WIDTH},
                    {"layers.0.mlp.gate_proj", HIDDEN, WIDTH},   {"layers.0.mlp.up_proj", HIDDEN, WIDTH},
                    {"layers.0.mlp.down_proj", WIDTH, HIDDEN}};
    memset(w, 0, sizeof *w);
    put_matrix(w, prefix, "embed_tokens", VOCABULARY, WIDTH, PLAIN, ONE, 4, 99);
    put_ones(w, prefix, "norm");
    put_ones(w, prefix, "layers.0.input_layernorm");
    put_ones(w, prefix, "layers.0.post_attention_layernorm");
    for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++)
        put_matrix(w, prefix, matrices[i].name, matrices[i].rows, matrices[i].columns, s, kind, exponent_bits,
                   (unsigned)(7 + i));
}

#define LLAMA                                                                                                          \
    "\"model_type\":\"llama\",\"hidden_size\":24,\"num_hidden_layers\":1,\"num_attention_heads\":2,"                   \
    "\"intermediate_size\":40,\"vocab_size\":11,\"tie_word_embeddings\":true"
static const char plain_config[] = "{" LLAMA "}";
static const char fp8_config[] =
    "{" LLAMA ",\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[8,16]}}";

static ip_status open_model(ip_model **model, const char *config, const writer *w, ip_error *error) {
    ip_checkpoint file = {NULL, NULL};
    ip_bytes text = {config, strlen(config)};
    *model = NULL;
    ip_status status = ip_folder_open_memory(&file.folder, "memory", text, finish(w), error);
    if (status == IP_OK) return ip_model_from_checkpoint(model, &file, NULL, NULL, NULL, error);
    ip_checkpoint_close(&file);
    return status;
}

/* All matrices of a block, one after the other, as floats. */
typedef struct gathered {
    float values[8192];
    size_t count;
} gathered;

static void gather(void *context, const ip_weight *weight) {
    gathered *g = context;
    cr_assert(g->count + weight->outputs * weight->inputs <= 8192);
    ip_weight_read(weight, 0, weight->outputs, g->values + g->count, weight->inputs);
    g->count += weight->outputs * weight->inputs;
}

static void matrices_of(const char *config, const writer *w, gathered *g) {
    ip_model *model;
    ip_error error;
    g->count = 0;
    cr_assert_eq(open_model(&model, config, w, &error), IP_OK, "%s", error.message);
    ip_block_each(&ip_model_plan(model)->blocks[0], gather, g);
    ip_model_close(model);
}

Test(folder, float8_with_factors_is_what_its_definition_says) {
    static writer w;
    static gathered plain, scaled;
    for (int bits = 4; bits <= 5; bits++) {
        for (scaling kind = BLOCKS; kind <= ONE; kind++) {
            put_model(&w, "model.", PLAIN, kind, bits);
            matrices_of(plain_config, &w, &plain);
            put_model(&w, "model.", kind, kind, bits);
            matrices_of(fp8_config, &w, &scaled);
            cr_assert(plain.count > 0 && plain.count == scaled.count);
            for (size_t i = 0; i < plain.count; i++)
                cr_assert_eq(plain.values[i], scaled.values[i], "E%d, kind %d, value %zu: %g, not %g", bits, (int)kind,
                             i, (double)scaled.values[i], (double)plain.values[i]);
        }
    }
}

Test(folder, wrappers_keep_the_decoder_under_text_config) {
    static const char config[] = "{\"model_type\":\"wrapper\",\"text_config\":{" LLAMA "}}";
    static const char *const prefixes[] = {"language_model.model.", "model.language_model.", "model.", ""};
    static writer w;
    for (size_t i = 0; i < 4; i++) {
        ip_model *model;
        ip_error error;
        put_model(&w, prefixes[i], PLAIN, ONE, 4);
        put_ones(&w, "vision_tower.", "norm"); /* not of the decoder */
        cr_assert_eq(open_model(&model, config, &w, &error), IP_OK, "%s", error.message);
        cr_assert_str_eq(ip_model_family(model), "llama");
        ip_model_close(model);
    }
}

Test(folder, refusals_name_what_is_wrong) {
    static writer w;
    static const struct {
        const char *config, *word;
    } cases[] = {
        {"{\"model_type\":\"perceptron\"}", "perceptron"},
        {"{" LLAMA ",\"attention_bias\":true}", "q_proj.bias"},
        {"{" LLAMA ",\"rms_norm_eps\":Infinity}", "rms_norm_eps"},
        {"{" LLAMA ",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":-2}}", "factor"},
        {"{" LLAMA ",\"quantization_config\":{\"quant_method\":\"awq\"}}", "awq"},
        {"{" LLAMA ",\"hidden_size\":24}", "hidden_size"}, /* twice */
        {"{" LLAMA "} ,", "JSON"},
    };
    put_model(&w, "model.", PLAIN, ONE, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ip_model *model;
        ip_error error;
        cr_assert_eq(open_model(&model, cases[i].config, &w, &error), IP_BAD_INPUT, "%s", cases[i].config);
        cr_assert(strstr(error.message, cases[i].word), "%s: %s", cases[i].word, error.message);
    }
    /* A tensor of the block that the family does not know is a model that was not understood. */
    ip_model *model;
    ip_error error;
    put_ones(&w, "model.layers.0.", "self_attn.mystery_norm");
    cr_assert_eq(open_model(&model, plain_config, &w, &error), IP_BAD_INPUT);
    cr_assert(strstr(error.message, "mystery_norm"), "%s", error.message);
}

Test(folder, float8_without_factors_and_wrong_ones_are_refused) {
    static writer w;
    ip_model *model;
    ip_error error;
    put_model(&w, "model.", ROWS, ROWS, 4);
    cr_assert_eq(open_model(&model, fp8_config, &w, &error), IP_OK, "%s", error.message);
    ip_model_close(model);
    for (char *at = w.header; (at = strstr(at, "_scale\"")); at++) at[1] = 'z';
    cr_assert_eq(open_model(&model, fp8_config, &w, &error), IP_BAD_INPUT);
    cr_assert(strstr(error.message, "q_proj") && strstr(error.message, "F8_E4M3"), "%s", error.message);
    put_model(&w, "model.", BLOCKS, BLOCKS, 4);
    cr_assert_eq(open_model(&model, "{" LLAMA ",\"quantization_config\":{\"quant_method\":\"fp8\"}}", &w, &error),
                 IP_BAD_INPUT); /* blocks of 128 then */
    cr_assert(strstr(error.message, "scale_inv"), "%s", error.message);
}

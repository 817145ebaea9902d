/* --weights: a model requantised on load is the model that a quantised file holds. The golden small model is written anew
 * with its matrices in another type, by the quantisers that unit.types compares with ggml's, and both are run. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/infoplane.h"
#include "models/gguf.h"
#include "models/model.h"
#include "models/quantise.h"
#include "models/types.h"
#include "tests/unit/shared_data.h"

TestSuite(weights, .timeout = 120);

static const ip_type *f32(void) { return ip_type_by_id(0); }

static void put(FILE *f, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) fputc((int)(value >> 8 * i & 255), f);
}

static size_t up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* A row of a tensor in another type. */
static void put_row(FILE *f, const ip_tensor *t, size_t row, const ip_type *type) {
    size_t k = (size_t)t->ne[0];
    float *values = malloc(k * sizeof *values);
    unsigned char *blocks = malloc(k * sizeof *values);
    t->type->to_float(values, ip_tensor_row(t, row), k);
    if (type == f32()) {
        memcpy(blocks, values, k * sizeof *values); /* little-endian, as the file */
    } else {
        ip_quantise_blocks(type, blocks, values, k);
    }
    fwrite(blocks, type->bytes, k / type->block, f);
    free(values);
    free(blocks);
}

static const ip_type *type_in_copy(const ip_tensor *t, const ip_type *type) { return t->ne[1] > 1 ? type : t->type; }

/* The model of `from` in a file of its own at `to`, every tensor with more than one row as `type`. */
static void write_as(const char *to, const char *from, const ip_type *type) {
    ip_gguf *file;
    ip_error error;
    cr_assert_eq(ip_gguf_open(&file, from, NULL, NULL, &error), IP_OK, "%s", error.message);
    FILE *f = fopen(to, "wb");
    ip_bytes bytes = ip_gguf_part_bytes(file, 0);
    const ip_tensor *first = ip_gguf_tensor_at(file, 0);
    /* Header and keys stand as they are up to the first tensor's record, which begins with its name's length. */
    size_t length = strlen(first->name), at = 0;
    while (memcmp(bytes.data + at + 8, first->name, length) != 0 || (size_t)(unsigned char)bytes.data[at] != length)
        at++;
    fwrite(bytes.data, 1, at, f);
    size_t align = (size_t)ip_gguf_part_alignment(file, 0), offset = 0;
    for (size_t i = 0; i < ip_gguf_tensor_count(file); i++) {
        const ip_tensor *t = ip_gguf_tensor_at(file, i);
        const ip_type *as = type_in_copy(t, type);
        put(f, strlen(t->name), 8);
        fputs(t->name, f);
        put(f, t->dims, 4);
        for (unsigned d = 0; d < t->dims; d++) put(f, t->ne[d], 8);
        put(f, as->id, 4);
        put(f, offset, 8);
        offset = up(offset + (size_t)(t->ne[0] / as->block * as->bytes * t->ne[1]), align);
    }
    for (size_t i = 0; i < ip_gguf_tensor_count(file); i++) {
        const ip_tensor *t = ip_gguf_tensor_at(file, i);
        while (ftell(f) % (long)align != 0) fputc(0, f);
        for (size_t r = 0; r < t->ne[1]; r++) put_row(f, t, r, type_in_copy(t, type));
    }
    while (ftell(f) % (long)align != 0) fputc(0, f);
    fclose(f);
    ip_gguf_close(file);
}

static ip_run *analyse(const char *model, const char *text, const char *weights, const char *compute) {
    ip_settings settings;
    ip_settings_default(&settings);
    settings.weights = weights;
    settings.compute = compute;
    settings.split = "line";
    settings.bins = 20;
    settings.loss = true;
    settings.threads = 2;
    ip_run *run = NULL;
    ip_error error = {.message = ""};
    ip_status status = ip_analyze(&run, model, &text, 1, &settings, NULL, NULL, &error);
    cr_assert_eq(status, IP_OK, "%s with %s: %s", model, weights ? weights : "weights as stored", error.message);
    return run;
}

/* 0 when every figure of two runs is the same to the bit. */
static bool same_figures(const ip_run *a, const ip_run *b) {
    cr_assert(a->layers == b->layers && a->loss.tokens == b->loss.tokens && a->loss.tokens > 0);
    return memcmp(&a->loss.nats_per_token, &b->loss.nats_per_token, sizeof(double)) == 0 &&
           memcmp(a->layer, b->layer, (size_t)(a->layers + 1) * sizeof *a->layer) == 0 &&
           memcmp(a->token_loss, b->token_loss, (size_t)a->loss.tokens * sizeof(float)) == 0;
}

/* Files of one test in a folder of its own. */
typedef struct place {
    char folder[64], text[96], model[96], copy[96];
} place;

static bool make_place(place *p, const char *source) {
    if (shared_missing(source)) return false;
    strcpy(p->folder, "/tmp/infoplane-weights-XXXXXX");
    cr_assert_not_null(mkdtemp(p->folder));
    snprintf(p->text, sizeof p->text, "%s/text.txt", p->folder);
    snprintf(p->model, sizeof p->model, "%s/f32.gguf", p->folder);
    snprintf(p->copy, sizeof p->copy, "%s/copy.gguf", p->folder);
    FILE *f = fopen(p->text, "w");
    fputs("Once upon a time there was a small horse.\nThe horse saw a red barn, and the barn saw it.\n"
          "She said: come here, Tom!\nOnce upon a time there was a barn.\n",
          f);
    fclose(f);
    return true;
}

static void clear_place(const place *p) {
    remove(p->text);
    remove(p->model);
    remove(p->copy);
    rmdir(p->folder);
}

Test(weights, requantised_on_load_equals_a_quantised_file) {
    static const char *const computes[] = {"auto", "f32", "int16", "int8"};
    const char *source = shared_path("golden/badfiles/gguf/valid.gguf");
    place p;
    if (!make_place(&p, source)) return;
    write_as(p.model, source, f32());
    for (size_t q = 0; q < ip_quantise_count(); q++) {
        const ip_type *type = ip_quantise_at(q);
        write_as(p.copy, p.model, type);
        for (size_t c = 0; c < sizeof computes / sizeof computes[0]; c++) {
            ip_run *stored = analyse(p.model, p.text, NULL, computes[c]);
            ip_run *wanted = analyse(p.copy, p.text, NULL, computes[c]);
            ip_run *got = analyse(p.model, p.text, type->name, computes[c]);
            ip_run *again = analyse(p.copy, p.text, type->name, computes[c]);
            cr_assert(same_figures(got, wanted), "%s in %s", type->name, computes[c]);
            cr_assert(same_figures(again, wanted), "%s twice in %s", type->name, computes[c]);
            cr_assert(!same_figures(got, stored), "%s in %s changes nothing", type->name, computes[c]);
            cr_assert_str_eq(got->weights, wanted->weights);
            cr_assert_str_eq(got->compute, wanted->compute);
            cr_assert_str_eq(got->weights_stored, "F32");
            cr_assert_str_neq(got->model_fingerprint, wanted->model_fingerprint);
            ip_run_free(stored);
            ip_run_free(wanted);
            ip_run_free(got);
            ip_run_free(again);
        }
    }
    clear_place(&p);
}

/* Quantised weights to other types: through their floats. */
Test(weights, quantised_files_are_requantised_through_floats) {
    const char *source = shared_path("golden/badfiles/gguf/valid.gguf"); /* Q4_0 */
    place p;
    if (!make_place(&p, source)) return;
    write_as(p.model, source, f32());
    ip_run *wanted = analyse(p.model, p.text, "q5_1", "auto"), *got = analyse(source, p.text, "q5_1", "auto");
    cr_assert(same_figures(got, wanted));
    cr_assert(strstr(got->weights_stored, "Q4_0") && !strstr(got->weights, "Q4_0") && strstr(got->weights, "Q5_1"));
    ip_run_free(wanted);
    ip_run_free(got);
    /* Q8_0 through BF16 to the Q8_0 of integer products: not the codes of the file. */
    write_as(p.copy, source, ip_quantise_type("q8_0"));
    write_as(p.model, p.copy, ip_quantise_type("bf16"));
    for (int i = 0; i < 2; i++) {
        const char *compute = i == 0 ? "int16" : "f32";
        wanted = analyse(p.model, p.text, NULL, compute), got = analyse(p.copy, p.text, "bf16", compute);
        ip_run *stored = analyse(p.copy, p.text, NULL, compute);
        cr_assert(same_figures(got, wanted) && !same_figures(got, stored), "%s", compute);
        ip_run_free(wanted);
        ip_run_free(got);
        ip_run_free(stored);
    }
    clear_place(&p);
}

/* A model whose rows are no multiple of 32: the last group is filled up. Finer types stay nearer. */
Test(weights, short_groups_and_finer_types) {
    static const char *const finer[] = {"q4_0", "q5_0", "q8_0", "f16"};
    const char *source = shared_path("models/stories260K.gguf");
    place p;
    if (!make_place(&p, source)) return;
    ip_run *stored = analyse(source, p.text, NULL, "f32");
    double last = 1;
    for (size_t i = 0; i < sizeof finer / sizeof finer[0]; i++) {
        ip_run *run = analyse(source, p.text, finer[i], "f32"), *integers = analyse(source, p.text, finer[i], "int16");
        double off = 0;
        for (uint64_t t = 0; t < run->loss.tokens; t++)
            off += fabs((double)run->token_loss[t] - (double)stored->token_loss[t]) / (double)run->loss.tokens;
        cr_assert(off > 0 && off < 0.7 * last, "%s: %g after %g", finer[i], off, last);
        /* int16 activations change little; f16 weights become q8_0 under them. */
        cr_assert_float_eq(run->loss.nats_per_token, integers->loss.nats_per_token, i < 3 ? 1e-3 : 2e-2);
        last = off;
        ip_run_free(run);
        ip_run_free(integers);
    }
    ip_run_free(stored);
    clear_place(&p);
}

/* Weights that a type's scale cannot hold are refused by the tensor's name, in the look-up as in the products. */
Test(weights, what_is_too_large_is_refused) {
    const char *source = shared_path("golden/badfiles/gguf/valid.gguf");
    place p;
    if (!make_place(&p, source)) return;
    const char *const tensors[] = {"token_embd.weight", "blk.1.ffn_down.weight"};
    for (size_t i = 0; i < 2; i++) {
        write_as(p.model, source, f32());
        ip_gguf *file;
        ip_error error;
        cr_assert_eq(ip_gguf_open(&file, p.model, NULL, NULL, &error), IP_OK);
        long at =
            (long)(ip_gguf_tensor(file, tensors[i])->data - (const unsigned char *)ip_gguf_part_bytes(file, 0).data);
        ip_gguf_close(file);
        FILE *f = fopen(p.model, "r+b");
        /* Every token's row has one 1e9 in front: whichever the text looks up. */
        float large = 1e9f;
        for (long row = 0; row < (i == 0 ? 128 : 1); row++) {
            fseek(f, at + row * 128, SEEK_SET);
            fwrite(&large, sizeof large, 1, f);
        }
        fclose(f);
        ip_settings settings;
        ip_settings_default(&settings);
        settings.split = "line";
        const char *text = p.text;
        const char *const types[] = {"q8_0", "q4_1", "f16"};
        for (size_t j = 0; j < 3; j++) {
            settings.weights = types[j];
            ip_run *run = NULL;
            cr_assert_eq(ip_analyze(&run, p.model, &text, 1, &settings, NULL, NULL, &error), IP_BAD_INPUT);
            cr_assert(strstr(error.message, tensors[i]) && strstr(error.message, "too large"), "%s", error.message);
            cr_assert(strstr(error.message, p.model) && strstr(error.message, ip_quantise_type(types[j])->name));
        }
    }
    clear_place(&p);
}
